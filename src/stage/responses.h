/* responses.h - what is graded: generations.h5, traces.h5, or JSON lines that
 * any other engine wrote. */
#ifndef SXT_STAGE_RESPONSES_H
#define SXT_STAGE_RESPONSES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "h5/frame.h"

struct sxt_responses; /* opaque */

/* Read who answered what, but no texts yet.  The file's format decides; a name
 * that ends with .jsonl or .jsonl.gz is {"id", "response"[, "sample"]} a line,
 * where malformed lines are named by number.  Every rank opens its own. */
struct sxt_responses *sxt_responses_open(const char *path,
                                         struct sxt_error *err);
void sxt_responses_close(struct sxt_responses *r); /* NULL is legal */

size_t sxt_responses_count(const struct sxt_responses *r);
struct sxt_span sxt_responses_id(const struct sxt_responses *r, size_t row);
int64_t sxt_responses_sample(const struct sxt_responses *r, size_t row);
/* stop, length, loop or external. */
struct sxt_span sxt_responses_finish(const struct sxt_responses *r, size_t row);
/* True if it has output tokens to be counted. */
bool sxt_responses_have_tokens(const struct sxt_responses *r);

/* Read the texts of rows [first, first + count), forgetting others. */
int sxt_responses_load(struct sxt_responses *r, size_t first, size_t count,
                       struct sxt_error *err);
/* Of a loaded row. */
struct sxt_span sxt_responses_text(const struct sxt_responses *r, size_t row);
size_t sxt_responses_tokens(const struct sxt_responses *r, size_t row);

#endif
