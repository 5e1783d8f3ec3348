/* stop.h - when an answer is over: stop strings and loops. */
#ifndef SXT_MODEL_STOP_H
#define SXT_MODEL_STOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Look for stop strings after new bytes were added to a text.
 *
 * Only matches that end behind `from` (bytes that were searched before) count,
 * so a string that lies across token borders is found when its last byte
 * comes.  Returns where the earliest match begins, that is, the length of the
 * text without it; -1 if there is none. */
long sxt_stop_find(struct sxt_span text, size_t from, char *const *stops,
                   size_t n_stops);

/* A model that repeats itself never ends by itself.
 *
 * The rule: the answer loops when its last L tokens have some period
 * p <= SXT_LOOP_PERIOD, that is, token i equals token i - p throughout, with
 * L >= SXT_LOOP_TOKENS and L >= SXT_LOOP_TIMES p.  So one token must come 256
 * times, a line of 40 tokens seven times, a paragraph of 512 four times.
 * It depends on the tokens only; it costs O(SXT_LOOP_PERIOD) per token. */
enum { SXT_LOOP_PERIOD = 512, SXT_LOOP_TOKENS = 256, SXT_LOOP_TIMES = 4 };

/* run[p - 1]: how many tokens at the end equal the one p before them. */
struct sxt_loop {
    uint32_t run[SXT_LOOP_PERIOD];
};
void sxt_loop_init(struct sxt_loop *loop);
/* ids[n - 1] was just added; true if the answer loops. */
bool sxt_loop_add(struct sxt_loop *loop, const int32_t *ids, size_t n);

#endif
