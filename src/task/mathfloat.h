/* mathfloat.h - the value of an expression as a complex floating point number,
 * with principal values: second evidence beside mathfield.h, which cannot tell
 * a root from its negative. */
#ifndef SXT_TASK_MATHFLOAT_H
#define SXT_TASK_MATHFLOAT_H

#include <complex.h>
#include <stdbool.h>

#include "task/mathexpr.h"
#include "task/mathpoint.h"

struct sxt_float {
    long double complex value;
    long double scale; /* largest magnitude met on the way: bounds the noise */
    long double least; /* smallest but 0 */
};

/* names: 0 … SXT_FLOAT_POINTS - 1 chooses the numbers that names stand for:
 * first positive ones, then small integers, then negative ones; behind
 * SXT_FLOAT_POINTS up to 10^12, of both signs.
 * False: unknown (overflow, a function we do not evaluate), or *fuel (steps
 * left) is used up. */
#define SXT_FLOAT_POINTS 6
#define SXT_FLOAT_FAR_POINTS 14
bool sxt_float_eval(const struct sxt_math_node *n, int point, long *fuel,
                    struct sxt_float *x);

/* Both values are (nearly) real. */
bool sxt_float_real(const struct sxt_float *a, const struct sxt_float *b);
/* Equal but for rounding noise. */
bool sxt_float_close(const struct sxt_float *a, const struct sxt_float *b);

#endif
