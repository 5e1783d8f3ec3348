/* mathunit.h - units of measure and of money: the same, convertible, or not. */
#ifndef SXT_TASK_MATHUNIT_H
#define SXT_TASK_MATHUNIT_H

#include <stdbool.h>

#include "base/str.h"
#include "task/mathexact.h"

/* The same unit in whatever spelling; a missing one agrees with any. */
bool sxt_mathunit_agree(struct sxt_span a, struct sxt_span b);

/* What a number of unit a is multiplied by to be one of unit b (100 for m and
 * cm); false if they do not measure the same thing. */
bool sxt_mathunit_factor(struct sxt_span a, struct sxt_span b,
                         struct sxt_rational *factor);

#endif
