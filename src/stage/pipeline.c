/* pipeline.c - run commands one after the other, leaving out what is done.
 *
 * A step is done if its output is there and says that it was made with the
 * same configuration from files with the same digest.  No state is kept beside
 * the outputs, so steps run by hand count as well. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "h5/in.h"
#include "stage/stages.h"
#include "stage/status.h"

struct values {
    struct sxt_cfg_strings steps;
    bool force;
};

static const struct sxt_cfg_param params[] = {
    { "steps", SXT_CFG_STRINGS, "", 0, 0, "1",
      "Commands in order, each with settings behind it: \"evaluate "
      "model=base.h5\"; @/ is the configuration's directory.  STEPs behind the "
      "options are run instead of these.",
      offsetof(struct values, steps), NULL, NULL },
    { "force", SXT_CFG_BOOL, "false", 0, 0, "1",
      "Run every step, also those whose output is up to date.",
      offsetof(struct values, force), NULL, NULL },
    { .name = NULL }
};

/* One step, ready to run. */
struct step {
    const struct sxt_stage *stage;
    char **settings; /* owned */
    size_t n_settings;
    void *values;
    struct sxt_str config; /* resolved */
    char *output;          /* path of its file, NULL if it has none */
    bool runs;             /* it is not up to date */
};

/* "name=@/one,@/two" means files beside the configuration. */
static char *expand(const char *word, size_t n, const char *dir)
{
    struct sxt_str s = SXT_STR_EMPTY;

    for (size_t i = 0; i < n; i++) {
        bool starts = i > 0 && (word[i - 1] == '=' || word[i - 1] == ',');
        if (starts && i + 1 < n && word[i] == '@' && word[i + 1] == '/')
            sxt_str_add(&s, "%s", dir);
        else
            sxt_str_add_char(&s, word[i]);
    }
    return s.data;
}

static const char *split_step(const char *text, const char *dir,
                              struct step *step)
{
    const char *p = text + strcspn(text, " \t\n");
    char *name = sxt_strndup(text, (size_t)(p - text));

    step->stage = sxt_stage_find(name);
    free(name);
    while (*(p += strspn(p, " \t\n"))) {
        size_t n = strcspn(p, " \t\n");
        step->settings =
            sxt_realloc(step->settings, step->n_settings + 1, sizeof(char *));
        step->settings[step->n_settings++] = expand(p, n, dir);
        p += n;
    }
    return step->stage ? NULL : text;
}

static int read_step(const struct sxt_run *run, const char *text,
                     struct step *step, struct sxt_error *err)
{
    const struct sxt_cfg_section **known = sxt_stage_sections();
    char *dir =
        run->config_path ? sxt_path_home(run->config_path) : sxt_strdup(".");
    int rc = 0;

    if (split_step(text, dir, step))
        rc =
            sxt_err(err, SXT_EXIT_CONFIG, "step \"%s\": unknown command", text);
    else if (sxt_cfg_read(run->config_path, &step->stage->section, known,
                          (const char *const *)step->settings, step->n_settings,
                          &step->values, err) != 0)
        rc = sxt_err_prefix(err, "step \"%s\"", text);
    else
        rc = sxt_run_check_output(run, step->stage, step->values, err);
    if (rc == 0) {
        sxt_cfg_print(&step->stage->section, step->values, &step->config);
        const char *name = sxt_status_output(step->stage, step->values);
        step->output = name ? sxt_run_path(run, name) : NULL;
    }
    free(known);
    free(dir);
    return rc;
}

static void free_step(struct step *step)
{
    for (size_t i = 0; i < step->n_settings; i++)
        free(step->settings[i]);
    free(step->settings);
    if (step->stage)
        sxt_cfg_free(&step->stage->section, step->values);
    sxt_str_free(&step->config);
    free(step->output);
}

/* NULL if every line "DIGEST  PATH" still holds, else the path. */
static char *changed_input(const char *lines)
{
    char sum[SXT_SHA256_TEXT];

    for (const char *p = lines; *p;) {
        size_t n = strcspn(p, "\n");
        if (n > SXT_SHA256_TEXT + 1) {
            char *path =
                sxt_strndup(p + SXT_SHA256_TEXT + 1, n - SXT_SHA256_TEXT - 1);
            if (sxt_digest_file(path, sum, NULL) != 0 ||
                memcmp(sum, p, SXT_SHA256_TEXT - 1) != 0)
                return path;
            free(path);
        }
        p += n + (p[n] == '\n');
    }
    return NULL;
}

/* Why the step must run, in new memory, or NULL if its output is up to date.
 * Rank 0. */
static char *why_run(const struct step *step)
{
    struct sxt_str config = SXT_STR_EMPTY, inputs = SXT_STR_EMPTY;
    char *why = NULL;

    if (!step->output)
        return sxt_strdup("it keeps no output");
    char *journal = sxt_printf("%s.journal", step->output);
    if (sxt_file_is_directory(journal)) /* it died while clearing up */
        why = sxt_printf("%s is still there", journal);
    free(journal);
    if (why)
        return why;
    struct sxt_in *in = sxt_in_open(step->output, NULL, NULL);
    if (!in)
        return sxt_printf("%s is not there", step->output);
    if (sxt_in_bytes(in, SXT_CONFIG_OBJECT, &config, NULL) != 0 ||
        sxt_in_bytes(in, SXT_INPUTS_OBJECT, &inputs, NULL) != 0)
        why = sxt_printf("%s does not say how it was made", step->output);
    else if (strcmp(config.data, step->config.data) != 0)
        why = sxt_strdup("its configuration changed");
    else if (inputs.len > 0 && (why = changed_input(inputs.data))) {
        char *path = why;
        why = sxt_printf("%s changed", path);
        free(path);
    }
    sxt_in_close(in);
    sxt_str_free(&config);
    sxt_str_free(&inputs);
    return why;
}

/* ---- dry runs ---- */

/* A file that a step reads and an earlier one is to make. */
struct need {
    const struct step *maker; /* NULL: none */
    char *path;               /* owned */
};

static void look_up(const struct sxt_run *run, const struct step *steps,
                    size_t at, const char *name, struct need *need)
{
    char *path = sxt_run_path(run, name);

    for (size_t i = 0; i < at; i++) {
        bool made = steps[i].runs && steps[i].output &&
                    strcmp(steps[i].output, path) == 0;
        /* One that is not there says more than one that is. */
        if (!made || (need->maker && sxt_file_exists(path)))
            continue;
        free(need->path);
        *need = (struct need){ &steps[i], sxt_strdup(path) };
    }
    free(path);
}

/* Look through all texts among the values of step `at`. */
static void find_need(const struct sxt_run *run, const struct step *steps,
                      size_t at, const struct sxt_cfg_param *p,
                      const char *values, struct need *need)
{
    for (; p->name; p++) {
        const void *place = values + p->offset;
        if (p->type == SXT_CFG_GROUP)
            find_need(run, steps, at, p->group, place, need);
        else if (p->type == SXT_CFG_STRING && strcmp(p->name, "output") != 0)
            look_up(run, steps, at, *(char *const *)place, need);
        const struct sxt_cfg_strings *list = place;
        for (size_t i = 0; p->type == SXT_CFG_STRINGS && i < list->count; i++)
            look_up(run, steps, at, list->items[i], need);
    }
}

enum outlook { UNKNOWN, CHECK, CHECK_OLD };

/* What a dry run can say about step `at`.  Rank 0. */
static enum outlook look_ahead(const struct sxt_run *run,
                               const struct step *steps, size_t at)
{
    const struct step *step = &steps[at];
    struct need need = { NULL, NULL };
    enum outlook outlook = CHECK;

    find_need(run, steps, at, step->stage->section.params, step->values, &need);
    if (need.maker) {
        bool there = sxt_file_exists(need.path);
        outlook = there ? CHECK_OLD : UNKNOWN;
        sxt_log(&run->log, SXT_LOG_INFO,
                there ? "%s  checked with the %s that is there; step %zu, %s, "
                        "will make it anew"
                      : "%s  cannot be checked before there is %s, which step "
                        "%zu, %s, makes",
                step->stage->section.name, need.path,
                (size_t)(need.maker - steps) + 1,
                need.maker->stage->section.name);
    }
    free(need.path);
    return outlook;
}

/* ---- runs ---- */

static int start(const struct sxt_run *run, const struct step *step,
                 struct sxt_error *err)
{
    struct sxt_run inner = *run;

    inner.log.stage = step->stage->section.name;
    inner.config = step->config.data;
    inner.args = NULL;
    inner.n_args = 0;
    if (sxt_status_run(&inner, step->stage, step->values, err) != 0)
        return sxt_err_prefix(err, "%s", step->stage->section.name);
    return 0;
}

/* What rank 0 finds out about a step. */
struct verdict {
    int64_t runs, outlook;
};

static int run_step(const struct sxt_run *run, struct step *steps, size_t at,
                    bool force, struct sxt_error *err)
{
    struct step *step = &steps[at];
    const char *name = step->stage->section.name;
    struct verdict verdict = { 1, CHECK };
    char *why = NULL;

    if (run->comm.rank == 0) {
        why = force ? sxt_strdup("pipeline.force is true") : why_run(step);
        if (run->dry_run)
            verdict.outlook = look_ahead(run, steps, at);
        verdict.runs = why || verdict.outlook != CHECK;
    }
    sxt_comm_broadcast(run->comm, &verdict, sizeof(verdict), 0);
    step->runs = verdict.runs != 0;
    if (!step->runs)
        sxt_log(&run->log, SXT_LOG_INFO, "%s is up to date: %s", name,
                step->output);
    else if (why)
        sxt_log(&run->log, SXT_LOG_VERBOSE, "%s runs: %s", name, why);
    free(why);
    if (!step->runs || verdict.outlook == UNKNOWN)
        return 0;
    return start(run, step, err);
}

/* A dry run goes on behind a fault, to find them all: the first is returned,
 * the others are logged. */
static int run_steps(const struct sxt_run *run, struct step *steps, size_t n,
                     bool force, struct sxt_error *err)
{
    struct sxt_error late = { 0 };
    int rc = 0;

    for (size_t i = 0; i < n && (rc == 0 || run->dry_run); i++) {
        enum sxt_stop why = sxt_run_stops(run, 0);
        if (why)
            return sxt_run_stopped(why, err, "before step %zu of %zu", i + 1,
                                   n);
        if (run_step(run, steps, i, force, rc == 0 ? err : &late) == 0)
            continue;
        if (rc != 0)
            sxt_log(&run->log, SXT_LOG_ERROR, "%s", late.text);
        rc = -1;
    }
    return rc;
}

/* For `sextant status`: what the configuration is going to run, also where a
 * job of a chain runs a part of it. */
static void tell_plan(const struct sxt_run *run, const struct values *v,
                      char *const *texts, size_t n)
{
    n = v->steps.count > 0 ? v->steps.count : n;
    texts = v->steps.count > 0 ? v->steps.items : texts;
    struct step *steps = sxt_calloc(n, sizeof(*steps));
    const char **commands = sxt_calloc(n, sizeof(*commands));
    const char **outputs = sxt_calloc(n, sizeof(*outputs));
    size_t known = 0;

    for (size_t i = 0; i < n; i++)
        if (read_step(run, texts[i], &steps[i], NULL) == 0) {
            commands[known] = steps[i].stage->section.name;
            outputs[known++] =
                sxt_status_output(steps[i].stage, steps[i].values);
        }
    sxt_status_plan(run, commands, outputs, known);
    for (size_t i = 0; i < n; i++)
        free_step(&steps[i]);
    free(steps);
    free(commands);
    free(outputs);
}

static int run_pipeline(struct sxt_run *run, const void *values,
                        struct sxt_error *err)
{
    const struct values *v = values;
    /* Operands are steps too: a job of a chain runs one of them. */
    size_t n = run->n_args ? run->n_args : v->steps.count;
    char *const *texts = run->n_args ? run->args : v->steps.items;
    struct step *steps = sxt_calloc(n + 1, sizeof(*steps));
    int rc = 0;

    if (n == 0)
        rc = sxt_err(err, SXT_EXIT_CONFIG,
                     "pipeline.steps is empty: list the commands to run");
    /* Every step is read before the first runs: a typo in the last one must
     * not cost hours. */
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = read_step(run, texts[i], &steps[i], err);
    rc = sxt_comm_agree(run->comm, rc, err);
    if (rc == 0 && run->comm.rank == 0 && !run->dry_run)
        tell_plan(run, v, texts, n);
    if (rc == 0)
        rc = run_steps(run, steps, n, v->force, err);
    for (size_t i = 0; i < n; i++)
        free_step(&steps[i]);
    free(steps);
    return rc;
}

const struct sxt_stage sxt_stage_pipeline = {
    .section = { "pipeline", "Run the commands of a configuration in order.",
                 params, sizeof(struct values) },
    .operands = "[STEP]...",
    .run = run_pipeline
};
