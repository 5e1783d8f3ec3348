/* adamw.h - the arithmetic of AdamW, in f32, one for all backends: they agree
 * to the bit, for + - * / sqrt and fma are IEEE 754's everywhere.
 *
 * doc/numerics.md says why f32 is enough. */
#ifndef SXT_NUM_ADAMW_H
#define SXT_NUM_ADAMW_H

#include <math.h>

#include "base/everywhere.h"
#include "num/ops.h"

/* What is the same for all parameters, taken in f64 and rounded once. */
struct sxt_adamw_rates {
    float grad_scale;
    float mean, square; /* 1 - b1, 1 - b2 */
    float root;         /* 1 / sqrt(c2) */
    float eps;
    float lr, decay; /* lr / c1, lr wd */
};

static inline struct sxt_adamw_rates sxt_adamw_rates_of(
    const struct sxt_adamw *a)
{
    double c1 = 1 - pow(a->b1, (double)a->step);
    double c2 = 1 - pow(a->b2, (double)a->step);
    struct sxt_adamw_rates r = { (float)a->grad_scale,  (float)(1 - a->b1),
                                 (float)(1 - a->b2),    (float)(1 / sqrt(c2)),
                                 (float)a->eps,         (float)(a->lr / c1),
                                 (float)(a->lr * a->wd) };

    return r;
}

/* The new value of parameter p; its moments m and v change too. */
SXT_EVERYWHERE static inline float sxt_adamw_move(
    const struct sxt_adamw_rates *r, float p, float *m, float *v, float grad)
{
    float g = grad * r->grad_scale;

    *m = fmaf(r->mean, g - *m, *m);
    *v = fmaf(r->square, fmaf(g, g, -*v), *v);
    float move = *m / fmaf(sqrtf(*v), r->root, r->eps);
    return p - fmaf(r->decay, p, r->lr * move);
}

#endif
