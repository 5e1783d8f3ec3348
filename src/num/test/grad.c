/* grad.c - ref against plain formulas in f64, its gradients against their
 * numerical derivatives.
 *
 * Every operation is written down once more, as a function y(x) of all its
 * inputs in f64.  The forward kernel must give y, the backward kernel the
 * gradient of w y for random w, here by central differences with step 1e-5
 * (error about 1e-10 for these smooth functions of numbers near 1).  Inputs
 * are bf16 numbers, so both types see the same. */
#include <math.h>

#include "base/test/tap.h"
#include "num/test/lab.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define EPS 1e-5f

enum { LIMIT = 4000 }; /* numbers in x or y */

struct problem {
    const char *what;
    void (*formula)(const struct problem *p, const double *x, double *y);
    /* Run forward and backward: y and dx from x and w, all on the host. */
    void (*kernels)(const struct problem *p, struct lab *lab, const double *x,
                    const double *w, double *y, double *dx);
    size_t n_x, n_y;
    size_t t, h;           /* rows; columns, vocabulary */
    size_t hq, hk, d;      /* heads */
    const int32_t *starts; /* documents: n_docs + 1 */
    size_t n_docs;
    enum sxt_dtype type;
};

static void fetch(struct lab *lab, double *to, const void *x, size_t n,
                  enum sxt_dtype type)
{
    memcpy(to, lab_get(lab, x, n, type), n * sizeof(*to));
}

/* ---- rmsnorm: x = r (t, h), w (h) ---- */

static void rmsnorm_formula(const struct problem *p, const double *x, double *y)
{
    for (size_t t = 0; t < p->t; t++) {
        double mean = 0;
        for (size_t c = 0; c < p->h; c++)
            mean += x[t * p->h + c] * x[t * p->h + c] / (double)p->h;
        for (size_t c = 0; c < p->h; c++)
            y[t * p->h + c] =
                x[p->t * p->h + c] * x[t * p->h + c] / sqrt(mean + (double)EPS);
    }
}

static void rmsnorm_kernels(const struct problem *p, struct lab *lab,
                            const double *x, const double *w, double *y,
                            double *dx)
{
    size_t n = p->t * p->h;
    void *r = lab_put(lab, x, n, p->type);
    void *weight = lab_put(lab, x + n, p->h, p->type);
    void *dy = lab_put(lab, w, n, p->type), *out = lab_zeros(lab, n, p->type);
    float *rstd = lab_zeros(lab, p->t, SXT_F32);
    void *dr = lab_zeros(lab, n, p->type);
    float *dw = lab_zeros(lab, p->h, SXT_F32);

    sxt_add_rmsnorm(lab->num, out, rstd, r, NULL, weight, p->t, p->h, EPS,
                    p->type);
    sxt_rmsnorm_bwd(lab->num, dr, dw, dy, r, weight, rstd, p->t, p->h, p->type);
    fetch(lab, y, out, n, p->type);
    fetch(lab, dx, dr, n, p->type);
    fetch(lab, dx + n, dw, p->h, SXT_F32);
}

/* ---- rope: x = qkv (t, width), bias (width); token t at position 3 t ---- */

static double rope_angle(const struct problem *p, size_t t, size_t i)
{
    return 3.0 * (double)t * pow(1e4, -2.0 * (double)i / (double)p->d);
}

static void rope_formula(const struct problem *p, const double *x, double *y)
{
    size_t width = (p->hq + 2 * p->hk) * p->d, half = p->d / 2;
    const double *bias = x + p->t * width;

    for (size_t t = 0; t < p->t; t++) {
        for (size_t c = 0; c < width; c++) {
            size_t i = c % p->d, pair = i < half ? c + half : c - half;
            double me = x[t * width + c] + bias[c];
            y[t * width + c] = me;
            if (c >= (p->hq + p->hk) * p->d)
                continue;
            double other = x[t * width + pair] + bias[pair];
            double angle = rope_angle(p, t, i % half);
            y[t * width + c] =
                me * cos(angle) + (i < half ? -other : other) * sin(angle);
        }
    }
}

static void rope_kernels(const struct problem *p, struct lab *lab,
                         const double *x, const double *w, double *y,
                         double *dx)
{
    size_t width = (p->hq + 2 * p->hk) * p->d, n = p->t * width;
    size_t half = p->d / 2;
    struct sxt_rope a = {
        .t = p->t, .hq = p->hq, .hk = p->hk, .d = p->d, .type = p->type
    };
    double *c = lab_host(lab, p->t * half, sizeof(*c));
    double *s = lab_host(lab, p->t * half, sizeof(*s));
    int32_t *pos = lab_host(lab, p->t, sizeof(*pos));
    float *dbias = lab_zeros(lab, width, SXT_F32);

    for (size_t i = 0; i < p->t * half; i++) {
        c[i] = cos(rope_angle(p, i / half, i % half));
        s[i] = sin(rope_angle(p, i / half, i % half));
        pos[i / half] = (int32_t)(i / half);
    }
    a.cos = lab_put(lab, c, p->t * half, SXT_F32);
    a.sin = lab_put(lab, s, p->t * half, SXT_F32);
    a.pos = lab_put_ints(lab, pos, p->t);
    a.qkv = lab_put(lab, x, n, p->type);
    a.bias = lab_put(lab, x + n, width, p->type);
    sxt_rope(lab->num, &a);
    fetch(lab, y, a.qkv, n, p->type);
    a.qkv = lab_put(lab, w, n, p->type);
    sxt_rope_bwd(lab->num, &a, dbias);
    fetch(lab, dx, a.qkv, n, p->type);
    fetch(lab, dx + n, dbias, width, SXT_F32);
}

/* ---- attention: x = qkv ---- */

static void attn_formula(const struct problem *p, const double *x, double *y)
{
    size_t width = (p->hq + 2 * p->hk) * p->d, d = p->d;

    for (size_t doc = 0; doc < p->n_docs; doc++)
        for (int32_t t = p->starts[doc]; t < p->starts[doc + 1]; t++)
            for (size_t h = 0; h < p->hq; h++) {
                const double *q = x + (size_t)t * width + h * d;
                size_t k_at = (p->hq + h * p->hk / p->hq) * d;
                double *o = y + ((size_t)t * p->hq + h) * d, sum = 0;
                memset(o, 0, d * sizeof(*o));
                for (int32_t j = p->starts[doc]; j <= t; j++) {
                    const double *k = x + (size_t)j * width + k_at;
                    double s = 0;
                    for (size_t c = 0; c < d; c++)
                        s += q[c] * k[c];
                    s = exp(s * (double)(float)(1 / sqrt((double)d)));
                    sum += s;
                    for (size_t c = 0; c < d; c++)
                        o[c] += s * k[p->hk * d + c];
                }
                for (size_t c = 0; c < d; c++)
                    o[c] /= sum;
            }
}

static void attn_kernels(const struct problem *p, struct lab *lab,
                         const double *x, const double *w, double *y,
                         double *dx)
{
    struct sxt_attn a = { .t = p->t,
                          .n_docs = p->n_docs,
                          .max_len = p->t,
                          .hq = p->hq,
                          .hk = p->hk,
                          .d = p->d,
                          .type = p->type };

    a.scale = (float)(1 / sqrt((double)p->d));
    a.qkv = lab_put(lab, x, p->n_x, p->type);
    a.o = lab_zeros(lab, p->n_y, p->type);
    a.lse = lab_zeros(lab, p->t * p->hq, SXT_F32);
    a.cu_seqlens = lab_put_ints(lab, p->starts, p->n_docs + 1);
    a.d_o = lab_put(lab, w, p->n_y, p->type);
    a.dqkv = lab_normals(lab, p->n_x, p->type, 1); /* to be overwritten */
    sxt_attn(lab->num, &a);
    sxt_attn_bwd(lab->num, &a);
    fetch(lab, y, a.o, p->n_y, p->type);
    fetch(lab, dx, a.dqkv, p->n_x, p->type);
}

/* ---- swiglu: x = gate and up (t, 2 h) ---- */

static void swiglu_formula(const struct problem *p, const double *x, double *y)
{
    for (size_t t = 0; t < p->t; t++)
        for (size_t c = 0; c < p->h; c++) {
            double g = x[t * 2 * p->h + c];
            y[t * p->h + c] = g / (1 + exp(-g)) * x[t * 2 * p->h + p->h + c];
        }
}

static void swiglu_kernels(const struct problem *p, struct lab *lab,
                           const double *x, const double *w, double *y,
                           double *dx)
{
    void *gu = lab_put(lab, x, p->n_x, p->type);
    void *dy = lab_put(lab, w, p->n_y, p->type);
    void *out = lab_zeros(lab, p->n_y, p->type);

    sxt_swiglu(lab->num, out, gu, p->t, p->h, p->type);
    sxt_swiglu_bwd(lab->num, gu, dy, gu, p->t, p->h, p->type);
    fetch(lab, y, out, p->n_y, p->type);
    fetch(lab, dx, gu, p->n_x, p->type);
}

/* ---- cross entropy: x = logits (t, h), target (5 t) mod h, every third row
 * masked; w is 1/4 throughout ---- */

static int32_t xent_target(const struct problem *p, size_t t)
{
    return t % 3 == 2 ? -1 : (int32_t)(5 * t % p->h);
}

static void xent_formula(const struct problem *p, const double *x, double *y)
{
    for (size_t t = 0; t < p->t; t++) {
        double sum = 0;
        for (size_t c = 0; c < p->h; c++)
            sum += exp(x[t * p->h + c]);
        y[t] = 0;
        if (xent_target(p, t) >= 0)
            y[t] = log(sum) - x[t * p->h + (size_t)xent_target(p, t)];
    }
}

static void xent_kernels(const struct problem *p, struct lab *lab,
                         const double *x, const double *w, double *y,
                         double *dx)
{
    float *logits = lab_put(lab, x, p->n_x, SXT_F32);
    float *loss = lab_zeros(lab, p->t, SXT_F32);
    void *d = lab_normals(lab, p->n_x, p->type, 1);
    int32_t *target = lab_host(lab, p->t, sizeof(*target));

    for (size_t t = 0; t < p->t; t++)
        target[t] = xent_target(p, t);
    sxt_xent(lab->num, loss, d, logits, lab_put_ints(lab, target, p->t), p->t,
             p->h, p->h, (float)w[0], p->type);
    fetch(lab, y, loss, p->t, SXT_F32);
    fetch(lab, dx, d, p->n_x, p->type);
}

/* ---- the table ---- */

static const int32_t one_doc[] = { 0, 7 };
static const int32_t docs[] = { 0, 1, 1, 6, 9 }; /* the second one is empty */

#define ROWS(T, H) .t = (T), .h = (H)
#define HEADS(T, HQ, HK, D) .t = (T), .hq = (HQ), .hk = (HK), .d = (D)
#define RMSNORM .formula = rmsnorm_formula, .kernels = rmsnorm_kernels
#define ROPE .formula = rope_formula, .kernels = rope_kernels
#define ATTN .formula = attn_formula, .kernels = attn_kernels
#define SWIGLU .formula = swiglu_formula, .kernels = swiglu_kernels
#define XENT .formula = xent_formula, .kernels = xent_kernels

static const struct problem problems[] = {
    { "rmsnorm (1, 1)", RMSNORM, ROWS(1, 1), .n_x = 2, .n_y = 1 },
    { "rmsnorm (3, 33)", RMSNORM, ROWS(3, 33), .n_x = 132, .n_y = 99 },
    { "rmsnorm (5, 64)", RMSNORM, ROWS(5, 64), .n_x = 384, .n_y = 320 },
    { "rope, 1 head", ROPE, HEADS(3, 1, 1, 8), .n_x = 96, .n_y = 72 },
    { "rope, 3 heads on 1", ROPE, HEADS(4, 3, 1, 10), .n_x = 250, .n_y = 200 },
    { "attn, 1 head", ATTN, HEADS(7, 1, 1, 8), .n_x = 168, .n_y = 56,
      .starts = one_doc, .n_docs = 1 },
    { "attn, 3 heads on 1, 4 documents", ATTN, HEADS(9, 3, 1, 8), .n_x = 360,
      .n_y = 216, .starts = docs, .n_docs = 4 },
    { "attn, 10 heads on 2, 4 documents", ATTN, HEADS(9, 10, 2, 4), .n_x = 504,
      .n_y = 360, .starts = docs, .n_docs = 4 },
    { "swiglu (1, 1)", SWIGLU, ROWS(1, 1), .n_x = 2, .n_y = 1 },
    { "swiglu (3, 31)", SWIGLU, ROWS(3, 31), .n_x = 186, .n_y = 93 },
    { "xent (1, 1)", XENT, ROWS(1, 1), .n_x = 1, .n_y = 1 },
    { "xent (7, 33)", XENT, ROWS(7, 33), .n_x = 231, .n_y = 7 },
};

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Gradient of w y(x), by central differences. */
static void differentiate(const struct problem *p, double *x, const double *w,
                          double *dx)
{
    static double y[LIMIT];
    const double step = 1e-5;

    for (size_t i = 0; i < p->n_x; i++) {
        double x_i = x[i];
        x[i] = x_i + step;
        p->formula(p, x, y);
        dx[i] = dot(w, y, p->n_y);
        x[i] = x_i - step;
        p->formula(p, x, y);
        dx[i] = (dx[i] - dot(w, y, p->n_y)) / (2 * step);
        x[i] = x_i;
    }
}

/* The largest |a - b| / (|b| + 1); numbers here are near 1. */
static double worst(const double *a, const double *b, size_t n)
{
    double max = 0;

    for (size_t i = 0; i < n; i++) {
        double d = fabs(a[i] - b[i]) / (fabs(b[i]) + 1);
        max = isnan(d) ? INFINITY : fmax(max, d);
    }
    return max;
}

/* f32: half a unit in the last place of the result (2^-24), and that of rstd,
 * lse or cos, which backward kernels read.  bf16: half a unit, 2^-8, once; the
 * attention gradient also reads o, rounded (its d rounding errors, times w, a
 * random walk). */
static void check(const struct problem *problem, struct lab *lab, uint64_t seed,
                  enum sxt_dtype type)
{
    static double x[LIMIT], w[LIMIT], y[LIMIT], dx[LIMIT];
    static double y_ref[LIMIT], dx_ref[LIMIT];
    struct problem p = *problem;
    double limit = type == SXT_F32 ? 1e-6 : 0x1p-8;

    p.type = type;
    lab_clean(lab, seed);
    fetch(lab, x, lab_normals(lab, p.n_x, SXT_BF16, 1), p.n_x, SXT_BF16);
    fetch(lab, w, lab_normals(lab, p.n_y, SXT_BF16, 1), p.n_y, SXT_BF16);
    for (size_t i = 0; p.formula == xent_formula && i < p.n_y; i++)
        w[i] = 0.25;
    p.formula(&p, x, y_ref);
    differentiate(&p, x, w, dx_ref);
    p.kernels(&p, lab, x, w, y, dx);
    ok(worst(y, y_ref, p.n_y) <= limit, "%s, %s: forward is the formula (%.1g)",
       p.what, type == SXT_F32 ? "f32" : "bf16", worst(y, y_ref, p.n_y));
    if (type == SXT_BF16 && p.formula == attn_formula)
        limit *= 4;
    ok(worst(dx, dx_ref, p.n_x) <= limit,
       "%s, %s: backward is its derivative (%.1g)", p.what,
       type == SXT_F32 ? "f32" : "bf16", worst(dx, dx_ref, p.n_x));
}

int main(void)
{
    struct lab lab;

    lab_open(&lab, "ref", "fake", 0);
    for (size_t i = 0; i < COUNT(problems); i++) {
        check(&problems[i], &lab, i, SXT_F32);
        check(&problems[i], &lab, i, SXT_BF16);
    }
    lab_close(&lab);
    return done_testing();
}
