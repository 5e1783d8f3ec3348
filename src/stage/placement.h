/* placement.h - on which devices a command computes, with which kernels: the
 * parameters that all commands with numbers share. */
#ifndef SXT_STAGE_PLACEMENT_H
#define SXT_STAGE_PLACEMENT_H

#include "num/open.h"
#include "stage/stage.h"

/* Nameless parameter group. */
struct sxt_placement {
    char *device, *backend;
    bool share_device;
    int64_t threads;
};
extern const struct sxt_cfg_param sxt_placement_params[];

/* Open this rank's device and kernels; what was chosen is logged.  Both are
 * for sxt_num_close().  Collective. */
int sxt_placement_open(const struct sxt_run *run, const struct sxt_placement *v,
                       enum sxt_num_use use, struct sxt_dev **dev,
                       struct sxt_num **num, struct sxt_error *err);

#endif
