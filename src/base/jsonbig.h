/* jsonbig.h - numbers that jansson cannot hold; private to json.c.
 *
 * Integers beyond 64 bits, reals beyond a double, and the NaN and Infinity
 * that Python writes become strings behind a mark (U+FDD0, which Unicode keeps
 * for a program's own use) before jansson reads a text, and numbers again after
 * it has written one. */
#ifndef SXT_BASE_JSONBIG_H
#define SXT_BASE_JSONBIG_H

#include <stdbool.h>

#include "base/str.h"

/* Append the text with such numbers marked; false if there are none. */
bool sxt_jsonbig_mark(struct sxt_span text, struct sxt_str *out);
/* Append the text with marked numbers as they were. */
void sxt_jsonbig_unmark(struct sxt_span text, struct sxt_str *out);
/* The number in a marked string; {NULL, 0} if it is any other. */
struct sxt_span sxt_jsonbig_number(struct sxt_span string);

#endif
