/* roofline.h - what this machine can do at most, measured. */
#ifndef SXT_MODEL_ROOFLINE_H
#define SXT_MODEL_ROOFLINE_H

#include "num/ops.h"

struct sxt_peak {
    double bytes_per_s; /* reading memory, all threads of this rank; a GPU:
                           reading and writing its own */
    double flop_per_s;  /* the backend's matrix product, large and square */
};

/* A rate that is known (> 0) is taken as it is.  Takes about 0.2 s.  Ranks of
 * one node should call it at the same time, for they share the memory; then
 * each gets its share. */
struct sxt_peak sxt_peak_measure(struct sxt_num *num, enum sxt_dtype type,
                                 struct sxt_peak known);

#endif
