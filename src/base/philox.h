/* philox.h - Philox4x32-10 in line, for the processor and for GPUs. */
#ifndef SXT_BASE_PHILOX_H
#define SXT_BASE_PHILOX_H

#include <stdint.h>

#include "base/everywhere.h"

/* The four 32-bit words at `index` of a stream.  Salmon et al., SC'11,
 * doi:10.1145/2063384.2063405. */
SXT_EVERYWHERE static inline void sxt_philox_words(uint64_t seed,
                                                   uint64_t stream,
                                                   uint64_t index,
                                                   uint32_t x[4])
{
    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);

    x[0] = (uint32_t)index;
    x[1] = (uint32_t)(index >> 32);
    x[2] = (uint32_t)stream;
    x[3] = (uint32_t)(stream >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * x[0];
        uint64_t b = (uint64_t)0xCD9E8D57u * x[2];
        x[0] = (uint32_t)(b >> 32) ^ x[1] ^ key0;
        x[1] = (uint32_t)b;
        x[2] = (uint32_t)(a >> 32) ^ x[3] ^ key1;
        x[3] = (uint32_t)a;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

/* Uniform in [0, 1), 53 bits. */
SXT_EVERYWHERE static inline double sxt_philox_uniform(uint64_t seed,
                                                       uint64_t stream,
                                                       uint64_t index)
{
    uint32_t x[4];

    sxt_philox_words(seed, stream, index, x);
    return (double)(((uint64_t)x[1] << 32 | x[0]) >> 11) * 0x1p-53;
}

#endif
