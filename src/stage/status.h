/* status.h - how far commands are.
 *
 * While a command works, rank 0 keeps a record of it, RUN/status/OUTPUT.json
 * (doc/formats.md), which `sextant status` reads; on a terminal there is a live
 * bar too.  A record that cannot be written is no fault of the run. */
#ifndef SXT_STAGE_STATUS_H
#define SXT_STAGE_STATUS_H

#include "stage/stage.h"

/* What a command tells.  Texts are borrowed for as long as it runs. */
struct sxt_status_now {
    const char *doing;       /* "drawing", "training" */
    const char *unit;        /* of done and total: "answers" */
    double done, total;      /* total 0: unknown */
    double tokens;           /* since this call began; 0: not counted */
    double left_s;           /* 0: in proportion to what is done */
    double need_s;           /* to stop, at the end of the job */
    const char *checkpoints; /* their directory, NULL: none */
    int gpus;                /* that the ranks have together */
    bool lines;              /* print a line now and then */
};

/* Tell it: cheap, so tell often.  Rank 0's word counts. */
void sxt_status_tell(const struct sxt_run *run,
                     const struct sxt_status_now *now);

/* The same, once and again: `doing` with no end in sight. */
void sxt_status_doing(const struct sxt_run *run, const char *doing);

/* The closing line of a command, the same in every version: what it got done,
 * how fast, since `began` (sxt_clock).  A dry run did nothing. */
void sxt_status_performance(const struct sxt_run *run, double count,
                            const char *unit, double began);

/* The command's run (), between a record's begin and its end.  Collective. */
int sxt_status_run(struct sxt_run *run, const struct sxt_stage *stage,
                   const void *values, struct sxt_error *err);

/* The name of the file that a command writes, NULL if it has none. */
const char *sxt_status_output(const struct sxt_stage *stage,
                              const void *values);

/* The steps that a pipeline is going to take, for those that wait: their
 * commands and names of outputs (NULL: none).  Rank 0. */
void sxt_status_plan(const struct sxt_run *run, const char *const *commands,
                     const char *const *outputs, size_t n);

#endif
