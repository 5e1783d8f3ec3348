/* mathregion.h - solution sets: parts of the real line, however written.
 *
 *   [1, 2) ∪ {3}      1 ≤ x < 2 or x = 3      {x | x ≠ 3}      |x - 1| < 2
 *
 * become a sorted union of intervals, so that they can be compared. */
#ifndef SXT_TASK_MATHREGION_H
#define SXT_TASK_MATHREGION_H

#include "task/mathexpr.h"

#define SXT_REGION_PIECES 24

struct sxt_math_interval {
    const struct sxt_math_node *low, *high; /* NULL: infinite */
    bool low_closed, high_closed;
    long double from, to; /* the same as numbers, where they are constants */
};

struct sxt_math_region {
    struct sxt_math_interval at[SXT_REGION_PIECES];
    size_t count;
    const struct sxt_math_node *label; /* of which variable; NULL: not said */
    bool certain; /* false: (1, 2) may be a point as well */
    bool rich;    /* more than an interval in brackets */
    struct sxt_math_node made[8 * SXT_REGION_PIECES]; /* bounds put together */
    size_t n_made;
    long *fuel; /* borrowed, of evaluations */
};

/* x, x_1, f(x), AB, |AB|, AB/CD, \sin A, (x, y): stands for something. */
bool sxt_math_is_label(const struct sxt_math_node *n);
/* The same in every node. */
bool sxt_math_is_written_alike(const struct sxt_math_node *a,
                               const struct sxt_math_node *b);

/* False if n is no such set, or one with bounds that cannot be ordered. */
bool sxt_mathregion_of(const struct sxt_math_node *n, long *fuel,
                       struct sxt_math_region *out);

#endif
