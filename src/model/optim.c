/* optim.c - AdamW on shards, on the device and on the host. */
#include "model/optim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/worker.h"

/* A run of neighbouring elements of a shard with the same weight decay. */
struct run {
    size_t unit;
    size_t at, n; /* elements from the shard's begin */
    bool decay;
};

/* Beside the parameters of the units [first, …), as far as they have memory of
 * this kind. */
struct place {
    uint16_t *rest; /* NULL for f32 */
    float *m, *v;
    size_t first;
};

struct sxt_optim {
    struct sxt_zero3 *z;      /* borrowed */
    size_t units, first_away; /* units from there on are on the host */
    struct place here, away;  /* device; pinned host memory */
    struct run *runs;         /* of this rank's shards, by units */
    size_t n_runs, cap;
    size_t *run_at; /* (units + 1) a unit's first run */
    double *leaf;   /* sums of squares */

    /* units away; NULL if there is none */
    struct sxt_dev *host_dev;
    struct sxt_num *host_num;
    struct sxt_worker *worker;
    struct sxt_optim_step step; /* that the worker makes */
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
    o->run_at = sxt_calloc(o->units + 1, sizeof(*o->run_at));
    for (size_t i = 0; i < o->n_runs; i++)
        o->run_at[o->runs[i].unit + 1] = i + 1;
    for (size_t u = 0; u < o->units; u++)
        if (o->run_at[u + 1] == 0) /* the rank owns nothing of it */
            o->run_at[u + 1] = o->run_at[u];
}

/* Where a unit's state is; PARAM: in the shard. */
static void *state_at(const struct sxt_optim *o, enum sxt_state what,
                      size_t unit)
{
    const struct place *p = unit < o->first_away ? &o->here : &o->away;
    size_t at = sxt_zero3_elements(o->z, p->first, unit);

    switch (what) {
    case SXT_STATE_REST:
        return p->rest ? p->rest + at : NULL;
    case SXT_STATE_MEAN:
        return p->m + at;
    case SXT_STATE_SQUARE:
        return p->v + at;
    default:
        return sxt_zero3_shard(o->z, unit).p;
    }
}

/* ---- updates ---- */

static void update_unit(struct sxt_optim *o, struct sxt_num *num, size_t unit,
                        const struct sxt_optim_step *step)
{
    enum sxt_dtype type = sxt_zero3_setup(o->z)->type;
    struct sxt_shard s = sxt_zero3_shard(o->z, unit);
    uint16_t *rest = state_at(o, SXT_STATE_REST, unit);
    float *m = state_at(o, SXT_STATE_MEAN, unit);
    float *v = state_at(o, SXT_STATE_SQUARE, unit);

    for (size_t i = o->run_at[unit]; i < o->run_at[unit + 1]; i++) {
        const struct run *run = &o->runs[i];
        struct sxt_adamw a = {
            .p = (char *)s.p + run->at * sxt_dtype_size(type),
            .rest = rest ? rest + run->at : NULL,
            .m = m + run->at,
            .v = v + run->at,
            .grad = s.g + run->at,
            .n = run->n,
            .lr = step->lr,
            .b1 = step->b1,
            .b2 = step->b2,
            .eps = step->eps,
            .wd = run->decay ? step->weight_decay : 0,
            .grad_scale = step->grad_scale,
            .step = step->step,
            .type = type,
        };
        sxt_adamw(num, &a);
    }
}

/* On the worker's thread: host memory only. */
static void update_away(void *arg, size_t unit)
{
    struct sxt_optim *o = arg;

    update_unit(o, o->host_num, unit, &o->step);
}

static void settle(void *arg, size_t unit)
{
    struct sxt_optim *o = arg;

    sxt_worker_wait(o->worker, unit);
}

static void settle_all(struct sxt_optim *o)
{
    if (o->worker && o->units > 0)
        sxt_worker_wait(o->worker, o->units - 1);
}

void sxt_optim_update(struct sxt_optim *o, const struct sxt_optim_step *step)
{
    settle_all(o);
    for (size_t u = 0; u < o->first_away; u++)
        update_unit(o, sxt_zero3_setup(o->z)->num, u, step);
    sxt_zero3_changed(o->z);
    if (!o->worker)
        return;
    o->step = *step;
    sxt_worker_start(o->worker, o->first_away, o->units);
}

/* ---- life ---- */

static void open_away(struct sxt_optim *o, struct sxt_dev *dev, bool split)
{
    size_t n = sxt_zero3_elements(o->z, o->first_away, o->units);
    int threads = sxt_zero3_setup(o->z)->num->threads;

    o->away = (struct place){
        .rest = split ? sxt_pinned_alloc(dev, n * sizeof(*o->away.rest)) : NULL,
        .m = sxt_pinned_alloc(dev, n * sizeof(*o->away.m)),
        .v = sxt_pinned_alloc(dev, n * sizeof(*o->away.v)),
        .first = o->first_away
    };
    o->host_dev = sxt_dev_create("host", NULL);
    o->host_num = sxt_num_create("auto", o->host_dev, threads, NULL);
    SXT_CHECK(o->host_num); /* the processor is always there */
    o->worker = sxt_worker_create(update_away, o);
    sxt_zero3_on_use(o->z, settle, o);
}

struct sxt_optim *sxt_optim_create(struct sxt_zero3 *z)
{
    struct sxt_optim *o = sxt_calloc(1, sizeof(*o));
    const struct sxt_zero3_setup *set = sxt_zero3_setup(z);
    struct sxt_dev *dev = set->num->dev;
    bool split = set->type == SXT_BF16;
    size_t n;

    o->z = z;
    o->units = set->layout->n_units;
    o->first_away = sxt_zero3_first_away(set);
    n = sxt_zero3_elements(z, 0, o->first_away);
    if (split)
        o->here.rest = sxt_dev_alloc_for(dev, SXT_DEV_OPTIMISER,
                                         n * sizeof(*o->here.rest));
    o->here.m =
        sxt_dev_alloc_for(dev, SXT_DEV_OPTIMISER, n * sizeof(*o->here.m));
    o->here.v =
        sxt_dev_alloc_for(dev, SXT_DEV_OPTIMISER, n * sizeof(*o->here.v));
    o->leaf = sxt_alloc(sxt_zero3_leaves(z), sizeof(*o->leaf));
    find_runs(o);
    if (o->first_away < o->units)
        open_away(o, dev, split);
    return o;
}

void sxt_optim_destroy(struct sxt_optim *o)
{
    if (!o)
        return;
    struct sxt_dev *dev = sxt_zero3_setup(o->z)->num->dev;
    sxt_worker_destroy(o->worker);
    sxt_zero3_on_use(o->z, NULL, NULL);
    sxt_num_destroy(o->host_num);
    sxt_dev_destroy(o->host_dev);
    sxt_pinned_free(dev, o->away.rest);
    sxt_pinned_free(dev, o->away.m);
    sxt_pinned_free(dev, o->away.v);
    sxt_dev_free(dev, o->here.rest);
    sxt_dev_free(dev, o->here.m);
    sxt_dev_free(dev, o->here.v);
    free(o->runs);
    free(o->run_at);
    free(o->leaf);
    free(o);
}

struct sxt_optim_bytes sxt_optim_bytes(const struct sxt_zero3_setup *set)
{
    size_t each =
        2 * sizeof(float) + (set->type == SXT_BF16 ? sizeof(uint16_t) : 0);
    size_t first = sxt_zero3_first_away(set);
    struct sxt_optim_bytes b = { 0 };

    for (size_t u = 0; u < set->layout->n_units; u++)
        *(u < first ? &b.device : &b.host) +=
            each * sxt_cut_unit(set->layout->unit_size[u], set->comm.size).each;
    return b;
}

/* ---- looking in ---- */

static size_t state_bytes(const struct sxt_optim *o, enum sxt_state what,
                          size_t unit)
{
    size_t size[SXT_STATES] = { sxt_dtype_size(sxt_zero3_setup(o->z)->type),
                                sizeof(uint16_t), sizeof(float),
                                sizeof(float) };

    return sxt_zero3_shard(o->z, unit).count * size[what];
}

void sxt_optim_get(struct sxt_optim *o, enum sxt_state what, size_t unit,
                   void *to)
{
    const void *at = state_at(o, what, unit);
    size_t bytes = state_bytes(o, what, unit);

    settle_all(o);
    if (unit < o->first_away)
        sxt_dev_get(sxt_zero3_setup(o->z)->num->dev, to, at, bytes);
    else if (bytes > 0)
        memcpy(to, at, bytes);
}

void sxt_optim_put(struct sxt_optim *o, enum sxt_state what, size_t unit,
                   const void *from)
{
    void *at = state_at(o, what, unit);
    size_t bytes = state_bytes(o, what, unit);

    settle_all(o);
    if (unit < o->first_away)
        sxt_dev_put(sxt_zero3_setup(o->z)->num->dev, at, from, bytes);
    else if (bytes > 0)
        memcpy(at, from, bytes);
}

/* ---- the norm ---- */

/* Sums of squares of the leaves this rank owns; the others' places are 0. */
static void own_leaves(struct sxt_optim *o)
{
    const struct sxt_zero3_setup *set = sxt_zero3_setup(o->z);

    for (size_t i = 0; i < sxt_zero3_leaves(o->z); i++)
        o->leaf[i] = 0;
    for (size_t u = 0; u < set->layout->n_units; u++) {
        struct sxt_shard s = sxt_zero3_shard(o->z, u);
        size_t at = sxt_zero3_leaf_at(o->z, u) + s.first / s.leaf;
        sxt_sumsq_leaves(set->num, o->leaf + at, sxt_zero3_gradient(o->z, u),
                         s.count, s.leaf);
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
