/* cpu.h - what the files of the cpu backend share. */
#ifndef SXT_NUM_CPU_CPU_H
#define SXT_NUM_CPU_CPU_H

#include "num/ops.h"

/* acc (rows, 16; distance ld_acc) += a (rows, depth; distance 256) by
 * panel (depth, 16); rows <= tile_rows.  See gemm.h. */
typedef void sxt_gemm_tile(float *acc, size_t ld_acc, const float *a,
                           const float *panel, size_t rows, size_t depth);

/* The backend's own state, num->state. */
struct sxt_cpu {
    sxt_gemm_tile *tile; /* the widest that runs here */
    size_t tile_rows;
    char *scratch; /* SXT_CPU_SCRATCH bytes for each thread */
};

/* Bytes of working memory of a thread; each kernel checks that it is enough. */
enum { SXT_CPU_SCRATCH = 1 << 19 };

static inline const struct sxt_cpu *sxt_cpu_of(const struct sxt_num *num)
{
    return num->state;
}

static inline void *sxt_cpu_scratch(const struct sxt_num *num, int thread)
{
    return sxt_cpu_of(num)->scratch + (size_t)thread * SXT_CPU_SCRATCH;
}

void sxt_cpu_gemm(struct sxt_num *num, const struct sxt_gemm *g);
void sxt_cpu_attn(struct sxt_num *num, const struct sxt_attn *a);
void sxt_cpu_attn_paged(struct sxt_num *num, const struct sxt_attn_paged *a);

#endif
