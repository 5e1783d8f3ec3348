/* svg.c - small charts as inline SVG. */
#include "stage/svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The plot area inside a picture, in its units. */
enum { WIDTH = 480, HEIGHT = 220 };
enum { LEFT = 60, RIGHT = 14, TOP = 10, BOTTOM = 38 };

/* Bytes of the character at text, 0 if it is no UTF-8. */
static size_t character(const char *text, size_t n)
{
    unsigned char c = (unsigned char)text[0];
    size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    return len <= n && sxt_utf8_valid(text, len) ? len : 0;
}

void sxt_html_escape(struct sxt_str *out, const char *text, size_t n)
{
    static const struct {
        char c;
        const char *name;
    } names[] = { { '&', "&amp;" },
                  { '<', "&lt;" },
                  { '>', "&gt;" },
                  { '"', "&quot;" },
                  { '\'', "&#39;" } };
    const size_t n_names = sizeof(names) / sizeof(*names);

    for (size_t i = 0, len; i<n; i += len> 0 ? len : 1) {
        size_t k = 0;
        len = character(text + i, n - i);
        while (k < n_names && names[k].c != text[i])
            k++;
        if (k < n_names)
            sxt_str_add(out, "%s", names[k].name);
        else if (len == 0)
            sxt_str_add(out, "\xef\xbf\xbd");
        else if (len > 1 || text[i] == '\n' ||
                 (text[i] >= 0x20 && text[i] != 0x7f))
            sxt_str_add_bytes(out, text + i, len);
    }
}

static void add_text(struct sxt_str *out, const char *text)
{
    sxt_html_escape(out, text, strlen(text));
}

/* ---- axes ---- */

/* An axis: what it spans, and the distance of its ticks. */
struct axis {
    double low, step;
    int n; /* steps */
};

/* The least of 1, 2, 5, 10, 20 … times a power of ten that is not below x. */
static double round_up(double x)
{
    double power = pow(10, floor(log10(x))), ratio = x / power;

    return power * (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10);
}

/* Round numbers around [low, high], at least `least` apart.  What is constant
 * but for noise gets some room around it. */
static struct axis make_axis(double low, double high, double least)
{
    struct axis a;

    if (fmax(fabs(low), fabs(high)) < 1e-300) {
        low = 0;
        high = 1;
    } else if (high - low <= 1e-6 * fmax(fabs(low), fabs(high))) {
        double room = 0.1 * fabs(low);
        low -= room;
        high += room;
    }
    a.step = fmax(round_up((high - low) / 5), least);
    a.low = floor(low / a.step) * a.step;
    a.n = (int)ceil((high - a.low) / a.step - 1e-9);
    return a;
}

static double tick(const struct axis *a, int i)
{
    double v = a->low + i * a->step;

    return fabs(v) < a->step / 2 ? 0 : v;
}

/* Where v lies between the axis's ends, 0 … 1. */
static double part(const struct axis *a, double v)
{
    return (v - a->low) / (a->n * a->step);
}

static double place_x(const struct axis *a, double x)
{
    return LEFT + part(a, x) * (WIDTH - LEFT - RIGHT);
}

static double place_y(const struct axis *a, double y)
{
    return HEIGHT - BOTTOM - part(a, y) * (HEIGHT - TOP - BOTTOM);
}

/* Least and greatest finite value; false if there is none, or if they are so
 * far apart that no axis spans them. */
static bool span_of(const double *x, size_t n, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i])) {
            *low = fmin(*low, x[i]);
            *high = fmax(*high, x[i]);
        }
    return *low <= *high && isfinite(2 * (*high - *low)) &&
           isfinite(2 * *high) && isfinite(2 * *low);
}

/* ---- parts of a picture ---- */

static void begin(struct sxt_str *out, const struct sxt_chart *chart,
                  int height)
{
    sxt_str_add(out, "<figure><figcaption>");
    add_text(out, chart->title);
    if (chart->y_unit[0]) {
        sxt_str_add(out, ", ");
        add_text(out, chart->y_unit);
    }
    sxt_str_add(out,
                "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" "
                "aria-label=\"",
                WIDTH, height);
    add_text(out, chart->title);
    sxt_str_add(out, "\">\n");
}

static void end(struct sxt_str *out)
{
    sxt_str_add(out, "</svg></figure>\n");
}

static void draw_axes(struct sxt_str *out, const struct sxt_chart *chart,
                      const struct axis *x, const struct axis *y)
{
    for (int i = 0; i <= y->n; i++) {
        double at = place_y(y, y->low + i * y->step);
        sxt_str_add(out,
                    "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
                    "y2=\"%.1f\"/><text class=\"tick\" x=\"%d\" y=\"%.1f\" "
                    "text-anchor=\"end\">%.4g</text>\n",
                    LEFT, WIDTH - RIGHT, at, at, LEFT - 8, at + 4, tick(y, i));
    }
    for (int i = 0; i <= x->n; i++)
        sxt_str_add(out,
                    "<text class=\"tick\" x=\"%.1f\" y=\"%d\" "
                    "text-anchor=\"middle\">%.6g</text>\n",
                    place_x(x, x->low + i * x->step), HEIGHT - BOTTOM + 18,
                    tick(x, i));
    sxt_str_add(out,
                "<text class=\"unit\" x=\"%d\" y=\"%d\" "
                "text-anchor=\"end\">",
                WIDTH - RIGHT, HEIGHT - 4);
    add_text(out, chart->x_unit);
    sxt_str_add(out, "</text>\n");
}

/* ---- charts ---- */

static void draw_dots(struct sxt_str *out, const struct axis *ax,
                      const struct axis *ay, const double *x, const double *y,
                      size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i]) && (i == 0 || !isfinite(y[i - 1])) &&
            (i + 1 == n || !isfinite(y[i + 1])))
            sxt_str_add(out,
                        "<circle class=\"bar\" cx=\"%.1f\" cy=\"%.1f\" "
                        "r=\"3\"/>\n",
                        place_x(ax, x[i]), place_y(ay, y[i]));
}

static void draw_line(struct sxt_str *out, const char *class,
                      const struct axis *ax, const struct axis *ay,
                      const double *x, const double *y, size_t n)
{
    bool drawing = false;

    sxt_str_add(out, "<path class=\"%s\" d=\"", class);
    for (size_t i = 0; i < n; i++) {
        if (isfinite(y[i]))
            sxt_str_add(out, "%c%.1f %.1f", drawing ? 'L' : 'M',
                        place_x(ax, x[i]), place_y(ay, y[i]));
        drawing = isfinite(y[i]);
    }
    sxt_str_add(out, "\"/>\n");
}

/* The mean of the finite ones among up to `reach` neighbours on each side, as
 * many on one as on the other, so that the ends are not bent. */
static double *smooth(const double *y, size_t n, size_t reach)
{
    double *mean = sxt_alloc(n, sizeof(*mean));

    for (size_t i = 0; i < n; i++) {
        size_t r = i < n - 1 - i ? i : n - 1 - i;
        double sum = 0, count = 0;
        r = r < reach ? r : reach;
        for (size_t k = i - r; k <= i + r; k++)
            if (isfinite(y[k])) {
                sum += y[k];
                count++;
            }
        mean[i] = count > 0 ? sum / count : NAN;
    }
    return mean;
}

void sxt_svg_line(struct sxt_str *out, const struct sxt_chart *chart,
                  const double *x, const double *y, size_t n)
{
    enum { MANY = 60 };
    double low, high;

    if (!span_of(y, n, &low, &high))
        return;
    struct axis ax = make_axis(x[0], x[n - 1], 1);
    struct axis ay = make_axis(low, high, 0);
    begin(out, chart, HEIGHT);
    draw_axes(out, chart, &ax, &ay);
    bool noisy = n > MANY && !chart->exact;
    draw_line(out, noisy ? "raw" : "line", &ax, &ay, x, y, n);
    if (noisy) {
        double *mean = smooth(y, n, n / 40);
        draw_line(out, "line", &ax, &ay, x, mean, n);
        free(mean);
    }
    draw_dots(out, &ax, &ay, x, y, n);
    end(out);
}

void sxt_svg_bars(struct sxt_str *out, const struct sxt_chart *chart,
                  const struct sxt_bar *bars, size_t n)
{
    enum { ROW = 26, NAME = 160, NOTE = 130, LONG = 20 };
    const double room = WIDTH - NAME - NOTE;

    begin(out, chart, (int)n * ROW + 8);
    for (size_t i = 0; i < n; i++) {
        double share = bars[i].share > 0 ? fmin(bars[i].share, 1) : 0;
        double y = (double)i * ROW + 8;
        const char *squeeze = strlen(bars[i].name) > LONG
                                  ? " textLength=\"150\" "
                                    "lengthAdjust=\"spacingAndGlyphs\""
                                  : "";
        sxt_str_add(out,
                    "<text class=\"label\" x=\"%d\" y=\"%.1f\" "
                    "text-anchor=\"end\"%s>",
                    NAME - 8, y + 13, squeeze);
        add_text(out, bars[i].name);
        sxt_str_add(out,
                    "</text><rect class=\"back\" x=\"%d\" y=\"%.1f\" "
                    "width=\"%.1f\" height=\"17\"/><rect class=\"%s\" "
                    "x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"17\"/>"
                    "<text class=\"label\" x=\"%.1f\" y=\"%.1f\">",
                    NAME, y, room, bars[i].pale ? "pale" : "bar", NAME, y,
                    room * share, NAME + room + 8, y + 13);
        add_text(out, bars[i].note);
        sxt_str_add(out, "</text>\n");
        if (bars[i].mark > 0 && bars[i].mark <= 1)
            sxt_str_add(out,
                        "<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" "
                        "y1=\"%.1f\" y2=\"%.1f\"/>\n",
                        NAME + room * bars[i].mark, NAME + room * bars[i].mark,
                        y - 3, y + 20);
    }
    end(out);
}

static void draw_bins(struct sxt_str *out, const char *class,
                      const double *count, size_t bins, double low,
                      double width, const struct axis *ax,
                      const struct axis *ay)
{
    for (size_t b = 0; b < bins; b++) {
        double left = place_x(ax, low + (double)b * width);
        double right = place_x(ax, low + (double)(b + 1) * width);
        double top = place_y(ay, count[b]);
        if (count[b] > 0)
            sxt_str_add(out,
                        "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" "
                        "width=\"%.1f\" height=\"%.1f\"/>\n",
                        class, left, top, fmax(right - left - 1, 1),
                        place_y(ay, 0) - top);
    }
}

static void draw_counts(struct sxt_str *out, const struct sxt_chart *chart,
                        const double *count, const double *marked, size_t bins,
                        double low, double width)
{
    double most = 0;

    for (size_t b = 0; b < bins; b++)
        most = fmax(most, count[b]);
    struct axis ax = make_axis(low, low + (double)bins * width, 1);
    struct axis ay = make_axis(0, most, 1);
    begin(out, chart, HEIGHT);
    draw_axes(out, chart, &ax, &ay);
    draw_bins(out, marked ? "pale" : "bar", count, bins, low, width, &ax, &ay);
    if (marked)
        draw_bins(out, "bar", marked, bins, low, width, &ax, &ay);
    end(out);
}

void sxt_svg_histogram(struct sxt_str *out, const struct sxt_chart *chart,
                       const double *values, const bool *marked, size_t n,
                       size_t bins)
{
    double low, high;

    if (bins == 0 || !span_of(values, n, &low, &high))
        return;
    double width = 1;
    if (high - low > (double)bins)
        width = round_up((high - low) / (double)bins);
    low = floor(low / width) * width;
    bins = (size_t)((high - low) / width) + 1;
    double *count = sxt_calloc(bins, sizeof(*count));
    double *dark = sxt_calloc(bins, sizeof(*dark));
    for (size_t i = 0; i < n; i++)
        if (isfinite(values[i])) {
            size_t b = (size_t)((values[i] - low) / width);
            count[b]++;
            dark[b] += marked && marked[i];
        }
    draw_counts(out, chart, count, marked ? dark : NULL, bins, low, width);
    free(count);
    free(dark);
}
