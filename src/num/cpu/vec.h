/* vec.h - vectors of eight lanes, by the compiler's vector extension.
 *
 * Only files of libkernels.a include this: they are compiled for AVX2 and FMA
 * where the compiler knows them, and correctly for anything else. */
#ifndef SXT_NUM_CPU_VEC_H
#define SXT_NUM_CPU_VEC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "num/dtype.h"

enum { LANES = 8 };

typedef float v8f __attribute__((vector_size(32)));
typedef int32_t v8i __attribute__((vector_size(32)));
typedef uint32_t v8u __attribute__((vector_size(32)));
typedef uint32_t v4u __attribute__((vector_size(16)));
typedef uint16_t v8h __attribute__((vector_size(16)));
typedef float v4f __attribute__((vector_size(16)));
typedef double v4d __attribute__((vector_size(32)));

static inline v8f v8_set(float x)
{
    return (v8f){ x, x, x, x, x, x, x, x };
}

static inline v8f v8_load(const float *p)
{
    v8f x;

    memcpy(&x, p, sizeof(x));
    return x;
}

static inline void v8_store(float *p, v8f x)
{
    memcpy(p, &x, sizeof(x));
}

/* a b + c, rounded once. */
static inline v8f v8_fma(v8f a, v8f b, v8f c)
{
#ifdef __FMA__
    return (v8f)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    for (int i = 0; i < LANES; i++)
        c[i] = __builtin_fmaf(a[i], b[i], c[i]);
    return c;
#endif
}

static inline v8f v8_load_bf16(const uint16_t *p)
{
    v8h x;

    memcpy(&x, p, sizeof(x));
#ifdef __AVX2__
    return (v8f)((v8u)_mm256_cvtepu16_epi32((__m128i)x) << 16);
#else
    return (v8f)(__builtin_convertvector(x, v8u) << 16);
#endif
}

/* Eight elements of either type as f32. */
static inline v8f v8_load_as(const void *p, enum sxt_dtype type, size_t i)
{
    return type == SXT_F32 ? v8_load((const float *)p + i)
                           : v8_load_bf16((const uint16_t *)p + i);
}

/* Round to nearest even, as sxt_f32_to_bf16 does; the result is in the upper
 * halves, the lower ones are not cleared. */
static inline v8u v8_round_bf16(v8f x)
{
    v8u bits = (v8u)x, nan = (v8u)(x != x);

    return (nan & (bits | 0x400000u)) |
           (~nan & (bits + 0x7fffu + (bits >> 16 & 1)));
}

static inline void v8_store_bf16(uint16_t *p, v8f x)
{
    v8u word = v8_round_bf16(x) >> 16;
#ifdef __AVX2__
    __m256i pairs = _mm256_packus_epi32((__m256i)word, (__m256i)word);
    __m128i y = _mm256_castsi256_si128(_mm256_permute4x64_epi64(pairs, 0x08));
#else
    v8h y = __builtin_convertvector(word, v8h);
#endif

    memcpy(p, &y, sizeof(y));
}

static inline void v8_store_as(void *p, enum sxt_dtype type, size_t i, v8f x)
{
    if (type == SXT_F32)
        v8_store((float *)p + i, x);
    else
        v8_store_bf16((uint16_t *)p + i, x);
}

/* The sum of the lanes, always in the same order. */
static inline float v8_sum(v8f x)
{
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

static inline v8f v8_max(v8f a, v8f b)
{
    v8u above = (v8u)(a > b);

    return (v8f)((above & (v8u)a) | (~above & (v8u)b));
}

static inline float v8_max_lane(v8f x)
{
    float best = x[0];

    for (int i = 1; i < LANES; i++)
        best = x[i] > best ? x[i] : best;
    return best;
}

static inline v4d v4d_load(const float *p)
{
    v4f x;

    memcpy(&x, p, sizeof(x));
    return __builtin_convertvector(x, v4d);
}

/* exp(x) within 2 units of the last place, 0 below -87, exp(88) from 88 on.
 * x = n ln 2 + r with |r| <= ln 2 / 2, exp(r) by its Taylor series to r^7. */
static inline v8f v8_exp(v8f x)
{
    const float magic = 12582912; /* 1.5 2^23: adding it rounds to integer */
    v8u alive = (v8u)(x > -87.0f), nan = (v8u)(x != x), input = (v8u)x;
    v8u low = (v8u)(x < 88.0f);

    x = (v8f)((low & input) | (~low & (v8u)v8_set(88.0f)));
    v8f shifted = v8_fma(x, v8_set(1.44269504f), v8_set(magic));
    v8f n = shifted - magic;
    v8f r = v8_fma(n, v8_set(-0.693359375f), x);
    r = v8_fma(n, v8_set(2.12194440e-4f), r);
    v8f y = v8_fma(r, v8_set(1.0f / 5040), v8_set(1.0f / 720));
    y = v8_fma(r, y, v8_set(1.0f / 120));
    y = v8_fma(r, y, v8_set(1.0f / 24));
    y = v8_fma(r, y, v8_set(1.0f / 6));
    y = v8_fma(r, y, v8_set(0.5f));
    y = v8_fma(r * r, y, r + 1.0f);
    v8u bits = (v8u)y + ((v8u)shifted << 23);
    return (v8f)((alive & bits) | (nan & input));
}

/* Word c of eight rows, for c = 0 … 3: 16 bytes are read at row[i] + byte. */
static inline void v8_gather4(v8u column[4], const char *const row[8],
                              size_t byte)
{
    v8u r[4];

#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        v4u low, high;
        memcpy(&low, row[i] + byte, sizeof(low));
        memcpy(&high, row[i + 4] + byte, sizeof(high));
        r[i] = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
    }
    v8u a = __builtin_shufflevector(r[0], r[1], 0, 8, 1, 9, 4, 12, 5, 13);
    v8u b = __builtin_shufflevector(r[2], r[3], 0, 8, 1, 9, 4, 12, 5, 13);
    v8u c = __builtin_shufflevector(r[0], r[1], 2, 10, 3, 11, 6, 14, 7, 15);
    v8u d = __builtin_shufflevector(r[2], r[3], 2, 10, 3, 11, 6, 14, 7, 15);
    column[0] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
    column[1] = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
    column[2] = __builtin_shufflevector(c, d, 0, 1, 8, 9, 4, 5, 12, 13);
    column[3] = __builtin_shufflevector(c, d, 2, 3, 10, 11, 6, 7, 14, 15);
}

#endif
