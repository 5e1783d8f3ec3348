/* grading.h - verdicts for all responses, on all ranks; for grade and
 * evaluate. */
#ifndef SXT_STAGE_GRADING_H
#define SXT_STAGE_GRADING_H

#include "stage/problems.h"
#include "stage/responses.h"
#include "stage/stage.h"
#include "stage/worklog.h"

/* Parameter group: how to grade. */
struct sxt_grading_options {
    char *python, *profile, *wrapper;
    double tolerance;
    bool guess, accept_reduced;
};
extern const struct sxt_cfg_param sxt_grading_params[];

struct sxt_grading {
    struct sxt_problems *problems;   /* owned */
    struct sxt_responses *responses; /* owned; this rank's texts are loaded */
    size_t *problem_of;              /* (responses) row in problems */
    size_t first, count;             /* this rank's responses */
    struct sxt_frame *verdicts;      /* of those, sxt_verdict_columns */
    struct sxt_worklog *log;         /* verdicts so far; NULL: none kept */
    double seconds;
};

/* Open both files and check that every response belongs to a problem.
 * Collective. */
int sxt_grading_open(const struct sxt_run *run, const char *problems,
                     const char *responses, struct sxt_grading *g,
                     struct sxt_error *err);
/* Grade this rank's share; what an earlier run for the same output graded is
 * taken from OUTPUT.journal/.  Collective. */
int sxt_grading_grade(const struct sxt_run *run,
                      const struct sxt_grading_options *options,
                      const char *output, struct sxt_grading *g,
                      struct sxt_error *err);
/* Free; the journal is kept unless rc is 0, when the output is there.  Returns
 * rc, or -1 if that fails.  Collective. */
int sxt_grading_close(struct sxt_grading *g, int rc, struct sxt_error *err);

/* A grader with these options, still without a sandbox. */
struct sxt_grader sxt_grading_grader(const struct sxt_grading_options *options);
/* A sandbox for it; NULL on failure. */
struct sxt_sandbox *sxt_grading_sandbox(
    const struct sxt_grading_options *options, struct sxt_error *err);

/* Print how the verdicts on run's operands, FILE ID [SAMPLE], come about;
 * `problems` lies beside FILE, unless FILE holds verdicts and so names it.
 * Rank 0 works, the others return 0. */
int sxt_grading_explain(const struct sxt_run *run,
                        const struct sxt_grading_options *options,
                        const char *problems, struct sxt_error *err);

/* The closing table: a line a source with counts of each verdict.
 * Collective. */
void sxt_grading_print(const struct sxt_run *run, const struct sxt_grading *g);

#endif
