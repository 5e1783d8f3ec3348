/* attn.h - the pieces that the attention kernels share.
 *
 * A block of query rows meets the keys in splits of SXT_ATTN_SPLIT positions
 * from the first of the document on.  Scores, weights and sums of a row are
 * chains of their own, so neither the other rows of the block nor the place of
 * the keys in memory show in its bits; packed and paged attention agree. */
#ifndef SXT_NUM_CPU_ATTN_H
#define SXT_NUM_CPU_ATTN_H

#include "num/cpu/gemm.h"

enum {
    ATTN_ROWS = 64,                     /* query rows of a block */
    ATTN_LD = GEMM_DEPTH,               /* distance of rows in a block */
    ATTN_BLOCK = ATTN_ROWS * GEMM_DEPTH /* numbers in a block */
};

/* Rows of d numbers somewhere in memory. */
struct sxt_rows {
    const char *at[SXT_ATTN_SPLIT];
    size_t n;
    enum sxt_dtype type;
};

/* A thread's working memory for forward attention, in its scratch. */
struct sxt_attn_work {
    float q[ATTN_BLOCK], s[ATTN_BLOCK], part[ATTN_BLOCK], o[ATTN_BLOCK];
    float panel[GEMM_DEPTH * GEMM_PANEL];
    float max[ATTN_ROWS], sum[ATTN_ROWS];
    size_t seen[ATTN_ROWS]; /* positions of the whole document that a row
                               sees */
    struct sxt_rows k, v;
    size_t n, d; /* rows, width of a head */
};

/* Tokens first … end - 1 of the document start … stop - 1. */
struct sxt_attn_block {
    size_t start, first, end, stop;
};

/* Cut the documents of a packed batch into blocks of at most `step` tokens;
 * the caller frees. */
struct sxt_attn_block *sxt_attn_cut(const struct sxt_attn *a, size_t step,
                                    size_t *count);

/* to (rows->n, d; distance ATTN_LD) = scale times the rows. */
void sxt_rows_load(float *to, const struct sxt_rows *rows, size_t d,
                   float scale);
/* y (n, b->n) += a (n, d) b^T;  y (n, d) += a (n, b->n) b.  Distances
 * ATTN_LD; columns up to the next multiple of 16 are written. */
void sxt_mul_nt(const struct sxt_cpu *cpu, float *y, const float *a, size_t n,
                const struct sxt_rows *b, size_t d, float *panel);
void sxt_mul_nn(const struct sxt_cpu *cpu, float *y, const float *a, size_t n,
                const struct sxt_rows *b, size_t d, float *panel);
/* Rows of zeros, `width` rounded up to 16. */
void sxt_rows_clear(float *y, size_t n, size_t width);

/* Take w->q to the keys and values w->k, w->v at positions first … of the
 * document; first ascends in steps of SXT_ATTN_SPLIT from 0. */
void sxt_attn_split(const struct sxt_cpu *cpu, struct sxt_attn_work *w,
                    size_t first);
/* Output of row i after the last split. */
void sxt_attn_finish(const struct sxt_attn_work *w, size_t i, void *o,
                     enum sxt_dtype type);

#endif
