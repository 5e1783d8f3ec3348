/* runs_gemm.c - matrix products, plain and with quantised weights. */
#include <stdio.h>

#include "num/test/runs.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
    size_t m, n, k, pad;
    float alpha, beta;
    bool bias, wide; /* wide: C is f32 whatever the type */
} shapes[] = {
    { 1, 1, 1, 0, 1, 0, false, false },
    { 0, 5, 3, 0, 1, 0, false, false },
    { 5, 0, 3, 1, 1, 0, false, false },
    { 4, 6, 0, 0, 1, 0.5f, true, false },
    { 1, 31, 33, 0, 1, 0, true, false },
    { 3, 5, 7, 3, 0.5f, 1, false, true },
    { 32, 33, 31, 1, 1, 1, false, false },
    { 33, 32, 64, 0, -2, 0.25f, true, true },
    { 17, 129, 65, 5, 1, 0, true, false },
    { 8, 16, 512, 0, 1, 0, false, false },
    { 2, 100, 300, 0, 1, 1, false, true },
    /* as oneDNN takes them, where it has bf16: its blocks, odd edges, long k */
    { 36, 40, 33, 3, 1, 0, false, false },
    { 32, 33, 3000, 0, 1, 1, false, true },
    { 32, 140, 70, 0, 1, 0.5f, false, false },
    { 131, 33, 100, 1, 1, 0, false, true },
};

bool run_gemm(struct lab *lab, size_t i, enum sxt_dtype type,
              struct outcome *out, char shape[100])
{
    size_t s = i / 4;
    struct sxt_gemm g = { .ta = i & 1, .tb = i & 2, .type = type };

    if (s >= COUNT(shapes))
        return false;
    g.m = shapes[s].m;
    g.n = shapes[s].n;
    g.k = shapes[s].k;
    g.alpha = shapes[s].alpha;
    g.beta = shapes[s].beta;
    g.c_type = shapes[s].wide ? SXT_F32 : type;
    g.lda = (g.ta ? g.m : g.k) + shapes[s].pad;
    g.ldb = (g.tb ? g.k : g.n) + shapes[s].pad;
    g.ldc = g.n + shapes[s].pad;
    g.rows_independent = !g.ta && s % 2;
    snprintf(shape, 100, "(%zu, %zu, %zu)%s%s%s%s pad %zu beta %g", g.m, g.n,
             g.k, g.ta ? " A^T" : "", g.tb ? " B^T" : "",
             shapes[s].bias ? " bias" : "", shapes[s].wide ? " C f32" : "",
             shapes[s].pad, (double)g.beta);

    size_t c_len = g.m * g.ldc;
    void *c = lab_normals(lab, c_len, g.c_type, 1);
    g.a = lab_normals(lab, (g.ta ? g.k : g.m) * g.lda, type, 1);
    g.b = lab_normals(lab, (g.tb ? g.n : g.k) * g.ldb, type, 1);
    g.bias = shapes[s].bias ? lab_normals(lab, g.n, type, 1) : NULL;
    g.c = c;
    sxt_gemm(lab->num, &g);
    outcome_add(out, "c with the columns behind it",
                lab_get(lab, c, c_len, g.c_type), c_len, false);
    return true;
}

static const struct {
    enum sxt_qformat format;
    size_t m, n, k;
} quantised[] = {
    { SXT_INT8, 0, 3, 5 },     { SXT_INT8, 1, 1, 1 },
    { SXT_INT8, 3, 33, 31 },   { SXT_INT8, 17, 5, 200 },
    { SXT_NF4, 0, 1, 64 },     { SXT_NF4, 1, 1, 64 },
    { SXT_NF4, 3, 33, 192 },   { SXT_NF4, 5, 130, 320 },
    { SXT_INT8, 4, 17, 128 },  { SXT_INT8, 2, 40, 79 },
    { SXT_INT8, 9, 20, 64 },   { SXT_NF4, 16, 17, 64 },
    { SXT_NF4, 2, 17, 640 },   { SXT_NF4, 27, 9, 576 },
    { SXT_INT8, 70, 33, 576 }, { SXT_NF4, 70, 33, 128 },
    { SXT_NF4, 1, 300, 128 }, /* three groups of blocks */
};

bool run_qgemm(struct lab *lab, size_t i, enum sxt_dtype type,
               struct outcome *out, char shape[100])
{
    if (i >= COUNT(quantised))
        return false;
    size_t m = quantised[i].m, n = quantised[i].n, k = quantised[i].k;
    size_t blocks = n * (k / 64), groups = (blocks + 255) / 256;
    bool nf4 = quantised[i].format == SXT_NF4;
    size_t q_bytes = nf4 ? n * k / 2 : n * k;
    snprintf(shape, 100, "%s (%zu, %zu, %zu)", nf4 ? "nf4" : "int8", m, n, k);

    struct sxt_qmat w = { .format = quantised[i].format,
                          .n = n,
                          .k = k,
                          .q = lab_bytes(lab, q_bytes),
                          .scale = lab_zeros(lab, n, SXT_F32),
                          .block_scale = lab_bytes(lab, blocks),
                          .group_scale = lab_zeros(lab, groups, SXT_F32) };
    void *x = lab_normals(lab, n * k, type, 0.02);
    void *a = lab_normals(lab, m * k, type, 1);
    void *c = lab_zeros(lab, m * n, type);

    sxt_quantize(lab->num, &w, x, type);
    sxt_dequantize(lab->num, x, &w, type);
    sxt_qgemm(lab->num, m, a, &w, c, type);
    outcome_add(out, "q", lab_get_bytes(lab, w.q, q_bytes), q_bytes, true);
    outcome_add(out, "scale", lab_get(lab, w.scale, n, SXT_F32), n, true);
    outcome_add(out, "block_scale", lab_get_bytes(lab, w.block_scale, blocks),
                blocks, true);
    outcome_add(out, "group_scale",
                lab_get(lab, w.group_scale, groups, SXT_F32), groups, true);
    outcome_add(out, "x", lab_get(lab, x, n * k, type), n * k, true);
    outcome_add(out, "c", lab_get(lab, c, m * n, type), m * n, false);
    return true;
}
