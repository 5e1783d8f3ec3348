/* quantize.c - int8 and NF4 weights: the codes, the errors, the product. */
#include <math.h>

#include "base/test/tap.h"
#include "num/test/lab.h"

enum { ROWS = 9, COLS = 64 * 33, BLOCKS = ROWS * COLS / 64 };

/* Arrays of a quantised matrix in device memory. */
static struct sxt_qmat make(struct lab *lab, enum sxt_qformat format, size_t n,
                            size_t k)
{
    return (struct sxt_qmat){ .format = format,
                              .n = n,
                              .k = k,
                              .q = lab_bytes(lab, n * k),
                              .scale = lab_zeros(lab, n, SXT_F32),
                              .block_scale = lab_bytes(lab, n * k / 64),
                              .group_scale = lab_zeros(
                                  lab, n * k / 64 / 256 + 1, SXT_F32) };
}

/* Quantise and read back. */
static double *round_trip(struct lab *lab, struct sxt_qmat *w, const void *x)
{
    void *y = lab_zeros(lab, w->n * w->k, SXT_F32);

    sxt_quantize(lab->num, w, x, SXT_F32);
    sxt_dequantize(lab->num, y, w, SXT_F32);
    return lab_get(lab, y, w->n * w->k, SXT_F32);
}

/* x with P(normal < x) = p, by bisection. */
static double quantile(double p)
{
    double low = -10, high = 10;

    for (int i = 0; i < 100; i++) {
        double mid = (low + high) / 2;
        if (erfc(-mid / M_SQRT2) / 2 < p)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* NF4 by its construction (QLoRA, section 3 and the authors' program): 8
 * quantiles for the negative and 9 for the positive half, between 1 - delta
 * and 1/2, delta = (1/32 + 1/30) / 2, divided by the largest. */
static void nf4_codes(double code[16])
{
    double delta = (1.0 / 32 + 1.0 / 30) / 2, top = quantile(1 - delta);

    for (int i = 0; i < 8; i++)
        code[i] = -quantile(1 - delta - i * (0.5 - delta) / 7) / top;
    for (int i = 0; i < 9; i++)
        code[7 + i] = quantile(0.5 + i * (0.5 - delta) / 8) / top;
}

/* One block with maximum 1 whose values lie on a fine grid. */
static void test_nf4_codes(struct lab *lab)
{
    enum { N = 64 * 32 };
    double code[16], *x = lab_host(lab, N, sizeof(*x)), worst = 0, far = 0;
    struct sxt_qmat w = make(lab, SXT_NF4, 1, N);

    nf4_codes(code);
    for (int i = 0; i < N; i++)
        x[i] = i % 64 == 0 ? 1 : 2.0 * i / N - 1;
    double *y = round_trip(lab, &w, lab_put(lab, x, N, SXT_F32));
    for (int i = 0; i < N; i++) {
        double nearest = INFINITY, own = INFINITY;
        for (int c = 0; c < 16; c++) {
            nearest = fmin(nearest, fabs(x[i] - code[c]));
            own = fmin(own, fabs(y[i] - code[c]));
        }
        worst = fmax(worst, own);
        far = fmax(far, fabs(x[i] - y[i]) - nearest);
    }
    /* The published codes come from f32 quantiles. */
    ok(worst < 1e-6, "nf4: values are quantiles of the normal (%.1g)", worst);
    ok(far < 1e-6, "nf4: every value takes the nearest code (%.1g)", far);
}

static void test_int8(struct lab *lab)
{
    struct sxt_qmat w = make(lab, SXT_INT8, ROWS, COLS);
    double *x = lab_get(lab, lab_normals(lab, ROWS * COLS, SXT_F32, 0.02),
                        ROWS * COLS, SXT_F32);
    double worst = 0, ends = 0;

    memset(x + 3 * COLS, 0, COLS * sizeof(*x)); /* a row of zeros */
    double *y = round_trip(lab, &w, lab_put(lab, x, ROWS * COLS, SXT_F32));
    for (int i = 0; i < ROWS; i++) {
        double max = 0;
        for (int c = 0; c < COLS; c++)
            max = fmax(max, fabs(x[i * COLS + c]));
        for (int c = 0; c < COLS; c++) {
            double d = fabs(x[i * COLS + c] - y[i * COLS + c]);
            worst = fmax(worst, max > 0 ? d / max : d * INFINITY);
            if (fabs(x[i * COLS + c]) == max)
                ends = fmax(ends, max > 0 ? d / max : d);
        }
    }
    ok(worst <= 0.5 / 127 + 1e-6, "int8: errors are at most half a step (%.3g)",
       worst * 127);
    ok(ends <= 1e-6, "int8: the largest of a row comes back (%.1g)", ends);
}

/* Reading back and quantising again changes nothing. */
static void test_idempotent(struct lab *lab)
{
    struct sxt_qmat w = make(lab, SXT_INT8, ROWS, COLS);
    void *x = lab_normals(lab, ROWS * COLS, SXT_F32, 1);
    double *once = round_trip(lab, &w, x);
    double *q = lab_get_bytes(lab, w.q, ROWS * COLS);

    round_trip(lab, &w, lab_put(lab, once, ROWS * COLS, SXT_F32));
    ok(memcmp(q, lab_get_bytes(lab, w.q, ROWS * COLS),
              ROWS * COLS * sizeof(*q)) == 0,
       "int8: quantising what was read back gives the same codes");
}

/* Normal weights, as in models: QLoRA's point is a small error for these. */
static void test_nf4_error(struct lab *lab)
{
    struct sxt_qmat w = make(lab, SXT_NF4, ROWS, COLS);
    void *x = lab_normals(lab, ROWS * COLS, SXT_F32, 0.02);
    double *a = lab_get(lab, x, ROWS * COLS, SXT_F32);
    double *b = round_trip(lab, &w, x), error = 0, norm = 0, maxima = 0;
    double *code = lab_get_bytes(lab, w.block_scale, BLOCKS);
    double *group = lab_get(lab, w.group_scale, BLOCKS / 256 + 1, SXT_F32);

    for (size_t i = 0; i < ROWS * COLS; i++) {
        error += (a[i] - b[i]) * (a[i] - b[i]);
        norm += a[i] * a[i];
    }
    for (size_t block = 0; block < BLOCKS; block++) {
        double max = 0, g = group[block / 256];
        for (size_t i = 0; i < 64; i++)
            max = fmax(max, fabs(a[block * 64 + i]));
        double back = w.offset + g * (int8_t)code[block];
        maxima = fmax(maxima, fabs(back - max) / g);
    }
    /* Measured by others for NF4 on normal weights: about 0.09. */
    ok(sqrt(error / norm) < 0.1, "nf4: relative error of normal weights %.3f",
       sqrt(error / norm));
    ok(maxima <= 0.5 + 1e-4, "nf4: maxima come back within half a step (%.3f)",
       maxima);

    struct sxt_qmat zero = make(lab, SXT_NF4, 2, 64);
    double *z = round_trip(lab, &zero, lab_zeros(lab, 128, SXT_F32)), sum = 0;
    for (int i = 0; i < 128; i++)
        sum += fabs(z[i]);
    ok(sum == 0, "nf4: zeros come back as zeros");
}

/* qgemm is gemm with the weights read back. */
static void test_product(struct lab *lab, enum sxt_qformat format)
{
    enum { M = 5 };
    struct sxt_qmat w = make(lab, format, ROWS, COLS);
    void *x = lab_normals(lab, ROWS * COLS, SXT_F32, 0.02);
    void *a = lab_normals(lab, M * COLS, SXT_F32, 1);
    void *c = lab_zeros(lab, M * ROWS, SXT_F32);
    void *plain = lab_zeros(lab, M * ROWS, SXT_F32);
    double worst = 0;

    sxt_quantize(lab->num, &w, x, SXT_F32);
    sxt_qgemm(lab->num, M, a, &w, c, SXT_F32);
    sxt_dequantize(lab->num, x, &w, SXT_F32);
    struct sxt_gemm g = { .m = M,
                          .n = ROWS,
                          .k = COLS,
                          .tb = true,
                          .alpha = 1,
                          .a = a,
                          .b = x,
                          .c = plain,
                          .lda = COLS,
                          .ldb = COLS,
                          .ldc = ROWS };
    sxt_gemm(lab->num, &g);
    double *p = lab_get(lab, c, M * ROWS, SXT_F32);
    double *q = lab_get(lab, plain, M * ROWS, SXT_F32);
    for (int i = 0; i < M * ROWS; i++)
        worst = fmax(worst, fabs(p[i] - q[i]));
    /* Results near 1, sums of 2112 terms in f32 in another order. */
    ok(worst < 1e-5, "%s: qgemm is gemm with the weights read back (%.1g)",
       format == SXT_INT8 ? "int8" : "nf4", worst);
}

int main(void)
{
    static const char *const backends[] = { "ref", "cpu" };

    for (int i = 0; i < 2; i++) {
        struct lab lab;
        lab_open(&lab, backends[i], "fake", 0);
        printf("# %s\n", backends[i]);
        test_nf4_codes(&lab);
        test_int8(&lab);
        test_idempotent(&lab);
        test_nf4_error(&lab);
        test_product(&lab, SXT_INT8);
        test_product(&lab, SXT_NF4);
        lab_close(&lab);
    }
    return done_testing();
}
