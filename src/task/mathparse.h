/* mathparse.h - from tokens to a tree; for mathexpr.c only. */
#ifndef SXT_TASK_MATHPARSE_H
#define SXT_TASK_MATHPARSE_H

#include "task/mathexpr.h"

/* Parse tree->tokens (at least one) into the arena, which is there.  NULL if
 * they are not in the grammar. */
const struct sxt_math_node *sxt_mathparse(struct sxt_math_tree *tree);

#endif
