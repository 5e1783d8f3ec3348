/* mathexact.h - the exact value of a small expression: r + s pi with 64-bit
 * rationals.  What does not fit has no value here: overflow is never a wrong
 * number. */
#ifndef SXT_TASK_MATHEXACT_H
#define SXT_TASK_MATHEXACT_H

#include <stdbool.h>
#include <stdint.h>

#include "task/mathexpr.h"
#include "task/mathpoint.h"

struct sxt_rational {
    int64_t num, den; /* lowest terms, den > 0 */
};

struct sxt_exact {
    struct sxt_rational plain, pi; /* plain + pi * 3.14… */
};

/* False if there is no such value, or *fuel (steps left) is used up; point
 * NULL: names have none. */
bool sxt_mathexact(const struct sxt_math_node *n,
                   const struct sxt_math_point *point, long *fuel,
                   struct sxt_exact *value);
/* The same for values without pi; for integers. */
bool sxt_mathexact_rational(const struct sxt_math_node *n,
                            const struct sxt_math_point *point, long *fuel,
                            struct sxt_rational *value);
bool sxt_mathexact_integer(const struct sxt_math_node *n,
                           const struct sxt_math_point *point, long *fuel,
                           int64_t *value);

/* Digits with at most one point. */
bool sxt_rational_parse(struct sxt_span digits, struct sxt_rational *value);
bool sxt_rational_add(struct sxt_rational a, struct sxt_rational b,
                      struct sxt_rational *value);
bool sxt_rational_mul(struct sxt_rational a, struct sxt_rational b,
                      struct sxt_rational *value);

#endif
