/* qgemm_tile.h - a product with quantised weights for many rows. */
#ifndef SXT_CUDA_QGEMM_TILE_H
#define SXT_CUDA_QGEMM_TILE_H

#include "cuda/backend.h"

/* C (m, n) = A (m, k) W^T in bf16; k is a multiple of 64, A's address of 16. */
void sxt_cuda_qgemm_tile(struct sxt_num *num, size_t m, const void *a,
                         const struct sxt_qmat *w, void *c);

#endif
