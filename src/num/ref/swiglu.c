/* swiglu.c - the gated activation: y = silu(g) u, silu(g) = g sigmoid(g).
 *
 * Shazeer, arXiv:2002.05202, eq. 6.  Backward, with a = sigmoid(g):
 *   dg = dy u a (1 + g (1 - a)),  du = dy g a */
#include <math.h>

#include "num/ref/ref.h"

void sxt_ref_swiglu(struct sxt_num *num, void *y, const void *gu, size_t t,
                    size_t f, enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < t; i++) {
        for (size_t c = 0; c < f; c++) {
            double g = sxt_load(gu, type, i * 2 * f + c);
            double u = sxt_load(gu, type, i * 2 * f + f + c);
            sxt_store(y, type, i * f + c, (float)(g / (1 + exp(-g)) * u));
        }
    }
}

void sxt_ref_swiglu_bwd(struct sxt_num *num, void *dgu, const void *dy,
                        const void *gu, size_t t, size_t f, enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < t; i++) {
        for (size_t c = 0; c < f; c++) {
            size_t at_g = i * 2 * f + c, at_u = at_g + f;
            double g = sxt_load(gu, type, at_g);
            double u = sxt_load(gu, type, at_u);
            double d = sxt_load(dy, type, i * f + c);
            double a = 1 / (1 + exp(-g));
            sxt_store(dgu, type, at_g, (float)(d * u * a * (1 + g * (1 - a))));
            sxt_store(dgu, type, at_u, (float)(d * g * a));
        }
    }
}
