/* lrsched.c - learning rates in closed form. */
#include "model/lrsched.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

static const double pi = 3.14159265358979323846;

int sxt_lrsched_kind(const char *word)
{
    const char *at = SXT_LR_KINDS;
    size_t n = strlen(word);

    for (int kind = 0;; kind++) {
        size_t len = strcspn(at, "|");
        if (len == n && memcmp(at, word, n) == 0)
            return kind;
        if (at[len] == '\0')
            return -1;
        at += len + 1;
    }
}

/* From lr at 0 to the floor at 1. */
static double half_cosine(const struct sxt_lrsched *s, double progress)
{
    return s->floor + (s->lr - s->floor) * (1 + cos(pi * progress)) / 2;
}

/* Part of the period that i lies in, where period k is t_0 t_mult^k long. */
static double period_progress(const struct sxt_lrsched *s, int64_t i)
{
    int64_t period = s->t_0;

    if (s->t_mult == 1)
        return (double)(i % period) / (double)period;
    while (i >= period) {
        i -= period;
        period *= s->t_mult;
    }
    return (double)i / (double)period;
}

/* (i - from) / length, inside [0, 1]. */
static double progress(int64_t i, int64_t from, int64_t length)
{
    if (i <= from)
        return 0;
    return i - from >= length ? 1 : (double)(i - from) / (double)length;
}

double sxt_lrsched_at(const struct sxt_lrsched *s, int64_t step)
{
    int64_t i = step - 1 - s->warmup, t = s->total - s->warmup;

    SXT_CHECK(step > 0 && s->warmup >= 0);
    if (i < 0)
        return s->lr * (double)(step - 1) / (double)s->warmup;
    switch (s->kind) {
    case SXT_LR_CONSTANT:
        return s->lr;
    case SXT_LR_LINEAR:
        return s->lr - (s->lr - s->floor) * progress(i, 0, t);
    case SXT_LR_COSINE:
        return half_cosine(s, progress(i, 0, t));
    case SXT_LR_RESTARTS:
        SXT_CHECK(s->t_0 >= 1 && s->t_mult >= 1);
        return half_cosine(s, period_progress(s, i));
    case SXT_LR_WSD:
        return half_cosine(s, progress(i, t - s->decay, s->decay));
    }
    return s->lr;
}
