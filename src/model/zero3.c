/* zero3.c - gathering parameters and reducing gradients by units. */
#include "model/zero3.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
    MIN_LEAF = 64,
    MAX_LEAVES = 4096,
    GRAD_SLOTS = 2 /* one being filled while another travels, or two filled */
};
#define NO_UNIT ((size_t)-1)

/* A gathered unit of parameters. */
struct slot {
    void *data; /* device */
    size_t unit;
    int users;
    bool in_flight;
    uint64_t last_use;
};

/* A whole unit of gradients. */
struct grad_slot {
    float *data; /* device */
    size_t unit; /* NO_UNIT: free */
};

struct sxt_zero3 {
    struct sxt_params params; /* first: the network's handles to all this */
    struct sxt_grads grads;
    struct sxt_zero3_setup set;
    struct sxt_coll *gather, *reduce; /* apart, so that each waits alone */
    int ranks, rank;

    struct sxt_cut *cut; /* (units) */
    size_t *at;          /* (units + 1) first element of a unit's shard */
    size_t *leaf_at;     /* (units + 1) */
    char *p;             /* device: all shards, of the type */
    float *g;            /* device: all shards */

    struct slot *slots;
    uint64_t clock;

    struct grad_slot grad_slots[GRAD_SLOTS];
    void *send, *recv;      /* device; send NULL: straight from the slot */
    size_t travelling;      /* unit whose pieces are on their way, or NO_UNIT */
    struct grad_slot *lent; /* the slot they are sent from, or NULL */
    int active;
    uint64_t round;
    uint64_t *put_in; /* (units) round of the last put */
};

struct sxt_cut sxt_cut_unit(size_t size, int ranks)
{
    struct sxt_cut cut = { MIN_LEAF, 0, 0 };
    size_t share;

    while ((size + cut.leaf - 1) / cut.leaf > MAX_LEAVES)
        cut.leaf *= 2;
    cut.n_leaves = (size + cut.leaf - 1) / cut.leaf;
    share = (cut.n_leaves + (size_t)ranks - 1) / (size_t)ranks;
    cut.each = share * cut.leaf;
    return cut;
}

/* Elements of the largest gathered unit. */
static size_t widest(const struct sxt_zero3_setup *set)
{
    size_t most = 0;

    for (size_t u = 0; u < set->layout->n_units; u++) {
        struct sxt_cut cut =
            sxt_cut_unit(set->layout->unit_size[u], set->comm.size);
        size_t n = cut.each * (size_t)set->comm.size;
        most = n > most ? n : most;
    }
    return most;
}

struct sxt_zero3_bytes sxt_zero3_bytes(const struct sxt_zero3_setup *set)
{
    size_t wide = widest(set), total = 0;
    size_t elem = sxt_dtype_size(set->type);
    size_t reduce = sxt_dtype_size(set->reduce_type);
    bool alone = set->comm.size == 1, cast = set->reduce_type != SXT_F32;
    struct sxt_zero3_bytes b;

    for (size_t u = 0; u < set->layout->n_units; u++)
        total += sxt_cut_unit(set->layout->unit_size[u], set->comm.size).each;
    b.params = total * elem;
    b.grads = total * sizeof(float);
    b.gathered = alone ? 0 : (size_t)set->slots * wide * elem;
    b.reducing = GRAD_SLOTS * wide * sizeof(float) +
                 ((cast ? 1 : 0) + (alone ? 0 : 1)) * wide * reduce;
    return b;
}

/* ---- parameters ---- */

static size_t elem_size(const struct sxt_zero3 *z)
{
    return sxt_dtype_size(z->set.type);
}

static char *shard_of(struct sxt_zero3 *z, size_t unit)
{
    return z->p + z->at[unit] * elem_size(z);
}

static struct slot *slot_with(struct sxt_zero3 *z, size_t unit)
{
    for (int i = 0; i < z->set.slots; i++)
        if (z->slots[i].unit == unit)
            return &z->slots[i];
    return NULL;
}

/* The slot that nobody uses for the longest time; NULL if there is none. */
static struct slot *slot_to_reuse(struct sxt_zero3 *z, bool in_flight)
{
    struct slot *best = NULL;

    for (int i = 0; i < z->set.slots; i++) {
        struct slot *s = &z->slots[i];
        if (s->users == 0 && (in_flight || !s->in_flight) &&
            (!best || s->last_use < best->last_use))
            best = s;
    }
    return best;
}

static void finish_gathers(struct sxt_zero3 *z)
{
    sxt_coll_wait(z->gather);
    for (int i = 0; i < z->set.slots; i++)
        z->slots[i].in_flight = false;
}

static void start_gather(struct sxt_zero3 *z, struct slot *slot, size_t unit)
{
    slot->unit = unit;
    slot->in_flight = true;
    slot->last_use = ++z->clock;
    sxt_coll_all_gather(z->gather, slot->data, shard_of(z, unit),
                        z->cut[unit].each * elem_size(z));
}

static const void *params_get(struct sxt_params *self, size_t unit)
{
    struct sxt_zero3 *z = (struct sxt_zero3 *)self;
    struct slot *slot;

    SXT_CHECK(unit < z->set.layout->n_units);
    if (z->ranks == 1)
        return shard_of(z, unit);
    slot = slot_with(z, unit);
    if (!slot) {
        slot = slot_to_reuse(z, true);
        SXT_CHECK(slot); /* more units in use at once than slots */
        if (slot->in_flight)
            finish_gathers(z);
        start_gather(z, slot, unit);
    }
    if (slot->in_flight)
        finish_gathers(z);
    slot->users++;
    slot->last_use = ++z->clock;
    return slot->data;
}

static void params_release(struct sxt_params *self, size_t unit)
{
    struct sxt_zero3 *z = (struct sxt_zero3 *)self;
    struct slot *slot;

    if (z->ranks == 1)
        return;
    slot = slot_with(z, unit);
    SXT_CHECK(slot && slot->users > 0);
    slot->users--;
}

static void params_hint(struct sxt_params *self, size_t unit)
{
    struct sxt_zero3 *z = (struct sxt_zero3 *)self;
    struct slot *slot;

    if (z->ranks == 1 || slot_with(z, unit))
        return;
    slot = slot_to_reuse(z, false);
    if (slot)
        start_gather(z, slot, unit);
}

void sxt_zero3_changed(struct sxt_zero3 *z)
{
    if (z->ranks == 1)
        return;
    finish_gathers(z);
    for (int i = 0; i < z->set.slots; i++) {
        SXT_CHECK(z->slots[i].users == 0);
        z->slots[i].unit = NO_UNIT;
    }
}

/* ---- gradients ---- */

/* Add the pieces of the unit on its way to the sum, in rank order. */
static void finish_reduce(struct sxt_zero3 *z)
{
    size_t unit = z->travelling;

    if (unit == NO_UNIT)
        return;
    sxt_coll_wait(z->reduce);
    sxt_sum_pieces(z->set.num, z->g + z->at[unit], z->recv, (size_t)z->active,
                   z->cut[unit].each, 1, z->set.reduce_type);
    if (z->lent)
        z->lent->unit = NO_UNIT;
    z->lent = NULL;
    z->travelling = NO_UNIT;
}

static struct grad_slot *grad_slot_with(struct sxt_zero3 *z, size_t unit)
{
    for (int i = 0; i < GRAD_SLOTS; i++)
        if (z->grad_slots[i].unit == unit)
            return &z->grad_slots[i];
    return NULL;
}

static float *grads_get(struct sxt_grads *self, size_t unit)
{
    struct sxt_zero3 *z =
        (struct sxt_zero3 *)((char *)self - offsetof(struct sxt_zero3, grads));
    struct grad_slot *slot;
    size_t n;

    SXT_CHECK(unit < z->set.layout->n_units && !grad_slot_with(z, unit));
    n = z->cut[unit].each * (size_t)z->ranks;
    slot = grad_slot_with(z, NO_UNIT);
    if (!slot) {
        finish_reduce(z);
        slot = grad_slot_with(z, NO_UNIT);
    }
    SXT_CHECK(slot); /* more than GRAD_SLOTS units in work at once */
    slot->unit = unit;
    sxt_dev_zero(z->set.num->dev, slot->data, n * sizeof(float));
    return slot->data;
}

/* Send the unit's pieces to their owners; alone, add them at once. */
static void grads_put(struct sxt_grads *self, size_t unit)
{
    struct sxt_zero3 *z =
        (struct sxt_zero3 *)((char *)self - offsetof(struct sxt_zero3, grads));
    struct grad_slot *slot = grad_slot_with(z, unit);
    size_t each = z->cut[unit].each;
    void *from;

    SXT_CHECK(slot && z->active > 0 && z->put_in[unit] != z->round);
    z->put_in[unit] = z->round;
    finish_reduce(z);
    from = slot->data;
    if (z->send) {
        sxt_cast(z->set.num, z->send, z->set.reduce_type, from, SXT_F32,
                 each * (size_t)z->ranks);
        from = z->send;
        slot->unit = NO_UNIT;
    }
    if (z->ranks == 1) {
        sxt_sum_pieces(z->set.num, z->g + z->at[unit], from, 1, each, 1,
                       z->set.reduce_type);
        slot->unit = NO_UNIT;
        return;
    }
    sxt_coll_all_to_all(z->reduce, z->recv, from,
                        each * sxt_dtype_size(z->set.reduce_type));
    z->travelling = unit;
    z->lent = z->send ? NULL : slot;
}

void sxt_zero3_begin_step(struct sxt_zero3 *z)
{
    SXT_CHECK(z->travelling == NO_UNIT);
    sxt_dev_zero(z->set.num->dev, z->g,
                 sxt_zero3_shard_total(z) * sizeof(float));
}

void sxt_zero3_begin_round(struct sxt_zero3 *z, int active)
{
    SXT_CHECK(active > 0 && active <= z->ranks && z->travelling == NO_UNIT);
    z->active = active;
    z->round++;
}

void sxt_zero3_end_round(struct sxt_zero3 *z)
{
    finish_reduce(z);
    for (int i = 0; i < GRAD_SLOTS; i++)
        SXT_CHECK(z->grad_slots[i].unit == NO_UNIT);
    z->active = 0;
}

/* ---- life ---- */

static void cut_units(struct sxt_zero3 *z)
{
    const struct sxt_layout *layout = z->set.layout;
    size_t n = layout->n_units;

    z->cut = sxt_alloc(n, sizeof(*z->cut));
    z->at = sxt_calloc(n + 1, sizeof(*z->at));
    z->leaf_at = sxt_calloc(n + 1, sizeof(*z->leaf_at));
    for (size_t u = 0; u < n; u++) {
        z->cut[u] = sxt_cut_unit(layout->unit_size[u], z->ranks);
        z->at[u + 1] = z->at[u] + z->cut[u].each;
        z->leaf_at[u + 1] = z->leaf_at[u] + z->cut[u].n_leaves;
    }
}

static void allocate(struct sxt_zero3 *z)
{
    struct sxt_dev *dev = z->set.num->dev;
    size_t wide = widest(&z->set), total = sxt_zero3_shard_total(z);
    size_t reduce = sxt_dtype_size(z->set.reduce_type);

    z->p = sxt_dev_alloc_for(dev, SXT_DEV_WEIGHTS, total * elem_size(z));
    z->g = sxt_dev_alloc_for(dev, SXT_DEV_GRADIENTS, total * sizeof(float));
    z->slots = sxt_calloc((size_t)z->set.slots, sizeof(*z->slots));
    for (int i = 0; i < z->set.slots; i++) {
        z->slots[i].unit = NO_UNIT;
        if (z->ranks > 1)
            z->slots[i].data =
                sxt_dev_alloc_for(dev, SXT_DEV_WEIGHTS, wide * elem_size(z));
    }
    for (int i = 0; i < GRAD_SLOTS; i++) {
        z->grad_slots[i].unit = NO_UNIT;
        z->grad_slots[i].data =
            sxt_dev_alloc_for(dev, SXT_DEV_GRADIENTS, wide * sizeof(float));
    }
    if (z->set.reduce_type != SXT_F32)
        z->send = sxt_dev_alloc_for(dev, SXT_DEV_GRADIENTS, wide * reduce);
    if (z->ranks > 1)
        z->recv = sxt_dev_alloc_for(dev, SXT_DEV_GRADIENTS, wide * reduce);
}

struct sxt_zero3 *sxt_zero3_create(const struct sxt_zero3_setup *setup)
{
    struct sxt_zero3 *z = sxt_calloc(1, sizeof(*z));

    SXT_CHECK(setup->slots >= 1);
    z->set = *setup;
    z->ranks = setup->comm.size;
    z->rank = setup->comm.rank;
    z->params = (struct sxt_params){ .type = setup->type,
                                     .get = params_get,
                                     .release = params_release,
                                     .hint = params_hint };
    z->grads = (struct sxt_grads){ grads_get, grads_put };
    z->gather = sxt_coll_create(setup->num->dev, setup->comm);
    z->reduce = sxt_coll_create(setup->num->dev, setup->comm);
    z->travelling = NO_UNIT;
    z->put_in = sxt_calloc(setup->layout->n_units, sizeof(*z->put_in));
    cut_units(z);
    allocate(z);
    return z;
}

void sxt_zero3_destroy(struct sxt_zero3 *z)
{
    if (!z)
        return;
    struct sxt_dev *dev = z->set.num->dev;
    sxt_coll_destroy(z->gather);
    sxt_coll_destroy(z->reduce);
    for (int i = 0; i < z->set.slots; i++)
        sxt_dev_free(dev, z->slots[i].data);
    for (int i = 0; i < GRAD_SLOTS; i++)
        sxt_dev_free(dev, z->grad_slots[i].data);
    sxt_dev_free(dev, z->send);
    sxt_dev_free(dev, z->recv);
    sxt_dev_free(dev, z->p);
    sxt_dev_free(dev, z->g);
    free(z->slots);
    free(z->put_in);
    free(z->cut);
    free(z->at);
    free(z->leaf_at);
    free(z);
}

/* ---- looking in ---- */

const struct sxt_zero3_setup *sxt_zero3_setup(const struct sxt_zero3 *z)
{
    return &z->set;
}

struct sxt_params *sxt_zero3_params(struct sxt_zero3 *z)
{
    return &z->params;
}

struct sxt_grads *sxt_zero3_grads(struct sxt_zero3 *z)
{
    return &z->grads;
}

size_t sxt_zero3_shard_total(const struct sxt_zero3 *z)
{
    return z->at[z->set.layout->n_units];
}

size_t sxt_zero3_shard_at(const struct sxt_zero3 *z, size_t unit)
{
    return z->at[unit];
}

struct sxt_shard sxt_zero3_shard(struct sxt_zero3 *z, size_t unit)
{
    size_t size = z->set.layout->unit_size[unit];
    size_t each = z->cut[unit].each, first = each * (size_t)z->rank;
    size_t left = size > first ? size - first : 0;

    return (struct sxt_shard){ .first = first < size ? first : size,
                               .count = left < each ? left : each,
                               .leaf = z->cut[unit].leaf,
                               .p = shard_of(z, unit),
                               .g = z->g + z->at[unit] };
}

size_t sxt_zero3_leaves(const struct sxt_zero3 *z)
{
    return z->leaf_at[z->set.layout->n_units];
}

size_t sxt_zero3_leaf_at(const struct sxt_zero3 *z, size_t unit)
{
    return z->leaf_at[unit];
}

void sxt_zero3_share_leaves(struct sxt_zero3 *z, double *x)
{
    sxt_coll_sum_f64(z->reduce, x, sxt_zero3_leaves(z));
}
