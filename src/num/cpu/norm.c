/* norm.c - residual addition and root-mean-square normalisation. */
#include <math.h>
#include <omp.h>

#include "num/cpu/cpu.h"
#include "num/cpu/vec.h"

/* r += x, and the sum of squares of the stored r. */
static inline __attribute__((always_inline)) float add_and_square(
    void *r, const void *x, size_t at, size_t h, enum sxt_dtype type)
{
    v8f sum = v8_set(0);
    float rest = 0;
    size_t c = 0;

    for (; c + LANES <= h; c += LANES) {
        v8f v = v8_load_as(r, type, at + c);
        if (x) {
            v8_store_as(r, type, at + c, v + v8_load_as(x, type, at + c));
            v = v8_load_as(r, type, at + c);
        }
        sum = v8_fma(v, v, sum);
    }
    for (; c < h; c++) {
        float v = sxt_load(r, type, at + c);
        if (x) {
            sxt_store(r, type, at + c, v + sxt_load(x, type, at + c));
            v = sxt_load(r, type, at + c);
        }
        rest += v * v;
    }
    return v8_sum(sum) + rest;
}

static inline __attribute__((always_inline)) void scale_row(
    void *y, const void *r, const void *w, float s, size_t at, size_t h,
    enum sxt_dtype type)
{
    size_t c = 0;

    for (; c + LANES <= h; c += LANES)
        v8_store_as(y, type, at + c,
                    s * v8_load_as(w, type, c) * v8_load_as(r, type, at + c));
    for (; c < h; c++)
        sxt_store(y, type, at + c,
                  s * sxt_load(w, type, c) * sxt_load(r, type, at + c));
}

/* Returns 1 / sqrt(mean + eps). */
static inline __attribute__((always_inline)) float norm_row(
    void *y, void *r, const void *x, const void *w, size_t at, size_t h,
    float eps, enum sxt_dtype type)
{
    float squares = add_and_square(r, x, at, h, type);
    float s = 1 / sqrtf(squares / (float)h + eps);

    scale_row(y, r, w, s, at, h, type);
    return s;
}

void sxt_cpu_add_rmsnorm(struct sxt_num *num, void *y, float *rstd, void *r,
                         const void *x, const void *w, size_t t, size_t h,
                         float eps, enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < t; i++) {
        float s = type == SXT_F32
                      ? norm_row(y, r, x, w, i * h, h, eps, SXT_F32)
                      : norm_row(y, r, x, w, i * h, h, eps, SXT_BF16);
        if (rstd)
            rstd[i] = s;
    }
}

/* sum_c w_c dy_c r_c of one row. */
static inline __attribute__((always_inline)) float weighted_dot(
    const void *dy, const void *r, const void *w, size_t at, size_t h,
    enum sxt_dtype type)
{
    v8f sum = v8_set(0);
    float rest = 0;
    size_t c = 0;

    for (; c + LANES <= h; c += LANES)
        sum = v8_fma(v8_load_as(w, type, c) * v8_load_as(dy, type, at + c),
                     v8_load_as(r, type, at + c), sum);
    for (; c < h; c++)
        rest += sxt_load(w, type, c) * sxt_load(dy, type, at + c) *
                sxt_load(r, type, at + c);
    return v8_sum(sum) + rest;
}

static inline __attribute__((always_inline)) void add_dr(
    void *dr, const void *dy, const void *r, const void *w, float s, size_t at,
    size_t h, enum sxt_dtype type)
{
    float dot = weighted_dot(dy, r, w, at, h, type) * s * s * s / (float)h;
    size_t c = 0;

    for (; c + LANES <= h; c += LANES) {
        v8f d = s * v8_load_as(w, type, c) * v8_load_as(dy, type, at + c) -
                dot * v8_load_as(r, type, at + c);
        v8_store_as(dr, type, at + c, v8_load_as(dr, type, at + c) + d);
    }
    for (; c < h; c++) {
        float d = s * sxt_load(w, type, c) * sxt_load(dy, type, at + c) -
                  dot * sxt_load(r, type, at + c);
        sxt_store(dr, type, at + c, sxt_load(dr, type, at + c) + d);
    }
}

/* dw of columns c0 … c1: over the tokens in f64, for they may be many. */
static inline __attribute__((always_inline)) void add_dw(
    float *dw, const void *dy, const void *r, const float *rstd, size_t t,
    size_t h, size_t c0, size_t c1, enum sxt_dtype type)
{
    double sum[64] = { 0 };

    for (size_t i = 0; i < t; i++)
#pragma omp simd
        for (size_t c = c0; c < c1; c++)
            sum[c - c0] += sxt_load(dy, type, i * h + c) *
                           sxt_load(r, type, i * h + c) * rstd[i];
    for (size_t c = c0; c < c1; c++)
        dw[c] = (float)(dw[c] + sum[c - c0]);
}

void sxt_cpu_rmsnorm_bwd(struct sxt_num *num, void *dr, float *dw,
                         const void *dy, const void *r, const void *w,
                         const float *rstd, size_t t, size_t h,
                         enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t c = 0; c < h; c += 64) {
        size_t end = c + 64 < h ? c + 64 : h;
        if (type == SXT_F32)
            add_dw(dw, dy, r, rstd, t, h, c, end, SXT_F32);
        else
            add_dw(dw, dy, r, rstd, t, h, c, end, SXT_BF16);
    }
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < t; i++)
        if (type == SXT_F32)
            add_dr(dr, dy, r, w, rstd[i], i * h, h, SXT_F32);
        else
            add_dr(dr, dy, r, w, rstd[i], i * h, h, SXT_BF16);
}
