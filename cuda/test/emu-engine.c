/* emu-engine.c - generation on the emulated GPU or, linked with the other
 * archive, on a real one: ref's tokens in f32, the same bits for any batch,
 * memory accounted for, recorded steps with the bits of direct ones. */
#include <string.h>

#include "base/hash.h"
#include "base/test/tap.h"
#include "model/engine.h"
#include "model/test/tiny.h"

#ifndef PREFIX
#define PREFIX "emu-"
#endif

enum { ITEMS = 6, MOST = 24 };

/* What was drawn for each item. */
struct table {
    size_t n[ITEMS];
    int32_t ids[ITEMS][MOST];
    double logprob[ITEMS];
};

static void keep(void *context, const struct sxt_answer *a)
{
    struct table *t = context;

    t->n[a->item] = a->n;
    memcpy(t->ids[a->item], a->ids, a->n * sizeof(*a->ids));
    t->logprob[a->item] = a->logprob;
}

static void offer(struct sxt_engine *e, size_t item)
{
    int32_t ids[40];
    struct sxt_prompt p = { .item = item, .ids = ids, .n = 3 + 7 * item };

    for (size_t i = 0; i < p.n; i++)
        ids[i] = (int32_t)((i * (item + 5) + 3) % 61);
    p.key = sxt_hash64(&item, sizeof(item), 0);
    sxt_engine_add(e, &p);
}

/* replays: NULL, or how many steps were replayed; with NULL none may be. */
static struct table run(struct tiny *m, struct sxt_engine_size size,
                        double temperature, uint64_t *replays)
{
    const struct sxt_draw draw = { .temperature = temperature,
                                   .top_p = 0.95,
                                   .repetition_penalty = 1.1,
                                   .seed = 5,
                                   .max_tokens = MOST };
    struct sxt_engine *e =
        sxt_engine_create(&m->layout, &m->params, m->num, NULL, &size, &draw);
    struct table t = { .n = { 0 } };

    sxt_engine_set_replay(e, replays != NULL);
    for (size_t next = 0; next < ITEMS || sxt_engine_active(e) > 0;) {
        while (next < ITEMS && sxt_engine_active(e) < size.batch)
            offer(e, next++);
        sxt_engine_step(e, keep, &t);
    }
    if (replays)
        *replays = sxt_engine_stats(e).replays;
    sxt_engine_destroy(e);
    return t;
}

static bool same_ids(const struct table *a, const struct table *b)
{
    for (size_t i = 0; i < ITEMS; i++)
        if (a->n[i] != b->n[i] || a->n[i] == 0 ||
            memcmp(a->ids[i], b->ids[i], a->n[i] * sizeof(int32_t)) != 0)
            return false;
    return true;
}

static bool same_bits(const struct table *a, const struct table *b)
{
    return same_ids(a, b) &&
           memcmp(a->logprob, b->logprob, sizeof(a->logprob)) == 0;
}

/* The logits of the random network are far apart beside f32's rounding; the
 * largest sum of log-probabilities may differ by some units of 1e-6 a token. */
static bool near(const struct table *a, const struct table *b)
{
    for (size_t i = 0; i < ITEMS; i++) {
        double d = a->logprob[i] - b->logprob[i];
        if (!(d < 1e-3 && d > -1e-3))
            return false;
    }
    return true;
}

static void test_against_cpu(double temperature)
{
    static const struct sxt_engine_size all = { ITEMS, 64, 128, 16, 48 };
    struct tiny *cpu = tiny_create("ref", "host", SXT_F32, 0.3);
    struct tiny *gpu = tiny_create("cuda", "cuda", SXT_F32, 0.3);
    struct table a = run(cpu, all, temperature, NULL);
    struct table b = run(gpu, all, temperature, NULL);

    ok(same_ids(&a, &b),
       PREFIX "engine: temperature %g draws ref's tokens in f32", temperature);
    ok(near(&a, &b), PREFIX "engine:   as probable as ref says");
    tiny_destroy(cpu);
    tiny_destroy(gpu);
}

static void test_batches(enum sxt_dtype type)
{
    static const struct sxt_engine_size sizes[] = {
        { 1, 64, 128, 16, 8 },
        { 2, 5, 128, 4, 64 },
        { ITEMS, 16, 128, 1, 300 },
    };
    static const char *const name[] = { "f32", "bf16" };
    struct tiny *gpu = tiny_create("cuda", "cuda", type, 0.3);
    size_t before = sxt_dev_in_use(gpu->dev);
    struct table first = run(gpu, sizes[0], 0.8, NULL);

    for (size_t i = 1; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct table t = run(gpu, sizes[i], 0.8, NULL);
        ok(same_bits(&first, &t),
           PREFIX "engine: %s, %zu at a time, chunks of %zu, pages of %zu: the "
           "bits of one at a time",
           name[type], sizes[i].batch, sizes[i].chunk, sizes[i].block);
    }
    ok(sxt_dev_in_use(gpu->dev) == before,
       PREFIX "engine: an engine gives all its memory back");
    tiny_destroy(gpu);
}

/* Answers come and go, so that a recorded step meets other answers, pages and
 * lengths than those it was recorded with. */
static void test_replay(enum sxt_dtype type)
{
    static const struct sxt_engine_size size = { 3, 8, 128, 4, 96 };
    struct tiny *gpu = tiny_create("cuda", "cuda", type, 0.3);
    struct tiny *cpu = tiny_create("ref", "host", type, 0.3);
    uint64_t replays, none;
    struct table direct = run(gpu, size, 0.8, NULL);
    size_t before = sxt_dev_mapped(gpu->dev);
    struct table replayed = run(gpu, size, 0.8, &replays);

    ok(same_bits(&direct, &replayed),
       PREFIX "engine: recorded steps give the bits of direct ones");
    ok(replays > MOST, PREFIX "engine:   and are replayed (%llu times)",
       (unsigned long long)replays);
    ok(sxt_dev_mapped(gpu->dev) == before, PREFIX "engine:   nothing is left");
    run(cpu, size, 0.8, &none);
    ok(none == 0, PREFIX "engine:   which a processor cannot");
    tiny_destroy(cpu);
    tiny_destroy(gpu);
}

static void test_purposes(void)
{
    struct sxt_engine_size size = { 4, 16, 128, 16, 32 };
    struct tiny *gpu = tiny_create("cuda", "cuda", SXT_BF16, 0.3);
    const struct sxt_draw draw = { .max_tokens = 8 };
    const struct sxt_model_config *c = &gpu->layout.config;
    size_t before = sxt_dev_in_use(gpu->dev);
    size_t other = sxt_dev_in_use_for(gpu->dev, SXT_DEV_OTHER);
    struct sxt_engine *e = sxt_engine_create(&gpu->layout, &gpu->params,
                                             gpu->num, NULL, &size, &draw);

    ok(sxt_dev_in_use(gpu->dev) - before ==
           sxt_engine_bytes(&gpu->layout, SXT_BF16, &size),
       PREFIX "engine: the plan tells what an engine takes");
    ok(sxt_dev_in_use_for(gpu->dev, SXT_DEV_CACHE) ==
               size.pages * size.block *
                       sxt_paged_position_bytes(c, SXT_BF16) +
                   size.batch * 8 * sizeof(int32_t) &&
           sxt_dev_in_use_for(gpu->dev, SXT_DEV_LOGITS) ==
               size.batch * c->vocab * sizeof(float) &&
           sxt_dev_in_use_for(gpu->dev, SXT_DEV_OTHER) == other,
       PREFIX "engine: cache and logits are accounted for as such");
    sxt_engine_destroy(e);
    tiny_destroy(gpu);
}

int main(void)
{
    test_against_cpu(0);
    test_against_cpu(0.8);
    test_batches(SXT_F32);
    test_batches(SXT_BF16);
    test_replay(SXT_F32);
    test_replay(SXT_BF16);
    test_purposes();
    return done_testing();
}
