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
#include "stage/status.h"
#include "stage/status_view.h"

#define AT(member) offsetof(struct sxt_report_values, member)

static const struct sxt_cfg_param params[] = {
    { "problems", SXT_CFG_STRING, "problems.h5", 0, 0, "1",
      "Problems the samples answer.", AT(problems), NULL, NULL },
    { "generations", SXT_CFG_STRING, "generations.h5", 0, 0, "1",
      "The teacher's samples.", AT(generations), NULL, NULL },
    { "verdicts", SXT_CFG_STRING, "verdicts.h5", 0, 0, "1", "Their verdicts.",
      AT(verdicts), NULL, NULL },
    { "train", SXT_CFG_STRING, "train.h5", 0, 0, "1", "What was kept of them.",
      AT(train), NULL, NULL },
    { "metrics", SXT_CFG_STRING, "metrics.h5", 0, 0, "1",
      "Steps of the fine-tuning.", AT(metrics), NULL, NULL },
    { "evals", SXT_CFG_STRINGS, "eval-base.h5, eval.h5", 0, 0, "1",
      "Evaluations side by side: before first, after last.", AT(evals), NULL,
      NULL },
    { "output", SXT_CFG_STRING, "report.html", 0, 0, "1", "The page.",
      AT(output), NULL, NULL },
    { "price", SXT_CFG_REAL, "-1", -1, 1e6, "$/h",
      "Price of a rank for an hour; -1: 3 for a GPU, 0 for a processor.",
      AT(price), NULL, NULL },
    { .name = NULL }
};

/* The columns asked for of a whole table, or NULL with its name in r->missing
 * if there is no file. */
static int read_table(const struct sxt_run *run, struct sxt_report *r,
                      const char *name, const char *format, const char *group,
                      const struct sxt_column *columns,
                      struct sxt_frame **frame, struct sxt_error *err)
{
    *frame = NULL;
    if (!name)
        return 0;
    char *path = sxt_run_path(run, name);
    size_t rows = 0;
    int rc = 0;

    if (!sxt_file_exists(path)) {
        sxt_str_add(&r->missing, "%s%s", r->missing.len > 0 ? ", " : "", name);
    } else {
        struct sxt_in *in = sxt_in_open(path, format, err);
        rc = in ? sxt_in_rows(in, group, &rows, err) : -1;
        if (rc == 0)
            rc = sxt_in_frame(in, group, columns, 0, rows, frame, err);
        sxt_in_close(in);
        r->n_files++;
    }
    free(path);
    return rc;
}

/* ---- sources: samples, passed, kept ---- */

/* Columns of the tables as sxt_report_samples reads them. */
enum { ID, SOURCE, VERDICT = SOURCE };

static struct sxt_report_source *source_of(struct sxt_report *r,
                                           struct sxt_map *map,
                                           const struct sxt_frame *problems,
                                           struct sxt_span id)
{
    const uint64_t *at = sxt_map_get(map, id.data, id.len);

    if (!at)
        return NULL;
    struct sxt_span name = sxt_frame_text(problems, SOURCE, *at);
    for (size_t i = 0; i < r->n_sources; i++)
        if (sxt_span_equal(name, r->sources[i].name))
            return &r->sources[i];
    r->sources = sxt_realloc(r->sources, r->n_sources + 1, sizeof(*r->sources));
    r->sources[r->n_sources] =
        (struct sxt_report_source){ sxt_strndup(name.data, name.len), 0, 0, 0 };
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
        struct sxt_span id = sxt_frame_text(problems, ID, i);
        sxt_map_put(map, id.data, id.len, i);
    }
    for (size_t i = 0; i < sxt_frame_rows(verdicts); i++) {
        s = source_of(r, map, problems, sxt_frame_text(verdicts, ID, i));
        bool passed =
            sxt_span_equal(sxt_frame_text(verdicts, VERDICT, i), "pass");
        all.samples++;
        all.passed += passed;
        if (s) {
            s->samples++;
            s->passed += passed;
        }
    }
    for (size_t i = 0; train && i < sxt_frame_rows(train); i++) {
        s = source_of(r, map, problems, sxt_frame_text(train, ID, i));
        all.kept++;
        if (s)
            s->kept++;
    }
    r->sources = sxt_realloc(r->sources, r->n_sources + 1, sizeof(*r->sources));
    r->sources[r->n_sources++] = all;
    sxt_map_destroy(map);
}

/* Verdicts are in the order of the samples; if there is one for each, they say
 * which pass. */
static void measure_lengths(struct sxt_report *r,
                            const struct sxt_frame *generations,
                            const struct sxt_frame *verdicts)
{
    r->n_lengths = sxt_frame_rows(generations);
    r->lengths = sxt_alloc(r->n_lengths, sizeof(*r->lengths));
    for (size_t i = 0; i < r->n_lengths; i++) {
        size_t n;
        sxt_frame_ids(generations, 0, i, &n);
        r->lengths[i] = (double)n;
    }
    if (!verdicts || sxt_frame_rows(verdicts) != r->n_lengths)
        return;
    r->passes = sxt_alloc(r->n_lengths, sizeof(*r->passes));
    for (size_t i = 0; i < r->n_lengths; i++)
        r->passes[i] =
            sxt_span_equal(sxt_frame_text(verdicts, VERDICT, i), "pass");
}

/* ---- gathering ---- */

/* Only what is counted is read: tests and texts of a large run take more than
 * a login node has. */
int sxt_report_samples(const struct sxt_run *run,
                       const struct sxt_report_values *v, struct sxt_report *r,
                       struct sxt_error *err)
{
    const struct sxt_column of_problems[] = {
        [ID] = sxt_problem_columns[SXT_PROBLEM_ID],
        [SOURCE] = sxt_problem_columns[SXT_PROBLEM_SOURCE],
        { .name = NULL }
    };
    const struct sxt_column of_verdicts[] = {
        [ID] = sxt_verdict_columns[SXT_VERDICT_ID],
        [VERDICT] = sxt_verdict_columns[SXT_VERDICT_VERDICT],
        { .name = NULL }
    };
    const struct sxt_column of_train[] = { sxt_train_columns[SXT_TRAIN_ID],
                                           { .name = NULL } };
    const struct sxt_column of_generations[] = {
        sxt_generation_columns[SXT_GENERATION_OUTPUT_IDS], { .name = NULL }
    };
    struct sxt_frame *problems = NULL, *verdicts = NULL, *train = NULL;
    struct sxt_frame *generations = NULL;
    int rc = read_table(run, r, v->problems, SXT_PROBLEMS_FORMAT, "problems",
                        of_problems, &problems, err);

    if (rc == 0)
        rc = read_table(run, r, v->verdicts, SXT_VERDICTS_FORMAT, "verdicts",
                        of_verdicts, &verdicts, err);
    if (rc == 0)
        rc = read_table(run, r, v->train, SXT_TRAIN_FORMAT, "train", of_train,
                        &train, err);
    if (rc == 0)
        rc = read_table(run, r, v->generations, SXT_GENERATIONS_FORMAT,
                        "generations", of_generations, &generations, err);
    if (rc == 0 && problems && verdicts)
        count_sources(r, problems, verdicts, train);
    if (rc == 0 && generations)
        measure_lengths(r, generations, verdicts);
    sxt_frame_destroy(problems);
    sxt_frame_destroy(verdicts);
    sxt_frame_destroy(train);
    sxt_frame_destroy(generations);
    return rc;
}

/* Steps that kept records (status.h); that none did is no fault. */
static void gather_effort(const struct sxt_run *run, double price,
                          struct sxt_report *r)
{
    const struct sxt_status_values v = { .price = price, .brief = true };
    struct sxt_status_view view;

    if (sxt_status_view_read(run, run->out_dir, &v, &view, NULL) == 0)
        r->steps = sxt_calloc(view.n_steps, sizeof(*r->steps));
    for (size_t i = 0; i < view.n_steps; i++) {
        const struct sxt_status_step *s = &view.steps[i];
        if (s->record && s->state == SXT_STATUS_DONE)
            r->steps[r->n_steps++] = (struct sxt_report_step){
                .command = sxt_strdup(s->command),
                .output = sxt_strdup(s->output),
                .ranks = s->ranks,
                .hours = s->rank_hours,
                .dollars = s->dollars,
                .tokens_per_s = s->tokens_per_s,
            };
    }
    sxt_status_view_free(&view);
}

static int gather(const struct sxt_run *run, const struct sxt_report_values *v,
                  struct sxt_report *r, struct sxt_error *err)
{
    int rc = sxt_report_samples(run, v, r, err);

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
    if (rc == 0)
        gather_effort(run, v->price, r);
    return rc;
}

void sxt_report_free(struct sxt_report *r)
{
    for (size_t i = 0; i < r->n_sources; i++)
        free(r->sources[i].name);
    for (size_t i = 0; i < r->n_evals; i++) {
        free(r->evals[i].name);
        sxt_frame_destroy(r->evals[i].summary);
    }
    free(r->sources);
    for (size_t i = 0; i < r->n_steps; i++) {
        free(r->steps[i].command);
        free(r->steps[i].output);
    }
    free(r->steps);
    free(r->lengths);
    free(r->passes);
    free(r->evals);
    sxt_frame_destroy(r->metrics);
    sxt_str_free(&r->missing);
}

long sxt_report_find(const struct sxt_frame *summary, struct sxt_span source,
                     struct sxt_span metric)
{
    for (size_t i = 0; i < sxt_frame_rows(summary); i++) {
        struct sxt_span s = sxt_frame_text(summary, SXT_SUMMARY_SOURCE, i);
        struct sxt_span m = sxt_frame_text(summary, SXT_SUMMARY_METRIC, i);
        if (s.len == source.len && m.len == metric.len &&
            memcmp(s.data, source.data, s.len) == 0 &&
            memcmp(m.data, metric.data, m.len) == 0)
            return (long)i;
    }
    return -1;
}

bool sxt_report_next(const struct sxt_report *r, struct sxt_report_row *row)
{
    while (row->eval < r->n_evals) {
        const struct sxt_frame *f = r->evals[row->eval].summary;
        bool known = false;
        if (row->next == sxt_frame_rows(f)) {
            row->eval++;
            row->next = 0;
            continue;
        }
        row->source = sxt_frame_text(f, SXT_SUMMARY_SOURCE, row->next);
        row->metric = sxt_frame_text(f, SXT_SUMMARY_METRIC, row->next);
        row->next++;
        for (size_t e = 0; e < row->eval; e++)
            known |= sxt_report_find(r->evals[e].summary, row->source,
                                     row->metric) >= 0;
        if (!known)
            return true;
    }
    return false;
}

bool sxt_report_result(const struct sxt_report *r,
                       struct sxt_report_result *result)
{
    const struct sxt_report_source *all;
    const struct sxt_span source = sxt_span("all"), metric = sxt_span("pass@1");

    if (r->n_sources == 0 || r->n_evals < 2)
        return false;
    all = &r->sources[r->n_sources - 1];
    const struct sxt_frame *first = r->evals[0].summary;
    const struct sxt_frame *last = r->evals[r->n_evals - 1].summary;
    long base = sxt_report_find(first, source, metric);
    long student = sxt_report_find(last, source, metric);
    if (all->samples == 0 || base < 0 || student < 0)
        return false;
    result->teacher = (double)all->passed / (double)all->samples;
    result->base = sxt_frame_f64(first, SXT_SUMMARY_VALUE, (size_t)base);
    result->student = sxt_frame_f64(last, SXT_SUMMARY_VALUE, (size_t)student);
    return isfinite(result->base) && isfinite(result->student);
}

/* ---- terminal ---- */

/* Text of a file in `width` columns, without what would move the cursor. */
static void print_text(struct sxt_span text, int width)
{
    struct sxt_str s = SXT_STR_EMPTY;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        sxt_str_add_char(&s, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
    printf("%-*s", width, s.data ? s.data : "");
    sxt_str_free(&s);
}

static void print_sources(const struct sxt_report *r)
{
    printf("\n%-24s %9s %9s %8s %9s\n", "source", "samples", "passed", "rate",
           "kept");
    for (size_t i = 0; i < r->n_sources; i++) {
        const struct sxt_report_source *s = &r->sources[i];
        print_text(sxt_span(s->name), 24);
        printf(" %9zu %9zu %6.1f %% %9zu\n", s->samples, s->passed,
               s->samples > 0 ? 100.0 * (double)s->passed / (double)s->samples
                              : 0,
               s->kept);
    }
}

static void print_evals(const struct sxt_report *r)
{
    struct sxt_report_row row = { 0 };

    printf("\n%-24s %-12s", "benchmark", "metric");
    for (size_t e = 0; e < r->n_evals; e++)
        printf(" %18s", r->evals[e].name);
    printf("\n");
    while (sxt_report_next(r, &row)) {
        print_text(row.source, 24);
        printf(" ");
        print_text(row.metric, 12);
        for (size_t e = 0; e < r->n_evals; e++) {
            const struct sxt_frame *f = r->evals[e].summary;
            long at = sxt_report_find(f, row.source, row.metric);
            if (at >= 0)
                printf(" %18.3f",
                       sxt_frame_f64(f, SXT_SUMMARY_VALUE, (size_t)at));
            else
                printf(" %18s", "-");
        }
        printf("\n");
    }
}

/* The one line that says what the run was for. */
static void print_result(const struct sxt_report *r)
{
    struct sxt_report_result result;

    if (sxt_report_result(r, &result))
        printf("Result: teacher %.1f %% base %.1f %% student %.1f %%\n",
               100 * result.teacher, 100 * result.base, 100 * result.student);
}

static void print_tables(const struct sxt_report *r)
{
    if (r->missing.len > 0)
        printf("not there, and left out: %s\n", r->missing.data);
    if (r->n_sources > 0)
        print_sources(r);
    if (r->n_evals > 0)
        print_evals(r);
}

static int report_here(struct sxt_run *run, const struct sxt_report_values *v,
                       struct sxt_error *err)
{
    struct sxt_report r = { 0 };
    struct sxt_str page = SXT_STR_EMPTY;
    char *path = sxt_run_path(run, v->output);
    int rc = 0;

    sxt_status_doing(run, "reading");
    if (sxt_ends_with(path, ".h5"))
        rc = sxt_err(err, SXT_EXIT_CONFIG,
                     "output is a page, such as report.html, not %s", path);
    if (rc == 0)
        rc = gather(run, v, &r, err);
    if (rc == 0 && r.n_files == 0)
        rc = sxt_err(err, SXT_EXIT_NOINPUT,
                     "nothing to report on in %s: there is none of %s",
                     run->out_dir, r.missing.data);
    if (rc == 0) {
        print_tables(&r);
        sxt_report_page(&r, &page);
        if (!run->dry_run)
            rc = sxt_file_write(path, page.data, page.len, err);
    }
    if (rc == 0) {
        sxt_log(&run->log, SXT_LOG_INFO, "%s %s",
                run->dry_run ? "would write" : "page", path);
        print_result(&r);
    }
    sxt_str_free(&page);
    free(path);
    sxt_report_free(&r);
    return rc;
}

static int run_report(struct sxt_run *run, const void *values,
                      struct sxt_error *err)
{
    return run->comm.rank == 0 ? report_here(run, values, err) : 0;
}

const struct sxt_stage sxt_stage_report = {
    .section = { "report", "Tables and an HTML page of a run.", params,
                 sizeof(struct sxt_report_values) },
    .operands = "",
    .run = run_report
};
