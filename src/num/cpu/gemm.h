/* gemm.h - the pieces of the cpu matrix product.
 *
 * Every element of C is one chain of fused multiply-adds over k ascending,
 * starting from zero.  Blocking only decides which chains run side by side,
 * and a chain that rests in memory between two blocks of k loses nothing, so
 * the bits depend neither on m, nor on threads, tiles or vector width. */
#ifndef SXT_NUM_CPU_GEMM_H
#define SXT_NUM_CPU_GEMM_H

#include "num/cpu/cpu.h"

enum {
    GEMM_TILE_V8 = 6, /* rows of a tile, 12 accumulators in registers */
    GEMM_TILE_V16 = 12,
    GEMM_PANEL = 16,     /* columns of B packed side by side */
    GEMM_DEPTH = 256,    /* k of a packed panel: 16 KB, half a level-1 cache */
    GEMM_MAX_ROWS = 192, /* rows of a packed block of A: 192 KB of level 2 */
    GEMM_MAX_COLS = 256  /* columns of a block of C */
};

/* acc (rows, 16) += a (rows, depth) by panel (depth, 16). */
struct sxt_tile {
    float *acc;
    const float *a, *panel;
    size_t ld_acc, ld_a; /* distances of rows */
    size_t rows, depth;
    size_t columns;   /* of the 16 that are of use: 8 may be left out */
    const char *from; /* where a, or what it was converted from, lies in memory;
                         NULL: in cache */
    size_t from_row, from_size; /* bytes between rows, and of a number */
};

/* The tile of the rows after the first n. */
static inline void sxt_tile_advance(struct sxt_tile *t, size_t n)
{
    n = n < t->rows ? n : t->rows;
    t->acc += n * t->ld_acc;
    t->a += n * t->ld_a;
    if (t->from)
        t->from += n * t->from_row;
    t->rows -= n;
}

sxt_gemm_tile sxt_gemm_tile_v8;
sxt_gemm_tile sxt_gemm_tile_v16; /* AVX-512 */

/* n numbers of either type as f32. */
void sxt_to_f32(float *to, const void *from, enum sxt_dtype type, size_t n);

/* A panel (depth, 16) whose columns are 16 rows in memory. */
void sxt_gemm_pack_rows(float *to, const char *const row[GEMM_PANEL],
                        enum sxt_dtype type, size_t depth);
/* One row of a panel from a row in memory, 0 from its column n on. */
void sxt_gemm_pack_columns(float *to, const char *row, size_t n,
                           enum sxt_dtype type);

/* op(A) (i0 … i0 + rows, k0 … k0 + depth) as f32, row distance GEMM_DEPTH. */
void sxt_gemm_pack_a(float *to, const struct sxt_gemm *g, size_t i0,
                     size_t rows, size_t k0, size_t depth);
/* op(B) (k0 … k0 + depth, j0 … j0 + 16) as f32 (depth, 16); columns from n
 * on are copies. */
void sxt_gemm_pack_b(float *to, const struct sxt_gemm *g, size_t k0,
                     size_t depth, size_t j0);

/* Columns j0 … j1 of C = A W^T for one row of A: streams W. */
void sxt_gemv(const struct sxt_gemm *g, const float *a, size_t j0, size_t j1);

/* A few rows of g's A by W in 8 or 4 bits: streams W. */
struct unpack_nf4; /* see unpack.h */
bool sxt_qgemv_takes(size_t m, const struct sxt_qmat *w);
void sxt_qgemv(struct sxt_num *num, const struct sxt_gemm *g,
               const struct sxt_qmat *w, const struct unpack_nf4 *nf4);

/* Up to 48 rows by W (n, k), with k so small that the panels of A fit. */
bool sxt_gemm_is_few(const struct sxt_gemm *g);
void sxt_gemm_few(struct sxt_num *num, const struct sxt_gemm *g);

/* C (i, j0 … j0 + n) from n finished sums: alpha, beta, bias, type. */
void sxt_gemm_finish(const struct sxt_gemm *g, size_t i, size_t j0, size_t n,
                     const float *acc);

#endif
