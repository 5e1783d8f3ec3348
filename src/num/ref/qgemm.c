/* qgemm.c - matrix product with quantised weights: C (m, n) = A (m, k) W^T.
 *
 * A weight is read back to f32 (sxt_qmat_value), then as in gemm.c: sums in
 * f64, one rounding, rows independent of each other. */
#include "num/ref/nf4.h"
#include "num/ref/ref.h"

void sxt_ref_qgemm(struct sxt_num *num, size_t m, const void *a,
                   const struct sxt_qmat *w, void *c, enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t j = 0; j < w->n; j++) {
        for (size_t i = 0; i < m; i++) {
            double sum = 0;
            for (size_t p = 0; p < w->k; p++)
                sum += (double)sxt_load(a, type, i * w->k + p) *
                       sxt_qmat_value(w, j, p);
            sxt_store(c, type, i * w->n + j, (float)sum);
        }
    }
}
