/* sums.c - long arrays: read once, at the speed of memory. */
#include "num/cpu/cpu.h"
#include "num/cpu/vec.h"

enum { CHUNK = 1 << 15 }; /* elements that a thread takes at once */

static size_t chunk_end(size_t first, size_t n)
{
    return first + CHUNK < n ? first + CHUNK : n;
}

/* The sum of squares of one chunk: four sums side by side, in f64. */
static double chunk_sumsq(const float *x, size_t n)
{
    v4d sum = { 0 };
    size_t i = 0;

    for (; i + 4 <= n; i += 4) {
        v4d v = v4d_load(x + i);
        sum += v * v;
    }
    for (; i < n; i++)
        sum[0] += (double)x[i] * x[i];
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

/* The chunks' sums are added in order: 64 at a time are in work. */
static double leaf_sumsq(const struct sxt_num *num, const float *x, size_t n)
{
    enum { BATCH = 64 };
    double total = 0;

    for (size_t first = 0; first < n; first += (size_t)BATCH * CHUNK) {
        double part[BATCH] = { 0 };
#pragma omp parallel for num_threads(num->threads)
        for (size_t i = 0; i < BATCH; i++) {
            size_t at = first + i * CHUNK;
            if (at < n)
                part[i] = chunk_sumsq(x + at, chunk_end(at, n) - at);
        }
        for (size_t i = 0; i < BATCH; i++)
            total += part[i];
    }
    return total;
}

/* Small leaves side by side, of a large one its chunks: the same sums. */
void sxt_cpu_sumsq(struct sxt_num *num, double *sums, const float *x, size_t n,
                   size_t leaf)
{
    size_t leaves = (n + leaf - 1) / leaf;

    if (leaf > CHUNK) {
        for (size_t i = 0; i < leaves; i++)
            sums[i] = leaf_sumsq(num, x + i * leaf,
                                 n - i * leaf < leaf ? n - i * leaf : leaf);
        return;
    }
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < leaves; i++)
        sums[i] = chunk_sumsq(x + i * leaf,
                              n - i * leaf < leaf ? n - i * leaf : leaf);
}

static inline void sum_chunk(float *y, const void *x, size_t pieces, size_t n,
                             size_t first, float beta, enum sxt_dtype type)
{
    size_t end = chunk_end(first, n);

    if (beta == 0)
        memset(y + first, 0, (end - first) * sizeof(*y));
    else if (beta != 1)
        for (size_t i = first; i < end; i++)
            y[i] *= beta;
    for (size_t p = 0; p < pieces; p++) {
        size_t i = first;
        for (; i + LANES <= end; i += LANES)
            v8_store(y + i, v8_load(y + i) + v8_load_as(x, type, p * n + i));
        for (; i < end; i++)
            y[i] += sxt_load(x, type, p * n + i);
    }
}

void sxt_cpu_sum_pieces(struct sxt_num *num, float *y, const void *x,
                        size_t pieces, size_t n, float beta,
                        enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < n; i += CHUNK)
        if (type == SXT_F32)
            sum_chunk(y, x, pieces, n, i, beta, SXT_F32);
        else
            sum_chunk(y, x, pieces, n, i, beta, SXT_BF16);
}

static inline void add_chunk(void *y, const void *x, size_t i, size_t end,
                             enum sxt_dtype type)
{
    for (; i + LANES <= end; i += LANES)
        v8_store_as(y, type, i,
                    v8_load_as(y, type, i) + v8_load_as(x, type, i));
    for (; i < end; i++)
        sxt_store(y, type, i, sxt_load(y, type, i) + sxt_load(x, type, i));
}

void sxt_cpu_add(struct sxt_num *num, void *y, const void *x, size_t n,
                 enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < n; i += CHUNK)
        if (type == SXT_F32)
            add_chunk(y, x, i, chunk_end(i, n), SXT_F32);
        else
            add_chunk(y, x, i, chunk_end(i, n), SXT_BF16);
}

static inline void cast_chunk(void *y, enum sxt_dtype y_type, const void *x,
                              enum sxt_dtype x_type, size_t i, size_t end)
{
    for (; i + LANES <= end; i += LANES)
        v8_store_as(y, y_type, i, v8_load_as(x, x_type, i));
    for (; i < end; i++)
        sxt_store(y, y_type, i, sxt_load(x, x_type, i));
}

void sxt_cpu_cast(struct sxt_num *num, void *y, enum sxt_dtype y_type,
                  const void *x, enum sxt_dtype x_type, size_t n)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < n; i += CHUNK)
        if (y_type == SXT_BF16 && x_type == SXT_F32)
            cast_chunk(y, SXT_BF16, x, SXT_F32, i, chunk_end(i, n));
        else if (y_type == SXT_F32 && x_type == SXT_BF16)
            cast_chunk(y, SXT_F32, x, SXT_BF16, i, chunk_end(i, n));
        else
            cast_chunk(y, y_type, x, x_type, i, chunk_end(i, n));
}
