/* attn_bwd.c - gradients of attention against f64, for heads that a GPU's
 * tensor cores take.
 *
 * Outputs and log-sums are those of the inputs, as in training: weights sum to
 * one.  The inputs are bf16 numbers, and f64 takes them as they are; so errors
 * are those of the kernel alone.  Documents end on both sides of tiles of 32
 * and 64 rows. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/test/tap.h"
#include "num/test/lab.h"

#ifndef DEVICE
#define DEVICE "" /* name of a GPU's backend and device */
#define PREFIX ""
#endif

static const struct shape {
    size_t hq, hk, d;
    int32_t docs[4]; /* lengths, ends with -1 */
} shapes[] = {
    { 2, 1, 64, { 65, 1, 31, -1 } },
    { 4, 2, 64, { 130, -1 } },
    { 2, 1, 128, { 33, 64, -1 } },
    { 5, 1, 128, { 97, -1 } },
};

/* Host arrays in f64. */
struct problem {
    struct sxt_attn a;
    size_t width; /* of a row of qkv */
    double *qkv, *o, *lse, *d_o, *dqkv;
    int32_t starts[5];
};

/* Scores' weights of one query row over its document, p[0 … n - 1]. */
static void softmax(const struct problem *x, size_t t, size_t first, size_t h,
                    double *p)
{
    size_t d = x->a.d, kv = h / (x->a.hq / x->a.hk), n = t - first + 1;
    const double *q = x->qkv + t * x->width + h * d;
    double sum = 0, *lse = &x->lse[t * x->a.hq + h], top = -INFINITY;

    for (size_t j = 0; j < n; j++) {
        const double *k = x->qkv + (first + j) * x->width + (x->a.hq + kv) * d;
        p[j] = 0;
        for (size_t c = 0; c < d; c++)
            p[j] += q[c] * k[c] * (double)x->a.scale;
        top = p[j] > top ? p[j] : top;
    }
    for (size_t j = 0; j < n; j++)
        sum += exp(p[j] - top);
    *lse = top + log(sum);
    for (size_t j = 0; j < n; j++)
        p[j] = exp(p[j] - *lse);
}

/* o, lse and dqkv of one query row. */
static void row(const struct problem *x, size_t t, size_t first, size_t h,
                double *p)
{
    size_t d = x->a.d, hq = x->a.hq, kv = h / (hq / x->a.hk);
    size_t n = t - first + 1, at = (t * hq + h) * d;
    size_t q = t * x->width + h * d, k = first * x->width + (hq + kv) * d;
    size_t v = k + x->a.hk * d;
    double delta = 0;

    softmax(x, t, first, h, p);
    for (size_t j = 0; j < n; j++)
        for (size_t c = 0; c < d; c++)
            x->o[at + c] += p[j] * x->qkv[v + j * x->width + c];
    for (size_t c = 0; c < d; c++)
        delta += x->o[at + c] * x->d_o[at + c];
    for (size_t j = 0; j < n; j++) {
        double dp = 0, s;
        for (size_t c = 0; c < d; c++)
            dp += x->d_o[at + c] * x->qkv[v + j * x->width + c];
        s = p[j] * (dp - delta) * (double)x->a.scale;
        for (size_t c = 0; c < d; c++) {
            x->dqkv[q + c] += s * x->qkv[k + j * x->width + c];
            x->dqkv[k + j * x->width + c] += s * x->qkv[q + c];
            x->dqkv[v + j * x->width + c] += p[j] * x->d_o[at + c];
        }
    }
}

static struct problem pose(struct lab *lab, const struct shape *s,
                           enum sxt_dtype type)
{
    struct problem x = { .a = { .hq = s->hq, .hk = s->hk, .d = s->d } };

    for (const int32_t *n = s->docs; *n >= 0; n++) {
        x.starts[x.a.n_docs + 1] = x.starts[x.a.n_docs] + *n;
        x.a.max_len = (size_t)*n > x.a.max_len ? (size_t)*n : x.a.max_len;
        x.a.n_docs++;
    }
    x.a.type = type;
    x.a.t = (size_t)x.starts[x.a.n_docs];
    x.a.scale = 1 / sqrtf((float)s->d);
    x.width = (s->hq + 2 * s->hk) * s->d;
    size_t n_qkv = x.a.t * x.width, n_o = x.a.t * s->hq * s->d;
    x.qkv = lab_get(lab, lab_normals(lab, n_qkv, SXT_BF16, 1), n_qkv, SXT_BF16);
    x.d_o = lab_get(lab, lab_normals(lab, n_o, SXT_BF16, 1), n_o, SXT_BF16);
    x.o = lab_host(lab, n_o, sizeof(double));
    x.lse = lab_host(lab, x.a.t * s->hq, sizeof(double));
    x.dqkv = lab_host(lab, n_qkv, sizeof(double));
    double *p = lab_host(lab, x.a.t, sizeof(double));
    for (size_t i = 0; i < x.a.n_docs; i++)
        for (int32_t t = x.starts[i]; t < x.starts[i + 1]; t++)
            for (size_t h = 0; h < s->hq; h++)
                row(&x, (size_t)t, (size_t)x.starts[i], h, p);
    return x;
}

/* The kernel's dqkv. */
static const double *solve(struct lab *lab, const struct problem *x)
{
    struct sxt_attn a = x->a;
    size_t n_qkv = a.t * x->width, n_o = a.t * a.hq * a.d;

    a.qkv = lab_put(lab, x->qkv, n_qkv, a.type);
    a.o = lab_put(lab, x->o, n_o, a.type);
    a.lse = lab_put(lab, x->lse, a.t * a.hq, SXT_F32);
    a.d_o = lab_put(lab, x->d_o, n_o, a.type);
    a.dqkv = lab_zeros(lab, n_qkv, a.type);
    a.cu_seqlens = lab_put_ints(lab, x->starts, a.n_docs + 1);
    sxt_attn_bwd(lab->num, &a);
    return lab_get(lab, a.dqkv, n_qkv, a.type);
}

/* Columns first … first + n - 1 of all rows: the error's L2 norm by the
 * truth's, and the largest |error| / (|truth| + rms of truth). */
struct distance {
    double l2, worst;
};

static struct distance compare(const struct problem *x, const double *got,
                               size_t first, size_t n)
{
    double ee = 0, tt = 0;
    struct distance d = { 0 };

    for (size_t i = 0; i < x->a.t * x->width; i++) {
        size_t c = i % x->width;
        if (c < first || c >= first + n)
            continue;
        ee += (got[i] - x->dqkv[i]) * (got[i] - x->dqkv[i]);
        tt += x->dqkv[i] * x->dqkv[i];
    }
    double rms = sqrt(tt / (double)(x->a.t * n));
    for (size_t i = 0; i < x->a.t * x->width; i++) {
        size_t c = i % x->width;
        double e = fabs(got[i] - x->dqkv[i]) / (fabs(x->dqkv[i]) + rms);
        if (c >= first && c < first + n && !(e <= d.worst))
            d.worst = e;
    }
    d.l2 = sqrt(ee / tt);
    return d;
}

/* bf16: a rounding errs by 1.6e-3 of the number in the mean (2^-8 / sqrt(3) of
 * the power of two below it); here are those of the result, of p or ds before a
 * product, and of o, which ds cancels against: 2.6e-3 together.  The worst is
 * in a document's first rows, where ds is nothing but o's rounding. f32: 2^-24
 * in sums of some 10^2. */
static const struct distance limits[] = {
    [SXT_F32] = { 1e-6, 1e-5 }, [SXT_BF16] = { 3e-3, 0x1p-5 }
};

static void test_shape(struct lab *lab, const struct shape *s,
                       enum sxt_dtype type)
{
    static const char *const part[] = { "dq", "dk", "dv" };

    lab_clean(lab, 7);
    struct problem x = pose(lab, s, type);
    const double *got = solve(lab, &x);
    for (size_t i = 0, first = 0; i < 3; i++) {
        size_t n = (i == 0 ? s->hq : s->hk) * s->d;
        struct distance d = compare(&x, got, first, n);
        ok(d.l2 <= limits[type].l2 && d.worst <= limits[type].worst,
           PREFIX "attn_bwd: %s, %s, heads %zu/%zu of %zu, %s: error %.1e in "
                  "L2, %.1e at worst",
           lab->num->op.name, type == SXT_F32 ? "f32" : "bf16", s->hq, s->hk,
           s->d, part[i], d.l2, d.worst);
        first += n;
    }
}

static void test_backend(const char *backend, const char *device)
{
    struct lab lab;

    lab_open(&lab, backend, device, 1);
    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        test_shape(&lab, &shapes[i], SXT_F32);
        test_shape(&lab, &shapes[i], SXT_BF16);
    }
    lab_close(&lab);
}

int main(void)
{
    if (DEVICE[0] != '\0') {
        test_backend(DEVICE, DEVICE);
    } else {
        test_backend("ref", "fake");
        test_backend("cpu", "fake");
    }
    return done_testing();
}
