/* upstreamtext.h - changes to a text, for upstream*.c only. */
#ifndef SXT_TASK_UPSTREAMTEXT_H
#define SXT_TASK_UPSTREAMTEXT_H

#include "base/str.h"

struct sxt_span sxt_upstreamtext_span(const struct sxt_str *s);
void sxt_upstreamtext_set(struct sxt_str *s, struct sxt_span to);
/* Every occurrence, left to right. */
void sxt_upstreamtext_replace(struct sxt_str *s, const char *from,
                              const char *to);
/* Characters of a set off both ends. */
struct sxt_span sxt_upstreamtext_strip(struct sxt_span s, const char *set);

#endif
