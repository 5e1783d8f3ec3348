/* cuda_bf16.h - bfloat16 numbers as CUDA names them, for a host compiler.
 *
 * Arithmetic is in f32 with one rounding to nearest even, as on a GPU.  There
 * are no operators: kernels say where they round. */
#ifndef SXT_EMU_CUDA_BF16_H
#define SXT_EMU_CUDA_BF16_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "cuda/emu/types.h"

struct alignas(2) __nv_bfloat16 {
    uint16_t bits;

    __nv_bfloat16() = default;
    explicit __nv_bfloat16(float x);
    explicit operator float() const;
};

struct alignas(4) __nv_bfloat162 {
    __nv_bfloat16 x, y;
};

static inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits)
{
    __nv_bfloat16 y;
    y.bits = bits;
    return y;
}
static inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 x)
{
    return x.bits;
}

static inline __nv_bfloat16 __float2bfloat16_rn(float x)
{
    uint32_t u;

    memcpy(&u, &x, 4);
    if ((u & 0x7fffffffu) > 0x7f800000u)
        return __ushort_as_bfloat16(0x7fff); /* CUDA's only NaN */
    return __ushort_as_bfloat16(
        (unsigned short)((u + 0x7fffu + (u >> 16 & 1)) >> 16));
}
static inline __nv_bfloat16 __float2bfloat16(float x)
{
    return __float2bfloat16_rn(x);
}
static inline float __bfloat162float(__nv_bfloat16 x)
{
    uint32_t u = (uint32_t)x.bits << 16;
    float y;

    memcpy(&y, &u, 4);
    return y;
}

inline __nv_bfloat16::__nv_bfloat16(float x)
{
    *this = __float2bfloat16_rn(x);
}
inline __nv_bfloat16::operator float() const
{
    return __bfloat162float(*this);
}

static inline __nv_bfloat16 __hadd(__nv_bfloat16 x, __nv_bfloat16 y)
{
    return __float2bfloat16_rn(__bfloat162float(x) + __bfloat162float(y));
}
static inline __nv_bfloat16 __hsub(__nv_bfloat16 x, __nv_bfloat16 y)
{
    return __float2bfloat16_rn(__bfloat162float(x) - __bfloat162float(y));
}
static inline __nv_bfloat16 __hmul(__nv_bfloat16 x, __nv_bfloat16 y)
{
    return __float2bfloat16_rn(__bfloat162float(x) * __bfloat162float(y));
}
/* A product of two bf16 is exact in f32, the sum in f64. */
static inline __nv_bfloat16 __hfma(__nv_bfloat16 x, __nv_bfloat16 y,
                                   __nv_bfloat16 z)
{
    double exact =
        (double)__bfloat162float(x) * __bfloat162float(y) + __bfloat162float(z);
    float near = (float)exact;

    /* Round to odd first, so that rounding twice is rounding once. */
    if ((double)near != exact && isfinite(near)) {
        uint32_t u;
        memcpy(&u, &near, 4);
        if (fabs((double)near) > fabs(exact))
            u--;
        u |= 1;
        memcpy(&near, &u, 4);
    }
    return __float2bfloat16_rn(near);
}

static inline __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 x,
                                                __nv_bfloat16 y)
{
    return { x, y };
}
static inline __nv_bfloat16 __low2bfloat16(__nv_bfloat162 v)
{
    return v.x;
}
static inline __nv_bfloat16 __high2bfloat16(__nv_bfloat162 v)
{
    return v.y;
}
static inline float __low2float(__nv_bfloat162 v)
{
    return __bfloat162float(v.x);
}
static inline float __high2float(__nv_bfloat162 v)
{
    return __bfloat162float(v.y);
}
static inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y)
{
    return { __float2bfloat16_rn(x), __float2bfloat16_rn(y) };
}
static inline __nv_bfloat162 __float22bfloat162_rn(float2 v)
{
    return __floats2bfloat162_rn(v.x, v.y);
}
static inline __nv_bfloat162 __bfloat162bfloat162(__nv_bfloat16 x)
{
    return { x, x };
}
static inline float2 __bfloat1622float2(__nv_bfloat162 v)
{
    return { __bfloat162float(v.x), __bfloat162float(v.y) };
}
static inline __nv_bfloat162 __hadd2(__nv_bfloat162 a, __nv_bfloat162 b)
{
    return { __hadd(a.x, b.x), __hadd(a.y, b.y) };
}
static inline __nv_bfloat162 __hmul2(__nv_bfloat162 a, __nv_bfloat162 b)
{
    return { __hmul(a.x, b.x), __hmul(a.y, b.y) };
}
static inline __nv_bfloat162 __hfma2(__nv_bfloat162 a, __nv_bfloat162 b,
                                     __nv_bfloat162 c)
{
    return { __hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y) };
}

#endif
