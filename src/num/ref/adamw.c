/* adamw.c - one step of AdamW on n parameters.
 *
 * Loshchilov & Hutter, arXiv:1711.05101, algorithm 2, in f64 from f32 inputs;
 * m and v are rounded to f32, and the parameter moves by the rounded ones. */
#include <math.h>

#include "num/ref/ref.h"

static float load_master(const struct sxt_adamw *a, size_t i)
{
    if (a->type == SXT_F32)
        return ((const float *)a->p)[i];
    return sxt_join_master(((const uint16_t *)a->p)[i], a->rest[i]);
}

static void store_master(const struct sxt_adamw *a, size_t i, float x)
{
    if (a->type == SXT_F32)
        ((float *)a->p)[i] = x;
    else
        sxt_split_master(x, &((uint16_t *)a->p)[i], &a->rest[i]);
}

void sxt_ref_adamw(struct sxt_num *num, const struct sxt_adamw *a)
{
    double c1 = 1 - pow(a->b1, (double)a->step);
    double c2 = 1 - pow(a->b2, (double)a->step);

#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < a->n; i++) {
        double g = a->grad[i] * a->grad_scale;
        double p = load_master(a, i);

        a->m[i] = (float)(a->b1 * a->m[i] + (1 - a->b1) * g);
        a->v[i] = (float)(a->b2 * a->v[i] + (1 - a->b2) * g * g);
        double move = a->m[i] / c1 / (sqrt(a->v[i] / c2) + a->eps);
        store_master(a, i, (float)(p - a->lr * (move + a->wd * p)));
    }
}
