/* report_page.c - the HTML page: one file, readable light and dark, on a phone
 * and on a desktop, with neither scripts nor network. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "stage/formats.h"
#include "stage/report.h"
#include "stage/svg.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Sextant report</title>\n<style>\n"
    ":root{color-scheme:light dark;--ink:#1c2733;--paper:#fcfcfa;"
    "--soft:#5d6975;--rule:#d9dde2;--bar:#2f6f9f;--pale:#9db8cc;"
    "--back:#e8ecf0}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e8ec;--paper:#14181d;"
    "--soft:#98a3af;--rule:#333b45;--bar:#6cb0e0;--pale:#47677e;"
    "--back:#252c34}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);"
    "background:var(--paper);max-width:62rem;margin:2rem auto;"
    "padding:0 1rem}\n"
    "h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2.5rem}\n"
    ".table{overflow-x:auto}table{border-collapse:collapse;width:100%}\n"
    "th,td{padding:.3rem .6rem;text-align:right;white-space:nowrap;"
    "font-variant-numeric:tabular-nums;border-bottom:1px solid var(--rule)}\n"
    "td:first-child,th:first-child{position:sticky;left:0;"
    "background:var(--paper);padding-left:0}"
    "tr:last-child td{border-bottom:0}\n"
    "th:first-child,td:first-child,.name{text-align:left}\n"
    ".charts{display:grid;gap:1rem 2rem;"
    "grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr))}\n"
    "figure{margin:.5rem 0;max-width:32rem}figcaption{color:var(--soft)}"
    "svg{display:block;width:100%;height:auto}\n"
    ".grid{stroke:var(--rule)}.line{fill:none;stroke:var(--bar);"
    "stroke-width:2;stroke-linejoin:round}.bar{fill:var(--bar)}"
    ".pale{fill:var(--pale)}.back{fill:var(--back)}"
    ".raw{fill:none;stroke:var(--pale);stroke-width:1;opacity:.7}"
    ".mark{stroke:var(--ink);stroke-width:2}\n"
    ".tick,.label{font:12px system-ui,sans-serif;fill:var(--ink)}"
    ".unit{font:12px system-ui,sans-serif;fill:var(--soft)}\n"
    "@media(max-width:40rem){.tick,.unit{font-size:15px}"
    ".label{font-size:14px}}.sum td{font-weight:600}\n"
    ".big{font-size:1.25rem}.soft{color:var(--soft)}\n"
    "</style></head><body>\n<h1>Sextant report</h1>\n";

static void add_text(struct sxt_str *out, struct sxt_span text)
{
    sxt_html_escape(out, text.data, text.len);
}

static void name_cell(struct sxt_str *out, struct sxt_span text)
{
    sxt_str_add(out, "<td class=\"name\">");
    add_text(out, text);
    sxt_str_add(out, "</td>");
}

/* Shares have three places, counts one. */
static void add_number(struct sxt_str *out, struct sxt_span metric, double x)
{
    bool share = sxt_span_find(metric, "@") >= 0;

    if (isfinite(x))
        sxt_str_add(out, "%.*f", share ? 3 : 1, x);
    else
        sxt_str_add(out, "–");
}

static double rate(const struct sxt_report_source *s)
{
    return s->samples > 0 ? (double)s->passed / (double)s->samples : 0;
}

static void add_result(const struct sxt_report *r, struct sxt_str *out)
{
    struct sxt_report_result result;

    if (sxt_report_result(r, &result))
        sxt_str_add(out,
                    "<p class=\"big\">Of the teacher's samples %.1f %% pass. "
                    "The student solves %.1f %% of the held-out problems; its "
                    "base solved %.1f %%.</p>\n",
                    100 * result.teacher, 100 * result.student,
                    100 * result.base);
}

/* ---- the teacher's samples ---- */

static void add_rates(const struct sxt_report *r, struct sxt_str *out)
{
    static const struct sxt_chart chart = { "Share of samples that pass", "",
                                            "", false };
    struct sxt_bar *bars = sxt_calloc(r->n_sources, sizeof(*bars));

    for (size_t i = 0; i < r->n_sources; i++) {
        const struct sxt_report_source *s = &r->sources[i];
        bars[i].name = s->name;
        bars[i].share = rate(s);
        snprintf(bars[i].note, sizeof(bars[i].note), "%.1f %% of %zu",
                 100 * rate(s), s->samples);
    }
    sxt_svg_bars(out, &chart, bars, r->n_sources);
    free(bars);
}

static void add_sources(const struct sxt_report *r, struct sxt_str *out)
{
    sxt_str_add(out, "<div class=\"table\"><table><tr><th>source</th>"
                     "<th>samples</th><th>passed</th><th>kept</th></tr>\n");
    for (size_t i = 0; i < r->n_sources; i++) {
        const struct sxt_report_source *s = &r->sources[i];
        sxt_str_add(out, i + 1 < r->n_sources ? "<tr>" : "<tr class=\"sum\">");
        name_cell(out, sxt_span(s->name));
        sxt_str_add(out, "<td>%zu</td><td>%zu</td><td>%zu</td></tr>\n",
                    s->samples, s->passed, s->kept);
    }
    sxt_str_add(out, "</table></div>\n");
}

static void add_samples(const struct sxt_report *r, struct sxt_str *out)
{
    const struct sxt_chart chart = { r->passes ? "Samples by length (dark: "
                                                 "those that pass)"
                                               : "Samples by length",
                                     "output tokens", "", false };

    sxt_str_add(out, "<h2>The teacher's samples</h2>\n<div class=\"charts\">");
    if (r->n_sources > 0)
        add_rates(r, out);
    sxt_svg_histogram(out, &chart, r->lengths, r->passes, r->n_lengths, 40);
    sxt_str_add(out, "</div>\n");
    if (r->n_sources > 0)
        add_sources(r, out);
}

/* ---- fine-tuning ---- */

static double metric_at(const struct sxt_frame *f, size_t column, size_t i)
{
    if (column == SXT_METRIC_TOKENS)
        return (double)sxt_frame_i64(f, SXT_METRIC_TOKENS, i) /
               sxt_frame_f64(f, SXT_METRIC_SECONDS, i);
    return sxt_frame_f64(f, column, i);
}

static void add_series(const struct sxt_frame *f, size_t column,
                       const struct sxt_chart *chart, struct sxt_str *out)
{
    size_t rows = sxt_frame_rows(f), n = 0;
    double *x = sxt_alloc(rows, sizeof(*x)), *y = sxt_alloc(rows, sizeof(*y));

    for (size_t i = 0; i < rows; i++) {
        double v = metric_at(f, column, i);
        /* most steps have no held-out loss: join those that have one */
        if (column == SXT_METRIC_EVAL_LOSS && !isfinite(v))
            continue;
        x[n] = (double)sxt_frame_i64(f, SXT_METRIC_STEP, i);
        y[n++] = v;
    }
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
        { SXT_METRIC_LOSS, { "Loss", "step", "nat/token", false } },
        { SXT_METRIC_EVAL_LOSS,
          { "Held-out loss", "step", "nat/token", false } },
        { SXT_METRIC_GRAD_NORM, { "Gradient norm", "step", "", false } },
        { SXT_METRIC_LR, { "Learning rate", "step", "", true } },
        { SXT_METRIC_TOKENS,
          { "Throughput", "step", "trained tokens/s", false } },
    };

    sxt_str_add(out, "<h2>Fine-tuning</h2>\n<div class=\"charts\">");
    for (size_t i = 0; i < sizeof(series) / sizeof(*series); i++)
        add_series(r->metrics, series[i].column, &series[i].chart, out);
    sxt_str_add(out, "</div>\n");
}

/* ---- benchmarks ---- */

/* The bars of one benchmark; the first is pale and has the name. */
static size_t add_bars(const struct sxt_report *r,
                       const struct sxt_report_row *row, struct sxt_bar *bars,
                       bool *marked)
{
    size_t n = 0;

    for (size_t e = 0; e < r->n_evals; e++) {
        const struct sxt_frame *f = r->evals[e].summary;
        long at = sxt_report_find(f, row->source, row->metric);
        if (at < 0)
            continue;
        double value = sxt_frame_f64(f, SXT_SUMMARY_VALUE, (size_t)at);
        bars[n] = (struct sxt_bar){ .share = value,
                                    .pale = e == 0 && r->n_evals > 1 };
        bars[n].mark = sxt_frame_f64(f, SXT_SUMMARY_REFERENCE, (size_t)at);
        *marked = *marked || isfinite(bars[n].mark);
        bars[n].name = n == 0 ? sxt_strndup(row->source.data, row->source.len)
                              : sxt_strdup("");
        snprintf(bars[n++].note, sizeof(bars->note), "%.1f %%", 100 * value);
    }
    return n;
}

static void add_scores(const struct sxt_report *r, struct sxt_str *out)
{
    struct sxt_bar *bars = NULL;
    struct sxt_report_row row = { 0 };
    struct sxt_str title = SXT_STR_EMPTY;
    bool marked = false;
    size_t n = 0;

    for (size_t e = 0; e < r->n_evals; e++)
        sxt_str_add(&title, "%s%s%s", e == 0 ? "pass@1 of " : ", ",
                    r->evals[e].name,
                    e == 0 && r->n_evals > 1 ? " (pale)" : "");
    while (sxt_report_next(r, &row)) {
        if (!sxt_span_equal(row.metric, "pass@1"))
            continue;
        bars = sxt_realloc(bars, n + r->n_evals, sizeof(*bars));
        n += add_bars(r, &row, bars + n, &marked);
    }
    if (marked)
        sxt_str_add(&title, ", line: published");
    struct sxt_chart chart = { title.data, "", "", false };
    if (n > 0)
        sxt_svg_bars(out, &chart, bars, n);
    for (size_t i = 0; i < n; i++)
        free(bars[i].name);
    free(bars);
    sxt_str_free(&title);
}

/* The value of an evaluation, and its interval. */
static void value_cells(const struct sxt_frame *f,
                        const struct sxt_report_row *row, struct sxt_str *out)
{
    long at = sxt_report_find(f, row->source, row->metric);

    if (at < 0) {
        sxt_str_add(out, "<td>–</td><td></td>");
        return;
    }
    sxt_str_add(out, "<td>");
    add_number(out, row->metric,
               sxt_frame_f64(f, SXT_SUMMARY_VALUE, (size_t)at));
    sxt_str_add(out, "</td><td class=\"soft\">");
    add_number(out, row->metric,
               sxt_frame_f64(f, SXT_SUMMARY_CI_LOW, (size_t)at));
    sxt_str_add(out, " to ");
    add_number(out, row->metric,
               sxt_frame_f64(f, SXT_SUMMARY_CI_HIGH, (size_t)at));
    sxt_str_add(out, "</td>");
}

/* The published value that the last evaluation with this metric has. */
static void published_cells(const struct sxt_report *r,
                            const struct sxt_report_row *row,
                            struct sxt_str *out)
{
    for (size_t e = r->n_evals; e-- > 0;) {
        const struct sxt_frame *f = r->evals[e].summary;
        long at = sxt_report_find(f, row->source, row->metric);
        double x =
            at < 0 ? NAN : sxt_frame_f64(f, SXT_SUMMARY_REFERENCE, (size_t)at);
        if (!isfinite(x))
            continue;
        sxt_str_add(out, "<td>");
        add_number(out, row->metric, x);
        sxt_str_add(out, "</td>");
        name_cell(out,
                  sxt_frame_text(f, SXT_SUMMARY_REFERENCE_SOURCE, (size_t)at));
        return;
    }
    sxt_str_add(out, "<td class=\"soft\">–</td><td></td>");
}

static void add_evals(const struct sxt_report *r, struct sxt_str *out)
{
    struct sxt_report_row row = { 0 };

    sxt_str_add(out, "<h2>Benchmarks</h2>\n<div class=\"charts\">");
    add_scores(r, out);
    sxt_str_add(out, "</div>\n<div class=\"table\"><table><tr>"
                     "<th>benchmark</th><th class=\"name\">metric</th>");
    for (size_t e = 0; e < r->n_evals; e++) {
        sxt_str_add(out, "<th>");
        add_text(out, sxt_span(r->evals[e].name));
        sxt_str_add(out, "</th><th class=\"soft\">95 %% interval</th>");
    }
    sxt_str_add(out, "<th>published</th><th></th></tr>\n");
    while (sxt_report_next(r, &row)) {
        sxt_str_add(out, "<tr>");
        name_cell(out, row.source);
        name_cell(out, row.metric);
        for (size_t e = 0; e < r->n_evals; e++)
            value_cells(r->evals[e].summary, &row, out);
        published_cells(r, &row, out);
        sxt_str_add(out, "</tr>\n");
    }
    sxt_str_add(out, "</table></div>\n");
}

/* ---- effort ---- */

static void add_shares(const struct sxt_report *r, double all,
                       struct sxt_str *out)
{
    static const struct sxt_chart chart = { "Share of the rank-hours", "", "",
                                            false };
    struct sxt_bar *bars = sxt_calloc(r->n_steps, sizeof(*bars));

    for (size_t i = 0; i < r->n_steps; i++) {
        const struct sxt_report_step *s = &r->steps[i];
        bars[i].name = sxt_strdup(sxt_path_base(s->output));
        bars[i].share = all > 0 ? s->hours / all : 0;
        snprintf(bars[i].note, sizeof(bars[i].note), "%.1f %%",
                 100 * bars[i].share);
    }
    sxt_svg_bars(out, &chart, bars, r->n_steps);
    for (size_t i = 0; i < r->n_steps; i++)
        free(bars[i].name);
    free(bars);
}

static void effort_row(const char *command, const char *output, double ranks,
                       double hours, double dollars, double rate,
                       struct sxt_str *out)
{
    char text[32];

    sxt_str_add(out, ranks > 0 ? "<tr>" : "<tr class=\"sum\">");
    name_cell(out, sxt_span(command));
    name_cell(out, sxt_span(output));
    if (ranks > 0) {
        sxt_log_duration(3600 * hours / ranks, text);
        sxt_str_add(out, "<td>%s</td><td>%.0f</td>", text, ranks);
    } else {
        sxt_str_add(out, "<td></td><td></td>");
    }
    sxt_str_add(out, hours < 0.001 ? "<td>&lt;0.001</td>" : "<td>%.3f</td>",
                hours);
    sxt_str_add(out, "<td>%.2f</td>", dollars);
    sxt_log_count(rate, text);
    sxt_str_add(out, "<td>%s</td></tr>\n", isfinite(rate) ? text : "");
}

static void add_effort(const struct sxt_report *r, struct sxt_str *out)
{
    double hours = 0, dollars = 0;

    for (size_t i = 0; i < r->n_steps; i++) {
        hours += r->steps[i].hours;
        dollars += r->steps[i].dollars;
    }
    sxt_str_add(out, "<h2>Cost</h2>\n<div class=\"charts\">");
    add_shares(r, hours, out);
    sxt_str_add(out, "</div>\n<div class=\"table\"><table><tr><th>step</th>"
                     "<th class=\"name\">output</th><th>time</th>"
                     "<th>ranks</th><th>rank-hours</th><th>$</th>"
                     "<th>tokens/s</th></tr>\n");
    for (size_t i = 0; i < r->n_steps; i++) {
        const struct sxt_report_step *s = &r->steps[i];
        effort_row(s->command, s->output, s->ranks, s->hours, s->dollars,
                   s->tokens_per_s, out);
    }
    effort_row("all", "", 0, hours, dollars, NAN, out);
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
    if (r->n_sources > 0 || r->n_lengths > 0)
        add_samples(r, out);
    if (r->metrics)
        add_training(r, out);
    if (r->n_evals > 0)
        add_evals(r, out);
    if (r->n_steps > 0)
        add_effort(r, out);
    sxt_str_add(out, "</body></html>\n");
}
