/* report.h - what a report knows, gathered once for terminal and page. */
#ifndef SXT_STAGE_REPORT_H
#define SXT_STAGE_REPORT_H

#include "h5/frame.h"
#include "stage/stage.h"

struct sxt_report_values {
    char *problems, *generations, *verdicts, *train, *metrics, *output;
    struct sxt_cfg_strings evals;
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

struct sxt_report {
    struct sxt_report_source *sources; /* the last is "all" */
    size_t n_sources;
    double *lengths; /* output tokens of each sample */
    size_t n_lengths;
    struct sxt_frame *metrics;
    struct sxt_report_eval *evals;
    size_t n_evals;
    struct sxt_str missing; /* files that were not there, a line each */
};

/* The page: one file, inline SVG, no script and no network. */
void sxt_report_page(const struct sxt_report *r, struct sxt_str *out);

/* Value of a summary's metric for a source, NaN if it has none. */
double sxt_report_metric(const struct sxt_frame *summary, const char *source,
                         const char *metric);

#endif
