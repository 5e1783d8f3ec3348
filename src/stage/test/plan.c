/* plan.c - plans against numbers that were worked out by hand and by others.
 *
 * "note" is this project's research note on training, whose sections are named
 * here: arithmetic on Qwen2.5-32B on 8 H100 made before this program was
 * written, and checked there against published measurements. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/test/tap.h"
#include "stage/plan.h"

/* Within `part` of what is expected; shows both if not. */
static void near(double got, double expected, double part, const char *claim)
{
    bool good = fabs(got - expected) <= part * expected;

    ok(good, "%s: %.4g, expected %.4g", claim, got, expected);
}

/* Counts that the models' makers publish (sums of the tensors' sizes). */
static void test_models(void)
{
    static const struct {
        const char *name;
        double parameters;
    } models[] = {
        { "qwen2.5-0.5b", 494032768 },  { "qwen2.5-1.5b", 1543714304 },
        { "qwen2.5-3b", 3085938688 },   { "qwen2.5-7b", 7615616512 },
        { "qwen2.5-14b", 14770033664 }, { "qwen2.5-32b", 32763876352 },
        { "qwen2.5-72b", 72706203648 },
    };
    struct sxt_model_config c;

    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
        ok(sxt_plan_model(models[i].name, &c) &&
               (double)sxt_model_parameters(&c) == models[i].parameters,
           "%s has %.0f parameters", models[i].name, models[i].parameters);
    ok(!sxt_plan_model("qwen2.5", &c), "half a name is no model");
}

static struct sxt_plan_place eight(void)
{
    return (struct sxt_plan_place){ sxt_machines[0], 8, 8 };
}

static char bf16[] = "bf16", f32[] = "f32", automatic[] = "auto";

static struct sxt_sft_values recipe(void)
{
    return (struct sxt_sft_values){ .dtype = bf16,
                                    .reduce_type = bf16,
                                    .recompute = automatic,
                                    .prefetch = 1,
                                    .head_chunk = 1024,
                                    .batch = 96,
                                    .epochs = 3,
                                    .max_tokens = 16384 };
}

static void test_memory(const struct sxt_layout *l)
{
    struct sxt_plan_place place = eight();
    struct sxt_sft_values v = recipe();
    struct sxt_plan_memory m = sxt_plan_memory(&place, l, &v, 16384);
    double state =
        (double)(m.all.zero3.params + m.all.zero3.grads + m.all.optim.device);

    near(state / 1e9, 65.5, 0.01,
         "note 1.5: split master, f32 moments and "
         "gradients, GB");
    near((double)m.all.net.inputs / 1e9, 10.74, 0.1,
         "note 1.5: residual stream of 16K tokens, GB");
    near((double)m.all.zero3.gathered / 1e9, 2 * 1.56, 0.01,
         "two of the largest unit, lm_head, GB");
    /* 65.5 of state, 10.74 of residuals, 3.62 and 3.46 of a layer's
     * activations and their gradients, 1.95 and 3.9 of gathered layers and f32
     * gradients, 1.56 and 3.1 of lm_head's, 0.62 of logits */
    near(m.need / 1e9, 94.45, 0.1, "note 1.5: all of it, GB");
    ok(m.need > m.room, "which an H100 does not have");
    ok(m.net.keep_attn == 1, "so every block computes again");
    v.offload_residuals = true;
    m = sxt_plan_memory(&place, l, &v, 16384);
    near(m.need / 1e9, 78.9, 0.1,
         "note 1.5: with the residual stream on the host, GB");
    near((double)m.all.net.host / 1e9, 10.74, 0.1, "which is there, GB");
    v = recipe();
    v.offload_fraction = 1;
    m = sxt_plan_memory(&place, l, &v, 16384);
    near((double)m.all.host / 1e9, 16 * 32.76 / 8, 0.01,
         "away, a parameter takes 16 bytes of the host, GB");
    near((double)m.all.zero3.params / 1e9, 2 * 32.76 / 8, 0.01,
         "and 2 of the device, GB");
    v.offload_parameters = true;
    m = sxt_plan_memory(&place, l, &v, 16384);
    ok(m.all.zero3.params + m.all.zero3.grads + m.all.optim.device == 0,
       "or none");
    v = recipe();
    place = eight();
    place.machine = sxt_machines[1];
    m = sxt_plan_memory(&place, l, &v, 16384);
    ok(m.need <= m.room && m.net.keep_attn > 1,
       "an H200 has it, and %zu blocks keep their attention", m.net.keep_attn);
    place = eight();
    place.ranks = 16;
    m = sxt_plan_memory(&place, l, &v, 16384);
    ok(m.need <= m.room, "so have 16 H100");
}

/* note 7.3, milliseconds */
static const struct {
    double tokens, forward, backward;
} layers[] = {
    { 1024, 1.5, 4.2 },   { 2048, 3.1, 8.3 },    { 4096, 6.1, 16.7 },
    { 8192, 12.3, 33.3 }, { 16384, 24.6, 66.6 },
};

static void test_block(const struct sxt_layout *l)
{
    struct sxt_plan_place place = eight();
    struct sxt_sft_values v = recipe();
    struct sxt_plan_block b = { 0 };

    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        b = sxt_plan_block(&place, l, &v, layers[i].tokens, 0);
        near(1e3 * b.forward, layers[i].forward, 0.1,
             "note 7.3: a layer forward, ms");
        near(1e3 * (b.again + b.backward), layers[i].backward, 0.1,
             "note 7.3: a layer again and backward, ms");
    }
    near(1e3 * b.gather, 2.36, 0.01, "note 7.3: gathering a layer, ms");
    near(1e3 * (b.gather + b.reduce), 4.73, 0.01,
         "note 7.3: gathering and reducing in bf16, ms");
    v.reduce_type = f32;
    b = sxt_plan_block(&place, l, &v, 16384, 0);
    near(1e3 * (b.gather + b.reduce), 7.1, 0.01, "note 7.3: in f32, ms");
    /* one document of 7.4K tokens: 0.655 MFLOP x s a token, at cuDNN's rates 43
     * us a token, computed again once */
    b = sxt_plan_block(&place, l, &v, 7400, 7400. * 7400);
    near(1e6 * 64 * (2 * b.attn + b.attn_bwd) / 7400, 43, 0.1,
         "note 1.4: attention of a token, us");
}

static void test_nodes(const struct sxt_layout *l)
{
    static const double ms[] = { 1.35, 2.0, 2.4 }; /* 2, 4, 8 nodes */
    struct sxt_plan_place place = eight();
    struct sxt_sft_values v = recipe();

    place.machine.link = 1e18;
    for (int i = 0; i < 3; i++) {
        place.ranks = 16 << i;
        near(1e3 * sxt_plan_block(&place, l, &v, 1, 0).gather, ms[i], 0.02,
             "note 7.4: gathering a layer over nodes, ms");
    }
}

/* note 0.1, 1.2, 2, 7: the whole Sky-T1 run */
static void test_run(const struct sxt_layout *l)
{
    struct sxt_plan_place place = eight();
    struct sxt_sft_values v = recipe();
    size_t n = 16401;
    size_t *length = sxt_plan_lengths(n, 4850, 0.75, 16384, 42);
    struct sxt_plan_work work = {
        .pack = { .seed = 42,
                  .n_samples = n,
                  .length = length,
                  .batch = 96,
                  .max_tokens = 16384,
                  .bin_multiple = 8,
                  .token_cost = sxt_model_flop_per_token(&l->config),
                  .pair_cost = 2. * 64 * 5120 },
        .steps = 513,
    };
    const struct sxt_net_room least = { 16384, 1, 1, 1024, false };
    double tokens = 0;

    for (size_t i = 0; i < n; i++)
        tokens += (double)length[i];
    near(tokens / 1e6, 79, 0.05, "note 0.1: million tokens of an epoch");
    struct sxt_plan_time t = sxt_plan_time(&place, l, &v, &work, &least);
    double hours = 513 * t.step / 3600;
    near(513 * t.flop, 4.88e19, 0.1, "note 1.2: model FLOP of the run");
    near(t.rounds, 4, 0.1, "note 7.6: rounds of bins of 16K in a step");
    near(t.tokens / (8 * t.compute), 2320, 0.1,
         "note 2: tokens/s of a GPU that is never short of work");
    ok(t.imbalance > 1 && t.imbalance < 1.1,
       "note 7.6: imbalance about 1.045: %.3f", t.imbalance);
    near(t.gathered / t.rounds / 1e9, 2 * 57.3, 0.1,
         "note 7.3: GB gathered in a round");
    near(t.reduced / t.rounds / 1e9, 57.3, 0.1,
         "note 7.3: GB of gradients in a round");
    near(t.wire / t.rounds, 0.48, 0.1, "note 7.3: seconds on the wire");
    near(1e3 * t.update, 38, 0.1, "note 7.2: AdamW, ms");
    near(hours, 3.65, 0.1, "note 2: 3.5 to 3.8 hours");
    near(hours * 8 * 3, 86.5, 0.1, "note 2: 83 to 90 $");
    /* note 2, item 11: 917 GB of host memory's traffic at 400 GB/s are 2.3 s,
     * most of them behind the next forward pass */
    v.offload_fraction = 1;
    struct sxt_plan_time away = sxt_plan_time(&place, l, &v, &work, &least);
    ok(away.update > 0.2 && away.update < 2.3,
       "an optimizer on the host is hidden in part: %.2f s", away.update);
    v.offload_fraction = 0;
    place.machine.overlaps = false;
    struct sxt_plan_time bare = sxt_plan_time(&place, l, &v, &work, &least);
    near(bare.step - bare.update - bare.wire, t.imbalance * t.compute, 0.001,
         "without overlap a step waits for all transfers");
    free(length);
}

static void test_serving(const struct sxt_layout *l)
{
    struct sxt_plan_ask ask = { SXT_BF16, 400, 4400, 0.75, 64, 0 };
    struct sxt_plan_serve s = sxt_plan_serve(&sxt_machines[0], l, &ask);

    near(s.weights / 1e9, 65.5, 0.01, "32B weights in bf16, GB");
    /* 2 (K, V) x 64 layers x 8 heads x 128 x 2 bytes a position */
    near(s.cache / s.batch, 262144 * (400 + 4400 * (1 + 0.5625) / 2), 0.001,
         "an answer's part of the cache");
    ok(s.weights + s.cache + s.work <= s.room && s.batch >= 4,
       "%.0f answers at a time fit on an H100", s.batch);
    ok(s.rate <= s.batch * 3.35e12 / s.weights,
       "and no token is drawn faster than weights are read");
    ask.type = SXT_F32;
    ok(sxt_plan_serve(&sxt_machines[0], l, &ask).batch == 0,
       "in f32 it does not fit");
}

int main(void)
{
    struct sxt_model_config config;
    struct sxt_layout layout;

    test_models();
    sxt_plan_model("qwen2.5-32b", &config);
    sxt_layout_init(&layout, &config);
    test_memory(&layout);
    test_block(&layout);
    test_nodes(&layout);
    test_run(&layout);
    test_serving(&layout);
    sxt_layout_free(&layout);
    return done_testing();
}
