/* generate_plan.h - what is to be drawn: problems, prompts and keys. */
#ifndef SXT_STAGE_GENERATE_PLAN_H
#define SXT_STAGE_GENERATE_PLAN_H

#include "h5/frame.h"
#include "stage/generate.h"

/* The columns of problems.h5 that drawing needs. */
enum { SXT_PLAN_ID, SXT_PLAN_KEY, SXT_PLAN_PROMPT };

/* Where an answer of an earlier file is. */
struct sxt_plan_reuse {
    uint32_t file; /* 1 + place in `files`; 0: nowhere */
    uint32_t row;
};

struct sxt_plan {
    struct sxt_frame *problem; /* the selected ones */
    size_t n_problems, n_samples, n_keys;
    struct sxt_str system, prefill;
    uint64_t *key; /* (n_keys): by problem, then sample */
    uint64_t keys_hash;
    char **files; /* earlier generations, resolved paths */
    size_t n_files;
    char *aside; /* where an output with other answers goes, NULL: stays */
    struct sxt_plan_reuse *reuse; /* (n_keys) */
    size_t n_reused;
};

/* Select the problems, name the draws, and look for them in earlier files and
 * in `output` itself.  Every rank makes the same plan.  Not collective. */
int sxt_plan_make(struct sxt_plan *plan, const struct sxt_run *run,
                  const struct sxt_generate *v, const struct sxt_sampler *s,
                  const char *output, struct sxt_error *err);
void sxt_plan_free(struct sxt_plan *plan);

/* Append the ids of problem i's prompt, up to where the answer begins. */
void sxt_plan_render(const struct sxt_plan *plan, const struct sxt_chat *chat,
                     size_t i, struct sxt_ids *out);
/* No prompt has more tokens. */
size_t sxt_plan_longest(const struct sxt_plan *plan);

/* Write all answers of the plan to `output`, from earlier files and from the
 * log.  Collective.  (generate_write.c) */
struct sxt_worklog;
int sxt_plan_write(struct sxt_plan *plan, const struct sxt_run *run,
                   const struct sxt_generate *v, const struct sxt_sampler *s,
                   struct sxt_worklog *log, const char *output,
                   struct sxt_error *err);

#endif
