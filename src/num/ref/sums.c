/* sums.c - element-wise additions and sums whose order is part of the result.
 */
#include "num/ref/ref.h"

void sxt_ref_sumsq(struct sxt_num *num, double *sums, const float *x, size_t n,
                   size_t leaf)
{
    (void)num;
    for (size_t i = 0; i < n; i++) {
        if (i % leaf == 0)
            sums[i / leaf] = 0;
        sums[i / leaf] += (double)x[i] * x[i];
    }
}

/* The sum starts with beta y (0 if beta is 0, y is not read then) and every
 * addition rounds to f32: adding pieces one by one or all at once is the same
 * to the bit. */
void sxt_ref_sum_pieces(struct sxt_num *num, float *y, const void *x,
                        size_t pieces, size_t n, float beta,
                        enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < n; i++) {
        float sum = beta == 0 ? 0 : beta * y[i];
        for (size_t p = 0; p < pieces; p++)
            sum += sxt_load(x, type, p * n + i);
        y[i] = sum;
    }
}

void sxt_ref_add(struct sxt_num *num, void *y, const void *x, size_t n,
                 enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < n; i++)
        sxt_store(y, type, i, sxt_load(y, type, i) + sxt_load(x, type, i));
}

void sxt_ref_cast(struct sxt_num *num, void *y, enum sxt_dtype y_type,
                  const void *x, enum sxt_dtype x_type, size_t n)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < n; i++)
        sxt_store(y, y_type, i, sxt_load(x, x_type, i));
}
