/* qfrag.cuh - quantised weights as operands of tensor cores; the order in which
 * qgemm.cu and qgemm_tile.cu add up, so that a row has the same bits in both.
 *
 * C^T = W A^T.  k goes in chunks of SXT_QCHUNK, an NF4 block.  Chunks whose
 * numbers leave the same remainder by SXT_QCLASSES are added up in ascending
 * order, then those sums in order of the remainders.  Of a chunk a lane with
 * t = lane % 4 holds the neighbours 16 t ... 16 t + 15, of W as of A: product i
 * of four takes numbers 4 i ... 4 i + 3 of every lane's. */
#ifndef SXT_CUDA_QFRAG_CUH
#define SXT_CUDA_QFRAG_CUH

#include "cuda/mma.cuh"
#include "cuda/qmat.cuh"

enum { SXT_QCHUNK = 64, SXT_QCLASSES = 8, SXT_QEACH = 16 };

/* 16 signed bytes as pairs of bf16: small whole numbers are f32 with an empty
 * lower half. */
__device__ static __forceinline__ void sxt_qfrag_int8(uint32_t w[8],
                                                      const uint32_t q[4])
{
#pragma unroll
    for (int i = 0; i < 8; i++) {
        uint32_t two = q[i / 2] >> i % 2 * 16;
        float low = (float)(int8_t)two, high = (float)(int8_t)(two >> 8);
        w[i] = __byte_perm(__float_as_uint(low), __float_as_uint(high), 0x7632);
    }
}

/* The codes of a byte as bf16, the low nibble in the lower half. */
__device__ static __forceinline__ uint32_t
sxt_qfrag_pair(const struct sxt_code_book &book, unsigned byte)
{
    bf16 low = sxt_round<bf16>(book.code[byte & 15]);
    bf16 high = sxt_round<bf16>(book.code[byte >> 4]);

    return __byte_perm(__float_as_uint(sxt_f32(low)),
                       __float_as_uint(sxt_f32(high)), 0x7632);
}

/* c += 16 columns of W by 8 rows of A over a chunk; w: columns g and g + 8. */
__device__ static __forceinline__ void sxt_qfrag_multiply(
    float c[4], const uint32_t (&w)[2][8], const uint32_t (&x)[8])
{
#pragma unroll
    for (int s = 0; s < 8; s += 2) {
        uint32_t a[4] = { w[0][s], w[1][s], w[0][s + 1], w[1][s + 1] };
        uint32_t b[2] = { x[s], x[s + 1] };
        sxt_mma_bf16(c, a, b);
    }
}

#endif
