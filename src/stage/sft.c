/* sft.c - full-parameter fine-tuning: ZeRO-3, checkpoints, exact resume. */
#include "stage/sft.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/events.h"
#include "base/mem.h"
#include "dev/watch.h"
#include "stage/formats.h"
#include "stage/lease.h"
#include "stage/placement.h"
#include "stage/stages.h"

/* Device and backend; nothing large yet.  Collective. */
static int open_backend(struct sxt_sft *s, struct sxt_error *err)
{
    if (sxt_placement_open(s->run, &s->v->placement, SXT_NUM_TRAIN, &s->dev,
                           &s->num, err) != 0)
        return -1;
    sxt_dev_set_patience(s->dev, s->v->patience);
    s->setup = sxt_sft_setup(&s->head.layout, s->v, s->run->comm);
    s->setup.num = s->num;
    return 0;
}

/* What blocks keep.  auto: as much as fits into three quarters of this rank's
 * part of the free memory, beside all else; the last quarter is for files and
 * for what others may yet ask for.  The narrowest rank counts.  Collective. */
static struct sxt_net_room choose_room(const struct sxt_sft *s)
{
    int ranks = sxt_comm_on_node(s->run->comm);
    size_t bytes = sxt_dev_room(s->dev, ranks) / 4 * 3;
    struct sxt_net_room room =
        sxt_sft_room(&s->setup, s->v, s->most_inputs, bytes);

    room.keep_attn =
        (size_t)-sxt_comm_max(s->run->comm, -(int64_t)room.keep_attn);
    room.keep = (size_t)-sxt_comm_max(s->run->comm, -(int64_t)room.keep);
    return room;
}

static void allocate(struct sxt_sft *s)
{
    s->z = sxt_zero3_create(&s->setup);
    if (s->run->comm.size > 1)
        sxt_log(&s->run->log, SXT_LOG_INFO, "between ranks  %s",
                sxt_zero3_between(s->z));
    s->o = sxt_optim_create(s->z);
    s->net = sxt_net_create(&s->head.layout, s->num, s->setup.type, &s->room);
    s->ids = sxt_alloc(s->most_inputs, sizeof(*s->ids));
    s->target = sxt_alloc(s->most_inputs, sizeof(*s->target));
    s->cu = sxt_alloc(s->most_inputs + 1, sizeof(*s->cu));
    s->progress.metrics = sxt_frame_create(sxt_metric_columns);
}

static void release(struct sxt_sft *s)
{
    if (s->jsonl)
        fclose(s->jsonl);
    sxt_events_close(s->events);
    if (s->progress.metrics)
        sxt_frame_destroy(s->progress.metrics);
    free(s->ids);
    free(s->target);
    free(s->cu);
    if (s->net)
        sxt_net_destroy(s->net);
    sxt_optim_destroy(s->o);
    sxt_zero3_destroy(s->z);
    sxt_num_close(s->dev, s->num);
    s->run->hashed = NULL;
    sxt_str_free(&s->hashed);
    sxt_lease_release(s->lease);
    sxt_sft_unload(s);
}

/* From the newest checkpoint, or from the base model. */
static int start(struct sxt_sft *s, struct sxt_error *err)
{
    if (sxt_checkpoint_restore(&s->ckpt, &s->progress, err) != 0)
        return -1;
    if (s->progress.step == 0)
        return sxt_checkpoint_begin(&s->ckpt, err);
    sxt_log(&s->run->log, SXT_LOG_INFO, "goes on behind step %" PRId64,
            s->progress.step);
    return 0;
}

static int save(struct sxt_sft *s, struct sxt_error *err)
{
    double before = sxt_clock(), took;
    int rc;

    sxt_watch_enter(s->dev, "a checkpoint");
    rc = sxt_checkpoint_save(&s->ckpt, &s->progress, err);
    sxt_watch_back(s->dev);
    took = sxt_clock() - before;
    s->save_s += took;
    s->longest_save_s = took > s->longest_save_s ? took : s->longest_save_s;
    if (rc == 0)
        sxt_log(&s->run->log, SXT_LOG_INFO,
                "saved %s/step-%" PRId64 ".h5 in %.1f s", s->ckpt.dir,
                s->progress.step, took);
    return rc;
}

/* Rank 0's clock decides for all. */
static bool decide(const struct sxt_sft *s, bool wish)
{
    return sxt_comm_max(s->run->comm, s->run->comm.rank == 0 && wish) > 0;
}

static bool save_is_due(const struct sxt_sft *s, double last_save)
{
    int64_t every = s->v->checkpoint.every_steps;
    double minutes = s->v->checkpoint.every_minutes;
    bool by_time = minutes > 0 && sxt_clock() - last_save >= 60 * minutes;

    return decide(s, by_time) || (every > 0 && s->progress.step % every == 0);
}

/* Told to, or no time for another step, or all the steps of this call. */
static bool must_stop(const struct sxt_sft *s, enum sxt_stop *why)
{
    *why = sxt_run_stops(s->run, sxt_sft_need_s(s));
    return *why || (s->v->stop_after > 0 &&
                    s->progress.step - s->first_step >= s->v->stop_after);
}

static bool eval_is_due(const struct sxt_sft *s)
{
    int64_t every =
        s->v->eval_every > 0 ? s->v->eval_every : s->steps_per_epoch;

    return s->eval.tokens.n > 0 && (s->progress.step % every == 0 ||
                                    s->progress.step == s->total_steps);
}

static int do_step(struct sxt_sft *s, struct sxt_error *err)
{
    struct sxt_sft_result r;
    double before = sxt_clock();

    if (sxt_sft_step(s, s->progress.step + 1, &r, err) != 0)
        return -1;
    s->progress.step++;
    s->progress.tokens += r.inputs;
    s->step_s = sxt_clock() - before;
    if (eval_is_due(s))
        r.eval_loss = sxt_sft_evaluate(s);
    sxt_dev_seal(s->dev, true); /* the other steps allocate nothing */
    if (sxt_clock() - before > s->longest_s)
        s->longest_s = sxt_clock() - before;
    sxt_sft_report_step(s, &r);
    return 0;
}

/* All steps that are left.  A clean stop is the error SXT_EXIT_AGAIN. */
static int train(struct sxt_sft *s, struct sxt_error *err)
{
    double last_save = sxt_clock();
    enum sxt_stop why;

    while (s->progress.step < s->total_steps) {
        if (do_step(s, err) != 0)
            return -1;
        if (s->progress.step == s->total_steps)
            break;
        sxt_watch_enter(s->dev, "what comes behind a step");
        bool stop = must_stop(s, &why), due = save_is_due(s, last_save);
        sxt_watch_back(s->dev);
        if (stop || due) {
            if (save(s, err) != 0)
                return -1;
            last_save = sxt_clock();
        }
        if (stop)
            return sxt_run_stopped(
                why, err, "behind step %" PRId64 " of %" PRId64 ", state saved",
                s->progress.step, s->total_steps);
    }
    return 0;
}

/* The model comes last: where it is, the run is done. */
static int finish(struct sxt_sft *s, struct sxt_error *err)
{
    char *path = sxt_run_path(s->run, s->v->output);
    int rc;

    sxt_watch_enter(s->dev, "the model's file");
    rc = sxt_sft_report_end(s, err);
    if (rc == 0)
        rc = sxt_checkpoint_export(&s->ckpt, path, err);
    sxt_watch_back(s->dev);
    if (rc == 0)
        sxt_log(&s->run->log, SXT_LOG_INFO, "wrote %s", path);
    free(path);
    return rc;
}

/* Runs with other outputs may still share their checkpoints.  Collective. */
static int take_checkpoints(struct sxt_sft *s, struct sxt_error *err)
{
    int rc = 0;

    if (s->run->comm.rank == 0)
        rc = sxt_lease_take(s->ckpt.dir, &s->run->log, &s->lease, err);
    return sxt_comm_agree(s->run->comm, rc, err);
}

static int run_loaded(struct sxt_sft *s, struct sxt_error *err)
{
    if (s->v->show_sample >= 0)
        return sxt_sft_show_sample(s, err);
    if (open_backend(s, err) != 0)
        return -1;
    s->room = choose_room(s);
    sxt_sft_report_plan(s);
    if (sxt_sft_report_disk(s, err) != 0)
        return -1;
    if (s->run->dry_run)
        return 0;
    if (take_checkpoints(s, err) != 0)
        return -1;
    if (sxt_run_hash(s->run, s->ckpt.inputs, s->ckpt.n_inputs, &s->hashed,
                     err) != 0)
        return -1;
    s->run->hashed = s->hashed.data ? s->hashed.data : "";
    allocate(s);
    s->ckpt.z = s->z;
    s->ckpt.o = s->o;
    s->ckpt.base = s->base;
    s->ckpt.settings = s->settings.data;
    sxt_watch_enter(s->dev, "the state to begin with");
    int rc = start(s, err);
    if (rc == 0)
        rc = sxt_sft_report_begin(s, err);
    sxt_watch_back(s->dev);
    if (rc != 0 || train(s, err) != 0)
        return -1;
    return finish(s, err);
}

static int run_sft(struct sxt_run *run, const void *values,
                   struct sxt_error *err)
{
    const struct sxt_sft_values *v = values;
    struct sxt_sft s = { .run = run, .v = v };
    char *dir = sxt_run_path(run, v->checkpoint.dir);
    char *inputs[] = { sxt_run_path(run, v->model), sxt_run_path(run, v->train),
                       v->eval[0] ? sxt_run_path(run, v->eval) : NULL };
    int rc;

    double most = sxt_clock() + 60 * v->max_minutes;
    if (v->max_minutes > 0 && (run->ends == 0 || most < run->ends))
        run->ends = most;
    s.ckpt = (struct sxt_checkpoint){
        .run = run,
        .dir = dir,
        .keep = (int)v->checkpoint.keep,
        .inputs = (const char *const *)inputs,
        .n_inputs = inputs[2] ? 3 : 2,
    };
    rc = sxt_sft_load(&s, err);
    if (rc == 0)
        rc = run_loaded(&s, err);
    release(&s);
    for (size_t i = 0; i < 3; i++)
        free(inputs[i]);
    free(dir);
    return rc;
}

static bool asks(const void *values)
{
    return ((const struct sxt_sft_values *)values)->show_sample >= 0;
}

const struct sxt_stage sxt_stage_sft = {
    .section = { "sft", "Fine-tune every parameter of a model on samples.",
                 sxt_sft_params, sizeof(struct sxt_sft_values) },
    .operands = "",
    .run = run_sft,
    .asks = asks,
};
