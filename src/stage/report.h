/* report.h - what a report knows, gathered once for terminal and page. */
#ifndef SXT_STAGE_REPORT_H
#define SXT_STAGE_REPORT_H

#include "h5/frame.h"
#include "stage/stage.h"

struct sxt_report_values {
    char *problems, *generations, *verdicts, *train, *metrics, *output;
    struct sxt_cfg_strings evals;
    double price;
};

/* One evaluation: its file's name and its summary table. */
struct sxt_report_eval {
    char *name;
    struct sxt_frame *summary;
};

/* Samples of one source and what became of them. */
struct sxt_report_source {
    char *name;
    size_t samples, passed, kept;
};

/* What a step of the run took. */
struct sxt_report_step {
    char *command, *output;
    double ranks, hours, dollars; /* hours: of ranks */
    double tokens_per_s;          /* NaN: none */
};

struct sxt_report {
    struct sxt_report_source *sources; /* the last is "all" */
    size_t n_sources;
    double *lengths; /* output tokens of each sample */
    bool *passes;    /* whether it passes; NULL: not known */
    size_t n_lengths;
    struct sxt_frame *metrics;
    struct sxt_report_step *steps; /* what kept a record of its effort */
    size_t n_steps;
    struct sxt_report_eval *evals;
    size_t n_evals;
    struct sxt_str missing; /* files that were not there, with commas */
    size_t n_files;         /* that were */
};

/* Sources with their samples, and lengths, from the files that are there; a
 * name that is NULL is not looked for.  Free with sxt_report_free (). */
int sxt_report_samples(const struct sxt_run *run,
                       const struct sxt_report_values *v, struct sxt_report *r,
                       struct sxt_error *err);
void sxt_report_free(struct sxt_report *r);

/* The page: one file, inline SVG, no script and no network. */
void sxt_report_page(const struct sxt_report *r, struct sxt_str *out);

/* Row of a benchmark's metric, -1 if the summary has none. */
long sxt_report_find(const struct sxt_frame *summary, struct sxt_span source,
                     struct sxt_span metric);

/* Walk over the benchmarks and metrics of all evaluations, each once; begin
 * with zeros. */
struct sxt_report_row {
    struct sxt_span source, metric; /* borrowed from the report */
    size_t eval, next;              /* where to look on */
};
bool sxt_report_next(const struct sxt_report *r, struct sxt_report_row *row);

/* What the run was for, as shares; false if it cannot be told. */
struct sxt_report_result {
    double teacher, base, student;
};
bool sxt_report_result(const struct sxt_report *r,
                       struct sxt_report_result *result);

#endif
