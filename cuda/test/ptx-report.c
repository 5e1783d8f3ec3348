/* ptx-report.c - every operation on a few rows of a real model, for the report
 * of what its kernels move (SXT_EMU_PTX, SXT_EMU_PTX_REPORT).
 *
 * Rows are those of the 1.5B model, 5120 those of the 32B; the vocabulary is
 * theirs.  Only the shape counts: numbers are random, nothing is compared. */
#include <stdio.h>

#include "num/test/lab.h"

enum {
    T = 8, /* rows */
    HIDDEN = 1536,
    WIDE = 5120,
    FFN = 8960,
    VOCAB = 152064,
    HQ = 6,
    HK = 1,
    D = 128,
    WIDTH = (HQ + 2 * HK) * D,
    KEYS = 256,
    BLOCK = 32,
    WEIGHTS = 65536,
    LEAF = 8192
};

static void norms(struct lab *lab, size_t h)
{
    void *x = lab_normals(lab, T * h, SXT_BF16, 1);
    void *y = lab_zeros(lab, T * h, SXT_BF16);
    void *w = lab_normals(lab, h, SXT_BF16, 1);
    float *rstd = lab_zeros(lab, T, SXT_F32);
    float *dw = lab_zeros(lab, h, SXT_F32);

    sxt_add_rmsnorm(lab->num, y, rstd, x, y, w, T, h, 1e-6f, SXT_BF16);
    sxt_rmsnorm_bwd(lab->num, x, dw, y, x, w, rstd, T, h, SXT_BF16);
}

static void gates(struct lab *lab)
{
    void *gu = lab_normals(lab, T * 2 * FFN, SXT_BF16, 1);
    void *dgu = lab_zeros(lab, T * 2 * FFN, SXT_BF16);
    void *y = lab_zeros(lab, T * FFN, SXT_BF16);

    sxt_swiglu(lab->num, y, gu, T, FFN, SXT_BF16);
    sxt_swiglu_bwd(lab->num, dgu, y, gu, T, FFN, SXT_BF16);
}

static void tables(struct lab *lab)
{
    void *table = lab_zeros(lab, 1000 * (size_t)HIDDEN, SXT_BF16);
    float *dtable = lab_zeros(lab, 1000 * (size_t)HIDDEN, SXT_F32);
    int32_t *ids = lab_ints(lab, T, 0, 1000);
    void *y = lab_zeros(lab, T * HIDDEN, SXT_BF16);

    sxt_embed(lab->num, y, table, ids, T, HIDDEN, SXT_BF16);
    sxt_embed_bwd(lab->num, dtable, y, ids, T, HIDDEN, 1000, SXT_BF16);
}

static void rotations(struct lab *lab)
{
    struct sxt_rope a = { .qkv = lab_normals(lab, T * WIDTH, SXT_BF16, 1),
                          .bias = lab_normals(lab, WIDTH, SXT_BF16, 1),
                          .pos = lab_ints(lab, T, 0, KEYS),
                          .cos = lab_normals(lab, KEYS * D / 2, SXT_F32, 1),
                          .sin = lab_normals(lab, KEYS * D / 2, SXT_F32, 1),
                          .t = T,
                          .hq = HQ,
                          .hk = HK,
                          .d = D,
                          .type = SXT_BF16,
                          .k_cache = lab_zeros(lab, KEYS * D, SXT_BF16),
                          .v_cache = lab_zeros(lab, KEYS * D, SXT_BF16),
                          .slot = lab_ints(lab, T, 0, KEYS) };

    sxt_rope(lab->num, &a);
    a.k_cache = a.v_cache = NULL;
    sxt_rope_bwd(lab->num, &a, lab_zeros(lab, WIDTH, SXT_F32));
}

static void attention(struct lab *lab)
{
    const int32_t ends[] = { 0, KEYS };
    struct sxt_attn a = { .qkv = lab_normals(lab, KEYS * WIDTH, SXT_BF16, 1),
                          .o = lab_zeros(lab, KEYS * HQ * D, SXT_BF16),
                          .lse = lab_zeros(lab, KEYS * HQ, SXT_F32),
                          .cu_seqlens = lab_put_ints(lab, ends, 2),
                          .t = KEYS,
                          .n_docs = 1,
                          .max_len = KEYS,
                          .hq = HQ,
                          .hk = HK,
                          .d = D,
                          .scale = 0.088f,
                          .type = SXT_BF16,
                          .d_o = lab_normals(lab, KEYS * HQ * D, SXT_BF16, 1),
                          .dqkv = lab_zeros(lab, KEYS * WIDTH, SXT_BF16) };

    sxt_attn(lab->num, &a);
    sxt_attn_bwd(lab->num, &a);
}

/* t tokens at the end of 2 KEYS positions each: decoding. */
static void pages(struct lab *lab, size_t t)
{
    size_t blocks = 2 * KEYS / BLOCK, cache = blocks * BLOCK * HK * D;
    struct sxt_attn_paged a = { .qkv = lab_normals(lab, t * WIDTH, SXT_BF16, 1),
                                .o = lab_zeros(lab, t * HQ * D, SXT_BF16),
                                .k_cache = lab_normals(lab, cache, SXT_BF16, 1),
                                .v_cache = lab_normals(lab, cache, SXT_BF16, 1),
                                .block_table = lab_ints(lab, t * blocks, 0,
                                                        (int32_t)blocks),
                                .seq = lab_ints(lab, t, 0, 1),
                                .pos = lab_ints(lab, t, 2 * KEYS - 1, 2 * KEYS),
                                .t = t,
                                .max_blocks = blocks,
                                .block = BLOCK,
                                .hq = HQ,
                                .hk = HK,
                                .d = D,
                                .scale = 0.088f,
                                .type = SXT_BF16 };

    sxt_attn_paged(lab->num, &a);
}

static void quantised(struct lab *lab, enum sxt_qformat format)
{
    static const size_t rows[] = { 1, 8, 64 };
    enum { N = 128, BYTES = N * HIDDEN, BLOCKS = BYTES / 64 };
    struct sxt_qmat w = {
        .format = format,
        .n = N,
        .k = HIDDEN,
        .q = lab_bytes(lab, format == SXT_NF4 ? BYTES / 2 : BYTES),
        .scale = lab_zeros(lab, N, SXT_F32),
        .block_scale = lab_bytes(lab, BLOCKS),
        .group_scale = lab_zeros(lab, BLOCKS / 256, SXT_F32)
    };
    void *x = lab_normals(lab, BYTES, SXT_BF16, 0.02);

    sxt_quantize(lab->num, &w, x, SXT_BF16);
    sxt_dequantize(lab->num, x, &w, SXT_BF16);
    for (int i = 0; i < 3; i++)
        sxt_qgemm(lab->num, rows[i],
                  lab_normals(lab, rows[i] * HIDDEN, SXT_BF16, 1), &w,
                  lab_zeros(lab, rows[i] * N, SXT_BF16), SXT_BF16);
}

static void losses(struct lab *lab)
{
    float *logits = lab_normals(lab, 2 * VOCAB, SXT_F32, 3);

    sxt_xent(lab->num, lab_zeros(lab, 2, SXT_F32),
             lab_zeros(lab, 2 * VOCAB, SXT_BF16), logits,
             lab_ints(lab, 2, 0, VOCAB), 2, VOCAB, VOCAB, 1, SXT_BF16);
}

static void draws(struct lab *lab)
{
    int32_t *seen = lab_get_ints(lab, lab_ints(lab, 9, 0, VOCAB), 9);
    struct sxt_sample_row *row = lab_host(lab, 2, sizeof(*row));
    struct sxt_sample s = { .logits = lab_normals(lab, 2 * VOCAB, SXT_F32, 3),
                            .rows = 2,
                            .vocab = VOCAB,
                            .ld = VOCAB,
                            .row = row,
                            .id = lab_host(lab, 2, sizeof(int32_t)),
                            .logprob = lab_host(lab, 2, sizeof(float)) };

    row[0] =
        (struct sxt_sample_row){ 0.7f, 0.8f, 0, 1.05f, 20, 1, 0, 0, seen, 9 };
    row[1] = (struct sxt_sample_row){ 1, 0.95f, 0, 1, 0, 1, 1, 0, seen, 9 };
    sxt_sample(lab->num, &s);
}

static void updates(struct lab *lab)
{
    float *grad = lab_normals(lab, WEIGHTS, SXT_F32, 1);
    void *x = lab_zeros(lab, 4 * WEIGHTS, SXT_BF16);
    double *sums = lab_host(lab, WEIGHTS / LEAF, sizeof(*sums));

    sxt_adamw(lab->num,
              &(struct sxt_adamw){ .p = lab_normals(lab, WEIGHTS, SXT_BF16, 1),
                                   .rest = lab_zeros(lab, WEIGHTS, SXT_BF16),
                                   .m = lab_zeros(lab, WEIGHTS, SXT_F32),
                                   .v = lab_zeros(lab, WEIGHTS, SXT_F32),
                                   .grad = grad,
                                   .n = WEIGHTS,
                                   .lr = 1e-5,
                                   .b1 = 0.9,
                                   .b2 = 0.95,
                                   .eps = 1e-8,
                                   .wd = 0.1,
                                   .grad_scale = 1,
                                   .step = 1,
                                   .type = SXT_BF16 });
    sxt_sumsq_leaves(lab->num, sums, grad, WEIGHTS, LEAF);
    sxt_sum_pieces(lab->num, grad, x, 4, WEIGHTS, 1, SXT_BF16);
    sxt_add(lab->num, x, x, WEIGHTS, SXT_BF16);
    sxt_cast(lab->num, x, SXT_BF16, grad, SXT_F32, WEIGHTS);
}

int main(void)
{
    struct lab lab;

    lab_open(&lab, "cuda", "cuda", 1);
    norms(&lab, HIDDEN);
    norms(&lab, WIDE);
    gates(&lab);
    tables(&lab);
    rotations(&lab);
    lab_clean(&lab, 0);
    attention(&lab);
    pages(&lab, 1);
    pages(&lab, T);
    lab_clean(&lab, 0);
    quantised(&lab, SXT_INT8);
    quantised(&lab, SXT_NF4);
    losses(&lab);
    lab_clean(&lab, 0);
    draws(&lab);
    updates(&lab);
    lab_close(&lab);
    return 0;
}
