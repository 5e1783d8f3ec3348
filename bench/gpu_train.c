/* gpu_train.c - training on a GPU: kernels, a layer, whole steps.
 *
 * Kernels stand beside their floors, as in gpu.c.  A layer of the 32B shape is
 * the difference of networks of two layers and of one.  Steps are what the sft
 * stage does: gradients, their norm, AdamW.  Where a model of the shape does
 * not fit, part of its state is on the host, and then it has fewer layers. FLOP
 * are those of the model: products and causal attention, forward once and
 * backward twice; what is computed again does not count.  MFU is their share of
 * what the GPU's maker states for dense bf16, where this file knows it; beside
 * it the share of the measured rate. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "dev/stream.h"
#include "gpu.h"
#include "model/net.h"
#include "model/optim.h"

/* ---- kernels ---- */

static void norm_bwd(struct bench *b, const struct work *w, size_t turn)
{
    (void)turn;
    sxt_rmsnorm_bwd(b->num, w->y, w->w[0], w->x, w->w[1], w->w[2], w->w[3],
                    w->m, w->n, SXT_BF16);
}

static void gate_bwd(struct bench *b, const struct work *w, size_t turn)
{
    (void)turn;
    sxt_swiglu_bwd(b->num, w->y, w->w[0], w->x, w->m, w->n, SXT_BF16);
}

static void loss(struct bench *b, const struct work *w, size_t turn)
{
    (void)turn;
    sxt_xent(b->num, w->w[0], w->y, w->x, w->ints, w->m, w->n, w->n, 1e-3f,
             SXT_BF16);
}

static void adamw(struct bench *b, const struct work *w, size_t turn)
{
    bench_update(
        b->num,
        &(struct bench_state){ w->x, w->y, w->w[0], w->w[1], w->w[2], w->n },
        turn);
}

static void squares(struct bench *b, const struct work *w, size_t turn)
{
    double *sums = sxt_alloc((w->n + w->k - 1) / w->k, sizeof(*sums));

    (void)turn;
    sxt_sumsq_leaves(b->num, sums, w->x, w->n, w->k);
    free(sums);
}

static void to_bf16(struct bench *b, const struct work *w, size_t turn)
{
    (void)turn;
    sxt_cast(b->num, w->y, SXT_BF16, w->x, SXT_F32, w->n);
}

static void sum(struct bench *b, const struct work *w, size_t turn)
{
    (void)turn;
    sxt_sum_pieces(b->num, w->y, w->x, 1, w->n, 1, SXT_BF16);
}

static void bench_rows(struct bench *b)
{
    size_t m = b->tiny ? 5 : 16384, h = b->tiny ? 64 : 5120;
    size_t f = b->tiny ? 64 : 27648, v = b->tiny ? 100 : 152064;
    size_t chunk = m < 1024 ? m : 1024;

    if (bench_wanted(b, "rmsnorm_bwd")) {
        struct work w = { .name = "rmsnorm_bwd", .run = norm_bwd };
        w.m = m, w.n = h;
        w.y = bench_numbers(b, m * h, SXT_BF16);
        w.x = bench_numbers(b, m * h, SXT_BF16);
        w.w[0] = bench_numbers(b, h, SXT_F32);
        w.w[1] = bench_numbers(b, m * h, SXT_BF16);
        w.w[2] = bench_numbers(b, h, SXT_BF16);
        w.w[3] = bench_numbers(b, m, SXT_F32);
        w.bytes = 2.0 * 4 * (double)(m * h); /* dr twice, dy, r */
        bench_finish(b, &w);
    }
    if (bench_wanted(b, "swiglu_bwd")) {
        struct work w = { .name = "swiglu_bwd", .run = gate_bwd };
        w.m = m, w.n = f;
        w.x = bench_numbers(b, 2 * m * f, SXT_BF16);
        w.y = bench_numbers(b, 2 * m * f, SXT_BF16);
        w.w[0] = bench_numbers(b, m * f, SXT_BF16);
        w.bytes = 2.0 * 5 * (double)(m * f);
        bench_finish(b, &w);
    }
    if (bench_wanted(b, "xent")) {
        struct work w = { .name = "xent", .run = loss };
        w.m = chunk, w.n = v;
        w.x = bench_numbers(b, chunk * v, SXT_F32);
        w.y = bench_numbers(b, chunk * v, SXT_BF16);
        w.w[0] = bench_numbers(b, chunk, SXT_F32);
        w.ints = bench_integers(b->dev, chunk, 7919, v);
        w.bytes = (4.0 + 2.0) * (double)(chunk * v);
        bench_finish(b, &w);
    }
}

static void bench_state(struct bench *b)
{
    size_t n = b->tiny ? 5000 : (size_t)1 << 28;

    if (bench_wanted(b, "adamw")) {
        struct work w = { .name = "adamw", .run = adamw };
        w.m = 1, w.n = n;
        w.x = bench_numbers(b, n, SXT_BF16);
        w.y = bench_numbers(b, n, SXT_BF16);
        w.w[0] = bench_numbers(b, n, SXT_F32);
        w.w[1] = sxt_dev_alloc(b->dev, n * sizeof(float));
        w.w[2] = bench_numbers(b, n, SXT_F32);
        w.bytes = 28.0 * (double)n;
        bench_finish(b, &w);
    }
    if (bench_wanted(b, "sumsq")) {
        struct work w = { .name = "sumsq", .run = squares };
        w.m = 1, w.n = n, w.k = b->tiny ? 64 : 65536;
        w.x = bench_numbers(b, n, SXT_F32);
        w.bytes = 4.0 * (double)n;
        bench_finish(b, &w);
    }
    if (bench_wanted(b, "cast")) {
        struct work w = { .name = "cast", .run = to_bf16 };
        w.m = 1, w.n = n;
        w.x = bench_numbers(b, n, SXT_F32);
        w.y = bench_numbers(b, n, SXT_BF16);
        w.bytes = 6.0 * (double)n;
        bench_finish(b, &w);
    }
    if (bench_wanted(b, "sum_pieces")) {
        struct work w = { .name = "sum_pieces", .run = sum };
        w.m = 1, w.n = n, w.k = 1;
        w.x = bench_numbers(b, n, SXT_BF16);
        w.y = bench_numbers(b, n, SXT_F32);
        w.bytes = 10.0 * (double)n;
        bench_finish(b, &w);
    }
}

void bench_training_kernels(struct bench *b)
{
    size_t t = b->tiny ? 40 : 8192;

    bench_attention(b, t, 40, 8, false); /* the 32B model's heads */
    bench_attention(b, t, 40, 8, true);
    bench_rows(b);
    bench_state(b);
}

/* ---- steps ---- */

struct training {
    struct bench *b;
    struct sxt_layout layout;
    struct sxt_zero3 *z;
    struct sxt_optim *o;
    struct sxt_net *net;
    struct sxt_batch batch;
    int32_t *ids, *target, *cu;
    struct sxt_net_room room;
    bool optimize; /* else gradients only */
};

/* Documents of one length, learned but for their ends. */
static void make_batch(struct training *t, size_t tokens, size_t docs)
{
    size_t len = tokens / docs, vocab = t->layout.config.vocab;

    t->ids = sxt_alloc(tokens, sizeof(*t->ids));
    t->target = sxt_alloc(tokens, sizeof(*t->target));
    t->cu = sxt_alloc(docs + 1, sizeof(*t->cu));
    for (size_t i = 0; i < len * docs; i++) {
        t->ids[i] = (int32_t)((i * 7919 + 17) % vocab);
        t->target[i] = -1;
        if (i % len > 0)
            t->target[i - 1] = t->ids[i];
    }
    for (size_t d = 0; d <= docs; d++)
        t->cu[d] = (int32_t)(d * len);
    t->batch = (struct sxt_batch){ len * docs, docs, t->ids, t->target, t->cu };
}

/* Weights about as wide as a trained model's. */
static void fill_unit(struct training *t, size_t unit)
{
    struct sxt_shard shard = sxt_zero3_shard(t->z, unit);
    uint16_t *x = sxt_alloc(shard.count, sizeof(*x));
    uint32_t state = 1;

    for (size_t i = 0; i < shard.count; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = sxt_f32_to_bf16(0.06f * ((float)(state >> 8) * 0x1p-24f - 0.5f));
    }
    sxt_optim_put(t->o, SXT_STATE_PARAM, unit, x);
    free(x);
}

static struct sxt_zero3_setup setup_of(const struct sxt_layout *layout,
                                       struct sxt_num *num, double away)
{
    return (struct sxt_zero3_setup){ .layout = layout,
                                     .num = num,
                                     .comm = sxt_comm_self(),
                                     .type = SXT_BF16,
                                     .reduce_type = SXT_BF16,
                                     .ahead = 1,
                                     .away = away };
}

/* Device memory of training without anything that is kept for speed. */
static size_t least_bytes(const struct sxt_model_config *config, size_t tokens,
                          double away)
{
    struct sxt_net_room room = { tokens, 1, 1, SXT_NET_GRAIN, false };
    struct sxt_layout layout;
    size_t bytes;

    sxt_layout_init(&layout, config);
    struct sxt_zero3_setup set = setup_of(&layout, NULL, away);
    struct sxt_zero3_bytes z = sxt_zero3_bytes(&set);
    bytes = z.params + z.grads + z.gathered + z.reducing +
            sxt_optim_bytes(&set).device +
            sxt_net_bytes(&layout, SXT_BF16, &room);
    sxt_layout_free(&layout);
    return bytes;
}

/* Of the device's memory, what is left for activations and their like. */
static size_t usable(const struct bench *b)
{
    return sxt_dev_room(b->dev, 1) / 20 * 19;
}

static void create(struct training *t, struct bench *b,
                   const struct sxt_model_config *config, size_t tokens,
                   double away)
{
    t->b = b;
    sxt_layout_init(&t->layout, config);
    make_batch(t, tokens, tokens / (b->tiny ? 20 : 4096));
    struct sxt_zero3_setup set = setup_of(&t->layout, b->num, away);
    t->z = sxt_zero3_create(&set);
    t->o = sxt_optim_create(t->z);
    t->room = (struct sxt_net_room){ t->batch.t, 1, 1, SXT_NET_GRAIN, false };
    sxt_net_keep(&t->layout, SXT_BF16, &t->room, usable(b));
    t->net = sxt_net_create(&t->layout, b->num, SXT_BF16, &t->room);
    for (size_t u = 0; u < t->layout.n_units; u++)
        fill_unit(t, u);
    sxt_zero3_changed(t->z);
}

static void destroy(struct training *t)
{
    sxt_net_destroy(t->net);
    sxt_optim_destroy(t->o);
    sxt_zero3_destroy(t->z);
    sxt_layout_free(&t->layout);
    free(t->ids);
    free(t->target);
    free(t->cu);
}

static void one_step(struct training *t, int64_t number)
{
    int culprit;

    sxt_zero3_begin_step(t->z);
    sxt_zero3_begin_round(t->z, 1);
    sxt_net_step(t->net, sxt_zero3_params(t->z), sxt_zero3_grads(t->z),
                 &t->batch, 1.0f / (float)t->batch.t);
    sxt_zero3_end_round(t->z);
    if (t->optimize)
        sxt_optim_update(t->o, &(struct sxt_optim_step){
                                   .lr = 1e-7,
                                   .b1 = 0.9,
                                   .b2 = 0.999,
                                   .eps = 1e-8,
                                   .weight_decay = 0.01,
                                   .grad_scale = sxt_optim_clip(
                                       sxt_optim_grad_norm(t->o, &culprit), 1),
                                   .step = number });
    sxt_stream_finish(t->b->dev, SXT_STREAM_MAIN);
}

/* The best of five, behind one that warms up. */
static double step_seconds(struct training *t)
{
    double best = 0;

    for (int i = 0; i < (t->b->tiny ? 2 : 6); i++) {
        double begin = sxt_clock();
        one_step(t, i + 1);
        double took = sxt_clock() - begin;
        if (i == 1 || (i > 1 && took < best))
            best = took;
    }
    return best;
}

static double model_flop(const struct training *t)
{
    const struct sxt_model_config *c = &t->layout.config;
    double attention = 0;

    for (size_t d = 0; d < t->batch.n_docs; d++) {
        double len = t->cu[d + 1] - t->cu[d];
        attention +=
            2 * len * (len + 1) * (double)(c->layers * c->heads * c->head_dim);
    }
    return 3 * ((double)t->batch.t * sxt_model_flop_per_token(c) + attention);
}

/* Dense bf16 of tensor cores as NVIDIA's data sheets have it, FLOP/s; 0: not
 * known here. */
static double stated(const struct bench *b)
{
    static const struct {
        const char *name;
        double tflops;
    } known[] = {
        { "H100 PCIe", 756 }, { "H100 NVL", 835 }, { "H100", 989 },
        { "H200", 989 },      { "A100", 312 },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strstr(sxt_dev_about(b->dev), known[i].name))
            return 1e12 * known[i].tflops;
    return 0;
}

static void print_rate(const struct bench *b, const char *what, double took,
                       double tokens, double flop)
{
    if (b->tiny) {
        printf("%-24s works\n", what);
        return;
    }
    printf("%-24s %9.2f ms  %8.0f tok/s  %6.1f TFLOP/s", what, 1e3 * took,
           tokens / took, 1e-12 * flop / took);
    if (stated(b) > 0)
        printf("  MFU %.1f %%", 100 * flop / took / stated(b));
    printf("  %.1f %% of products\n", 100 * flop / took / b->flop_per_s);
    fflush(stdout);
}

static const struct sxt_model_config shape_32b = { .type = SXT_QWEN2,
                                                   .vocab = 2048,
                                                   .hidden = 5120,
                                                   .heads = 40,
                                                   .kv_heads = 8,
                                                   .head_dim = 128,
                                                   .ffn = 27648,
                                                   .max_positions = 32768,
                                                   .rope_theta = 1e6,
                                                   .norm_eps = 1e-6,
                                                   .qkv_bias = true };
static const struct sxt_model_config shape_7b = { .type = SXT_QWEN2,
                                                  .vocab = 152064,
                                                  .hidden = 3584,
                                                  .layers = 28,
                                                  .heads = 28,
                                                  .kv_heads = 4,
                                                  .head_dim = 128,
                                                  .ffn = 18944,
                                                  .max_positions = 32768,
                                                  .rope_theta = 1e6,
                                                  .norm_eps = 1e-6,
                                                  .qkv_bias = true };
static const struct sxt_model_config shape_1_5b = { .type = SXT_QWEN2,
                                                    .vocab = 151936,
                                                    .hidden = 1536,
                                                    .layers = 28,
                                                    .heads = 12,
                                                    .kv_heads = 2,
                                                    .head_dim = 128,
                                                    .ffn = 8960,
                                                    .max_positions = 32768,
                                                    .rope_theta = 1e6,
                                                    .norm_eps = 1e-6,
                                                    .tied = true,
                                                    .qkv_bias = true };

/* The shape, or one with the same parts that an emulated GPU does at once. */
static struct sxt_model_config sized(const struct bench *b,
                                     const struct sxt_model_config *shape)
{
    struct sxt_model_config c = *shape;

    if (b->tiny) {
        c.vocab = 100;
        c.hidden = 32;
        c.layers = shape->layers > 2 ? 2 : shape->layers;
        c.heads = 4;
        c.kv_heads = 2;
        c.head_dim = 8;
        c.ffn = 48;
    }
    return c;
}

static size_t tokens_of(const struct bench *b)
{
    return b->tiny ? 40 : 16384;
}

static void bench_layer(struct bench *b)
{
    double took[2], flop[2], tokens = 0;

    for (size_t i = 0; i < 2; i++) {
        struct sxt_model_config c = sized(b, &shape_32b);
        struct training t = { .optimize = false };
        c.layers = i + 1;
        create(&t, b, &c, tokens_of(b), 0);
        took[i] = step_seconds(&t);
        flop[i] = model_flop(&t);
        tokens = (double)t.batch.t;
        destroy(&t);
    }
    print_rate(b, "layer-32b", took[1] - took[0], tokens, flop[1] - flop[0]);
}

/* In eighths, as much of the state goes to the host as must; then layers go.
 * In the smallest shapes there is room for no more than with away_tiny of it.
 */
static void bench_step(struct bench *b, const char *name,
                       const struct sxt_model_config *shape, double away_tiny)
{
    struct sxt_model_config c = sized(b, shape);
    struct training t = { .optimize = true };
    size_t all = c.layers, tokens = tokens_of(b);
    size_t room = b->tiny ? least_bytes(&c, tokens, away_tiny) : usable(b);
    double away = 0;
    char what[60];

    while (away < 1 && least_bytes(&c, tokens, away) > room)
        away += 0.125;
    while (c.layers > 1 && least_bytes(&c, tokens, away) > room)
        c.layers--;
    create(&t, b, &c, tokens, away);
    snprintf(what, sizeof(what), "step-%s%s", name,
             c.layers < all ? " (part)" : "");
    print_rate(b, what, step_seconds(&t), (double)t.batch.t, model_flop(&t));
    printf("  %zu of %zu layers, %zu keep what they compute, %zu the "
           "attention's, %.0f %% of the state on the host, %.1f GiB\n",
           c.layers, all, t.room.keep, t.room.keep_attn, 100 * away,
           (double)sxt_dev_in_use(b->dev) / (1 << 30));
    destroy(&t);
}

void bench_steps(struct bench *b)
{
    char lacks[300];

    if (sxt_num_lacks(b->num, SXT_NUM_TRAIN, lacks)) {
        printf("no steps: the backend lacks %s\n", lacks);
        return;
    }
    if (!b->only || strstr("layer-32b", b->only))
        bench_layer(b);
    if (!b->only || strstr("step-1.5b", b->only))
        bench_step(b, "1.5b", &shape_1_5b, 0);
    if (!b->only || strstr("step-7b", b->only))
        bench_step(b, "7b", &shape_7b, 0.25);
}
