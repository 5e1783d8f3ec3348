/* dtype.h - the element types that kernels know. */
#ifndef SXT_NUM_DTYPE_H
#define SXT_NUM_DTYPE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum sxt_dtype { SXT_F32, SXT_BF16 };

static inline size_t sxt_dtype_size(enum sxt_dtype type)
{
    return type == SXT_F32 ? 4 : 2;
}

/* bfloat16 is the upper half of an IEEE float. */
static inline float sxt_bf16_to_f32(uint16_t x)
{
    uint32_t bits = (uint32_t)x << 16;
    float y;

    memcpy(&y, &bits, sizeof(y));
    return y;
}

/* Round to nearest, ties to even; NaN stays (quiet) NaN. */
static inline uint16_t sxt_f32_to_bf16(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof(bits));
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

/* Element i of an array of either type. */
static inline float sxt_load(const void *x, enum sxt_dtype type, size_t i)
{
    return type == SXT_F32 ? ((const float *)x)[i]
                           : sxt_bf16_to_f32(((const uint16_t *)x)[i]);
}

static inline void sxt_store(void *x, enum sxt_dtype type, size_t i, float y)
{
    if (type == SXT_F32)
        ((float *)x)[i] = y;
    else
        ((uint16_t *)x)[i] = sxt_f32_to_bf16(y);
}

/* Split master: a finite f32 as the nearest bf16 (ties away from zero) and what
 * is missing to it, in units of the f32's last place, as a signed 16-bit
 * number: bits = p 2^16 + rest.  Joining gives back every bit.  A NaN stays
 * one, as 0x7fc0: rounded up, it could look like a number. */
static inline void sxt_split_master(float x, uint16_t *p, uint16_t *rest)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof(bits));
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        bits = 0x7fc00000u;
    *p = (uint16_t)((bits + 0x8000u) >> 16);
    *rest = (uint16_t)bits;
}

static inline float sxt_join_master(uint16_t p, uint16_t rest)
{
    uint32_t bits = ((uint32_t)p << 16) + rest - ((uint32_t)(rest >> 15) << 16);
    float x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

#endif
