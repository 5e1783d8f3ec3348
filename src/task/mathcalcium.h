/* mathcalcium.h - closed forms compared by Calcium's exact fields; the only
 * header that knows FLINT is behind it.
 *
 * Nothing here is bounded but by the size of its input: mathclosed.h puts the
 * bounds around it. */
#ifndef SXT_TASK_MATHCALCIUM_H
#define SXT_TASK_MATHCALCIUM_H

#include "task/mathidentity.h"

/* Values for names: 0 … 3 are positive, of magnitude 1, 1, 10^4, 10^12; 4 … 7
 * negative, 8 … 11 of either sign. */
#define SXT_CALCIUM_POINTS 12

enum sxt_calcium_outcome {
    SXT_CALCIUM_SAME,     /* proved */
    SXT_CALCIUM_DIFFER,   /* proved: two balls that do not meet */
    SXT_CALCIUM_UNKNOWN,  /* not evaluable, or not decided at the limits */
    SXT_CALCIUM_UNDEFINED /* no (real) value at this point */
};

/* Compare at a point.  complex: values that are not real count too. */
enum sxt_calcium_outcome sxt_mathcalcium(const struct sxt_math_node *a,
                                         const struct sxt_math_node *b,
                                         int point, bool complex);

#endif
