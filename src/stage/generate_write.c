/* generate_write.c - from journals and earlier files to generations.h5. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "h5/in.h"
#include "h5/out.h"
#include "stage/formats.h"
#include "stage/generate_plan.h"
#include "stage/genlog.h"

/* Rows being collected on this rank. */
struct rows {
    const struct sxt_plan *plan;
    const struct sxt_chat *chat;
    struct sxt_worklog *log;
    struct sxt_frame *frame;
};

static int add_from_log(struct rows *r, size_t at, struct sxt_error *err)
{
    const struct sxt_plan *plan = r->plan;
    size_t problem = at / plan->n_samples;
    struct sxt_span id = sxt_frame_text(plan->problem, SXT_PLAN_ID, problem);
    struct sxt_ids prompt = { NULL, 0, 0 };
    struct sxt_str text = SXT_STR_EMPTY;
    struct sxt_genlog_answer a;
    bool begun;

    if (sxt_worklog_find(r->log, plan->key[at], &begun) == 0)
        return sxt_err(err, SXT_EXIT_AGAIN,
                       "an answer to %.*s is no longer in the journals; run "
                       "the same command again to draw it",
                       (int)id.len, id.data);
    if (sxt_genlog_read(r->log, plan->key[at], &a, err) != 0)
        return -1;
    sxt_plan_render(plan, r->chat, problem, &prompt);
    sxt_str_add_bytes(&text, plan->prefill.data, plan->prefill.len);
    sxt_str_add_bytes(&text, a.text.data, a.text.len);
    sxt_frame_add(r->frame);
    sxt_frame_set_text(r->frame, SXT_GENERATION_ID, id.data, id.len);
    sxt_frame_set_i64(r->frame, SXT_GENERATION_SAMPLE,
                      (int64_t)(at % plan->n_samples));
    sxt_frame_set_u64(r->frame, SXT_GENERATION_KEY, plan->key[at]);
    sxt_frame_set_ids(r->frame, SXT_GENERATION_PROMPT_IDS, prompt.data,
                      prompt.len);
    sxt_frame_set_ids(r->frame, SXT_GENERATION_OUTPUT_IDS, a.ids, a.n);
    sxt_frame_set_text(r->frame, SXT_GENERATION_TEXT, text.data, text.len);
    sxt_frame_set_string(r->frame, SXT_GENERATION_FINISH,
                         sxt_finish_name(a.finish));
    sxt_frame_set_f64(r->frame, SXT_GENERATION_LOGPROB, a.logprob);
    sxt_ids_free(&prompt);
    sxt_str_free(&text);
    return 0;
}

/* Copy n neighbouring rows of an earlier file. */
static int add_from_file(struct rows *r, const char *path, size_t first,
                         size_t n, struct sxt_error *err)
{
    struct sxt_in *in = sxt_in_open(path, SXT_GENERATIONS_FORMAT, err);
    struct sxt_frame *f = NULL;
    int rc = -1;

    if (in)
        rc = sxt_in_frame(in, "generations", sxt_generation_columns, first, n,
                          &f, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        sxt_frame_copy_row(r->frame, f, i);
    sxt_frame_destroy(f);
    sxt_in_close(in);
    return rc;
}

/* How many keys from `at` on lie in neighbouring rows of one earlier file. */
static size_t neighbours(const struct sxt_plan *plan, size_t at, size_t end)
{
    struct sxt_plan_reuse first = plan->reuse[at];
    size_t n = 1;

    while (at + n < end && plan->reuse[at + n].file == first.file &&
           plan->reuse[at + n].row == first.row + n)
        n++;
    return n;
}

static int collect(struct rows *r, size_t first, size_t count,
                   struct sxt_error *err)
{
    size_t at = first, n;
    int rc = 0;

    while (at < first + count && rc == 0) {
        struct sxt_plan_reuse from = r->plan->reuse[at];
        n = from.file ? neighbours(r->plan, at, first + count) : 1;
        rc = from.file ? add_from_file(r, r->plan->files[from.file - 1],
                                       from.row, n, err)
                       : add_from_log(r, at, err);
        at += n;
    }
    return rc;
}

/* Facts about the whole file, beside the rows. */
static int write_facts(struct sxt_out *out, const struct sxt_plan *plan,
                       const struct sxt_sampler *s,
                       const struct sxt_sampling *sampling,
                       struct sxt_error *err)
{
    struct sxt_str text = SXT_STR_EMPTY;
    int rc;

    sxt_sampler_describe(s, sampling, &text);
    rc = sxt_out_attr_text(out, "/generations", "sampling", text.data, err);
    sxt_str_free(&text);
    if (rc != 0)
        return -1;
    if (sxt_out_attr_i64(out, "/generations", "problems",
                         (int64_t)plan->n_problems, err) != 0 ||
        sxt_out_attr_i64(out, "/generations", "samples",
                         (int64_t)plan->n_samples, err) != 0)
        return -1;
    return sxt_out_attr_i64(out, "/generations", "model_fingerprint",
                            (int64_t)sxt_sampler_fingerprint(s), err);
}

int sxt_plan_write(struct sxt_plan *plan, const struct sxt_run *run,
                   const struct sxt_generate *v, const struct sxt_sampler *s,
                   struct sxt_worklog *log, const char *output,
                   struct sxt_error *err)
{
    struct rows r = { plan, sxt_sampler_chat(s), log,
                      sxt_frame_create(sxt_generation_columns) };
    char *inputs[2] = { sxt_run_path(run, v->model),
                        sxt_run_path(run, v->wanted.problems) };
    struct sxt_out *out = NULL;
    size_t first, count;

    sxt_comm_slice(run->comm, plan->n_keys, &first, &count);
    int rc = sxt_comm_agree(run->comm, collect(&r, first, count, err), err);
    if (rc == 0)
        out = sxt_run_create(run, output, SXT_GENERATIONS_FORMAT, 1,
                             "Answers drawn from a model",
                             (const char *const *)inputs, 2, err);
    rc = out ? 0 : -1;
    if (rc == 0)
        rc = sxt_out_frame(out, "generations", r.frame, err);
    if (rc == 0)
        rc = write_facts(out, plan, s, &v->asking.sampling, err);
    if (rc == 0)
        rc = sxt_out_commit(out, err);
    else
        sxt_out_abandon(out);
    sxt_frame_destroy(r.frame);
    free(inputs[0]);
    free(inputs[1]);
    return rc;
}
