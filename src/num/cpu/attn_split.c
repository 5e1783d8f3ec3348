/* attn_split.c - a block of queries by one split of the keys. */
#include "num/cpu/attn.h"

#include <math.h>

#include "num/cpu/vec.h"

static size_t padded(size_t n)
{
    return (n + GEMM_PANEL - 1) / GEMM_PANEL * GEMM_PANEL;
}

void sxt_rows_load(float *to, const struct sxt_rows *rows, size_t d,
                   float scale)
{
    for (size_t i = 0; i < rows->n; i++) {
        float *row = to + i * ATTN_LD;
        sxt_to_f32(row, rows->at[i], rows->type, d);
        for (size_t c = 0; c < d; c++)
            row[c] *= scale;
    }
}

void sxt_rows_clear(float *y, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++)
        memset(y + i * ATTN_LD, 0, padded(width) * sizeof(*y));
}

static void tiles(const struct sxt_cpu *cpu, float *y, const float *a, size_t n,
                  const float *panel, size_t depth)
{
    cpu->tile(&(struct sxt_tile){ .acc = y,
                                  .ld_acc = ATTN_LD,
                                  .a = a,
                                  .ld_a = ATTN_LD,
                                  .panel = panel,
                                  .columns = GEMM_PANEL,
                                  .rows = n,
                                  .depth = depth });
}

void sxt_mul_nt(const struct sxt_cpu *cpu, float *y, const float *a, size_t n,
                const struct sxt_rows *b, size_t d, float *panel)
{
    for (size_t j = 0; j < b->n; j += GEMM_PANEL) {
        const char *row[GEMM_PANEL];
        for (size_t i = 0; i < GEMM_PANEL; i++)
            row[i] = b->at[j + i < b->n ? j + i : b->n - 1];
        sxt_gemm_pack_rows(panel, row, b->type, d);
        tiles(cpu, y + j, a, n, panel, d);
    }
}

void sxt_mul_nn(const struct sxt_cpu *cpu, float *y, const float *a, size_t n,
                const struct sxt_rows *b, size_t d, float *panel)
{
    size_t size = sxt_dtype_size(b->type);

    for (size_t c = 0; c < d; c += GEMM_PANEL) {
        for (size_t i = 0; i < b->n; i++)
            sxt_gemm_pack_columns(panel + i * GEMM_PANEL, b->at[i] + c * size,
                                  d - c, b->type);
        tiles(cpu, y + c, a, n, panel, b->n);
    }
}

/* Scores to weights exp(s - max), 0 from position n on; returns their sum. */
static float soften(float *s, size_t n, size_t width, float *max)
{
    v8f top = v8_set(-INFINITY), sum = v8_set(0);

    for (size_t j = n; j < width; j++)
        s[j] = -INFINITY;
    for (size_t j = 0; j < width; j += LANES)
        top = v8_max(v8_load(s + j), top);
    *max = v8_max_lane(top);
    for (size_t j = 0; j < width; j += LANES) {
        v8f p = v8_exp(v8_load(s + j) - *max);
        v8_store(s + j, p);
        sum += p;
    }
    return v8_sum(sum);
}

/* o, max and sum of row i take in a part with its own max and sum. */
static void merge(struct sxt_attn_work *w, size_t i, float max, float sum)
{
    float both = w->max[i] > max ? w->max[i] : max;
    float before = expf(w->max[i] - both), now = expf(max - both);
    float *o = w->o + i * ATTN_LD, *part = w->part + i * ATTN_LD;

    w->max[i] = both;
    w->sum[i] = w->sum[i] * before + sum * now;
    for (size_t c = 0; c < w->d; c++)
        o[c] = o[c] * before + part[c] * now;
}

void sxt_attn_split(const struct sxt_cpu *cpu, struct sxt_attn_work *w,
                    size_t first)
{
    size_t width = padded(w->k.n);
    float max[ATTN_ROWS], sum[ATTN_ROWS];
    float *out = first == 0 ? w->o : w->part;

    sxt_rows_clear(w->s, w->n, w->k.n);
    sxt_mul_nt(cpu, w->s, w->q, w->n, &w->k, w->d, w->panel);
    for (size_t i = 0; i < w->n; i++) {
        size_t seen = w->seen[i] > first ? w->seen[i] - first : 0;
        sum[i] = soften(w->s + i * ATTN_LD, seen < w->k.n ? seen : w->k.n,
                        width, &max[i]);
    }
    sxt_rows_clear(out, w->n, w->d);
    sxt_mul_nn(cpu, out, w->s, w->n, &w->v, w->d, w->panel);
    for (size_t i = 0; i < w->n; i++) {
        if (first == 0) {
            w->max[i] = max[i];
            w->sum[i] = sum[i];
        } else if (w->seen[i] > first) {
            merge(w, i, max[i], sum[i]);
        }
    }
}

void sxt_attn_finish(const struct sxt_attn_work *w, size_t i, void *o,
                     enum sxt_dtype type)
{
    for (size_t c = 0; c < w->d; c++)
        sxt_store(o, type, c, w->o[i * ATTN_LD + c] / w->sum[i]);
}
