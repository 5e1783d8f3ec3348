/* report_page.c - the HTML page: one file, readable light and dark, on a phone
 * and on a desktop, with neither scripts nor network. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stage/formats.h"
#include "stage/report.h"
#include "stage/svg.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Sextant report</title>\n<style>\n"
    ":root{color-scheme:light dark;--ink:#1c2733;--paper:#fcfcfa;"
    "--soft:#6a7683;--rule:#d9dde2;--bar:#2f6f9f;--back:#e8ecf0}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e8ec;--paper:#14181d;"
    "--soft:#98a3af;--rule:#333b45;--bar:#6cb0e0;--back:#252c34}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);"
    "background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}\n"
    "h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}\n"
    ".table{overflow-x:auto}table{border-collapse:collapse;width:100%}\n"
    "th,td{padding:.3rem .6rem;text-align:right;white-space:nowrap;"
    "border-bottom:1px solid var(--rule)}\n"
    "th:first-child,td:first-child{text-align:left}\n"
    "figure{margin:1.5rem 0}figcaption{color:var(--soft)}"
    "svg{width:100%;height:auto}\n"
    ".grid{stroke:var(--rule)}.line{fill:none;stroke:var(--bar);"
    "stroke-width:2}.bar{fill:var(--bar)}.back{fill:var(--back)}\n"
    ".tick{font:12px system-ui,sans-serif;fill:var(--ink)}"
    ".unit{font:12px system-ui,sans-serif;fill:var(--soft)}\n"
    ".big{font-size:1.3rem}.soft{color:var(--soft)}\n"
    "</style></head><body>\n<h1>Sextant report</h1>\n";

static void cell(struct sxt_str *out, const char *text)
{
    sxt_str_add(out, "<td>");
    sxt_html_escape(out, text, strlen(text));
    sxt_str_add(out, "</td>");
}

static double rate(const struct sxt_report_source *s)
{
    return s->samples > 0 ? (double)s->passed / (double)s->samples : 0;
}

static void add_result(const struct sxt_report *r, struct sxt_str *out)
{
    if (r->n_sources == 0 || r->n_evals < 2)
        return;
    sxt_str_add(out,
                "<p class=\"big\">Of the teacher's samples %.1f %% pass. The "
                "student solves %.1f %% of the held-out problems; its base "
                "solved %.1f %%.</p>\n",
                100 * rate(&r->sources[r->n_sources - 1]),
                100 * sxt_report_metric(r->evals[r->n_evals - 1].summary,
                                        "all", "pass@1"),
                100 * sxt_report_metric(r->evals[0].summary, "all",
                                        "pass@1"));
}

static void add_acceptance(const struct sxt_report *r, struct sxt_str *out)
{
    static const struct sxt_chart chart = { "Share of samples that pass", "",
                                            "" };
    struct sxt_bar *bars = sxt_calloc(r->n_sources, sizeof(*bars));

    sxt_str_add(out, "<h2>Acceptance by source</h2>\n");
    for (size_t i = 0; i < r->n_sources; i++) {
        const struct sxt_report_source *s = &r->sources[i];
        bars[i].name = s->name;
        bars[i].share = rate(s);
        snprintf(bars[i].note, sizeof(bars[i].note), "%.1f %% of %zu",
                 100 * rate(s), s->samples);
    }
    sxt_svg_bars(out, &chart, bars, r->n_sources);
    free(bars);
    sxt_str_add(out, "<div class=\"table\"><table><tr><th>source</th>"
                     "<th>samples</th><th>passed</th><th>kept</th></tr>\n");
    for (size_t i = 0; i < r->n_sources; i++) {
        const struct sxt_report_source *s = &r->sources[i];
        sxt_str_add(out, "<tr>");
        cell(out, s->name);
        sxt_str_add(out, "<td>%zu</td><td>%zu</td><td>%zu</td></tr>\n",
                    s->samples, s->passed, s->kept);
    }
    sxt_str_add(out, "</table></div>\n");
}

static void add_lengths(const struct sxt_report *r, struct sxt_str *out)
{
    static const struct sxt_chart chart = { "Length of the samples",
                                            "output tokens", "samples" };

    sxt_str_add(out, "<h2>Length</h2>\n");
    sxt_svg_histogram(out, &chart, r->lengths, r->n_lengths, 40);
}

static void add_series(const struct sxt_frame *f, size_t column,
                       const struct sxt_chart *chart, struct sxt_str *out)
{
    size_t n = sxt_frame_rows(f);
    double *x = sxt_alloc(n, sizeof(*x)), *y = sxt_alloc(n, sizeof(*y));

    for (size_t i = 0; i < n; i++) {
        x[i] = (double)sxt_frame_i64(f, SXT_METRIC_STEP, i);
        y[i] = column == SXT_METRIC_TOKENS
                   ? (double)sxt_frame_i64(f, SXT_METRIC_TOKENS, i) /
                         sxt_frame_f64(f, SXT_METRIC_SECONDS, i)
                   : sxt_frame_f64(f, column, i);
    }
    if (n > 0)
        sxt_svg_line(out, chart, x, y, n);
    free(x);
    free(y);
}

static void add_training(const struct sxt_report *r, struct sxt_str *out)
{
    static const struct {
        size_t column;
        struct sxt_chart chart;
    } series[] = {
        { SXT_METRIC_LOSS, { "Loss", "step", "nat/token" } },
        { SXT_METRIC_GRAD_NORM, { "Gradient norm", "step", "1" } },
        { SXT_METRIC_LR, { "Learning rate", "step", "1" } },
        { SXT_METRIC_TOKENS, { "Throughput", "step", "trained tokens/s" } },
        { SXT_METRIC_EVAL_LOSS, { "Held-out loss", "step", "nat/token" } },
    };

    sxt_str_add(out, "<h2>Fine-tuning</h2>\n");
    for (size_t i = 0; i < sizeof(series) / sizeof(*series); i++)
        add_series(r->metrics, series[i].column, &series[i].chart, out);
}

static void add_eval(const struct sxt_report_eval *e, struct sxt_str *out)
{
    const struct sxt_frame *f = e->summary;

    sxt_str_add(out, "<h2>");
    sxt_html_escape(out, e->name, strlen(e->name));
    sxt_str_add(out,
                "</h2><div class=\"table\"><table><tr><th>benchmark</th>"
                "<th>metric</th><th>value</th><th>95 %% interval</th>"
                "<th>problems</th><th>published</th></tr>\n");
    for (size_t i = 0; i < sxt_frame_rows(f); i++) {
        char *source = sxt_frame_string(f, SXT_SUMMARY_SOURCE, i);
        char *metric = sxt_frame_string(f, SXT_SUMMARY_METRIC, i);
        double published = sxt_frame_f64(f, SXT_SUMMARY_REFERENCE, i);
        sxt_str_add(out, "<tr>");
        cell(out, source);
        cell(out, metric);
        sxt_str_add(out, "<td>%.3f</td><td>%.3f to %.3f</td><td>%lld</td>",
                    sxt_frame_f64(f, SXT_SUMMARY_VALUE, i),
                    sxt_frame_f64(f, SXT_SUMMARY_CI_LOW, i),
                    sxt_frame_f64(f, SXT_SUMMARY_CI_HIGH, i),
                    (long long)sxt_frame_i64(f, SXT_SUMMARY_PROBLEMS, i));
        if (isfinite(published))
            sxt_str_add(out, "<td>%.3f</td></tr>\n", published);
        else
            sxt_str_add(out, "<td class=\"soft\">none</td></tr>\n");
        free(source);
        free(metric);
    }
    sxt_str_add(out, "</table></div>\n");
}

void sxt_report_page(const struct sxt_report *r, struct sxt_str *out)
{
    sxt_str_add_bytes(out, head, sizeof(head) - 1);
    add_result(r, out);
    if (r->missing.len > 0) {
        sxt_str_add(out, "<p class=\"soft\">Not there, and left out: ");
        sxt_html_escape(out, r->missing.data, r->missing.len);
        sxt_str_add(out, "</p>\n");
    }
    if (r->n_sources > 0)
        add_acceptance(r, out);
    if (r->n_lengths > 0)
        add_lengths(r, out);
    if (r->metrics)
        add_training(r, out);
    for (size_t i = 0; i < r->n_evals; i++)
        add_eval(&r->evals[i], out);
    sxt_str_add(out, "</body></html>\n");
}
