/* zero3_grads.c - reducing whole units of gradients, behind their making. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/zero3_impl.h"

static struct sxt_zero3 *of(struct sxt_grads *self)
{
    return (struct sxt_zero3 *)((char *)self -
                                offsetof(struct sxt_zero3, grads));
}

/* ---- sums ---- */

static float *host_sum(const struct sxt_zero3 *z, size_t unit)
{
    return z->g_host + sxt_zero3_away_at(z, unit);
}

/* A sum that is away begins its way to the device, where it is added to: that
 * the order of additions, and so the bits, are those of a sum that stays. */
static void fetch_sum(struct sxt_zero3 *z, size_t unit)
{
    if (!sxt_zero3_is_away(z, unit) || z->fresh[unit])
        return;
    sxt_zero3_settle(z, unit);
    sxt_stream_wait(z->dev, SXT_STREAM_IN, z->left);
    sxt_dev_put_on(z->dev, SXT_STREAM_IN, z->sum, host_sum(z, unit),
                   z->cut[unit].each * sizeof(float));
    sxt_event_record(z->dev, z->came, SXT_STREAM_IN);
}

/* Where to add the unit's pieces. */
static float *begin_sum(struct sxt_zero3 *z, size_t unit)
{
    if (!sxt_zero3_is_away(z, unit))
        return z->g + z->at[unit];
    if (z->fresh[unit]) {
        sxt_stream_wait(z->dev, SXT_STREAM_MAIN, z->left);
        sxt_dev_zero(z->dev, z->sum, z->cut[unit].each * sizeof(float));
    } else {
        sxt_stream_wait(z->dev, SXT_STREAM_MAIN, z->came);
    }
    return z->sum;
}

static void end_sum(struct sxt_zero3 *z, size_t unit)
{
    if (!sxt_zero3_is_away(z, unit))
        return;
    sxt_zero3_settle(z, unit);
    z->fresh[unit] = false;
    sxt_event_record(z->dev, z->summed, SXT_STREAM_MAIN);
    sxt_stream_wait(z->dev, SXT_STREAM_OUT, z->summed);
    sxt_dev_get_on(z->dev, SXT_STREAM_OUT, host_sum(z, unit), z->sum,
                   z->cut[unit].each * sizeof(float));
    sxt_event_record(z->dev, z->left, SXT_STREAM_OUT);
}

/* Add pieces (each of the cut's size) in their order. */
static void add_pieces(struct sxt_zero3 *z, size_t unit, const void *pieces,
                       int n)
{
    sxt_sum_pieces(z->set.num, begin_sum(z, unit), pieces, (size_t)n,
                   z->cut[unit].each, 1, z->set.reduce_type);
    end_sum(z, unit);
}

const float *sxt_zero3_gradient(struct sxt_zero3 *z, size_t unit)
{
    if (!sxt_zero3_is_away(z, unit))
        return z->g + z->at[unit];
    fetch_sum(z, unit);
    return begin_sum(z, unit);
}

/* ---- what the network calls ---- */

/* Add the pieces of the unit on its way to the sum, in rank order. */
static void finish_reduce(struct sxt_zero3 *z)
{
    size_t unit = z->travelling;
    double before = sxt_clock();

    if (unit == NO_UNIT)
        return;
    sxt_coll_wait(z->reduce);
    z->traffic.reduce_s += sxt_clock() - before;
    add_pieces(z, unit, z->recv, z->active);
    if (z->lent)
        z->lent->unit = NO_UNIT;
    z->lent = NULL;
    z->travelling = NO_UNIT;
}

static struct grad_slot *slot_with(struct sxt_zero3 *z, size_t unit)
{
    for (int i = 0; i < GRAD_SLOTS; i++)
        if (z->grad_slots[i].unit == unit)
            return &z->grad_slots[i];
    return NULL;
}

static float *grads_get(struct sxt_grads *self, size_t unit)
{
    struct sxt_zero3 *z = of(self);
    struct grad_slot *slot;

    SXT_CHECK(unit < z->set.layout->n_units && !slot_with(z, unit));
    slot = slot_with(z, NO_UNIT);
    if (!slot) {
        finish_reduce(z);
        slot = slot_with(z, NO_UNIT);
    }
    SXT_CHECK(slot); /* more than GRAD_SLOTS units in work at once */
    slot->unit = unit;
    sxt_dev_zero(z->dev, slot->data,
                 z->cut[unit].each * (size_t)z->ranks * sizeof(float));
    return slot->data;
}

/* Send the unit's pieces to their owners. */
static void start_reduce(struct sxt_zero3 *z, size_t unit, const void *from,
                         struct grad_slot *lent)
{
    size_t bytes = z->cut[unit].each * sxt_dtype_size(z->set.reduce_type);

    sxt_coll_label(z->reduce, "gradients", unit);
    sxt_coll_all_to_all(z->reduce, z->recv, from, bytes);
    z->traffic.reduced += (double)bytes * (z->ranks - 1);
    z->travelling = unit;
    z->lent = lent;
    fetch_sum(z, unit);
}

static void grads_put(struct sxt_grads *self, size_t unit)
{
    struct sxt_zero3 *z = of(self);
    struct grad_slot *slot = slot_with(z, unit);
    void *from;

    SXT_CHECK(slot && z->active > 0 && z->put_in[unit] != z->round);
    z->put_in[unit] = z->round;
    finish_reduce(z);
    from = slot->data;
    if (z->send) {
        sxt_cast(z->set.num, z->send, z->set.reduce_type, from, SXT_F32,
                 z->cut[unit].each * (size_t)z->ranks);
        from = z->send;
        slot->unit = NO_UNIT;
    }
    if (z->ranks > 1) {
        start_reduce(z, unit, from, z->send ? NULL : slot);
        return;
    }
    fetch_sum(z, unit);
    add_pieces(z, unit, from, 1);
    slot->unit = NO_UNIT;
}

/* ---- steps and rounds ---- */

void sxt_zero3_begin_step(struct sxt_zero3 *z)
{
    SXT_CHECK(z->travelling == NO_UNIT);
    sxt_dev_zero(z->dev, z->g, z->at[z->first_away] * sizeof(float));
    for (size_t u = z->first_away; u < z->set.layout->n_units; u++)
        z->fresh[u] = true;
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
    sxt_event_wait(z->dev, z->left); /* sums on the host may be read */
    z->active = 0;
}

/* ---- life ---- */

static void *room_for(struct sxt_zero3 *z, size_t elements, size_t size)
{
    return sxt_dev_alloc_for(z->dev, SXT_DEV_GRADIENTS, elements * size);
}

void sxt_zero3_open_grads(struct sxt_zero3 *z)
{
    size_t wide = sxt_zero3_widest(&z->set), units = z->set.layout->n_units;
    size_t reduce = sxt_dtype_size(z->set.reduce_type);

    z->grads = (struct sxt_grads){ grads_get, grads_put };
    z->reduce = sxt_coll_create(z->dev, z->set.comm);
    z->travelling = NO_UNIT;
    z->put_in = sxt_calloc(units, sizeof(*z->put_in));
    z->fresh = sxt_calloc(units, sizeof(*z->fresh));
    z->came = sxt_event_create(z->dev);
    z->summed = sxt_event_create(z->dev);
    z->left = sxt_event_create(z->dev);
    z->g = room_for(z, z->at[z->first_away], sizeof(float));
    for (int i = 0; i < GRAD_SLOTS; i++) {
        z->grad_slots[i].unit = NO_UNIT;
        z->grad_slots[i].data = room_for(z, wide, sizeof(float));
    }
    if (z->set.reduce_type != SXT_F32)
        z->send = room_for(z, wide, reduce);
    if (z->ranks > 1)
        z->recv = room_for(z, wide, reduce);
    if (z->first_away == units)
        return;
    z->sum = room_for(z, sxt_zero3_widest_away(&z->set), sizeof(float));
    z->g_host =
        sxt_pinned_alloc(z->dev, sxt_zero3_away_at(z, units) * sizeof(float));
}

void sxt_zero3_close_grads(struct sxt_zero3 *z)
{
    sxt_coll_destroy(z->reduce);
    for (int i = 0; i < GRAD_SLOTS; i++)
        sxt_dev_free(z->dev, z->grad_slots[i].data);
    sxt_dev_free(z->dev, z->send);
    sxt_dev_free(z->dev, z->recv);
    sxt_dev_free(z->dev, z->sum);
    sxt_dev_free(z->dev, z->g);
    sxt_pinned_free(z->dev, z->g_host);
    sxt_event_destroy(z->dev, z->came);
    sxt_event_destroy(z->dev, z->summed);
    sxt_event_destroy(z->dev, z->left);
    free(z->put_in);
    free(z->fresh);
}
