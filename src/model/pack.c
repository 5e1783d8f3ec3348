/* pack.c - steps from permutations, bins by longest processing time. */
#include "model/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"

/* A sample on its way into a bin, or a bin with its load. */
struct item {
    size_t at; /* place in the list; number of the bin */
    size_t tokens;
    double cost;
    size_t bin;
};

/* Falling cost, then rising place: a total order, so any sort agrees. */
static int by_cost(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->cost != y->cost)
        return x->cost < y->cost ? 1 : -1;
    return x->at < y->at ? -1 : x->at > y->at;
}

int64_t sxt_pack_steps_per_epoch(const struct sxt_pack *pack)
{
    size_t rest = pack->drop_rest ? 0 : pack->batch - 1;

    return (int64_t)((pack->n_samples + rest) / pack->batch);
}

void sxt_pack_step(const struct sxt_pack *pack, int64_t step,
                   struct sxt_bins *bins)
{
    int64_t per_epoch = sxt_pack_steps_per_epoch(pack);
    SXT_CHECK(step > 0 && per_epoch > 0);
    uint64_t epoch = (uint64_t)((step - 1) / per_epoch);
    size_t first = (size_t)((step - 1) % per_epoch) * pack->batch;
    size_t left = pack->n_samples - first;
    size_t n = left < pack->batch ? left : pack->batch;
    uint64_t *order = sxt_alloc(pack->n_samples, sizeof(*order));
    size_t *list = sxt_alloc(n, sizeof(*list));
    struct sxt_rng rng = { pack->seed, sxt_rng_stream("shuffle", epoch, 0) };

    sxt_rng_permutation(rng, order, pack->n_samples);
    for (size_t i = 0; i < n; i++)
        list[i] = (size_t)order[first + i];
    sxt_pack_list(pack, list, n, bins);
    free(list);
    free(order);
}

/* The cheapest bin with room for so many tokens, the first of equals; n_bins if
 * there is none. */
static size_t cheapest(const struct item *bins, size_t n_bins, size_t room)
{
    size_t best = n_bins;

    for (size_t b = 0; b < n_bins; b++)
        if (bins[b].tokens <= room &&
            (best == n_bins || bins[b].cost < bins[best].cost))
            best = b;
    return best;
}

/* Spread the items over n_bins bins; false if one finds no room. */
static bool spread(struct item *items, size_t n, struct item *bins,
                   size_t n_bins, size_t max_tokens)
{
    for (size_t b = 0; b < n_bins; b++)
        bins[b] = (struct item){ .at = b, .bin = b };
    for (size_t i = 0; i < n; i++) {
        size_t b = cheapest(bins, n_bins, max_tokens - items[i].tokens);
        if (b == n_bins)
            return false;
        items[i].bin = b;
        bins[b].tokens += items[i].tokens;
        bins[b].cost += items[i].cost;
    }
    return true;
}

/* List the samples of bin after bin, in the order of the list inside each. */
static void write_bins(const size_t *list, const struct item *items, size_t n,
                       const struct item *load, struct sxt_bins *bins)
{
    size_t *bin_of = sxt_alloc(n, sizeof(*bin_of));
    size_t at = 0;

    for (size_t i = 0; i < n; i++)
        bin_of[items[i].at] = items[i].bin;
    for (size_t b = 0; b < bins->n_bins; b++) {
        bins->first[b] = at;
        for (size_t i = 0; i < n; i++)
            if (bin_of[i] == load[b].bin)
                bins->sample[at++] = list[i];
    }
    bins->first[bins->n_bins] = at;
    free(bin_of);
}

void sxt_pack_list(const struct sxt_pack *pack, const size_t *list, size_t n,
                   struct sxt_bins *bins)
{
    struct item *items = sxt_calloc(n, sizeof(*items));
    struct item *load = sxt_calloc(n, sizeof(*load));
    size_t multiple = pack->bin_multiple > 0 ? pack->bin_multiple : 1;
    size_t total = 0, k;

    SXT_CHECK(n > 0);
    for (size_t i = 0; i < n; i++) {
        size_t tokens = pack->length[list[i]];
        double x = (double)tokens;
        SXT_CHECK(tokens > 0 && tokens <= pack->max_tokens);
        items[i] =
            (struct item){ i, tokens,
                           pack->token_cost * x + pack->pair_cost * x * x, 0 };
        total += tokens;
    }
    qsort(items, n, sizeof(*items), by_cost);
    k = (total + pack->max_tokens - 1) / pack->max_tokens;
    k = (k + multiple - 1) / multiple * multiple;
    while (k < n && !spread(items, n, load, k, pack->max_tokens))
        k += multiple;
    if (k >= n)
        spread(items, n, load, k = n, pack->max_tokens);
    qsort(load, k, sizeof(*load), by_cost);
    bins->n_bins = k;
    bins->first = sxt_alloc(k + 1, sizeof(*bins->first));
    bins->sample = sxt_alloc(n, sizeof(*bins->sample));
    write_bins(list, items, n, load, bins);
    free(items);
    free(load);
}

void sxt_pack_all(const struct sxt_pack *pack, struct sxt_bins *bins)
{
    size_t *list = sxt_alloc(pack->n_samples, sizeof(*list));

    for (size_t i = 0; i < pack->n_samples; i++)
        list[i] = i;
    sxt_pack_list(pack, list, pack->n_samples, bins);
    free(list);
}

void sxt_bins_free(struct sxt_bins *bins)
{
    free(bins->first);
    free(bins->sample);
    *bins = (struct sxt_bins){ 0 };
}
