/* mma.cuh - tensor cores and what feeds them: matrix multiply-add, matrix loads
 * from shared memory, asynchronous copies into it.  Compute capability 8.0 and
 * newer; emulated in emu/mma.h with the same names.
 *
 * Fragments, with g = lane / 4 and t = lane % 4 (PTX ISA, "Matrix fragments for
 * mma.m16n8k16").  Each register holds two bf16, the lower column (of B: row)
 * in the lower half:
 *
 *   A (16, 16)  a[0]: (g, 2t)      a[1]: (g + 8, 2t)
 *               a[2]: (g, 2t + 8)  a[3]: (g + 8, 2t + 8)
 *   B (16, 8)   b[0]: (2t, g)      b[1]: (2t + 8, g)      two rows, one column
 *   C (16, 8)   c[0], c[1]: (g, 2t), (g, 2t + 1)
 *               c[2], c[3]: (g + 8, 2t), (g + 8, 2t + 1)   f32 */
#ifndef SXT_CUDA_MMA_CUH
#define SXT_CUDA_MMA_CUH

#include <cuda_runtime.h>
#include <stdint.h>

#ifdef SXT_EMU
#include "cuda/emu/mma.h"
#else

/* c += a b.  All lanes of the warp. */
__device__ static __forceinline__ void sxt_mma_bf16(float c[4],
                                                    const uint32_t a[4],
                                                    const uint32_t b[2])
{
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/* Matrices of 8 rows of 16 bytes (8 bf16) from shared memory.  Lane i gives
 * the address of row i % 8 of matrix i / 8, 16-byte aligned; r[m] receives
 * elements (g, 2t) and (g, 2t + 1) of matrix m, or, transposed, (2t, g) and
 * (2t + 1, g).  x2 reads the addresses of lanes 0 - 15.  All lanes. */
__device__ static __forceinline__ void sxt_ldmatrix_x4(uint32_t r[4],
                                                       const void *row)
{
    uint32_t at = (uint32_t)__cvta_generic_to_shared(row);

    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 "
                 "{%0, %1, %2, %3}, [%4];\n"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(at)
                 : "memory");
}

__device__ static __forceinline__ void sxt_ldmatrix_x4_trans(uint32_t r[4],
                                                             const void *row)
{
    uint32_t at = (uint32_t)__cvta_generic_to_shared(row);

    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 "
                 "{%0, %1, %2, %3}, [%4];\n"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(at)
                 : "memory");
}

__device__ static __forceinline__ void sxt_ldmatrix_x2(uint32_t r[2],
                                                       const void *row)
{
    uint32_t at = (uint32_t)__cvta_generic_to_shared(row);

    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];\n"
                 : "=r"(r[0]), "=r"(r[1])
                 : "r"(at)
                 : "memory");
}

__device__ static __forceinline__ void sxt_ldmatrix_x2_trans(uint32_t r[2],
                                                             const void *row)
{
    uint32_t at = (uint32_t)__cvta_generic_to_shared(row);

    asm volatile(
        "ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];\n"
        : "=r"(r[0]), "=r"(r[1])
        : "r"(at)
        : "memory");
}

/* Start copying 16 bytes from global to shared memory, both 16-byte aligned;
 * if not `inside`, 16 zeros, and nothing is read. */
__device__ static __forceinline__ void sxt_copy_async(void *shared,
                                                      const void *global,
                                                      bool inside)
{
    uint32_t at = (uint32_t)__cvta_generic_to_shared(shared);
    int bytes = inside ? 16 : 0;

    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(at),
                 "l"(global), "r"(bytes)
                 : "memory");
}

/* What was started since the last commit is a group. */
__device__ static __forceinline__ void sxt_copy_commit(void)
{
    asm volatile("cp.async.commit_group;\n" ::: "memory");
}

/* Wait until at most N of this thread's groups are unfinished.  What the other
 * threads copied can be read after the __syncthreads() that follows. */
template <int N> __device__ static __forceinline__ void sxt_copy_wait(void)
{
    asm volatile("cp.async.wait_group %0;\n" ::"n"(N) : "memory");
}

#endif
#endif
