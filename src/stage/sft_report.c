/* sft_report.c - what people and files see of a fine-tuning run. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/events.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "stage/formats.h"
#include "stage/sft.h"
#include "stage/status.h"

static const double mib = 1024 * 1024;

static void tell(const struct sxt_sft *s, const char *doing)
{
    struct sxt_status_now now = {
        .doing = doing,
        .unit = "steps",
        .done = (double)s->progress.step,
        .total = (double)s->total_steps,
        .tokens = (double)s->inputs,
        .checkpoints = s->v->checkpoint.dir,
        .gpus = sxt_dev_gpus(s->dev),
    };

    sxt_status_tell(s->run, &now);
}

static void row(const struct sxt_log *log, const char *what, size_t bytes,
                const char *note)
{
    sxt_log(log, SXT_LOG_INFO, "  %-12s %10.1f%s%s", what, (double)bytes / mib,
            note[0] ? "  " : "", note);
}

/* The memory of a rank, by purpose. */
void sxt_sft_report_plan(const struct sxt_sft *s)
{
    const struct sxt_log *log = &s->run->log;
    struct sxt_sft_memory m = sxt_sft_memory(&s->setup, &s->room);
    char kept[80];
    char text[32], backend[200];

    sxt_num_describe(s->num, backend);
    sxt_log(log, SXT_LOG_INFO, "%s", backend);
    sxt_log_count((double)sxt_model_parameters(&s->head.layout.config), text);
    sxt_log(log, SXT_LOG_INFO,
            "%s parameters  %zu samples  %" PRId64 " steps of %" PRId64
            "  %" PRId64 " steps/epoch  %d rank%s",
            text, s->train.tokens.n, s->total_steps, s->v->batch,
            s->steps_per_epoch, s->run->comm.size,
            s->run->comm.size == 1 ? "" : "s");
    sxt_log(log, SXT_LOG_INFO,
            "learning rate %g  %s  warm-up %" PRId64 " steps  largest bin %zu "
            "tokens",
            s->v->lr, s->v->schedule.kind, s->sched.warmup, s->most_inputs);
    sxt_log(log, SXT_LOG_INFO, "memory of a rank, MiB");
    row(log, "parameters", m.zero3.params, "");
    row(log, "gathered", m.zero3.gathered, "");
    row(log, "optimizer", m.optim.device, "");
    row(log, "gradients", m.zero3.grads, "");
    row(log, "reducing", m.zero3.reducing, "");
    sxt_sft_describe_room(&s->room, s->head.layout.config.layers, kept);
    row(log, "activations", sxt_sft_memory_for(&m, SXT_DEV_ACTIVATIONS), kept);
    row(log, "together", m.device, "");
    if (m.host > 0)
        row(log, "on the host", m.host, "pinned");
    tell(s, "loading");
}

/* ---- metrics ---- */

static void add_number(struct sxt_json *line, const char *name, double x)
{
    sxt_json_set(line, name, sxt_json_new_number(x));
}

/* One row of the metrics as a line of JSON. */
static void write_line(FILE *file, const struct sxt_frame *m, size_t row)
{
    struct sxt_json *line = sxt_json_object();
    struct sxt_str text = SXT_STR_EMPTY;

    for (size_t col = 0; col < sxt_frame_width(m); col++) {
        const struct sxt_column *c = &sxt_frame_columns(m)[col];
        if (c->type == SXT_COL_I64)
            sxt_json_set(line, c->name,
                         sxt_json_new_int(sxt_frame_i64(m, col, row)));
        else
            add_number(line, c->name, sxt_frame_f64(m, col, row));
    }
    sxt_json_print(line, 0, &text);
    fprintf(file, "%s\n", text.data);
    sxt_str_free(&text);
    sxt_json_free(line);
}

/* Checkpoints of an earlier call have their room already. */
static int judge_disk(const struct sxt_sft *s, struct sxt_error *err)
{
    struct sxt_sft_disk disk = sxt_sft_disk(&s->head.layout, s->v);
    double room = sxt_file_room(s->ckpt.dir);
    bool first = !sxt_file_is_directory(s->ckpt.dir);
    int keep = first ? s->ckpt.keep : 0;
    enum sxt_sft_fit fit = sxt_sft_disk_fit(&disk, keep, room);
    const char *cure = "remove files, or work elsewhere with -o";

    if (fit == SXT_SFT_FULL && first)
        return sxt_err(err, SXT_EXIT_IO,
                       "%s: a checkpoint takes %.4g GB, and %.4g GB are free: "
                       "nothing that is learned could be saved; %s",
                       s->ckpt.dir, disk.checkpoint / 1e9, room / 1e9, cure);
    sxt_log(&s->run->log, fit == SXT_SFT_FITS ? SXT_LOG_VERBOSE : SXT_LOG_WARN,
            "disk: %d more checkpoints of %.4g GB and the model of %.4g GB; "
            "%.4g GB are free%s%s",
            keep + 1, disk.checkpoint / 1e9, disk.model / 1e9, room / 1e9,
            fit == SXT_SFT_FITS ? "" : ": ", fit == SXT_SFT_FITS ? "" : cure);
    return 0;
}

int sxt_sft_report_disk(const struct sxt_sft *s, struct sxt_error *err)
{
    int rc = s->run->comm.rank == 0 ? judge_disk(s, err) : 0;

    return sxt_comm_agree(s->run->comm, rc, err);
}

/* Write metrics.jsonl anew up to the restored step, and keep it open. */
static int open_jsonl(struct sxt_sft *s, struct sxt_error *err)
{
    char *path = sxt_run_path(s->run, "metrics.jsonl");
    const struct sxt_frame *m = s->progress.metrics;
    int rc = 0;

    s->jsonl = fopen(path, "w");
    if (!s->jsonl)
        rc = sxt_err_errno(err, SXT_EXIT_IO, "%s", path);
    for (size_t row = 0; rc == 0 && row < sxt_frame_rows(m); row++)
        write_line(s->jsonl, m, row);
    free(path);
    return rc;
}

/* Event files are a copy for those who like to look at it: no run ends because
 * they cannot be written. */
static void close_events(struct sxt_sft *s, const struct sxt_error *err)
{
    sxt_log(&s->run->log, SXT_LOG_WARN, "no event files from here on: %s",
            err->text);
    sxt_events_close(s->events);
    s->events = NULL;
}

static void open_events(struct sxt_sft *s)
{
    char *dir = sxt_run_path(s->run, "tensorboard");
    struct sxt_error err = { 0 };

    s->events = sxt_events_open(dir, s->progress.step, &err);
    if (!s->events)
        close_events(s, &err);
    free(dir);
}

static void add_events(struct sxt_sft *s, const struct sxt_sft_result *r)
{
    int64_t step = s->progress.step;
    const struct sxt_event_value values[] = {
        { "train/loss", r->loss },
        { "train/grad_norm", r->grad_norm },
        { "train/lr", r->lr },
        { "train/epoch", (double)step / (double)s->steps_per_epoch },
        { "train/tokens_per_s", (double)r->inputs / s->step_s },
        { "eval/loss", r->eval_loss },
    };
    struct sxt_error err = { 0 };

    if (s->events &&
        sxt_events_add(s->events, step, values,
                       sizeof(values) / sizeof(*values), &err) != 0)
        close_events(s, &err);
}

int sxt_sft_report_begin(struct sxt_sft *s, struct sxt_error *err)
{
    int rc = s->run->comm.rank == 0 ? open_jsonl(s, err) : 0;

    if (s->run->comm.rank == 0 && s->v->tensorboard)
        open_events(s);
    s->first_step = s->progress.step;
    s->began = sxt_clock();
    tell(s, "training");
    return sxt_comm_agree(s->run->comm, rc, err);
}

static void add_metrics(struct sxt_sft *s, const struct sxt_sft_result *r)
{
    struct sxt_frame *m = s->progress.metrics;
    int64_t step = s->progress.step;

    sxt_frame_add(m);
    sxt_frame_set_i64(m, SXT_METRIC_STEP, step);
    sxt_frame_set_f64(m, SXT_METRIC_EPOCH,
                      (double)step / (double)s->steps_per_epoch);
    sxt_frame_set_f64(m, SXT_METRIC_LOSS, r->loss);
    sxt_frame_set_f64(m, SXT_METRIC_GRAD_NORM, r->grad_norm);
    sxt_frame_set_f64(m, SXT_METRIC_LR, r->lr);
    sxt_frame_set_i64(m, SXT_METRIC_TOKENS, r->learned);
    sxt_frame_set_f64(m, SXT_METRIC_SECONDS, s->step_s);
    sxt_frame_set_f64(m, SXT_METRIC_EVAL_LOSS, r->eval_loss);
    if (s->jsonl) {
        write_line(s->jsonl, m, sxt_frame_rows(m) - 1);
        fflush(s->jsonl);
    }
}

/* ---- the time limit ---- */

/* Seconds that a save takes: the longest one, and before the first what its
 * bytes take at 1 GB/s, a little for one node's share of a parallel file
 * system. */
static double save_seconds(const struct sxt_sft *s)
{
    struct sxt_sft_memory m = sxt_sft_memory(&s->setup, &s->room);
    double bytes = (double)(m.zero3.params + m.zero3.host + m.optim.device +
                            m.optim.host) *
                   s->run->comm.size;

    return s->longest_save_s > 0 ? s->longest_save_s : bytes / 1e9;
}

double sxt_sft_need_s(const struct sxt_sft *s)
{
    return 2 * (s->longest_s + save_seconds(s));
}

/* The signal before the end must come early enough; said once. */
static void check_lead(struct sxt_sft *s)
{
    double need = s->longest_s + save_seconds(s);

    if (s->lead_checked || s->run->lead_s == 0 || s->run->lead_s >= need)
        return;
    s->lead_checked = true;
    sxt_log(&s->run->log, SXT_LOG_WARN,
            "the job is told to stop %.0f s before its end, but a step and a "
            "checkpoint take %.0f s: sbatch --signal=B:USR1@%.0f",
            s->run->lead_s, ceil(need), ceil(2 * need));
}

void sxt_sft_report_step(struct sxt_sft *s, const struct sxt_sft_result *r)
{
    int64_t step = s->progress.step, done = step - s->first_step;
    double elapsed = sxt_clock() - s->began;
    char rate[32], left[32], limit[SXT_FORETOLD], eval[40] = "";
    double left_s = elapsed / (double)done * (double)(s->total_steps - step);

    s->inputs += r->inputs;
    add_metrics(s, r);
    add_events(s, r);
    tell(s, "training");
    check_lead(s);
    if (step % s->v->log_every != 0 && step != s->total_steps)
        return;
    sxt_log_count((double)r->inputs / s->step_s, rate);
    sxt_log_duration(left_s, left);
    sxt_run_foretell(s->run, sxt_sft_need_s(s), left_s, "step ", (double)step,
                     (double)s->total_steps, limit);
    if (!isnan(r->eval_loss))
        snprintf(eval, sizeof(eval), "  held-out loss %.4f", r->eval_loss);
    sxt_log(&s->run->log, SXT_LOG_INFO,
            "step %" PRId64 " of %" PRId64 "  loss %.4f  grad norm %.4g  lr "
            "%.3g  %s tokens/s  left %s%s%s",
            step, s->total_steps, r->loss, r->grad_norm, r->lr, rate, left,
            limit, eval);
}

/* Model FLOP of the steps of this call: forward once, backward twice; what is
 * recomputed does not count. */
static double model_flop(const struct sxt_sft *s)
{
    return 3 * (double)s->inputs *
           sxt_model_flop_per_token(&s->head.layout.config);
}

static int write_metrics(struct sxt_sft *s, struct sxt_error *err)
{
    char *path = sxt_run_path(s->run, "metrics.h5");
    struct sxt_frame *none = sxt_frame_create(sxt_metric_columns);
    struct sxt_out *out = sxt_run_create(s->run, path, SXT_METRICS_FORMAT, 1,
                                         "Metrics of a fine-tuning run.",
                                         s->ckpt.inputs, s->ckpt.n_inputs, err);
    int rc = -1;

    if (out) {
        sxt_out_frame(out, "steps",
                      s->run->comm.rank == 0 ? s->progress.metrics : none,
                      NULL);
        rc = sxt_out_commit(out, err);
    }
    sxt_frame_destroy(none);
    free(path);
    return rc;
}

/* ---- the end ---- */

/* What was in use at most, beside what was foretold. */
static void report_memory(const struct sxt_sft *s)
{
    struct sxt_sft_memory m = sxt_sft_memory(&s->setup, &s->room);
    const struct sxt_log *log = &s->run->log;

    sxt_log(log, SXT_LOG_INFO, "memory of rank 0, MiB      at most    planned");
    for (int p = 0; p < SXT_DEV_PURPOSES; p++) {
        size_t peak = sxt_dev_peak_for(s->dev, p);
        size_t planned = sxt_sft_memory_for(&m, p);
        if (peak > 0 || planned > 0)
            sxt_log(log, SXT_LOG_INFO, "  %-20s %11.3f %10.3f",
                    sxt_dev_purpose_name(p), (double)peak / mib,
                    (double)planned / mib);
    }
    sxt_log(log, SXT_LOG_INFO, "  %-20s %11.3f %10.3f", "together",
            (double)sxt_dev_peak(s->dev) / mib, (double)m.device / mib);
    if (m.host > 0)
        sxt_log(log, SXT_LOG_INFO, "  %-20s %11.3f %10.3f", "on the host",
                (double)sxt_pinned_peak(s->dev) / mib, (double)m.host / mib);
}

/* Least, mean and most seconds of all ranks.  Collective. */
static void report_phase(const struct sxt_sft *s, const char *what, double x)
{
    size_t n = (size_t)s->run->comm.size, *at;
    double least = x, most = x, sum = 0, *all;
    char *bytes;

    sxt_comm_allgather_bytes(s->run->comm, &x, sizeof(x), &bytes, &at);
    all = (double *)(void *)bytes;
    for (size_t i = 0; i < n; i++) {
        least = all[i] < least ? all[i] : least;
        most = all[i] > most ? all[i] : most;
        sum += all[i];
    }
    sxt_log(&s->run->log, SXT_LOG_INFO, "  %-20s %9.3f %9.3f %9.3f", what,
            least, sum / (double)n, most);
    free(bytes);
    free(at);
}

/* What a rank's own time went into.  Collective. */
static void report_phases(const struct sxt_sft *s, double elapsed)
{
    struct sxt_zero3_traffic t = sxt_zero3_traffic(s->z);
    const struct sxt_log *log = &s->run->log;
    double waits = t.gather_s + t.reduce_s + t.settle_s;

    sxt_log(log, SXT_LOG_INFO,
            "seconds of a rank         least      mean      most");
    report_phase(s, "waiting: parameters", t.gather_s);
    report_phase(s, "waiting: gradients", t.reduce_s);
    report_phase(s, "waiting: host update", t.settle_s);
    report_phase(s, "update", s->update_s);
    report_phase(s, "saving", s->save_s);
    report_phase(s, "all else", elapsed - waits - s->update_s - s->save_s);
    sxt_log(log, SXT_LOG_INFO,
            "a rank received %.4g GB of parameters and %.4g GB of gradients",
            t.gathered / 1e9, t.reduced / 1e9);
}

int sxt_sft_report_end(struct sxt_sft *s, struct sxt_error *err)
{
    const struct sxt_log *log = &s->run->log;
    double elapsed = sxt_clock() - s->began;
    int64_t steps = s->progress.step - s->first_step;
    char text[32];

    if (write_metrics(s, err) != 0)
        return -1;
    sxt_log_duration(elapsed, text);
    sxt_log(log, SXT_LOG_INFO, "%" PRId64 " steps in %s", steps, text);
    report_memory(s);
    report_phases(s, elapsed);
    if (steps > 0)
        sxt_log(log, SXT_LOG_INFO,
                "Performance: %.6g tokens/s  %.6g s/step  %.6g GFLOP/s",
                (double)s->inputs / elapsed, elapsed / (double)steps,
                model_flop(s) / elapsed / 1e9);
    return 0;
}
