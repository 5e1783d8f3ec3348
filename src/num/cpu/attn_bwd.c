/* attn_bwd.c - gradients of packed attention.
 *
 * Dao, arXiv:2307.08691, section 3.1, in two passes that each make the weights
 * p = exp(s - lse) again: blocks of queries sum dq over the keys, blocks of
 * keys sum dk and dv over the queries of all heads of the group.  Seven
 * products instead of five, but no sum is shared between threads. */
#include <omp.h>
#include <stdlib.h>

#include "base/mem.h"
#include "num/cpu/attn.h"
#include "num/cpu/vec.h"

enum { WIDE = 128 }; /* queries that a block of keys meets at once */

struct work {
    float a[ATTN_BLOCK], b[ATTN_BLOCK]; /* the block's own rows, two kinds */
    float p[ATTN_BLOCK], ds[ATTN_BLOCK];
    float sum_a[ATTN_BLOCK], sum_b[ATTN_BLOCK]; /* gradients of a and b */
    float panel[GEMM_DEPTH * GEMM_PANEL];
    float lse[WIDE], delta[WIDE];
    struct sxt_rows own, x, y;
};
_Static_assert(sizeof(struct work) <= SXT_CPU_SCRATCH, "scratch");

/* Head vector h of token t in rows of `heads` vectors. */
static const char *head_at(const struct sxt_attn *a, const void *x, size_t t,
                           size_t heads, size_t h)
{
    return (const char *)x + (t * heads + h) * a->d * sxt_dtype_size(a->type);
}

/* `part` 0: the keys of tokens first … end - 1, 1: their values. */
static void point_keys(const struct sxt_attn *a, struct sxt_rows *rows,
                       size_t first, size_t end, size_t kv, size_t part)
{
    rows->n = end - first;
    rows->type = a->type;
    for (size_t i = 0; i < rows->n; i++)
        rows->at[i] = head_at(a, a->qkv, first + i, a->hq + 2 * a->hk,
                              a->hq + part * a->hk + kv);
}

/* The queries of a group of heads, token by token; x is qkv or d_o, in rows of
 * `heads` vectors. */
static void point_queries(const struct sxt_attn *a, struct sxt_rows *rows,
                          const void *x, size_t heads, size_t first, size_t end,
                          size_t kv)
{
    size_t group = a->hq / a->hk;

    rows->n = (end - first) * group;
    rows->type = a->type;
    for (size_t i = 0; i < rows->n; i++)
        rows->at[i] =
            head_at(a, x, first + i / group, heads, kv * group + i % group);
}

/* lse and delta of the same queries. */
static void load_stats(const struct sxt_attn *a, struct work *w,
                       const float *delta, size_t first, size_t end, size_t kv)
{
    size_t group = a->hq / a->hk, n = (end - first) * group;

    for (size_t i = 0; i < WIDE; i++) {
        size_t at = (first + i / group) * a->hq + kv * group + i % group;
        w->lse[i] = i < n ? a->lse[at] : 0;
        w->delta[i] = i < n ? delta[at] : 0;
    }
}

static void store_rows(const struct sxt_attn *a, const struct sxt_rows *like,
                       const float *x, float scale)
{
    for (size_t i = 0; i < like->n; i++) {
        char *to = (char *)a->dqkv + (like->at[i] - (const char *)a->qkv);
        for (size_t c = 0; c < a->d; c++)
            sxt_store(to, a->type, c, scale * x[i * ATTN_LD + c]);
    }
}

/* p and ds of one query row, from scores and d_o v; it sees n keys. */
static void row_of_query(struct work *w, size_t i, size_t n, size_t width)
{
    float *p = w->p + i * ATTN_LD, *ds = w->ds + i * ATTN_LD;

    for (size_t j = 0; j < n; j += LANES)
        v8_store(ds + j, v8_exp(v8_load(p + j) - w->lse[i]) *
                             (v8_load(ds + j) - w->delta[i]));
    for (size_t j = n; j < width; j++)
        ds[j] = 0;
}

/* The same for one key row; the queries before column `first` do not see it. */
static void row_of_key(struct work *w, size_t j, size_t first, size_t width)
{
    float *p = w->p + j * ATTN_LD, *ds = w->ds + j * ATTN_LD;

    for (size_t i = 0; i < width; i += LANES) {
        v8f weight = v8_exp(v8_load(p + i) - v8_load(w->lse + i));
        v8_store(p + i, weight);
        v8_store(ds + i, weight * (v8_load(ds + i) - v8_load(w->delta + i)));
    }
    for (size_t i = 0; i < first && i < width; i++)
        p[i] = ds[i] = 0;
}

/* dq of the queries of tokens first … end - 1 in the document from `start`. */
static void queries(const struct sxt_cpu *cpu, const struct sxt_attn *a,
                    struct work *w, const float *delta, size_t start,
                    size_t first, size_t end, size_t kv)
{
    size_t group = a->hq / a->hk;

    point_queries(a, &w->own, a->d_o, a->hq, first, end, kv);
    sxt_rows_load(w->b, &w->own, a->d, 1);
    point_queries(a, &w->own, a->qkv, a->hq + 2 * a->hk, first, end, kv);
    sxt_rows_load(w->a, &w->own, a->d, a->scale);
    load_stats(a, w, delta, first, end, kv);
    sxt_rows_clear(w->sum_a, w->own.n, a->d);
    for (size_t at = start; at < end; at += SXT_ATTN_SPLIT) {
        size_t stop = end < at + SXT_ATTN_SPLIT ? end : at + SXT_ATTN_SPLIT;
        point_keys(a, &w->x, at, stop, kv, 0);
        point_keys(a, &w->y, at, stop, kv, 1);
        sxt_rows_clear(w->p, w->own.n, w->x.n);
        sxt_rows_clear(w->ds, w->own.n, w->x.n);
        sxt_mul_nt(cpu, w->p, w->a, w->own.n, &w->x, a->d, w->panel);
        sxt_mul_nt(cpu, w->ds, w->b, w->own.n, &w->y, a->d, w->panel);
        for (size_t i = 0; i < w->own.n; i++) {
            size_t t = first + i / group, seen = t + 1 > at ? t + 1 - at : 0;
            row_of_query(w, i, seen < w->x.n ? seen : w->x.n, w->x.n);
        }
        sxt_mul_nn(cpu, w->sum_a, w->ds, w->own.n, &w->x, a->d, w->panel);
    }
    store_rows(a, &w->own, w->sum_a, a->scale);
}

/* dk and dv of tokens first … end - 1 in the document that ends at `stop`. */
static void keys(const struct sxt_cpu *cpu, const struct sxt_attn *a,
                 struct work *w, const float *delta, size_t first, size_t end,
                 size_t stop, size_t kv)
{
    size_t group = a->hq / a->hk, step = WIDE / group, n = end - first;

    point_keys(a, &w->own, first, end, kv, 1);
    sxt_rows_load(w->b, &w->own, a->d, 1);
    point_keys(a, &w->own, first, end, kv, 0);
    sxt_rows_load(w->a, &w->own, a->d, a->scale);
    sxt_rows_clear(w->sum_a, n, a->d);
    sxt_rows_clear(w->sum_b, n, a->d);
    for (size_t t = first; t < stop; t += step) {
        size_t last = t + step < stop ? t + step : stop;
        point_queries(a, &w->x, a->qkv, a->hq + 2 * a->hk, t, last, kv);
        point_queries(a, &w->y, a->d_o, a->hq, t, last, kv);
        load_stats(a, w, delta, t, last, kv);
        sxt_rows_clear(w->p, n, w->x.n);
        sxt_rows_clear(w->ds, n, w->x.n);
        sxt_mul_nt(cpu, w->p, w->a, n, &w->x, a->d, w->panel);
        sxt_mul_nt(cpu, w->ds, w->b, n, &w->y, a->d, w->panel);
        for (size_t j = 0; j < n; j++)
            row_of_key(w, j, first + j > t ? (first + j - t) * group : 0,
                       w->x.n);
        sxt_mul_nn(cpu, w->sum_b, w->p, n, &w->y, a->d, w->panel);
        sxt_mul_nn(cpu, w->sum_a, w->ds, n, &w->x, a->d, w->panel);
    }
    store_rows(a, &w->own, w->sum_a, a->scale);
    point_keys(a, &w->own, first, end, kv, 1);
    store_rows(a, &w->own, w->sum_b, 1);
}

/* delta (T, hq) = the dot products of d_o and o; the caller frees. */
static float *make_delta(const struct sxt_num *num, const struct sxt_attn *a)
{
    float *delta = sxt_alloc(a->t * a->hq, sizeof(*delta));

#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < a->t * a->hq; i++) {
        double sum = 0;
        for (size_t c = 0; c < a->d; c++)
            sum += sxt_load(a->d_o, a->type, i * a->d + c) *
                   sxt_load(a->o, a->type, i * a->d + c);
        delta[i] = (float)sum;
    }
    return delta;
}

/* One block of a document: pass 0 queries, pass 1 keys. */
static void one_block(const struct sxt_num *num, const struct sxt_attn *a,
                      const float *delta, const struct sxt_attn_block *b,
                      size_t kv, int pass)
{
    struct work *w = sxt_cpu_scratch(num, omp_get_thread_num());

    if (pass == 0)
        queries(sxt_cpu_of(num), a, w, delta, b->start, b->first, b->end, kv);
    else
        keys(sxt_cpu_of(num), a, w, delta, b->first, b->end, b->stop, kv);
}

void sxt_cpu_attn_bwd(struct sxt_num *num, const struct sxt_attn *a)
{
    size_t group = a->hq / a->hk;

    if (group > ATTN_ROWS || a->d > ATTN_LD) {
        sxt_ops_ref.attn_bwd(num, a);
        return;
    }
    float *delta = make_delta(num, a);
    for (int pass = 0; pass < 2; pass++) {
        size_t step = pass == 0 ? ATTN_ROWS / group : ATTN_ROWS, count;
        struct sxt_attn_block *block = sxt_attn_cut(a, step, &count);
#pragma omp parallel for schedule(dynamic) num_threads(num->threads)
        for (size_t i = 0; i < count * a->hk; i++)
            one_block(num, a, delta, &block[i / a->hk], i % a->hk, pass);
        free(block);
    }
    free(delta);
}
