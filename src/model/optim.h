/* optim.h - AdamW on shards, and the norm of the gradients.
 *
 * Adds to a sharded model the f32 moments and, for bf16 parameters, the 16 bits
 * that make the parameter an f32 again (the split master): with the gradients
 * 16 bytes a parameter, over all ranks.  Everything is element by element or
 * leaf by leaf, so it gives the same bits on any number of ranks.
 *
 * Units that are away keep all of this in host memory, and a thread of their
 * own updates them there, in the order in which the next forward pass needs
 * them, while it runs: nothing is late by a step, and no bit differs. */
#ifndef SXT_MODEL_OPTIM_H
#define SXT_MODEL_OPTIM_H

#include "model/zero3.h"

struct sxt_optim; /* opaque */

/* Moments and remainders are zero at first.  z is borrowed. */
struct sxt_optim *sxt_optim_create(struct sxt_zero3 *z);
void sxt_optim_destroy(struct sxt_optim *o);
/* Bytes of a rank that create() takes. */
struct sxt_optim_bytes {
    size_t device, host;
};
struct sxt_optim_bytes sxt_optim_bytes(const struct sxt_zero3_setup *setup);

/* L2 norm of the gradients of the whole model, in f64.  Not finite: *rank is
 * the lowest rank that owns a culprit, else -1.  Collective. */
double sxt_optim_grad_norm(struct sxt_optim *o, int *rank);

/* The factor that brings the norm down to `clip`; 1 if clip is 0 or the norm is
 * below it.  Pascanu et al., arXiv:1211.5063, with PyTorch's 1e-6. */
double sxt_optim_clip(double norm, double clip);

struct sxt_optim_step {
    double lr, b1, b2, eps;
    double weight_decay; /* on those tensors that the layout marks */
    double grad_scale;
    int64_t step; /* from 1: the bias corrections */
};
void sxt_optim_update(struct sxt_optim *o, const struct sxt_optim_step *step);

/* What there is of every parameter. */
enum sxt_state {
    SXT_STATE_PARAM,
    SXT_STATE_REST, /* 16 bits; bf16 parameters only */
    SXT_STATE_MEAN,
    SXT_STATE_SQUARE, /* f32, as the mean */
    SXT_STATES
};
/* This rank's shard of it (count elements) to and from ordinary memory, from
 * and to wherever it is kept.  After parameters were put, sxt_zero3_changed. */
void sxt_optim_get(struct sxt_optim *o, enum sxt_state what, size_t unit,
                   void *to);
void sxt_optim_put(struct sxt_optim *o, enum sxt_state what, size_t unit,
                   const void *from);

#endif
