/* generate.c - prefill and decode rates of the engine, and how near the limit.
 *
 * usage: generate MODEL.h5 [f32|bf16] [THREADS] [REPETITIONS] [PROMPT] [DRAW]
 *
 * pp512: a prompt of 512 tokens; tg128: 128 tokens drawn after one token, by 1
 * and by 16 answers at a time (the names are llama.cpp's).  Mean and standard
 * deviation of the repetitions; with one thread, time is the processor's.  The
 * roofline is the least time that reading memory and oneDNN's f32 product, both
 * measured first, allow each pass. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "limits.h"
#include "model/engine.h"
#include "model/weights.h"

struct generate {
    struct bench b;
    struct sxt_model_head head;
    struct sxt_weights *weights;
    int repetitions;
};

/* Answers at a time, tokens of each one's prompt, tokens drawn. */
struct load {
    size_t batch, prompt, draw;
};

static void ignore(void *context, const struct sxt_answer *a)
{
    (void)context;
    (void)a;
}

/* Tokens of a prompt: any will do. */
static void add(struct sxt_engine *e, const struct generate *g, size_t item,
                size_t n)
{
    int32_t *ids = sxt_alloc(n, sizeof(*ids));
    size_t vocab = g->head.layout.config.vocab;

    for (size_t i = 0; i < n; i++)
        ids[i] = (int32_t)((item * 7919 + i * 104729 + 17) % vocab);
    struct sxt_prompt p = { .item = item, .key = item, .ids = ids, .n = n };
    sxt_engine_add(e, &p);
    free(ids);
}

/* What a run of the engine took, and what it could have taken. */
struct took {
    double seconds, least;
};

static struct took once(const struct generate *g, struct load l)
{
    struct sxt_engine_size size = { l.batch, 512, l.prompt + l.draw, 32, 0 };
    struct sxt_draw draw = { .top_p = 1,
                             .repetition_penalty = 1,
                             .max_tokens = l.draw };

    size.pages = l.batch * ((size.length + 31) / 32);
    struct sxt_engine *e = sxt_engine_create(
        &g->head.layout, &g->weights->params, g->b.num, NULL, &size, &draw);
    sxt_engine_set_peak(e, g->b.bytes, g->b.flops);
    for (size_t i = 0; i < l.batch; i++)
        add(e, g, i, l.prompt);
    double begin = bench_now(&g->b);
    while (sxt_engine_active(e) > 0)
        sxt_engine_step(e, ignore, NULL);
    struct took took = { bench_now(&g->b) - begin,
                         sxt_engine_stats(e).least_seconds };
    sxt_engine_destroy(e);
    return took;
}

/* Prints and returns tokens per second. */
static double measure(const struct generate *g, const char *kind, struct load l)
{
    double sum = 0, square = 0, share = 0;
    size_t of_one = l.prompt > 1 ? l.prompt : l.draw;
    struct load warm_up = { l.batch, l.prompt, l.draw < 8 ? l.draw : 8 };
    int n = g->repetitions;

    once(g, warm_up);
    for (int i = 0; i < n; i++) {
        struct took t = once(g, l);
        double rate = (double)(l.batch * of_one) / t.seconds;
        sum += rate;
        square += rate * rate;
        share += t.least / t.seconds;
    }
    double mean = sum / n, var = n > 1 ? (square - sum * mean) / (n - 1) : 0;
    printf("%s%zu batch %2zu  %8.2f tok/s +- %.2f  roofline %.0f %%\n", kind,
           of_one, l.batch, mean, sqrt(var > 0 ? var : 0), 100 * share / n);
    fflush(stdout);
    return mean;
}

static int load(struct generate *g, const char *path, enum sxt_dtype type,
                int threads, struct sxt_error *err)
{
    struct sxt_in *in = sxt_in_open(path, NULL, err);

    if (!in || sxt_model_read_head(in, &g->head, err) != 0 ||
        bench_open(&g->b, "auto", threads, err) != 0)
        return -1;
    g->weights = sxt_weights_load(in, &g->head.layout, g->b.dev, type, err);
    sxt_in_close(in);
    return g->weights ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct generate g = { .repetitions = argc > 4 ? atoi(argv[4]) : 3 };
    size_t prompt = argc > 5 ? (size_t)atoi(argv[5]) : 512;
    size_t draw = argc > 6 ? (size_t)atoi(argv[6]) : 128;
    struct sxt_error err = { 0 };
    char text[200];

    if (argc < 2 || g.repetitions < 1 || prompt < 2 || draw < 1) {
        fprintf(stderr, "usage: generate MODEL.h5 [f32|bf16] [THREADS] "
                        "[REPETITIONS] [PROMPT] [DRAW]\n");
        return 64;
    }
    enum sxt_dtype type =
        argc > 2 && strcmp(argv[2], "f32") == 0 ? SXT_F32 : SXT_BF16;
    if (load(&g, argv[1], type, argc > 3 ? atoi(argv[3]) : 0, &err) != 0) {
        fprintf(stderr, "generate: %s\n", err.text);
        return err.code;
    }
    sxt_num_describe(g.b.num, text);
    printf("# %s  %s\n# ", text, type == SXT_F32 ? "f32" : "bf16");
    bench_limits(&g.b);
    measure(&g, "pp", (struct load){ 1, prompt, 1 });
    double one = measure(&g, "tg", (struct load){ 1, 1, draw });
    double many = measure(&g, "tg", (struct load){ 16, 1, draw });
    printf("# batch 16 draws %.2f times the tokens of batch 1\n", many / one);
    sxt_weights_destroy(g.weights);
    bench_close(&g.b);
    sxt_model_head_free(&g.head);
    return 0;
}
