/* problems.h - a problems.h5 in memory: names at once, tests when asked for. */
#ifndef SXT_STAGE_PROBLEMS_H
#define SXT_STAGE_PROBLEMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "task/grade.h"

struct sxt_problems; /* opaque */

/* Every rank opens its own; not collective. */
struct sxt_problems *sxt_problems_open(const char *path, struct sxt_error *err);
void sxt_problems_close(struct sxt_problems *p); /* NULL is legal */

size_t sxt_problems_count(const struct sxt_problems *p);
/* Row of an id, -1 if there is none. */
long sxt_problems_find(const struct sxt_problems *p, struct sxt_span id);

struct sxt_span sxt_problems_id(const struct sxt_problems *p, size_t row);
struct sxt_span sxt_problems_source(const struct sxt_problems *p, size_t row);
struct sxt_span sxt_problems_domain(const struct sxt_problems *p, size_t row);
struct sxt_span sxt_problems_split(const struct sxt_problems *p, size_t row);
/* The problem as its source has it. */
struct sxt_span sxt_problems_text(const struct sxt_problems *p, size_t row);
/* Its choices, a JSON list; empty if it has none. */
struct sxt_span sxt_problems_choices(const struct sxt_problems *p, size_t row);
/* The user message. */
struct sxt_span sxt_problems_prompt(const struct sxt_problems *p, size_t row);
uint64_t sxt_problems_key(const struct sxt_problems *p, size_t row);

/* What the grader asks for; tests are read from the file in blocks, and stay
 * valid until a question of another block is asked for. */
int sxt_problems_question(struct sxt_problems *p, size_t row,
                          struct sxt_question *question, struct sxt_error *err);

/* The different sources in order of appearance: *count spans, borrowed; the
 * array is the caller's. */
struct sxt_span *sxt_problems_sources(const struct sxt_problems *p,
                                      size_t *count);

#endif
