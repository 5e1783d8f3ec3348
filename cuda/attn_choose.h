/* attn_choose.h - which of attention's kernels runs: packed, paged, backward.
 */
#ifndef SXT_CUDA_ATTN_CHOOSE_H
#define SXT_CUDA_ATTN_CHOOSE_H

#include <initializer_list>

#include "cuda/kernel.cuh"

/* How wide the heads of the kernel for tensor cores are, 64 or 128; 0: the
 * plain kernel.  These arrays are of bf16 and hold whole heads: in memory that
 * the device gave they are aligned, and so the model's shape alone decides,
 * never the batch.  group: query heads of a key head, at most `rows` of a
 * block. */
static inline size_t sxt_attn_tiles(enum sxt_dtype type, size_t d, size_t group,
                                    size_t rows,
                                    std::initializer_list<const void *> arrays)
{
    if (type != SXT_BF16 || (d != 64 && d != 128) || group > rows)
        return 0;
    for (const void *p : arrays)
        if (!sxt_is_wide<bf16>(p, d))
            return 0;
    return d;
}

#endif
