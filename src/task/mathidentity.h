/* mathidentity.h - are two expressions equal wherever both are defined?
 *
 * Evidence, not rewriting: values in two finite fields at random elements
 * (mathfield.h) and floating point values (mathfloat.h).  "Equal" needs both
 * kinds where both can speak; its chance of being wrong is below 2^-100 for
 * rational expressions.  "Different" is certain up to rounding. */
#ifndef SXT_TASK_MATHIDENTITY_H
#define SXT_TASK_MATHIDENTITY_H

#include "task/mathexpr.h"

enum sxt_math_verdict {
    SXT_MATH_EQUAL,
    SXT_MATH_DIFFERENT,
    SXT_MATH_UNDECIDED /* looks equal, is not proved: count it as wrong */
};

/* What one question may cost: field multiplications, some 25 ns each. */
#define SXT_MATH_FUEL 4000000

/* UNDECIDED where mathclosed.h may know more, or *fuel, from which the work is
 * taken, is used up. */
enum sxt_math_verdict sxt_math_identity(const struct sxt_math_node *a,
                                        const struct sxt_math_node *b,
                                        long *fuel);

/* Is a1 - a2 a constant multiple of b1 - b2, not zero?  (Two equations with
 * the same solutions, as far as we look.)  *sign: of the multiple, 0 if it is
 * not known. */
enum sxt_math_verdict sxt_math_proportional(const struct sxt_math_node *a1,
                                            const struct sxt_math_node *a2,
                                            const struct sxt_math_node *b1,
                                            const struct sxt_math_node *b2,
                                            long *fuel, int *sign);

/* Are there names other than e, i and pi?  Is there this one? */
bool sxt_math_has_names(const struct sxt_math_node *n);
bool sxt_math_has_name(const struct sxt_math_node *n, const char *name);
/* Is there a node of this kind in the tree? */
bool sxt_math_contains(const struct sxt_math_node *n, enum sxt_math_kind kind);
/* A value without names other than e, i, pi; false if it has none. */
bool sxt_math_constant(const struct sxt_math_node *n, long *fuel,
                       long double *value);

#endif
