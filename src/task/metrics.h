/* metrics.h - benchmark figures and how sure one can be of them. */
#ifndef SXT_TASK_METRICS_H
#define SXT_TASK_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Chance that at least one of k samples passes, estimated without bias from
 * n samples of which c pass: 1 - C(n-c, k) / C(n, k).  Chen et al. 2021,
 * arXiv:2107.03374, section 2.1.  1 <= k <= n. */
double sxt_metric_pass_at_k(int64_t n, int64_t c, int64_t k);

struct sxt_estimate {
    double value;
    double stderror;  /* of the mean over problems; NaN for one problem */
    double low, high; /* 95 % */
};

/* Mean of one value a problem.  The interval is Wilson's score interval (1927)
 * if all values are 0 or 1, else the percentile bootstrap over problems (2000
 * resamples drawn from `seed`): samples of one problem are not independent, so
 * problems are the unit.  What cannot be told (n = 0; the spread of one value)
 * is NaN. */
struct sxt_estimate sxt_metric_mean(const double *x, size_t n, uint64_t seed);

/* Wilson's interval for `passes` of n, at 95 %. */
void sxt_metric_wilson(double passes, double n, double *low, double *high);

/* The most frequent answer among n: its first place, or -1 if all are empty
 * (an empty answer has no vote).  Answers that are `same` vote together; the
 * earliest of equals wins. */
long sxt_metric_majority(const struct sxt_span *answers, size_t n,
                         bool (*same)(struct sxt_span domain, struct sxt_span a,
                                      struct sxt_span b),
                         struct sxt_span domain);

#endif
