/* limits.h - what the benchmarks share: a clock, numbers, and the limits that
 * speed is a share of.  One library's product is used: oneDNN's, if built in.
 */
#ifndef BENCH_LIMITS_H
#define BENCH_LIMITS_H

#include "num/ops.h"

struct bench {
    struct sxt_dev *dev;
    struct sxt_num *num;
    /* the limits, per second: bytes read; read and written in place */
    double flops, bytes, rewritten;
};

/* Device and backend by name; threads 0: all. */
int bench_open(struct bench *b, const char *backend, int threads,
               struct sxt_error *err);
void bench_close(struct bench *b);

/* Seconds; with one thread the processor's, so that a busy machine's other work
 * does not count. */
double bench_now(const struct bench *b);
typedef void bench_action(struct bench *b, void *what, size_t turn);
/* Best time of one turn: of at least three, and 0.4 s of them. */
double bench_best(struct bench *b, bench_action *act, void *what);

/* Device memory, to be freed: about normal with deviation 1. */
void *bench_numbers(struct bench *b, size_t n, enum sxt_dtype type);

/* The products of a linear layer y = x W^T: y, dx, dW. */
enum bench_form { BENCH_NT, BENCH_NN, BENCH_TN };
struct bench_product {
    struct sxt_gemm g;
    size_t copies; /* of B: with few rows it comes from memory every time */
};
struct bench_product bench_product(struct bench *b, size_t m, size_t n,
                                   size_t k, enum bench_form form,
                                   enum sxt_dtype type);
void bench_product_free(struct bench *b, struct bench_product *p);
/* Actions on a product: through the table; oneDNN's f32 (without it: the
 * same as the first). */
void bench_multiply(struct bench *b, void *product, size_t turn);
void bench_multiply_onednn(struct bench *b, void *product, size_t turn);
bool bench_has_onednn(void);

/* Measure the limits, b->flops by a large f32 product; print them. */
void bench_limits(struct bench *b);

#endif
