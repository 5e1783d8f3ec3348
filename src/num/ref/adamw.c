/* adamw.c - one step of AdamW on n parameters. */
#include "num/adamw.h"

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
    const struct sxt_adamw_rates r = sxt_adamw_rates_of(a);

#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < a->n; i++)
        store_master(a, i,
                     sxt_adamw_move(&r, load_master(a, i), &a->m[i], &a->v[i],
                                    a->grad[i]));
}
