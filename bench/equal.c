/* equal.c - time and accuracy of the judge of answers, on one thread.
 *
 * usage: equal PAIRS.jsonl [ROUNDS]
 *
 * PAIRS: lines {"gold", "pred", "equal"}.  Prints "pairs right misses
 * false-accepts median-us p99-us mean-us"; of each pair the best of ROUNDS
 * (default 3), so that other work on the machine counts little. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "task/mathequal.h"

struct tally {
    size_t pairs, right, misses, false_accepts;
    double *seconds;
    size_t cap;
};

static double best_time(struct sxt_span gold, struct sxt_span pred, int rounds,
                        bool *equal)
{
    double best = 1e30;

    *equal = false;
    for (int i = 0; i < rounds; i++) {
        double start = sxt_clock();
        *equal = sxt_mathequal(gold, pred).verdict == SXT_MATH_EQUAL;
        double spent = sxt_clock() - start;
        best = spent < best ? spent : best;
    }
    return best;
}

static void judge(const struct sxt_json *v, int rounds, struct tally *t)
{
    bool label = sxt_json_bool(sxt_json_get(v, "equal"), false), equal;

    t->seconds =
        sxt_grow(t->seconds, &t->cap, t->pairs + 1, sizeof(*t->seconds));
    t->seconds[t->pairs++] =
        best_time(sxt_json_text(sxt_json_get(v, "gold")),
                  sxt_json_text(sxt_json_get(v, "pred")), rounds, &equal);
    t->right += equal == label;
    t->misses += !equal && label;
    t->false_accepts += equal && !label;
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

static void print(const struct tally *t)
{
    double sum = 0;

    qsort(t->seconds, t->pairs, sizeof(*t->seconds), ascending);
    for (size_t i = 0; i < t->pairs; i++)
        sum += t->seconds[i];
    printf("%zu %zu %zu %zu %.1f %.1f %.1f\n", t->pairs, t->right, t->misses,
           t->false_accepts, 1e6 * t->seconds[t->pairs / 2],
           1e6 * t->seconds[t->pairs * 99 / 100], 1e6 * sum / (double)t->pairs);
}

int main(int argc, char **argv)
{
    struct sxt_error err = { 0 };
    struct tally t = { 0 };
    struct sxt_json *v;
    size_t line;
    int rc;

    if (argc < 2) {
        fprintf(stderr, "usage: equal PAIRS.jsonl [ROUNDS]\n");
        return SXT_EXIT_USAGE;
    }
    struct sxt_jsonl *in = sxt_jsonl_open(argv[1], &err);
    if (!in) {
        fprintf(stderr, "equal: %s\n", err.text);
        return err.code;
    }
    while ((rc = sxt_jsonl_next(in, &v, &line, &err)) > 0) {
        if (sxt_json_type(sxt_json_get(v, "equal")) == SXT_JSON_BOOL)
            judge(v, argc > 2 ? atoi(argv[2]) : 3, &t);
        sxt_json_free(v);
    }
    sxt_jsonl_close(in);
    if (rc < 0)
        fprintf(stderr, "equal: %s\n", err.text);
    else if (t.pairs > 0)
        print(&t);
    free(t.seconds);
    return rc < 0 ? err.code : 0;
}
