/* runs.c - the operations without much shape: rows, elements, sums. */
#include "num/test/runs.h"

#include <math.h>
#include <stdio.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

void outcome_add(struct outcome *out, const char *what, const double *x,
                 size_t n, bool exact)
{
    SXT_CHECK(out->n < COUNT(out->part));
    out->part[out->n].what = what;
    out->part[out->n].x = x;
    out->part[out->n].n = n;
    out->part[out->n].exact = exact;
    out->n++;
}

/* Rows and columns that no vector width likes. */
static const struct {
    size_t t, h;
} rows[] = {
    { 0, 4 },   { 1, 1 },   { 1, 31 },  { 2, 32 },   { 3, 33 },   { 5, 64 },
    { 4, 100 }, { 7, 130 }, { 33, 17 }, { 3, 1025 }, { 1027, 5 }, { 2, 4120 },
};

static bool row_case(size_t i, char shape[100])
{
    if (i < COUNT(rows))
        snprintf(shape, 100, "(%zu, %zu)", rows[i].t, rows[i].h);
    return i < COUNT(rows);
}

static bool run_embed(struct lab *lab, size_t i, enum sxt_dtype type,
                      struct outcome *out, char shape[100])
{
    enum { VOCAB = 11 };

    if (!row_case(i, shape))
        return false;
    size_t t = rows[i].t, h = rows[i].h;
    void *table = lab_normals(lab, VOCAB * h, type, 1);
    void *dy = lab_normals(lab, t * h, type, 1);
    float *dtable = lab_normals(lab, VOCAB * h, SXT_F32, 1);
    int32_t *ids = lab_ints(lab, t, 0, VOCAB);
    void *y = lab_zeros(lab, t * h, type);

    sxt_embed(lab->num, y, table, ids, t, h, type);
    sxt_embed_bwd(lab->num, dtable, dy, ids, t, h, VOCAB, type);
    outcome_add(out, "y", lab_get(lab, y, t * h, type), t * h, true);
    outcome_add(out, "dtable", lab_get(lab, dtable, VOCAB * h, SXT_F32),
                VOCAB * h, true);
    return true;
}

static bool run_rmsnorm(struct lab *lab, size_t i, enum sxt_dtype type,
                        struct outcome *out, char shape[100])
{
    if (!row_case(i, shape))
        return false;
    size_t t = rows[i].t, h = rows[i].h;
    void *r = lab_normals(lab, t * h, type, 1);
    void *x = i % 3 == 2 ? NULL : lab_normals(lab, t * h, type, 1);
    void *w = lab_normals(lab, h, type, 1);
    void *dy = lab_normals(lab, t * h, type, 1);
    void *dr = lab_normals(lab, t * h, type, 1);
    float *dw = lab_normals(lab, h, SXT_F32, 1);
    void *y = lab_zeros(lab, t * h, type);
    float *rstd = lab_zeros(lab, t, SXT_F32);

    sxt_add_rmsnorm(lab->num, y, rstd, r, x, w, t, h, 1e-6f, type);
    sxt_rmsnorm_bwd(lab->num, dr, dw, dy, r, w, rstd, t, h, type);
    outcome_add(out, "r", lab_get(lab, r, t * h, type), t * h, true);
    outcome_add(out, "y", lab_get(lab, y, t * h, type), t * h, false);
    outcome_add(out, "rstd", lab_get(lab, rstd, t, SXT_F32), t, false);
    outcome_add(out, "dr", lab_get(lab, dr, t * h, type), t * h, false);
    outcome_add(out, "dw", lab_get(lab, dw, h, SXT_F32), h, false);
    return true;
}

static const struct {
    size_t t, hq, hk, d;
} ropes[] = {
    { 0, 1, 1, 2 },    { 1, 1, 1, 2 },    { 3, 3, 1, 8 },    { 5, 5, 1, 64 },
    { 2, 1, 1, 128 },  { 4, 2, 2, 10 },   { 33, 14, 2, 64 }, { 7, 5, 5, 6 },
    { 515, 1, 1, 10 }, { 1027, 3, 1, 4 },
};

/* cos and sin of (positions, d / 2), base 10000. */
static void rope_tables(struct lab *lab, size_t positions, size_t d, float **c,
                        float **s)
{
    double *x = lab_host(lab, positions * d / 2, sizeof(*x));
    double *y = lab_host(lab, positions * d / 2, sizeof(*y));

    for (size_t i = 0; i < positions * d / 2; i++) {
        size_t p = i / (d / 2), k = i % (d / 2);
        double angle = (double)p * pow(1e4, -2.0 * (double)k / (double)d);
        x[i] = cos(angle);
        y[i] = sin(angle);
    }
    *c = lab_put(lab, x, positions * d / 2, SXT_F32);
    *s = lab_put(lab, y, positions * d / 2, SXT_F32);
}

static bool run_rope(struct lab *lab, size_t i, enum sxt_dtype type,
                     struct outcome *out, char shape[100])
{
    enum { POSITIONS = 50, SLOTS = 60 };

    if (i >= COUNT(ropes))
        return false;
    size_t t = ropes[i].t, hq = ropes[i].hq, hk = ropes[i].hk, d = ropes[i].d;
    size_t width = (hq + 2 * hk) * d;
    snprintf(shape, 100, "t %zu, heads %zu/%zu, d %zu", t, hq, hk, d);

    struct sxt_rope a = { .t = t, .hq = hq, .hk = hk, .d = d, .type = type };
    int32_t *slots = lab_host(lab, t, sizeof(*slots));
    float *c, *s;
    for (int32_t k = 0; k < (int32_t)t; k++)
        slots[k] = k % 5 == 4 || k >= SLOTS ? -1 : (k * 7 + 3) % SLOTS;
    rope_tables(lab, POSITIONS, d, &c, &s);
    a.cos = c;
    a.sin = s;
    a.pos = lab_ints(lab, t, 0, POSITIONS);
    a.qkv = lab_normals(lab, t * width, type, 1);
    a.bias = i % 2 ? lab_normals(lab, width, type, 1) : NULL;
    a.k_cache = lab_zeros(lab, SLOTS * hk * d, type);
    a.v_cache = lab_zeros(lab, SLOTS * hk * d, type);
    a.slot = lab_put_ints(lab, slots, t);
    sxt_rope(lab->num, &a);
    outcome_add(out, "qkv", lab_get(lab, a.qkv, t * width, type), t * width,
                false);
    outcome_add(out, "k_cache", lab_get(lab, a.k_cache, SLOTS * hk * d, type),
                SLOTS * hk * d, false);
    outcome_add(out, "v_cache", lab_get(lab, a.v_cache, SLOTS * hk * d, type),
                SLOTS * hk * d, false);

    a.k_cache = a.v_cache = NULL;
    a.qkv = lab_normals(lab, t * width, type, 1);
    float *dbias = lab_normals(lab, width, SXT_F32, 1);
    sxt_rope_bwd(lab->num, &a, i % 2 ? dbias : NULL);
    outcome_add(out, "dqkv", lab_get(lab, a.qkv, t * width, type), t * width,
                false);
    outcome_add(out, "dbias", lab_get(lab, dbias, width, SXT_F32), width,
                false);
    return true;
}

static bool run_swiglu(struct lab *lab, size_t i, enum sxt_dtype type,
                       struct outcome *out, char shape[100])
{
    if (!row_case(i, shape))
        return false;
    size_t t = rows[i].t, f = rows[i].h;
    void *gu = lab_normals(lab, t * 2 * f, type, 4);
    void *dy = lab_normals(lab, t * f, type, 1);
    void *y = lab_zeros(lab, t * f, type);
    void *dgu = i % 2 ? gu : lab_zeros(lab, t * 2 * f, type);

    sxt_swiglu(lab->num, y, gu, t, f, type);
    sxt_swiglu_bwd(lab->num, dgu, dy, gu, t, f, type);
    outcome_add(out, "y", lab_get(lab, y, t * f, type), t * f, false);
    outcome_add(out, "dgu", lab_get(lab, dgu, t * 2 * f, type), t * 2 * f,
                false);
    return true;
}

/* Odd cases write the gradient apart from the logits, in the type; the others
 * in place, in f32. */
static bool run_xent(struct lab *lab, size_t i, enum sxt_dtype type,
                     struct outcome *out, char shape[100])
{
    if (!row_case(i, shape))
        return false;
    size_t t = rows[i].t, vocab = rows[i].h, ld = vocab + i % 3;
    enum sxt_dtype d_type = i % 2 ? type : SXT_F32;
    float *logits = lab_normals(lab, t * ld, SXT_F32, 5);
    int32_t *target = lab_ints(lab, t, -1, (int32_t)vocab);
    void *d = i % 2 ? lab_normals(lab, t * ld, d_type, 1) : logits;
    float *loss = lab_zeros(lab, t, SXT_F32);

    sxt_xent(lab->num, loss, d, logits, target, t, vocab, ld, 0.25f, d_type);
    outcome_add(out, "loss", lab_get(lab, loss, t, SXT_F32), t, false);
    outcome_add(out, "dlogits", lab_get(lab, d, t * ld, d_type), t * ld, false);
    return true;
}

static const size_t lengths[] = { 0, 1, 7, 31, 32, 33, 1000, 4099 };

static bool length_case(size_t i, char shape[100])
{
    if (i < COUNT(lengths))
        snprintf(shape, 100, "n %zu", lengths[i]);
    return i < COUNT(lengths);
}

/* Three steps; f32 masters of both types, so that the moves can be seen. */
static bool run_adamw(struct lab *lab, size_t i, enum sxt_dtype type,
                      struct outcome *out, char shape[100])
{
    if (!length_case(i, shape))
        return false;
    size_t n = lengths[i];
    struct sxt_adamw a = { .n = n,
                           .lr = 0.01,
                           .b1 = 0.9,
                           .b2 = 0.95,
                           .eps = 1e-8,
                           .wd = 0.1,
                           .grad_scale = 0.5,
                           .type = type };
    a.p = lab_normals(lab, n, type, 1);
    a.rest = lab_bytes(lab, n * 2);
    a.m = lab_zeros(lab, n, SXT_F32);
    a.v = lab_zeros(lab, n, SXT_F32);
    for (a.step = 1; a.step <= 3; a.step++) {
        a.grad = lab_normals(lab, n, SXT_F32, 1);
        sxt_adamw(lab->num, &a);
    }
    double *p = lab_get(lab, a.p, n, type);
    uint16_t *rest = lab_host(lab, n, sizeof(*rest));
    sxt_dev_get(lab->dev, rest, a.rest, n * sizeof(*rest));
    for (size_t k = 0; type == SXT_BF16 && k < n; k++)
        p[k] = sxt_join_master(sxt_f32_to_bf16((float)p[k]), rest[k]);
    outcome_add(out, "master", p, n, true);
    outcome_add(out, "m", lab_get(lab, a.m, n, SXT_F32), n, true);
    outcome_add(out, "v", lab_get(lab, a.v, n, SXT_F32), n, true);
    return true;
}

static bool run_sums(struct lab *lab, size_t i, enum sxt_dtype type,
                     struct outcome *out, char shape[100])
{
    if (!length_case(i, shape))
        return false;
    size_t n = lengths[i], pieces = i % 4;
    float *x = lab_normals(lab, n, SXT_F32, 1);
    double *sum = lab_host(lab, 1, sizeof(*sum));
    *sum = sxt_sumsq(lab->num, x, n);
    outcome_add(out, "sumsq", sum, 1, false);
    size_t leaf = i % 2 ? 64 : 2500, leaves = (n + leaf - 1) / leaf;
    sum = lab_host(lab, leaves, sizeof(*sum));
    sxt_sumsq_leaves(lab->num, sum, x, n, leaf);
    outcome_add(out, "sumsq of leaves", sum, leaves, false);

    void *many = lab_normals(lab, pieces * n, type, 1);
    sxt_sum_pieces(lab->num, x, many, pieces, n, i % 2 ? 0.75f : 0, type);
    outcome_add(out, "sum_pieces", lab_get(lab, x, n, SXT_F32), n, true);

    void *a = lab_normals(lab, n, type, 1), *b = lab_normals(lab, n, type, 1);
    sxt_add(lab->num, a, b, n, type);
    outcome_add(out, "add", lab_get(lab, a, n, type), n, true);

    enum sxt_dtype other = type == SXT_F32 ? SXT_BF16 : SXT_F32;
    void *c = lab_zeros(lab, n, other);
    sxt_cast(lab->num, c, other, a, type, n);
    outcome_add(out, "cast", lab_get(lab, c, n, other), n, true);
    return true;
}

/* f32: short sums or a few operations in f32, each 2^-24; sumsq is in f64.
 * bf16: two roundings of almost the same number can be one unit in the last
 * place apart, 2^-7; tensor cores also round attention's weights, 2^-9 each.
 * 0: to the bit.
 * Gradients of attention are sums of products of such factors, which cancel:
 * the largest of some 10^5 was 2^-5.6 off; attn_bwd.c has a sharper limit. */
const struct run sxt_runs[] = {
    { "gemm", run_gemm, { 1e-5, 0x1p-7 } },
    { "embed", run_embed, { 0, 0 } },
    { "rmsnorm", run_rmsnorm, { 1e-5, 0x1p-7 } },
    { "rope", run_rope, { 1e-6, 0x1p-7 } },
    { "attn", run_attn, { 2e-5, 0x1p-6 } },
    { "attn_bwd", run_attn_bwd, { 2e-5, 0x1p-7, 0x1p-5 } },
    { "attn_paged", run_attn_paged, { 2e-5, 0x1p-7 } },
    { "swiglu", run_swiglu, { 2e-6, 0x1p-7 } },
    { "xent", run_xent, { 1e-5, 0x1p-7 } },
    { "adamw", run_adamw, { 0, 0 } },
    { "sums", run_sums, { 1e-12, 1e-12 } },
    { "qgemm", run_qgemm, { 1e-5, 0x1p-7 } },
    { "sample", run_sample, { 1e-5, 1e-5 } },
    { 0 },
};
