/* compare.c - two backends side by side, over every operation and shape. */
#include "num/test/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

/* The largest |x - ref| / (|ref| + rms(ref)); infinite if sizes or NaNs differ.
 */
static double distance(const double *x, const double *ref, size_t n)
{
    double squares = 0, worst = 0;

    for (size_t i = 0; i < n; i++)
        squares += ref[i] * ref[i];
    double rms = n > 0 ? sqrt(squares / (double)n) : 0;
    for (size_t i = 0; i < n; i++) {
        double d =
            x[i] == ref[i] ? 0 : fabs(x[i] - ref[i]) / (fabs(ref[i]) + rms);
        if (!(d <= worst))
            worst = isnan(d) ? INFINITY : d;
    }
    return worst;
}

/* True if the outcomes agree; complains if not.  tolerance 0: to the bit. */
static bool agree(const struct outcome *x, const struct outcome *ref,
                  double tolerance, const char *shape, double *worst)
{
    bool same = x->n == ref->n;

    for (size_t i = 0; same && i < ref->n; i++) {
        bool exact = tolerance == 0 || ref->part[i].exact;
        double d = distance(x->part[i].x, ref->part[i].x, ref->part[i].n);

        if (exact)
            d = memcmp(x->part[i].x, ref->part[i].x,
                       ref->part[i].n * sizeof(double)) == 0
                    ? 0
                    : INFINITY;
        *worst = fmax(*worst, d);
        if (d > tolerance) {
            printf("#   %s: %s differs by %g, allowed %g\n", shape,
                   ref->part[i].what, d, exact ? 0 : tolerance);
            same = false;
        }
    }
    return same;
}

uint64_t compare_hash(const struct outcome *x, uint64_t hash)
{
    for (size_t k = 0; k < x->n; k++)
        hash = sxt_hash64(x->part[k].x, x->part[k].n * sizeof(double), hash);
    return hash;
}

bool compare_op(const struct run *run, enum sxt_dtype type, struct lab *lab,
                struct lab *ref, double tolerance, double *worst,
                uint64_t *hash)
{
    bool same = true;

    *worst = 0;
    if (hash)
        *hash = 0;
    for (size_t i = 0;; i++) {
        struct outcome x = { 0 }, y = { 0 };
        char shape[100] = "";

        lab_clean(lab, i);
        lab_clean(ref, i);
        if (!run->run(ref, i, type, &y, shape))
            return same && i > 0;
        if (!run->run(lab, i, type, &x, shape) ||
            !agree(&x, &y, tolerance, shape, worst))
            same = false;
        if (hash)
            *hash = compare_hash(&x, *hash);
    }
}
