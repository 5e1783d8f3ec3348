/* reformat.c - raw answers as thought and solution. */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "h5/out.h"
#include "stage/formats.h"
#include "stage/genlog.h"
#include "stage/problems.h"
#include "stage/responses.h"
#include "stage/sampling.h"
#include "stage/stages.h"
#include "stage/status.h"
#include "task/restyle.h"

struct values {
    char *generations, *problems, *output, *style;
    char *model, *prompt_file, *example_file, *system;
    struct sxt_sampling sampling;
    struct sxt_serving engine;
};

#define AT(field) offsetof(struct values, field)
static const struct sxt_cfg_param params[] = {
    { "generations", SXT_CFG_STRING, "generations.h5", 0, 0, "1",
      "The answers: a generations file, or .jsonl lines {\"id\", "
      "\"response\"}.",
      AT(generations), NULL, NULL },
    { "problems", SXT_CFG_STRING, "problems.h5", 0, 0, "1",
      "The problems that were answered.", AT(problems), NULL, NULL },
    { "output", SXT_CFG_STRING, "traces.h5", 0, 0, "1",
      "File to write; what a model rewrote so far is in OUTPUT.journal/.",
      AT(output), NULL, NULL },
    { "style", SXT_CFG_CHOICE, "sky", 0, 0, "1",
      "Markers: <|begin_of_thought|> … <|end_of_solution|>, or <thinking>.",
      AT(style), "sky|thinking", NULL },
    { "model", SXT_CFG_STRING, "", 0, 0, "1",
      "A model that rewrites; what it gets wrong, and everything if this is "
      "empty, is divided by rule.",
      AT(model), NULL, NULL },
    { "prompt_file", SXT_CFG_STRING, "", 0, 0, "1",
      "What the model is asked, with {example} and {content}; empty: the "
      "published prompt.",
      AT(prompt_file), NULL, NULL },
    { "example_file", SXT_CFG_STRING, "", 0, 0, "1",
      "The worked example for {example}; empty: a short one.", AT(example_file),
      NULL, NULL },
    { "system", SXT_CFG_STRING, "You are a solution format convertor.", 0, 0,
      "1", "System message of the rewriting model; empty: none.", AT(system),
      NULL, NULL },
    { "sampling", SXT_CFG_GROUP, "", 0, 0, "1",
      "How its tokens are drawn; \"model\": as its generation_config.json "
      "says.",
      AT(sampling), NULL, sxt_sampling_params },
    { "engine", SXT_CFG_GROUP, "", 0, 0, "1", "What draws them.", AT(engine),
      NULL, sxt_serving_params },
    { .name = NULL }
};
#undef AT

enum method { KEPT, SPLITTER, MODEL, FALLBACK, N_METHODS };
static const char *const methods[] = { "kept", "splitter", "model",
                                       "fallback" };

/* A row that the model is to rewrite, and the name of its draw. */
struct wish {
    uint64_t row, key;
};

/* A rank's work. */
struct job {
    const struct sxt_run *run;
    const struct values *v;
    enum sxt_style style;
    struct sxt_problems *problems;
    struct sxt_responses *responses;
    struct sxt_sampler *sampler;
    struct sxt_str prompt, example;
    size_t first, count;       /* this rank's rows */
    bool *kept;                /* (count) has its sections already */
    struct wish *wish;         /* what the model rewrites, of all ranks */
    size_t n_wishes, own, end; /* this rank's rows: [own, end) of them */
    size_t *missing;           /* wishes that the journal does not hold */
    struct sxt_worklog *log;   /* NULL: no model */
    struct sxt_str *rewritten; /* (count) what came back, where it did */
    struct sxt_ids ids;
    struct sxt_frame *traces;
    int64_t n_method[N_METHODS], n_invalid;
};

static struct sxt_span span_of(const struct sxt_str *s)
{
    return (struct sxt_span){ s->data ? s->data : "", s->len };
}

static struct sxt_span domain_of(const struct job *job, size_t row)
{
    long problem =
        sxt_problems_find(job->problems, sxt_responses_id(job->responses, row));

    return problem < 0 ? sxt_span("math")
                       : sxt_problems_domain(job->problems, (size_t)problem);
}

/* ---- the model ---- */

static int read_prompt(struct job *job, const char *path, const char *name,
                       struct sxt_str *out, struct sxt_error *err)
{
    char *file = sxt_run_prompt(job->run, path[0] ? path : name);
    int rc = sxt_file_read(file, out, err);

    free(file);
    return rc;
}

/* The prompt with its two places filled. */
static void fill_prompt(const struct job *job, struct sxt_span content,
                        struct sxt_str *out)
{
    static const char example[] = "{example}", place[] = "{content}";
    struct sxt_span rest = span_of(&job->prompt);

    while (rest.len > 0) {
        bool is_example = rest.len >= sizeof(example) - 1 &&
                          memcmp(rest.data, example, sizeof(example) - 1) == 0;
        bool is_place = rest.len >= sizeof(place) - 1 &&
                        memcmp(rest.data, place, sizeof(place) - 1) == 0;
        size_t n = is_example ? sizeof(example) - 1
                   : is_place ? sizeof(place) - 1
                              : 1;
        if (is_example)
            sxt_str_add_bytes(out, job->example.data, job->example.len);
        else if (is_place)
            sxt_str_add_bytes(out, content.data, content.len);
        else
            sxt_str_add_char(out, rest.data[0]);
        rest.data += n;
        rest.len -= n;
    }
}

static int give_prompt(void *context, size_t item, struct sxt_prompt *p,
                       struct sxt_error *err)
{
    struct job *job = context;
    const struct wish *wish = &job->wish[job->missing[item]];
    struct sxt_span system = { NULL, 0 };
    struct sxt_str text = SXT_STR_EMPTY;

    if (sxt_responses_load(job->responses, wish->row, 1, err) != 0)
        return -1;
    fill_prompt(job, sxt_responses_text(job->responses, wish->row), &text);
    if (job->v->system[0])
        system = sxt_span(job->v->system);
    struct sxt_message messages[] = { { "system", system },
                                      { "user", span_of(&text) } };
    job->ids.len = 0;
    sxt_chat_render(sxt_sampler_chat(job->sampler), messages, 2, true,
                    &job->ids);
    sxt_str_free(&text);
    p->ids = job->ids.data;
    p->n = job->ids.len;
    p->key = wish->key;
    return sxt_genlog_resume(job->log, p, err);
}

static int take_answer(void *context, const struct sxt_answer *a,
                       struct sxt_error *err)
{
    struct job *job = context;

    return sxt_genlog_save(job->log, a, err);
}

static int tick(void *context, struct sxt_error *err)
{
    struct job *job = context;

    return sxt_worklog_tick(job->log, err);
}

/* Finished answers without sections, of all ranks, in order. */
static void make_wishes(struct job *job)
{
    uint64_t h = sxt_sampler_settings(job->sampler, &job->v->sampling);
    struct sxt_comm comm = job->run->comm;
    struct sxt_str own = SXT_STR_EMPTY, text = SXT_STR_EMPTY;
    size_t *offsets;
    char *all;

    h = sxt_hash64(job->v->system, strlen(job->v->system), h);
    for (size_t i = 0; i < job->count; i++) {
        size_t row = job->first + i;
        struct sxt_span finish = sxt_responses_finish(job->responses, row);
        if (job->kept[i] || !(sxt_span_equal(finish, "stop") ||
                              sxt_span_equal(finish, "external")))
            continue;
        sxt_str_cut(&text, 0);
        fill_prompt(job, sxt_responses_text(job->responses, row), &text);
        struct wish wish = { row, sxt_hash64(text.data, text.len, h + row) };
        sxt_str_add_bytes(&own, &wish, sizeof(wish));
    }
    sxt_comm_allgather_bytes(comm, own.data, own.len, &all, &offsets);
    job->wish = (struct wish *)(void *)all;
    job->own = offsets[comm.rank] / sizeof(*job->wish);
    job->end = offsets[comm.rank + 1] / sizeof(*job->wish);
    job->n_wishes = offsets[comm.size] / sizeof(*job->wish);
    sxt_str_free(&own);
    sxt_str_free(&text);
    free(offsets);
}

/* Draw what the journal does not hold. */
static int draw_missing(struct job *job, struct sxt_error *err)
{
    struct sxt_draw draw = sxt_sampler_plan(job->sampler, &job->v->sampling);
    struct sxt_sampling_report report;
    struct sxt_ask ask = { .together = 1,
                           .context = job,
                           .prompt = give_prompt,
                           .answer = take_answer,
                           .snapshot_s = 300,
                           .tick = tick };
    bool begun;

    job->missing = sxt_alloc(job->n_wishes, sizeof(*job->missing));
    for (size_t i = 0; i < job->n_wishes; i++)
        if (sxt_worklog_find(job->log, job->wish[i].key, &begun) == 0)
            job->missing[ask.n++] = i;
    ask.before = job->n_wishes - ask.n;
    sxt_log(&job->run->log, SXT_LOG_INFO,
            "answers to rewrite %zu  (in journals %zu)", job->n_wishes,
            ask.before);
    if (ask.n == 0)
        return 0;
    int rc = sxt_sampler_draw(job->sampler, &draw, &ask, &report, err);
    if (rc == 0 || (err && err->code == SXT_EXIT_AGAIN))
        sxt_sampling_report_print(job->run, &report);
    return rc;
}

/* What was drawn for this rank's rows; what was cut off is no rewriting. */
static int read_rewritten(struct job *job, struct sxt_error *err)
{
    struct sxt_genlog_answer a;
    bool begun;

    for (size_t i = job->own; i < job->end; i++) {
        const struct wish *w = &job->wish[i];
        struct sxt_str *to = &job->rewritten[w->row - job->first];
        if (sxt_worklog_find(job->log, w->key, &begun) != SXT_FINISH_STOP)
            continue;
        if (sxt_genlog_read(job->log, w->key, &a, err) != 0)
            return -1;
        sxt_str_add_bytes(to, a.text.data, a.text.len);
    }
    return 0;
}

static int rewrite(struct job *job, const char *journal, struct sxt_error *err)
{
    struct sxt_comm comm = job->run->comm;
    int rc =
        read_prompt(job, job->v->prompt_file, "convertor", &job->prompt, err);

    if (rc == 0)
        rc = read_prompt(job, job->v->example_file, "convertor-example",
                         &job->example, err);
    if (sxt_comm_agree(comm, rc, err) != 0)
        return -1;
    job->sampler =
        sxt_sampler_open(job->run, job->v->model, &job->v->engine, err);
    if (!job->sampler)
        return -1;
    sxt_sampler_tell(job->sampler, &job->v->sampling);
    make_wishes(job);
    job->log = sxt_worklog_open(comm, journal, err);
    if (!job->log)
        return -1;
    sxt_worklog_tell(job->log, &job->run->log);
    if (draw_missing(job, err) != 0 || sxt_worklog_finish(job->log, err) != 0)
        return -1;
    return sxt_comm_agree(comm, read_rewritten(job, err), err);
}

/* ---- rows ---- */

static void find_kept(struct job *job)
{
    struct sxt_sections sections;

    job->kept = sxt_calloc(job->count, sizeof(*job->kept));
    for (size_t i = 0; i < job->count; i++)
        job->kept[i] = sxt_restyle_sections(
            sxt_responses_text(job->responses, job->first + i), &sections);
}

static enum method choose(const struct job *job, size_t row,
                          struct sxt_span domain, struct sxt_sections *out)
{
    struct sxt_span response = sxt_responses_text(job->responses, row);
    const struct sxt_str *other = &job->rewritten[row - job->first];
    const char *why;

    if (sxt_restyle_sections(response, out))
        return KEPT;
    if (other->len > 0 &&
        sxt_restyle_valid(response, span_of(other), domain, &why) &&
        sxt_restyle_sections(span_of(other), out))
        return MODEL;
    if (!sxt_restyle_split(response, domain, out))
        *out = (struct sxt_sections){ response, { "", 0 } };
    return job->sampler ? FALLBACK : SPLITTER;
}

static void add_row(struct job *job, size_t row)
{
    struct sxt_span response = sxt_responses_text(job->responses, row);
    struct sxt_span domain = domain_of(job, row);
    struct sxt_span id = sxt_responses_id(job->responses, row);
    struct sxt_span finish = sxt_responses_finish(job->responses, row);
    struct sxt_str text = SXT_STR_EMPTY;
    struct sxt_sections s;
    enum method method = choose(job, row, domain, &s);
    struct sxt_frame *f = job->traces;
    const char *why;

    sxt_restyle_render(&s, job->style, &text);
    bool valid = sxt_restyle_valid(response, span_of(&text), domain, &why);
    sxt_frame_add(f);
    sxt_frame_set_text(f, SXT_TRACE_ID, id.data, id.len);
    sxt_frame_set_i64(f, SXT_TRACE_SAMPLE,
                      sxt_responses_sample(job->responses, row));
    sxt_frame_set_text(f, SXT_TRACE_THOUGHT, s.thought.data, s.thought.len);
    sxt_frame_set_text(f, SXT_TRACE_SOLUTION, s.solution.data, s.solution.len);
    sxt_frame_set_text(f, SXT_TRACE_TEXT, text.data, text.len);
    sxt_frame_set_string(f, SXT_TRACE_METHOD, methods[method]);
    sxt_frame_set_i64(f, SXT_TRACE_VALID, valid);
    sxt_frame_set_text(f, SXT_TRACE_FINISH, finish.data, finish.len);
    job->n_method[method]++;
    job->n_invalid += !valid;
    sxt_str_free(&text);
}

static int write_traces(struct job *job, const char *output,
                        const struct sxt_sources *from, struct sxt_error *err)
{
    struct sxt_out *out =
        sxt_run_create(job->run, output, SXT_TRACES_FORMAT, 1,
                       "Answers as thought and solution",
                       (const char *const *)from->path, from->n, err);
    if (!out)
        return -1;
    if (sxt_out_frame(out, "traces", job->traces, err) == 0)
        return sxt_out_commit(out, err);
    sxt_out_abandon(out);
    return -1;
}

static void print_counts(const struct job *job, const char *output)
{
    struct sxt_comm comm = job->run->comm;
    struct sxt_str line = SXT_STR_EMPTY;

    for (int m = 0; m < N_METHODS; m++) {
        int64_t n = sxt_comm_sum(comm, job->n_method[m]);
        if (n > 0)
            sxt_str_add(&line, "  %s %" PRId64, methods[m], n);
    }
    int64_t invalid = sxt_comm_sum(comm, job->n_invalid);
    sxt_log(&job->run->log, SXT_LOG_INFO,
            "wrote  %s  %zu traces%s  invalid %" PRId64, output,
            sxt_responses_count(job->responses), line.data ? line.data : "",
            invalid);
    sxt_str_free(&line);
}

static int open_inputs(struct job *job, const struct sxt_sources *from,
                       struct sxt_error *err)
{
    int rc = -1;

    job->responses = sxt_responses_open(from->path[0], err);
    if (job->responses)
        job->problems = sxt_problems_open(from->path[1], err);
    if (job->problems) {
        sxt_comm_slice(job->run->comm, sxt_responses_count(job->responses),
                       &job->first, &job->count);
        rc = sxt_responses_load(job->responses, job->first, job->count, err);
    }
    return sxt_comm_agree(job->run->comm, rc, err);
}

static void split_rows(struct job *job)
{
    struct sxt_status_now now = {
        .doing = "splitting",
        .unit = job->run->comm.size > 1 ? "answers of rank 0" : "answers",
        .total = (double)job->count,
        .lines = true,
    };

    job->traces = sxt_frame_create(sxt_trace_columns);
    for (size_t i = 0; i < job->count; i++) {
        add_row(job, job->first + i);
        now.done = (double)(i + 1);
        sxt_status_tell(job->run, &now);
    }
}

static int reformat(struct job *job, const char *output, const char *journal,
                    const struct sxt_sources *from, struct sxt_error *err)
{
    double began = sxt_clock();

    if (open_inputs(job, from, err) != 0)
        return -1;
    if (job->run->dry_run)
        return 0;
    sxt_status_doing(job->run, "reading");
    find_kept(job);
    job->rewritten = sxt_calloc(job->count, sizeof(*job->rewritten));
    if (job->v->model[0] && rewrite(job, journal, err) != 0)
        return -1;
    /* The model's prompts took other rows' texts. */
    int rc = sxt_responses_load(job->responses, job->first, job->count, err);
    if (sxt_comm_agree(job->run->comm, rc, err) != 0)
        return -1;
    split_rows(job);
    if (write_traces(job, output, from, err) != 0 ||
        (job->log && sxt_worklog_remove(job->log, err) != 0))
        return -1;
    print_counts(job, output);
    if (!job->v->model[0]) /* else drawing said it, in tokens */
        sxt_status_performance(job->run,
                               (double)sxt_responses_count(job->responses),
                               "traces", began);
    return 0;
}

static void job_free(struct job *job)
{
    for (size_t i = 0; job->rewritten && i < job->count; i++)
        sxt_str_free(&job->rewritten[i]);
    free(job->rewritten);
    free(job->kept);
    free(job->wish);
    free(job->missing);
    sxt_str_free(&job->prompt);
    sxt_str_free(&job->example);
    sxt_ids_free(&job->ids);
    sxt_sampler_close(job->sampler);
    sxt_problems_close(job->problems);
    sxt_responses_close(job->responses);
    sxt_frame_destroy(job->traces);
}

static int run_stage(struct sxt_run *run, const void *values,
                     struct sxt_error *err)
{
    const struct values *v = values;
    struct job job = { .run = run, .v = v };
    char *output = sxt_run_path(run, v->output);
    char *journal = sxt_printf("%s.journal", output);
    struct sxt_sources from = { 0 };

    sxt_sources_add(&from, run, v->generations);
    sxt_sources_add(&from, run, v->problems);
    sxt_sources_add(&from, run, v->model);

    job.style =
        strcmp(v->style, "sky") == 0 ? SXT_STYLE_SKY : SXT_STYLE_THINKING;
    int rc = reformat(&job, output, journal, &from, err);
    rc = sxt_worklog_close(job.log, rc, err);
    job_free(&job);
    free(journal);
    sxt_sources_free(&from);
    free(output);
    return rc;
}

const struct sxt_stage sxt_stage_reformat = {
    .section = { "reformat", "Bring answers into thought and solution.", params,
                 sizeof(struct values) },
    .operands = "",
    .run = run_stage
};
