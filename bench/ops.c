/* ops.c - the kernels' speed as a share of what this machine can do.
 *
 * usage: ops [BACKEND [THREADS [GROUP]]]
 *
 * GROUP: gemm, qgemm, attn, paged or arrays; without it, all of them.
 * One line for each operation and shape: name, best time in ms, rate, share of
 * the limit.  The limits are measured in the same run: reading memory, for
 * AdamW rewriting it, and oneDNN's f32 matrix product (without oneDNN: ours).
 * Decode shapes take their weights from memory, a different copy each time.
 * Shapes are SmolLM2-135M's unless they say otherwise.  With one thread, time
 * is the processor's, so that a busy machine's other work does not count. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "base/mem.h"
#include "limits.h"

enum { HQ = 9, HK = 3, D = 64, HIDDEN = 576, FFN = 1536, VOCAB = 49152 };

static void print_share(const char *name, double took, double amount,
                        const char *unit, double limit, const char *of)
{
    printf("%-32s %10.3f ms  %8.1f %-8s %6.1f %% of %s\n", name, took * 1e3,
           amount / took * 1e-9, unit, 100 * amount / took / limit, of);
    fflush(stdout);
}

/* Work done: operations, or bytes if there are none to speak of. */
static void report(struct bench *b, const char *name, double took, double flops,
                   double bytes)
{
    if (flops / b->flops > bytes / b->bytes)
        print_share(name, took, flops, "GFLOP/s", b->flops, "compute");
    else
        print_share(name, took, bytes, "GB/s", b->bytes, "memory");
}

/* ---- matrix products ---- */

static void bench_gemm(struct bench *b)
{
    static const struct {
        size_t m, n, k;
        bool ta;
    } shapes[] = {
        { 1, VOCAB, HIDDEN, false },     { 16, VOCAB, HIDDEN, false },
        { 1, 2 * FFN, HIDDEN, false },   { 1, HIDDEN, FFN, false },
        { 16, 2 * FFN, HIDDEN, false },  { 64, 2 * FFN, HIDDEN, false },
        { 512, 960, HIDDEN, false },     { 512, 2 * FFN, HIDDEN, false },
        { 512, HIDDEN, FFN, false },     { 1024, 1152, 896, false },
        { 2 * FFN, HIDDEN, 1024, true },
    };

    for (int type = SXT_BF16; type >= SXT_F32; type--)
        for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
            size_t m = shapes[i].m, n = shapes[i].n, k = shapes[i].k;
            struct bench_product p =
                bench_product(b, m, n, k, shapes[i].ta ? BENCH_TN : BENCH_NT,
                              (enum sxt_dtype)type);
            p.g.rows_independent = !shapes[i].ta;
            char name[80];
            snprintf(name, sizeof(name), "gemm%s_%s_%zux%zux%zu",
                     shapes[i].ta ? "_tn" : "", type ? "bf16" : "f32", m, n, k);
            report(
                b, name, bench_best(b, bench_multiply, &p),
                2.0 * (double)(m * n * k),
                (double)((m + n) * k * sxt_dtype_size((enum sxt_dtype)type)));
            bench_product_free(b, &p);
        }
}

/* ---- products with quantised weights ---- */

struct quantised {
    struct sxt_qmat w;
    size_t m, copies, bytes; /* of w.q: in turn, and of each */
    void *a, *c;
};

static void act_qgemm(struct bench *b, void *what, size_t turn)
{
    struct quantised *q = what;
    struct sxt_qmat w = q->w;

    w.q += turn % q->copies * q->bytes;
    sxt_qgemm(b->num, q->m, q->a, &w, q->c, SXT_BF16);
}

/* Codes and scales are any bytes: no time depends on them. */
static void one_qgemm(struct bench *b, enum sxt_qformat format, size_t m,
                      size_t n, size_t k)
{
    bool nf4 = format == SXT_NF4;
    size_t bytes = nf4 ? n * k / 2 : n * k;
    size_t copies = m > 64 ? 1 : 1 + (96 << 20) / bytes;
    struct quantised q = {
        .w = { .format = format,
               .n = n,
               .k = k,
               .q = bench_numbers(b, copies * bytes / 4, SXT_F32),
               .scale = bench_numbers(b, n, SXT_F32),
               .block_scale = bench_numbers(b, n * k / 64 / 4, SXT_F32),
               .group_scale = bench_numbers(b, n * k / 64 / 256 + 1, SXT_F32),
               .offset = 1 },
        .m = m,
        .copies = copies,
        .bytes = bytes,
        .a = bench_numbers(b, m * k, SXT_BF16),
        .c = sxt_dev_alloc(b->dev, m * n * 2),
    };
    char name[80];

    snprintf(name, sizeof(name), "qgemm_%s_%zux%zux%zu", nf4 ? "nf4" : "int8",
             m, n, k);
    report(b, name, bench_best(b, act_qgemm, &q), 2.0 * (double)(m * n * k),
           (double)(bytes + m * k * 2));
    sxt_dev_free(b->dev, q.w.q);
    sxt_dev_free(b->dev, q.w.scale);
    sxt_dev_free(b->dev, q.w.block_scale);
    sxt_dev_free(b->dev, q.w.group_scale);
    sxt_dev_free(b->dev, q.a);
    sxt_dev_free(b->dev, q.c);
}

static void bench_qgemm(struct bench *b)
{
    static const size_t m[] = { 1, 4, 8, 16, 64, 512 };

    for (int format = SXT_INT8; format <= SXT_NF4; format++) {
        one_qgemm(b, (enum sxt_qformat)format, 1, HIDDEN, FFN);
        for (size_t i = 0; i < sizeof(m) / sizeof(*m); i++)
            one_qgemm(b, (enum sxt_qformat)format, m[i], 2 * FFN, HIDDEN);
    }
}

/* ---- attention ---- */

static void forward(struct bench *b, void *what, size_t turn)
{
    (void)turn;
    sxt_attn(b->num, what);
}

static void backward(struct bench *b, void *what, size_t turn)
{
    (void)turn;
    sxt_attn_bwd(b->num, what);
}

static void paged(struct bench *b, void *what, size_t turn)
{
    (void)turn;
    sxt_attn_paged(b->num, what);
}

static void bench_attn(struct bench *b)
{
    enum { T = 1024, WIDTH = (HQ + 2 * HK) * D };
    struct sxt_attn a = { .qkv = bench_numbers(b, T * WIDTH, SXT_BF16),
                          .o = bench_numbers(b, T * HQ * D, SXT_BF16),
                          .lse = bench_numbers(b, T * HQ, SXT_F32),
                          .cu_seqlens = bench_integers(b->dev, 2, T, T + 1),
                          .t = T,
                          .n_docs = 1,
                          .max_len = T,
                          .hq = HQ,
                          .hk = HK,
                          .d = D,
                          .scale = 0.125f,
                          .type = SXT_BF16,
                          .d_o = bench_numbers(b, T * HQ * D, SXT_BF16),
                          .dqkv = bench_numbers(b, T * WIDTH, SXT_BF16) };
    double flops = 2.0 * T * T * HQ * D; /* half of the square, two products */

    report(b, "attn_bf16_1024", bench_best(b, forward, &a), flops, 0);
    report(b, "attn_bwd_bf16_1024", bench_best(b, backward, &a), 2.5 * flops,
           0);
}

/* A batch of one-token steps, each over a full context. */
static void bench_paged(struct bench *b)
{
    enum { SEQS = 16, BLOCK = 16, PAGES = 64, CONTEXT = PAGES * BLOCK };
    size_t cache = (size_t)SEQS * CONTEXT * HK * D;
    int32_t *pos = bench_integers(b->dev, SEQS, 0, 1), last[SEQS];
    struct sxt_attn_paged a = {
        .qkv = bench_numbers(b, SEQS * (HQ + 2 * HK) * D, SXT_BF16),
        .o = bench_numbers(b, SEQS * HQ * D, SXT_BF16),
        .k_cache = bench_numbers(b, cache, SXT_BF16),
        .v_cache = bench_numbers(b, cache, SXT_BF16),
        .block_table = bench_integers(b->dev, SEQS * PAGES, 5, SEQS * PAGES),
        .seq = bench_integers(b->dev, SEQS, 1, SEQS),
        .pos = pos,
        .t = SEQS,
        .max_blocks = PAGES,
        .block = BLOCK,
        .hq = HQ,
        .hk = HK,
        .d = D,
        .scale = 0.125f,
        .type = SXT_BF16
    };

    for (size_t i = 0; i < SEQS; i++)
        last[i] = CONTEXT - 1;
    sxt_dev_put(b->dev, pos, last, sizeof(last));
    report(b, "attn_paged_bf16_16x1024", bench_best(b, paged, &a), 0,
           4.0 * (double)cache);
}

/* ---- rows and long arrays ---- */

enum { ROWS = 1024, LOGITS = 128, PARAMETERS = 1 << 24 };

struct arrays {
    void *x, *y, *w;
    float *stats, *m, *v, *grad, *logits;
    uint16_t *p, *rest;
    int32_t *ids;
};

static void act_rmsnorm(struct bench *b, void *what, size_t turn)
{
    struct arrays *a = what;

    (void)turn;
    sxt_add_rmsnorm(b->num, a->y, a->stats, a->x, a->y, a->w, ROWS, HIDDEN,
                    1e-5f, SXT_BF16);
}

static void act_rmsnorm_bwd(struct bench *b, void *what, size_t turn)
{
    struct arrays *a = what;

    (void)turn;
    sxt_rmsnorm_bwd(b->num, a->y, a->m, a->y, a->x, a->w, a->stats, ROWS,
                    HIDDEN, SXT_BF16);
}

static void act_swiglu(struct bench *b, void *what, size_t turn)
{
    struct arrays *a = what;

    (void)turn;
    sxt_swiglu(b->num, a->y, a->x, ROWS, FFN, SXT_BF16);
}

static void act_swiglu_bwd(struct bench *b, void *what, size_t turn)
{
    struct arrays *a = what;

    (void)turn;
    sxt_swiglu_bwd(b->num, a->x, a->y, a->x, ROWS, FFN, SXT_BF16);
}

static void act_xent(struct bench *b, void *what, size_t turn)
{
    struct arrays *a = what;

    (void)turn;
    sxt_xent(b->num, a->stats, a->y, a->logits, a->ids, LOGITS, VOCAB, VOCAB, 1,
             SXT_BF16);
}

static void act_adamw(struct bench *b, void *what, size_t turn)
{
    struct arrays *a = what;

    bench_update(
        b->num,
        &(struct bench_state){ a->p, a->rest, a->m, a->v, a->grad, PARAMETERS },
        turn);
}

static void act_sumsq(struct bench *b, void *what, size_t turn)
{
    volatile double keep =
        sxt_sumsq(b->num, ((struct arrays *)what)->grad, PARAMETERS);

    (void)turn;
    (void)keep;
}

static void act_embed_bwd(struct bench *b, void *what, size_t turn)
{
    struct arrays *a = what;

    (void)turn;
    sxt_embed_bwd(b->num, a->grad, a->x, a->ids, ROWS, HIDDEN, LOGITS,
                  SXT_BF16);
}

/* One row, all that a reasoning model's settings ask for. */
static void act_sample(struct bench *b, void *what, size_t turn)
{
    struct arrays *a = what;
    struct sxt_sample_row row = { .temperature = 0.3f,
                                  .top_p = 0.95f,
                                  .repetition_penalty = 1,
                                  .seed = 1,
                                  .index = turn };
    int32_t id;
    float logprob;

    sxt_sample(b->num, &(struct sxt_sample){ .logits = a->logits,
                                             .rows = 1,
                                             .vocab = VOCAB,
                                             .ld = VOCAB,
                                             .row = &row,
                                             .id = &id,
                                             .logprob = &logprob });
}

static void bench_arrays(struct bench *b)
{
    struct arrays a = {
        .x = bench_numbers(b, (size_t)ROWS * 2 * FFN, SXT_BF16),
        .y = bench_numbers(b, (size_t)LOGITS * VOCAB, SXT_BF16),
        .w = bench_numbers(b, HIDDEN, SXT_BF16),
        .stats = bench_numbers(b, ROWS, SXT_F32),
        .m = bench_numbers(b, PARAMETERS, SXT_F32),
        .v = sxt_dev_alloc(b->dev, PARAMETERS * sizeof(float)),
        .grad = bench_numbers(b, PARAMETERS, SXT_F32),
        .logits = bench_numbers(b, (size_t)LOGITS * VOCAB, SXT_F32),
        .p = bench_numbers(b, PARAMETERS, SXT_BF16),
        .rest = sxt_dev_alloc(b->dev, PARAMETERS * sizeof(uint16_t)),
        .ids = bench_integers(b->dev, ROWS, 7, LOGITS),
    };
    const struct {
        const char *name;
        bench_action *act;
        double bytes;
    } lines[] = {
        { "add_rmsnorm_bf16_1024x576", act_rmsnorm, 8.0 * ROWS * HIDDEN },
        { "rmsnorm_bwd_bf16_1024x576", act_rmsnorm_bwd, 8.0 * ROWS * HIDDEN },
        { "swiglu_bf16_1024x1536", act_swiglu, 6.0 * ROWS * FFN },
        { "swiglu_bwd_bf16_1024x1536", act_swiglu_bwd, 10.0 * ROWS * FFN },
        { "xent_128x49152", act_xent, 6.0 * LOGITS * VOCAB },
        { "embed_bwd_1024x576", act_embed_bwd, 10.0 * ROWS * HIDDEN },
        { "sumsq_16M", act_sumsq, 4.0 * PARAMETERS },
        { "sample_top_p_1x49152", act_sample, 4.0 * VOCAB },
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        report(b, lines[i].name, bench_best(b, lines[i].act, &a), 0,
               lines[i].bytes);
    print_share("adamw_split_16M", bench_best(b, act_adamw, &a),
                28.0 * PARAMETERS, "GB/s", b->rewritten, "memory rewritten");
}

static const struct {
    const char *name;
    void (*run)(struct bench *b);
} groups[] = { { "gemm", bench_gemm },
               { "qgemm", bench_qgemm },
               { "attn", bench_attn },
               { "paged", bench_paged },
               { "arrays", bench_arrays } };

int main(int argc, char **argv)
{
    struct sxt_error err = { 0 };
    struct bench b = { 0 };

    if (bench_open(&b, argc > 1 ? argv[1] : "auto",
                   argc > 2 ? atoi(argv[2]) : 0, &err) != 0) {
        fprintf(stderr, "ops: %s\n", err.text);
        return err.code;
    }
    bench_limits(&b);
    for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
        if (argc < 4 || strcmp(argv[3], groups[i].name) == 0)
            groups[i].run(&b);
    return 0;
}
