/* cpu.h - what the files of the cpu backend share. */
#ifndef SXT_NUM_CPU_CPU_H
#define SXT_NUM_CPU_CPU_H

#include "num/cpu/onednn.h"
#include "num/ops.h"

struct sxt_tile; /* see gemm.h */
typedef void sxt_gemm_tile(const struct sxt_tile *tile);

/* The backend's own state, num->state. */
struct sxt_cpu {
    sxt_gemm_tile *tile; /* the widest that runs here */
    size_t tile_rows;
    char *scratch;             /* SXT_CPU_SCRATCH bytes for each thread */
    struct sxt_onednn *onednn; /* NULL: none, or of no use here */
};

/* Bytes of working memory of a thread; each kernel checks that it is enough. */
enum { SXT_CPU_SCRATCH = 1 << 21 };

static inline const struct sxt_cpu *sxt_cpu_of(const struct sxt_num *num)
{
    return num->state;
}

static inline void *sxt_cpu_scratch(const struct sxt_num *num, int thread)
{
    return sxt_cpu_of(num)->scratch + (size_t)thread * SXT_CPU_SCRATCH;
}

/* log sum exp of x (n): exponentials in f32, their sum in f64 over chunks. */
float sxt_cpu_log_sum_exp(const float *x, size_t n);

void sxt_cpu_gemm(struct sxt_num *num, const struct sxt_gemm *g);
void sxt_cpu_attn(struct sxt_num *num, const struct sxt_attn *a);
void sxt_cpu_attn_bwd(struct sxt_num *num, const struct sxt_attn *a);
void sxt_cpu_attn_paged(struct sxt_num *num, const struct sxt_attn_paged *a);
void sxt_cpu_embed(struct sxt_num *num, void *y, const void *table,
                   const int32_t *ids, size_t t, size_t h, enum sxt_dtype type);
void sxt_cpu_embed_bwd(struct sxt_num *num, float *dtable, const void *dy,
                       const int32_t *ids, size_t t, size_t h, size_t vocab,
                       enum sxt_dtype type);
void sxt_cpu_add_rmsnorm(struct sxt_num *num, void *y, float *rstd, void *r,
                         const void *x, const void *w, size_t t, size_t h,
                         float eps, enum sxt_dtype type);
void sxt_cpu_rmsnorm_bwd(struct sxt_num *num, void *dr, float *dw,
                         const void *dy, const void *r, const void *w,
                         const float *rstd, size_t t, size_t h,
                         enum sxt_dtype type);
void sxt_cpu_rope(struct sxt_num *num, const struct sxt_rope *a);
void sxt_cpu_rope_bwd(struct sxt_num *num, const struct sxt_rope *a,
                      float *dbias);
void sxt_cpu_swiglu(struct sxt_num *num, void *y, const void *gu, size_t t,
                    size_t f, enum sxt_dtype type);
void sxt_cpu_swiglu_bwd(struct sxt_num *num, void *dgu, const void *dy,
                        const void *gu, size_t t, size_t f,
                        enum sxt_dtype type);
void sxt_cpu_xent(struct sxt_num *num, float *loss, void *dlogits,
                  float *logits, const int32_t *target, size_t t, size_t vocab,
                  size_t ld, float grad_scale, enum sxt_dtype d_type);
void sxt_cpu_adamw(struct sxt_num *num, const struct sxt_adamw *a);
void sxt_cpu_sumsq(struct sxt_num *num, double *sums, const float *x, size_t n,
                   size_t leaf);
void sxt_cpu_sum_pieces(struct sxt_num *num, float *y, const void *x,
                        size_t pieces, size_t n, float beta,
                        enum sxt_dtype type);
void sxt_cpu_add(struct sxt_num *num, void *y, const void *x, size_t n,
                 enum sxt_dtype type);
void sxt_cpu_cast(struct sxt_num *num, void *y, enum sxt_dtype y_type,
                  const void *x, enum sxt_dtype x_type, size_t n);
void sxt_cpu_qgemm(struct sxt_num *num, size_t m, const void *a,
                   const struct sxt_qmat *w, void *c, enum sxt_dtype type);
void sxt_cpu_sample(struct sxt_num *num, const struct sxt_sample *s);

#endif
