/* checkpoint.h - the state of a training run in one file, for any number of
 * ranks.
 *
 * DIR/step-N.h5 is a model file (/tensors, /hf) with, by the same tensor names,
 * /rest (the low halves of bf16 parameters), /exp_avg and /exp_avg_sq, and
 * /state: where the run is, what it was started with, its metrics so far, and
 * an XXH3 of every leaf of every unit.  Leaves do not depend on the number of
 * ranks, so whoever loads a shard can verify it.
 *
 * If a file has its name it is complete; the newest that proves good wins. */
#ifndef SXT_STAGE_CHECKPOINT_H
#define SXT_STAGE_CHECKPOINT_H

#include "h5/in.h"
#include "model/optim.h"
#include "stage/stage.h"

/* What is saved and restored; all borrowed. */
struct sxt_checkpoint {
    const struct sxt_run *run;
    struct sxt_zero3 *z;
    struct sxt_optim *o;
    struct sxt_in *base;  /* model file that the run began with: gives /hf */
    const char *dir;      /* of the checkpoints */
    int keep;             /* newest files that stay; at least 2 */
    const char *settings; /* "name = value" lines that must not change */
    const char *const *inputs; /* for provenance */
    size_t n_inputs;
};

/* Where a run is. */
struct sxt_progress {
    int64_t step;              /* steps done */
    int64_t updates;           /* of them, not skipped: what AdamW counts */
    int64_t tokens;            /* inputs of the network so far */
    struct sxt_frame *metrics; /* sxt_metric_columns, a row a step; owned; the
                                  same on every rank */
};

/* Write DIR/step-N.h5, then remove the oldest beyond `keep`.  Collective. */
int sxt_checkpoint_save(const struct sxt_checkpoint *c,
                        const struct sxt_progress *progress,
                        struct sxt_error *err);

/* Restore from the newest good file of DIR.  Damaged ones are named in the log
 * and passed over.  No file: progress->step is 0 and nothing else is touched.
 * Fails if there are files and none is good, or if the newest was made with
 * other settings (SXT_EXIT_CONFIG, naming the first).  Collective. */
int sxt_checkpoint_restore(const struct sxt_checkpoint *c,
                           struct sxt_progress *progress,
                           struct sxt_error *err);

/* Parameters from the base model; moments are left alone.  Collective. */
int sxt_checkpoint_begin(const struct sxt_checkpoint *c, struct sxt_error *err);

/* Write the model alone.  Collective. */
int sxt_checkpoint_export(const struct sxt_checkpoint *c, const char *path,
                          struct sxt_error *err);

#endif
