/* mathsentence.h - an answer that is a whole sentence. */
#ifndef SXT_TASK_MATHSENTENCE_H
#define SXT_TASK_MATHSENTENCE_H

#include <stdbool.h>

#include "base/str.h"

/* "Therefore $x \ge 5$ is the solution": the one formula of a short sentence,
 * or its one number, if no word changes or doubts it.  *inside: part of s. */
bool sxt_mathsentence(struct sxt_span s, struct sxt_span *inside);

#endif
