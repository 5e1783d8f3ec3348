/* status.c - how far a run is: asks its files, never its processes. */
#define _GNU_SOURCE
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "stage/spark.h"
#include "stage/stages.h"
#include "stage/status_view.h"

#define AT(field) offsetof(struct sxt_status_values, field)
static const struct sxt_cfg_param params[] = {
    { "json", SXT_CFG_BOOL, "false", 0, 0, "1", "Print JSON, for machines.",
      AT(json), NULL, NULL },
    { "watch", SXT_CFG_REAL, "0", 0, 1e6, "s",
      "Look again this often, until interrupted; 0: once.", AT(watch), NULL,
      NULL },
    { "price", SXT_CFG_REAL, "-1", -1, 1e6, "$/h",
      "Price of a rank for an hour; -1: 3 for a GPU, 0 for a processor.",
      AT(price), NULL, NULL },
    { "silent_minutes", SXT_CFG_REAL, "30", 0, 1e6, "min",
      "A step that should run and told nothing for so long is called silent.",
      AT(silent_minutes), NULL, NULL },
    { .name = NULL }
};

static void describe_run(const struct sxt_status_view *view, bool json,
                         struct sxt_str *out)
{
    struct sxt_json *o = json ? sxt_status_view_object(view) : NULL;

    if (!json) {
        sxt_status_view_print(view, sxt_spark_unicode(stdout), out);
        return;
    }
    sxt_json_print(o, 1, out);
    sxt_str_add_char(out, '\n');
    sxt_json_free(o);
}

/* A folder that is no run may hold some. */
static int describe_runs(const struct sxt_run *run, const char *dir,
                         const struct sxt_status_values *v, struct sxt_str *out)
{
    struct sxt_status_values brief = *v;
    struct sxt_status_runs runs;

    brief.brief = !v->json;
    int rc = sxt_status_runs_read(run, dir, &brief, &runs);
    if (rc == 0 && v->json)
        sxt_status_runs_json(&runs, out);
    else if (rc == 0)
        sxt_status_runs_print(&runs, sxt_spark_unicode(stdout), out);
    sxt_status_runs_free(&runs);
    return rc;
}

static int describe(const struct sxt_run *run, const char *dir,
                    const struct sxt_status_values *v, struct sxt_str *out,
                    struct sxt_error *err)
{
    struct sxt_status_view view;
    int rc = sxt_status_view_read(run, dir, v, &view, err);

    if (rc == 0)
        describe_run(&view, v->json, out);
    sxt_status_view_free(&view);
    if (rc != 0 && sxt_file_is_directory(dir))
        rc = describe_runs(run, dir, v, out);
    return rc;
}

static int show(const struct sxt_run *run, const char *dir,
                const struct sxt_status_values *v, struct sxt_error *err)
{
    struct sxt_str text = SXT_STR_EMPTY;
    int rc = describe(run, dir, v, &text, err);

    if (rc == 0) {
        if (v->watch > 0 && isatty(STDOUT_FILENO))
            fputs("\033[H\033[J", stdout);
        fwrite(text.data, 1, text.len, stdout);
        fflush(stdout);
    }
    sxt_str_free(&text);
    return rc;
}

/* A signal ends the wait early. */
static void wait_for(double seconds)
{
    time_t whole = (time_t)seconds;
    long rest = (long)(1e9 * (seconds - (double)whole));

    nanosleep(&(struct timespec){ whole, rest }, NULL);
}

static int run_status(struct sxt_run *run, const void *values,
                      struct sxt_error *err)
{
    const struct sxt_status_values *v = values;
    const char *dir = run->n_args > 0 ? run->args[0] : run->out_dir;
    int rc;

    if (run->n_args > 1)
        return sxt_err(err, SXT_EXIT_USAGE, "status takes one run");
    if (run->comm.rank != 0)
        return 0;
    while ((rc = show(run, dir, v, err)) == 0 && v->watch > 0 && !*run->stop)
        wait_for(v->watch);
    return rc;
}

const struct sxt_stage sxt_stage_status = {
    .section = { "status", "Say how far a run is, also while it goes on.",
                 params, sizeof(struct sxt_status_values) },
    .operands = "[RUN]",
    .run = run_status,
    .answers = true
};
