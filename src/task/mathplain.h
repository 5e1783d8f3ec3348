/* mathplain.h - the characters of an answer in their plain form. */
#ifndef SXT_TASK_MATHPLAIN_H
#define SXT_TASK_MATHPLAIN_H

#include "base/str.h"

/* HTML entities (&lt; &#60; &le;) as what they show; full-width forms (１２)
 * and styled letters (𝑥) as the usual ones, but for signs that join numbers
 * otherwise than theirs.  Where there is none of these, which is cheap to
 * know, s itself; else *buffer, which the caller frees either way. */
struct sxt_span sxt_mathplain(struct sxt_span s, struct sxt_str *buffer);

#endif
