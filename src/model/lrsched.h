/* lrsched.h - the learning rate of every step, in closed form.
 *
 * The schedules of PyTorch and Transformers: with i = step - 1, counted behind
 * the warm-up, and T the steps behind it,
 *
 *   constant   lr
 *   linear     from lr to the floor at i = T
 *   cosine     floor + (lr - floor) (1 + cos(pi i / T)) / 2
 *   restarts   the same over periods T_0, T_0 T_mult, T_0 T_mult^2, …
 *              (Loshchilov & Hutter, arXiv:1608.03983, eq. 5)
 *   wsd        lr, then a half cosine to the floor over the last `decay` steps
 *              (Hu et al., arXiv:2404.06395, section 4)
 *
 * Warm-up is linear: step 1 has rate 0, step warmup + 1 the full rate. */
#ifndef SXT_MODEL_LRSCHED_H
#define SXT_MODEL_LRSCHED_H

#include <stdint.h>

enum sxt_lr_kind {
    SXT_LR_CONSTANT,
    SXT_LR_LINEAR,
    SXT_LR_COSINE,
    SXT_LR_RESTARTS,
    SXT_LR_WSD
};

/* The words for a parameter table, in the order of the enum. */
#define SXT_LR_KINDS "constant|linear|cosine|restarts|wsd"

struct sxt_lrsched {
    enum sxt_lr_kind kind;
    double lr, floor;      /* rates, floor <= lr */
    int64_t warmup, total; /* steps; the warm-up is part of the total */
    int64_t t_0, t_mult;   /* restarts: steps, factor; both at least 1 */
    int64_t decay;         /* wsd: steps of the decay at the end */
};

/* Rate of a step, counted from 1. */
double sxt_lrsched_at(const struct sxt_lrsched *s, int64_t step);

/* Kind of one of the words above, -1 if it is none. */
int sxt_lrsched_kind(const char *word);

#endif
