/* params.h - gather, use, release: how the network gets at its weights and
 * gets rid of its gradients, whoever holds them. */
#ifndef SXT_MODEL_PARAMS_H
#define SXT_MODEL_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "num/dtype.h"

/* Weights by unit.  get() returns the whole unit in device memory, valid until
 * release(); hint() names a unit that is used soon, so that it can be on its
 * way (may do nothing): of the next `ahead` units, the nearest first.  Calls
 * are in the same order on every rank.  One unit is in use at a time; a tied
 * model's head uses two, the last and unit 0.  poke(), if not NULL, is called
 * between products, for those who move data only while they are called.
 *
 * Quantised weights: matrices() gives a block's, by enum sxt_part, in the place
 * of get()'s, which has the block's vectors only (sxt_layout_vectors); NULL
 * where all weights are of `type`. */
struct sxt_qmat;
struct sxt_coll;
struct sxt_params {
    enum sxt_dtype type;
    /* Who has the other parts, if the layout is that of a part; else NULL. */
    struct sxt_coll *group;
    int ahead;
    const void *(*get)(struct sxt_params *self, size_t unit);
    void (*release)(struct sxt_params *self, size_t unit);
    void (*hint)(struct sxt_params *self, size_t unit);
    void (*poke)(struct sxt_params *self);
    const struct sxt_qmat *(*matrices)(struct sxt_params *self, size_t unit);
    size_t bytes; /* of all that is resident; 0: not known */
    /* get() and matrices() always return the same, and start no work: passes
     * may be recorded. */
    bool resident;
};

/* Gradients by unit.  get() returns the unit's f32 array in device memory,
 * zeroed; put() hands it back complete for this micro-batch, to be reduced.
 * Units come last first, each once; a tied model gets unit 0 at the head and
 * puts it at the end. */
struct sxt_grads {
    float *(*get)(struct sxt_grads *self, size_t unit);
    void (*put)(struct sxt_grads *self, size_t unit);
};

#endif
