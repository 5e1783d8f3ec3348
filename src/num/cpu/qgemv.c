/* qgemv.c - a few rows by weights in 8 or 4 bits, which stream from memory.
 *
 * As in gemv.c, eight rows of W are the lanes of a vector, 16 bytes of each are
 * read at a time, and every element of C is one chain over k.  A weight is
 * unpacked once for all rows of A. */
#include <omp.h>

#include "num/cpu/gemm.h"
#include "num/cpu/vec.h"
#include "num/ref/nf4.h"

enum { FEW = 4, GROUPS = 2, WIDTH = GROUPS * LANES, STEP = 16, CHUNK = 64 };

bool sxt_qgemv_takes(size_t m, const struct sxt_qmat *w)
{
    return m <= FEW && m * w->k * sizeof(float) <= SXT_CPU_SCRATCH;
}

/* The work on WIDTH columns of C: acc += a W^T. */
struct sums {
    v8f of[FEW][GROUPS];
};

/* One weight of each of the columns, times number i of each row of A. */
static inline __attribute__((always_inline)) void add(struct sums *acc,
                                                      const float *a, size_t k,
                                                      size_t m, size_t i,
                                                      const v8f w[GROUPS])
{
#pragma GCC unroll 4
    for (size_t r = 0; r < m; r++) {
        v8f x = v8_set(a[r * k + i]);
        acc->of[r][0] = v8_fma(x, w[0], acc->of[r][0]);
        acc->of[r][1] = v8_fma(x, w[1], acc->of[r][1]);
    }
}

/* The 16 signed bytes of each column. */
static inline __attribute__((always_inline)) void add_int8(
    struct sums *acc, const float *a, size_t k, size_t m,
    const char *const row[WIDTH], size_t byte)
{
    v8u word[GROUPS][4];

    v8_gather4(word[0], row, byte);
    v8_gather4(word[1], row + LANES, byte);
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) {
#pragma GCC unroll 4
        for (int b = 0; b < 4; b++) {
            v8f w[GROUPS];
            for (int g = 0; g < GROUPS; g++)
                w[g] = __builtin_convertvector(
                    (v8i)(word[g][c] << (24 - 8 * b)) >> 24, v8f);
            add(acc, a, k, m, byte + (size_t)(4 * c + b), w);
        }
    }
}

/* The code that the low four bits of each lane name. */
static inline v8f decode(v8u index)
{
#ifdef __AVX2__
    __m256 low =
        _mm256_permutevar8x32_ps((__m256)v8_load(sxt_nf4_code), (__m256i)index);
    __m256 high = _mm256_permutevar8x32_ps((__m256)v8_load(sxt_nf4_code + 8),
                                           (__m256i)index);
    return (v8f)_mm256_blendv_ps(low, high, (__m256)(index << 28));
#else
    v8f x;

    for (int i = 0; i < LANES; i++)
        x[i] = sxt_nf4_code[index[i] & 15];
    return x;
#endif
}

/* The 32 codes of each column, which belong to one block. */
static inline __attribute__((always_inline)) void add_nf4(
    struct sums *acc, const float *a, size_t k, size_t m,
    const char *const row[WIDTH], size_t byte, const v8f max[GROUPS])
{
    v8u word[GROUPS][4];

    v8_gather4(word[0], row, byte);
    v8_gather4(word[1], row + LANES, byte);
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) {
#pragma GCC unroll 8
        for (int b = 0; b < 8; b++) {
            v8f w[GROUPS];
            for (int g = 0; g < GROUPS; g++)
                w[g] = decode(word[g][c] >> (4 * b)) * max[g];
            add(acc, a, k, m, 2 * byte + (size_t)(8 * c + b), w);
        }
    }
}

/* Maxima of block `block` of rows j0 … of W. */
static void read_maxima(v8f max[GROUPS], const struct sxt_qmat *w,
                        const size_t column[WIDTH], size_t block)
{
    size_t blocks = w->k / SXT_NF4_BLOCK;

    for (int i = 0; i < WIDTH; i++)
        max[i / LANES][i % LANES] =
            sxt_nf4_block_max(w, column[i] * blocks + block);
}

/* The next rows, in the order of memory, as these are read. */
static inline void prefetch(const char *first, size_t bytes, size_t byte)
{
    for (size_t line = 0; line < WIDTH * STEP; line += 64)
        __builtin_prefetch(first + WIDTH * (bytes + byte) + line, 0, 2);
}

static inline __attribute__((always_inline)) void columns(
    struct sums *sums, const struct sxt_qmat *w, const float *a, size_t m,
    const char *const row[WIDTH], const size_t column[WIDTH])
{
    struct sums in_registers = *sums, *acc = &in_registers;
    size_t i = 0;
    v8f max[GROUPS];

    if (w->format == SXT_NF4) {
        for (; i < w->k / 2; i += STEP) {
            if (i % (SXT_NF4_BLOCK / 2) == 0)
                read_maxima(max, w, column, i / (SXT_NF4_BLOCK / 2));
            prefetch(row[0], w->k / 2, i);
            add_nf4(acc, a, w->k, m, row, i, max);
        }
        *sums = in_registers;
        return;
    }
    for (; i + STEP <= w->k; i += STEP) {
        prefetch(row[0], w->k, i);
        add_int8(acc, a, w->k, m, row, i);
    }
    for (; i < w->k; i++) {
        v8f last[GROUPS];
        for (int c = 0; c < WIDTH; c++)
            last[c / LANES][c % LANES] = (float)((const int8_t *)row[c])[i];
        add(acc, a, w->k, m, i, last);
    }
    *sums = in_registers;
}

/* Columns j … j + n of C; every case of m is compiled apart. */
static void block(const struct sxt_gemm *g, const struct sxt_qmat *w,
                  const float *a, size_t j, size_t n)
{
    size_t bytes = w->format == SXT_NF4 ? w->k / 2 : w->k, column[WIDTH];
    const char *row[WIDTH];
    struct sums acc = { 0 };

    for (size_t i = 0; i < WIDTH; i++) {
        column[i] = j + (i < n ? i : n - 1);
        row[i] = (const char *)w->q + column[i] * bytes;
    }
    switch (g->m) {
    case 1:
        columns(&acc, w, a, 1, row, column);
        break;
    case 2:
        columns(&acc, w, a, 2, row, column);
        break;
    case 3:
        columns(&acc, w, a, 3, row, column);
        break;
    default:
        columns(&acc, w, a, FEW, row, column);
    }
    for (size_t r = 0; r < g->m; r++)
        for (size_t i = 0; i < n; i++) {
            float scale = w->format == SXT_INT8 ? w->scale[j + i] : 1;
            sxt_store(g->c, g->type, r * w->n + j + i,
                      acc.of[r][i / LANES][i % LANES] * scale);
        }
}

void sxt_qgemv(struct sxt_num *num, const struct sxt_gemm *g,
               const struct sxt_qmat *w)
{
    if (g->m == 0)
        return;
#pragma omp parallel num_threads(num->threads)
    {
        float *a = sxt_cpu_scratch(num, omp_get_thread_num());
        sxt_to_f32(a, g->a, g->type, g->m * w->k);
#pragma omp for schedule(dynamic)
        for (size_t j0 = 0; j0 < w->n; j0 += CHUNK)
            for (size_t j = j0; j < j0 + CHUNK && j < w->n; j += WIDTH)
                block(g, w, a, j, w->n - j < WIDTH ? w->n - j : WIDTH);
    }
}
