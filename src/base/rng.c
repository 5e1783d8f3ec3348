/* rng.c - Philox4x32-10 and the distributions on top of it. */
#include "base/rng.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/philox.h"

uint64_t sxt_rng_stream(const char *purpose, uint64_t key_a, uint64_t key_b)
{
    uint64_t h = sxt_hash64(purpose, strlen(purpose), 0);

    return sxt_hash64_combine(sxt_hash64_combine(h, key_a), key_b);
}

void sxt_philox(struct sxt_rng rng, uint64_t index, uint32_t out[4])
{
    sxt_philox_words(rng.seed, rng.stream, index, out);
}

uint64_t sxt_rng_u64(struct sxt_rng rng, uint64_t index)
{
    uint32_t x[4];

    sxt_philox(rng, index, x);
    return (uint64_t)x[1] << 32 | x[0];
}

double sxt_rng_uniform(struct sxt_rng rng, uint64_t index)
{
    return sxt_philox_uniform(rng.seed, rng.stream, index);
}

uint64_t sxt_rng_below(struct sxt_rng rng, uint64_t index, uint64_t n)
{
    unsigned __int128 wide = (unsigned __int128)sxt_rng_u64(rng, index) * n;

    return (uint64_t)(wide >> 64);
}

double sxt_rng_normal(struct sxt_rng rng, uint64_t index)
{
    static const double two_pi = 6.283185307179586;
    uint32_t x[4];

    sxt_philox(rng, index, x);
    double u = ((double)x[0] + 1.0) * 0x1p-32; /* (0, 1] */
    double v = (double)x[1] * 0x1p-32;
    return sqrt(-2.0 * log(u)) * cos(two_pi * v);
}

void sxt_rng_permutation(struct sxt_rng rng, uint64_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t j = sxt_rng_below(rng, i, i);
        uint64_t swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
}
