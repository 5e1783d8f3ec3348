/* gemv.c - one row by a matrix: bound by the speed of memory. */
#include "num/cpu/gemm.h"
#include "num/cpu/vec.h"

enum { GROUPS = 4, WIDTH = GROUPS * LANES }; /* columns side by side */

/* The chains of WIDTH columns over one step of four words. */
static inline void advance(v8f acc[GROUPS], const float *a,
                           const char *row[WIDTH], enum sxt_dtype type)
{
#pragma GCC unroll 4
    for (int group = 0; group < GROUPS; group++) {
        v8u word[4];
        v8_gather4(word, row + group * LANES);
#pragma GCC unroll 4
        for (int c = 0; c < 4; c++)
            if (type == SXT_F32) {
                acc[group] = v8_fma(v8_set(a[c]), (v8f)word[c], acc[group]);
            } else {
                acc[group] = v8_fma(v8_set(a[2 * c]), (v8f)(word[c] << 16),
                                    acc[group]);
                acc[group] = v8_fma(v8_set(a[2 * c + 1]),
                                    (v8f)(word[c] & 0xffff0000u), acc[group]);
            }
    }
}

static inline void columns(float *y, const float *a, const char *row[WIDTH],
                           size_t k, enum sxt_dtype type, size_t ahead)
{
    size_t step = 16 / sxt_dtype_size(type), i = 0;
    v8f acc[GROUPS] = { 0 };

    for (; i + step <= k; i += step) {
        if (i / step % 4 == 0)
            for (int j = 0; j < WIDTH; j++)
                __builtin_prefetch(row[j] + ahead, 0, 2);
        advance(acc, a + i, row, type);
        for (int j = 0; j < WIDTH; j++)
            row[j] += 16;
    }
    for (int group = 0; group < GROUPS; group++)
        v8_store(y + group * LANES, acc[group]);
    for (size_t c = 0; i + c < k; c++)
        for (int j = 0; j < WIDTH; j++)
            y[j] = __builtin_fmaf(a[i + c], sxt_load(row[j], type, c), y[j]);
}

void sxt_gemv(const struct sxt_gemm *g, const float *a, size_t j0, size_t j1)
{
    size_t row_bytes = g->ldb * sxt_dtype_size(g->type);

    for (size_t j = j0; j < j1; j += WIDTH) {
        size_t n = j1 - j < WIDTH ? j1 - j : WIDTH;
        const char *row[WIDTH];
        float y[WIDTH];
        for (size_t i = 0; i < WIDTH; i++)
            row[i] = (const char *)g->b + (j + (i < n ? i : n - 1)) * row_bytes;
        if (g->type == SXT_F32)
            columns(y, a, row, g->k, SXT_F32, WIDTH * row_bytes);
        else
            columns(y, a, row, g->k, SXT_BF16, WIDTH * row_bytes);
        sxt_gemm_finish(g, 0, j, n, y);
    }
}
