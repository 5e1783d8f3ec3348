/* ref.h - the reference kernels, one file each; ops.h says what they do.
 *
 * They define the results: sums in f64, one rounding to the stored type at the
 * end.  Threads share out independent rows, heads or columns only, so their
 * number never shows. */
#ifndef SXT_NUM_REF_REF_H
#define SXT_NUM_REF_REF_H

#include "num/ops.h"

void sxt_ref_gemm(struct sxt_num *num, const struct sxt_gemm *g);
void sxt_ref_qgemm(struct sxt_num *num, size_t m, const void *a,
                   const struct sxt_qmat *w, void *c, enum sxt_dtype type);
void sxt_ref_quantize(struct sxt_num *num, struct sxt_qmat *w, const void *x,
                      enum sxt_dtype type);
void sxt_ref_dequantize(struct sxt_num *num, void *x, const struct sxt_qmat *w,
                        enum sxt_dtype type);
void sxt_ref_embed(struct sxt_num *num, void *y, const void *table,
                   const int32_t *ids, size_t t, size_t h, enum sxt_dtype type);
void sxt_ref_embed_bwd(struct sxt_num *num, float *dtable, const void *dy,
                       const int32_t *ids, size_t t, size_t h, size_t vocab,
                       enum sxt_dtype type);
void sxt_ref_add_rmsnorm(struct sxt_num *num, void *y, float *rstd, void *r,
                         const void *x, const void *w, size_t t, size_t h,
                         float eps, enum sxt_dtype type);
void sxt_ref_rmsnorm_bwd(struct sxt_num *num, void *dr, float *dw,
                         const void *dy, const void *r, const void *w,
                         const float *rstd, size_t t, size_t h,
                         enum sxt_dtype type);
void sxt_ref_rope(struct sxt_num *num, const struct sxt_rope *a);
void sxt_ref_rope_bwd(struct sxt_num *num, const struct sxt_rope *a,
                      float *dbias);
void sxt_ref_attn(struct sxt_num *num, const struct sxt_attn *a);
void sxt_ref_attn_bwd(struct sxt_num *num, const struct sxt_attn *a);
void sxt_ref_attn_paged(struct sxt_num *num, const struct sxt_attn_paged *a);
void sxt_ref_swiglu(struct sxt_num *num, void *y, const void *gu, size_t t,
                    size_t f, enum sxt_dtype type);
void sxt_ref_swiglu_bwd(struct sxt_num *num, void *dgu, const void *dy,
                        const void *gu, size_t t, size_t f,
                        enum sxt_dtype type);
void sxt_ref_xent(struct sxt_num *num, float *loss, void *dlogits,
                  float *logits, const int32_t *target, size_t t, size_t vocab,
                  size_t ld, float grad_scale, enum sxt_dtype d_type);
void sxt_ref_adamw(struct sxt_num *num, const struct sxt_adamw *a);
void sxt_ref_sumsq(struct sxt_num *num, double *sums, const float *x, size_t n,
                   size_t leaf);
void sxt_ref_sum_pieces(struct sxt_num *num, float *y, const void *x,
                        size_t pieces, size_t n, float beta,
                        enum sxt_dtype type);
void sxt_ref_add(struct sxt_num *num, void *y, const void *x, size_t n,
                 enum sxt_dtype type);
void sxt_ref_cast(struct sxt_num *num, void *y, enum sxt_dtype y_type,
                  const void *x, enum sxt_dtype x_type, size_t n);
void sxt_ref_sample(struct sxt_num *num, const struct sxt_sample *s);

#endif
