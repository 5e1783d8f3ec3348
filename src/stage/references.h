/* references.h - published scores, to be printed beside ours. */
#ifndef SXT_STAGE_REFERENCES_H
#define SXT_STAGE_REFERENCES_H

#include "base/str.h"

struct sxt_reference {
    const char *model, *benchmark, *metric;
    double value;       /* 0 … 1 */
    const char *source; /* where it was published, and how it was measured */
};

/* The published score of a model on a benchmark, NULL if we know none. */
const struct sxt_reference *sxt_reference_find(struct sxt_span model,
                                               struct sxt_span benchmark,
                                               struct sxt_span metric);

#endif
