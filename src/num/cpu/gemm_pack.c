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

/* Store the four words of eight lanes, each one f32 or two bf16, as rows at
 * distance ld. */
static inline void put_words(float *to, size_t ld, const v8u word[4],
                             enum sxt_dtype type)
{
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++)
        if (type == SXT_F32) {
            v8_store(to + c * ld, (v8f)word[c]);
        } else {
            v8_store(to + 2 * c * ld, (v8f)(word[c] << 16));
            v8_store(to + (2 * c + 1) * ld, (v8f)(word[c] & 0xffff0000u));
        }
}

/* Rows of `to` from the columns of A stored (k, m): eight k at a time. */
static inline void turn_columns(float *to, const struct sxt_gemm *g, size_t i0,
                                size_t rows, size_t k0, size_t depth,
                                enum sxt_dtype type)
{
    size_t size = sxt_dtype_size(type), step = 16 / size, k = 0;

    for (; k + LANES <= depth; k += LANES) {
        const char *row[LANES];
        size_t i = 0;
        for (int j = 0; j < LANES; j++)
            row[j] = at(g->a, type, g->lda, k0 + k + j, i0);
        for (; i + step <= rows; i += step) {
            v8u word[4];
            v8_gather4(word, row, i * size);
            put_words(to + i * GEMM_DEPTH + k, GEMM_DEPTH, word, type);
        }
        for (; i < rows; i++)
            for (int j = 0; j < LANES; j++)
                to[i * GEMM_DEPTH + k + j] = sxt_load(row[j], type, i);
    }
    for (; k < depth; k++)
        for (size_t i = 0; i < rows; i++)
            to[i * GEMM_DEPTH + k] =
                sxt_load(at(g->a, type, g->lda, k0 + k, i0), type, i);
}

void sxt_gemm_pack_a(float *to, const struct sxt_gemm *g, size_t i0,
                     size_t rows, size_t k0, size_t depth)
{
    if (g->ta && g->type == SXT_F32)
        turn_columns(to, g, i0, rows, k0, depth, SXT_F32);
    else if (g->ta)
        turn_columns(to, g, i0, rows, k0, depth, SXT_BF16);
    else
        for (size_t i = 0; i < rows; i++)
            sxt_to_f32(to + i * GEMM_DEPTH,
                       at(g->a, g->type, g->lda, i0 + i, k0), g->type, depth);
}

/* Eight columns of a panel from eight rows of W (n, k). */
static inline void transpose(float *to, const char *const row[8],
                             enum sxt_dtype type, size_t depth)
{
    size_t size = sxt_dtype_size(type), step = 16 / size, k = 0;

    for (; k + step <= depth; k += step) {
        v8u word[4];
        v8_gather4(word, row, k * size);
        put_words(to + k * GEMM_PANEL, GEMM_PANEL, word, type);
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
    if (n >= GEMM_PANEL) {
        v8_store(to, v8_load_as(row, type, 0));
        v8_store(to + LANES, v8_load_as(row, type, LANES));
        return;
    }
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
