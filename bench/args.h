/* args.h - arguments of operations that more than one benchmark measures. */
#ifndef BENCH_ARGS_H
#define BENCH_ARGS_H

#include "num/ops.h"

/* i step mod modulus, in device memory, to be freed. */
int32_t *bench_integers(struct sxt_dev *dev, size_t n, size_t step,
                        size_t modulus);

/* One update of split masters, 28 bytes of memory each: p, rest, m and v are
 * read and written, the gradient is read. */
struct bench_state {
    uint16_t *p, *rest;
    float *m, *v, *grad;
    size_t n;
};
void bench_update(struct sxt_num *num, const struct bench_state *s,
                  size_t turn);

#endif
