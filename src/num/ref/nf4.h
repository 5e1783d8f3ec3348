/* nf4.h - reading quantised weights back; quantize.c says what they are. */
#ifndef SXT_NUM_REF_NF4_H
#define SXT_NUM_REF_NF4_H

#include "base/everywhere.h"
#include "num/ops.h"

enum { SXT_NF4_BLOCK = 64, SXT_NF4_GROUP = 256 };

/* The quantiles, ascending, 0 at index 7. */
extern const float sxt_nf4_code[16];

/* Maximum of flat block b, in f32: one multiplication, one addition. */
SXT_EVERYWHERE static inline float sxt_nf4_block_max(const struct sxt_qmat *w,
                                                     size_t b)
{
    return w->offset +
           w->group_scale[b / SXT_NF4_GROUP] * (int8_t)w->block_scale[b];
}

/* Element (row, c) in f32: one multiplication. */
static inline float sxt_qmat_value(const struct sxt_qmat *w, size_t row,
                                   size_t c)
{
    size_t i = row * w->k + c;

    if (w->format == SXT_INT8)
        return w->scale[row] * (int8_t)w->q[i];
    unsigned code = w->q[i / 2] >> (i % 2 * 4) & 15;
    return sxt_nf4_block_max(w, i / SXT_NF4_BLOCK) * sxt_nf4_code[code];
}

#endif
