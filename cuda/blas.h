/* blas.h - matrix products by cuBLASLt, with algorithms that are pinned. */
#ifndef SXT_CUDA_BLAS_H
#define SXT_CUDA_BLAS_H

#include <cuda_runtime.h>

#include "cuda/sextant.h"

struct sxt_blas; /* opaque */

/* The library is looked for now (dlopen), so that the program starts without
 * it.  dev is borrowed; workspace is allocated on it. */
struct sxt_blas *sxt_blas_create(struct sxt_dev *dev, cudaStream_t stream,
                                 struct sxt_error *err);
void sxt_blas_destroy(struct sxt_blas *blas); /* NULL is legal */
/* "cuBLASLt 13.0.2" */
const char *sxt_blas_about(const struct sxt_blas *blas);

/* g, with its bias; k > 0.  False: the library has no algorithm for it, and
 * nothing was done. */
bool sxt_blas_gemm(struct sxt_blas *blas, const struct sxt_gemm *g);

#endif
