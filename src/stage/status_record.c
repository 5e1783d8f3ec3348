/* status_record.c - the record that a command keeps of itself. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "stage/lease.h"
#include "stage/spark.h"
#include "stage/status.h"

static const double record_s = 2; /* between writings */
static const double bar_s = 0.2;
static const double line_s = 10;

struct sxt_status {
    const struct sxt_stage *stage;
    char *output, *path;       /* of the output as recorded; of the record */
    char *log;                 /* where its lines go, NULL: unknown */
    struct sxt_status_now now; /* told last */
    bool told;
    int gpus; /* the most that were told */
    double began;
    double earlier_rank_s, earlier_gpu_s; /* of calls before, for this output */
    double phase, from;                   /* when `doing` began, and at what */
    double recorded, drawn, lined;
};

static double wall_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A file of the run by its name, any other by its absolute path: the reader may
 * be elsewhere. */
static char *recorded_path(const char *name)
{
    char *cwd = NULL, *path;

    if (!strchr(name, '/'))
        return sxt_strdup(name);
    if (name[0] == '/' || !(cwd = getcwd(NULL, 0)))
        return sxt_strdup(name);
    path = sxt_path_join(cwd, sxt_starts_with(name, "./") ? name + 2 : name);
    free(cwd);
    return path;
}

static char *record_path(const struct sxt_run *run, const char *name)
{
    char *dir = sxt_path_join(run->out_dir, "status");
    char *path = sxt_printf("%s/%s.json", dir, sxt_path_base(name));

    free(dir);
    return path;
}

/* Whole or not at all, but not synced: it is news, not data. */
static void put(const char *path, const struct sxt_json *record)
{
    char *dir = sxt_path_dir(path), *part = sxt_printf("%s.part", path);
    struct sxt_str text = SXT_STR_EMPTY;
    FILE *file = NULL;

    sxt_json_print(record, 1, &text);
    sxt_str_add_char(&text, '\n');
    if (sxt_file_mkdirs(dir, NULL) == 0)
        file = fopen(part, "we");
    if (file) {
        bool whole = fwrite(text.data, 1, text.len, file) == text.len;
        whole = fclose(file) == 0 && whole;
        if (!whole || rename(part, path) != 0)
            remove(part);
    }
    sxt_str_free(&text);
    free(part);
    free(dir);
}

/* ---- what is told ---- */

/* Seconds until the phase ends, NaN if that cannot be told. */
static double seconds_left(const struct sxt_status *s)
{
    const struct sxt_status_now *n = &s->now;
    double did = n->done - s->from, took = sxt_clock() - s->phase;

    if (n->total > 0 && n->done >= n->total)
        return 0;
    if (n->left_s > 0)
        return n->left_s;
    return n->total > 0 && did > 0 ? took / did * (n->total - n->done) : NAN;
}

static double token_rate(const struct sxt_status *s)
{
    double took = sxt_clock() - s->phase;

    return s->now.tokens > 0 && took > 0 ? s->now.tokens / took : NAN;
}

static void set_text(struct sxt_json *o, const char *key, const char *text)
{
    text = text ? text : "";
    sxt_json_set(o, key, sxt_json_new_text(text, strlen(text)));
}

static void set_number(struct sxt_json *o, const char *key, double x)
{
    bool whole = x == floor(x) && fabs(x) < 1e15;

    sxt_json_set(o, key,
                 whole ? sxt_json_new_int((int64_t)x) : sxt_json_new_number(x));
}

static void set_progress(struct sxt_json *o, const struct sxt_run *run)
{
    const struct sxt_status *s = run->status;
    const struct sxt_status_now *n = &s->now;
    double spent = sxt_clock() - s->began;

    set_text(o, "doing", n->doing);
    set_text(o, "unit", n->unit);
    set_number(o, "done", n->done);
    set_number(o, "total", n->total);
    set_number(o, "tokens", n->tokens);
    set_number(o, "tokens_per_s", token_rate(s));
    set_number(o, "left_s", seconds_left(s));
    set_number(o, "ranks", run->comm.size);
    set_number(o, "gpus", s->gpus);
    set_number(o, "rank_s", s->earlier_rank_s + run->comm.size * spent);
    set_number(o, "gpu_s", s->earlier_gpu_s + s->gpus * spent);
    if (n->checkpoints) {
        char *dir = recorded_path(n->checkpoints);
        set_text(o, "checkpoints", dir);
        free(dir);
    }
}

/* The file that lines go to: what SEXTANT_LOG says, else this process's
 * standard output, else its launcher's, which takes what ranks say through a
 * pipe.  NULL: none. */
static char *find_log(void)
{
    const char *named = getenv("SEXTANT_LOG");
    char launcher[64], path[4096], *whole = NULL;
    const char *const tries[] = { "/proc/self/fd/1", launcher };

    if (named && named[0])
        return sxt_strdup(named);
    snprintf(launcher, sizeof(launcher), "/proc/%ld/fd/1", (long)getppid());
    for (size_t i = 0; i < 2 && !whole; i++) {
        struct stat st;
        ssize_t len = readlink(tries[i], path, sizeof(path));
        if (len > 0 && stat(tries[i], &st) == 0 && S_ISREG(st.st_mode))
            whole = sxt_printf("%.*s", (int)len, path);
    }
    return whole;
}

static void set_process(struct sxt_json *o, const struct sxt_run *run)
{
    const char *job = getenv("SLURM_JOB_ID");
    char host[256] = "";

    gethostname(host, sizeof(host) - 1);
    set_text(o, "host", host);
    set_number(o, "pid", (double)getpid());
    set_text(o, "job", job);
    set_text(o, "log", run->status->log);
    set_text(o, "command_line", run->command_line);
    set_number(o, "updated", floor(wall_clock()));
}

static void write_record(const struct sxt_run *run, const char *state, int code,
                         const char *message)
{
    struct sxt_status *s = run->status;
    struct sxt_json *o = sxt_json_object();

    s->recorded = sxt_clock();
    set_text(o, "format", "sextant/status");
    set_number(o, "format_version", 1);
    set_text(o, "command", s->stage->section.name);
    set_text(o, "output", s->output);
    set_text(o, "state", state);
    set_progress(o, run);
    set_process(o, run);
    set_number(o, "exit", code);
    set_text(o, "message", message);
    put(s->path, o);
    sxt_json_free(o);
}

/* ---- what is seen ---- */

/* "120 of 300 answers  12.3 k tokens/s  ETA 3 min 02 s" */
static void describe(const struct sxt_status *s, struct sxt_str *out)
{
    double rate = token_rate(s), left = seconds_left(s);
    char text[32];

    if (!s->now.unit[0]) {
        sxt_str_add(out, "%s", s->now.doing);
        return;
    }
    sxt_str_add(out, "%.0f", s->now.done);
    if (s->now.total > 0)
        sxt_str_add(out, " of %.0f", s->now.total);
    sxt_str_add(out, " %s", s->now.unit);
    if (isfinite(rate)) {
        sxt_log_count(rate, text);
        sxt_str_add(out, "  %s tokens/s", text);
    }
    if (isfinite(left)) {
        sxt_log_duration(left, text);
        sxt_str_add(out, "  ETA %s", text);
    }
}

/* One line that the next one overwrites; sxt_log () clears its rest. */
static void draw_bar(const struct sxt_run *run)
{
    const struct sxt_status *s = run->status;
    struct winsize size = { .ws_col = 80 };
    struct sxt_str line = SXT_STR_EMPTY, facts = SXT_STR_EMPTY;
    double share = s->now.total > 0 ? s->now.done / s->now.total : 0;

    ioctl(fileno(run->log.file), TIOCGWINSZ, &size);
    describe(s, &facts);
    sxt_str_add(&line, "%-10s", run->log.stage);
    if (facts.len + 36 < size.ws_col) {
        sxt_spark_bar(&line, share, 20, sxt_spark_unicode(run->log.file));
        sxt_str_add(&line, " %3.0f %%  ", 100 * share);
    }
    if (facts.len + 12 < size.ws_col)
        fprintf(run->log.file, "%s%s\033[K\r", line.data, facts.data);
    fflush(run->log.file);
    sxt_str_free(&line);
    sxt_str_free(&facts);
}

static void print_line(const struct sxt_run *run)
{
    const struct sxt_status *s = run->status;
    struct sxt_str facts = SXT_STR_EMPTY;
    char limit[SXT_FORETOLD];

    describe(s, &facts);
    sxt_run_foretell(run, s->now.need_s, seconds_left(s), "", s->now.done,
                     s->now.total, limit);
    sxt_log(&run->log, SXT_LOG_INFO, "%s  %s%s", s->now.doing, facts.data,
            limit);
    sxt_str_free(&facts);
}

/* ---- the life of a record ---- */

void sxt_status_tell(const struct sxt_run *run,
                     const struct sxt_status_now *now)
{
    struct sxt_status *s = run->status;
    double t = sxt_clock();

    if (!s)
        return;
    if (!s->told || strcmp(s->now.doing, now->doing) != 0) {
        s->phase = s->lined = t;
        s->from = now->done;
        s->recorded = -INFINITY;
    }
    s->now = *now;
    if (now->gpus > s->gpus)
        s->gpus = now->gpus; /* held while it does other things, too */
    s->told = true;
    if (t - s->recorded >= record_s)
        write_record(run, "running", 0, "");
    if (now->lines && t - s->lined >= line_s) {
        s->lined = t;
        print_line(run);
    }
    if (run->log.live && t - s->drawn >= bar_s) {
        s->drawn = t;
        draw_bar(run);
    }
}

void sxt_status_doing(const struct sxt_run *run, const char *doing)
{
    struct sxt_status_now now = { .doing = doing, .unit = "" };

    sxt_status_tell(run, &now);
}

void sxt_status_performance(const struct sxt_run *run, double count,
                            const char *unit, double began)
{
    double took = sxt_clock() - began;

    if (run->dry_run)
        return;
    sxt_log(&run->log, SXT_LOG_INFO,
            "Performance: %.6g %s/s  %.6g s/rank  %.0f %s", count / took, unit,
            took, count, unit);
}

const char *sxt_status_output(const struct sxt_stage *stage, const void *values)
{
    const struct sxt_cfg_param *p = stage->section.params;

    for (; p->name; p++)
        if (strcmp(p->name, "output") == 0 && p->type == SXT_CFG_STRING)
            return *(char *const *)((const char *)values + p->offset);
    return NULL;
}

static struct sxt_status *begin(const struct sxt_run *run,
                                const struct sxt_stage *stage,
                                const void *values)
{
    const char *output = sxt_status_output(stage, values);

    if (run->comm.rank != 0 || run->dry_run || !output || !output[0])
        return NULL;
    struct sxt_status *s = sxt_calloc(1, sizeof(*s));
    s->stage = stage;
    s->output = recorded_path(output);
    s->path = record_path(run, output);
    s->log = find_log();
    s->now = (struct sxt_status_now){ .doing = "", .unit = "" };
    s->began = s->phase = sxt_clock();
    struct sxt_json *old =
        sxt_file_exists(s->path) ? sxt_json_read(s->path, NULL) : NULL;
    s->earlier_rank_s = sxt_json_number(sxt_json_get(old, "rank_s"), 0);
    s->earlier_gpu_s = sxt_json_number(sxt_json_get(old, "gpu_s"), 0);
    sxt_json_free(old);
    return s;
}

/* A command that told nothing had nothing to do, unless it failed.  With
 * operands it may have been a question, such as `grade --explain`. */
static void end(struct sxt_run *run, int rc, const struct sxt_error *err)
{
    struct sxt_status *s = run->status;
    bool again = rc != 0 && err->code == SXT_EXIT_AGAIN;

    if (run->log.live && s->told)
        fputs("\033[K", run->log.file);
    if (s->told || (rc != 0 && !again && run->n_args == 0))
        write_record(run,
                     rc == 0 ? "done"
                     : again ? "stopped"
                             : "failed",
                     rc == 0 ? 0 : err->code, rc == 0 ? "" : err->text);
    free(s->output);
    free(s->path);
    free(s->log);
    free(s);
    run->status = NULL;
}

/* The lease of the output, if there is one to be made.  Collective. */
static int take_lease(const struct sxt_run *run, const struct sxt_stage *stage,
                      const void *values, struct sxt_lease **lease,
                      struct sxt_error *err)
{
    const char *output = sxt_status_output(stage, values);

    *lease = NULL;
    if (run->dry_run || !output || !output[0] ||
        (stage->asks && stage->asks(values)))
        return 0;
    char *path = sxt_run_path(run, output);
    int rc =
        run->comm.rank == 0 ? sxt_lease_take(path, &run->log, lease, err) : 0;
    free(path);
    return sxt_comm_agree(run->comm, rc, err);
}

int sxt_status_run(struct sxt_run *run, const struct sxt_stage *stage,
                   const void *values, struct sxt_error *err)
{
    struct sxt_lease *lease;
    int rc = sxt_run_check_output(run, stage, values, err);

    if (sxt_comm_agree(run->comm, rc, err) != 0 ||
        take_lease(run, stage, values, &lease, err) != 0)
        return -1;
    run->status = begin(run, stage, values);
    rc = sxt_comm_agree(run->comm, stage->run(run, values, err), err);
    if (run->status)
        end(run, rc, err);
    sxt_lease_release(lease);
    return rc;
}

void sxt_status_plan(const struct sxt_run *run, const char *const *commands,
                     const char *const *outputs, size_t n)
{
    struct sxt_json *o = sxt_json_object(), *steps = sxt_json_array();
    char *path = record_path(run, "pipeline");

    set_text(o, "format", "sextant/status");
    set_number(o, "format_version", 1);
    for (size_t i = 0; i < n; i++) {
        struct sxt_json *step = sxt_json_object();
        char *output = outputs[i] ? recorded_path(outputs[i]) : NULL;
        set_text(step, "command", commands[i]);
        set_text(step, "output", output);
        sxt_json_append(steps, step);
        free(output);
    }
    sxt_json_set(o, "steps", steps);
    put(path, o);
    sxt_json_free(o);
    free(path);
}
