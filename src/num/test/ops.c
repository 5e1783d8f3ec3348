/* ops.c - every backend against ref, over every operation and awkward shape,
 * on memory that only kernels may touch. */
#include <math.h>
#include <string.h>

#include "base/test/tap.h"
#include "num/test/runs.h"

static const char *const type_name[] = { "f32", "bf16" };

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

/* All cases of one operation and type in two labs. */
static bool compare(const struct run *run, enum sxt_dtype type, struct lab *lab,
                    struct lab *ref, double tolerance, double *worst)
{
    bool same = true;

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
    }
}

static void compare_all(const char *what, struct lab *lab, struct lab *ref,
                        bool to_the_bit)
{
    for (const struct run *run = sxt_runs; run->op; run++) {
        for (int type = SXT_F32; type <= SXT_BF16; type++) {
            double worst = 0;
            double limit = to_the_bit ? 0 : run->tolerance[type];
            bool same =
                compare(run, (enum sxt_dtype)type, lab, ref, limit, &worst);
            ok(same, "%s: %s, %s (largest difference %.2g of %.2g)", run->op,
               type_name[type], what, worst, limit);
        }
    }
}

int main(void)
{
    struct lab ref1, ref3, cpu1, cpu3;
    char text[200];

    lab_open(&ref1, "ref", "fake", 1);
    lab_open(&ref3, "ref", "fake", 3);
    lab_open(&cpu1, "cpu", "fake", 1);
    lab_open(&cpu3, "cpu", "fake", 3);
    sxt_num_describe(cpu3.num, text);
    printf("# %s\n", text);
    compare_all("ref with 3 threads is ref with 1, to the bit", &ref3, &ref1,
                true);
    compare_all("cpu agrees with ref", &cpu1, &ref1, false);
    compare_all("cpu with 3 threads is cpu with 1, to the bit", &cpu3, &cpu1,
                true);
    lab_close(&ref1);
    lab_close(&ref3);
    lab_close(&cpu1);
    lab_close(&cpu3);
    return done_testing();
}
