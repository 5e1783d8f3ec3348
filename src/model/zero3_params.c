/* zero3_params.c - gathering whole units of parameters, ahead of their use. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/zero3_impl.h"

static struct sxt_zero3 *of(struct sxt_params *self)
{
    return (struct sxt_zero3 *)self;
}

/* The unit has no shard on the device. */
static bool only_host(const struct sxt_zero3 *z, size_t unit)
{
    return z->set.params_away && sxt_zero3_is_away(z, unit);
}

/* The shard is the whole unit, and on the device. */
static bool is_here(const struct sxt_zero3 *z, size_t unit)
{
    return z->ranks == 1 && !only_host(z, unit);
}

static size_t shard_bytes(const struct sxt_zero3 *z, size_t unit)
{
    return z->cut[unit].each * sxt_zero3_elem(z);
}

static char *device_shard(const struct sxt_zero3 *z, size_t unit)
{
    return z->p + z->at[unit] * sxt_zero3_elem(z);
}

static char *host_shard(const struct sxt_zero3 *z, size_t unit)
{
    return z->p_host + sxt_zero3_away_at(z, unit) * sxt_zero3_elem(z);
}

static void copy_in(struct sxt_zero3 *z, size_t unit, void *to)
{
    sxt_zero3_settle(z, unit);
    sxt_dev_put_on(z->dev, SXT_STREAM_IN, to, host_shard(z, unit),
                   shard_bytes(z, unit));
}

/* If the host has changed a unit, so does the device, behind all kernels that
 * were given to it before. */
static void refresh(struct sxt_zero3 *z, size_t unit)
{
    if (!z->stale[unit] || only_host(z, unit))
        return;
    sxt_stream_wait(z->dev, SXT_STREAM_IN, z->changed);
    copy_in(z, unit, device_shard(z, unit));
    sxt_event_record(z->dev, z->arrived, SXT_STREAM_IN);
    z->stale[unit] = false;
}

/* ---- slots ---- */

static struct slot *slot_with(struct sxt_zero3 *z, size_t unit)
{
    for (int i = 0; i < z->n_slots; i++)
        if (z->slots[i].unit == unit)
            return &z->slots[i];
    return NULL;
}

/* The slot that nobody uses for the longest time; NULL if there is none. */
static struct slot *slot_to_reuse(struct sxt_zero3 *z, bool in_flight)
{
    struct slot *best = NULL;

    for (int i = 0; i < z->n_slots; i++) {
        struct slot *s = &z->slots[i];
        if (s->users == 0 && (in_flight || !s->in_flight) &&
            (!best || s->last_use < best->last_use))
            best = s;
    }
    return best;
}

/* Collectives complete in order: what was started before has arrived too. */
static void finish_gather(struct sxt_zero3 *z, const struct slot *slot)
{
    uint64_t number = slot->number;
    double before = sxt_clock();

    if (z->ranks > 1)
        sxt_coll_wait_for(z->gather, number);
    else
        sxt_stream_wait(z->dev, SXT_STREAM_MAIN, z->arrived);
    z->traffic.gather_s += sxt_clock() - before;
    for (int i = 0; i < z->n_slots; i++)
        if (z->slots[i].number <= number)
            z->slots[i].in_flight = false;
}

/* Fill a slot behind its last user's kernels, and behind nothing else. */
static void start_gather(struct sxt_zero3 *z, struct slot *slot, size_t unit)
{
    size_t bytes = shard_bytes(z, unit);
    char *own = (char *)slot->data + (size_t)z->rank * bytes;

    slot->unit = unit;
    slot->in_flight = true;
    slot->last_use = ++z->clock;
    sxt_stream_wait(z->dev, SXT_STREAM_IN, slot->free);
    sxt_stream_wait(z->dev, SXT_STREAM_IN, z->changed);
    if (only_host(z, unit))
        copy_in(z, unit, own);
    else
        refresh(z, unit);
    if (z->ranks == 1) {
        sxt_event_record(z->dev, z->arrived, SXT_STREAM_IN);
        slot->number = z->clock;
        return;
    }
    sxt_coll_label(z->gather, "parameters", unit);
    sxt_coll_all_gather(z->gather, slot->data,
                        only_host(z, unit) ? own : device_shard(z, unit),
                        bytes);
    slot->number = sxt_coll_last(z->gather).number;
    z->traffic.gathered += (double)bytes * (z->ranks - 1);
}

/* ---- what the network calls ---- */

static const void *params_get(struct sxt_params *self, size_t unit)
{
    struct sxt_zero3 *z = of(self);
    struct slot *slot;

    SXT_CHECK(unit < z->set.layout->n_units);
    if (is_here(z, unit)) {
        refresh(z, unit);
        if (sxt_zero3_is_away(z, unit))
            sxt_stream_wait(z->dev, SXT_STREAM_MAIN, z->arrived);
        return device_shard(z, unit);
    }
    slot = slot_with(z, unit);
    if (!slot) {
        slot = slot_to_reuse(z, true);
        SXT_CHECK(slot); /* more units in use at once than slots */
        if (slot->in_flight)
            finish_gather(z, slot);
        start_gather(z, slot, unit);
    }
    if (slot->in_flight)
        finish_gather(z, slot);
    slot->users++;
    slot->last_use = ++z->clock;
    return slot->data;
}

static void params_release(struct sxt_params *self, size_t unit)
{
    struct sxt_zero3 *z = of(self);
    struct slot *slot;

    if (is_here(z, unit))
        return;
    slot = slot_with(z, unit);
    SXT_CHECK(slot && slot->users > 0);
    if (--slot->users == 0)
        sxt_event_record(z->dev, slot->free, SXT_STREAM_MAIN);
}

/* A hint for a unit that is there keeps it there. */
static void params_hint(struct sxt_params *self, size_t unit)
{
    struct sxt_zero3 *z = of(self);
    struct slot *slot;

    if (is_here(z, unit)) {
        refresh(z, unit);
        return;
    }
    slot = slot_with(z, unit);
    if (slot) {
        slot->last_use = ++z->clock;
        return;
    }
    slot = slot_to_reuse(z, false);
    if (slot)
        start_gather(z, slot, unit);
}

static void params_poke(struct sxt_params *self)
{
    struct sxt_zero3 *z = of(self);

    sxt_coll_poke(z->gather);
    sxt_coll_poke(z->reduce);
}

void sxt_zero3_changed(struct sxt_zero3 *z)
{
    sxt_coll_wait(z->gather);
    for (int i = 0; i < z->n_slots; i++) {
        SXT_CHECK(z->slots[i].users == 0);
        z->slots[i].unit = NO_UNIT;
        z->slots[i].in_flight = false;
    }
    for (size_t u = z->first_away; u < z->set.layout->n_units; u++)
        z->stale[u] = true;
    sxt_event_record(z->dev, z->changed, SXT_STREAM_MAIN);
}

/* ---- life ---- */

void sxt_zero3_open_params(struct sxt_zero3 *z)
{
    size_t elem = sxt_zero3_elem(z), units = z->set.layout->n_units;
    size_t last = z->set.params_away ? z->first_away : units;

    z->params = (struct sxt_params){ .type = z->set.type,
                                     .ahead = z->set.ahead,
                                     .get = params_get,
                                     .release = params_release,
                                     .hint = params_hint,
                                     .poke = params_poke };
    z->gather = sxt_coll_create(z->dev, z->set.comm);
    sxt_coll_after(z->gather, SXT_STREAM_IN);
    z->arrived = sxt_event_create(z->dev);
    z->changed = sxt_event_create(z->dev);
    z->stale = sxt_calloc(units, sizeof(*z->stale));
    z->p = sxt_dev_alloc_for(z->dev, SXT_DEV_WEIGHTS, z->at[last] * elem);
    if (z->first_away < units)
        z->p_host =
            sxt_pinned_alloc(z->dev, sxt_zero3_away_at(z, units) * elem);
    z->n_slots = sxt_zero3_slots(&z->set);
    z->slots = sxt_calloc((size_t)z->n_slots, sizeof(*z->slots));
    for (int i = 0; i < z->n_slots; i++) {
        z->slots[i].unit = NO_UNIT;
        z->slots[i].free = sxt_event_create(z->dev);
        z->slots[i].data = sxt_dev_alloc_for(z->dev, SXT_DEV_WEIGHTS,
                                             sxt_zero3_widest(&z->set) * elem);
    }
}

void sxt_zero3_close_params(struct sxt_zero3 *z)
{
    sxt_coll_destroy(z->gather);
    for (int i = 0; i < z->n_slots; i++) {
        sxt_dev_free(z->dev, z->slots[i].data);
        sxt_event_destroy(z->dev, z->slots[i].free);
    }
    sxt_event_destroy(z->dev, z->arrived);
    sxt_event_destroy(z->dev, z->changed);
    sxt_dev_free(z->dev, z->p);
    sxt_pinned_free(z->dev, z->p_host);
    free(z->slots);
    free(z->stale);
}
