/* mathpoint.h - where an expression is evaluated: values for its names, drawn
 * from the name and a seed, so that both sides of a comparison get the same. */
#ifndef SXT_TASK_MATHPOINT_H
#define SXT_TASK_MATHPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum sxt_math_names {
    SXT_NAMES_RESIDUES, /* any square in the field; no exact value */
    SXT_NAMES_INTEGERS, /* products of four primes up to 71 */
    SXT_NAMES_SMALL     /* products of two primes up to 13, for factorials */
};

struct sxt_math_point {
    uint64_t seed;
    enum sxt_math_names names;
};

/* 64 random bits for a name. */
uint64_t sxt_mathpoint_bits(const struct sxt_math_point *point,
                            struct sxt_span name);
/* The positive integer a name stands for. */
int64_t sxt_mathpoint_integer(const struct sxt_math_point *point,
                              struct sxt_span name);
/* e, i and pi stand for themselves. */
bool sxt_mathpoint_is_constant(struct sxt_span name);

#endif
