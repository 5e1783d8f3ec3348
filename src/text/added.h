/* added.h - added tokens, found in text: leftmost, then longest. */
#ifndef SXT_TEXT_ADDED_H
#define SXT_TEXT_ADDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct sxt_added; /* opaque; read-only once sealed */

struct sxt_added *sxt_added_create(void);
void sxt_added_destroy(struct sxt_added *set);
/* The content is copied and not empty. */
void sxt_added_put(struct sxt_added *set, struct sxt_span content, int32_t id);
/* No more puts; now it can find. */
void sxt_added_seal(struct sxt_added *set);

/* First token that starts at or behind `from`; false if there is none. */
bool sxt_added_find(const struct sxt_added *set, struct sxt_span text,
                    size_t from, size_t *start, size_t *end, int32_t *id);

#endif
