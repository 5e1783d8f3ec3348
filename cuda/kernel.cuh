/* kernel.cuh - what a file of kernels begins with: the launch, sums over a
 * warp and a block, and what rows.cuh has.
 *
 * Products and sums are not contracted (nvcc -fmad=false), as in the C sources:
 * write fmaf() where one rounding is meant.  Then a kernel of + - * / sqrtf and
 * fmaf gives the emulator's bits on every GPU. */
#ifndef SXT_CUDA_KERNEL_CUH
#define SXT_CUDA_KERNEL_CUH

#include <cuda_runtime.h>

#include "cuda/backend.h"
#include "cuda/check.h"
#include "cuda/rows.cuh"

/* Start a kernel.  A name with a comma goes in parentheses:
 *   SXT_LAUNCH((copy<T, 4>), blocks, threads, shared_bytes, stream, y, x, n);
 * The arguments are converted to the kernel's parameter types. */
#ifdef SXT_EMU
#define SXT_LAUNCH(kernel, grid, block, shared, stream, ...) \
    sxt_emu_launch(stream, #kernel, grid, block, shared, kernel, __VA_ARGS__)
/* T *name: the dynamic shared memory, aligned for every access. */
#define SXT_SHARED(T, name) T *name = reinterpret_cast<T *>(sxt_emu_shared)
#else
#define SXT_LAUNCH(kernel, grid, block, shared, stream, ...)            \
    (kernel<<<(grid), (block), (shared), (stream)>>>(__VA_ARGS__),      \
     sxt_cuda_check(cudaGetLastError(), "launch of " #kernel, __FILE__, \
                    __LINE__))
#define SXT_SHARED(T, name)                                    \
    extern __shared__ __align__(1024) char sxt_shared_bytes[]; \
    T *name = reinterpret_cast<T *>(sxt_shared_bytes)
#endif

/* ---- sums whose order depends on the block's size only ---- */

/* Over the 32 lanes; all of them get it. */
template <class X> __device__ static __forceinline__ X sxt_warp_sum(X x)
{
    for (int step = 16; step > 0; step /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, step);
    return x;
}
__device__ static __forceinline__ float sxt_warp_max(float x)
{
    for (int step = 16; step > 0; step /= 2)
        x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, step));
    return x;
}

/* Over a block of THREADS (a multiple of 32) threads along x; all of them get
 * it.  May be called again at once. */
template <int THREADS, class X> __device__ static X sxt_block_sum(X x)
{
    __shared__ X part[THREADS / 32];
    X sum = 0;

    x = sxt_warp_sum(x);
    if (threadIdx.x % 32 == 0)
        part[threadIdx.x / 32] = x;
    __syncthreads();
    for (int i = 0; i < THREADS / 32; i++)
        sum += part[i];
    __syncthreads();
    return sum;
}

/* ---- host: shapes of launches ---- */

/* Blocks of `each` that cover n. */
static inline unsigned sxt_blocks(size_t n, size_t each)
{
    return (unsigned)((n + each - 1) / each);
}

#endif
