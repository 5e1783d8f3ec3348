/* mathequal.h - does a predicted answer say the same as the reference?
 *
 * Rules in order; the first that can decide does, and is named.  Anything not
 * proved equal is wrong: a wrong solution kept for training costs more than a
 * right one lost.  doc/grading.md lists the conventions (percent signs, units,
 * order of lists, brackets of intervals, rounded decimals). */
#ifndef SXT_TASK_MATHEQUAL_H
#define SXT_TASK_MATHEQUAL_H

#include "base/str.h"
#include "task/mathidentity.h"

struct sxt_math_judgement {
    enum sxt_math_verdict verdict;
    const char *rule; /* static: "same", "text", "identity", "list", … */
};

/* Linear in the length of the answers but for lists, which are capped; never
 * fails. */
struct sxt_math_judgement sxt_mathequal(struct sxt_span gold,
                                        struct sxt_span answer);

#endif
