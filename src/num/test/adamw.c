/* adamw.c - the optimiser against PyTorch's, and the split master weight.  The
 * GPU's test is this file with another device. */
#include <math.h>

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
        lab_close(&lab);
    }
    return done_testing();
}
