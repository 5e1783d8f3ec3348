/* attn_paged.c - attention of single tokens to the pages of a KV cache.
 *
 * The same mathematics as attn.c.  The positions 0 … pos are taken in splits
 * of SXT_ATTN_SPLIT; each split keeps (m, l, acc) = (max s, sum exp(s - m),
 * sum exp(s - m) v), and splits are merged in order, Dao et al., "Flash-
 * Decoding", 2023:
 *   M = max(m, m'),  l = l exp(m - M) + l' exp(m' - M),  acc likewise
 * Pages are looked up position by position, so neither their size nor their
 * place shows in the result. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "num/ref/ref.h"

struct part {
    double max, sum;
    double *acc; /* (d) */
};

/* First element of position p of token t's sequence in the caches. */
static size_t cache_at(const struct sxt_attn_paged *a, size_t t, size_t p,
                       size_t kv)
{
    size_t page = (size_t)a->seq[t] * a->max_blocks + p / a->block;
    size_t row = (size_t)a->block_table[page] * a->block + p % a->block;

    return (row * a->hk + kv) * a->d;
}

static double score(const struct sxt_attn_paged *a, size_t t, size_t h,
                    size_t p)
{
    size_t q = (t * (a->hq + 2 * a->hk) + h) * a->d;
    size_t k = cache_at(a, t, p, h / (a->hq / a->hk));
    double sum = 0;

    for (size_t c = 0; c < a->d; c++)
        sum += (double)sxt_load(a->qkv, a->type, q + c) *
               sxt_load(a->k_cache, a->type, k + c);
    return a->scale * sum;
}

static void attend_split(const struct sxt_attn_paged *a, size_t t, size_t h,
                         size_t first, size_t end, struct part *part)
{
    double s[SXT_ATTN_SPLIT];

    *part = (struct part){ -INFINITY, 0, part->acc };
    for (size_t p = first; p < end; p++) {
        s[p - first] = score(a, t, h, p);
        part->max = fmax(part->max, s[p - first]);
    }
    for (size_t c = 0; c < a->d; c++)
        part->acc[c] = 0;
    for (size_t p = first; p < end; p++) {
        double w = exp(s[p - first] - part->max);
        size_t v = cache_at(a, t, p, h / (a->hq / a->hk));
        part->sum += w;
        for (size_t c = 0; c < a->d; c++)
            part->acc[c] += w * sxt_load(a->v_cache, a->type, v + c);
    }
}

static void merge(struct part *all, const struct part *part, size_t d)
{
    double max = fmax(all->max, part->max);
    double old = exp(all->max - max), new = exp(part->max - max);

    all->max = max;
    all->sum = all->sum * old + part->sum * new;
    for (size_t c = 0; c < d; c++)
        all->acc[c] = all->acc[c] * old + part->acc[c] * new;
}

static void attend(const struct sxt_attn_paged *a, size_t t, size_t h,
                   double *scratch)
{
    size_t n = (size_t)a->pos[t] + 1;
    struct part all = { 0, 0, scratch }, part = { 0, 0, scratch + a->d };

    for (size_t first = 0; first < n; first += SXT_ATTN_SPLIT) {
        size_t end = first + SXT_ATTN_SPLIT < n ? first + SXT_ATTN_SPLIT : n;
        if (first == 0) {
            attend_split(a, t, h, first, end, &all);
        } else {
            attend_split(a, t, h, first, end, &part);
            merge(&all, &part, a->d);
        }
    }
    for (size_t c = 0; c < a->d; c++)
        sxt_store(a->o, a->type, (t * a->hq + h) * a->d + c,
                  (float)(all.acc[c] / all.sum));
}

void sxt_ref_attn_paged(struct sxt_num *num, const struct sxt_attn_paged *a)
{
#pragma omp parallel for collapse(2) num_threads(num->threads)
    for (size_t t = 0; t < a->t; t++) {
        for (size_t h = 0; h < a->hq; h++) {
            double *scratch = sxt_alloc(2 * a->d, sizeof(*scratch));
            attend(a, t, h, scratch);
            free(scratch);
        }
    }
}
