/* attn_bwd.h - between the two files of attention's backward pass. */
#ifndef SXT_CUDA_ATTN_BWD_H
#define SXT_CUDA_ATTN_BWD_H

#include "cuda/backend.h"

/* Some key heads with their query heads; the pointers are those of all. */
struct sxt_attn_part {
    struct sxt_attn a;
    size_t kv, n_kv; /* the first key head, and how many */
    /* (query heads of the part, T): log2(e) lse, and do_t o_t */
    const float2 *stat;
};

/* By tensor cores; false if the shape is not for them. */
bool sxt_cuda_attn_bwd_mma(struct sxt_num *num, const struct sxt_attn_part *p);

#endif
