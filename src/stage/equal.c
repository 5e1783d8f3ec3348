/* equal.c - ask the judge of answers directly. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "stage/stages.h"
#include "task/mathequal.h"

struct values {
    char *pairs;
};

static const struct sxt_cfg_param params[] = {
    { "pairs", SXT_CFG_STRING, "", 0, 0, "1",
      "A .jsonl file of {\"gold\", \"pred\"[, \"equal\"]}; a verdict is "
      "printed for each.",
      offsetof(struct values, pairs), NULL, NULL },
    { .name = NULL }
};

static const char *const words[] = { "equal", "different", "undecided" };

struct counts {
    size_t pairs, labelled, right, misses, false_accepts;
};

static void judge_line(const struct sxt_json *v, size_t line, struct counts *c)
{
    const struct sxt_json *label = sxt_json_get(v, "equal");
    struct sxt_math_judgement j =
        sxt_mathequal(sxt_json_text(sxt_json_get(v, "gold")),
                      sxt_json_text(sxt_json_get(v, "pred")));
    bool equal = j.verdict == SXT_MATH_EQUAL;

    printf("%zu\t%s\t%s\n", line, words[j.verdict], j.rule);
    c->pairs++;
    if (sxt_json_type(label) != SXT_JSON_BOOL)
        return;
    bool expected = sxt_json_bool(label, false);
    c->labelled++;
    c->right += equal == expected;
    c->misses += !equal && expected;
    c->false_accepts += equal && !expected;
}

static int judge_file(const struct sxt_run *run, const char *path,
                      struct sxt_error *err)
{
    struct sxt_jsonl *in = sxt_jsonl_open(path, err);
    struct counts c = { 0 };
    struct sxt_json *v;
    size_t line;
    int rc;

    if (!in)
        return -1;
    while ((rc = sxt_jsonl_next(in, &v, &line, err)) > 0) {
        judge_line(v, line, &c);
        sxt_json_free(v);
    }
    sxt_jsonl_close(in);
    if (rc == 0 && c.labelled > 0)
        sxt_log(&run->log, SXT_LOG_INFO,
                "%zu of %zu right  misses %zu  false accepts %zu", c.right,
                c.labelled, c.misses, c.false_accepts);
    return rc;
}

static int run_stage(struct sxt_run *run, const void *values,
                     struct sxt_error *err)
{
    const struct values *v = values;

    if (run->n_args != (v->pairs[0] ? 0 : 2))
        return sxt_err(err, SXT_EXIT_USAGE,
                       "equal needs a reference and an answer, or -s "
                       "pairs=FILE.jsonl");
    if (run->comm.rank != 0)
        return 0;
    if (v->pairs[0]) {
        char *path = sxt_run_path(run, v->pairs);
        int rc = judge_file(run, path, err);
        free(path);
        return rc;
    }
    struct sxt_math_judgement j =
        sxt_mathequal(sxt_span(run->args[0]), sxt_span(run->args[1]));
    printf("%s (%s)\n", words[j.verdict], j.rule);
    if (j.verdict == SXT_MATH_EQUAL)
        return 0;
    return sxt_err(err, SXT_EXIT_DIFFERS, "the answers are %s",
                   words[j.verdict]);
}

const struct sxt_stage sxt_stage_equal = {
    .section = { "equal", "Say whether two answers are the same.", params,
                 sizeof(struct values) },
    .operands = "[REFERENCE ANSWER]",
    .run = run_stage
};
