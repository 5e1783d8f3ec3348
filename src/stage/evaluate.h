/* evaluate.h - the parts of the evaluate command. */
#ifndef SXT_STAGE_EVALUATE_H
#define SXT_STAGE_EVALUATE_H

#include "h5/frame.h"
#include "stage/grading.h"
#include "stage/stage.h"

/* What a benchmark problem came to. */
struct sxt_item {
    size_t problem;  /* row in problems */
    int64_t samples; /* without those that the sandbox failed on */
    int64_t passed, tokens;
    bool votes;               /* false: programs have no majority */
    struct sxt_span majority; /* borrowed; empty: none */
    bool majority_passes;
};

struct sxt_items {
    struct sxt_item *item; /* owned; by row of problems */
    size_t count;
    int64_t failed; /* samples that the sandbox failed on */
    bool have_tokens;
    char *answers; /* owned: what the majorities point to */
};

/* Bring all verdicts together.  Every rank gets the same.  Collective. */
void sxt_items_gather(const struct sxt_run *run, const struct sxt_grading *g,
                      struct sxt_items *items);
void sxt_items_free(struct sxt_items *items);

/* Rows of the summary: for each source, and for all of several, pass@k for
 * k = 1, 2, 4, … up to the samples drawn, maj@n over the problems that vote,
 * mean_tokens.  reference: the model whose published scores are put beside
 * them. */
struct sxt_frame *sxt_items_summary(const struct sxt_items *items,
                                    const struct sxt_problems *problems,
                                    const char *reference);
void sxt_summary_print(const struct sxt_run *run, const struct sxt_frame *f);

#endif
