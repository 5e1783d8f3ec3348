/* rmsnorm.c - residual addition and root-mean-square normalisation.
 *
 * Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4, with eps under the root:
 *   s = 1 / sqrt(mean_c(r_c^2) + eps),  y_c = w_c r_c s
 * The mean is that of the stored (rounded) r.  Backward:
 *   dr_c += s w_c dy_c - r_c s^3 / h sum_k(w_k dy_k r_k)
 *   dw_c += sum_t(dy_c r_c s) */
#include <math.h>

#include "num/ref/ref.h"

void sxt_ref_add_rmsnorm(struct sxt_num *num, void *y, float *rstd, void *r,
                         const void *x, const void *w, size_t t, size_t h,
                         float eps, enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < t; i++) {
        size_t row = i * h;
        double squares = 0;

        for (size_t c = 0; c < h; c++) {
            float v = sxt_load(r, type, row + c);
            if (x) {
                sxt_store(r, type, row + c, v + sxt_load(x, type, row + c));
                v = sxt_load(r, type, row + c);
            }
            squares += (double)v * v;
        }
        double s = 1 / sqrt(squares / (double)h + eps);
        for (size_t c = 0; c < h; c++)
            sxt_store(
                y, type, row + c,
                (float)(s * sxt_load(w, type, c) * sxt_load(r, type, row + c)));
        if (rstd)
            rstd[i] = (float)s;
    }
}

static void add_dr(void *dr, const void *dy, const void *r, const void *w,
                   double s, size_t row, size_t h, enum sxt_dtype type)
{
    double dot = 0;

    for (size_t c = 0; c < h; c++)
        dot += (double)sxt_load(w, type, c) * sxt_load(dy, type, row + c) *
               sxt_load(r, type, row + c);
    dot *= s * s * s / (double)h;
    for (size_t c = 0; c < h; c++) {
        double d = s * sxt_load(w, type, c) * sxt_load(dy, type, row + c) -
                   dot * sxt_load(r, type, row + c);
        sxt_store(dr, type, row + c, (float)(sxt_load(dr, type, row + c) + d));
    }
}

void sxt_ref_rmsnorm_bwd(struct sxt_num *num, void *dr, float *dw,
                         const void *dy, const void *r, const void *w,
                         const float *rstd, size_t t, size_t h,
                         enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t c = 0; c < h; c++) {
        double sum = 0;
        for (size_t i = 0; i < t; i++)
            sum += (double)sxt_load(dy, type, i * h + c) *
                   sxt_load(r, type, i * h + c) * rstd[i];
        dw[c] = (float)(dw[c] + sum);
    }
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < t; i++)
        add_dr(dr, dy, r, w, rstd[i], i * h, h, type);
}
