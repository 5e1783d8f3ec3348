/* zero3.c - how units are cut over ranks and where their shards lie. */
#include "model/zero3.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/zero3_impl.h"

enum { MIN_LEAF = 64, MAX_LEAVES = 4096 };

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

static struct sxt_cut cut_of(const struct sxt_zero3_setup *set, size_t unit)
{
    return sxt_cut_unit(set->layout->unit_size[unit], set->comm.size);
}

size_t sxt_zero3_first_away(const struct sxt_zero3_setup *set)
{
    const struct sxt_layout *layout = set->layout;
    size_t first = layout->n_units;
    double all = 0, away = 0;

    for (size_t u = 0; u < layout->n_units; u++)
        all += (double)layout->unit_size[u];
    while (first > 0 && away < set->away * all)
        away += (double)layout->unit_size[--first];
    return first;
}

size_t sxt_zero3_widest(const struct sxt_zero3_setup *set)
{
    size_t most = 0;

    for (size_t u = 0; u < set->layout->n_units; u++) {
        size_t n = cut_of(set, u).each * (size_t)set->comm.size;
        most = n > most ? n : most;
    }
    return most;
}

size_t sxt_zero3_widest_away(const struct sxt_zero3_setup *set)
{
    size_t most = 0;

    for (size_t u = sxt_zero3_first_away(set); u < set->layout->n_units; u++) {
        size_t n = cut_of(set, u).each;
        most = n > most ? n : most;
    }
    return most;
}

/* Those in use at once, which is one or with a tied head two, and those ahead.
 */
int sxt_zero3_slots(const struct sxt_zero3_setup *set)
{
    bool away =
        set->params_away && sxt_zero3_first_away(set) < set->layout->n_units;

    if (set->comm.size == 1 && !away)
        return 0;
    return (set->layout->config.tied ? 2 : 1) + set->ahead;
}

struct sxt_zero3_bytes sxt_zero3_bytes(const struct sxt_zero3_setup *set)
{
    size_t wide = sxt_zero3_widest(set), first = sxt_zero3_first_away(set);
    size_t elem = sxt_dtype_size(set->type);
    size_t reduce = sxt_dtype_size(set->reduce_type);
    bool alone = set->comm.size == 1, cast = set->reduce_type != SXT_F32;
    struct sxt_zero3_bytes b = { 0 };
    size_t here = 0, away = 0;

    for (size_t u = 0; u < set->layout->n_units; u++)
        *(u < first ? &here : &away) += cut_of(set, u).each;
    b.params = (here + (set->params_away ? 0 : away)) * elem;
    b.grads = here * sizeof(float);
    b.gathered = (size_t)sxt_zero3_slots(set) * wide * elem;
    b.reducing = GRAD_SLOTS * wide * sizeof(float) +
                 ((cast ? 1 : 0) + (alone ? 0 : 1)) * wide * reduce +
                 sxt_zero3_widest_away(set) * sizeof(float);
    b.host = away * (elem + sizeof(float));
    return b;
}

/* ---- life ---- */

static void cut_units(struct sxt_zero3 *z)
{
    size_t n = z->set.layout->n_units;

    z->cut = sxt_alloc(n, sizeof(*z->cut));
    z->at = sxt_calloc(n + 1, sizeof(*z->at));
    z->leaf_at = sxt_calloc(n + 1, sizeof(*z->leaf_at));
    for (size_t u = 0; u < n; u++) {
        z->cut[u] = cut_of(&z->set, u);
        z->at[u + 1] = z->at[u] + z->cut[u].each;
        z->leaf_at[u + 1] = z->leaf_at[u] + z->cut[u].n_leaves;
    }
}

struct sxt_zero3 *sxt_zero3_create(const struct sxt_zero3_setup *setup)
{
    struct sxt_zero3 *z = sxt_calloc(1, sizeof(*z));

    SXT_CHECK(setup->ahead >= 0);
    z->set = *setup;
    z->dev = setup->num->dev;
    z->ranks = setup->comm.size;
    z->rank = setup->comm.rank;
    z->first_away = sxt_zero3_first_away(setup);
    cut_units(z);
    sxt_zero3_open_params(z);
    sxt_zero3_open_grads(z);
    return z;
}

void sxt_zero3_destroy(struct sxt_zero3 *z)
{
    if (!z)
        return;
    sxt_zero3_close_grads(z);
    sxt_zero3_close_params(z);
    free(z->cut);
    free(z->at);
    free(z->leaf_at);
    free(z);
}

/* ---- host memory ---- */

void sxt_zero3_on_use(struct sxt_zero3 *z,
                      void (*settle)(void *arg, size_t unit), void *arg)
{
    z->settle = settle;
    z->settle_arg = arg;
}

void sxt_zero3_settle(struct sxt_zero3 *z, size_t unit)
{
    double before = sxt_clock();

    if (!z->settle)
        return;
    z->settle(z->settle_arg, unit);
    z->traffic.settle_s += sxt_clock() - before;
}

struct sxt_zero3_traffic sxt_zero3_traffic(const struct sxt_zero3 *z)
{
    return z->traffic;
}

/* ---- looking in ---- */

const struct sxt_zero3_setup *sxt_zero3_setup(const struct sxt_zero3 *z)
{
    return &z->set;
}

const char *sxt_zero3_between(const struct sxt_zero3 *z)
{
    return sxt_coll_about(z->reduce);
}

struct sxt_params *sxt_zero3_params(struct sxt_zero3 *z)
{
    return &z->params;
}

struct sxt_grads *sxt_zero3_grads(struct sxt_zero3 *z)
{
    return &z->grads;
}

size_t sxt_zero3_elements(const struct sxt_zero3 *z, size_t begin, size_t end)
{
    return z->at[end] - z->at[begin];
}

struct sxt_shard sxt_zero3_shard(struct sxt_zero3 *z, size_t unit)
{
    size_t size = z->set.layout->unit_size[unit], elem = sxt_zero3_elem(z);
    size_t each = z->cut[unit].each, first = each * (size_t)z->rank;
    size_t left = size > first ? size - first : 0;
    struct sxt_shard s = { .first = first < size ? first : size,
                           .count = left < each ? left : each,
                           .leaf = z->cut[unit].leaf,
                           .away = sxt_zero3_is_away(z, unit) };

    if (s.away) {
        s.p = z->p_host + sxt_zero3_away_at(z, unit) * elem;
        s.g = z->g_host + sxt_zero3_away_at(z, unit);
    } else {
        s.p = z->p + z->at[unit] * elem;
        s.g = z->g + z->at[unit];
    }
    return s;
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
