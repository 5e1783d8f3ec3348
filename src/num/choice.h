/* choice.h - the arithmetic that decides which token is drawn.
 *
 * Backends must choose alike.  exp and log of two libraries differ in the last
 * bit, and sums of floating-point numbers depend on their order; so here are
 * exp and log made of + - * / and integers (rounded as IEEE 754 says, never
 * contracted), and probabilities are whole numbers, whose sums have no order.
 */
#ifndef SXT_NUM_CHOICE_H
#define SXT_NUM_CHOICE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/philox.h"

/* The best token's probability is 2^42, so that 2^20 tokens fit in 64 bits. */
#define SXT_CHOICE_ONE 0x1p42

/* exp(x) 2^42, x <= 0, to the nearest whole number; 0 below -30.  x = k ln 2 +
 * r, |r| <= ln 2 / 2, and Taylor's series to r^13: 2^-56 of what is left out.
 * It never falls as x rises. */
SXT_EVERYWHERE static inline uint64_t sxt_choice_mass(double x)
{
    if (!(x > -30))
        return 0;
    double k = rint(x * 1.4426950408889634);
    double r = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
    double y = 1.0 / 6227020800;
    y = y * r + 1.0 / 479001600;
    y = y * r + 1.0 / 39916800;
    y = y * r + 1.0 / 3628800;
    y = y * r + 1.0 / 362880;
    y = y * r + 1.0 / 40320;
    y = y * r + 1.0 / 5040;
    y = y * r + 1.0 / 720;
    y = y * r + 1.0 / 120;
    y = y * r + 1.0 / 24;
    y = y * r + 1.0 / 6;
    y = y * r + 0.5;
    y = y * r + 1;
    y = y * r + 1;
    /* 2^-k by shifting: k is -44 … 0. */
    return (uint64_t)(y * SXT_CHOICE_ONE / (double)(UINT64_C(1) << (int)-k) +
                      0.5);
}

/* log(x) within 2 units of the last place: x = 2^e m, m in [sqrt 1/2, sqrt 2),
 * log m = 2 artanh((m - 1) / (m + 1)) by its series. */
SXT_EVERYWHERE static inline double sxt_choice_log(double x)
{
    uint64_t bits;
    double m;

    if (!(x > 0))
        return -INFINITY;
    if (x > 1e300)
        return INFINITY;
    memcpy(&bits, &x, sizeof(bits));
    bits += UINT64_C(0x3ff0000000000000) - UINT64_C(0x3fe6a09e667f3bcd);
    double e = (double)((int)(bits >> 52) - 1023);
    bits = (bits & UINT64_C(0xfffffffffffff)) + UINT64_C(0x3fe6a09e667f3bcd);
    memcpy(&m, &bits, sizeof(m));
    double s = (m - 1) / (m + 1), z = s * s, y = 1.0 / 23;
    y = y * z + 1.0 / 21;
    y = y * z + 1.0 / 19;
    y = y * z + 1.0 / 17;
    y = y * z + 1.0 / 15;
    y = y * z + 1.0 / 13;
    y = y * z + 1.0 / 11;
    y = y * z + 1.0 / 9;
    y = y * z + 1.0 / 7;
    y = y * z + 1.0 / 5;
    y = y * z + 1.0 / 3;
    y = 2 * s + 2 * s * z * y;
    return e * 0x1.62e42feep-1 + (y + e * 0x1.a39ef35793c76p-33);
}

/* Gumbel noise of token `id` at a draw: -log(-log(u)). */
SXT_EVERYWHERE static inline double sxt_choice_noise(double u)
{
    return -sxt_choice_log(-sxt_choice_log(u));
}

/* Top-p keeps ranks until their masses reach this: 1 … sum. */
SXT_EVERYWHERE static inline uint64_t sxt_choice_limit(double top_p,
                                                       uint64_t sum)
{
    double limit = ceil(top_p * (double)sum);

    if (limit < 1)
        return 1;
    return limit < (double)sum ? (uint64_t)limit : sum;
}

/* Min-p keeps logits that are so far below the best at most, in nat. */
static inline double sxt_choice_depth(float min_p)
{
    return min_p > 0 ? fmax(0, -log((double)min_p)) : INFINITY;
}

#endif
