/* gemv.c - one row by a matrix: bound by the speed of memory. */
#include "num/cpu/gemm.h"
#include "num/cpu/vec.h"

/* Columns side by side: more need more addresses than there are registers. */
enum { GROUPS = 2, WIDTH = GROUPS * LANES };

/* The chains of 16 columns over one step of four words. */
static inline __attribute__((always_inline)) void advance(
    v8f acc[2], const float *a, const char *const row[2 * LANES], size_t byte,
    enum sxt_dtype type)
{
    v8u w[2][4];

    v8_gather4(w[0], row, byte);
    v8_gather4(w[1], row + LANES, byte);
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++)
        if (type == SXT_F32) {
            acc[0] = v8_fma(v8_set(a[c]), (v8f)w[0][c], acc[0]);
            acc[1] = v8_fma(v8_set(a[c]), (v8f)w[1][c], acc[1]);
        } else {
            v8f even = v8_set(a[2 * c]), odd = v8_set(a[2 * c + 1]);
            acc[0] = v8_fma(even, (v8f)(w[0][c] << 16), acc[0]);
            acc[1] = v8_fma(even, (v8f)(w[1][c] << 16), acc[1]);
            acc[0] = v8_fma(odd, (v8f)(w[0][c] & 0xffff0000u), acc[0]);
            acc[1] = v8_fma(odd, (v8f)(w[1][c] & 0xffff0000u), acc[1]);
        }
}

static inline void columns(float *y, const float *a,
                           const char *const row[WIDTH], size_t k,
                           enum sxt_dtype type, size_t ahead)
{
    size_t size = sxt_dtype_size(type), step = 16 / size, i = 0;
    v8f acc[GROUPS] = { 0 };

    for (; i + step <= k; i += step) {
        /* The next rows, in the order of memory. */
        for (size_t line = 0; line < WIDTH * 16; line += 64)
            __builtin_prefetch(row[0] + ahead + i * size * WIDTH + line, 0, 2);
        advance(acc, a + i, row, i * size, type);
    }
    for (int group = 0; group < GROUPS; group++)
        v8_store(y + group * LANES, acc[group]);
    for (; i < k; i++)
        for (int j = 0; j < WIDTH; j++)
            y[j] = __builtin_fmaf(a[i], sxt_load(row[j], type, i), y[j]);
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
