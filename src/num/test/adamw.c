/* adamw.c - the optimiser against PyTorch's, and the split master weight.  The
 * GPU's test is this file with another device. */
#include <math.h>

#include "base/rng.h"
#include "base/test/tap.h"
#include "num/test/lab.h"

#ifdef DEVICE
static const char *const backends[] = { DEVICE };
#else
#define DEVICE "fake"
static const char *const backends[] = { "ref", "cpu" };
#endif

enum { N = 5, STEPS = 4 };

/* torch.optim.AdamW of PyTorch 2.5.1 in f64 on these parameters, with
 * gradient (i + 1) sin(step (i + 2)), lr 0.02, betas 0.9 and 0.95, eps 0.25 (so
 * that the scale of the gradient shows), weight decay 0.1. */
static const double start[N] = { 1.5, -0.75, 0.125, 3.0, -2.25 };
static const double torch_adamw[N] = {
    1.469166291577, -0.751372884333, 0.144735755488,
    3.015605710393, -2.162655922668,
};

/* m and v are f32, so a move of 0.02 has an error of about 1e-9; p is rounded
 * four times. */
static void test_published(struct lab *lab, enum sxt_dtype type)
{
    struct sxt_adamw a = { .n = N,
                           .lr = 0.02,
                           .b1 = 0.9,
                           .b2 = 0.95,
                           .eps = 0.25,
                           .wd = 0.1,
                           .grad_scale = 0.5,
                           .type = type };
    double grad[N], worst = 0;
    uint16_t rest[N];

    lab_clean(lab, 0);
    a.p = lab_put(lab, start, N, type);
    a.rest = lab_bytes(lab, sizeof(rest));
    a.m = lab_zeros(lab, N, SXT_F32);
    a.v = lab_zeros(lab, N, SXT_F32);
    for (a.step = 1; a.step <= STEPS; a.step++) {
        for (int i = 0; i < N; i++)
            grad[i] = 2 * (i + 1) * sin((double)a.step * (i + 2));
        a.grad = lab_put(lab, grad, N, SXT_F32);
        sxt_adamw(lab->num, &a);
    }
    double *p = lab_get(lab, a.p, N, type);
    sxt_dev_get(lab->dev, rest, a.rest, sizeof(rest));
    for (int i = 0; i < N; i++) {
        if (type == SXT_BF16)
            p[i] = sxt_join_master(sxt_f32_to_bf16((float)p[i]), rest[i]);
        double d = fabs(p[i] - torch_adamw[i]);
        worst = d <= worst ? worst : d; /* NaN as well */
    }
    ok(worst < 1e-6, "%s: four steps are PyTorch's AdamW (%.1g)",
       type == SXT_F32 ? "f32" : "split master", worst);
}

/* ---- f32 is enough ---- */

enum { FEW = 64, MANY_STEPS = 2000 };

/* Parameter and moments, in f64, of FEW elements. */
struct course {
    double p[FEW], m[FEW], v[FEW];
};

/* The formula of ops.h in f64; what is kept is f32 if `narrow`. */
static void follow(struct course *c, const struct sxt_adamw *a,
                   const double grad[FEW], bool narrow)
{
    double c1 = 1 - pow(a->b1, (double)a->step);
    double c2 = 1 - pow(a->b2, (double)a->step);

    for (int i = 0; i < FEW; i++) {
        double g = grad[i] * a->grad_scale;
        c->m[i] = a->b1 * c->m[i] + (1 - a->b1) * g;
        c->v[i] = a->b2 * c->v[i] + (1 - a->b2) * g * g;
        if (narrow) {
            c->m[i] = (float)c->m[i];
            c->v[i] = (float)c->v[i];
        }
        c->p[i] -= a->lr * (c->m[i] / c1 / (sqrt(c->v[i] / c2) + a->eps) +
                            a->wd * c->p[i]);
        if (narrow)
            c->p[i] = (float)c->p[i];
    }
}

/* Root mean square of the relative errors. */
static double error_of(const double *x, const double *truth)
{
    double sum = 0;

    for (int i = 0; i < FEW; i++)
        sum += pow(x[i] / truth[i] - 1, 2);
    return sqrt(sum / FEW);
}

/* What is kept between steps is f32; to compute in f32 as well may add a tenth
 * to the error of that, no more.  (With b2 rounded to f32 v alone would be 1e-5
 * off: of 1 - b2 few digits are left.) */
static void test_precision(struct lab *lab)
{
    struct sxt_adamw a = { .n = FEW,
                           .lr = 3e-6,
                           .b1 = 0.9,
                           .b2 = 0.999,
                           .eps = 1e-8,
                           .wd = 0.01,
                           .grad_scale = 0.7,
                           .type = SXT_F32 };
    static struct course truth, narrow, kept;
    struct sxt_rng rng = { 3, 1 };
    float grad[FEW];
    double same[FEW];

    truth = (struct course){ 0 };
    for (uint64_t i = 0; i < FEW; i++)
        truth.p[i] = (float)(0.02 * (1 + 0.2 * sxt_rng_normal(rng, i)));
    narrow = truth;
    lab_clean(lab, 0);
    a.p = lab_put(lab, truth.p, FEW, SXT_F32);
    a.m = lab_zeros(lab, FEW, SXT_F32);
    a.v = lab_zeros(lab, FEW, SXT_F32);
    float *on_dev = lab_zeros(lab, FEW, SXT_F32);
    a.grad = on_dev;
    for (a.step = 1; a.step <= MANY_STEPS; a.step++) {
        for (int i = 0; i < FEW; i++) /* of all sizes from 1 to 1e-7 */
            same[i] = grad[i] =
                (float)(pow(10, -(i % 8)) *
                        (1 + 0.5 * sxt_rng_normal(rng, (uint64_t)a.step * FEW +
                                                           (uint64_t)i)));
        sxt_dev_put(lab->dev, on_dev, grad, sizeof(grad));
        sxt_adamw(lab->num, &a);
        follow(&truth, &a, same, false);
        follow(&narrow, &a, same, true);
    }
    memcpy(kept.p, lab_get(lab, a.p, FEW, SXT_F32), sizeof(kept.p));
    memcpy(kept.m, lab_get(lab, a.m, FEW, SXT_F32), sizeof(kept.m));
    memcpy(kept.v, lab_get(lab, a.v, FEW, SXT_F32), sizeof(kept.v));
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = { "parameters", "m", "v" };
        const double *x[][3] = { { kept.p, narrow.p, truth.p },
                                 { kept.m, narrow.m, truth.m },
                                 { kept.v, narrow.v, truth.v } };
        double ours = error_of(x[i][0], x[i][2]);
        double least = error_of(x[i][1], x[i][2]);
        ok(ours <= 1.1 * least,
           "%s: %d steps in f32: %s are %.2g off, %.2g if only kept in f32",
           lab->num->op.name, MANY_STEPS, names[i], ours, least);
    }
}

/* Every low half of many upper halves: signs, all kinds of exponents. */
static void test_split(void)
{
    size_t lost = 0, far = 0, made = 0;

    for (uint32_t hi = 0; hi < 0x10000; hi += 1 + hi % 97) {
        if ((hi & 0x7f80) == 0x7f80)
            continue; /* infinities and NaNs */
        for (uint32_t lo = 0; lo < 0x10000; lo++) {
            uint32_t bits = hi << 16 | lo, back;
            uint16_t p, rest;
            float x, y;

            memcpy(&x, &bits, sizeof(x));
            sxt_split_master(x, &p, &rest);
            y = sxt_join_master(p, rest);
            memcpy(&back, &y, sizeof(back));
            lost += back != bits;
            /* Ties apart, the nearest is that of round to even. */
            far += lo != 0x8000 && p != sxt_f32_to_bf16(x);
            far += lo == 0x8000 && p != hi + 1;
            made++;
        }
    }
    ok(lost == 0, "split and join give back each of %zu finite f32", made);
    ok(far == 0, "the bf16 half is the nearest, ties away from zero");

    uint32_t nan_bits = 0xffffffffu;
    uint16_t p, rest;
    float nan_value;
    memcpy(&nan_value, &nan_bits, sizeof(nan_value));
    sxt_split_master(nan_value, &p, &rest);
    ok(isnan(sxt_bf16_to_f32(p)) && isnan(sxt_join_master(p, rest)),
       "a NaN stays one in both halves");
    sxt_split_master(INFINITY, &p, &rest);
    ok(isinf(sxt_join_master(p, rest)), "an infinity stays one");
    sxt_split_master(sxt_bf16_to_f32(0x3f81), &p, &rest);
    ok(p == 0x3f81 && rest == 0, "a bf16 number has rest 0");
}

/* A shard of a parameter array moves as it does inside the array. */
static void test_shards(struct lab *lab, enum sxt_dtype type)
{
    enum { MANY = 103, CUT = 41 };
    struct sxt_adamw a = { .n = MANY,
                           .lr = 1e-3,
                           .b1 = 0.9,
                           .b2 = 0.999,
                           .eps = 1e-8,
                           .wd = 0.01,
                           .grad_scale = 1,
                           .step = 7,
                           .type = type };
    double *p[2];

    for (int cut = 0; cut < 2; cut++) {
        lab_clean(lab, 5);
        char *all = a.p = lab_normals(lab, MANY, type, 1);
        a.rest = lab_bytes(lab, MANY * sizeof(*a.rest));
        a.m = lab_normals(lab, MANY, SXT_F32, 1);
        a.v = lab_zeros(lab, MANY, SXT_F32);
        a.grad = lab_normals(lab, MANY, SXT_F32, 1);
        a.n = cut ? CUT : MANY;
        sxt_adamw(lab->num, &a);
        if (cut) {
            a.p = all + CUT * sxt_dtype_size(type);
            a.rest += CUT;
            a.m += CUT;
            a.v += CUT;
            a.grad += CUT;
            a.n = MANY - CUT;
            sxt_adamw(lab->num, &a);
        }
        double *got = lab_get(lab, all, MANY, type);
        static double kept[2][MANY];
        memcpy(kept[cut], got, sizeof(kept[cut]));
        p[cut] = kept[cut];
    }
    ok(memcmp(p[0], p[1], MANY * sizeof(double)) == 0,
       "%s, %s: two shards give the parameters of the whole, to the bit",
       lab->num->op.name, type == SXT_F32 ? "f32" : "bf16");
}

int main(void)
{
    test_split();
    for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
        struct lab lab;
        lab_open(&lab, backends[i], DEVICE, 0);
        test_published(&lab, SXT_F32);
        test_published(&lab, SXT_BF16);
        test_shards(&lab, SXT_F32);
        test_shards(&lab, SXT_BF16);
        test_precision(&lab);
        lab_close(&lab);
    }
    return done_testing();
}
