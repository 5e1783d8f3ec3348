/* qmat.cuh - a quantised weight read back, for kernels. */
#ifndef SXT_CUDA_QMAT_CUH
#define SXT_CUDA_QMAT_CUH

#include "cuda/kernel.cuh"

extern "C" {
#include "num/ref/nf4.h"
}

/* NF4's, for the kernels. */
struct sxt_code_book {
    float code[16];
};

static inline struct sxt_code_book sxt_nf4_book(void)
{
    struct sxt_code_book book;

    memcpy(book.code, sxt_nf4_code, sizeof(book.code));
    return book;
}

/* sxt_qmat_value, on the device. */
__device__ static inline float sxt_weight(const struct sxt_qmat &w,
                                          const struct sxt_code_book &book,
                                          size_t row, size_t c)
{
    size_t i = row * w.k + c;

    if (w.format == SXT_INT8)
        return w.scale[row] * (float)(int8_t)w.q[i];
    return sxt_nf4_block_max(&w, i / SXT_NF4_BLOCK) *
           book.code[w.q[i / 2] >> i % 2 * 4 & 15];
}

#endif
