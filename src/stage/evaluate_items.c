/* evaluate_items.c - from verdicts to items, from items to figures. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stage/evaluate.h"
#include "stage/formats.h"
#include "stage/references.h"
#include "task/metrics.h"

enum { BOOTSTRAP_SEED = 1 };

/* ---- verdicts of all ranks ---- */

/* What the ranks exchange of a response; the answer's bytes follow. */
struct packed {
    uint64_t row, tokens, answer_len;
    int32_t verdict;
    int32_t unused; /* no padding: the bytes are compared in debug builds */
};

/* One response, unpacked. */
struct outcome {
    size_t problem;
    int verdict;
    int64_t tokens;
    struct sxt_span answer;
};

/* Programs do not vote: no two that are right need be the same. */
static bool votes(const struct sxt_problems *problems, size_t problem)
{
    return !sxt_grade_needs_sandbox(sxt_problems_domain(problems, problem));
}

static void pack(const struct sxt_grading *g, struct sxt_str *out)
{
    for (size_t i = 0; i < g->count; i++) {
        size_t row = g->first + i;
        struct sxt_span answer =
            sxt_frame_text(g->verdicts, SXT_VERDICT_ANSWER, i);
        if (!votes(g->problems, g->problem_of[row]))
            answer.len = 0;
        struct packed p = { .row = row,
                            .tokens = sxt_responses_tokens(g->responses, row),
                            .answer_len = answer.len,
                            .verdict = sxt_verdict_parse(sxt_frame_text(
                                g->verdicts, SXT_VERDICT_VERDICT, i)) };
        sxt_str_add_bytes(out, &p, sizeof(p));
        sxt_str_add_bytes(out, answer.data, answer.len);
    }
}

static struct outcome *unpack(const struct sxt_grading *g, const char *all,
                              size_t n)
{
    struct outcome *out = sxt_alloc(n, sizeof(*out));
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        struct packed p;
        memcpy(&p, all + at, sizeof(p));
        at += sizeof(p);
        out[i] = (struct outcome){ g->problem_of[p.row],
                                   p.verdict,
                                   (int64_t)p.tokens,
                                   { all + at, p.answer_len } };
        at += p.answer_len;
    }
    return out;
}

static int by_problem(const void *a, const void *b)
{
    const struct outcome *x = a, *y = b;

    if (x->problem != y->problem)
        return x->problem < y->problem ? -1 : 1;
    return (x->answer.data > y->answer.data) -
           (x->answer.data < y->answer.data); /* the order they came in */
}

/* ---- items ---- */

static void vote(const struct sxt_problems *problems, const struct outcome *o,
                 size_t n, struct sxt_item *item)
{
    struct sxt_span *answers = sxt_alloc(n, sizeof(*answers));

    for (size_t i = 0; i < n; i++)
        answers[i] = o[i].answer;
    long best =
        sxt_metric_majority(answers, n, sxt_grade_same_answer,
                            sxt_problems_domain(problems, item->problem));
    item->votes = votes(problems, item->problem);
    item->majority = best < 0 ? (struct sxt_span){ "", 0 } : answers[best];
    item->majority_passes = best >= 0 && o[best].verdict == SXT_VERDICT_IS_PASS;
    free(answers);
}

static struct sxt_item make_item(const struct sxt_problems *problems,
                                 const struct outcome *o, size_t n,
                                 int64_t *failed)
{
    struct sxt_item item = { .problem = o[0].problem };

    for (size_t i = 0; i < n; i++) {
        bool ours = o[i].verdict == SXT_VERDICT_IS_SANDBOX_ERROR;
        *failed += ours;
        item.samples += !ours;
        item.passed += o[i].verdict == SXT_VERDICT_IS_PASS;
        item.tokens += ours ? 0 : o[i].tokens;
    }
    vote(problems, o, n, &item);
    return item;
}

void sxt_items_gather(const struct sxt_run *run, const struct sxt_grading *g,
                      struct sxt_items *items)
{
    size_t n = sxt_responses_count(g->responses), *offsets, end;
    struct sxt_str own = SXT_STR_EMPTY;

    *items = (struct sxt_items){ .have_tokens =
                                     sxt_responses_have_tokens(g->responses) };
    pack(g, &own);
    sxt_comm_allgather_bytes(run->comm, own.data, own.len, &items->answers,
                             &offsets);
    sxt_str_free(&own);
    free(offsets);
    struct outcome *o = unpack(g, items->answers, n);
    qsort(o, n, sizeof(*o), by_problem);
    items->item = sxt_alloc(n, sizeof(*items->item));
    for (size_t i = 0; i < n; i = end) {
        for (end = i + 1; end < n && o[end].problem == o[i].problem; end++)
            ;
        items->item[items->count++] =
            make_item(g->problems, o + i, end - i, &items->failed);
    }
    free(o);
}

void sxt_items_free(struct sxt_items *items)
{
    free(items->item);
    free(items->answers);
}

/* ---- the summary ---- */

/* A benchmark: the items of a source (or all), and room for their values. */
struct bench {
    struct sxt_span source;
    const struct sxt_item **item;
    size_t count;
    double *x;
};

static void add_row(struct sxt_frame *f, const struct bench *b,
                    const char *metric, size_t n, int64_t samples,
                    const char *model)
{
    struct sxt_estimate e = sxt_metric_mean(b->x, n, BOOTSTRAP_SEED);
    const struct sxt_reference *r =
        sxt_reference_find(sxt_span(model), b->source, sxt_span(metric));

    if (n == 0)
        return;
    sxt_frame_add(f);
    sxt_frame_set_text(f, SXT_SUMMARY_SOURCE, b->source.data, b->source.len);
    sxt_frame_set_string(f, SXT_SUMMARY_METRIC, metric);
    sxt_frame_set_f64(f, SXT_SUMMARY_VALUE, e.value);
    sxt_frame_set_f64(f, SXT_SUMMARY_STDERR, e.stderror);
    sxt_frame_set_f64(f, SXT_SUMMARY_CI_LOW, e.low);
    sxt_frame_set_f64(f, SXT_SUMMARY_CI_HIGH, e.high);
    sxt_frame_set_i64(f, SXT_SUMMARY_PROBLEMS, (int64_t)n);
    sxt_frame_set_i64(f, SXT_SUMMARY_SAMPLES, samples);
    sxt_frame_set_f64(f, SXT_SUMMARY_REFERENCE, r ? r->value : NAN);
    char *source = r ? sxt_printf("%s: %s", r->model, r->source) : NULL;
    sxt_frame_set_string(f, SXT_SUMMARY_REFERENCE_SOURCE, source ? source : "");
    free(source);
}

static void add_pass_at(struct sxt_frame *f, const struct bench *b, int64_t k,
                        const char *model)
{
    char name[32];
    int64_t samples = 0;
    size_t n = 0;

    for (size_t i = 0; i < b->count; i++) {
        const struct sxt_item *t = b->item[i];
        if (t->samples < k)
            continue;
        b->x[n++] = sxt_metric_pass_at_k(t->samples, t->passed, k);
        samples += t->samples;
    }
    snprintf(name, sizeof(name), "pass@%" PRId64, k);
    add_row(f, b, name, n, samples, model);
}

static void add_majority(struct sxt_frame *f, const struct bench *b, int64_t k,
                         const char *model)
{
    char name[32];
    int64_t samples = 0;
    size_t n = 0;

    for (size_t i = 0; i < b->count; i++) {
        const struct sxt_item *t = b->item[i];
        if (t->samples < k || !t->votes)
            continue;
        b->x[n++] = t->majority_passes;
        samples += t->samples;
    }
    snprintf(name, sizeof(name), "maj@%" PRId64, k);
    add_row(f, b, name, n, samples, model);
}

static void add_tokens(struct sxt_frame *f, const struct bench *b,
                       const char *model)
{
    int64_t samples = 0;
    size_t n = 0;

    for (size_t i = 0; i < b->count; i++) {
        const struct sxt_item *t = b->item[i];
        if (t->samples == 0)
            continue;
        b->x[n++] = (double)t->tokens / (double)t->samples;
        samples += t->samples;
    }
    add_row(f, b, "mean_tokens", n, samples, model);
}

static void add_bench(struct sxt_frame *f, const struct bench *b,
                      bool have_tokens, const char *model)
{
    int64_t most = 0;

    for (size_t i = 0; i < b->count; i++)
        if (b->item[i]->samples > most)
            most = b->item[i]->samples;
    for (int64_t k = 1; k < most; k *= 2)
        add_pass_at(f, b, k, model);
    if (most > 0)
        add_pass_at(f, b, most, model);
    if (most > 1)
        add_majority(f, b, most, model);
    if (have_tokens)
        add_tokens(f, b, model);
}

static bool same_span(struct sxt_span a, struct sxt_span b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

struct sxt_frame *sxt_items_summary(const struct sxt_items *items,
                                    const struct sxt_problems *problems,
                                    const char *reference)
{
    struct sxt_frame *f = sxt_frame_create(sxt_summary_columns);
    size_t n, used = 0;
    struct sxt_span *source = sxt_problems_sources(problems, &n);
    struct bench b = { .item = sxt_alloc(items->count, sizeof(*b.item)),
                       .x = sxt_alloc(items->count, sizeof(*b.x)) };

    for (size_t s = 0; s <= n; s++) {
        bool all = s == n;
        b.source = all ? sxt_span("all") : source[s];
        b.count = 0;
        for (size_t i = 0; i < items->count; i++)
            if (all || same_span(source[s],
                                 sxt_problems_source(problems,
                                                     items->item[i].problem)))
                b.item[b.count++] = &items->item[i];
        used += !all && b.count > 0;
        if (b.count > 0 && (!all || used > 1))
            add_bench(f, &b, items->have_tokens, reference);
    }
    free(b.item);
    free(b.x);
    free(source);
    return f;
}

/* One problem has a value, but no spread. */
static void show(char text[32], double x)
{
    if (isnan(x))
        snprintf(text, 32, "-");
    else
        snprintf(text, 32, "%.2f", x);
}

void sxt_summary_print(const struct sxt_run *run, const struct sxt_frame *f)
{
    sxt_log(&run->log, SXT_LOG_INFO, "  %-20s %-12s %9s %8s  %-19s %8s  %s",
            "benchmark", "metric", "value", "stderr", "95 % interval",
            "problems", "published");
    for (size_t i = 0; i < sxt_frame_rows(f); i++) {
        struct sxt_span source = sxt_frame_text(f, SXT_SUMMARY_SOURCE, i);
        struct sxt_span metric = sxt_frame_text(f, SXT_SUMMARY_METRIC, i);
        struct sxt_span where =
            sxt_frame_text(f, SXT_SUMMARY_REFERENCE_SOURCE, i);
        bool share = metric.len > 0 && metric.data[0] != 'm';
        share = share || sxt_starts_with(metric.data, "maj");
        double scale = share ? 100 : 1;
        double reference = sxt_frame_f64(f, SXT_SUMMARY_REFERENCE, i);
        char published[32] = "", value[32], spread[32], low[32], high[32];
        if (!isnan(reference))
            snprintf(published, sizeof(published), "%.1f  ", 100 * reference);
        show(value, scale * sxt_frame_f64(f, SXT_SUMMARY_VALUE, i));
        show(spread, scale * sxt_frame_f64(f, SXT_SUMMARY_STDERR, i));
        show(low, scale * sxt_frame_f64(f, SXT_SUMMARY_CI_LOW, i));
        show(high, scale * sxt_frame_f64(f, SXT_SUMMARY_CI_HIGH, i));
        sxt_log(&run->log, SXT_LOG_INFO,
                "  %-20.*s %-12.*s %9s %8s  [%8s,%8s] %8" PRId64 "  %s%.*s",
                (int)source.len, source.data, (int)metric.len, metric.data,
                value, spread, low, high,
                sxt_frame_i64(f, SXT_SUMMARY_PROBLEMS, i), published,
                (int)where.len, where.data);
    }
}
