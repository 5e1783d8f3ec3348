/* codeanswer.h - is what a program gave what was expected? */
#ifndef SXT_TASK_CODEANSWER_H
#define SXT_TASK_CODEANSWER_H

#include <stdbool.h>

#include "base/json.h"
#include "base/str.h"

/* Printed text.  White space at the ends of lines and empty lines at the end
 * do not count; otherwise lines must be equal, or have the same words, where
 * two numbers are the same word if |got - want| <= tolerance max (1, |want|).
 */
bool sxt_code_same_output(struct sxt_span got, struct sxt_span want,
                          double tolerance);

/* A value as runner/codec.py writes it, against plain JSON.  A tuple is a
 * list; a dictionary's keys are compared by their text; bool is no number;
 * int and int must be equal; with a float on either side the tolerance holds
 * as above, infinities equal themselves, NaN nothing. */
bool sxt_code_same_value(const struct sxt_json *got,
                         const struct sxt_json *want, double tolerance);

#endif
