/* gemm.c - matrix product: C = alpha op(A) op(B) + beta C + bias.
 *
 * A product of two f32 is exact in f64, so the only roundings are those of
 * the f64 sum over k, ascending, and the one to C's type.  With beta = 0, C is
 * not read.  A row of C never depends on the others. */
#include "num/ref/ref.h"

void sxt_ref_gemm(struct sxt_num *num, const struct sxt_gemm *g)
{
    size_t a_row = g->ta ? 1 : g->lda, a_col = g->ta ? g->lda : 1;
    size_t b_row = g->tb ? 1 : g->ldb, b_col = g->tb ? g->ldb : 1;

#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < g->m; i++) {
        for (size_t j = 0; j < g->n; j++) {
            double sum = 0;
            for (size_t p = 0; p < g->k; p++)
                sum += (double)sxt_load(g->a, g->type, i * a_row + p * a_col) *
                       sxt_load(g->b, g->type, p * b_row + j * b_col);
            sum *= g->alpha;
            if (g->beta != 0)
                sum +=
                    (double)g->beta * sxt_load(g->c, g->c_type, i * g->ldc + j);
            if (g->bias)
                sum += sxt_load(g->bias, g->type, j);
            sxt_store(g->c, g->c_type, i * g->ldc + j, (float)sum);
        }
    }
}
