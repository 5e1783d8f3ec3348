/* train.c - speed of a training step, its parts, and how near the limit.
 *
 * usage: train [MODEL.h5 | SHAPE [f32|bf16 [THREADS [STEPS [TOKENS [DOCS
 *        [KEEP]]]]]]]
 *
 * Forward, backward, gradient norm and AdamW through the functions that the
 * sft stage uses, on TOKENS (2048) tokens packed as DOCS (8) documents of one
 * length; KEEP blocks (all) keep their activations, the others compute them
 * again.  SHAPE: a name of the table below, with random weights.  Medians of
 * the steps; with one thread, time is the processor's.  Model FLOP count
 * forward once and backward twice, products and causal attention; hardware FLOP
 * also what is recomputed. The limit is the rate of this model's own matrix
 * products, each at its best, measured in the same run: through the table, and
 * oneDNN's in f32. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "limits.h"
#include "model/net.h"
#include "model/optim.h"
#include "model/weights.h"

enum { HEAD_ROWS = 1024, MAX_STEPS = 100 };

static const struct {
    const char *name;
    struct sxt_model_config config;
} shapes[] = {
    { "smollm2-135m",
      { SXT_LLAMA,
        49152,
        576,
        30,
        9,
        3,
        64,
        1536,
        8192,
        1e5,
        1e-5,
        true,
        false,
        { 0 },
        0 } },
    { "smollm2-360m",
      { SXT_LLAMA,
        49152,
        960,
        32,
        15,
        5,
        64,
        2560,
        8192,
        1e5,
        1e-5,
        true,
        false,
        { 0 },
        0 } },
    { "qwen2.5-0.5b",
      { SXT_QWEN2,
        151936,
        896,
        24,
        14,
        2,
        64,
        4864,
        32768,
        1e6,
        1e-6,
        true,
        true,
        { 0 },
        0 } },
};

enum part { FORWARD, HEAD, BACKWARD, OPTIMIZER, STEP, N_PARTS };
static const char *const part_names[] = { "forward", "head", "backward",
                                          "optimizer", "step" };

/* Gradients pass through here: the last unit's tell when the blocks' forward
 * ends and when their backward begins. */
struct watch {
    struct sxt_grads grads; /* first: handed to the network */
    struct sxt_grads *inner;
    const struct bench *b;
    size_t last;
    double asked, put;
};

struct train {
    struct bench b;
    struct sxt_layout layout;
    enum sxt_dtype type;
    struct sxt_zero3 *z;
    struct sxt_optim *o;
    struct sxt_net *net;
    struct watch watch;
    struct sxt_batch batch;
    int32_t *ids, *target, *cu;
    int steps;
    size_t keep;
    double took[N_PARTS][MAX_STEPS];
};

static float *watch_get(struct sxt_grads *self, size_t unit)
{
    struct watch *w = (struct watch *)self;

    if (unit == w->last)
        w->asked = bench_now(w->b);
    return w->inner->get(w->inner, unit);
}

static void watch_put(struct sxt_grads *self, size_t unit)
{
    struct watch *w = (struct watch *)self;

    w->inner->put(w->inner, unit);
    if (unit == w->last)
        w->put = bench_now(w->b);
}

/* ---- the model ---- */

/* Weights about as wide as a trained model's, norms 1, biases 0. */
static void fill_unit(const struct sxt_layout *layout, size_t unit, float *x)
{
    uint32_t state = (uint32_t)unit + 1;

    memset(x, 0, layout->unit_size[unit] * sizeof(*x));
    for (size_t i = 0; i < layout->n_tensors; i++) {
        const struct sxt_tensor *t = &layout->tensors[i];
        bool norm = strstr(t->name, "norm") != NULL;
        if (t->unit != unit || (t->n_dims == 1 && !norm))
            continue;
        for (size_t j = 0; j < t->rows * t->cols; j++) {
            state = state * 1664525u + 1013904223u;
            x[t->offset + j] =
                norm ? 1 : 0.06f * ((float)(state >> 8) * 0x1p-24f - 0.5f);
        }
    }
}

static void put_unit(struct train *t, size_t unit, const float *x)
{
    size_t n = t->layout.unit_size[unit];
    char *typed = sxt_alloc(n, sxt_dtype_size(t->type));

    for (size_t i = 0; i < n; i++)
        sxt_store(typed, t->type, i, x[i]);
    sxt_optim_put(t->o, SXT_STATE_PARAM, unit, typed);
    free(typed);
}

/* in NULL: random weights. */
static int fill(struct train *t, struct sxt_in *in, struct sxt_error *err)
{
    int rc = 0;

    for (size_t u = 0; rc == 0 && u < t->layout.n_units; u++) {
        size_t n = t->layout.unit_size[u];
        float *x = sxt_alloc(n, sizeof(*x));
        if (in)
            rc = sxt_model_read_unit(in, &t->layout, u, 0, n, SXT_F32, x, err);
        else
            fill_unit(&t->layout, u, x);
        if (rc == 0)
            put_unit(t, u, x);
        free(x);
    }
    return rc;
}

static void create(struct train *t)
{
    struct sxt_zero3_setup setup = { .layout = &t->layout,
                                     .num = t->b.num,
                                     .comm = sxt_comm_self(),
                                     .type = t->type,
                                     .reduce_type = t->type,
                                     .ahead = 1 };

    t->z = sxt_zero3_create(&setup);
    t->o = sxt_optim_create(t->z);
    size_t layers = t->layout.config.layers;
    t->keep = t->keep < layers ? t->keep : layers;
    t->net =
        sxt_net_create(&t->layout, t->b.num, t->type,
                       &(struct sxt_net_room){ t->batch.t, t->keep, t->keep,
                                               SXT_NET_GRAIN, false });
    t->watch = (struct watch){ .grads = { watch_get, watch_put },
                               .inner = sxt_zero3_grads(t->z),
                               .b = &t->b,
                               .last = t->layout.n_units - 1 };
}

static int open_model(struct train *t, const char *name, struct sxt_error *err)
{
    struct sxt_model_head head = { 0 };
    struct sxt_in *in = NULL;
    int rc;

    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
        if (strcmp(name, shapes[i].name) == 0) {
            sxt_layout_init(&t->layout, &shapes[i].config);
            create(t);
            return fill(t, NULL, err);
        }
    in = sxt_in_open(name, NULL, err);
    if (!in || sxt_model_read_head(in, &head, err) != 0)
        return -1;
    sxt_layout_init(&t->layout, &head.layout.config);
    sxt_model_head_free(&head);
    create(t);
    rc = fill(t, in, err);
    sxt_in_close(in);
    return rc;
}

/* Documents of any tokens, each learned but for the end. */
static void make_batch(struct train *t, size_t tokens, size_t docs)
{
    size_t len = tokens / docs;

    t->ids = sxt_alloc(tokens, sizeof(*t->ids));
    t->target = sxt_alloc(tokens, sizeof(*t->target));
    t->cu = sxt_alloc(docs + 1, sizeof(*t->cu));
    for (size_t i = 0; i < len * docs; i++) {
        t->ids[i] = (int32_t)((i * 7919 + 17) % 32749);
        t->target[i] = -1;
        if (i % len > 0)
            t->target[i - 1] = t->ids[i];
    }
    for (size_t d = 0; d <= docs; d++)
        t->cu[d] = (int32_t)(d * len);
    t->batch = (struct sxt_batch){ len * docs, docs, t->ids, t->target, t->cu };
}

/* ---- one step ---- */

/* As the sft stage does it; returns the mean loss. */
static double do_step(struct train *t, int64_t step, double took[N_PARTS])
{
    size_t learned = t->batch.t - t->batch.n_docs;
    double begin = bench_now(&t->b), sum, norm;
    int culprit;

    sxt_zero3_begin_step(t->z);
    sxt_zero3_begin_round(t->z, 1);
    sum = sxt_net_step(t->net, sxt_zero3_params(t->z), &t->watch.grads,
                       &t->batch, (float)(1.0 / (double)learned));
    sxt_zero3_end_round(t->z);
    double back = bench_now(&t->b);
    norm = sxt_optim_grad_norm(t->o, &culprit);
    sxt_optim_update(
        t->o, &(struct sxt_optim_step){ .lr = 1e-5,
                                        .b1 = 0.9,
                                        .b2 = 0.999,
                                        .eps = 1e-8,
                                        .weight_decay = 0.01,
                                        .grad_scale = sxt_optim_clip(norm, 1),
                                        .step = step });
    double end = bench_now(&t->b);
    took[FORWARD] = t->watch.asked - begin;
    took[HEAD] = t->watch.put - t->watch.asked;
    took[BACKWARD] = back - t->watch.put;
    took[OPTIMIZER] = end - back;
    took[STEP] = end - begin;
    return sum / (double)learned;
}

static void do_steps(struct train *t)
{
    double warm_up[N_PARTS], one[N_PARTS];
    double first = do_step(t, 1, warm_up), loss = first;

    for (int i = 0; i < t->steps; i++) {
        loss = do_step(t, i + 2, one);
        for (int p = 0; p < N_PARTS; p++)
            t->took[p][i] = one[p];
    }
    printf("# loss %.4f, after %d steps %.4f\n", first, t->steps + 1, loss);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof(*x), by_size);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/* ---- what it is measured by ---- */

struct flop {
    double model, hardware; /* of a step */
};

static struct flop count_flop(const struct train *t)
{
    const struct sxt_model_config *c = &t->layout.config;
    double tokens = (double)t->batch.t, layers = (double)c->layers;
    double forward = tokens * sxt_model_flop_per_token(c);
    double again = (layers - (double)t->keep) / layers;
    double head = 2 * tokens * (double)c->vocab * (double)c->hidden;
    double down = 2 * tokens * layers * (double)c->hidden * (double)c->ffn;
    double attention = 0; /* forward: two products over half the square */

    for (size_t d = 0; d < t->batch.n_docs; d++) {
        double len = t->cu[d + 1] - t->cu[d];
        attention +=
            2 * len * (len + 1) * layers * (double)(c->heads * c->head_dim);
    }
    /* Again: scores of attention in backward; blocks but for down. */
    return (struct flop){ .model = 3 * (forward + attention),
                          .hardware =
                              3 * (forward + attention) + 0.5 * attention +
                              again * (forward - head - down + attention) };
}

/* Time of one kind of product, as often as a step has it. */
struct sum {
    double flop, ours, onednn;
};

static void add_product(struct train *t, struct sum *s, double times, size_t m,
                        size_t n, size_t k, enum bench_form form)
{
    struct bench_product p = bench_product(&t->b, m, n, k, form, t->type);

    s->flop += times * 2 * (double)m * (double)n * (double)k;
    s->ours += times * bench_best(&t->b, bench_multiply, &p);
    bench_product_free(&t->b, &p);
    if (!bench_has_onednn())
        return;
    p = bench_product(&t->b, m, n, k, form, SXT_F32);
    s->onednn += times * bench_best(&t->b, bench_multiply_onednn, &p);
    bench_product_free(&t->b, &p);
}

/* y = x W^T with W (n, k): forward so many times, backward half as many. */
static void add_linear(struct train *t, struct sum *s, double forward,
                       double backward, size_t rows, size_t n, size_t k)
{
    add_product(t, s, forward, rows, n, k, BENCH_NT);
    add_product(t, s, backward, rows, k, n, BENCH_NN);
    add_product(t, s, backward, n, k, rows, BENCH_TN);
}

static struct sum measure_products(struct train *t)
{
    const struct sxt_model_config *c = &t->layout.config;
    size_t rows = t->batch.t, a = c->heads * c->head_dim;
    size_t chunk = rows < HEAD_ROWS ? rows : HEAD_ROWS;
    double layers = (double)c->layers, chunks = (double)rows / (double)chunk;
    double forward = 2 * layers - (double)t->keep;
    struct sum s = { 0 };

    add_linear(t, &s, forward, layers, rows, a + 2 * c->kv_heads * c->head_dim,
               c->hidden);
    add_linear(t, &s, forward, layers, rows, c->hidden, a);
    add_linear(t, &s, forward, layers, rows, 2 * c->ffn, c->hidden);
    add_linear(t, &s, layers, layers, rows, c->hidden, c->ffn);
    add_linear(t, &s, chunks, chunks, chunk, c->vocab, c->hidden);
    return s;
}

static void report(struct train *t)
{
    struct flop flop = count_flop(t);
    double step = median(t->took[STEP], t->steps), rate = flop.model / step;
    double hardware = flop.hardware / step;

    for (int p = 0; p < STEP; p++) {
        double took = median(t->took[p], t->steps);
        printf("%-10s %8.3f s  %5.1f %%\n", part_names[p], took,
               100 * took / step);
    }
    printf("%-10s %8.3f s  %.1f tok/s  model %.1f GFLOP/s  hardware %.1f "
           "GFLOP/s\n",
           part_names[STEP], step, (double)t->batch.t / step, rate * 1e-9,
           hardware * 1e-9);
    fflush(stdout);
    struct sum s = measure_products(t);
    printf("products   %8.3f s  %.1f GFLOP/s at best  step: model %.0f %%, "
           "hardware %.0f %% of it\n",
           s.ours, s.flop / s.ours * 1e-9, 100 * rate * s.ours / s.flop,
           100 * hardware * s.ours / s.flop);
    if (s.onednn > 0)
        printf("oneDNN f32 %8.3f s  %.1f GFLOP/s at best  step: model %.0f %%, "
               "hardware %.0f %% of it\n",
               s.onednn, s.flop / s.onednn * 1e-9,
               100 * rate * s.onednn / s.flop,
               100 * hardware * s.onednn / s.flop);
}

static void destroy(struct train *t)
{
    sxt_net_destroy(t->net);
    sxt_optim_destroy(t->o);
    sxt_zero3_destroy(t->z);
    sxt_layout_free(&t->layout);
    bench_close(&t->b);
    free(t->ids);
    free(t->target);
    free(t->cu);
}

/* Argument i as a number from 1 to `most`, or what to take without it. */
static int number(int argc, char **argv, int i, int most, int otherwise)
{
    int x = argc > i ? atoi(argv[i]) : otherwise;

    return x >= 1 && x <= most ? x : otherwise;
}

int main(int argc, char **argv)
{
    struct train *t = sxt_calloc(1, sizeof(*t));
    struct sxt_error err = { 0 };
    const char *name = argc > 1 ? argv[1] : shapes[0].name;
    size_t tokens = (size_t)number(argc, argv, 5, 1 << 20, 2048);
    size_t docs = (size_t)number(argc, argv, 6, 1 << 20, 8);
    char text[200];

    sxt_comm_init(&argc, &argv);
    t->type = argc > 2 && strcmp(argv[2], "f32") == 0 ? SXT_F32 : SXT_BF16;
    t->steps = number(argc, argv, 4, MAX_STEPS, 3);
    t->keep = (size_t)number(argc, argv, 7, 1000, 1000);
    if (tokens < 2 * docs) {
        fprintf(stderr, "train: documents have at least two tokens\n");
        return SXT_EXIT_USAGE;
    }
    make_batch(t, tokens, docs);
    if (bench_open(&t->b, "auto", number(argc, argv, 3, 1024, 0), &err) != 0 ||
        open_model(t, name, &err) != 0) {
        fprintf(stderr, "train: %s\n", err.text);
        return err.code;
    }
    sxt_num_describe(t->b.num, text);
    printf("# %s  %s  %s  %zu tokens in %zu documents  %zu of %zu blocks keep "
           "theirs\n",
           name, text, t->type == SXT_F32 ? "f32" : "bf16", t->batch.t,
           t->batch.n_docs, t->keep, t->layout.config.layers);
    do_steps(t);
    report(t);
    destroy(t);
    free(t);
    sxt_comm_finalize();
    return 0;
}
