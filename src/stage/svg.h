/* svg.h - small charts as inline SVG: no script, no network, colours from the
 * page's style sheet. */
#ifndef SXT_STAGE_SVG_H
#define SXT_STAGE_SVG_H

#include <stddef.h>

#include "base/str.h"

/* Text with &, <, > and quotes made safe for HTML. */
void sxt_html_escape(struct sxt_str *out, const char *text, size_t n);

struct sxt_chart {
    const char *title;        /* read out by screen readers as well */
    const char *x_unit, *y_unit;
};

/* A line through n points, x ascending; values that are not finite leave a
 * gap. */
void sxt_svg_line(struct sxt_str *out, const struct sxt_chart *chart,
                  const double *x, const double *y, size_t n);

/* Horizontal bars of shares 0 … 1 with names, and a note behind each. */
struct sxt_bar {
    const char *name; /* borrowed */
    double share;
    char note[80];
};
void sxt_svg_bars(struct sxt_str *out, const struct sxt_chart *chart,
                  const struct sxt_bar *bars, size_t n);

/* Histogram of n values in at most `bins` bins of round width. */
void sxt_svg_histogram(struct sxt_str *out, const struct sxt_chart *chart,
                       const double *values, size_t n, size_t bins);

#endif
