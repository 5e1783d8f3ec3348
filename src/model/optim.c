/* optim.c - AdamW on shards. */
#include "model/optim.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* A run of neighbouring elements of a shard with the same weight decay. */
struct run {
    size_t unit;
    size_t at, n; /* elements from the shard's begin */
    bool decay;
};

struct sxt_optim {
    struct sxt_zero3 *z; /* borrowed */
    uint16_t *rest;      /* device; NULL for f32 */
    float *m, *v;        /* device */
    struct run *runs;    /* of this rank's shards, in order */
    size_t n_runs, cap;
    double *leaf; /* sums of squares */
};

static void add_run(struct sxt_optim *o, struct run run)
{
    struct run *last = o->n_runs > 0 ? &o->runs[o->n_runs - 1] : NULL;

    if (last && last->unit == run.unit && last->decay == run.decay &&
        last->at + last->n == run.at) {
        last->n += run.n;
        return;
    }
    o->runs = sxt_grow(o->runs, &o->cap, o->n_runs + 1, sizeof(*o->runs));
    o->runs[o->n_runs++] = run;
}

/* What this rank owns of every tensor; padding belongs to none. */
static void find_runs(struct sxt_optim *o)
{
    const struct sxt_layout *layout = sxt_zero3_setup(o->z)->layout;

    for (size_t i = 0; i < layout->n_tensors; i++) {
        const struct sxt_tensor *t = &layout->tensors[i];
        struct sxt_shard s = sxt_zero3_shard(o->z, t->unit);
        size_t begin = t->offset, end = t->offset + t->rows * t->cols;

        begin = begin > s.first ? begin : s.first;
        end = end < s.first + s.count ? end : s.first + s.count;
        if (begin < end)
            add_run(o, (struct run){ t->unit, begin - s.first, end - begin,
                                     t->decay });
    }
}

struct sxt_optim *sxt_optim_create(struct sxt_zero3 *z)
{
    struct sxt_optim *o = sxt_calloc(1, sizeof(*o));
    struct sxt_dev *dev = sxt_zero3_setup(z)->num->dev;
    size_t n = sxt_zero3_shard_total(z);

    o->z = z;
    if (sxt_zero3_setup(z)->type == SXT_BF16)
        o->rest =
            sxt_dev_alloc_for(dev, SXT_DEV_OPTIMISER, n * sizeof(*o->rest));
    o->m = sxt_dev_alloc_for(dev, SXT_DEV_OPTIMISER, n * sizeof(*o->m));
    o->v = sxt_dev_alloc_for(dev, SXT_DEV_OPTIMISER, n * sizeof(*o->v));
    o->leaf = sxt_alloc(sxt_zero3_leaves(z), sizeof(*o->leaf));
    find_runs(o);
    return o;
}

void sxt_optim_destroy(struct sxt_optim *o)
{
    if (!o)
        return;
    struct sxt_dev *dev = sxt_zero3_setup(o->z)->num->dev;
    sxt_dev_free(dev, o->rest);
    sxt_dev_free(dev, o->m);
    sxt_dev_free(dev, o->v);
    free(o->runs);
    free(o->leaf);
    free(o);
}

size_t sxt_optim_bytes(const struct sxt_zero3_setup *set)
{
    size_t total = 0;

    for (size_t u = 0; u < set->layout->n_units; u++)
        total += sxt_cut_unit(set->layout->unit_size[u], set->comm.size).each;
    return total *
           (2 * sizeof(float) + (set->type == SXT_BF16 ? sizeof(uint16_t) : 0));
}

/* Sums of squares of the leaves this rank owns; the others' places are 0. */
static void own_leaves(struct sxt_optim *o)
{
    const struct sxt_zero3_setup *set = sxt_zero3_setup(o->z);

    for (size_t i = 0; i < sxt_zero3_leaves(o->z); i++)
        o->leaf[i] = 0;
    for (size_t u = 0; u < set->layout->n_units; u++) {
        struct sxt_shard s = sxt_zero3_shard(o->z, u);
        size_t at = sxt_zero3_leaf_at(o->z, u) + s.first / s.leaf;
        sxt_sumsq_leaves(set->num, o->leaf + at, s.g, s.count, s.leaf);
    }
}

double sxt_optim_grad_norm(struct sxt_optim *o, int *rank)
{
    const struct sxt_zero3_setup *set = sxt_zero3_setup(o->z);
    int64_t culprit = 0;
    double sum = 0;

    own_leaves(o);
    for (size_t i = 0; i < sxt_zero3_leaves(o->z); i++)
        if (!isfinite(o->leaf[i]))
            culprit = set->comm.size - set->comm.rank;
    *rank = set->comm.size - (int)sxt_comm_max(set->comm, culprit);
    *rank = *rank == set->comm.size ? -1 : *rank;
    sxt_zero3_share_leaves(o->z, o->leaf);
    for (size_t i = 0; i < sxt_zero3_leaves(o->z); i++)
        sum += o->leaf[i];
    return sqrt(sum);
}

double sxt_optim_clip(double norm, double clip)
{
    double factor = clip / (norm + 1e-6);

    return clip > 0 && factor < 1 ? factor : 1;
}

void sxt_optim_update(struct sxt_optim *o, const struct sxt_optim_step *step)
{
    const struct sxt_zero3_setup *set = sxt_zero3_setup(o->z);

    for (size_t i = 0; i < o->n_runs; i++) {
        const struct run *run = &o->runs[i];
        struct sxt_shard s = sxt_zero3_shard(o->z, run->unit);
        struct sxt_optim_shard state = sxt_optim_shard(o, run->unit);
        struct sxt_adamw a = {
            .p = (char *)s.p + run->at * sxt_dtype_size(set->type),
            .rest = state.rest ? state.rest + run->at : NULL,
            .m = state.m + run->at,
            .v = state.v + run->at,
            .grad = s.g + run->at,
            .n = run->n,
            .lr = step->lr,
            .b1 = step->b1,
            .b2 = step->b2,
            .eps = step->eps,
            .wd = run->decay ? step->weight_decay : 0,
            .grad_scale = step->grad_scale,
            .step = step->step,
            .type = set->type,
        };
        sxt_adamw(set->num, &a);
    }
    sxt_zero3_changed(o->z);
}

struct sxt_optim_shard sxt_optim_shard(struct sxt_optim *o, size_t unit)
{
    size_t at = sxt_zero3_shard_at(o->z, unit);

    return (struct sxt_optim_shard){ o->rest ? o->rest + at : NULL, o->m + at,
                                     o->v + at };
}
