/* mathclosed.h - hard comparisons: closed forms that random evaluation leaves
 * open, decided by FLINT, Arb and Calcium.
 *
 * No library promises bounds, so the work is done in a child process with a
 * limit of processor time and memory; what does not come back in time is
 * undecided.  Without FLINT everything is. */
#ifndef SXT_TASK_MATHCLOSED_H
#define SXT_TASK_MATHCLOSED_H

#include "task/mathidentity.h"

/* EQUAL and DIFFERENT are proved for constants.  With names: equal, proved, at
 * four or more of twelve random rational points and different at none.
 * *budget_s: processor time left for it; what it takes is taken off. */
enum sxt_math_verdict sxt_mathclosed(const struct sxt_math_node *a,
                                     const struct sxt_math_node *b,
                                     double *budget_s);

#endif
