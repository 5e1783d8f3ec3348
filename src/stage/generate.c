/* generate.c - n answers of a model to every problem. */
#include "stage/generate.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "stage/generate_plan.h"
#include "stage/genlog.h"
#include "stage/stages.h"

#define AT(field) offsetof(struct sxt_generate, field)
const struct sxt_cfg_param sxt_generate_params[] = {
    { "model", SXT_CFG_STRING, "model.h5", 0, 0, "1",
      "The model that answers: a model file or a checkpoint.", AT(model), NULL,
      NULL },
    { "output", SXT_CFG_STRING, "generations.h5", 0, 0, "1",
      "The file to write; answers under way are in OUTPUT.journal/, and those "
      "of shards in OUTPUT-I-of-N.h5.",
      AT(output), NULL, NULL },
    { "", SXT_CFG_GROUP, "", 0, 0, "1", "Which problems.", AT(wanted), NULL,
      sxt_wanted_params },
    { "shard", SXT_CFG_STRING, "0/1", 0, 0, "1",
      "\"i/n\": of those, every n-th from the i-th on, for job arrays.",
      AT(shard), NULL, NULL },
    { "reuse", SXT_CFG_STRINGS, "", 0, 0, "1",
      "Generations files (patterns) to take equal draws from, as when shards "
      "are merged.",
      AT(reuse), NULL, NULL },
    { "snapshot_s", SXT_CFG_REAL, "300.0", 0, 1e9, "s",
      "Save answers under way this often, so that a crash costs no more; 0: "
      "only when stopped.",
      AT(snapshot_s), NULL, NULL },
    { "", SXT_CFG_GROUP, "", 0, 0, "1", "How they are asked.", AT(asking), NULL,
      sxt_asking_params },
    { .name = NULL }
};
#undef AT

/* A run under way on this rank. */
struct job {
    const struct sxt_run *run;
    const struct sxt_generate *v;
    struct sxt_sampler *sampler;
    struct sxt_plan plan;
    struct sxt_worklog *log;
    char *output, *journal;
    size_t *missing; /* places of keys that nothing holds */
    size_t n_missing;
    struct sxt_ids prompt; /* of the item asked for last */
};

/* ---- drawing ---- */

static int give_prompt(void *context, size_t item, struct sxt_prompt *p,
                       struct sxt_error *err)
{
    struct job *job = context;
    size_t at = job->missing[item];

    job->prompt.len = 0;
    sxt_plan_render(&job->plan, sxt_sampler_chat(job->sampler),
                    at / job->plan.n_samples, &job->prompt);
    p->key = job->plan.key[at];
    p->ids = job->prompt.data;
    p->n = job->prompt.len;
    return sxt_genlog_resume(job->log, p, err);
}

static int take_answer(void *context, const struct sxt_answer *answer,
                       struct sxt_error *err)
{
    struct job *job = context;

    return sxt_genlog_save(job->log, answer, err);
}

static int tick(void *context, struct sxt_error *err)
{
    struct job *job = context;

    return sxt_worklog_tick(job->log, err);
}

static void find_missing(struct job *job)
{
    const struct sxt_plan *plan = &job->plan;
    bool begun;

    job->missing = sxt_alloc(plan->n_keys, sizeof(*job->missing));
    for (size_t i = 0; i < plan->n_keys; i++) {
        if (plan->reuse[i].file > 0 ||
            sxt_worklog_find(job->log, plan->key[i], &begun) != 0)
            continue;
        job->missing[job->n_missing++] = i;
    }
}

/* Neighbours share a prompt; four at a time keep the ranks evenly busy. */
static size_t together(size_t n_samples)
{
    return n_samples % 4 == 0 ? 4 : n_samples < 4 ? n_samples : 1;
}

static struct sxt_ask make_ask(struct job *job, size_t n)
{
    return (struct sxt_ask){ .n = n,
                             .together = together(job->plan.n_samples),
                             .longest = sxt_plan_longest(&job->plan),
                             .before = job->plan.n_keys - n,
                             .context = job,
                             .prompt = give_prompt,
                             .answer = take_answer,
                             .snapshot_s = job->v->snapshot_s,
                             .tick = tick };
}

static int draw_missing(struct job *job, struct sxt_error *err)
{
    struct sxt_draw draw =
        sxt_sampler_plan(job->sampler, &job->v->asking.sampling);
    struct sxt_ask ask = make_ask(job, job->n_missing);
    struct sxt_sampling_report report;
    int rc = sxt_sampler_draw(job->sampler, &draw, &ask, &report, err);

    if (rc == 0 || (err && err->code == SXT_EXIT_AGAIN))
        sxt_sampling_report_print(job->run, &report);
    return rc;
}

/* ---- the stage ---- */

static void tell_plan(const struct job *job)
{
    const struct sxt_plan *p = &job->plan;

    sxt_sampler_tell(job->sampler, &job->v->asking.sampling);
    sxt_log(&job->run->log, SXT_LOG_INFO,
            "problems %zu  answers each %zu  to draw %zu  (in earlier files "
            "%zu, in journals %zu)",
            p->n_problems, p->n_samples, job->n_missing, p->n_reused,
            p->n_keys - p->n_reused - job->n_missing);
    sxt_worklog_tell(job->log, &job->run->log);
}

static int dry_run(struct job *job, struct sxt_error *err)
{
    const struct sxt_plan *p = &job->plan;
    size_t n = p->n_keys - p->n_reused;
    struct sxt_draw draw =
        sxt_sampler_plan(job->sampler, &job->v->asking.sampling);
    struct sxt_ask ask = make_ask(job, n);

    sxt_sampler_tell(job->sampler, &job->v->asking.sampling);
    sxt_log(&job->run->log, SXT_LOG_INFO,
            "would draw %zu answers to %zu problems (%zu of them are in "
            "earlier files) into %s",
            n, p->n_problems, p->n_reused, job->output);
    return n > 0 ? sxt_sampler_estimate(job->sampler, &draw, &ask, err) : 0;
}

static int draw_and_write(struct job *job, struct sxt_error *err)
{
    job->log = sxt_worklog_open(job->run->comm, job->journal, err);
    if (!job->log)
        return -1;
    find_missing(job);
    tell_plan(job);
    int rc = job->n_missing > 0 ? draw_missing(job, err) : 0;
    if (rc == 0)
        rc = sxt_worklog_finish(job->log, err);
    if (rc == 0)
        rc = sxt_plan_write(&job->plan, job->run, job->v, job->sampler,
                            job->log, job->output, err);
    if (rc == 0)
        rc = sxt_worklog_remove(job->log, err);
    rc = sxt_worklog_close(job->log, rc, err);
    if (rc == 0)
        sxt_log(&job->run->log, SXT_LOG_INFO, "wrote  %s  %zu answers",
                job->output, job->plan.n_keys);
    return rc;
}

/* True if the output is there and holds every answer. */
static bool complete(const struct job *job)
{
    return sxt_file_exists(job->output) && !job->plan.aside &&
           job->plan.n_reused == job->plan.n_keys &&
           !sxt_file_is_directory(job->journal) && job->v->reuse.count == 0;
}

/* Collective. */
static int move_aside(const struct job *job, struct sxt_error *err)
{
    const char *aside = job->plan.aside;
    int rc = 0;

    if (!aside)
        return 0;
    if (job->run->comm.rank == 0 && rename(job->output, aside) != 0)
        rc = sxt_err_errno(err, SXT_EXIT_IO, "%s: cannot be renamed to %s",
                           job->output, aside);
    if (sxt_comm_agree(job->run->comm, rc, err) != 0)
        return -1;
    sxt_log(&job->run->log, SXT_LOG_INFO,
            "%s was made by another model or with other settings; it is now %s",
            job->output, aside);
    return 0;
}

static int run_job(struct job *job, struct sxt_error *err)
{
    job->sampler =
        sxt_sampler_open(job->run, job->v->model, &job->v->asking.engine, err);
    if (!job->sampler)
        return -1;
    int rc = sxt_plan_make(&job->plan, job->run, job->v, job->sampler,
                           job->output, err);
    if (sxt_comm_agree(job->run->comm, rc, err) != 0)
        return -1;
    if (job->run->dry_run)
        return dry_run(job, err);
    int64_t done = complete(job);
    if (-sxt_comm_max(job->run->comm, -done) == 0)
        return move_aside(job, err) == 0 ? draw_and_write(job, err) : -1;
    sxt_log(&job->run->log, SXT_LOG_INFO, "%s is complete; nothing to do",
            job->output);
    return 0;
}

int sxt_generate_run(const struct sxt_run *run, const struct sxt_generate *v,
                     struct sxt_error *err)
{
    struct job job = { .run = run, .v = v };

    job.output = sxt_run_path(run, v->output);
    job.journal = sxt_printf("%s.journal", job.output);
    int rc = run_job(&job, err);
    sxt_sampler_close(job.sampler);
    sxt_plan_free(&job.plan);
    sxt_ids_free(&job.prompt);
    free(job.missing);
    free(job.output);
    free(job.journal);
    return rc;
}

static int run_stage(struct sxt_run *run, const void *values,
                     struct sxt_error *err)
{
    return sxt_generate_run(run, values, err);
}

const struct sxt_stage sxt_stage_generate = {
    .section = { "generate", "Solve problems with a model.",
                 sxt_generate_params, sizeof(struct sxt_generate) },
    .operands = "",
    .run = run_stage
};
