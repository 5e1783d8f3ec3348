/* dedup.h - questions that are the same, and questions a benchmark knows. */
#ifndef SXT_TASK_DEDUP_H
#define SXT_TASK_DEDUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Hash of a question's words: letters in lower case and digits; what else is
 * there only separates, but for signs that change a formula. */
uint64_t sxt_dedup_key(struct sxt_span question);

/* The runs of n words that occur in a set of texts. */
struct sxt_ngrams;
struct sxt_ngrams *sxt_ngrams_create(size_t n);
void sxt_ngrams_destroy(struct sxt_ngrams *grams); /* NULL is legal */
/* A text of fewer words counts as one run. */
void sxt_ngrams_add(struct sxt_ngrams *grams, struct sxt_span text);
/* Does the text share a run with what was added? */
bool sxt_ngrams_meet(const struct sxt_ngrams *grams, struct sxt_span text);

#endif
