/* pack.h - which samples a step takes, and the bins they are packed into.
 *
 * Both are functions of (seed, step) and the samples' lengths, never of the
 * number of ranks: a run on 1 rank and a run on 64 see the same bins, which is
 * what makes their sums comparable to the last bit.
 *
 * An epoch is a permutation of all samples cut into steps of `batch`.  The
 * rest of an epoch that does not fill a step is a step of its own, whose loss
 * is divided by its own tokens; or, with drop_rest, it is left out. */
#ifndef SXT_MODEL_PACK_H
#define SXT_MODEL_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sxt_pack {
    uint64_t seed;
    size_t n_samples;
    const size_t *length; /* (n_samples) tokens, 1 … max_tokens; borrowed */
    size_t batch;         /* samples of a step */
    bool drop_rest;
    size_t max_tokens;   /* of a bin */
    size_t bin_multiple; /* take a multiple of so many bins if samples suffice:
                            the number of ranks the run is planned for */
    double token_cost, pair_cost; /* a, b of a sample's cost a n + b n^2 */
};

/* Bins of samples; bin b holds sample[first[b]] … sample[first[b + 1] - 1]. */
struct sxt_bins {
    size_t n_bins;
    size_t *first;  /* (n_bins + 1), owned */
    size_t *sample; /* (first[n_bins]), owned */
};

int64_t sxt_pack_steps_per_epoch(const struct sxt_pack *pack);

/* The bins of a step, counted from 1 over all epochs, most expensive first, so
 * that bins that run at the same time cost about the same.  Owned by the
 * caller. */
void sxt_pack_step(const struct sxt_pack *pack, int64_t step,
                   struct sxt_bins *bins);

/* The bins of a list of samples.  Longest processing time first (Graham 1969,
 * doi:10.1137/0117039), with the capacity max_tokens: each sample, in order of
 * falling cost, goes to the cheapest bin that has room, over as few bins as
 * turn out to be enough. */
void sxt_pack_list(const struct sxt_pack *pack, const size_t *list, size_t n,
                   struct sxt_bins *bins);
/* The bins of all samples, in their order. */
void sxt_pack_all(const struct sxt_pack *pack, struct sxt_bins *bins);
void sxt_bins_free(struct sxt_bins *bins);

#endif
