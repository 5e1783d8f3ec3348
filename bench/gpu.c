/* gpu.c - each kernel's time on a GPU beside the least time it could take.
 *
 * usage: gpu [NAME]      only operations whose name contains NAME
 *        gpu --tiny      everything once, in shapes of no meaning: does it
 *                        work?  No number is printed then
 *
 * One line for each operation and shape: name, time, floor, floor / time.  The
 * floor is the larger of bytes / bandwidth and operations / rate; both are
 * measured first, by a copy inside the device's memory and by a large square
 * product in bf16.  Shapes are those of a 1.5B model (hidden 1536, 12 query and
 * 2 key heads of 128, ffn 8960, vocabulary 151936).  Weights and caches are
 * larger than the L2 cache or taken in turn.  Kernels that the backend lacks
 * are named. */
#include "gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "dev/driver.h"

enum {
    HIDDEN = 1536,
    HQ = 12,
    HK = 2,
    D = 128,
    WIDTH = (HQ + 2 * HK) * D,
    FFN = 8960,
    COPIES = BENCH_COPIES
};

/* Numbers of no meaning, small and not zero. */
void *bench_numbers(struct bench *b, size_t n, enum sxt_dtype type)
{
    enum { PIECE = 1 << 20 };
    size_t size = sxt_dtype_size(type);
    char *x = sxt_dev_alloc(b->dev, n * size), *host = sxt_alloc(PIECE, size);

    for (size_t i = 0; i < PIECE; i++)
        sxt_store(host, type, i, (float)((int)(i * 37 % 101) - 50) / 64);
    for (size_t at = 0; at < n; at += PIECE)
        sxt_dev_put(b->dev, x + at * size, host,
                    (n - at < PIECE ? n - at : PIECE) * size);
    free(host);
    return x;
}

/* Best of five rounds; a round is long beside the clock and a launch. */
double bench_seconds(struct bench *b, const struct work *w)
{
    size_t times = 1, turn = 0;
    double best = 0;

    for (int round = 0; round < 6;) {
        sxt_stream_finish(b->dev, SXT_STREAM_MAIN);
        double begin = sxt_clock();
        for (size_t i = 0; i < times; i++)
            w->run(b, w, turn++);
        sxt_stream_finish(b->dev, SXT_STREAM_MAIN);
        double took = sxt_clock() - begin;
        if (b->tiny)
            return took;
        if (took < 0.02 && times < 100000) { /* warm-up */
            times *= 2;
            continue;
        }
        took /= (double)times;
        best = round++ == 0 || took < best ? took : best;
    }
    return best;
}

static void report(struct bench *b, const struct work *w)
{
    double took = bench_seconds(b, w);
    double by_bytes = w->bytes / b->bytes_per_s;
    double by_flop = w->flop / b->flop_per_s;
    double floor = by_bytes > by_flop ? by_bytes : by_flop;

    if (b->tiny) {
        printf("%-12s %5zu x %6zu x %5zu works\n", w->name, w->m, w->n, w->k);
        return;
    }
    printf("%-12s %5zu x %6zu x %5zu %10.2f us  floor %9.2f us  %5.1f %% of "
           "%s\n",
           w->name, w->m, w->n, w->k, 1e6 * took, 1e6 * floor,
           100 * floor / took, by_bytes > by_flop ? "memory" : "compute");
    fflush(stdout);
}

/* ---- operations ---- */

static void product(struct bench *b, const struct work *w, size_t turn)
{
    sxt_gemm(b->num, &(struct sxt_gemm){ .m = w->m,
                                         .n = w->n,
                                         .k = w->k,
                                         .tb = true,
                                         .alpha = 1,
                                         .a = w->x,
                                         .b = w->w[turn % COPIES],
                                         .c = w->y,
                                         .lda = w->k,
                                         .ldb = w->k,
                                         .ldc = w->n,
                                         .type = SXT_BF16,
                                         .c_type = SXT_BF16,
                                         .rows_independent = true });
}

static void multiply_quantised(struct bench *b, const struct work *w,
                               size_t turn)
{
    struct sxt_qmat q = w->q;

    q.q = w->w[turn % COPIES];
    sxt_qgemm(b->num, w->m, w->x, &q, w->y, SXT_BF16);
}

static void normalise(struct bench *b, const struct work *w, size_t turn)
{
    (void)turn;
    sxt_add_rmsnorm(b->num, w->y, NULL, w->x, w->y, w->w[0], w->m, w->n, 1e-6f,
                    SXT_BF16);
}

static void gate(struct bench *b, const struct work *w, size_t turn)
{
    (void)turn;
    sxt_swiglu(b->num, w->y, w->x, w->m, w->n, SXT_BF16);
}

enum { BLOCK = 32 };

/* m answers, each a token behind k positions. */
static void attend_paged(struct bench *b, const struct work *w, size_t turn)
{
    size_t pages = w->k / BLOCK;

    (void)turn;
    sxt_attn_paged(
        b->num, &(struct sxt_attn_paged){ .qkv = w->x,
                                          .o = w->y,
                                          .k_cache = w->w[0],
                                          .v_cache = w->w[1],
                                          .block_table = w->ints,
                                          .seq = w->ints + w->m * pages,
                                          .pos = w->ints + w->m * (pages + 1),
                                          .t = w->m,
                                          .max_blocks = pages,
                                          .block = BLOCK,
                                          .hq = HQ,
                                          .hk = HK,
                                          .d = D,
                                          .scale = 0.088f,
                                          .type = SXT_BF16 });
}

/* ---- their arguments ---- */

bool bench_wanted(struct bench *b, const char *name)
{
    if (b->only && !strstr(name, b->only))
        return false;
    if (!sxt_num_owns(b->num, name))
        printf("%-12s not there yet\n", name);
    return sxt_num_owns(b->num, name);
}

void bench_finish(struct bench *b, struct work *w)
{
    report(b, w);
    sxt_dev_free(b->dev, w->x);
    sxt_dev_free(b->dev, w->y);
    sxt_dev_free(b->dev, w->ints);
    sxt_dev_free(b->dev, w->q.scale);
    sxt_dev_free(b->dev, w->q.block_scale);
    sxt_dev_free(b->dev, w->q.group_scale);
    for (int i = 0; i < COPIES; i++)
        sxt_dev_free(b->dev, w->w[i]);
}

static void bench_products(struct bench *b)
{
    static const size_t rows[] = { 1, 16, 64, 256, 512, 2048 };
    static const size_t shapes[][2] = { { WIDTH, HIDDEN },
                                        { HIDDEN, HQ * D },
                                        { 2 * FFN, HIDDEN },
                                        { HIDDEN, FFN } };
    size_t n_rows = b->tiny ? 1 : 6, n_shapes = b->tiny ? 1 : 4;

    for (size_t s = 0; s < n_shapes && bench_wanted(b, "gemm"); s++) {
        for (size_t r = 0; r < n_rows; r++) {
            size_t m = rows[r], n = shapes[s][0], k = shapes[s][1];
            struct work w = { .name = "gemm", .run = product };
            w.m = m, w.n = n, w.k = k;
            w.x = bench_numbers(b, m * k, SXT_BF16);
            w.y = bench_numbers(b, m * n, SXT_BF16);
            for (int i = 0; i < COPIES; i++)
                w.w[i] = bench_numbers(b, n * k, SXT_BF16);
            w.bytes = 2.0 * (double)(n * k + m * (n + k));
            w.flop = 2.0 * (double)m * (double)(n * k);
            bench_finish(b, &w);
        }
    }
}

/* Codes and scales are any bytes: no time depends on them. */
static void bench_quantised(struct bench *b, enum sxt_qformat format, size_t m,
                            size_t n, size_t k)
{
    bool nf4 = format == SXT_NF4;
    size_t bytes = nf4 ? n * k / 2 : n * k, blocks = n * k / 64;
    struct work w = { .name = nf4 ? "qgemm_nf4" : "qgemm_int8",
                      .run = multiply_quantised };

    w.m = m, w.n = n, w.k = k;
    w.x = bench_numbers(b, m * k, SXT_BF16);
    w.y = bench_numbers(b, m * n, SXT_BF16);
    w.q = (struct sxt_qmat){ .format = format, .n = n, .k = k };
    w.q.scale = bench_numbers(b, n, SXT_F32);
    w.q.block_scale = bench_numbers(b, blocks / 4 + 1, SXT_F32);
    w.q.group_scale = bench_numbers(b, blocks / 256 + 1, SXT_F32);
    for (int i = 0; i < COPIES; i++)
        w.w[i] = bench_numbers(b, bytes / 4, SXT_F32);
    w.bytes = (double)(bytes + (nf4 ? blocks : 0) + 2 * m * (n + k));
    w.flop = 2.0 * (double)m * (double)(n * k);
    bench_finish(b, &w);
}

static void bench_quantised_products(struct bench *b)
{
    static const size_t rows[] = { 1, 16, 64, 512, 2048 };
    static const size_t shapes[][2] = { { HIDDEN, HQ * D },
                                        { 2 * FFN, HIDDEN },
                                        { HIDDEN, FFN } };
    size_t n_rows = b->tiny ? 1 : 5, n_shapes = b->tiny ? 1 : 3;

    for (size_t s = 0; s < n_shapes && bench_wanted(b, "qgemm"); s++)
        for (size_t r = 0; r < n_rows; r++) {
            bench_quantised(b, SXT_INT8, rows[r], shapes[s][0], shapes[s][1]);
            bench_quantised(b, SXT_NF4, rows[r], shapes[s][0], shapes[s][1]);
        }
}

static void bench_rows(struct bench *b)
{
    static const size_t rows[] = { 1, 64, 4096 };

    for (size_t r = 0; r < (b->tiny ? 1 : 3); r++) {
        size_t m = rows[r];
        if (bench_wanted(b, "add_rmsnorm")) {
            struct work w = { .name = "add_rmsnorm", .run = normalise };
            w.m = m, w.n = HIDDEN;
            w.x = bench_numbers(b, m * HIDDEN, SXT_BF16);
            w.y = bench_numbers(b, m * HIDDEN, SXT_BF16);
            w.w[0] = bench_numbers(b, HIDDEN, SXT_BF16);
            w.bytes = 2.0 * 4 * (double)(m * HIDDEN); /* x twice, y twice */
            bench_finish(b, &w);
        }
        if (bench_wanted(b, "swiglu")) {
            struct work w = { .name = "swiglu", .run = gate };
            w.m = m, w.n = FFN;
            w.x = bench_numbers(b, 2 * m * FFN, SXT_BF16);
            w.y = bench_numbers(b, m * FFN, SXT_BF16);
            w.bytes = 2.0 * 3 * (double)(m * FFN);
            bench_finish(b, &w);
        }
    }
}

static void bench_packed(struct bench *b)
{
    static const size_t lengths[] = { 1024, 4096, 16384 };

    for (size_t i = 0; i < 3 && !b->tiny; i++) /* tiny: with training's */
        bench_attention(b, lengths[i], HQ, HK, false);
}

static void bench_paged(struct bench *b)
{
    static const size_t shapes[][2] = {
        { 1, 1024 }, { 1, 32768 }, { 64, 1024 }, { 64, 4096 }, { 256, 2048 }
    };
    size_t n = b->tiny ? 1 : 5;

    for (size_t i = 0; i < n && bench_wanted(b, "attn_paged"); i++) {
        size_t m = shapes[i][0], k = shapes[i][1], pages = m * k / BLOCK;
        int32_t *host = sxt_alloc(pages + 2 * m, sizeof(*host));
        struct work w = { .name = "attn_paged", .run = attend_paged };
        w.m = m, w.n = HQ * D, w.k = k;
        w.x = bench_numbers(b, m * WIDTH, SXT_BF16);
        w.y = bench_numbers(b, m * HQ * D, SXT_BF16);
        w.w[0] = bench_numbers(b, m * k * HK * D, SXT_BF16);
        w.w[1] = bench_numbers(b, m * k * HK * D, SXT_BF16);
        w.ints = bench_integers(b->dev, pages + 2 * m, 1, 2);
        for (size_t p = 0; p < pages; p++)
            host[p] = (int32_t)(p * 7919 % pages); /* a prime: all of them */
        for (size_t s = 0; s < m; s++) {
            host[pages + s] = (int32_t)s;
            host[pages + m + s] = (int32_t)k - 1;
        }
        sxt_dev_put(b->dev, w.ints, host, (pages + 2 * m) * sizeof(*host));
        free(host);
        w.bytes = 2.0 * 2 * (double)(m * k * HK * D);
        w.flop = 4.0 * (double)(m * k * HQ * D);
        bench_finish(b, &w);
    }
}

/* ---- the limits ---- */

static void copy(struct bench *b, const struct work *w, size_t turn)
{
    (void)turn;
    sxt_dev_copy(b->dev, w->y, w->x, (size_t)w->bytes / 2);
}

static void measure_limits(struct bench *b)
{
    size_t side = b->tiny ? 64 : 8192;
    size_t bytes = (size_t)512 << (b->tiny ? 8 : 20);
    struct work c = { .name = "copy", .run = copy, .bytes = 2 * (double)bytes };
    struct work g = { .name = "gemm", .run = product };

    c.x = sxt_dev_alloc(b->dev, bytes);
    c.y = sxt_dev_alloc(b->dev, bytes);
    b->bytes_per_s = c.bytes / bench_seconds(b, &c);
    sxt_dev_free(b->dev, c.x);
    sxt_dev_free(b->dev, c.y);
    g.m = g.n = g.k = side;
    g.x = bench_numbers(b, side * side, SXT_BF16);
    g.y = bench_numbers(b, side * side, SXT_BF16);
    g.w[0] = bench_numbers(b, side * side, SXT_BF16);
    for (int i = 1; i < COPIES; i++)
        g.w[i] = g.w[0];
    b->flop_per_s = 2.0 * (double)(side * side * side) / bench_seconds(b, &g);
    sxt_dev_free(b->dev, g.x);
    sxt_dev_free(b->dev, g.y);
    sxt_dev_free(b->dev, g.w[0]);
    printf("%s", sxt_dev_about(b->dev));
    if (!b->tiny)
        printf(": memory %.0f GB/s (copy), matrices %.0f TFLOP/s (bf16, %zu^3)",
               1e-9 * b->bytes_per_s, 1e-12 * b->flop_per_s, side);
    putchar('\n');
}

int main(int argc, char **argv)
{
    bool tiny = argc > 1 && strcmp(argv[1], "--tiny") == 0;
    struct bench b = { .tiny = tiny,
                       .only = argc > 1 && !tiny ? argv[1] : NULL };
    struct sxt_error err = { 0 };

    sxt_comm_init(&argc, &argv);
    if (sxt_dev_cuda_count(&err) < 0) {
        printf("nothing can be measured here: %s\n", err.text);
        sxt_comm_finalize();
        return 0;
    }
    b.dev = sxt_dev_create("cuda", &err);
    b.num = b.dev ? sxt_num_create("cuda", b.dev, 1, &err) : NULL;
    if (!b.num) {
        fprintf(stderr, "gpu: %s\n", err.text);
        return err.code;
    }
    measure_limits(&b);
    bench_products(&b);
    bench_quantised_products(&b);
    bench_rows(&b);
    bench_packed(&b);
    bench_paged(&b);
    bench_training_kernels(&b);
    bench_steps(&b);
    sxt_num_destroy(b.num);
    sxt_dev_destroy(b.dev);
    sxt_comm_finalize();
    return 0;
}
