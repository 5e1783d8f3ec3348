/* solve.c - one prompt, standard input or a file of prompts through a model. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "stage/sampling.h"
#include "stage/stages.h"

struct values {
    char *system;
    int64_t n;
    struct sxt_sampling sampling;
    struct sxt_serving engine;
};

#define AT(field) offsetof(struct values, field)
static const struct sxt_cfg_param params[] = {
    { "system", SXT_CFG_STRING, "", 0, 0, "1", "System message; empty: none.",
      AT(system), NULL, NULL },
    { "n", SXT_CFG_INT, "1", 1, 100000, "answers", "Answers to each prompt.",
      AT(n), NULL, NULL },
    { "sampling", SXT_CFG_GROUP, "", 0, 0, "1", "How tokens are drawn.",
      AT(sampling), NULL, sxt_sampling_params },
    { "engine", SXT_CFG_GROUP, "", 0, 0, "1", "What draws them.", AT(engine),
      NULL, sxt_serving_params },
    { .name = NULL }
};
#undef AT

/* Prompts in order, and their answers as they come. */
struct job {
    const struct values *v;
    struct sxt_sampler *sampler;
    struct sxt_str *prompt; /* (n_prompts) */
    size_t n_prompts;
    struct sxt_str *answer; /* (n_prompts n), of this rank's items */
    uint64_t settings;
    struct sxt_ids ids;
};

static void add_prompt(struct job *job, const char *text, size_t n)
{
    job->prompt =
        sxt_realloc(job->prompt, job->n_prompts + 1, sizeof(*job->prompt));
    job->prompt[job->n_prompts] = SXT_STR_EMPTY;
    sxt_str_add_bytes(&job->prompt[job->n_prompts++], text, n);
}

/* JSONL whose lines are strings, or objects with a member `prompt`. */
static int read_batch(struct job *job, const char *path, struct sxt_error *err)
{
    struct sxt_jsonl *in = sxt_jsonl_open(path, err);
    struct sxt_json *value;
    size_t line;
    int rc;

    if (!in)
        return -1;
    while ((rc = sxt_jsonl_next(in, &value, &line, err)) == 1) {
        const struct sxt_json *member = sxt_json_get(value, "prompt");
        struct sxt_span text = sxt_json_text(member ? member : value);
        if (text.data)
            add_prompt(job, text.data, text.len);
        else
            rc = sxt_err(err, SXT_EXIT_DATA,
                         "%s:%zu: neither a string nor an object with a "
                         "\"prompt\"",
                         path, line);
        sxt_json_free(value);
        if (rc < 0)
            break;
    }
    sxt_jsonl_close(in);
    return rc;
}

static void read_stdin(struct job *job)
{
    struct sxt_str all = SXT_STR_EMPTY;
    char piece[65536];
    size_t n;

    while ((n = fread(piece, 1, sizeof(piece), stdin)) > 0)
        sxt_str_add_bytes(&all, piece, n);
    struct sxt_span text = { all.data ? all.data : "", all.len };
    text = sxt_span_trim(text);
    add_prompt(job, text.data, text.len);
    sxt_str_free(&all);
}

/* What rank 0 read goes to everybody. */
static void share_prompts(struct job *job, struct sxt_comm comm)
{
    uint64_t n = job->n_prompts;

    sxt_comm_broadcast(comm, &n, sizeof(n), 0);
    for (size_t i = 0; i < n; i++) {
        uint64_t len = comm.rank == 0 ? job->prompt[i].len : 0;
        sxt_comm_broadcast(comm, &len, sizeof(len), 0);
        char *text = sxt_alloc(len + 1, 1);
        if (comm.rank == 0)
            memcpy(text, job->prompt[i].data, len);
        sxt_comm_broadcast(comm, text, len, 0);
        if (comm.rank != 0)
            add_prompt(job, text, len);
        free(text);
    }
}

static int read_prompts(struct job *job, const struct sxt_run *run,
                        struct sxt_error *err)
{
    const char *what = run->args[1];

    if (strcmp(what, "-") == 0) {
        read_stdin(job);
        return 0;
    }
    if (sxt_ends_with(what, ".jsonl") || sxt_ends_with(what, ".jsonl.gz"))
        return read_batch(job, what, err);
    add_prompt(job, what, strlen(what));
    return 0;
}

static int give_prompt(void *context, size_t item, struct sxt_prompt *p,
                       struct sxt_error *err)
{
    struct job *job = context;
    size_t sample = item % (size_t)job->v->n;
    const struct sxt_str *text = &job->prompt[item / (size_t)job->v->n];
    struct sxt_span system = { NULL, 0 };

    (void)err;
    if (job->v->system[0])
        system = sxt_span(job->v->system);
    struct sxt_message messages[] = { { "system", system },
                                      { "user", { text->data, text->len } } };
    job->ids.len = 0;
    sxt_chat_render(sxt_sampler_chat(job->sampler), messages, 2, true,
                    &job->ids);
    p->ids = job->ids.data;
    p->n = job->ids.len;
    p->key = sxt_hash64_combine(
        sxt_hash64(text->data, text->len, job->settings), sample);
    return 0;
}

static int take_answer(void *context, const struct sxt_answer *a,
                       struct sxt_error *err)
{
    struct job *job = context;

    (void)err;
    job->answer[a->item] = SXT_STR_EMPTY;
    sxt_str_add_bytes(&job->answer[a->item], a->text.data, a->text.len);
    return 0;
}

/* In the order of the prompts, by rank 0. */
static void print_answers(struct job *job, const struct sxt_run *run)
{
    size_t n = job->n_prompts * (size_t)job->v->n, *offsets;
    char *all;

    for (size_t i = 0; i < n; i++) {
        struct sxt_str *s = &job->answer[i];
        sxt_comm_allgather_bytes(run->comm, s->data, s->len, &all, &offsets);
        if (run->comm.rank == 0) {
            if (n > 1)
                printf("--- prompt %zu, answer %zu\n",
                       i / (size_t)job->v->n + 1, i % (size_t)job->v->n + 1);
            fwrite(all, 1, offsets[run->comm.size], stdout);
            putchar('\n');
            fflush(stdout);
        }
        free(all);
        free(offsets);
    }
}

static int solve(struct job *job, struct sxt_run *run, struct sxt_error *err)
{
    struct sxt_sampling_report report;
    int rc = run->comm.rank == 0 ? read_prompts(job, run, err) : 0;

    if (sxt_comm_agree(run->comm, rc, err) != 0)
        return -1;
    share_prompts(job, run->comm);
    job->sampler = sxt_sampler_open(run, run->args[0], &job->v->engine, err);
    if (!job->sampler)
        return -1;
    if (run->dry_run)
        return 0;
    struct sxt_ask ask = { .n = job->n_prompts * (size_t)job->v->n,
                           .together = (size_t)job->v->n,
                           .context = job,
                           .prompt = give_prompt,
                           .answer = take_answer };
    struct sxt_draw draw = sxt_sampler_plan(job->sampler, &job->v->sampling);
    for (size_t i = 0; i < job->n_prompts; i++)
        if (2 * (job->prompt[i].len + strlen(job->v->system)) + 64 >
            ask.longest)
            ask.longest =
                2 * (job->prompt[i].len + strlen(job->v->system)) + 64;
    job->settings = sxt_sampler_settings(job->sampler, &job->v->sampling);
    job->answer = sxt_calloc(ask.n, sizeof(*job->answer));
    if (sxt_sampler_draw(job->sampler, &draw, &ask, &report, err) != 0)
        return -1;
    print_answers(job, run);
    sxt_sampling_report_print(run, &report);
    return 0;
}

static int run_stage(struct sxt_run *run, const void *values,
                     struct sxt_error *err)
{
    struct job job = { .v = values };
    int rc;

    if (run->n_args != 2)
        return sxt_err(err, SXT_EXIT_USAGE,
                       "solve needs a model and a prompt (a text, - for "
                       "standard input, or a .jsonl file)");
    rc = solve(&job, run, err);
    for (size_t i = 0; job.answer && i < job.n_prompts * (size_t)job.v->n; i++)
        sxt_str_free(&job.answer[i]);
    for (size_t i = 0; i < job.n_prompts; i++)
        sxt_str_free(&job.prompt[i]);
    free(job.answer);
    free(job.prompt);
    sxt_ids_free(&job.ids);
    sxt_sampler_close(job.sampler);
    return rc;
}

const struct sxt_stage sxt_stage_solve = {
    .section = { "solve", "Answer one prompt, or a file of prompts.", params,
                 sizeof(struct values) },
    .operands = "MODEL.h5 PROMPT",
    .run = run_stage
};
