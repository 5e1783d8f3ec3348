/* jsonbig.h - numbers that jansson cannot hold; private to json.c.
 *
 * Integers beyond 64 bits, reals beyond a double, and the NaN and Infinity
 * that Python writes become strings behind a mark (U+FDD0, which Unicode keeps
 * for a program's own use) before jansson reads a text, and numbers again after
 * it has written one.  So that no string can pose as a number, one that has the
 * mark in front gets a second one meanwhile. */
#ifndef SXT_BASE_JSONBIG_H
#define SXT_BASE_JSONBIG_H

#include <stdbool.h>

#include "base/str.h"

/* Does a string in the text have the mark in front? */
bool sxt_jsonbig_needs(struct sxt_span text);
/* Append the text with such numbers and strings marked; false if none is. */
bool sxt_jsonbig_mark(struct sxt_span text, struct sxt_str *out);
/* Append the text with what is marked as it was. */
void sxt_jsonbig_unmark(struct sxt_span text, struct sxt_str *out);
/* Bytes of the mark in front of a string, 0 if there is none. */
size_t sxt_jsonbig_skip(struct sxt_span string);
/* The number in a marked string; {NULL, 0} if it is any other. */
struct sxt_span sxt_jsonbig_number(struct sxt_span string);

#endif
