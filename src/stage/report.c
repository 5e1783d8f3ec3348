/* report.c - what a run gave: tables for the terminal, a page for the rest. */
#include "stage/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "h5/in.h"
#include "stage/formats.h"
#include "stage/stages.h"

#define AT(member) offsetof(struct sxt_report_values, member)

static const struct sxt_cfg_param params[] = {
    { "problems", SXT_CFG_STRING, "problems.h5", 0, 0, "1",
      "Problems the samples answer.", AT(problems), NULL, NULL },
    { "generations", SXT_CFG_STRING, "generations.h5", 0, 0, "1",
      "The teacher's samples.", AT(generations), NULL, NULL },
    { "verdicts", SXT_CFG_STRING, "verdicts.h5", 0, 0, "1",
      "Their verdicts.", AT(verdicts), NULL, NULL },
    { "train", SXT_CFG_STRING, "train.h5", 0, 0, "1", "What was kept of them.",
      AT(train), NULL, NULL },
    { "metrics", SXT_CFG_STRING, "metrics.h5", 0, 0, "1",
      "Steps of the fine-tuning.", AT(metrics), NULL, NULL },
    { "evals", SXT_CFG_STRINGS, "eval-base.h5, eval.h5", 0, 0, "1",
      "Evaluations side by side: before first, after last.", AT(evals), NULL,
      NULL },
    { "output", SXT_CFG_STRING, "report.html", 0, 0, "1", "The page.",
      AT(output), NULL, NULL },
    { .name = NULL }
};

/* A whole table, or NULL with a line in r->missing if there is no file. */
static int read_table(const struct sxt_run *run, struct sxt_report *r,
                      const char *name, const char *format, const char *group,
                      const struct sxt_column *columns,
                      struct sxt_frame **frame, struct sxt_error *err)
{
    char *path = sxt_run_path(run, name);
    size_t rows = 0;
    int rc = 0;

    *frame = NULL;
    if (!sxt_file_exists(path)) {
        sxt_str_add(&r->missing, "%s\n", name);
    } else {
        struct sxt_in *in = sxt_in_open(path, format, err);
        rc = in ? sxt_in_rows(in, group, &rows, err) : -1;
        if (rc == 0)
            rc = sxt_in_frame(in, group, columns, 0, rows, frame, err);
        sxt_in_close(in);
    }
    free(path);
    return rc;
}

/* ---- sources: samples, passed, kept ---- */

static struct sxt_report_source *source_of(struct sxt_report *r,
                                           struct sxt_map *map,
                                           const struct sxt_frame *problems,
                                           struct sxt_span id)
{
    const uint64_t *at = sxt_map_get(map, id.data, id.len);

    if (!at)
        return NULL;
    struct sxt_span name = sxt_frame_text(problems, SXT_PROBLEM_SOURCE, *at);
    for (size_t i = 0; i < r->n_sources; i++)
        if (sxt_span_equal(name, r->sources[i].name))
            return &r->sources[i];
    r->sources = sxt_realloc(r->sources, r->n_sources + 1,
                             sizeof(*r->sources));
    r->sources[r->n_sources] = (struct sxt_report_source){
        sxt_strndup(name.data, name.len), 0, 0, 0
    };
    return &r->sources[r->n_sources++];
}

static void count_sources(struct sxt_report *r,
                          const struct sxt_frame *problems,
                          const struct sxt_frame *verdicts,
                          const struct sxt_frame *train)
{
    struct sxt_map *map = sxt_map_create();
    struct sxt_report_source all = { sxt_strdup("all"), 0, 0, 0 }, *s;

    for (size_t i = 0; i < sxt_frame_rows(problems); i++) {
        struct sxt_span id = sxt_frame_text(problems, SXT_PROBLEM_ID, i);
        sxt_map_put(map, id.data, id.len, i);
    }
    for (size_t i = 0; i < sxt_frame_rows(verdicts); i++) {
        s = source_of(r, map, problems,
                      sxt_frame_text(verdicts, SXT_VERDICT_ID, i));
        bool passed = sxt_span_equal(
            sxt_frame_text(verdicts, SXT_VERDICT_VERDICT, i), "pass");
        all.samples++;
        all.passed += passed;
        if (s) {
            s->samples++;
            s->passed += passed;
        }
    }
    for (size_t i = 0; train && i < sxt_frame_rows(train); i++) {
        s = source_of(r, map, problems,
                      sxt_frame_text(train, SXT_TRAIN_ID, i));
        all.kept++;
        if (s)
            s->kept++;
    }
    r->sources = sxt_realloc(r->sources, r->n_sources + 1,
                             sizeof(*r->sources));
    r->sources[r->n_sources++] = all;
    sxt_map_destroy(map);
}

static void measure_lengths(struct sxt_report *r,
                            const struct sxt_frame *generations)
{
    r->n_lengths = sxt_frame_rows(generations);
    r->lengths = sxt_alloc(r->n_lengths, sizeof(*r->lengths));
    for (size_t i = 0; i < r->n_lengths; i++) {
        size_t n;
        sxt_frame_ids(generations, SXT_GENERATION_OUTPUT_IDS, i, &n);
        r->lengths[i] = (double)n;
    }
}

/* ---- gathering ---- */

static int gather_samples(const struct sxt_run *run,
                          const struct sxt_report_values *v,
                          struct sxt_report *r, struct sxt_error *err)
{
    struct sxt_frame *problems = NULL, *verdicts = NULL, *train = NULL;
    struct sxt_frame *generations = NULL;
    int rc = read_table(run, r, v->problems, SXT_PROBLEMS_FORMAT, "problems",
                        sxt_problem_columns, &problems, err);

    if (rc == 0)
        rc = read_table(run, r, v->verdicts, SXT_VERDICTS_FORMAT, "verdicts",
                        sxt_verdict_columns, &verdicts, err);
    if (rc == 0)
        rc = read_table(run, r, v->train, SXT_TRAIN_FORMAT, "train",
                        sxt_train_columns, &train, err);
    if (rc == 0)
        rc = read_table(run, r, v->generations, SXT_GENERATIONS_FORMAT,
                        "generations", sxt_generation_columns, &generations,
                        err);
    if (rc == 0 && problems && verdicts)
        count_sources(r, problems, verdicts, train);
    if (rc == 0 && generations)
        measure_lengths(r, generations);
    sxt_frame_destroy(problems);
    sxt_frame_destroy(verdicts);
    sxt_frame_destroy(train);
    sxt_frame_destroy(generations);
    return rc;
}

static int gather(const struct sxt_run *run, const struct sxt_report_values *v,
                  struct sxt_report *r, struct sxt_error *err)
{
    int rc = gather_samples(run, v, r, err);

    if (rc == 0)
        rc = read_table(run, r, v->metrics, SXT_METRICS_FORMAT, "steps",
                        sxt_metric_columns, &r->metrics, err);
    r->evals = sxt_calloc(v->evals.count, sizeof(*r->evals));
    for (size_t i = 0; rc == 0 && i < v->evals.count; i++) {
        struct sxt_report_eval *e = &r->evals[r->n_evals];
        rc = read_table(run, r, v->evals.items[i], SXT_EVAL_FORMAT, "summary",
                        sxt_summary_columns, &e->summary, err);
        if (rc == 0 && e->summary) {
            e->name = sxt_strdup(v->evals.items[i]);
            r->n_evals++;
        }
    }
    return rc;
}

static void free_report(struct sxt_report *r)
{
    for (size_t i = 0; i < r->n_sources; i++)
        free(r->sources[i].name);
    for (size_t i = 0; i < r->n_evals; i++) {
        free(r->evals[i].name);
        sxt_frame_destroy(r->evals[i].summary);
    }
    free(r->sources);
    free(r->lengths);
    free(r->evals);
    sxt_frame_destroy(r->metrics);
    sxt_str_free(&r->missing);
}

double sxt_report_metric(const struct sxt_frame *summary, const char *source,
                         const char *metric)
{
    for (size_t i = 0; i < sxt_frame_rows(summary); i++)
        if (sxt_span_equal(sxt_frame_text(summary, SXT_SUMMARY_SOURCE, i),
                           source) &&
            sxt_span_equal(sxt_frame_text(summary, SXT_SUMMARY_METRIC, i),
                           metric))
            return sxt_frame_f64(summary, SXT_SUMMARY_VALUE, i);
    return NAN;
}

/* ---- terminal ---- */

static void print_sources(const struct sxt_report *r)
{
    printf("\n%-24s %9s %9s %8s %9s\n", "source", "samples", "passed", "rate",
           "kept");
    for (size_t i = 0; i < r->n_sources; i++) {
        const struct sxt_report_source *s = &r->sources[i];
        printf("%-24s %9zu %9zu %6.1f %% %9zu\n", s->name, s->samples,
               s->passed,
               s->samples > 0 ? 100.0 * (double)s->passed / (double)s->samples
                              : 0,
               s->kept);
    }
}

static void print_evals(const struct sxt_report *r)
{
    const struct sxt_frame *first = r->evals[0].summary;

    printf("\n%-24s %-12s", "benchmark", "metric");
    for (size_t e = 0; e < r->n_evals; e++)
        printf(" %18s", r->evals[e].name);
    printf("\n");
    for (size_t i = 0; i < sxt_frame_rows(first); i++) {
        char *source = sxt_frame_string(first, SXT_SUMMARY_SOURCE, i);
        char *metric = sxt_frame_string(first, SXT_SUMMARY_METRIC, i);
        printf("%-24s %-12s", source, metric);
        for (size_t e = 0; e < r->n_evals; e++)
            printf(" %18.3f",
                   sxt_report_metric(r->evals[e].summary, source, metric));
        printf("\n");
        free(source);
        free(metric);
    }
}

/* The one line that says what the run was for. */
static void print_result(const struct sxt_report *r)
{
    const struct sxt_report_source *all =
        r->n_sources > 0 ? &r->sources[r->n_sources - 1] : NULL;

    if (!all || all->samples == 0 || r->n_evals < 2)
        return;
    printf("Result: teacher %.1f %% base %.1f %% student %.1f %%\n",
           100.0 * (double)all->passed / (double)all->samples,
           100 * sxt_report_metric(r->evals[0].summary, "all", "pass@1"),
           100 * sxt_report_metric(r->evals[r->n_evals - 1].summary, "all",
                                   "pass@1"));
}

static int report_here(struct sxt_run *run, const struct sxt_report_values *v,
                       struct sxt_error *err)
{
    struct sxt_report r = { 0 };
    struct sxt_str page = SXT_STR_EMPTY;
    char *path = sxt_run_path(run, v->output);
    int rc = gather(run, v, &r, err);

    if (rc == 0) {
        if (r.missing.len > 0)
            printf("not there, and left out:\n%s", r.missing.data);
        if (r.n_sources > 0)
            print_sources(&r);
        if (r.n_evals > 0)
            print_evals(&r);
        sxt_report_page(&r, &page);
        if (!run->dry_run)
            rc = sxt_file_write(path, page.data, page.len, err);
    }
    if (rc == 0) {
        sxt_log(&run->log, SXT_LOG_INFO, "page %s", path);
        print_result(&r);
    }
    sxt_str_free(&page);
    free(path);
    free_report(&r);
    return rc;
}

static int run_report(struct sxt_run *run, const void *values,
                      struct sxt_error *err)
{
    return run->comm.rank == 0 ? report_here(run, values, err) : 0;
}

const struct sxt_stage sxt_stage_report = {
    { "report", "Tables and an HTML page of a run.", params,
      sizeof(struct sxt_report_values) },
    "", run_report
};
