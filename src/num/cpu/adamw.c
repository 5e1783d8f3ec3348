/* adamw.c - the optimizer: ref's formula in f64, four parameters at a time.
 *
 * Every operation is IEEE's and element by element, so the bits are ref's. */
#include <math.h>

#include "num/cpu/cpu.h"
#include "num/cpu/vec.h"

enum { CHUNK = 1 << 13 };

/* What is the same for all parameters. */
struct step {
    double b1, b2, c1, c2, lr, eps, wd, grad_scale;
};

/* The parameter's new value; m and v are updated. */
static inline float move(const struct step *s, float old, float *m, float *v,
                         float grad)
{
    double g = grad * s->grad_scale, p = old;

    *m = (float)(s->b1 * *m + (1 - s->b1) * g);
    *v = (float)(s->b2 * *v + (1 - s->b2) * g * g);
    return (float)(p - s->lr * (*m / s->c1 / (sqrt(*v / s->c2) + s->eps) +
                                s->wd * p));
}

static void step_f32(struct step s, float *restrict p, float *restrict m,
                     float *restrict v, const float *restrict grad, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        p[i] = move(&s, p[i], &m[i], &v[i], grad[i]);
}

static void step_split(struct step s, uint16_t *restrict p,
                       uint16_t *restrict rest, float *restrict m,
                       float *restrict v, const float *restrict grad, size_t n)
{
    float master[CHUNK];

    for (size_t i = 0; i < n; i++)
        master[i] = sxt_join_master(p[i], rest[i]);
    step_f32(s, master, m, v, grad, n);
    for (size_t i = 0; i < n; i++)
        sxt_split_master(master[i], &p[i], &rest[i]);
}

void sxt_cpu_adamw(struct sxt_num *num, const struct sxt_adamw *a)
{
    struct step s = { a->b1,
                      a->b2,
                      1 - pow(a->b1, (double)a->step),
                      1 - pow(a->b2, (double)a->step),
                      a->lr,
                      a->eps,
                      a->wd,
                      a->grad_scale };

#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < a->n; i += CHUNK) {
        size_t n = a->n - i < CHUNK ? a->n - i : CHUNK;
        if (a->type == SXT_F32)
            step_f32(s, (float *)a->p + i, a->m + i, a->v + i, a->grad + i, n);
        else
            step_split(s, (uint16_t *)a->p + i, a->rest + i, a->m + i, a->v + i,
                       a->grad + i, n);
    }
}
