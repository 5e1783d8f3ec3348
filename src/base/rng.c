/* rng.c - Philox4x32-10 and the distributions on top of it. */
#include "base/rng.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"

uint64_t sxt_rng_stream(const char *purpose, uint64_t key_a, uint64_t key_b)
{
    uint64_t h = sxt_hash64(purpose, strlen(purpose), 0);

    return sxt_hash64_combine(sxt_hash64_combine(h, key_a), key_b);
}

void sxt_philox(struct sxt_rng rng, uint64_t index, uint32_t out[4])
{
    uint32_t key[2] = { (uint32_t)rng.seed, (uint32_t)(rng.seed >> 32) };
    uint32_t x[4] = { (uint32_t)index, (uint32_t)(index >> 32),
                      (uint32_t)rng.stream, (uint32_t)(rng.stream >> 32) };

    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * x[0];
        uint64_t b = (uint64_t)0xCD9E8D57u * x[2];
        uint32_t y[4] = { (uint32_t)(b >> 32) ^ x[1] ^ key[0], (uint32_t)b,
                          (uint32_t)(a >> 32) ^ x[3] ^ key[1], (uint32_t)a };
        memcpy(x, y, sizeof(x));
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    memcpy(out, x, sizeof(x));
}

uint64_t sxt_rng_u64(struct sxt_rng rng, uint64_t index)
{
    uint32_t x[4];

    sxt_philox(rng, index, x);
    return (uint64_t)x[1] << 32 | x[0];
}

double sxt_rng_uniform(struct sxt_rng rng, uint64_t index)
{
    return (double)(sxt_rng_u64(rng, index) >> 11) * 0x1p-53;
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
