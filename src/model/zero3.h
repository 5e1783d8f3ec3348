/* zero3.h - parameters and gradients in shards over all ranks, by units:
 * gather → use → release for weights, complete → reduce for gradients.
 * Rajbhandari et al., arXiv:1910.02054, stage 3, as a static schedule.
 *
 * A unit's flat array is cut into leaves of equal length, which depends on the
 * unit only; a rank owns a run of whole leaves.  Whatever is summed over
 * elements (the gradient norm) or hashed (a checkpoint) is taken leaf by leaf
 * and put together in leaf order, so that it is the same, to the bit, on any
 * number of ranks.
 *
 * So are the gradients: the bins of a step are dealt out in rounds, bin
 * k P + r to rank r in round k, and every element adds the bins' contributions
 * one after the other in f32, in the order of the bins. */
#ifndef SXT_MODEL_ZERO3_H
#define SXT_MODEL_ZERO3_H

#include "dev/coll.h"
#include "model/layout.h"
#include "model/params.h"
#include "num/ops.h"

/* How a unit of `size` elements is cut for `ranks` ranks. */
struct sxt_cut {
    size_t leaf;     /* elements, a power of two, at least 64 */
    size_t n_leaves; /* of the unit; at most 4096 */
    size_t each;     /* elements of every rank's shard, with padding */
};
struct sxt_cut sxt_cut_unit(size_t size, int ranks);

struct sxt_zero3_setup {
    const struct sxt_layout *layout; /* borrowed */
    struct sxt_num *num;             /* borrowed */
    struct sxt_comm comm;
    enum sxt_dtype type;        /* of the parameters */
    enum sxt_dtype reduce_type; /* in which gradients travel */
    int ahead; /* units gathered before they are needed; 0: none */
    /* The last units that hold this share of all elements keep the sums of
     * their gradients, and a copy of their parameters, in host memory; with
     * params_away they have no shard of parameters on the device at all.  The
     * last, for they are needed last after an update.  Nothing of this changes
     * a bit. */
    double away; /* 0 … 1 */
    bool params_away;
};
/* The first unit that is away; n_units: none. */
size_t sxt_zero3_first_away(const struct sxt_zero3_setup *setup);

/* Memory of a rank, by purpose, in bytes; nothing is allocated. */
struct sxt_zero3_bytes {
    size_t params, grads; /* shards */
    size_t gathered;      /* whole units of parameters */
    size_t reducing;      /* whole units of gradients, and a sum on its way */
    size_t host;          /* parameters and gradients of units away */
};
struct sxt_zero3_bytes sxt_zero3_bytes(const struct sxt_zero3_setup *setup);

struct sxt_zero3; /* opaque */

/* Shards are zero at first.  Collective, as are destroy, the gets and puts of
 * units, and end_round: every rank makes the same calls. */
struct sxt_zero3 *sxt_zero3_create(const struct sxt_zero3_setup *setup);
void sxt_zero3_destroy(struct sxt_zero3 *z);
const struct sxt_zero3_setup *sxt_zero3_setup(const struct sxt_zero3 *z);

/* What moves bytes between the ranks, as sxt_coll_about has it. */
const char *sxt_zero3_between(const struct sxt_zero3 *z);

/* For the network; borrowed. */
struct sxt_params *sxt_zero3_params(struct sxt_zero3 *z);
struct sxt_grads *sxt_zero3_grads(struct sxt_zero3 *z);

/* A step: begin, any number of rounds, then read the gradients.  In a round
 * ranks 0 … active - 1 contribute; the others take part (with any batch) but
 * what they put is dropped.  A unit is put at most once in a round. */
void sxt_zero3_begin_step(struct sxt_zero3 *z);
void sxt_zero3_begin_round(struct sxt_zero3 *z, int active);
void sxt_zero3_end_round(struct sxt_zero3 *z);

/* This rank's shard of a unit: its elements [first, first + count) lie at p
 * (of the setup's type) and g (f32, the sum so far); in device memory, or if
 * the unit is away in host memory. */
struct sxt_shard {
    size_t first, count; /* count 0: the rank owns nothing of this unit */
    size_t leaf;
    bool away;
    void *p;
    float *g;
};
struct sxt_shard sxt_zero3_shard(struct sxt_zero3 *z, size_t unit);
/* Elements of this rank's shards of the units [begin, end), with padding. */
size_t sxt_zero3_elements(const struct sxt_zero3 *z, size_t begin, size_t end);
/* The unit's gradient in device memory, wherever it is kept; until the next
 * call or put. */
const float *sxt_zero3_gradient(struct sxt_zero3 *z, size_t unit);

/* Parameters have changed: forget what was gathered. */
void sxt_zero3_changed(struct sxt_zero3 *z);
/* From now on settle(arg, unit) is called before the parameters of a unit away
 * are read, or its gradients written: it waits for who still works on them. */
void sxt_zero3_on_use(struct sxt_zero3 *z,
                      void (*settle)(void *arg, size_t unit), void *arg);

/* Since create, in host seconds and bytes that this rank received. */
struct sxt_zero3_traffic {
    double gather_s, reduce_s; /* waiting for what was not there in time */
    double settle_s;           /* waiting for updates on the host */
    double gathered, reduced;
};
struct sxt_zero3_traffic sxt_zero3_traffic(const struct sxt_zero3 *z);

/* One number per leaf of all units, in order, from the owners to everybody:
 * x[sxt_zero3_leaf_at(unit) + leaf], zero where this rank is not the owner,
 * becomes complete.  Collective. */
size_t sxt_zero3_leaves(const struct sxt_zero3 *z);
size_t sxt_zero3_leaf_at(const struct sxt_zero3 *z, size_t unit);
void sxt_zero3_share_leaves(struct sxt_zero3 *z, double *x);

#endif
