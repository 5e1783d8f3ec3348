/* backend.h - the cuda backend: its entries of the op table, one file each,
 * and what they share.  num/ops.h says what the operations do. */
#ifndef SXT_CUDA_BACKEND_H
#define SXT_CUDA_BACKEND_H

#include <cuda_runtime.h>

#include "cuda/sextant.h"

struct sxt_blas; /* cuBLASLt: blas.h */

/* The backend's own state, num->state. */
struct sxt_cuda {
    cudaStream_t stream; /* where all kernels run; borrowed from the device */
    int processors;      /* streaming multiprocessors */
    size_t shared_bytes; /* that a block may ask for */
    struct sxt_blas *blas;
    struct sxt_dev *dev; /* borrowed */
    char *scratch;       /* SXT_CUDA_SCRATCH bytes of device memory */
};

/* Working memory of one operation; it does not survive it.  An operation
 * checks that it is enough, and works in parts if not. */
#ifdef SXT_EMU
enum { SXT_CUDA_SCRATCH = 256 << 10 };
#else
enum { SXT_CUDA_SCRATCH = 64 << 20 };
#endif

static inline const struct sxt_cuda *sxt_cuda_of(const struct sxt_num *num)
{
    return static_cast<const struct sxt_cuda *>(num->state);
}

extern "C" {
void sxt_cuda_gemm(struct sxt_num *num, const struct sxt_gemm *g);
void sxt_cuda_qgemm(struct sxt_num *num, size_t m, const void *a,
                    const struct sxt_qmat *w, void *c, enum sxt_dtype type);
void sxt_cuda_quantize(struct sxt_num *num, struct sxt_qmat *w, const void *x,
                       enum sxt_dtype type);
void sxt_cuda_dequantize(struct sxt_num *num, void *x, const struct sxt_qmat *w,
                         enum sxt_dtype type);
void sxt_cuda_embed(struct sxt_num *num, void *y, const void *table,
                    const int32_t *ids, size_t t, size_t h,
                    enum sxt_dtype type);
void sxt_cuda_embed_bwd(struct sxt_num *num, float *dtable, const void *dy,
                        const int32_t *ids, size_t t, size_t h, size_t vocab,
                        enum sxt_dtype type);
void sxt_cuda_add_rmsnorm(struct sxt_num *num, void *y, float *rstd, void *r,
                          const void *x, const void *w, size_t t, size_t h,
                          float eps, enum sxt_dtype type);
void sxt_cuda_rmsnorm_bwd(struct sxt_num *num, void *dr, float *dw,
                          const void *dy, const void *r, const void *w,
                          const float *rstd, size_t t, size_t h,
                          enum sxt_dtype type);
void sxt_cuda_rope(struct sxt_num *num, const struct sxt_rope *a);
void sxt_cuda_rope_bwd(struct sxt_num *num, const struct sxt_rope *a,
                       float *dbias);
void sxt_cuda_sample(struct sxt_num *num, const struct sxt_sample *s);
void sxt_cuda_attn(struct sxt_num *num, const struct sxt_attn *a);
void sxt_cuda_attn_paged(struct sxt_num *num, const struct sxt_attn_paged *a);
void sxt_cuda_attn_bwd(struct sxt_num *num, const struct sxt_attn *a);
void sxt_cuda_swiglu(struct sxt_num *num, void *y, const void *gu, size_t t,
                     size_t f, enum sxt_dtype type);
void sxt_cuda_swiglu_bwd(struct sxt_num *num, void *dgu, const void *dy,
                         const void *gu, size_t t, size_t f,
                         enum sxt_dtype type);
void sxt_cuda_xent(struct sxt_num *num, float *loss, void *dlogits,
                   float *logits, const int32_t *target, size_t t, size_t vocab,
                   size_t ld, float grad_scale, enum sxt_dtype d_type);
void sxt_cuda_adamw(struct sxt_num *num, const struct sxt_adamw *a);
void sxt_cuda_sumsq(struct sxt_num *num, double *sums, const float *x, size_t n,
                    size_t leaf);
void sxt_cuda_sum_pieces(struct sxt_num *num, float *y, const void *x,
                         size_t pieces, size_t n, float beta,
                         enum sxt_dtype type);
void sxt_cuda_add(struct sxt_num *num, void *y, const void *x, size_t n,
                  enum sxt_dtype type);
void sxt_cuda_cast(struct sxt_num *num, void *y, enum sxt_dtype y_type,
                   const void *x, enum sxt_dtype x_type, size_t n);
}

#endif
