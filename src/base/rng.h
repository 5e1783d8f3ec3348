/* rng.h - random numbers that depend on what is drawn, not on who draws it.
 *
 * A counter-based generator: a number is a pure function of (seed, stream,
 * index).  Give every sample its own stream, and a run on 1 rank and a run on
 * 512 ranks draw the same numbers, before and after a restart.
 *
 * Philox4x32-10, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * SC'11, doi:10.1145/2063384.2063405. */
#ifndef SXT_BASE_RNG_H
#define SXT_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct sxt_rng {
    uint64_t seed;   /* the run's */
    uint64_t stream; /* what is drawn; see sxt_rng_stream() */
};

/* Stream for a purpose ("sample", "shuffle", "init") and two keys. */
uint64_t sxt_rng_stream(const char *purpose, uint64_t key_a, uint64_t key_b);

/* The four 32-bit words at `index`. */
void sxt_philox(struct sxt_rng rng, uint64_t index, uint32_t out[4]);

uint64_t sxt_rng_u64(struct sxt_rng rng, uint64_t index);
/* Uniform in [0, 1), 53 bits. */
double sxt_rng_uniform(struct sxt_rng rng, uint64_t index);
/* Uniform in {0 … n-1}, n > 0, without modulo bias worth naming (2^-64 n). */
uint64_t sxt_rng_below(struct sxt_rng rng, uint64_t index, uint64_t n);
/* Standard normal (Box-Muller). */
double sxt_rng_normal(struct sxt_rng rng, uint64_t index);

/* Fisher-Yates: a permutation of 0 … n-1. */
void sxt_rng_permutation(struct sxt_rng rng, uint64_t *order, size_t n);

#endif
