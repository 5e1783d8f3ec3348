/* roofline.c - a read of much memory, and a large matrix product. */
#include "model/roofline.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "dev/stream.h"

enum { READ_BYTES = 192 << 20, SIDE = 1024, TIMES = 3 };

/* The sum keeps the compiler from dropping the reads. */
static uint64_t read_all(const uint64_t *x, size_t n, int threads)
{
    uint64_t sum = 0;

#pragma omp parallel for num_threads(threads) reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

/* What the host is told to do is done when a GPU says so. */
static double seconds_since(struct sxt_dev *dev, double begin)
{
    sxt_stream_finish(dev, SXT_STREAM_MAIN);
    return sxt_clock() - begin;
}

/* Copies inside the device's memory: a byte is read and written. */
static double copy_rate(struct sxt_dev *dev)
{
    char *x = sxt_dev_alloc(dev, READ_BYTES);
    size_t half = READ_BYTES / 2;
    double best = 0;

    for (int i = 0; i < TIMES; i++) {
        double begin = sxt_clock();
        sxt_dev_copy(dev, x, x + half, half);
        double rate = READ_BYTES / seconds_since(dev, begin);
        best = rate > best ? rate : best;
    }
    sxt_dev_free(dev, x);
    return best;
}

static double read_rate(int threads)
{
    uint64_t *x = sxt_alloc_aligned(READ_BYTES);
    double best = 0;

    memset(x, 1, READ_BYTES);
    for (int i = 0; i < TIMES; i++) {
        double begin = sxt_clock();
        uint64_t sum = read_all(x, READ_BYTES / sizeof(*x), threads);
        double rate = READ_BYTES / (sxt_clock() - begin);
        SXT_CHECK(sum != 0);
        best = rate > best ? rate : best;
    }
    free(x);
    return best;
}

static double gemm_rate(struct sxt_num *num, enum sxt_dtype type)
{
    size_t bytes = (size_t)SIDE * SIDE * sxt_dtype_size(type);
    void *m[3];
    double best = 0;

    for (int i = 0; i < 3; i++)
        m[i] = sxt_dev_alloc(num->dev, bytes);
    struct sxt_gemm g = { .m = SIDE,
                          .n = SIDE,
                          .k = SIDE,
                          .tb = true,
                          .alpha = 1,
                          .a = m[0],
                          .b = m[1],
                          .c = m[2],
                          .lda = SIDE,
                          .ldb = SIDE,
                          .ldc = SIDE,
                          .type = type,
                          .c_type = type,
                          .rows_independent = true };
    for (int i = 0; i < TIMES; i++) {
        double begin = sxt_clock();
        sxt_gemm(num, &g);
        double flop = 2.0 * SIDE * SIDE * SIDE;
        double rate = flop / seconds_since(num->dev, begin);
        best = rate > best ? rate : best;
    }
    for (int i = 0; i < 3; i++)
        sxt_dev_free(num->dev, m[i]);
    return best;
}

struct sxt_peak sxt_peak_measure(struct sxt_num *num, enum sxt_dtype type,
                                 struct sxt_peak known)
{
    bool on_gpu = strcmp(sxt_dev_kind(num->dev), "cuda") == 0;

    if (!(known.bytes_per_s > 0))
        known.bytes_per_s =
            on_gpu ? copy_rate(num->dev) : read_rate(num->threads);
    if (!(known.flop_per_s > 0))
        known.flop_per_s = gemm_rate(num, type);
    return known;
}
