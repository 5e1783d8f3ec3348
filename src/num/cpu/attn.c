/* attn.c - forward attention: packed documents, and the pages of a cache. */
#include "num/cpu/attn.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "base/mem.h"

_Static_assert(sizeof(struct sxt_attn_work) <= SXT_CPU_SCRATCH, "scratch");

struct sxt_attn_block *sxt_attn_cut(const struct sxt_attn *a, size_t step,
                                    size_t *count)
{
    struct sxt_attn_block *block =
        sxt_alloc(a->t / step + a->n_docs + 1, sizeof(*block));

    *count = 0;
    for (size_t doc = 0; doc < a->n_docs; doc++) {
        size_t start = (size_t)a->cu_seqlens[doc];
        size_t stop = (size_t)a->cu_seqlens[doc + 1];
        for (size_t first = start; first < stop; first += step)
            block[(*count)++] = (struct sxt_attn_block){
                start, first, first + step < stop ? first + step : stop, stop
            };
    }
    return block;
}

/* Head vector h of token t in a row of `heads` vectors. */
static const char *head_at(const void *x, size_t t, size_t heads, size_t h,
                           size_t d, enum sxt_dtype type)
{
    return (const char *)x + (t * heads + h) * d * sxt_dtype_size(type);
}

static void attend(const struct sxt_cpu *cpu, const struct sxt_attn *a,
                   const struct sxt_attn_block *block, size_t kv,
                   struct sxt_attn_work *w)
{
    size_t group = a->hq / a->hk, heads = a->hq + 2 * a->hk;
    struct sxt_rows *q = &w->k; /* until the keys need it */

    w->d = a->d;
    w->n = q->n = (block->end - block->first) * group;
    q->type = w->v.type = a->type;
    for (size_t i = 0; i < w->n; i++) {
        size_t t = block->first + i / group;
        q->at[i] =
            head_at(a->qkv, t, heads, kv * group + i % group, a->d, a->type);
        w->seen[i] = t - block->start + 1;
    }
    sxt_rows_load(w->q, q, a->d, a->scale);
    for (size_t at = block->start; at < block->end; at += SXT_ATTN_SPLIT) {
        size_t left = block->end - at;
        w->k.n = w->v.n = left < SXT_ATTN_SPLIT ? left : SXT_ATTN_SPLIT;
        for (size_t j = 0; j < w->k.n; j++) {
            w->k.at[j] =
                head_at(a->qkv, at + j, heads, a->hq + kv, a->d, a->type);
            w->v.at[j] = head_at(a->qkv, at + j, heads, a->hq + a->hk + kv,
                                 a->d, a->type);
        }
        sxt_attn_split(cpu, w, at - block->start);
    }
    for (size_t i = 0; i < w->n; i++) {
        size_t t = block->first + i / group, h = kv * group + i % group;
        sxt_attn_finish(w, i, (char *)head_at(a->o, t, a->hq, h, a->d, a->type),
                        a->type);
        if (a->lse)
            a->lse[t * a->hq + h] = w->max[i] + logf(w->sum[i]);
    }
}

void sxt_cpu_attn(struct sxt_num *num, const struct sxt_attn *a)
{
    size_t group = a->hq / a->hk, count;

    if (group > ATTN_ROWS || a->d > ATTN_LD) {
        sxt_ops_ref.attn(num, a);
        return;
    }
    struct sxt_attn_block *block = sxt_attn_cut(a, ATTN_ROWS / group, &count);
#pragma omp parallel for schedule(dynamic) num_threads(num->threads)
    for (size_t i = 0; i < count * a->hk; i++)
        attend(sxt_cpu_of(num), a, &block[count - 1 - i / a->hk], i % a->hk,
               sxt_cpu_scratch(num, omp_get_thread_num()));
    free(block);
}

/* Runs of tokens of one sequence at ascending positions; the caller frees. */
static struct sxt_attn_block *cut_tokens(const struct sxt_attn_paged *a,
                                         size_t step, size_t *count)
{
    struct sxt_attn_block *block = sxt_alloc(a->t, sizeof(*block));

    *count = 0;
    for (size_t t = 0, end; t < a->t; t = end) {
        end = t + 1;
        while (end < a->t && end - t < step && a->seq[end] == a->seq[t] &&
               a->pos[end] > a->pos[end - 1])
            end++;
        block[(*count)++] = (struct sxt_attn_block){ 0, t, end, end };
    }
    return block;
}

/* Where positions first … first + n - 1 of a sequence lie in the caches. */
static void find_pages(const struct sxt_attn_paged *a, size_t seq, size_t kv,
                       size_t first, size_t n, struct sxt_attn_work *w)
{
    w->k.n = w->v.n = n;
    for (size_t j = 0; j < n; j++) {
        size_t p = first + j;
        size_t page =
            (size_t)a->block_table[seq * a->max_blocks + p / a->block];
        size_t row = page * a->block + p % a->block;
        w->k.at[j] = head_at(a->k_cache, row, a->hk, kv, a->d, a->type);
        w->v.at[j] = head_at(a->v_cache, row, a->hk, kv, a->d, a->type);
    }
}

static void attend_paged(const struct sxt_cpu *cpu,
                         const struct sxt_attn_paged *a,
                         const struct sxt_attn_block *block, size_t kv,
                         struct sxt_attn_work *w)
{
    size_t group = a->hq / a->hk, heads = a->hq + 2 * a->hk;
    size_t length = (size_t)a->pos[block->end - 1] + 1;
    struct sxt_rows *q = &w->k; /* until the keys need it */

    w->d = a->d;
    w->n = q->n = (block->end - block->first) * group;
    q->type = w->v.type = a->type;
    for (size_t i = 0; i < w->n; i++) {
        size_t t = block->first + i / group;
        q->at[i] =
            head_at(a->qkv, t, heads, kv * group + i % group, a->d, a->type);
        w->seen[i] = (size_t)a->pos[t] + 1;
    }
    sxt_rows_load(w->q, q, a->d, a->scale);
    for (size_t at = 0; at < length; at += SXT_ATTN_SPLIT) {
        size_t left = length - at;
        find_pages(a, (size_t)a->seq[block->first], kv, at,
                   left < SXT_ATTN_SPLIT ? left : SXT_ATTN_SPLIT, w);
        sxt_attn_split(cpu, w, at);
    }
    for (size_t i = 0; i < w->n; i++)
        sxt_attn_finish(w, i,
                        (char *)head_at(a->o, block->first + i / group, a->hq,
                                        kv * group + i % group, a->d, a->type),
                        a->type);
}

void sxt_cpu_attn_paged(struct sxt_num *num, const struct sxt_attn_paged *a)
{
    size_t group = a->hq / a->hk, count;

    if (group > ATTN_ROWS || a->d > ATTN_LD) {
        sxt_ops_ref.attn_paged(num, a);
        return;
    }
    struct sxt_attn_block *block = cut_tokens(a, ATTN_ROWS / group, &count);
#pragma omp parallel for schedule(dynamic) num_threads(num->threads)
    for (size_t i = 0; i < count * a->hk; i++)
        attend_paged(sxt_cpu_of(num), a, &block[i / a->hk], i % a->hk,
                     sxt_cpu_scratch(num, omp_get_thread_num()));
    free(block);
}
