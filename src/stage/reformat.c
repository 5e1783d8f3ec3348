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
    { "output", SXT_CFG_STRING, "traces.h5", 0, 0, "1", "File to write.",
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
    const size_t *asked;       /* rows of the batch that the model rewrites */
    struct sxt_str drawn;      /* what this rank drew: row, length, text */
    struct sxt_str *rewritten; /* (count) what came back, where it did */
    struct sxt_ids ids;
    uint64_t settings;
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
    size_t row = job->asked[item];
    struct sxt_span system = { NULL, 0 };
    struct sxt_str text = SXT_STR_EMPTY;

    if (sxt_responses_load(job->responses, row, 1, err) != 0)
        return -1;
    fill_prompt(job, sxt_responses_text(job->responses, row), &text);
    if (job->v->system[0])
        system = sxt_span(job->v->system);
    struct sxt_message messages[] = { { "system", system },
                                      { "user", span_of(&text) } };
    job->ids.len = 0;
    sxt_chat_render(sxt_sampler_chat(job->sampler), messages, 2, true,
                    &job->ids);
    p->ids = job->ids.data;
    p->n = job->ids.len;
    p->key = sxt_hash64(text.data, text.len, job->settings + row);
    sxt_str_free(&text);
    return 0;
}

static int take_answer(void *context, const struct sxt_answer *a,
                       struct sxt_error *err)
{
    struct job *job = context;
    uint64_t head[2] = { job->asked[a->item], a->text.len };

    (void)err;
    if (a->finish != SXT_FINISH_STOP)
        return 0; /* cut off: no rewriting */
    sxt_str_add_bytes(&job->drawn, head, sizeof(head));
    sxt_str_add_bytes(&job->drawn, a->text.data, a->text.len);
    return 0;
}

/* Texts go from the rank that drew them to the rank that has the row. */
static void hand_out(struct job *job)
{
    size_t *offsets, at = 0;
    uint64_t head[2];
    char *all;

    sxt_comm_allgather_bytes(job->run->comm, job->drawn.data, job->drawn.len,
                             &all, &offsets);
    while (at < offsets[job->run->comm.size]) {
        memcpy(head, all + at, sizeof(head));
        at += sizeof(head);
        if (head[0] >= job->first && head[0] < job->first + job->count)
            sxt_str_add_bytes(&job->rewritten[head[0] - job->first], all + at,
                              head[1]);
        at += head[1];
    }
    sxt_str_cut(&job->drawn, 0);
    free(all);
    free(offsets);
}

/* Finished answers without sections, of all ranks, in order. */
static size_t *rows_to_ask(const struct job *job, size_t *count)
{
    size_t n = sxt_responses_count(job->responses), *offsets;
    size_t *rows = sxt_alloc(n, sizeof(*rows));
    char *kept;

    *count = 0;
    sxt_comm_allgather_bytes(job->run->comm, job->kept, job->count, &kept,
                             &offsets);
    for (size_t i = 0; i < n; i++) {
        struct sxt_span finish = sxt_responses_finish(job->responses, i);
        bool finished = sxt_span_equal(finish, "stop") ||
                        sxt_span_equal(finish, "external");
        if (!kept[i] && finished)
            rows[(*count)++] = i;
    }
    free(kept);
    free(offsets);
    return rows;
}

static int rewrite_rows(struct job *job, const size_t *rows, size_t n,
                        struct sxt_error *err)
{
    enum { BATCH = 4096 }; /* bounds the texts that every rank sees */
    struct sxt_draw draw = sxt_sampler_plan(job->sampler, &job->v->sampling);
    struct sxt_sampling_report report;

    job->settings = sxt_sampler_settings(job->sampler, &job->v->sampling);
    for (size_t at = 0; at < n; at += BATCH) {
        struct sxt_ask ask = { .n = n - at < BATCH ? n - at : BATCH,
                               .together = 1,
                               .context = job,
                               .prompt = give_prompt,
                               .answer = take_answer };
        job->asked = rows + at;
        if (sxt_sampler_draw(job->sampler, &draw, &ask, &report, err) != 0)
            return -1;
        hand_out(job);
        sxt_sampling_report_print(job->run, &report);
    }
    return 0;
}

static int rewrite(struct job *job, struct sxt_error *err)
{
    size_t n;
    int rc =
        read_prompt(job, job->v->prompt_file, "convertor", &job->prompt, err);

    if (rc == 0)
        rc = read_prompt(job, job->v->example_file, "convertor-example",
                         &job->example, err);
    if (sxt_comm_agree(job->run->comm, rc, err) != 0)
        return -1;
    job->sampler =
        sxt_sampler_open(job->run, job->v->model, &job->v->engine, err);
    if (!job->sampler)
        return -1;
    sxt_sampler_tell(job->sampler, &job->v->sampling);
    size_t *rows = rows_to_ask(job, &n);
    rc = rewrite_rows(job, rows, n, err);
    free(rows);
    return rc;
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

static int reformat(struct job *job, const char *output,
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
    if (job->v->model[0] && rewrite(job, err) != 0)
        return -1;
    /* The model's prompts took other rows' texts. */
    int rc = sxt_responses_load(job->responses, job->first, job->count, err);
    if (sxt_comm_agree(job->run->comm, rc, err) != 0)
        return -1;
    split_rows(job);
    if (write_traces(job, output, from, err) != 0)
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
    sxt_str_free(&job->drawn);
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
    struct sxt_sources from = { 0 };

    sxt_sources_add(&from, run, v->generations);
    sxt_sources_add(&from, run, v->problems);
    sxt_sources_add(&from, run, v->model);

    job.style =
        strcmp(v->style, "sky") == 0 ? SXT_STYLE_SKY : SXT_STYLE_THINKING;
    int rc = reformat(&job, output, &from, err);
    job_free(&job);
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
