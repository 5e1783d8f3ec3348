/* equal.c - ask the judge of answers directly: about one pair, or a file. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "stage/stages.h"
#include "task/extract.h"
#include "task/mathequal.h"

struct values {
    char *jsonl;
    bool text, guess;
};

#define AT(field) offsetof(struct values, field)
static const struct sxt_cfg_param params[] = {
    { "jsonl", SXT_CFG_STRING, "", 0, 0, "1",
      "Lines {\"gold\", \"pred\"[, \"equal\"]} to judge, each by a line "
      "{\"equal\", \"rule\", \"extracted\"}; labels are counted.",
      AT(jsonl), NULL, NULL },
    { "text", SXT_CFG_BOOL, "false", 0, 0, "1",
      "The answer is a whole response: find the final answer in it.", AT(text),
      NULL, NULL },
    { "guess", SXT_CFG_BOOL, "true", 0, 0, "1",
      "In a response that states no answer take the last formula or number.",
      AT(guess), NULL, NULL },
    { .name = NULL }
};
#undef AT

struct outcome {
    bool equal;
    const char *rule;         /* static; "undecided" if nothing proved it */
    struct sxt_str extracted; /* owned */
};

static struct outcome judge(const struct values *v, struct sxt_span gold,
                            struct sxt_span answer)
{
    struct outcome o = { false, "no answer", SXT_STR_EMPTY };

    if (!v->text)
        sxt_str_add_bytes(&o.extracted, answer.data, answer.len);
    else if (sxt_extract_answer(answer, v->guess, &o.extracted) ==
             SXT_EXTRACT_NONE)
        return o;
    struct sxt_math_judgement j = sxt_mathequal(
        gold, (struct sxt_span){ o.extracted.data ? o.extracted.data : "",
                                 o.extracted.len });
    o.equal = j.verdict == SXT_MATH_EQUAL;
    o.rule = j.verdict == SXT_MATH_UNDECIDED ? "undecided" : j.rule;
    return o;
}

/* ---- a file ---- */

struct counts {
    size_t lines, bad, labelled, right, misses, false_accepts;
};

static void count(const struct sxt_json *label, bool equal, struct counts *c)
{
    if (sxt_json_type(label) != SXT_JSON_BOOL)
        return;
    bool expected = sxt_json_bool(label, false);
    c->labelled++;
    c->right += equal == expected;
    c->misses += !equal && expected;
    c->false_accepts += equal && !expected;
}

/* A string's text, or a number as it is written. */
static bool answer_text(const struct sxt_json *v, struct sxt_str *out)
{
    enum sxt_json_type type = sxt_json_type(v);
    struct sxt_span s = sxt_json_text(v);

    if (type == SXT_JSON_INT || type == SXT_JSON_REAL)
        sxt_json_print(v, 0, out);
    else if (type == SXT_JSON_STRING)
        sxt_str_add_bytes(out, s.data, s.len);
    else
        return false;
    return true;
}

static void print_line(struct sxt_json *line)
{
    struct sxt_str s = SXT_STR_EMPTY;

    sxt_json_print(line, 0, &s);
    puts(s.data);
    sxt_str_free(&s);
    sxt_json_free(line);
}

/* A line for what cannot be judged, so that lines stay side by side. */
static void bad_line(const struct sxt_run *run, const char *why, size_t number,
                     struct counts *c)
{
    struct sxt_json *line = sxt_json_object();

    sxt_log(&run->log, SXT_LOG_ERROR, "%s", why);
    sxt_json_set(line, "equal", sxt_json_new_bool(false));
    sxt_json_set(line, "rule", sxt_json_new_text("bad line", 8));
    sxt_json_set(line, "extracted", sxt_json_new_text("", 0));
    sxt_json_set(line, "line", sxt_json_new_int((int64_t)number));
    print_line(line);
    c->bad++;
}

static bool judge_line(const struct values *v, const struct sxt_json *in,
                       struct counts *c)
{
    struct sxt_str gold = SXT_STR_EMPTY, answer = SXT_STR_EMPTY;
    bool good = answer_text(sxt_json_get(in, "gold"), &gold) &&
                answer_text(sxt_json_get(in, "pred"), &answer);

    if (good) {
        struct outcome o = judge(
            v, (struct sxt_span){ gold.data ? gold.data : "", gold.len },
            (struct sxt_span){ answer.data ? answer.data : "", answer.len });
        struct sxt_json *line = sxt_json_object();
        sxt_json_set(line, "equal", sxt_json_new_bool(o.equal));
        sxt_json_set(line, "rule",
                     sxt_json_new_text(o.rule, sxt_span(o.rule).len));
        sxt_json_set(line, "extracted",
                     sxt_json_new_text(o.extracted.data ? o.extracted.data : "",
                                       o.extracted.len));
        print_line(line);
        count(sxt_json_get(in, "equal"), o.equal, c);
        sxt_str_free(&o.extracted);
    }
    sxt_str_free(&gold);
    sxt_str_free(&answer);
    return good;
}

static void judge_lines(const struct sxt_run *run, const struct values *v,
                        struct sxt_jsonl *in, const char *path,
                        struct counts *c)
{
    struct sxt_error bad = { 0 };
    struct sxt_json *line;
    size_t number = 0;
    int rc;

    while (!*run->stop &&
           (rc = sxt_jsonl_next(in, &line, &number, &bad)) != 0) {
        c->lines++;
        if (rc < 0) {
            bad_line(run, bad.text, number, c);
            if (bad.code != SXT_EXIT_DATA)
                return;
            continue;
        }
        if (!judge_line(v, line, c)) {
            char *why = sxt_printf("%s:%zu: needs \"gold\" and \"pred\", "
                                   "strings or numbers",
                                   path, number);
            bad_line(run, why, number, c);
            free(why);
        }
        sxt_json_free(line);
    }
}

static int judge_file(const struct sxt_run *run, const struct values *v,
                      const char *path, struct sxt_error *err)
{
    struct sxt_jsonl *in = sxt_jsonl_open(path, err);
    struct counts c = { 0 };

    if (!in)
        return -1;
    judge_lines(run, v, in, path, &c);
    sxt_jsonl_close(in);
    if (fflush(stdout) != 0)
        return sxt_err(err, SXT_EXIT_IO, "cannot write the verdicts");
    if (*run->stop)
        return sxt_err(err, SXT_EXIT_AGAIN, "%zu lines are judged", c.lines);
    if (c.labelled > 0)
        sxt_log(&run->log, SXT_LOG_INFO,
                "%zu of %zu right  misses %zu  false accepts %zu", c.right,
                c.labelled, c.misses, c.false_accepts);
    if (c.bad > 0)
        return sxt_err(err, SXT_EXIT_DATA, "%s: %zu of %zu lines are bad", path,
                       c.bad, c.lines);
    return 0;
}

/* ---- one pair ---- */

static int judge_pair(const struct sxt_run *run, const struct values *v,
                      struct sxt_error *err)
{
    struct outcome o = judge(v, sxt_span(run->args[0]), sxt_span(run->args[1]));

    printf("%s (%s)\n", o.equal ? "equal" : "different", o.rule);
    sxt_str_free(&o.extracted);
    if (o.equal)
        return 0;
    return sxt_err(err, SXT_EXIT_DIFFERS, "the answers are not equal");
}

static int run_stage(struct sxt_run *run, const void *values,
                     struct sxt_error *err)
{
    const struct values *v = values;

    if (run->n_args != (v->jsonl[0] ? 0 : 2))
        return sxt_err(err, SXT_EXIT_USAGE,
                       "equal needs a reference and an answer, or --jsonl "
                       "FILE");
    if (run->comm.rank != 0)
        return 0;
    if (!v->jsonl[0])
        return judge_pair(run, v, err);
    char *path = sxt_run_path(run, v->jsonl);
    int rc = judge_file(run, v, path, err);
    free(path);
    return rc;
}

const struct sxt_stage sxt_stage_equal = {
    .section = { "equal", "Say whether two answers are the same.", params,
                 sizeof(struct values) },
    .operands = "[REFERENCE ANSWER]",
    .run = run_stage,
    .answers = true
};
