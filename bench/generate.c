/* generate.c - prefill and decode rates of the engine, and how near the limit.
 *
 * usage: generate MODEL.h5 [f32|bf16] [THREADS] [REPETITIONS]
 *
 * pp512: a prompt of 512 tokens; tg128: 128 tokens drawn after one token, by 1
 * and by 16 answers at a time (the names are llama.cpp's).  Mean and standard
 * deviation of the repetitions.  The roofline is the least time that memory
 * bandwidth and matrix rate, both measured first, allow each pass. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/engine.h"
#include "model/roofline.h"
#include "model/weights.h"

struct bench {
    struct sxt_model_head head;
    struct sxt_dev *dev;
    struct sxt_num *num;
    struct sxt_weights *weights;
    struct sxt_peak peak;
    int repetitions;
};

static void ignore(void *context, const struct sxt_answer *a)
{
    (void)context;
    (void)a;
}

/* Tokens of a prompt: any will do. */
static void add(struct sxt_engine *e, const struct bench *b, size_t item,
                size_t n)
{
    int32_t *ids = sxt_alloc(n, sizeof(*ids));
    size_t vocab = b->head.layout.config.vocab;

    for (size_t i = 0; i < n; i++)
        ids[i] = (int32_t)((item * 7919 + i * 104729 + 17) % vocab);
    struct sxt_prompt p = { .item = item, .key = item, .ids = ids, .n = n };
    sxt_engine_add(e, &p);
    free(ids);
}

static struct sxt_engine_stats once(const struct bench *b, size_t batch,
                                    size_t n_prompt, size_t n_draw)
{
    struct sxt_engine_size size = { batch, 512, n_prompt + n_draw, 32, 0 };
    struct sxt_draw draw = { .top_p = 1,
                             .repetition_penalty = 1,
                             .max_tokens = n_draw };

    size.pages = batch * ((size.length + 31) / 32);
    struct sxt_engine *e = sxt_engine_create(
        &b->head.layout, &b->weights->params, b->num, NULL, &size, &draw);
    sxt_engine_set_peak(e, b->peak.bytes_per_s, b->peak.flop_per_s);
    for (size_t i = 0; i < batch; i++)
        add(e, b, i, n_prompt);
    while (sxt_engine_active(e) > 0)
        sxt_engine_step(e, ignore, NULL);
    struct sxt_engine_stats s = sxt_engine_stats(e);
    sxt_engine_destroy(e);
    return s;
}

static void measure(const struct bench *b, const char *name, size_t batch,
                    size_t n_prompt, size_t n_draw)
{
    double sum = 0, square = 0, share = 0;
    double tokens = (double)(batch * (n_prompt > 1 ? n_prompt : n_draw));
    int n = b->repetitions;

    once(b, batch, n_prompt, n_draw < 8 ? n_draw : 8); /* warm up */
    for (int i = 0; i < n; i++) {
        struct sxt_engine_stats s = once(b, batch, n_prompt, n_draw);
        double rate = tokens / s.seconds;
        sum += rate;
        square += rate * rate;
        share += s.least_seconds / s.seconds;
    }
    double mean = sum / n, var = n > 1 ? (square - sum * mean) / (n - 1) : 0;
    printf("%s batch %2zu  %8.2f tok/s +- %.2f  roofline %.0f %%\n", name,
           batch, mean, sqrt(var > 0 ? var : 0), 100 * share / n);
    fflush(stdout);
}

static int load(struct bench *b, const char *path, enum sxt_dtype type,
                int threads, struct sxt_error *err)
{
    struct sxt_in *in = sxt_in_open(path, NULL, err);

    if (!in || sxt_model_read_head(in, &b->head, err) != 0)
        return -1;
    b->dev = sxt_dev_create("host", err);
    b->num = sxt_num_create("auto", b->dev, threads, err);
    if (!b->num)
        return -1;
    b->weights = sxt_weights_load(in, &b->head.layout, b->dev, type, err);
    sxt_in_close(in);
    return b->weights ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct bench b = { .repetitions = argc > 4 ? atoi(argv[4]) : 3 };
    struct sxt_error err = { 0 };
    char text[200];

    if (argc < 2) {
        fprintf(stderr, "usage: generate MODEL.h5 [f32|bf16] [THREADS] "
                        "[REPETITIONS]\n");
        return 64;
    }
    enum sxt_dtype type =
        argc > 2 && strcmp(argv[2], "f32") == 0 ? SXT_F32 : SXT_BF16;
    if (load(&b, argv[1], type, argc > 3 ? atoi(argv[3]) : 0, &err) != 0) {
        fprintf(stderr, "generate: %s\n", err.text);
        return err.code;
    }
    sxt_num_describe(b.num, text);
    b.peak = sxt_peak_measure(b.num, type);
    printf("# %s  %s  memory %.1f GB/s  matrices %.0f GFLOP/s\n", text,
           type == SXT_F32 ? "f32" : "bf16", b.peak.bytes_per_s / 1e9,
           b.peak.flop_per_s / 1e9);
    measure(&b, "pp512", 1, 512, 1);
    measure(&b, "tg128", 1, 1, 128);
    measure(&b, "tg128", 16, 1, 128);
    sxt_weights_destroy(b.weights);
    sxt_num_destroy(b.num);
    sxt_dev_destroy(b.dev);
    sxt_model_head_free(&b.head);
    return 0;
}
