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
    int fail_at;                /* item whose answer is refused; -1: none */
    const struct table *before; /* what to go on from; NULL: begin */
    int32_t given[MOST];
};

/* The first half of the answer that there was: a byte is a token here, if no
 * special one lies between. */
static void go_on(struct table *t, size_t item, struct sxt_prompt *p)
{
    const struct table *b = t->before;

    if (!b || b->n[item] - (b->finish[item] == SXT_FINISH_STOP) != b->len[item])
        return;
    p->given = t->given;
    p->n_given = b->len[item] / 2;
    for (size_t i = 0; i < p->n_given; i++)
        t->given[i] = (unsigned char)b->text[item][i];
}

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
    go_on(t, item, p);
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

    *t = (struct table){ .chat = sxt_sampler_chat(s),
                         .fail_at = t->fail_at,
                         .before = t->before };
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

static bool same(const struct table *a, const struct table *b)
{
    for (size_t i = 0; i < ITEMS; i++)
        if (a->times[i] != 1 || b->times[i] != 1 || a->n[i] != b->n[i] ||
            a->finish[i] != b->finish[i] || a->len[i] != b->len[i] ||
            memcmp(a->text[i], b->text[i], a->len[i]) != 0)
            return false;
    return true;
}

/* Ranks 0 and 1 have a model between them, the others one each. */
static void test_groups(struct sxt_run run, const char *path,
                        struct sxt_serving serving, struct sxt_sampling v)
{
    volatile sig_atomic_t stop = 0;
    struct sxt_error err = { 0 };
    struct table *t = sxt_calloc(3, sizeof(*t));
    struct sxt_comm all = run.comm;
    MPI_Comm mpi;

    MPI_Comm_split(all.mpi, all.rank < 2 ? 0 : all.rank, 0, &mpi);
    run.comm = sxt_comm_from_mpi(mpi);
    run.stop = &stop;
    serving.tensor_parallel = run.comm.size;
    struct sxt_sampler *s = sxt_sampler_open(&run, path, &serving, NULL);
    t[0].fail_at = t[1].fail_at = -1;
    t[1].before = &t[0];
    ok(s && draw(s, &v, &t[0], NULL) == 0, "two ranks draw from one model");
    share(run.comm, &t[0]);
    t[2] = t[0];
    sxt_comm_broadcast(all, &t[2], sizeof(t[2]), all.size - 1);
    /* Logits differ by rounding of f32 only, some 1e-6: chances that one of
     * 500 tokens hangs on that are small, and the same on any machine with
     * these kernels. */
    ok(same(&t[0], &t[2]), "  what one rank draws");
    ok(draw(s, &v, &t[1], NULL) == 0, "answers half drawn are gone on with");
    share(run.comm, &t[1]);
    ok(same(&t[0], &t[1]), "  to the same end");
    t[1].fail_at = 5;
    ok(draw(s, &v, &t[1], &err) == -1 && err.code == SXT_EXIT_IO,
       "a failure ends the draw of both");
    t[1].fail_at = -1;
    stop = run.comm.rank == run.comm.size - 1;
    ok(draw(s, &v, &t[1], &err) == -1 && err.code == SXT_EXIT_AGAIN,
       "a signal to the second of them stops both");
    sxt_sampler_close(s);
    MPI_Comm_free(&mpi);
    free(t);
}

/* The ranks of this test do not fit, or the model's heads do not. */
static void test_refused(const struct sxt_run *run, const char *path,
                         struct sxt_serving serving, int parts,
                         const char *message)
{
    struct sxt_error err = { 0 };

    serving.tensor_parallel = parts;
    ok(!sxt_sampler_open(run, path, &serving, &err) &&
           err.code == SXT_EXIT_CONFIG && strstr(err.text, message),
       "tensor_parallel = %d on %d ranks: %s", parts, run->comm.size, err.text);
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
                                   .tensor_parallel = 1,
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
    stop = 0;
    test_groups(run, path, serving, v);
    test_refused(&run, path, serving, 2 * comm.size, "start a multiple of");
    if (comm.size == 3)
        test_refused(&run, path, serving, 3, "these do: 1, 2");
    sxt_comm_barrier(comm);
    if (comm.rank == 0)
        remove(path);
    free(t);
    sxt_comm_finalize();
    return done_testing();
}
