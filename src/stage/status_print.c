/* status_print.c - how far a run is, for people and for machines. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "stage/spark.h"
#include "stage/status_view.h"

static const char *text_of(const struct sxt_json *o, const char *key)
{
    return sxt_json_string(sxt_json_get(o, key), "");
}

static double number_of(const struct sxt_json *o, const char *key)
{
    return sxt_json_number(sxt_json_get(o, key), NAN);
}

char *sxt_status_command(const struct sxt_status_step *step)
{
    double ranks = number_of(step->record, "ranks");
    const char *line = text_of(step->record, "command_line");

    return ranks > 1 ? sxt_printf("mpirun -n %.0f %s", ranks, line)
                     : sxt_strdup(line);
}

/* ---- for people ---- */

/* Text of a file in `width` columns of ASCII; longer ones keep their end. */
static void add_name(struct sxt_str *out, const char *name, int width)
{
    struct sxt_str clean = SXT_STR_EMPTY;

    sxt_spark_text(&clean, name);
    const char *from = clean.data ? clean.data : "";
    if (clean.len > (size_t)width)
        from = sxt_path_base(from);
    sxt_str_add(out, "%-*.*s", width, width, from);
    sxt_str_free(&clean);
}

static void add_duration(struct sxt_str *out, double seconds)
{
    char text[32];

    sxt_log_duration(seconds, text);
    sxt_str_add(out, "%s", text);
}

/* What it took, at the end. */
static void add_effort(struct sxt_str *out, const struct sxt_status_step *s)
{
    double ranks = number_of(s->record, "ranks");

    sxt_str_add(out, "  ");
    add_duration(out, number_of(s->record, "rank_s") / ranks);
    if (ranks > 1)
        sxt_str_add(out, " on %.0f ranks", ranks);
}

/* "  120 of 300 answers  12.3 k tokens/s  ETA 3 min 02 s" */
static void add_facts(struct sxt_str *out, const struct sxt_status_step *s)
{
    double total = number_of(s->record, "total");
    double rate = number_of(s->record, "tokens_per_s");
    char text[32];

    if (s->state == SXT_STATUS_DONE) {
        add_effort(out, s);
    } else if (total > 0) {
        sxt_str_add(out, "  %.0f of %.0f ", number_of(s->record, "done"),
                    total);
        sxt_spark_text(out, text_of(s->record, "unit"));
    } else if (s->state == SXT_STATUS_RUNNING) {
        sxt_str_add(out, "  ");
        sxt_spark_text(out, text_of(s->record, "doing"));
    }
    if (isfinite(rate)) {
        sxt_log_count(rate, text);
        sxt_str_add(out, "  %s tokens/s", text);
    }
    if (s->state == SXT_STATUS_RUNNING && isfinite(s->left_s)) {
        sxt_str_add(out, "  ETA ");
        add_duration(out, s->left_s);
    }
}

static void add_note(struct sxt_str *out, const char *what, const char *text)
{
    if (!text[0])
        return;
    sxt_str_add(out, "%-11s%s ", "", what);
    sxt_spark_text(out, text);
    sxt_str_add(out, "\n");
}

/* When, where and in which job a step was seen alive. */
static void add_last_sign(struct sxt_str *out, const struct sxt_status_step *s)
{
    time_t when = (time_t)number_of(s->record, "updated");
    const char *job = text_of(s->record, "job");
    char age[32], clock[32] = "";
    struct tm local;

    if (localtime_r(&when, &local))
        strftime(clock, sizeof(clock), "%Y-%m-%d %H:%M:%S", &local);
    sxt_log_duration(s->quiet_s, age);
    sxt_str_add(out, "%-11slast sign of life %s, %s ago: process %.0f on ", "",
                clock, age, number_of(s->record, "pid"));
    sxt_spark_text(out, text_of(s->record, "host"));
    sxt_str_add(out, "%s", job[0] ? ", job " : "");
    sxt_spark_text(out, job);
    sxt_str_add(out, "\n");
}

/* What somebody has to know, or to do. */
static void add_notes(struct sxt_str *out, const struct sxt_status_step *s)
{
    char *command = sxt_status_command(s);
    bool goes_on = s->state == SXT_STATUS_STOPPED ||
                   s->state == SXT_STATUS_KILLED ||
                   s->state == SXT_STATUS_FAILED;

    if (s->state == SXT_STATUS_FAILED || s->state == SXT_STATUS_STOPPED)
        add_note(out, s->state == SXT_STATUS_FAILED ? "error:" : "at:",
                 text_of(s->record, "message"));
    if (s->state == SXT_STATUS_KILLED || s->state == SXT_STATUS_SILENT) {
        add_last_sign(out, s);
        add_note(out, "its log ends:", s->last_words ? s->last_words : "");
        add_note(out, "look at:", text_of(s->record, "log"));
    }
    if (goes_on)
        add_note(out, "go on with:", command);
    free(command);
}

double sxt_status_share(const struct sxt_status_step *s)
{
    double total = number_of(s->record, "total");

    if (s->state == SXT_STATUS_DONE)
        return 1;
    return total > 0 ? number_of(s->record, "done") / total : 0;
}

static void add_step(struct sxt_str *out, const struct sxt_status_step *s,
                     bool unicode)
{
    double share = sxt_status_share(s);

    sxt_str_add(out, "%-10s ", s->command);
    add_name(out, s->output, 24);
    sxt_str_add(out, " ");
    sxt_spark_bar(out, share, 16, unicode);
    sxt_str_add(out, " %3.0f %%  %s", floor(100 * share),
                sxt_status_word(s->state));
    if (s->record && s->state != SXT_STATUS_WAITING)
        add_facts(out, s);
    sxt_str_add(out, "\n");
    if (s->record)
        add_notes(out, s);
}

static void add_training(struct sxt_str *out, const struct sxt_status_view *v,
                         bool unicode)
{
    char rate[32];

    if (v->n_loss > 0) {
        sxt_str_add(out, "\nloss       ");
        sxt_spark_line(out, v->loss, v->n_loss, 48, unicode);
        sxt_str_add(out, "  %.4g to %.4g in %.0f steps", v->loss[0],
                    v->loss[v->n_loss - 1], v->last_step);
        if (isfinite(v->tokens_per_s)) {
            sxt_log_count(v->tokens_per_s, rate);
            sxt_str_add(out, "  %s trained tokens/s", rate);
        }
        sxt_str_add(out, "\n");
    }
    if (v->checkpoint) {
        sxt_str_add(out, "checkpoint ");
        sxt_spark_text(out, v->checkpoint);
        sxt_str_add(out, "  ");
        add_duration(out, v->checkpoint_age_s);
        sxt_str_add(out, " ago\n");
    }
}

static void add_samples(struct sxt_str *out, const struct sxt_report *r)
{
    if (r->n_sources > 0)
        sxt_str_add(out, "\n%-24s %8s %8s %8s %8s\n", "source", "answers",
                    "passed", "rate", "kept");
    for (size_t i = 0; i < r->n_sources; i++) {
        const struct sxt_report_source *s = &r->sources[i];
        double rate =
            s->samples > 0 ? (double)s->passed / (double)s->samples : 0;
        add_name(out, s->name, 24);
        sxt_str_add(out, " %8zu %8zu %6.1f %% %8zu\n", s->samples, s->passed,
                    100 * rate, s->kept);
    }
}

size_t sxt_status_count(const struct sxt_status_view *v,
                        enum sxt_status_state state)
{
    size_t n = 0;

    for (size_t i = 0; i < v->n_steps; i++)
        n += v->steps[i].state == state;
    return n;
}

static void add_costs(struct sxt_str *out, const struct sxt_status_view *v)
{
    sxt_str_add(out, "\ncost       %.3g rank-hours", v->rank_hours);
    if (v->gpu_hours > 0)
        sxt_str_add(out, "  %.3g GPU-hours", v->gpu_hours);
    sxt_str_add(out, "  %.2f $ so far", v->dollars);
    if (v->projected > v->dollars)
        sxt_str_add(out, "  %.2f $ when what is begun is done", v->projected);
    sxt_str_add(out, "\n");
}

void sxt_status_view_print(const struct sxt_status_view *v, bool unicode,
                           struct sxt_str *out)
{
    sxt_spark_text(out, v->dir);
    sxt_str_add(out, "  %zu of %zu steps done",
                sxt_status_count(v, SXT_STATUS_DONE), v->n_steps);
    for (int k = SXT_STATUS_RUNNING; k < SXT_STATUS_DONE; k++)
        if (sxt_status_count(v, (enum sxt_status_state)k) > 0)
            sxt_str_add(out, ", %zu %s",
                        sxt_status_count(v, (enum sxt_status_state)k),
                        sxt_status_word((enum sxt_status_state)k));
    sxt_str_add(out, "\n\n");
    for (size_t i = 0; i < v->n_steps; i++)
        add_step(out, &v->steps[i], unicode);
    add_training(out, v, unicode);
    add_samples(out, &v->samples);
    add_costs(out, v);
}

/* ---- for machines ---- */

static void set_text(struct sxt_json *o, const char *key, const char *text)
{
    sxt_json_set(o, key, sxt_json_new_text(text, strlen(text)));
}

static void set_number(struct sxt_json *o, const char *key, double x)
{
    bool whole = x == floor(x) && fabs(x) < 1e15;

    sxt_json_set(o, key,
                 whole ? sxt_json_new_int((int64_t)x) : sxt_json_new_number(x));
}

static struct sxt_json *json_step(const struct sxt_status_step *s)
{
    static const char *const numbers[] = { "done",         "total", "tokens",
                                           "ranks",        "gpus",  "rank_s",
                                           "tokens_per_s", "pid",   "updated",
                                           "exit",         "gpu_s" };
    static const char *const texts[] = { "doing", "unit", "host",
                                         "job",   "log",  "message" };
    struct sxt_json *o = sxt_json_object();
    char *command = sxt_status_command(s);

    set_text(o, "command", s->command);
    set_text(o, "output", s->output);
    set_text(o, "state", sxt_status_word(s->state));
    set_number(o, "share", sxt_status_share(s));
    set_number(o, "left_s", s->left_s);
    for (size_t i = 0; s->record && i < sizeof(numbers) / sizeof(*numbers); i++)
        set_number(o, numbers[i], number_of(s->record, numbers[i]));
    for (size_t i = 0; s->record && i < sizeof(texts) / sizeof(*texts); i++)
        set_text(o, texts[i], text_of(s->record, texts[i]));
    if (s->record)
        set_text(o, "go_on_with", command);
    if (s->last_words)
        set_text(o, "last_words", s->last_words);
    free(command);
    return o;
}

static struct sxt_json *json_sources(const struct sxt_report *r)
{
    struct sxt_json *all = sxt_json_array();

    for (size_t i = 0; i < r->n_sources; i++) {
        struct sxt_json *o = sxt_json_object();
        set_text(o, "source", r->sources[i].name);
        set_number(o, "answers", (double)r->sources[i].samples);
        set_number(o, "passed", (double)r->sources[i].passed);
        set_number(o, "kept", (double)r->sources[i].kept);
        sxt_json_append(all, o);
    }
    return all;
}

static struct sxt_json *json_training(const struct sxt_status_view *v)
{
    struct sxt_json *o = sxt_json_object(), *loss = sxt_json_array();

    for (size_t i = 0; i < v->n_loss; i++)
        sxt_json_append(loss, sxt_json_new_number(v->loss[i]));
    set_number(o, "step", v->last_step);
    set_number(o, "trained_tokens_per_s", v->tokens_per_s);
    sxt_json_set(o, "loss", loss);
    if (v->checkpoint) {
        set_text(o, "checkpoint", v->checkpoint);
        set_number(o, "checkpoint_step", v->checkpoint_step);
        set_number(o, "checkpoint_age_s", v->checkpoint_age_s);
    }
    return o;
}

struct sxt_json *sxt_status_view_object(const struct sxt_status_view *v)
{
    struct sxt_json *o = sxt_json_object(), *steps = sxt_json_array();
    struct sxt_json *cost = sxt_json_object();

    set_text(o, "run", v->dir);
    for (size_t i = 0; i < v->n_steps; i++)
        sxt_json_append(steps, json_step(&v->steps[i]));
    sxt_json_set(o, "steps", steps);
    if (v->n_loss > 0 || v->checkpoint)
        sxt_json_set(o, "training", json_training(v));
    if (v->samples.n_sources > 0)
        sxt_json_set(o, "sources", json_sources(&v->samples));
    set_number(cost, "rank_hours", v->rank_hours);
    set_number(cost, "gpu_hours", v->gpu_hours);
    set_number(cost, "dollars", v->dollars);
    set_number(cost, "projected", v->projected);
    sxt_json_set(o, "cost", cost);
    return o;
}
