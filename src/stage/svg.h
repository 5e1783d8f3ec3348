/* svg.h - small charts as inline SVG: no script, no network, colours from the
 * page's style sheet. */
#ifndef SXT_STAGE_SVG_H
#define SXT_STAGE_SVG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Any bytes as text for HTML: what has a meaning there is escaped, control
 * characters are left out, and what is no UTF-8 becomes U+FFFD. */
void sxt_html_escape(struct sxt_str *out, const char *text, size_t n);

struct sxt_chart {
    const char *title;           /* read out by screen readers as well */
    const char *x_unit, *y_unit; /* "" if there is nothing to say */
    bool exact;                  /* no noise in it: never averaged */
};

/* A line through n points, x whole and ascending.  Values that are not finite
 * leave a gap; a point between two gaps is a dot.  Many points are pale, with
 * their moving average over them.  Nothing is drawn if no value is finite. */
void sxt_svg_line(struct sxt_str *out, const struct sxt_chart *chart,
                  const double *x, const double *y, size_t n);

/* Horizontal bars of shares 0 … 1 with names, and a note behind each; a share
 * that is no number has no bar. */
struct sxt_bar {
    char *name;
    double share;
    bool pale; /* what others are compared with */
    char note[80];
    double mark; /* a line across the bar; 0 or no number: none */
};
void sxt_svg_bars(struct sxt_str *out, const struct sxt_chart *chart,
                  const struct sxt_bar *bars, size_t n);

/* Histogram of n whole numbers in bins of a round width, about `bins` of
 * them.  Of each bin the part that is `marked` is dark and the rest pale;
 * marked NULL: all are dark. */
void sxt_svg_histogram(struct sxt_str *out, const struct sxt_chart *chart,
                       const double *values, const bool *marked, size_t n,
                       size_t bins);

#endif
