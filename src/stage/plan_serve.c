/* plan_serve.c - what generate and evaluate need and take. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "h5/in.h"
#include "stage/formats.h"
#include "stage/plan_impl.h"
#include "stage/sampling.h"
#include "stage/stages.h"

/* A section's values, as far as a plan looks at them. */
struct asked {
    const char *model, *problems;
    int64_t n;
    const struct sxt_serving *engine;
    const struct sxt_sampling *sampling;
};

/* Where a table's values keep the parameter `name`; NULL if it has none.  A
 * group without a name is part of the table. */
static const void *find(const struct sxt_cfg_param *params, const char *values,
                        const char *name)
{
    const void *found = NULL;

    for (const struct sxt_cfg_param *p = params; p->name && !found; p++)
        if (strcmp(p->name, name) == 0)
            found = values + p->offset;
        else if (p->type == SXT_CFG_GROUP && p->name[0] == '\0')
            found = find(p->group, values + p->offset, name);
    return found;
}

static const void *place_of(const struct sxt_cfg_section *section,
                            const void *values, const char *name)
{
    const void *found = find(section->params, values, name);

    SXT_CHECK(found != NULL);
    return found;
}

static struct asked read_asked(const struct sxt_cfg_section *s,
                               const void *values)
{
    return (struct asked){
        .model = *(char *const *)place_of(s, values, "model"),
        .problems = *(char *const *)place_of(s, values, "problems"),
        .n = *(const int64_t *)place_of(s, values, "n"),
        .engine = place_of(s, values, "engine"),
        .sampling = place_of(s, values, "sampling"),
    };
}

/* Problems to solve, or 0 if nobody knows. */
static double count_problems(const struct sxt_planner *p, const char *section,
                             const char *name)
{
    int64_t said =
        strcmp(section, "generate") == 0 ? p->v->problems : p->v->eval_problems;
    char *path = sxt_run_path(p->run, name);
    struct sxt_in *in = sxt_in_open(path, SXT_PROBLEMS_FORMAT, NULL);
    size_t rows = 0;

    if (in && sxt_in_rows(in, "problems", &rows, NULL) != 0)
        rows = 0;
    sxt_in_close(in);
    free(path);
    return said > 0 ? (double)said : (double)rows;
}

static void print_need(const struct sxt_planner *p, const char *section,
                       const struct sxt_plan_serve *s)
{
    const struct sxt_log *log = &p->run->log;

    if (s->batch == 0) {
        sxt_log(log, SXT_LOG_INFO,
                "%s  DOES NOT FIT: weights %.4g GB, work space %.3g GB and one "
                "whole answer need more than the %.4g GB of a rank",
                section, s->weights / 1e9, s->work / 1e9, s->room / 1e9);
        return;
    }
    sxt_log(log, SXT_LOG_INFO,
            "%s  a rank: weights %.4g GB  work space %.3g GB  cache of %.0f "
            "answers %.4g GB  of %.4g GB: fits",
            section, s->weights / 1e9, s->work / 1e9, s->batch, s->cache / 1e9,
            s->room / 1e9);
}

static void print_time(const struct sxt_planner *p, const char *section,
                       const struct asked *asked,
                       const struct sxt_plan_serve *s, double answer)
{
    const struct sxt_log *log = &p->run->log;
    double problems = count_problems(p, section, asked->problems);
    double answers = problems * (double)asked->n, ranks = p->place.ranks;
    double hours = answers * answer / (s->rate * ranks) / 3600;
    /* ids and text of prompt and answer, about 4 bytes a token each */
    double disk = answers * 8 * (answer + p->v->prompt_tokens);

    sxt_log(log, SXT_LOG_INFO,
            "%s  projected, at the roofline: %.4g tokens/s, "
            "%.4g a rank",
            section, s->rate * ranks, s->rate);
    if (problems == 0)
        sxt_log(log, SXT_LOG_INFO,
                "%s  %s is not there: say with plan.problems how many there "
                "will be",
                section, asked->problems);
    else
        sxt_log(log, SXT_LOG_INFO,
                "%s  projected: %.0f answers of %.0f tokens  %.3g h  %.4g "
                "rank-hours  %.4g $  %.3g GB on disk",
                section, answers, answer, hours, hours * ranks,
                hours * ranks * p->place.machine.price, disk / 1e9);
}

/* With a model that `parts` ranks have between them; fails if it does not
 * divide. */
static int serve(const struct sxt_planner *p, const struct sxt_layout *layout,
                 const struct sxt_plan_ask *ask, size_t parts,
                 struct sxt_plan_serve *s, struct sxt_error *err)
{
    struct sxt_layout part;

    if (sxt_layout_part(&part, layout, 0, parts, err) != 0)
        return -1;
    *s = sxt_plan_serve(&p->place.machine, &part, ask);
    sxt_layout_free(&part);
    return 0;
}

/* Another number of ranks to a model, within a node, that would be faster by a
 * tenth at least. */
static void print_better(const struct sxt_planner *p, const char *section,
                         const struct sxt_layout *layout,
                         const struct sxt_plan_ask *ask, double rate)
{
    size_t best = 0;

    for (int n = 1; n <= p->place.per_node; n++) {
        struct sxt_plan_serve s;
        if (p->place.ranks % n != 0 ||
            serve(p, layout, ask, (size_t)n, &s, NULL) != 0 || s.batch == 0 ||
            s.rate < 1.1 * rate)
            continue;
        best = (size_t)n;
        rate = s.rate;
    }
    if (best > 0)
        sxt_log(&p->run->log, SXT_LOG_INFO,
                "%s  with %s.engine.tensor_parallel=%zu projected: %.4g "
                "tokens/s a rank",
                section, section, best, rate);
}

/* 1 if there is a model to plan for, 0 if not (yet). */
static int read_model(const struct sxt_planner *p, const char *section,
                      const char *name, struct sxt_layout *layout,
                      struct sxt_error *err)
{
    char *path = sxt_run_path(p->run, name);
    bool there = sxt_file_exists(path),
         tuned = strcmp(name, p->sft->output) == 0;
    int rc = 1;

    if (name[0] == '\0') { /* evaluate with generations that are there */
        rc = 0;
    } else if (p->v->model[0]) {
        rc =
            sxt_plan_read_model(p->run, p->v->model, layout, err) == 0 ? 1 : -1;
    } else if (there) {
        rc = sxt_plan_read_model(p->run, name, layout, err) == 0 ? 1 : -1;
    } else if (tuned) {
        sxt_layout_init(layout, &p->layout.config);
    } else {
        sxt_log(&p->run->log, SXT_LOG_INFO,
                "%s  %s is not there yet: say with plan.model what it will be",
                section, path);
        rc = 0;
    }
    free(path);
    return rc;
}

static int plan_section(const struct sxt_planner *p, const char *section,
                        const struct asked *asked, struct sxt_error *err)
{
    double most = (double)asked->sampling->max_tokens;
    double answer = p->v->answer_tokens < most ? p->v->answer_tokens : most;
    struct sxt_plan_ask ask = {
        .type = strcmp(asked->engine->dtype, "f32") == 0 ? SXT_F32 : SXT_BF16,
        .prompt = p->v->prompt_tokens,
        .answer = answer,
        .spread = p->v->sample_spread,
        .batch = (double)asked->engine->batch,
        .cache = (double)asked->engine->cache_mib * 1048576,
    };
    struct sxt_layout layout = { 0 };
    struct sxt_plan_serve s;
    size_t parts = (size_t)asked->engine->tensor_parallel;
    int there = read_model(p, section, asked->model, &layout, err);

    if (there <= 0)
        return there;
    int rc = serve(p, &layout, &ask, parts, &s, err);
    if (rc == 0)
        print_need(p, section, &s);
    if (rc == 0 && s.batch > 0)
        print_time(p, section, asked, &s, answer);
    if (rc == 0)
        print_better(p, section, &layout, &ask, s.rate);
    sxt_layout_free(&layout);
    return rc;
}

int sxt_plan_print_serve(const struct sxt_planner *p, const char *section,
                         struct sxt_error *err)
{
    const struct sxt_stage *stage = strcmp(section, "generate") == 0
                                        ? &sxt_stage_generate
                                        : &sxt_stage_evaluate;
    void *values = NULL;
    int rc = sxt_plan_section(p->run, section, &values, err);

    if (rc == 0) {
        struct asked asked = read_asked(&stage->section, values);
        rc = plan_section(p, section, &asked, err);
    }
    sxt_cfg_free(&stage->section, values);
    return rc;
}
