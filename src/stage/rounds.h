/* rounds.h - bins dealt to the ranks in rounds, one a rank. */
#ifndef SXT_STAGE_ROUNDS_H
#define SXT_STAGE_ROUNDS_H

#include "model/net.h"
#include "model/zero3.h"

struct sxt_rounds {
    struct sxt_comm comm;
    struct sxt_dev *dev;
    struct sxt_zero3 *z;
    struct sxt_net *net;
    bool learn; /* gradients of scale * loss, too */
    float scale;
    /* Bin b, valid until the next call; from the last on what stands in for
     * one, so that the rank takes part in gathering: its gradients do not
     * count. */
    struct sxt_batch (*bin)(void *arg, size_t b);
    void *arg;
};

/* Run n bins; every rank gets every bin's sum of losses, which the caller
 * frees. Collective. */
double *sxt_rounds_run(const struct sxt_rounds *r, size_t n);

#endif
