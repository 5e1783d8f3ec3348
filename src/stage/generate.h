/* generate.h - solve problems with a model; other commands may ask for it. */
#ifndef SXT_STAGE_GENERATE_H
#define SXT_STAGE_GENERATE_H

#include "stage/asking.h"
#include "stage/stage.h"

/* The values of section `generate`. */
struct sxt_generate {
    char *model, *output, *shard;
    struct sxt_wanted wanted;
    struct sxt_cfg_strings reuse;
    double snapshot_s;
    struct sxt_asking asking;
    /* No parameter: an output with other answers is renamed to OUTPUT.old
     * instead of refused, for commands that own it. */
    bool renew;
};
extern const struct sxt_cfg_param sxt_generate_params[];

/* Write v->output (SXT_GENERATIONS_FORMAT): n answers to every selected
 * problem, rows by problem, then sample.  An output that is there and answers
 * just these is left alone.  Stopped or killed, it goes on where it was when
 * called again.  Collective. */
int sxt_generate_run(const struct sxt_run *run, const struct sxt_generate *v,
                     struct sxt_error *err);

#endif
