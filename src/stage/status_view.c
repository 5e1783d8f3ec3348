/* status_view.c - reading records, outputs, metrics and checkpoints of a run.
 *
 * Nothing is locked, written or waited for: records and outputs are renamed
 * into place when they are whole, and of metrics.jsonl the last line may be
 * under way. */
#define _GNU_SOURCE
#include "stage/status_view.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "h5/in.h"
#include "model/weights.h"
#include "stage/formats.h"
#include "stage/stages.h"

static const double gpu_price = 3; /* dollars for an hour, as plan has it */

const char *sxt_status_word(enum sxt_status_state state)
{
    static const char *const words[] = { "waiting", "running", "silent",
                                         "stopped", "killed",  "failed",
                                         "done" };
    return words[state];
}

static const char *text_of(const struct sxt_json *o, const char *key)
{
    return sxt_json_string(sxt_json_get(o, key), "");
}

static double number_of(const struct sxt_json *o, const char *key, double other)
{
    return sxt_json_number(sxt_json_get(o, key), other);
}

/* Seconds since a file changed, -1 if there is none. */
static double age_of(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return -1;
    return fmax(difftime(time(NULL), st.st_mtime), 0);
}

/* ---- steps ---- */

static struct sxt_status_step *step_of(struct sxt_status_view *view,
                                       const char *command, const char *output)
{
    for (size_t i = 0; i < view->n_steps; i++)
        if (strcmp(view->steps[i].output, output) == 0)
            return &view->steps[i];
    view->steps =
        sxt_realloc(view->steps, view->n_steps + 1, sizeof(*view->steps));
    struct sxt_status_step *s = &view->steps[view->n_steps++];
    *s = (struct sxt_status_step){ .command = sxt_strdup(command),
                                   .output = sxt_strdup(output),
                                   .quiet_s = NAN,
                                   .left_s = NAN };
    return s;
}

/* Names in a directory that end so, sorted; owned by the caller. */
static char **names_in(const char *dir, const char *suffix, size_t *n)
{
    struct dirent **entry = NULL;
    int found = scandir(dir, &entry, NULL, alphasort);
    char **names = sxt_calloc(found > 0 ? (size_t)found : 1, sizeof(*names));

    *n = 0;
    for (int i = 0; i < found; i++) {
        if (sxt_ends_with(entry[i]->d_name, suffix))
            names[(*n)++] = sxt_strdup(entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    return names;
}

static void free_names(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

/* A record, or NULL: it may just be on its way, or from another program. */
static struct sxt_json *read_record(const char *path)
{
    struct sxt_json *o = sxt_json_read(path, NULL);

    if (strcmp(text_of(o, "format"), "sextant/status") == 0 &&
        number_of(o, "format_version", 0) == 1)
        return o;
    sxt_json_free(o);
    return NULL;
}

static void read_plan(struct sxt_status_view *view, const char *path)
{
    struct sxt_json *plan = read_record(path);
    const struct sxt_json *steps = sxt_json_get(plan, "steps");

    for (size_t i = 0; i < sxt_json_count(steps); i++) {
        const struct sxt_json *step = sxt_json_item(steps, i);
        if (text_of(step, "output")[0])
            step_of(view, text_of(step, "command"), text_of(step, "output"));
    }
    sxt_json_free(plan);
}

static void read_records(struct sxt_status_view *view, const char *dir)
{
    size_t n;
    char **names = names_in(dir, ".json", &n);

    for (size_t i = 0; i < n; i++) {
        char *path = sxt_path_join(dir, names[i]);
        struct sxt_json *o =
            strcmp(names[i], "pipeline.json") == 0 ? NULL : read_record(path);
        if (text_of(o, "output")[0]) {
            struct sxt_status_step *s =
                step_of(view, text_of(o, "command"), text_of(o, "output"));
            sxt_json_free(s->record);
            s->record = o;
        } else {
            sxt_json_free(o);
        }
        free(path);
    }
    free_names(names, n);
}

/* Outputs that nothing recorded, such as those of older versions: the command
 * whose section they hold, if it is one that writes such files. */
static void read_output(struct sxt_status_view *view, const char *name)
{
    static const char *const makes[][2] = {
        { SXT_PROBLEMS_FORMAT, "import" },
        { SXT_GENERATIONS_FORMAT, "generate" },
        { SXT_TRACES_FORMAT, "reformat" },
        { SXT_VERDICTS_FORMAT, "grade" },
        { SXT_TRAIN_FORMAT, "select" },
        { SXT_EVAL_FORMAT, "evaluate" },
        { SXT_MODEL_FORMAT, "sft" },
    };
    char *path = sxt_path_join(view->dir, name);
    struct sxt_in *in = sxt_in_open(path, NULL, NULL);
    struct sxt_str config = SXT_STR_EMPTY;

    if (in && sxt_in_bytes(in, SXT_CONFIG_OBJECT, &config, NULL) == 0)
        for (size_t i = 0; i < sizeof(makes) / sizeof(*makes); i++) {
            char *section = sxt_printf("\n%s:", makes[i][1]);
            if (strcmp(sxt_in_format(in), makes[i][0]) == 0 &&
                (sxt_starts_with(config.data, section + 1) ||
                 strstr(config.data, section)))
                step_of(view, makes[i][1], name);
            free(section);
        }
    sxt_str_free(&config);
    sxt_in_close(in);
    free(path);
}

static void read_outputs(struct sxt_status_view *view)
{
    size_t n, known = view->n_steps;
    char **names = names_in(view->dir, ".h5", &n);

    for (size_t i = 0; i < n; i++) {
        bool new = true;
        for (size_t k = 0; k < known; k++)
            new = new &&strcmp(view->steps[k].output, names[i]) != 0;
        if (new)
            read_output(view, names[i]);
    }
    free_names(names, n);
}

/* ---- states ---- */

/* True if the record's process is known to be gone: only its own node can
 * tell. */
static bool is_gone(const struct sxt_json *record)
{
    char host[256] = "";
    pid_t pid = (pid_t)number_of(record, "pid", 0);

    gethostname(host, sizeof(host) - 1);
    return pid > 0 && strcmp(host, text_of(record, "host")) == 0 &&
           kill(pid, 0) != 0 && errno == ESRCH;
}

static void find_state(const struct sxt_status_view *view,
                       struct sxt_status_step *s, double silent_s)
{
    char *path = sxt_path_join(view->dir, s->output);
    const char *said = text_of(s->record, "state");
    double age = age_of(path);

    if (s->record) {
        s->quiet_s = (double)time(NULL) - number_of(s->record, "updated", 0);
        s->left_s = number_of(s->record, "left_s", NAN);
    }
    if (strcmp(said, "running") == 0)
        s->state = is_gone(s->record)      ? SXT_STATUS_KILLED
                   : s->quiet_s > silent_s ? SXT_STATUS_SILENT
                                           : SXT_STATUS_RUNNING;
    else if (strcmp(said, "stopped") == 0)
        s->state = SXT_STATUS_STOPPED;
    else if (strcmp(said, "failed") == 0)
        s->state = SXT_STATUS_FAILED;
    /* An output that is newer than a bad end was made later. */
    if (age >= 0 && s->state != SXT_STATUS_RUNNING &&
        (!s->record || strcmp(said, "done") == 0 || age + 1 < s->quiet_s))
        s->state = SXT_STATUS_DONE;
    if (s->state == SXT_STATUS_DONE)
        s->left_s = 0;
    if (s->state == SXT_STATUS_KILLED || s->state == SXT_STATUS_SILENT)
        s->last_words = sxt_status_last_words(text_of(s->record, "log"));
    free(path);
}

/* Those that nobody planned, in the order of a pipeline. */
static size_t place_of(const char *command)
{
    size_t i = 0;

    while (sxt_stages[i] && strcmp(sxt_stages[i]->section.name, command) != 0)
        i++;
    return i;
}

static int by_place(const void *a, const void *b)
{
    const struct sxt_status_step *x = a, *y = b;
    size_t i = place_of(x->command), k = place_of(y->command);

    return i != k ? (i > k) - (i < k) : strcmp(x->output, y->output);
}

static void read_steps(struct sxt_status_view *view, double silent_s)
{
    char *dir = sxt_path_join(view->dir, "status");
    char *plan = sxt_path_join(dir, "pipeline.json");

    if (sxt_file_exists(plan))
        read_plan(view, plan);
    size_t planned = view->n_steps;
    read_records(view, dir);
    read_outputs(view);
    if (view->n_steps > planned)
        qsort(view->steps + planned, view->n_steps - planned,
              sizeof(*view->steps), by_place);
    for (size_t i = 0; i < view->n_steps; i++)
        find_state(view, &view->steps[i], silent_s);
    free(plan);
    free(dir);
}

/* ---- training ---- */

static void add_loss(struct sxt_status_view *view, size_t *cap, double loss)
{
    view->loss = sxt_grow(view->loss, cap, view->n_loss + 1, sizeof(double));
    view->loss[view->n_loss++] = loss;
}

/* The rate is that of the last steps, about a tenth of all. */
static void read_metrics(struct sxt_status_view *view)
{
    char *path = sxt_path_join(view->dir, "metrics.jsonl");
    struct sxt_jsonl *in =
        sxt_file_exists(path) ? sxt_jsonl_open(path, NULL) : NULL;
    struct sxt_json *line = NULL;
    size_t number, cap = 0;
    double tokens = 0, seconds = 0;

    while (in && sxt_jsonl_next(in, &line, &number, NULL) == 1) {
        double keep = view->n_loss > 20 ? 1 - 10 / (double)view->n_loss : 0.5;
        add_loss(view, &cap, number_of(line, "loss", NAN));
        view->last_step = number_of(line, "step", NAN);
        tokens = keep * tokens + number_of(line, "tokens", 0);
        seconds = keep * seconds + number_of(line, "seconds", 0);
        sxt_json_free(line);
        line = NULL;
    }
    if (in)
        sxt_jsonl_close(in);
    view->tokens_per_s = seconds > 0 ? tokens / seconds : NAN;
    free(path);
}

static void read_checkpoints(struct sxt_status_view *view)
{
    const char *name = "checkpoints";
    size_t n;

    for (size_t i = 0; i < view->n_steps; i++)
        if (text_of(view->steps[i].record, "checkpoints")[0])
            name = text_of(view->steps[i].record, "checkpoints");
    char *dir = sxt_path_join(view->dir, name);
    char **names = names_in(dir, ".h5", &n);
    long long newest = -1;
    for (size_t i = 0; i < n; i++) {
        long long step;
        int end = 0;
        if (sscanf(names[i], "step-%lld.h5%n", &step, &end) != 1 || end == 0 ||
            names[i][end] || step <= newest)
            continue;
        free(view->checkpoint);
        view->checkpoint = sxt_path_join(dir, names[i]);
        view->checkpoint_step = (double)step;
        newest = step;
    }
    if (view->checkpoint)
        view->checkpoint_age_s = age_of(view->checkpoint);
    free_names(names, n);
    free(dir);
}

/* ---- samples and costs ---- */

/* The first output of a command that is there. */
static char *output_of(const struct sxt_status_view *view, const char *command)
{
    for (size_t i = 0; i < view->n_steps; i++)
        if (strcmp(view->steps[i].command, command) == 0 &&
            view->steps[i].state == SXT_STATUS_DONE)
            return view->steps[i].output;
    return NULL;
}

/* A file that cannot be read leaves its part of the view empty. */
static void read_samples(const struct sxt_run *run,
                         struct sxt_status_view *view)
{
    struct sxt_run there = *run;
    struct sxt_report_values v = {
        .problems = output_of(view, "import"),
        .verdicts = output_of(view, "grade"),
        .train = output_of(view, "select"),
    };

    there.out_dir = view->dir;
    if (v.problems && v.verdicts)
        sxt_report_samples(&there, &v, &view->samples, NULL);
}

/* What costs is a GPU; where there is none, a rank. */
static void count_costs(struct sxt_status_view *view, double price)
{
    for (size_t i = 0; i < view->n_steps; i++) {
        struct sxt_status_step *s = &view->steps[i];
        double gpus = number_of(s->record, "gpus", 0);
        double hour = price >= 0 ? price : gpus > 0 ? gpu_price : 0;
        double left = isfinite(s->left_s) ? s->left_s / 3600 : 0;
        s->ranks = number_of(s->record, "ranks", 0);
        s->rank_hours = number_of(s->record, "rank_s", 0) / 3600;
        s->gpu_hours = number_of(s->record, "gpu_s", 0) / 3600;
        s->dollars = (gpus > 0 ? s->gpu_hours : s->rank_hours) * hour;
        s->tokens_per_s = number_of(s->record, "tokens_per_s", NAN);
        view->rank_hours += s->rank_hours;
        view->gpu_hours += s->gpu_hours;
        view->dollars += s->dollars;
        view->projected +=
            s->dollars + left * (gpus > 0 ? gpus : s->ranks) * hour;
    }
}

int sxt_status_view_read(const struct sxt_run *run, const char *dir,
                         const struct sxt_status_values *v,
                         struct sxt_status_view *view, struct sxt_error *err)
{
    *view = (struct sxt_status_view){ .tokens_per_s = NAN, .last_step = NAN };
    if (!sxt_file_is_directory(dir))
        return sxt_err(err, SXT_EXIT_NOINPUT, "%s: no such directory", dir);
    view->dir = sxt_strdup(dir);
    read_steps(view, 60 * v->silent_minutes);
    if (!v->brief) {
        read_metrics(view);
        read_checkpoints(view);
        read_samples(run, view);
    }
    count_costs(view, v->price);
    if (view->n_steps > 0)
        return 0;
    return sxt_err(err, SXT_EXIT_NOINPUT, "%s: no run, and nothing of one",
                   dir);
}

void sxt_status_view_free(struct sxt_status_view *view)
{
    for (size_t i = 0; i < view->n_steps; i++) {
        free(view->steps[i].command);
        free(view->steps[i].output);
        free(view->steps[i].last_words);
        sxt_json_free(view->steps[i].record);
    }
    free(view->steps);
    free(view->dir);
    free(view->loss);
    free(view->checkpoint);
    sxt_report_free(&view->samples);
    *view = (struct sxt_status_view){ 0 };
}
