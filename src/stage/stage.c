/* stage.c - what every command needs from its run. */
#include "stage/stage.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "stage/status.h"

char *sxt_run_path(const struct sxt_run *run, const char *name)
{
    return strchr(name, '/') ? sxt_strdup(name)
                             : sxt_path_join(run->out_dir, name);
}

void sxt_sources_add(struct sxt_sources *sources, const struct sxt_run *run,
                     const char *name)
{
    if (!name[0])
        return;
    sources->path =
        sxt_realloc(sources->path, sources->n + 1, sizeof(*sources->path));
    sources->path[sources->n++] = sxt_run_path(run, name);
}

void sxt_sources_free(struct sxt_sources *sources)
{
    for (size_t i = 0; i < sources->n; i++)
        free(sources->path[i]);
    free(sources->path);
    *sources = (struct sxt_sources){ 0 };
}

char *sxt_run_prompt(const struct sxt_run *run, const char *name)
{
    if (strpbrk(name, "./"))
        return sxt_run_path(run, name);
    char *file = sxt_printf("prompts/%s.txt", name);
    char *path = sxt_file_data(file);
    free(file);
    return path;
}

/* ---- stopping ---- */

double sxt_run_left(const struct sxt_run *run)
{
    static const double rest_s = 10; /* to say goodbye and to end all ranks */

    return run->ends != 0 ? run->ends - rest_s - sxt_clock() : INFINITY;
}

static bool stop_file(const struct sxt_run *run)
{
    char *path = sxt_run_path(run, "STOP");
    bool there = sxt_file_exists(path);

    free(path);
    return there;
}

static enum sxt_stop choose(const struct sxt_run *run, bool file, double need_s)
{
    if (*run->stop)
        return SXT_STOP_SIGNAL;
    if (file)
        return SXT_STOP_FILE;
    return sxt_run_left(run) < need_s ? SXT_STOP_TIME : SXT_STOP_NOT;
}

enum sxt_stop sxt_run_stops(const struct sxt_run *run, double need_s)
{
    bool leads = run->comm.rank == 0; /* its clock counts */
    enum sxt_stop why =
        choose(run, leads && stop_file(run), leads ? need_s : -INFINITY);

    return (enum sxt_stop)sxt_comm_max(run->comm, why);
}

enum sxt_stop sxt_run_told(const struct sxt_run *run, double *looked,
                           double need_s)
{
    double now = sxt_clock();
    bool look = now - *looked >= 1;

    if (look)
        *looked = now;
    return choose(run, look && stop_file(run), need_s);
}

void sxt_run_foretell(const struct sxt_run *run, double need_s, double left_s,
                      const char *what, double done, double total,
                      char text[SXT_FORETOLD])
{
    double have_s = fmax(sxt_run_left(run) - need_s, 0);

    text[0] = '\0';
    if (have_s < left_s)
        snprintf(text, SXT_FORETOLD,
                 "  will reach the time limit at %s%.0f of %.0f", what,
                 done + floor(have_s / left_s * (total - done)), total);
}

int sxt_run_stopped(enum sxt_stop why, struct sxt_error *err,
                    const char *format, ...)
{
    static const char *const words[] = {
        [SXT_STOP_NOT] = "as asked",
        [SXT_STOP_TIME] = "the time limit is near",
        [SXT_STOP_FILE] = "there is a file STOP",
        [SXT_STOP_SIGNAL] = "told by a signal",
    };
    char what[200];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return sxt_err(err, SXT_EXIT_AGAIN, "%s (%s)", what, words[why]);
}

/* ---- outputs ---- */

static int in_and_out(const char *path, struct sxt_error *err)
{
    return sxt_err(err, SXT_EXIT_CONFIG,
                   "%s is to be read and to be written, which would end it: "
                   "choose another output",
                   path);
}

/* Is there a text among the parameters that names the file? */
static bool names(const struct sxt_run *run, const struct sxt_cfg_param *p,
                  const char *values, const char *path)
{
    bool found = false;

    for (; p->name && !found; p++) {
        const char *place = values + p->offset;
        if (p->type == SXT_CFG_GROUP) {
            found = names(run, p->group, place, path);
        } else if (p->type == SXT_CFG_STRING &&
                   strcmp(p->name, "output") != 0) {
            char *other = sxt_run_path(run, *(char *const *)place);
            found = strcmp(other, path) == 0 || sxt_file_is_same(other, path);
            free(other);
        }
    }
    return found;
}

int sxt_run_check_output(const struct sxt_run *run,
                         const struct sxt_stage *stage, const void *values,
                         struct sxt_error *err)
{
    const char *output = sxt_status_output(stage, values);
    int rc = 0;

    if (!output || !output[0])
        return 0;
    char *path = sxt_run_path(run, output);
    if (names(run, stage->section.params, values, path))
        rc = in_and_out(path, err);
    free(path);
    return rc;
}

int sxt_run_hash(const struct sxt_run *run, const char *const *inputs, size_t n,
                 struct sxt_str *lines, struct sxt_error *err)
{
    static const double worth_telling = 1e9; /* bytes: about a second */
    double bytes = 0, began = sxt_clock();
    struct stat st;

    for (size_t i = 0; i < n; i++)
        bytes += stat(inputs[i], &st) == 0 ? (double)st.st_size : 0;
    if (bytes >= worth_telling)
        sxt_log(&run->log, SXT_LOG_INFO, "reads  %.1f GB for their digests",
                1e-9 * bytes);
    if (sxt_prov_hash(run->comm, inputs, n, lines, err) != 0)
        return -1;
    if (bytes >= worth_telling)
        sxt_log(&run->log, SXT_LOG_INFO, "read in %.1f s", sxt_clock() - began);
    return 0;
}

struct sxt_out *sxt_run_create(const struct sxt_run *run, const char *path,
                               const char *format, int version,
                               const char *title, const char *const *inputs,
                               size_t n_inputs, struct sxt_error *err)
{
    struct sxt_prov prov = { run->command_line, run->config, inputs, n_inputs,
                             run->hashed };
    struct sxt_str lines = SXT_STR_EMPTY;
    int rc = 0;

    for (size_t i = 0; i < n_inputs && rc == 0; i++)
        if (sxt_file_is_same(path, inputs[i]))
            rc = in_and_out(path, err);
    if (sxt_comm_agree(run->comm, rc, err) != 0)
        return NULL;
    if (!prov.hashed) {
        if (sxt_run_hash(run, inputs, n_inputs, &lines, err) != 0) {
            sxt_str_free(&lines);
            return NULL;
        }
        prov.hashed = lines.data ? lines.data : "";
    }
    struct sxt_out *out =
        sxt_out_create(path, run->comm, format, version, title, &prov, err);
    sxt_str_free(&lines);
    return out;
}
