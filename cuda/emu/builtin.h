/* builtin.h - what CUDA gives to device code without an include. */
#ifndef SXT_EMU_BUILTIN_H
#define SXT_EMU_BUILTIN_H

#include <math.h>
#include <string.h>

#include "cuda/emu/warp.h"

/* ---- atomics: fibres are never interrupted ---- */

template <class T> static inline T atomicAdd(T *at, T x)
{
    T old = *at;
    *at = old + x;
    return old;
}
template <class T> static inline T atomicMax(T *at, T x)
{
    T old = *at;
    *at = old > x ? old : x;
    return old;
}
template <class T> static inline T atomicMin(T *at, T x)
{
    T old = *at;
    *at = old < x ? old : x;
    return old;
}
template <class T> static inline T atomicExch(T *at, T x)
{
    T old = *at;
    *at = x;
    return old;
}
template <class T> static inline T atomicCAS(T *at, T compare, T x)
{
    T old = *at;
    *at = old == compare ? x : old;
    return old;
}
template <class T> static inline T atomicOr(T *at, T x)
{
    T old = *at;
    *at = old | x;
    return old;
}
template <class T> static inline T atomicAnd(T *at, T x)
{
    T old = *at;
    *at = old & x;
    return old;
}

/* ---- loads and stores with a hint ---- */

template <class T> static inline T __ldg(const T *at)
{
    return *at;
}
template <class T> static inline T __ldcs(const T *at)
{
    return *at;
}
template <class T> static inline T __ldcg(const T *at)
{
    return *at;
}
template <class T> static inline void __stcs(T *at, T x)
{
    *at = x;
}

/* ---- bits ---- */

static inline unsigned __float_as_uint(float x)
{
    unsigned y;
    memcpy(&y, &x, 4);
    return y;
}
static inline float __uint_as_float(unsigned x)
{
    float y;
    memcpy(&y, &x, 4);
    return y;
}
static inline int __float_as_int(float x)
{
    return (int)__float_as_uint(x);
}
static inline int __popc(unsigned x)
{
    return __builtin_popcount(x);
}
static inline int __popcll(unsigned long long x)
{
    return __builtin_popcountll(x);
}
static inline int __clz(int x)
{
    return x == 0 ? 32 : __builtin_clz((unsigned)x);
}
static inline int __ffs(int x)
{
    return __builtin_ffs(x);
}
static inline unsigned __umulhi(unsigned x, unsigned y)
{
    return (unsigned)((unsigned long long)x * y >> 32);
}
static inline unsigned __byte_perm(unsigned x, unsigned y, unsigned s)
{
    unsigned long long both = (unsigned long long)y << 32 | x;
    unsigned z = 0;

    for (int i = 0; i < 4; i++)
        z |= (unsigned)(both >> 8 * (s >> 4 * i & 7) & 0xff) << 8 * i;
    return z;
}

/* ---- arithmetic.  Roundings named by CUDA are those of this processor; the
 * approximations are exact here, so tests must allow for them. ---- */

static inline float __fadd_rn(float x, float y)
{
    return x + y;
}
static inline float __fsub_rn(float x, float y)
{
    return x - y;
}
static inline float __fmul_rn(float x, float y)
{
    return x * y;
}
static inline float __fdiv_rn(float x, float y)
{
    return x / y;
}
static inline float __fsqrt_rn(float x)
{
    return sqrtf(x);
}
static inline float __fmaf_rn(float x, float y, float z)
{
    return fmaf(x, y, z);
}
/* glibc has functions of these names. */
#define __expf(x) expf(x)
#define __logf(x) logf(x)
#define __log2f(x) log2f(x)
static inline float __fdividef(float x, float y)
{
    return x / y;
}
static inline float rsqrtf(float x)
{
    return 1 / sqrtf(x);
}
static inline float __saturatef(float x)
{
    return x > 1 ? 1 : x > 0 ? x : 0;
}
static inline int min(int x, int y)
{
    return x < y ? x : y;
}
static inline int max(int x, int y)
{
    return x > y ? x : y;
}
static inline unsigned min(unsigned x, unsigned y)
{
    return x < y ? x : y;
}
static inline unsigned max(unsigned x, unsigned y)
{
    return x > y ? x : y;
}
static inline size_t min(size_t x, size_t y)
{
    return x < y ? x : y;
}
static inline size_t max(size_t x, size_t y)
{
    return x > y ? x : y;
}
static inline float min(float x, float y)
{
    return fminf(x, y);
}
static inline float max(float x, float y)
{
    return fmaxf(x, y);
}

#endif
