/* rows.cuh - element types, and wide loads and stores of rows of them. */
#ifndef SXT_CUDA_ROWS_CUH
#define SXT_CUDA_ROWS_CUH

#include <cuda_bf16.h>
#include <cuda_runtime.h>
#include <stdint.h>
#include <string.h>

typedef __nv_bfloat16 bf16;

/* ---- elements: arithmetic is f32, a store rounds once ---- */

__device__ static __forceinline__ float sxt_f32(float x)
{
    return x;
}
__device__ static __forceinline__ float sxt_f32(bf16 x)
{
    return __bfloat162float(x);
}

template <class T> __device__ static __forceinline__ T sxt_round(float x);
template <> __device__ __forceinline__ float sxt_round<float>(float x)
{
    return x;
}
template <> __device__ __forceinline__ bf16 sxt_round<bf16>(float x)
{
    return __float2bfloat16_rn(x);
}

/* 2^x by the hardware's instruction alone; denormal results are 0. */
__device__ static __forceinline__ float sxt_exp2(float x)
{
#ifdef SXT_EMU
    return exp2f(x);
#else
    float y;

    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#endif
}

/* N elements that are loaded and stored at once; the address is a multiple of
 * their size (16 bytes at most). */
template <class T, int N> struct alignas(sizeof(T) * N) sxt_pack {
    T x[N];
};

template <class T, int N>
__device__ static __forceinline__ sxt_pack<T, N> sxt_load_pack(const T *at)
{
    return *reinterpret_cast<const sxt_pack<T, N> *>(at);
}
template <class T, int N>
__device__ static __forceinline__ void sxt_store_pack(T *at, sxt_pack<T, N> x)
{
    *reinterpret_cast<sxt_pack<T, N> *>(at) = x;
}

/* The same to global memory only, at once: nvcc would store halves one by one,
 * and some rows of f32 too (make ptx-report shows the sectors). */
template <class T, int N>
__device__ static __forceinline__ void sxt_store_global(T *at, sxt_pack<T, N> x)
{
#ifdef SXT_EMU
    sxt_store_pack(at, x);
#else
    constexpr int WORDS = N * (int)sizeof(T) / 4;
    size_t to = __cvta_generic_to_global(at);
    uint32_t w[WORDS];

    memcpy(w, &x, sizeof(w));
    if constexpr (WORDS == 4)
        asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};\n" ::"l"(to),
                     "r"(w[0]), "r"(w[1]), "r"(w[2]), "r"(w[3])
                     : "memory");
    else if constexpr (WORDS == 2)
        asm volatile("st.global.v2.b32 [%0], {%1, %2};\n" ::"l"(to), "r"(w[0]),
                     "r"(w[1])
                     : "memory");
    else
        asm volatile("st.global.b32 [%0], %1;\n" ::"l"(to), "r"(w[0])
                     : "memory");
#endif
}

/* Host: whether rows of n elements from p on (NULL: no matter) may be loaded
 * and stored 16 bytes at a time. */
template <class T> static bool sxt_is_wide(const void *p, size_t n)
{
    return reinterpret_cast<uintptr_t>(p) % 16 == 0 && n * sizeof(T) % 16 == 0;
}

/* Elements c … c + N - 1 of a row of n: zeros behind its end.  `wide`, which
 * is the same for the whole grid, says how, never what.  c is a multiple of N,
 * and N of 16 bytes. */
template <class T, int N>
__device__ static __forceinline__ void sxt_load_row(float (&x)[N], const T *row,
                                                    size_t c, size_t n,
                                                    bool wide)
{
    constexpr int W = 16 / (int)sizeof(T);

    if (wide && c + N <= n) {
#pragma unroll
        for (int i = 0; i < N; i += W) {
            sxt_pack<T, W> p = sxt_load_pack<T, W>(row + c + i);
#pragma unroll
            for (int j = 0; j < W; j++)
                x[i + j] = sxt_f32(p.x[j]);
        }
        return;
    }
#pragma unroll
    for (int i = 0; i < N; i++)
        x[i] = c + i < n ? sxt_f32(row[c + i]) : 0;
}

template <class T, int N>
__device__ static __forceinline__ void sxt_store_row(T *row,
                                                     const float (&x)[N],
                                                     size_t c, size_t n,
                                                     bool wide)
{
    constexpr int W = 16 / (int)sizeof(T);

    if (wide && c + N <= n) {
#pragma unroll
        for (int i = 0; i < N; i += W) {
            sxt_pack<T, W> p;
#pragma unroll
            for (int j = 0; j < W; j++)
                p.x[j] = sxt_round<T>(x[i + j]);
            sxt_store_global<T, W>(row + c + i, p);
        }
        return;
    }
#pragma unroll
    for (int i = 0; i < N; i++)
        if (c + i < n)
            row[c + i] = sxt_round<T>(x[i]);
}

#endif
