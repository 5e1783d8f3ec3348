/* gpu.h - what the files of the GPU's benchmark share. */
#ifndef BENCH_GPU_H
#define BENCH_GPU_H

#include "args.h"
#include "num/ops.h"
#include "par/comm.h"

enum { BENCH_COPIES = 8 /* of weights, taken in turn */ };

struct bench {
    struct sxt_dev *dev;
    struct sxt_num *num;
    const char *only; /* NULL: everything */
    bool tiny;        /* everything once, in small shapes; no number */
    double bytes_per_s, flop_per_s;
};

/* What is measured: one call, its arguments, its least work. */
struct work {
    const char *name;
    void (*run)(struct bench *b, const struct work *w, size_t turn);
    size_t m, n, k; /* rows; columns; depth or positions of context */
    size_t heads, kv_heads;
    void *x, *y, *w[BENCH_COPIES];
    struct sxt_qmat q; /* without its codes: w */
    int32_t *ints;
    double bytes, flop;
};

/* Device memory, to be freed: numbers of no meaning, small and not zero. */
void *bench_numbers(struct bench *b, size_t n, enum sxt_dtype type);
/* True if the entry is asked for and there. */
bool bench_wanted(struct bench *b, const char *name);
double bench_seconds(struct bench *b, const struct work *w);
/* Measure, print a line, free the arguments. */
void bench_finish(struct bench *b, struct work *w);

/* gpu_attn.c: attention over t tokens of one document, packed; back: its
 * gradients. */
void bench_attention(struct bench *b, size_t t, size_t heads, size_t kv_heads,
                     bool back);

/* gpu_train.c */
void bench_training_kernels(struct bench *b);
void bench_steps(struct bench *b);

#endif
