/* codes.h - the arithmetic that decides a weight's code in 8 or 4 bits; ref's
 * quantize.c says what the codes are.
 *
 * In f64, with operations that IEEE 754 rounds correctly: every backend finds
 * the same code. */
#ifndef SXT_NUM_CODES_H
#define SXT_NUM_CODES_H

#include <math.h>
#include <stdint.h>

#include "base/everywhere.h"

/* round(x / scale) to a signed byte. */
SXT_EVERYWHERE static inline int8_t sxt_code8(double x, double scale)
{
    double q = scale > 0 ? rint(x / scale) : 0;

    return (int8_t)fmin(fmax(q, -127.0), 127.0);
}

/* The nearer of codes `best` and c; best of equals. */
SXT_EVERYWHERE static inline unsigned sxt_code4_nearer(const float code[16],
                                                       double x, double max,
                                                       unsigned best,
                                                       unsigned c)
{
    double d = fabs(x - max * code[c]);

    return d < fabs(x - max * code[best]) ? c : best;
}

/* How many of the middles between codes lie below x, by halves. */
SXT_EVERYWHERE static inline unsigned sxt_code4_below(const float code[16],
                                                      double x)
{
    unsigned n = 0;

    for (unsigned step = 8; step > 0; step /= 2) {
        const float *middle = code + n + step - 1;
        if (x > ((double)middle[0] + middle[1]) / 2)
            n += step;
    }
    return n;
}

/* Index of the nearest code; of two equally near ones that nearer to the
 * middle of the table, which is 0.  Division may miss it by one. */
SXT_EVERYWHERE static inline unsigned sxt_code4(const float code[16], double x,
                                                double max)
{
    if (!(max > 0)) { /* a block far below the others: all codes are tried */
        unsigned best = 7;
        for (unsigned i = 1; i < 16; i++)
            best = sxt_code4_nearer(code, x, max, best, i < 8 ? 7 - i : i);
        return best;
    }
    unsigned c = sxt_code4_below(code, x / max);
    if (c < 7) {
        unsigned best = sxt_code4_nearer(code, x, max, c + 1, c);
        return c > 0 ? sxt_code4_nearer(code, x, max, best, c - 1) : best;
    }
    unsigned best = c == 7 ? sxt_code4_nearer(code, x, max, 7, 6)
                           : sxt_code4_nearer(code, x, max, c - 1, c);
    return c < 15 ? sxt_code4_nearer(code, x, max, best, c + 1) : best;
}

#endif
