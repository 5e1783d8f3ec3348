/* upstream.h - SkyThought's rules for answers, oddities included, so that
 * scores can be compared with those it published.
 *
 * After NovaSky-AI/SkyThought 0d190f1, evals/util/math_parsing_util.py and
 * scorers, described in our own words in doc/grading.md.  Where it asks SymPy
 * we ask our own identity of expressions, and nothing is evaluated as code. */
#ifndef SXT_TASK_UPSTREAM_H
#define SXT_TASK_UPSTREAM_H

#include <stdbool.h>

#include "base/str.h"

/* How a data set is scored there. */
enum sxt_upstream_scorer {
    SXT_UPSTREAM_MATH,     /* both sides normalised */
    SXT_UPSTREAM_RAW,      /* Omni-MATH, LiveAoPS: the reference is not */
    SXT_UPSTREAM_GSM,      /* the last number, as a string */
    SXT_UPSTREAM_LETTER,   /* GPQA, MMLU: the last lone letter A to D */
    SXT_UPSTREAM_MMLU_PRO, /* "answer is (X)", else the last lone A to J */
    SXT_UPSTREAM_ARC       /* the first A to D of the answer */
};

/* By the name of a data set; others are MATH, or LETTER for choices. */
enum sxt_upstream_scorer sxt_upstream_scorer(struct sxt_span source,
                                             bool choice);
const char *sxt_upstream_name(enum sxt_upstream_scorer scorer);

/* Right or wrong; the answer found is appended to *answer. */
bool sxt_upstream_score(enum sxt_upstream_scorer scorer, struct sxt_span gold,
                        struct sxt_span response, struct sxt_str *answer);

/* The pieces. */
void sxt_upstream_extract(struct sxt_span response, struct sxt_str *out);
void sxt_upstream_normalise(struct sxt_span answer, struct sxt_str *out);
bool sxt_upstream_equal(struct sxt_span pred, struct sxt_span ref);

#endif
