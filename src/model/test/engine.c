/* engine.c - an answer depends on its own prompt and key, on nothing else. */
#include "model/engine.h"

#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/test/tap.h"
#include "model/test/tiny.h"

enum { PROBLEMS = 8, SAMPLES = 3, ITEMS = PROBLEMS * SAMPLES, MOST = 64 };

/* What was drawn for each item. */
struct table {
    size_t n[ITEMS];
    int32_t ids[ITEMS][MOST];
    double logprob[ITEMS];
    enum sxt_finish finish[ITEMS];
    size_t times[ITEMS];
};

static void keep(void *context, const struct sxt_answer *a)
{
    struct table *t = context;

    t->times[a->item]++;
    t->n[a->item] = a->n;
    memcpy(t->ids[a->item], a->ids, a->n * sizeof(*a->ids));
    t->logprob[a->item] = a->logprob;
    t->finish[a->item] = a->finish;
}

/* The prompt of a problem: 5 to 61 tokens, some problems begin alike. */
static size_t prompt_of(size_t problem, int32_t ids[MOST])
{
    size_t n = 5 + 8 * problem;

    for (size_t i = 0; i < n; i++)
        ids[i] = (int32_t)((i < 20 ? i * 7 : i * problem + 3) % 61);
    return n;
}

static void offer(struct sxt_engine *e, size_t item, const struct table *given)
{
    int32_t ids[MOST];
    struct sxt_prompt p = { .item = item, .ids = ids };

    p.n = prompt_of(item / SAMPLES, ids);
    p.key = sxt_hash64(&item, sizeof(item), 0);
    if (given && given->finish[item] == SXT_FINISH_NONE) {
        p.given = given->ids[item];
        p.n_given = given->n[item];
        p.given_logprob = given->logprob[item];
    }
    sxt_engine_add(e, &p);
}

static bool has_room(struct sxt_engine *e, size_t item)
{
    int32_t ids[MOST];
    struct sxt_prompt p = { .item = item, .ids = ids };

    p.n = prompt_of(item / SAMPLES, ids);
    return sxt_engine_room(e, &p);
}

static struct sxt_draw usual(void)
{
    return (struct sxt_draw){ .temperature = 0.8,
                              .top_p = 0.95,
                              .repetition_penalty = 1.1,
                              .top_k = 40,
                              .seed = 5,
                              .max_tokens = 40,
                              .min_tokens = 4,
                              .stop_id = { 7, 30 },
                              .n_stop_ids = 2,
                              .stop_loops = true };
}

/* Draw all items; stop after max_steps (0: never) and keep what is under way;
 * `given` is what an earlier run left. */
static struct sxt_engine_stats run(struct tiny *m, struct sxt_engine_size size,
                                   const struct sxt_draw *draw,
                                   const struct table *given,
                                   uint64_t max_steps, struct table *t)
{
    struct sxt_engine *e =
        sxt_engine_create(&m->layout, &m->params, m->num, NULL, &size, draw);
    struct sxt_engine_stats stats;
    size_t next = 0;

    *t = (struct table){ 0 };
    for (;;) {
        while (next < ITEMS && has_room(e, next)) {
            if (given && given->times[next] > 0 &&
                given->finish[next] != SXT_FINISH_NONE)
                next++;
            else
                offer(e, next++, given);
        }
        stats = sxt_engine_stats(e);
        if (sxt_engine_active(e) == 0 ||
            (max_steps > 0 && stats.steps >= max_steps))
            break;
        sxt_engine_step(e, keep, t);
    }
    sxt_engine_abandon(e, keep, t);
    sxt_engine_destroy(e);
    return stats;
}

static bool same(const struct table *a, const struct table *b)
{
    for (size_t i = 0; i < ITEMS; i++)
        if (b->times[i] != 1 || a->n[i] != b->n[i] ||
            memcmp(a->ids[i], b->ids[i], a->n[i] * sizeof(int32_t)) != 0 ||
            a->finish[i] != b->finish[i] || a->logprob[i] != b->logprob[i])
            return false;
    return true;
}

static void test_same_bits(const char *backend, enum sxt_dtype type)
{
    static const struct {
        struct sxt_engine_size size;
        const char *what;
    } cases[] = {
        { { 7, 64, 128, 16, 56 }, "seven at a time" },
        { { 24, 16, 128, 16, 200 }, "all at a time, chunks of 16" },
        { { 24, 1, 128, 1, 1024 }, "chunks of 1, pages of 1" },
        { { 5, 3, 128, 4, 128 }, "chunks of 3, pages of 4" },
        { { 24, 64, 128, 8, 26 }, "hardly any pages" },
    };
    struct tiny *m = tiny_create(backend, "host", type, 0.3);
    struct sxt_draw draw = usual();
    struct table alone, t;
    const char *name = type == SXT_F32 ? "f32" : "bf16";

    run(m, (struct sxt_engine_size){ 1, 128, 128, 32, 4 }, &draw, NULL, 0,
        &alone);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sxt_engine_stats s = run(m, cases[i].size, &draw, NULL, 0, &t);
        ok(same(&alone, &t), "%s %s: %s draws what one at a time draws",
           backend, name, cases[i].what);
        if (i == 1)
            ok(s.shared_tokens > 0, "samples of a prompt share its pages");
        if (i == 4)
            ok(s.waits > 0, "some answers had to wait for a page");
    }
    tiny_destroy(m);
}

static void test_resume(const char *backend, enum sxt_dtype type)
{
    struct tiny *m = tiny_create(backend, "host", type, 0.3);
    struct sxt_engine_size size = { 9, 16, 128, 16, 72 };
    struct sxt_draw draw = usual();
    struct table whole, first, second;
    bool all = true;
    size_t cut = 0;

    run(m, size, &draw, NULL, 0, &whole);
    for (uint64_t steps = 1; steps < 60; steps += 7) {
        run(m, size, &draw, NULL, steps, &first);
        run(m, size, &draw, &first, 0, &second);
        for (size_t i = 0; i < ITEMS; i++) {
            bool under_way =
                first.times[i] && first.finish[i] == SXT_FINISH_NONE;
            cut += under_way && first.n[i] > 0;
            if (!first.times[i] || under_way)
                continue;
            second.n[i] = first.n[i];
            memcpy(second.ids[i], first.ids[i], sizeof(first.ids[i]));
            second.logprob[i] = first.logprob[i];
            second.finish[i] = first.finish[i];
            second.times[i]++;
        }
        all &= same(&whole, &second);
    }
    ok(all && cut > 0, "%s: %zu answers cut off and taken up again end alike",
       backend, cut);
    tiny_destroy(m);
}

static void test_limits(void)
{
    struct tiny *m = tiny_create("ref", "host", SXT_F32, 0.3);
    struct sxt_engine_size size = { 24, 64, 70, 16, 200 };
    struct sxt_draw draw = usual();
    struct table t;
    bool lengths = true, minimum = true, stops = true;
    size_t stopped = 0;

    run(m, size, &draw, NULL, 0, &t);
    for (size_t i = 0; i < ITEMS; i++) {
        int32_t ids[MOST];
        size_t room = 70 - prompt_of(i / SAMPLES, ids);
        size_t most = room < 40 ? room : 40;
        int32_t last = t.ids[i][t.n[i] - 1];
        lengths &= t.finish[i] != SXT_FINISH_LENGTH || t.n[i] == most;
        stopped += t.finish[i] == SXT_FINISH_STOP;
        stops &= (t.finish[i] == SXT_FINISH_STOP) == (last == 7 || last == 30);
        for (size_t k = 0; k < 4 && k < t.n[i]; k++)
            minimum &= t.ids[i][k] != 7 && t.ids[i][k] != 30;
    }
    ok(lengths, "an answer ends at max_tokens or at the engine's length");
    ok(stops && stopped > 0, "a stop id ends an answer and is its last");
    ok(minimum, "no stop id among the first min_tokens");
    tiny_destroy(m);
}

struct loop_count {
    size_t loops, tokens;
};

static void count_loops(void *context, const struct sxt_answer *a)
{
    struct loop_count *c = context;

    c->loops += a->finish == SXT_FINISH_LOOP;
    c->tokens += a->n;
}

static struct loop_count draw_all(struct tiny *m, struct sxt_engine_size size,
                                  const struct sxt_draw *draw)
{
    struct sxt_engine *e =
        sxt_engine_create(&m->layout, &m->params, m->num, NULL, &size, draw);
    struct loop_count c = { 0, 0 };

    for (size_t i = 0; i < size.batch; i++)
        offer(e, i, NULL);
    while (sxt_engine_active(e) > 0)
        sxt_engine_step(e, count_loops, &c);
    sxt_engine_destroy(e);
    return c;
}

/* A network without blocks repeats its last token. */
static void test_loops(void)
{
    struct tiny *m = tiny_create("auto", "host", SXT_F32, 0);
    struct sxt_engine_size size = { 24, 64, 512, 16, 800 };
    struct sxt_draw draw = { .repetition_penalty = 1,
                             .top_p = 1,
                             .max_tokens = 450,
                             .stop_loops = true };
    struct loop_count with = draw_all(m, size, &draw), without;

    draw.stop_loops = false;
    without = draw_all(m, size, &draw);
    ok(with.loops > 0 && without.loops == 0 && with.tokens < without.tokens,
       "a loop ends an answer (%zu of %zu), unless that is switched off",
       with.loops, size.batch);
    tiny_destroy(m);
}

enum { DRAWS = 4000, VOCAB = 61 };

struct first_tokens {
    size_t count[VOCAB];
    double logprob[VOCAB];
};

static void note_first(void *context, const struct sxt_answer *a)
{
    struct first_tokens *f = context;

    f->count[a->ids[0]]++;
    f->logprob[a->ids[0]] = a->logprob;
}

/* Pearson's statistic of the tokens that are expected 8 times or more. */
static double chi_square(const struct first_tokens *f, size_t *cells)
{
    double chi = 0;

    *cells = 0;
    for (size_t i = 0; i < VOCAB; i++) {
        double expected = f->count[i] ? exp(f->logprob[i]) * DRAWS : 0;
        if (expected < 8)
            continue;
        chi += pow((double)f->count[i] - expected, 2) / expected;
        ++*cells;
    }
    return chi;
}

/* The first token after one prompt, under 4000 keys. */
static void test_distribution(void)
{
    struct tiny *m = tiny_create("auto", "host", SXT_F32, 0.3);
    struct sxt_engine_size size = { 50, 64, 128, 16, 300 };
    struct sxt_draw draw = { .temperature = 1,
                             .top_p = 1,
                             .repetition_penalty = 1,
                             .seed = 9,
                             .max_tokens = 1 };
    struct sxt_engine *e =
        sxt_engine_create(&m->layout, &m->params, m->num, NULL, &size, &draw);
    struct first_tokens f = { .count = { 0 } };
    int32_t ids[MOST];
    size_t n = prompt_of(2, ids), cells;

    for (size_t i = 0; i < DRAWS; i++) {
        struct sxt_prompt p = {
            .item = i, .key = i * 77 + 1, .ids = ids, .n = n
        };
        while (!sxt_engine_room(e, &p))
            sxt_engine_step(e, note_first, &f);
        sxt_engine_add(e, &p);
    }
    while (sxt_engine_active(e) > 0)
        sxt_engine_step(e, note_first, &f);
    double chi = chi_square(&f, &cells);
    /* Mean and deviation of chi-square: k and sqrt(2 k); four deviations. */
    ok(cells > 3 && chi < (double)cells + 4 * sqrt(2.0 * (double)cells),
       "drawn tokens follow their probabilities (chi2 %.1f, %zu cells)", chi,
       cells);
    sxt_engine_destroy(e);
    tiny_destroy(m);
}

/* Host code must not look at device memory: the fake device faults. */
static void test_fake(void)
{
    struct tiny *host = tiny_create("auto", "host", SXT_BF16, 0.3);
    struct tiny *fake = tiny_create("auto", "fake", SXT_BF16, 0.3);
    struct sxt_engine_size size = { 24, 64, 128, 16, 200 };
    struct sxt_draw draw = usual();
    struct table a, b;

    draw.max_tokens = 5;
    run(host, size, &draw, NULL, 0, &a);
    run(fake, size, &draw, NULL, 0, &b);
    ok(same(&a, &b), "nothing on the host looks into device memory");
    tiny_destroy(host);
    tiny_destroy(fake);
}

int main(void)
{
    static const char *const backend[] = { "ref", "auto" };

    for (int i = 0; i < 2; i++) {
        test_same_bits(backend[i], SXT_F32);
        test_same_bits(backend[i], SXT_BF16);
        test_resume(backend[i], SXT_F32);
    }
    test_fake();
    test_limits();
    test_loops();
    test_distribution();
    return done_testing();
}
