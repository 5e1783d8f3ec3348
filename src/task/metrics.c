/* metrics.c - benchmark figures and how sure one can be of them. */
#include "task/metrics.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"

enum { RESAMPLES = 2000 };
static const double z95 = 1.959963984540054; /* 97.5 % of the normal */

double sxt_metric_pass_at_k(int64_t n, int64_t c, int64_t k)
{
    double miss = 1;

    SXT_CHECK(k >= 1 && k <= n && c >= 0 && c <= n);
    if (n - c < k)
        return 1;
    for (int64_t i = n - c + 1; i <= n; i++)
        miss *= 1 - (double)k / (double)i;
    return 1 - miss;
}

void sxt_metric_wilson(double passes, double n, double *low, double *high)
{
    double p = passes / n, z2 = z95 * z95;
    double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));

    *low = fmax(0, centre - half);
    *high = fmin(1, centre + half);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void bootstrap(const double *x, size_t n, uint64_t seed,
                      struct sxt_estimate *out)
{
    struct sxt_rng rng = { seed, sxt_rng_stream("bootstrap", n, 0) };
    double *means = sxt_alloc(RESAMPLES, sizeof(*means));

    for (size_t r = 0; r < RESAMPLES; r++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += x[sxt_rng_below(rng, r * n + i, n)];
        means[r] = sum / (double)n;
    }
    qsort(means, RESAMPLES, sizeof(*means), by_value);
    out->low = means[(size_t)(0.025 * RESAMPLES)];
    out->high = means[(size_t)(0.975 * RESAMPLES) - 1];
    free(means);
}

struct sxt_estimate sxt_metric_mean(const double *x, size_t n, uint64_t seed)
{
    struct sxt_estimate out = { NAN, NAN, NAN, NAN };
    double sum = 0, squares = 0;
    bool binary = true;

    if (n == 0)
        return out;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        binary = binary && (x[i] == 0 || x[i] == 1);
    }
    out.value = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - out.value) * (x[i] - out.value);
    if (n > 1)
        out.stderror = sqrt(squares / (double)(n - 1) / (double)n);
    if (binary)
        sxt_metric_wilson(sum, (double)n, &out.low, &out.high);
    else if (n > 1)
        bootstrap(x, n, seed, &out);
    return out;
}

long sxt_metric_majority(const struct sxt_span *answers, size_t n,
                         bool (*same)(struct sxt_span domain, struct sxt_span a,
                                      struct sxt_span b),
                         struct sxt_span domain)
{
    size_t *votes = sxt_calloc(n, sizeof(*votes));
    long best = -1;

    for (size_t i = 0; i < n; i++) {
        size_t first = 0;
        if (answers[i].len == 0)
            continue;
        while (first < i &&
               (votes[first] == 0 || !same(domain, answers[first], answers[i])))
            first++;
        votes[first]++;
    }
    for (size_t i = 0; i < n; i++)
        if (votes[i] > 0 && (best < 0 || votes[i] > votes[best]))
            best = (long)i;
    free(votes);
    return best;
}
