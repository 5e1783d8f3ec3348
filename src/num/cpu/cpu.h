/* cpu.h - what the files of the cpu backend share. */
#ifndef SXT_NUM_CPU_CPU_H
#define SXT_NUM_CPU_CPU_H

#include "num/ops.h"

/* The backend's own state, num->state. */
struct sxt_cpu {
    bool avx512; /* gemm tiles of 16 lanes */
};

static inline const struct sxt_cpu *sxt_cpu_of(const struct sxt_num *num)
{
    return num->state;
}

#endif
