/* mathtime.h - answers that are times of day or dates. */
#ifndef SXT_TASK_MATHTIME_H
#define SXT_TASK_MATHTIME_H

#include "task/mathidentity.h"
#include "task/mathlex.h"

/* 6:30 p.m. and 18:30; March 5, 2020 and 5 March 2020.  UNDECIDED if not both
 * are times or both are dates; 6:30 beside 13:60 may be a ratio. */
enum sxt_math_verdict sxt_mathtime_compare(const struct sxt_math_tokens *g,
                                           const struct sxt_math_tokens *p);

#endif
