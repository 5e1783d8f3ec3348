/* greedy.c - a real model draws what Transformers draws.
 *
 * Golden: validation/golden/smollm2-greedy.jsonl, 20 questions of GSM8K and
 * the 128 most probable tokens that Transformers 4.46 continues them with in
 * f32 (validation/oracle/smollm2_greedy.py).  Needs the model file, named by
 * SXT_TEST_SMOLLM2. */
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "model/engine.h"
#include "model/weights.h"

#ifndef DEVICE
#define DEVICE "host" /* the GPU's test is this file with another device */
#endif

enum { QUESTIONS = 20, TOKENS = 128 };

struct golden {
    struct sxt_json *line[QUESTIONS];
    size_t n, same, tokens;
};

static struct sxt_ids ids_of(const struct sxt_json *array)
{
    struct sxt_ids ids = { NULL, 0, 0 };

    for (size_t i = 0; i < sxt_json_count(array); i++)
        sxt_ids_add(&ids, (int32_t)sxt_json_int(sxt_json_item(array, i), -1));
    return ids;
}

static bool read_golden(struct golden *g)
{
    char *path = sxt_printf("%s/validation/golden/smollm2-greedy.jsonl",
                            getenv("SRCDIR") ? getenv("SRCDIR") : ".");
    struct sxt_jsonl *in = sxt_jsonl_open(path, NULL);
    size_t line;

    free(path);
    while (in && g->n < QUESTIONS &&
           sxt_jsonl_next(in, &g->line[g->n], &line, NULL) == 1)
        g->n++;
    sxt_jsonl_close(in);
    return g->n == QUESTIONS;
}

/* Compare up to the first difference; a tie of the two best logits, closer
 * than f32 sums can tell apart, may fall either way. */
static void compare(void *context, const struct sxt_answer *a)
{
    static const double tie = 1e-3;
    struct golden *g = context;
    const struct sxt_json *line = g->line[a->item];
    struct sxt_ids want = ids_of(sxt_json_get(line, "output_ids"));
    size_t i = 0;

    while (i < want.len && i < a->n && want.data[i] == a->ids[i])
        i++;
    bool all = i == want.len && i == a->n;
    double gap =
        i < want.len
            ? sxt_json_number(sxt_json_item(sxt_json_get(line, "gap"), i), 1)
            : 1;
    g->same += all || gap < tie;
    g->tokens += i;
    if (!all)
        printf("# %s: differs at token %zu, where the best two are %g apart\n",
               sxt_json_string(sxt_json_get(line, "id"), "?"), i, gap);
    sxt_ids_free(&want);
}

static void run(struct sxt_in *in, const struct sxt_model_head *head,
                const char *backend, size_t batch, struct golden *g)
{
    struct sxt_dev *dev = sxt_dev_create(DEVICE, NULL);
    struct sxt_num *num = sxt_num_create(backend, dev, 0, NULL);
    struct sxt_weights *w =
        sxt_weights_load(in, &head->layout, dev, SXT_F32, NULL);
    struct sxt_engine_size size = { batch, 64, 512, 16, batch * 32 };
    struct sxt_draw draw = { .top_p = 1,
                             .repetition_penalty = 1,
                             .max_tokens = TOKENS,
                             .n_stop_ids = 1 };

    draw.stop_id[0] = head->layout.config.eos[0];
    struct sxt_engine *e =
        sxt_engine_create(&head->layout, &w->params, num, NULL, &size, &draw);
    g->same = g->tokens = 0;
    for (size_t i = 0; i < g->n; i++) {
        struct sxt_ids ids = ids_of(sxt_json_get(g->line[i], "prompt_ids"));
        struct sxt_prompt p = { .item = i, .ids = ids.data, .n = ids.len };
        while (!sxt_engine_room(e, &p))
            sxt_engine_step(e, compare, g);
        sxt_engine_add(e, &p);
        sxt_ids_free(&ids);
    }
    while (sxt_engine_active(e) > 0)
        sxt_engine_step(e, compare, g);
    sxt_engine_destroy(e);
    sxt_weights_destroy(w);
    sxt_num_destroy(num);
    sxt_dev_destroy(dev);
}

int main(void)
{
    const char *path = getenv("SXT_TEST_SMOLLM2");
    struct sxt_error err = { 0 };
    struct sxt_model_head head;
    struct golden g = { .n = 0 };

    if (!path)
        return skip_all("SXT_TEST_SMOLLM2 names no model file");
    struct sxt_in *in = sxt_in_open(path, NULL, &err);
    if (!in || sxt_model_read_head(in, &head, &err) != 0) {
        printf("Bail out! %s\n", err.text);
        return 1;
    }
    ok(read_golden(&g), "there are %d golden answers", QUESTIONS);
    run(in, &head, "auto", QUESTIONS, &g);
    ok(g.same == g.n,
       "greedy in f32: %zu of %zu answers, %zu tokens, as "
       "Transformers has them",
       g.same, g.n, g.tokens);
    for (size_t i = 0; i < g.n; i++)
        sxt_json_free(g.line[i]);
    sxt_model_head_free(&head);
    sxt_in_close(in);
    return done_testing();
}
