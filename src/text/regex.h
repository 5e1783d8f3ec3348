/* regex.h - the regular expressions of a tokenizer.json.
 *
 * They are written for Oniguruma and run by PCRE2: what both read alike is
 * taken over, what can be said in PCRE2 is rewritten (\s, \p{Han}), and the
 * rest is refused by name. */
#ifndef SXT_TEXT_REGEX_H
#define SXT_TEXT_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

struct sxt_regex; /* opaque; read-only: threads may share it */

/* literal: the pattern is plain text.  where goes before messages. */
struct sxt_regex *sxt_regex_create(struct sxt_span pattern, bool literal,
                                   const char *where, struct sxt_error *err);
void sxt_regex_destroy(struct sxt_regex *re);

/* What one thread needs while matching; owned by the caller. */
struct sxt_regex_space;
struct sxt_regex_space *sxt_regex_space_create(void);
void sxt_regex_space_destroy(struct sxt_regex_space *space);

/* First match that starts at or behind byte `from` of the text (valid UTF-8;
 * look-behind sees what is before `from`); false if there is none.  A search
 * that takes too many steps gives up, and the rest of the text is the match:
 * a pattern of exponential time must not hang the program. */
bool sxt_regex_find(const struct sxt_regex *re, struct sxt_regex_space *space,
                    struct sxt_span text, size_t from, size_t *start,
                    size_t *end);

#endif
