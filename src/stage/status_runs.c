/* status_runs.c - a line for each run in a folder of runs. */
#define _GNU_SOURCE
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "stage/spark.h"
#include "stage/status_view.h"

int sxt_status_runs_read(const struct sxt_run *run, const char *dir,
                         const struct sxt_status_values *v,
                         struct sxt_status_runs *runs)
{
    struct dirent **entry = NULL;
    int found = scandir(dir, &entry, NULL, versionsort);

    *runs = (struct sxt_status_runs){ 0 };
    runs->views =
        sxt_calloc(found > 0 ? (size_t)found : 1, sizeof(*runs->views));
    for (int i = 0; i < found; i++) {
        char *path = sxt_path_join(dir, entry[i]->d_name);
        struct sxt_status_view *view = &runs->views[runs->n];
        if (entry[i]->d_name[0] != '.' && sxt_file_is_directory(path) &&
            sxt_status_view_read(run, path, v, view, NULL) == 0)
            runs->n++;
        else
            sxt_status_view_free(view);
        free(path);
        free(entry[i]);
    }
    free(entry);
    return runs->n > 0 ? 0 : -1;
}

void sxt_status_runs_free(struct sxt_status_runs *runs)
{
    for (size_t i = 0; i < runs->n; i++)
        sxt_status_view_free(&runs->views[i]);
    free(runs->views);
}

/* What a run is at: its last step that began; NULL if none did. */
static const struct sxt_status_step *step_at(const struct sxt_status_view *v)
{
    const struct sxt_status_step *at = NULL;

    for (size_t i = 0; i < v->n_steps; i++)
        if (v->steps[i].state != SXT_STATUS_WAITING)
            at = &v->steps[i];
    return at;
}

static void add_run(struct sxt_str *out, const struct sxt_status_view *v,
                    bool unicode)
{
    const struct sxt_status_step *at = step_at(v);
    size_t done = sxt_status_count(v, SXT_STATUS_DONE);
    struct sxt_str name = SXT_STR_EMPTY;
    char left[32];

    sxt_spark_text(&name, sxt_path_base(v->dir));
    sxt_str_add(out, "%-24.24s ", name.data);
    sxt_spark_bar(out, (double)done / (double)v->n_steps, 8, unicode);
    sxt_str_add(out, " %zu of %zu steps  %6.2f $", done, v->n_steps,
                v->dollars);
    if (at)
        sxt_str_add(out, "  %s %s %.0f %%", at->command,
                    sxt_status_word(at->state),
                    floor(100 * sxt_status_share(at)));
    if (at && at->state == SXT_STATUS_RUNNING && isfinite(at->left_s)) {
        sxt_log_duration(at->left_s, left);
        sxt_str_add(out, "  ETA %s", left);
    }
    sxt_str_add(out, "\n");
    sxt_str_free(&name);
}

void sxt_status_runs_print(const struct sxt_status_runs *runs, bool unicode,
                           struct sxt_str *out)
{
    double hours = 0, dollars = 0;

    for (size_t i = 0; i < runs->n; i++) {
        add_run(out, &runs->views[i], unicode);
        hours += runs->views[i].rank_hours;
        dollars += runs->views[i].dollars;
    }
    sxt_str_add(out, "\ncost       %.3g rank-hours  %.2f $ so far\n", hours,
                dollars);
}

void sxt_status_runs_json(const struct sxt_status_runs *runs,
                          struct sxt_str *out)
{
    struct sxt_json *o = sxt_json_object(), *all = sxt_json_array();

    for (size_t i = 0; i < runs->n; i++)
        sxt_json_append(all, sxt_status_view_object(&runs->views[i]));
    sxt_json_set(o, "runs", all);
    sxt_json_print(o, 1, out);
    sxt_str_add_char(out, '\n');
    sxt_json_free(o);
}
