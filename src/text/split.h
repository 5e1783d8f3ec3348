/* split.h - the pre-tokeniser: cuts text into the pieces that are encoded one
 * by one. */
#ifndef SXT_TEXT_SPLIT_H
#define SXT_TEXT_SPLIT_H

#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

struct sxt_split; /* opaque; read-only: threads may share it */

/* From the member "pre_tokenizer": Split, Digits and ByteLevel, alone or in a
 * Sequence whose last is ByteLevel. */
struct sxt_split *sxt_split_parse(const struct sxt_json *json,
                                  const char *where, struct sxt_error *err);
void sxt_split_destroy(struct sxt_split *split);

/* Call piece(user, span) for each piece of valid UTF-8, in order; a span is
 * good during the call only.  space: see regex.h. */
struct sxt_regex_space;
void sxt_split_run(const struct sxt_split *split, struct sxt_span text,
                   struct sxt_regex_space *space,
                   void (*piece)(void *user, struct sxt_span piece),
                   void *user);

#endif
