/* gemm_pack.c - blocks of the operands, converted to f32 and laid out for the
 * inner loop. */
#include "num/cpu/gemm.h"
#include "num/cpu/vec.h"

/* Element (i, k) of a stored matrix. */
static inline const char *at(const void *x, enum sxt_dtype type, size_t ld,
                             size_t i, size_t k)
{
    return (const char *)x + (i * ld + k) * sxt_dtype_size(type);
}

void sxt_to_f32(float *to, const void *from, enum sxt_dtype type, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        v8_store(to + i, v8_load_as(from, type, i));
    for (; i < n; i++)
        to[i] = sxt_load(from, type, i);
}

void sxt_gemm_pack_a(float *to, const struct sxt_gemm *g, size_t i0,
                     size_t rows, size_t k0, size_t depth)
{
    if (!g->ta) {
        for (size_t i = 0; i < rows; i++)
            sxt_to_f32(to + i * GEMM_DEPTH,
                       at(g->a, g->type, g->lda, i0 + i, k0), g->type, depth);
        return;
    }
    for (size_t k = 0; k < depth; k++) {
        const char *from = at(g->a, g->type, g->lda, k0 + k, i0);
        for (size_t i = 0; i < rows; i++)
            to[i * GEMM_DEPTH + k] = sxt_load(from, g->type, i);
    }
}

/* Store the four words of eight columns: each is one f32 or two bf16. */
static inline void put_words(float *to, const v8u word[4], enum sxt_dtype type)
{
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++)
        if (type == SXT_F32) {
            v8_store(to + c * GEMM_PANEL, (v8f)word[c]);
        } else {
            v8_store(to + 2 * c * GEMM_PANEL, (v8f)(word[c] << 16));
            v8_store(to + (2 * c + 1) * GEMM_PANEL,
                     (v8f)(word[c] & 0xffff0000u));
        }
}

/* Eight columns of a panel from eight rows of W (n, k). */
static inline void transpose(float *to, const char *const row[8],
                             enum sxt_dtype type, size_t depth)
{
    size_t size = sxt_dtype_size(type), step = 16 / size, k = 0;

    for (; k + step <= depth; k += step) {
        v8u word[4];
        v8_gather4(word, row, k * size);
        put_words(to + k * GEMM_PANEL, word, type);
    }
    for (; k < depth; k++)
        for (int j = 0; j < LANES; j++)
            to[k * GEMM_PANEL + j] = sxt_load(row[j], type, k);
}

void sxt_gemm_pack_rows(float *to, const char *const row[GEMM_PANEL],
                        enum sxt_dtype type, size_t depth)
{
    for (size_t half = 0; half < GEMM_PANEL; half += LANES)
        if (type == SXT_F32)
            transpose(to + half, row + half, SXT_F32, depth);
        else
            transpose(to + half, row + half, SXT_BF16, depth);
}

void sxt_gemm_pack_columns(float *to, const char *row, size_t n,
                           enum sxt_dtype type)
{
    n = n < GEMM_PANEL ? n : GEMM_PANEL;
    sxt_to_f32(to, row, type, n);
    for (size_t j = n; j < GEMM_PANEL; j++)
        to[j] = 0;
}

void sxt_gemm_pack_b(float *to, const struct sxt_gemm *g, size_t k0,
                     size_t depth, size_t j0)
{
    const char *row[GEMM_PANEL];

    if (!g->tb) {
        for (size_t k = 0; k < depth; k++)
            sxt_gemm_pack_columns(to + k * GEMM_PANEL,
                                  at(g->b, g->type, g->ldb, k0 + k, j0),
                                  g->n - j0, g->type);
        return;
    }
    for (size_t j = 0; j < GEMM_PANEL; j++) {
        size_t column = j0 + j < g->n ? j0 + j : g->n - 1;
        row[j] = at(g->b, g->type, g->ldb, column, k0);
    }
    sxt_gemm_pack_rows(to, row, g->type, depth);
}
