/* stop.c - searching the tail of a text, and periods of a token sequence. */
#include "model/stop.h"

#include <string.h>

long sxt_stop_find(struct sxt_span text, size_t from, char *const *stops,
                   size_t n_stops)
{
    long first = -1;

    for (size_t i = 0; i < n_stops; i++) {
        size_t n = strlen(stops[i]);
        size_t begin = from >= n ? from - n + 1 : 0;
        if (n == 0)
            continue;
        for (size_t at = begin; at + n <= text.len; at++) {
            if (memcmp(text.data + at, stops[i], n) != 0)
                continue;
            if (first < 0 || (long)at < first)
                first = (long)at;
            break;
        }
    }
    return first;
}

void sxt_loop_init(struct sxt_loop *loop)
{
    memset(loop, 0, sizeof(*loop));
}

bool sxt_loop_add(struct sxt_loop *loop, const int32_t *ids, size_t n)
{
    size_t longest = n - 1 < SXT_LOOP_PERIOD ? n - 1 : SXT_LOOP_PERIOD;
    int32_t last = ids[n - 1];
    bool found = false;

    for (size_t p = 1; p <= longest; p++) {
        uint32_t run = ids[n - 1 - p] == last ? loop->run[p - 1] + 1 : 0;
        size_t length = run + p;
        loop->run[p - 1] = run;
        found |= run > 0 && length >= SXT_LOOP_TOKENS &&
                 length >= SXT_LOOP_TIMES * p;
    }
    return found;
}
