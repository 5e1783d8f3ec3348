/* sample.c - draw the next token of each row: ref's choice, to the bit.
 *
 * Both decide by the arithmetic of choice.h.  What is saved: only tokens near
 * the best one are ranked, Gumbel noise is drawn only for tokens that it can
 * lift to the top, and log probabilities are vectorised. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "num/choice.h"
#include "num/cpu/cpu.h"
#include "num/cpu/vec.h"

/* Ranks rarely go further below the best logit. */
static const double near = 8;
/* No 53-bit u below 1 gives more noise. */
static const double most_noise = 36.75;

struct candidate {
    double logit;
    int32_t id;
};

/* A row at work.  logit (vocab): scaled; -infinity where forbidden. */
struct row {
    const struct sxt_sample_row *set;
    size_t vocab, n_allowed;
    double *logit;
    struct candidate *list; /* (vocab): the ranked or the kept */
    double max;
};

static bool allowed(const struct sxt_sample *s, size_t id)
{
    return !s->allowed || (s->allowed[id / 64] >> id % 64 & 1);
}

/* Logits without NaN and forbidden tokens; counts the allowed ones. */
static void collect(const struct sxt_sample *s, const float *x, struct row *r)
{
    for (size_t id = 0; id < s->vocab; id++)
        r->logit[id] = isnan(x[id]) ? -INFINITY : x[id];
    r->n_allowed = s->vocab;
    for (size_t id = 0; s->allowed && id < s->vocab; id++)
        if (!allowed(s, id)) {
            r->logit[id] = -INFINITY;
            r->n_allowed--;
        }
}

static void penalise(struct row *r)
{
    const struct sxt_sample_row *set = r->set;

    if (set->repetition_penalty == 1 || set->n_seen == 0)
        return;
    bool *seen = sxt_calloc(r->vocab, sizeof(*seen));
    for (size_t i = 0; i < set->n_seen; i++) {
        size_t id = (size_t)set->seen[i];
        if (set->seen[i] < 0 || id >= r->vocab || seen[id])
            continue;
        seen[id] = true;
        if (r->logit[id] > 0)
            r->logit[id] /= set->repetition_penalty;
        else
            r->logit[id] *= set->repetition_penalty;
    }
    free(seen);
}

/* The best logit, and the lowest allowed id that has it. */
static int32_t highest(const struct sxt_sample *s, struct row *r)
{
    size_t id = 0;

    r->max = -INFINITY;
    for (size_t i = 0; i < r->vocab; i++)
        r->max = r->logit[i] > r->max ? r->logit[i] : r->max;
    while (r->logit[id] != r->max || !allowed(s, id))
        id++;
    return (int32_t)id;
}

static int by_rank(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->logit != y->logit)
        return x->logit > y->logit ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Rank the tokens whose logits are at least `lowest`; returns their number. */
static size_t rank(struct row *r, double lowest)
{
    size_t n = 0;

    for (size_t id = 0; id < r->vocab; id++)
        if (r->logit[id] >= lowest)
            r->list[n++] = (struct candidate){ r->logit[id], (int32_t)id };
    qsort(r->list, n, sizeof(*r->list), by_rank);
    return n;
}

/* Ranks that top-p and min-p keep of the first n; n if none falls. */
static size_t cut(const struct row *r, size_t n, uint64_t limit)
{
    double lowest = r->max - sxt_choice_depth(r->set->min_p);
    uint64_t before = 0;
    size_t keep = 0;

    for (; keep < n; keep++) {
        double logit = r->list[keep].logit;
        if (logit < lowest || before >= limit)
            break;
        before += sxt_choice_mass(logit - r->max);
    }
    return keep;
}

/* The mass of the first n of the list, or of all tokens, that top-p keeps. */
static uint64_t limit(const struct row *r, bool all, size_t n)
{
    uint64_t sum = 0;

    if (r->set->top_p >= 1)
        return UINT64_MAX;
    for (size_t id = 0; all && id < r->vocab; id++)
        sum += sxt_choice_mass(r->logit[id] - r->max);
    for (size_t i = 0; !all && i < n; i++)
        sum += sxt_choice_mass(r->list[i].logit - r->max);
    return sxt_choice_limit(r->set->top_p, sum);
}

/* The kept tokens to r->list, best first; returns their number. */
static size_t filter(struct row *r)
{
    const struct sxt_sample_row *set = r->set;
    bool top_k = set->top_k > 0 && (size_t)set->top_k < r->n_allowed;
    bool cuts = set->top_p < 1 || set->min_p > 0;
    size_t ranked = rank(r, r->max - near), n = ranked;

    if (top_k && ranked < (size_t)set->top_k)
        n = ranked = rank(r, -INFINITY);
    if (top_k)
        n = (size_t)set->top_k;
    if (!cuts)
        return n;
    uint64_t enough = limit(r, !top_k, n);
    size_t keep = cut(r, n, enough);
    if (keep == ranked && !top_k) /* more may belong to them */
        keep = cut(r, rank(r, -INFINITY), enough);
    return keep;
}

static int32_t draw(const struct row *r, size_t n)
{
    struct sxt_rng rng = { r->set->seed, r->set->stream };
    struct candidate best = { -INFINITY, r->list[0].id };

    for (size_t i = 0; i < n; i++) {
        struct candidate c = r->list[i];
        if (c.logit + most_noise < best.logit)
            continue;
        double u =
            sxt_rng_uniform(rng, r->set->index * r->vocab + (uint64_t)c.id);
        double key = c.logit + sxt_choice_noise(u);
        if (key > best.logit || (key == best.logit && c.id < best.id))
            best = (struct candidate){ key, c.id };
    }
    return best.id;
}

static int32_t choose(const struct sxt_sample *s, const float *x, struct row *r)
{
    const struct sxt_sample_row *set = r->set;
    size_t n = r->vocab;

    collect(s, x, r);
    SXT_CHECK(r->n_allowed > 0);
    penalise(r);
    int32_t best = highest(s, r);
    if (set->temperature == 0 || !isfinite(r->max))
        return best;
    for (size_t id = 0; id < r->vocab; id++)
        r->logit[id] /= set->temperature;
    r->max /= set->temperature;
    if (set->top_k > 0 || set->top_p < 1 || set->min_p > 0)
        n = filter(r);
    else
        for (size_t id = 0; id < n; id++)
            r->list[id] = (struct candidate){ r->logit[id], (int32_t)id };
    return draw(r, n);
}

void sxt_cpu_sample(struct sxt_num *num, const struct sxt_sample *s)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < s->rows; i++) {
        const float *x = s->logits + i * s->ld;
        struct row r = { .set = &s->row[i],
                         .vocab = s->vocab,
                         .logit = sxt_alloc(s->vocab, sizeof(*r.logit)),
                         .list = sxt_alloc(s->vocab, sizeof(*r.list)) };

        s->id[i] = choose(s, x, &r);
        s->logprob[i] = x[s->id[i]] - sxt_cpu_log_sum_exp(x, s->vocab);
        free(r.logit);
        free(r.list);
    }
}
