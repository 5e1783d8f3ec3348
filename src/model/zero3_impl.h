/* zero3_impl.h - the state of shards; private to zero3*.c. */
#ifndef SXT_MODEL_ZERO3_IMPL_H
#define SXT_MODEL_ZERO3_IMPL_H

#include "model/zero3.h"

enum {
    GRAD_SLOTS = 2 /* one being filled while another travels, or two filled */
};
#define NO_UNIT ((size_t)-1)

/* A gathered unit of parameters. */
struct slot {
    void *data; /* device */
    size_t unit;
    int users;
    bool in_flight;
    uint64_t number;        /* of the collective that fills it */
    uint64_t last_use;      /* or last hint */
    struct sxt_event *free; /* behind the kernels of the last user */
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
    struct sxt_dev *dev;              /* borrowed */
    struct sxt_coll *gather, *reduce; /* apart, so that each waits alone */
    int ranks, rank;

    struct sxt_cut *cut; /* (units) */
    size_t *at;          /* (units + 1) first element of a unit's shard */
    size_t *leaf_at;     /* (units + 1) */
    size_t first_away;   /* units from here on are away */
    char *p;             /* device: shards, of the type */
    float *g;            /* device: shards of the units before first_away */

    /* zero3_params.c */
    struct slot *slots;
    int n_slots;
    uint64_t clock;
    char *p_host; /* pinned: shards of the units away */
    bool *stale;  /* (units) the device's shard is older than the host's */
    struct sxt_event *arrived, *changed;

    /* zero3_grads.c */
    struct grad_slot grad_slots[GRAD_SLOTS];
    void *send, *recv;      /* device; send NULL: straight from the slot */
    size_t travelling;      /* unit whose pieces are on their way, or NO_UNIT */
    struct grad_slot *lent; /* the slot they are sent from, or NULL */
    int active;
    uint64_t round;
    uint64_t *put_in; /* (units) round of the last put */
    float *g_host;    /* pinned: shards of the units away */
    float *sum;       /* device: the sum of one of them */
    bool *fresh;      /* (units) nothing was added in this step yet */
    struct sxt_event *came, *summed, *left; /* of that sum */

    void (*settle)(void *arg, size_t unit);
    void *settle_arg;
    struct sxt_zero3_traffic traffic;
};

static inline size_t sxt_zero3_elem(const struct sxt_zero3 *z)
{
    return sxt_dtype_size(z->set.type);
}

static inline bool sxt_zero3_is_away(const struct sxt_zero3 *z, size_t unit)
{
    return unit >= z->first_away;
}

/* A unit's place in the arrays of those that are away. */
static inline size_t sxt_zero3_away_at(const struct sxt_zero3 *z, size_t unit)
{
    return z->at[unit] - z->at[z->first_away];
}

/* Nobody works on the unit's host memory when this returns. */
void sxt_zero3_settle(struct sxt_zero3 *z, size_t unit);

/* Elements of the largest gathered unit, and of the largest shard away. */
size_t sxt_zero3_widest(const struct sxt_zero3_setup *set);
size_t sxt_zero3_widest_away(const struct sxt_zero3_setup *set);
/* Units gathered at a time; 0 if whole units are on this rank anyway. */
int sxt_zero3_slots(const struct sxt_zero3_setup *set);

/* zero3_params.c, zero3_grads.c - their parts of create and destroy. */
void sxt_zero3_open_params(struct sxt_zero3 *z);
void sxt_zero3_close_params(struct sxt_zero3 *z);
void sxt_zero3_open_grads(struct sxt_zero3 *z);
void sxt_zero3_close_grads(struct sxt_zero3 *z);

#endif
