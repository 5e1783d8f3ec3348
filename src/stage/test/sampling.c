/* sampling.c - drawing through the sampler: stop strings, limits, failures. */
#define _GNU_SOURCE /* memmem */
#include "stage/sampling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test/tap.h"
#include "fixture.h"

enum { ITEMS = 14, MOST = 64 };

/* Answers as rank r saw them; all ranks together see each once. */
struct table {
    struct sxt_ids prompt;
    const struct sxt_chat *chat;
    size_t times[ITEMS], n[ITEMS];
    char text[ITEMS][MOST + 1]; /* bytes, not NUL-terminated text */
    size_t len[ITEMS];
    enum sxt_finish finish[ITEMS];
    int fail_at; /* item whose answer is refused; -1: none */
};

static int give_prompt(void *context, size_t item, struct sxt_prompt *p,
                       struct sxt_error *err)
{
    struct table *t = context;
    char question[32];

    (void)err;
    snprintf(question, sizeof(question), "item %zu", item / 2);
    struct sxt_message m = { "user", sxt_span(question) };
    t->prompt.len = 0;
    sxt_chat_render(t->chat, &m, 1, true, &t->prompt);
    for (size_t i = 0; item == 13 && i < 600; i++)
        sxt_ids_add(&t->prompt, 65);
    p->key = 1000 + item;
    p->ids = t->prompt.data;
    p->n = t->prompt.len;
    return 0;
}

static int take_answer(void *context, const struct sxt_answer *a,
                       struct sxt_error *err)
{
    struct table *t = context;

    if ((int)a->item == t->fail_at)
        return sxt_err(err, SXT_EXIT_IO, "the disk is full");
    t->times[a->item]++;
    t->n[a->item] = a->n;
    t->len[a->item] = a->text.len;
    memcpy(t->text[a->item], a->text.data, a->text.len);
    t->finish[a->item] = a->finish;
    return 0;
}

static int draw(struct sxt_sampler *s, const struct sxt_sampling *v,
                struct table *t, struct sxt_error *err)
{
    struct sxt_draw d = sxt_sampler_plan(s, v);
    struct sxt_ask ask = { .n = ITEMS,
                           .together = 2,
                           .context = t,
                           .prompt = give_prompt,
                           .answer = take_answer };
    int fail_at = t->fail_at;

    *t = (struct table){ .chat = sxt_sampler_chat(s), .fail_at = fail_at };
    int rc = sxt_sampler_draw(s, &d, &ask, NULL, err);
    sxt_ids_free(&t->prompt);
    return rc;
}

/* Let all ranks know all answers. */
static void share(struct sxt_comm comm, struct table *t)
{
    for (size_t i = 0; i < ITEMS; i++) {
        struct {
            size_t n, len, finish;
            char text[MOST];
        } mine = { t->n[i], t->len[i], t->finish[i], "" }, sum;
        memcpy(mine.text, t->text[i], t->len[i]);
        char *all;
        size_t *offsets;
        sxt_comm_allgather_bytes(comm, &mine, t->times[i] ? sizeof(mine) : 0,
                                 &all, &offsets);
        t->times[i] = offsets[comm.size] / sizeof(mine);
        if (t->times[i] == 1) {
            memcpy(&sum, all, sizeof(sum));
            t->n[i] = sum.n;
            t->len[i] = sum.len;
            t->finish[i] = (enum sxt_finish)sum.finish;
            memcpy(t->text[i], sum.text, sum.len);
        }
        free(all);
        free(offsets);
    }
}

/* A byte is a token here, so a string of three lies over three tokens. */
static void test_stop_strings(struct sxt_sampler *s, struct sxt_comm comm,
                              struct sxt_sampling v, struct table *t)
{
    struct table *cut = sxt_calloc(1, sizeof(*cut));
    char needle[4] = "";
    char *stops[] = { needle };
    bool right = true;
    size_t hits = 0;

    size_t donor = 0;

    while (t->len[donor] < 13)
        donor++;
    memcpy(needle, t->text[donor] + 10, 3);
    v.stop = (struct sxt_cfg_strings){ stops, 1 };
    cut->fail_at = -1;
    ok(draw(s, &v, cut, NULL) == 0, "draw with a stop string");
    share(comm, cut);
    for (size_t i = 0; i < ITEMS; i++) {
        const char *at = memmem(t->text[i], t->len[i], needle, 3);
        size_t len = at ? (size_t)(at - t->text[i]) : t->len[i];
        hits += at != NULL;
        right &= cut->len[i] == len &&
                 memcmp(cut->text[i], t->text[i], len) == 0 &&
                 cut->finish[i] == (at ? SXT_FINISH_STOP : t->finish[i]) &&
                 (at ? cut->n[i] >= len + 3 : cut->n[i] == t->n[i]);
    }
    ok(right && hits > 0,
       "a stop string over three tokens ends an answer (%zu of them), and "
       "the text stops before it",
       hits);
    free(cut);
}

int main(int argc, char **argv)
{
    struct sxt_comm comm = sxt_comm_init(&argc, &argv);
    volatile sig_atomic_t stop = 0;
    struct sxt_run run = { .comm = comm, .out_dir = ".", .stop = &stop };
    struct sxt_sampling v = {
        .temperature = 1, .top_p = 1, .repetition_penalty = 1, .max_tokens = 40
    };
    struct sxt_serving serving = { .placement.device = "cpu",
                                   .placement.backend = "auto",
                                   .dtype = "f32",
                                   .batch = 4,
                                   .chunk = 16,
                                   .block = 8,
                                   .bandwidth_gbs = 10,
                                   .gflops = 10 };
    struct table *t = sxt_calloc(1, sizeof(*t));
    struct sxt_error err = { 0 };
    char path[64];
    long pid = (long)getpid();
    bool once = true;

    tap_silent = comm.rank != 0;
    sxt_comm_broadcast(comm, &pid, sizeof(pid), 0);
    snprintf(path, sizeof(path), "sampling-%ld.h5", pid);
    if (comm.rank == 0)
        fixture_model(path, true, 0.05f);
    sxt_comm_barrier(comm);
    struct sxt_sampler *s = sxt_sampler_open(&run, path, &serving, &err);
    ok(s != NULL, "open a model");
    t->fail_at = -1;
    ok(draw(s, &v, t, NULL) == 0, "draw");
    share(comm, t);
    for (size_t i = 0; i < ITEMS; i++)
        once &= t->times[i] == 1;
    ok(once, "every item is answered once, by one rank");
    ok(t->n[13] == 0 && t->finish[13] == SXT_FINISH_LENGTH,
       "a prompt that is too long gets an empty answer");
    test_stop_strings(s, comm, v, t);
    t->fail_at = 5;
    ok(draw(s, &v, t, &err) == -1 && err.code == SXT_EXIT_IO &&
           strstr(err.text, "the disk is full"),
       "one rank's failure ends the draw on every rank, with its message");
    stop = comm.rank == comm.size - 1;
    t->fail_at = -1;
    err.code = 0;
    ok(draw(s, &v, t, &err) == -1 && err.code == SXT_EXIT_AGAIN,
       "one rank's signal stops all, to be run again");
    sxt_sampler_close(s);
    sxt_comm_barrier(comm);
    if (comm.rank == 0)
        remove(path);
    free(t);
    sxt_comm_finalize();
    return done_testing();
}
