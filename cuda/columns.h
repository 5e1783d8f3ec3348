/* columns.h - sums over the rows of a matrix, in an order that depends on its
 * shape only: each group of rows has a sum in scratch, made by one block, and
 * these are added in order. */
#ifndef SXT_CUDA_COLUMNS_H
#define SXT_CUDA_COLUMNS_H

#include "cuda/backend.h"

struct sxt_groups {
    size_t n, rows; /* groups; rows of each, the last one may have less */
    float *part;    /* (n, width), in scratch, for the caller to fill */
};

/* Rows t > 0 of `width` columns in groups. */
struct sxt_groups sxt_cuda_groups(const struct sxt_num *num, size_t t,
                                  size_t width);
/* y (width) += the groups' sums. */
void sxt_cuda_add_groups(struct sxt_num *num, float *y,
                         const struct sxt_groups *groups, size_t width);

#endif
