/* solve.c - one prompt, standard input or a file of prompts through a model.
 *
 * Answers go to standard output and everything else to standard error, so that
 * the output can be piped. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "stage/asking.h"
#include "stage/stages.h"

struct values {
    char *stream;
    struct sxt_asking asking;
};

#define AT(field) offsetof(struct values, field)
static const struct sxt_cfg_param params[] = {
    { "stream", SXT_CFG_CHOICE, "auto", 0, 0, "1",
      "Print a single answer while it is drawn; auto: on a terminal.",
      AT(stream), "auto|yes|no", NULL },
    { "", SXT_CFG_GROUP, "", 0, 0, "1", "How the prompts are asked.",
      AT(asking), NULL, sxt_asking_params },
    { .name = NULL }
};
#undef AT

/* Prompts in order, and their answers as they come. */
struct job {
    const struct values *v;
    struct sxt_sampler *sampler;
    struct sxt_str system;
    struct sxt_str *prompt; /* (n_prompts) */
    size_t n_prompts, samples;
    struct sxt_str *answer; /* (n_prompts samples), of this rank's items */
    uint64_t settings;
    struct sxt_ids ids;
    bool stream;
    size_t shown; /* bytes of the answer printed so far, if it streams */
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
    if (sxt_jsonl_named(what))
        return read_batch(job, what, err);
    add_prompt(job, what, strlen(what));
    return 0;
}

static struct sxt_span span_of(const struct sxt_str *s)
{
    return (struct sxt_span){ s->data ? s->data : "", s->len };
}

static int give_prompt(void *context, size_t item, struct sxt_prompt *p,
                       struct sxt_error *err)
{
    struct job *job = context;
    const struct sxt_str *text = &job->prompt[item / job->samples];
    struct sxt_span system = { job->system.data, job->system.len };

    (void)err;
    job->ids.len = 0;
    sxt_asking_render(sxt_sampler_chat(job->sampler), system, span_of(text),
                      sxt_span(job->v->asking.prefill), &job->ids);
    p->ids = job->ids.data;
    p->n = job->ids.len;
    p->key = sxt_hash64_combine(
        sxt_hash64(text->data, text->len, job->settings), item % job->samples);
    return 0;
}

/* ---- answers ---- */

/* The bytes of an unfinished answer that will stay as they are: without a
 * character that is cut short and without what may begin a stop string. */
static size_t settled(const struct job *job, struct sxt_span text)
{
    const struct sxt_cfg_strings *stop = &job->v->asking.sampling.stop;
    size_t n = text.len, tail = 0;

    while (tail < 4 && tail < n &&
           ((unsigned char)text.data[n - 1 - tail] & 0xc0) == 0x80)
        tail++;
    if (tail < n && (unsigned char)text.data[n - 1 - tail] >= 0xc0)
        n -= tail + 1; /* it comes with the next token */
    for (size_t i = 0; i < stop->count; i++) {
        size_t most = strlen(stop->items[i]);
        for (size_t k = most < n ? most : n; k > 0; k--)
            if (memcmp(text.data + n - k, stop->items[i], k) == 0) {
                n -= k;
                break;
            }
    }
    return n;
}

static void show(struct job *job, struct sxt_span text, size_t end)
{
    if (job->shown == 0)
        fputs(job->v->asking.prefill, stdout);
    if (end > job->shown) {
        fwrite(text.data + job->shown, 1, end - job->shown, stdout);
        fflush(stdout);
        job->shown = end;
    }
}

static int take_answer(void *context, const struct sxt_answer *a,
                       struct sxt_error *err)
{
    struct job *job = context;
    bool whole = a->finish != SXT_FINISH_NONE;

    (void)err;
    if (job->stream)
        show(job, a->text, whole ? a->text.len : settled(job, a->text));
    if (job->stream && whole)
        putchar('\n');
    if (job->stream || !whole)
        return 0;
    job->answer[a->item] = SXT_STR_EMPTY;
    sxt_str_add(&job->answer[a->item], "%s", job->v->asking.prefill);
    sxt_str_add_bytes(&job->answer[a->item], a->text.data, a->text.len);
    return 0;
}

/* In the order of the prompts, by rank 0. */
static void print_answers(struct job *job, const struct sxt_run *run)
{
    size_t n = job->n_prompts * job->samples, *offsets;
    char *all;

    for (size_t i = 0; i < n; i++) {
        struct sxt_str *s = &job->answer[i];
        sxt_comm_allgather_bytes(run->comm, s->data, s->len, &all, &offsets);
        if (run->comm.rank == 0) {
            if (n > 1)
                printf("--- prompt %zu, answer %zu\n", i / job->samples + 1,
                       i % job->samples + 1);
            fwrite(all, 1, offsets[run->comm.size], stdout);
            putchar('\n');
            fflush(stdout);
        }
        free(all);
        free(offsets);
    }
}

/* A single answer may be printed by the rank that draws it. */
static bool streams(const struct job *job, const struct sxt_run *run)
{
    int terminal = isatty(STDOUT_FILENO);

    sxt_comm_broadcast(run->comm, &terminal, sizeof(terminal), 0);
    return job->n_prompts * job->samples == 1 &&
           strcmp(job->v->stream, "no") != 0 &&
           (terminal || strcmp(job->v->stream, "yes") == 0);
}

static size_t longest(const struct job *job)
{
    size_t most = 0;

    for (size_t i = 0; i < job->n_prompts; i++)
        most = job->prompt[i].len > most ? job->prompt[i].len : most;
    return sxt_asking_longest(most + job->system.len +
                              strlen(job->v->asking.prefill));
}

static int draw(struct job *job, struct sxt_run *run, struct sxt_error *err)
{
    static const double every_token = 1e-9;
    const struct sxt_sampling *sampling = &job->v->asking.sampling;
    struct sxt_draw draw = sxt_sampler_plan(job->sampler, sampling);
    struct sxt_sampling_report report;
    struct sxt_ask ask = { .n = job->n_prompts * job->samples,
                           .together = job->samples,
                           .longest = longest(job),
                           .context = job,
                           .prompt = give_prompt,
                           .answer = take_answer };

    sxt_sampler_tell(job->sampler, sampling);
    if (run->dry_run)
        return sxt_sampler_estimate(job->sampler, &draw, &ask, err);
    job->stream = streams(job, run);
    ask.snapshot_s = job->stream ? every_token : 0;
    job->settings = sxt_sampler_settings(job->sampler, sampling);
    job->answer = sxt_calloc(ask.n, sizeof(*job->answer));
    if (sxt_sampler_draw(job->sampler, &draw, &ask, &report, err) != 0)
        return -1;
    if (!job->stream)
        print_answers(job, run);
    sxt_sampling_report_print(run, &report);
    return 0;
}

static int solve(struct job *job, struct sxt_run *run, struct sxt_error *err)
{
    char *model = sxt_strdup(run->args[0]);
    int rc = run->comm.rank == 0 ? read_prompts(job, run, err) : 0;

    if (rc == 0)
        rc = sxt_asking_system(run, &job->v->asking, &job->system, err);
    rc = sxt_comm_agree(run->comm, rc, err);
    if (rc == 0) {
        share_prompts(job, run->comm);
        /* an operand is a path as the shell has it */
        if (!strchr(model, '/')) {
            free(model);
            model = sxt_printf("./%s", run->args[0]);
        }
        job->sampler =
            sxt_sampler_open(run, model, &job->v->asking.engine, err);
        rc = job->sampler ? draw(job, run, err) : -1;
    }
    free(model);
    return rc;
}

static int run_stage(struct sxt_run *run, const void *values,
                     struct sxt_error *err)
{
    const struct values *v = values;
    struct job job = { .v = v, .samples = (size_t)v->asking.n };
    int rc;

    if (run->n_args != 2)
        return sxt_err(err, SXT_EXIT_USAGE,
                       "solve needs a model and a prompt (a text, - for "
                       "standard input, or a .jsonl file)");
    rc = solve(&job, run, err);
    for (size_t i = 0; job.answer && i < job.n_prompts * job.samples; i++)
        sxt_str_free(&job.answer[i]);
    for (size_t i = 0; i < job.n_prompts; i++)
        sxt_str_free(&job.prompt[i]);
    free(job.answer);
    free(job.prompt);
    sxt_str_free(&job.system);
    sxt_ids_free(&job.ids);
    sxt_sampler_close(job.sampler);
    return rc;
}

const struct sxt_stage sxt_stage_solve = {
    .section = { "solve", "Answer one prompt, or a file of prompts.", params,
                 sizeof(struct values) },
    .operands = "MODEL.h5 PROMPT",
    .run = run_stage,
    .answers = true
};
