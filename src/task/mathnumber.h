/* mathnumber.h - numbers in words: forty-two, two thirds, fifth. */
#ifndef SXT_TASK_MATHNUMBER_H
#define SXT_TASK_MATHNUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* English words, blanks and hyphens or none between.  False: something else
 * is in them. */
bool sxt_mathnumber_words(struct sxt_span words, int64_t *num, int64_t *den);

/* 1000 for "thousand dollars", and so on up to a trillion, a dozen; 0 if the
 * words do not begin with such a scale.  *used: bytes of it. */
int64_t sxt_mathnumber_scale(struct sxt_span words, size_t *used);

/* Words behind a number that change or deny it: squared, thirds, or. */
bool sxt_mathnumber_changes(struct sxt_span words);
/* Words of a sentence that make its one number no plain answer: those, and
 * more than, at least, each. */
bool sxt_mathnumber_is_doubtful(struct sxt_span words);

#endif
