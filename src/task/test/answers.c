/* answers.c - grade a JSONL file of answer pairs: {"gold", "pred", "equal"}.
 *
 *     answers [-v] FILE.jsonl
 *
 * Prints accuracy, misses, false accepts and the time a pair took; -v prints
 * each disagreement.  The data sets of doc/grading.md have this form. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "task/extract.h"
#include "task/mathequal.h"

struct counts {
    int pairs, right, misses, false_accepts, undecided;
    double total_s, worst_s;
};

/* A bare answer, or (text) a response that holds one. */
static struct sxt_math_judgement judge(struct sxt_span gold,
                                       struct sxt_span pred, bool text)
{
    struct sxt_str g = SXT_STR_EMPTY, p = SXT_STR_EMPTY;

    if (text && gold.len > 100 &&
        sxt_extract_answer(gold, true, &g) != SXT_EXTRACT_NONE)
        gold = (struct sxt_span){ g.data, g.len };
    if (text && sxt_extract_answer(pred, true, &p) != SXT_EXTRACT_NONE)
        pred = (struct sxt_span){ p.data, p.len };
    struct sxt_math_judgement j = sxt_mathequal(gold, pred);
    sxt_str_free(&g);
    sxt_str_free(&p);
    return j;
}

static void grade(const struct sxt_json *v, bool verbose, struct counts *c)
{
    struct sxt_span gold = sxt_json_text(sxt_json_get(v, "gold"));
    struct sxt_span pred = sxt_json_text(sxt_json_get(v, "pred"));
    const struct sxt_json *label = sxt_json_get(v, "equal");
    bool expected = sxt_json_bool(label, false);
    bool text =
        strcmp(sxt_json_string(sxt_json_get(v, "mode"), ""), "text") == 0 ||
        sxt_json_get(v, "boxed") != NULL;
    double start = sxt_clock();
    struct sxt_math_judgement j = judge(gold, pred, text);
    double spent = sxt_clock() - start;
    bool equal = j.verdict == SXT_MATH_EQUAL;

    c->pairs++;
    c->total_s += spent;
    c->worst_s = spent > c->worst_s ? spent : c->worst_s;
    c->undecided += j.verdict == SXT_MATH_UNDECIDED;
    if (sxt_json_type(label) != SXT_JSON_BOOL)
        return;
    c->right += equal == expected;
    c->misses += expected && !equal;
    c->false_accepts += equal && !expected;
    if (verbose && equal != expected)
        printf("%s %s [%s] gold %.*s | pred %.*s (%s)\n",
               sxt_json_string(sxt_json_get(v, "id"), ""),
               equal ? "FALSE ACCEPT" : "miss", j.rule,
               (int)(gold.len < 120 ? gold.len : 120), gold.data,
               (int)(pred.len < 200 ? pred.len : 200), pred.data,
               sxt_json_string(sxt_json_get(v, "transform"), ""));
}

int main(int argc, char **argv)
{
    bool verbose = argc > 2 && strcmp(argv[1], "-v") == 0;
    struct counts c = { 0 };
    struct sxt_json *v;
    struct sxt_error err;
    size_t line;
    int more;

    struct sxt_jsonl *in =
        argc > 1 ? sxt_jsonl_open(argv[argc - 1], &err) : NULL;
    if (!in) {
        fprintf(stderr, "usage: answers [-v] FILE.jsonl\n");
        return 64;
    }
    while ((more = sxt_jsonl_next(in, &v, &line, &err)) > 0) {
        grade(v, verbose, &c);
        sxt_json_free(v);
    }
    sxt_jsonl_close(in);
    printf("%d pairs, %d right (%.2f %%), %d misses, %d false accepts, "
           "%d undecided; %.1f us a pair, worst %.2f ms\n",
           c.pairs, c.right, 100.0 * c.right / (c.pairs ? c.pairs : 1),
           c.misses, c.false_accepts, c.undecided,
           1e6 * c.total_s / (c.pairs ? c.pairs : 1), 1e3 * c.worst_s);
    return more < 0;
}
