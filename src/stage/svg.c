/* svg.c - small charts as inline SVG. */
#include "stage/svg.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The plot area inside a 640 x 240 picture, in its units. */
enum { WIDTH = 640, HEIGHT = 240 };
enum { LEFT = 64, RIGHT = 12, TOP = 12, BOTTOM = 40 };

void sxt_html_escape(struct sxt_str *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '&')
            sxt_str_add(out, "&amp;");
        else if (text[i] == '<')
            sxt_str_add(out, "&lt;");
        else if (text[i] == '>')
            sxt_str_add(out, "&gt;");
        else if (text[i] == '"')
            sxt_str_add(out, "&quot;");
        else if ((unsigned char)text[i] >= 0x20 || text[i] == '\n')
            sxt_str_add_char(out, text[i]);
    }
}

static void add_text(struct sxt_str *out, const char *text)
{
    sxt_html_escape(out, text, strlen(text));
}

/* An axis: what it spans, and the distance of its ticks. */
struct axis {
    double low, high, step;
};

/* Round numbers around [low, high] with four to nine ticks. */
static struct axis make_axis(double low, double high)
{
    struct axis a;

    if (!(high > low)) {
        high = low + (low != 0 ? fabs(low) * 0.1 : 1);
        low -= high - low;
    }
    double power = pow(10, floor(log10((high - low) / 4)));
    double ratio = (high - low) / 4 / power;
    a.step = power * (ratio >= 5 ? 5 : ratio >= 2 ? 2 : 1);
    a.low = floor(low / a.step) * a.step;
    a.high = ceil(high / a.step) * a.step;
    return a;
}

static double place_x(const struct axis *a, double x)
{
    return LEFT + (x - a->low) / (a->high - a->low) * (WIDTH - LEFT - RIGHT);
}

static double place_y(const struct axis *a, double y)
{
    return HEIGHT - BOTTOM -
           (y - a->low) / (a->high - a->low) * (HEIGHT - TOP - BOTTOM);
}

static void begin(struct sxt_str *out, const struct sxt_chart *chart,
                  int height)
{
    sxt_str_add(out, "<figure><figcaption>");
    add_text(out, chart->title);
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
    for (double v = y->low; v <= y->high + y->step / 2; v += y->step)
        sxt_str_add(out,
                    "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
                    "y2=\"%.1f\"/><text class=\"tick\" x=\"%d\" y=\"%.1f\" "
                    "text-anchor=\"end\">%.4g</text>\n",
                    LEFT, WIDTH - RIGHT, place_y(y, v), place_y(y, v),
                    LEFT - 6, place_y(y, v) + 4, fabs(v) < y->step / 2 ? 0 : v);
    for (double v = x->low; v <= x->high + x->step / 2; v += x->step)
        sxt_str_add(out,
                    "<text class=\"tick\" x=\"%.1f\" y=\"%d\" "
                    "text-anchor=\"middle\">%.6g</text>\n",
                    place_x(x, v), HEIGHT - BOTTOM + 16,
                    fabs(v) < x->step / 2 ? 0 : v);
    sxt_str_add(out, "<text class=\"unit\" x=\"%d\" y=\"%d\" "
                     "text-anchor=\"end\">",
                WIDTH - RIGHT, HEIGHT - 6);
    add_text(out, chart->x_unit);
    sxt_str_add(out, "</text><text class=\"unit\" x=\"4\" y=\"%d\">",
                HEIGHT - 6);
    add_text(out, chart->y_unit);
    sxt_str_add(out, "</text>\n");
}

void sxt_svg_line(struct sxt_str *out, const struct sxt_chart *chart,
                  const double *x, const double *y, size_t n)
{
    double low = INFINITY, high = -INFINITY;
    bool drawing = false;

    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i])) {
            low = fmin(low, y[i]);
            high = fmax(high, y[i]);
        }
    if (!(low <= high))
        return;
    struct axis ax = make_axis(x[0], x[n - 1]), ay = make_axis(low, high);
    begin(out, chart, HEIGHT);
    draw_axes(out, chart, &ax, &ay);
    sxt_str_add(out, "<path class=\"line\" d=\"");
    for (size_t i = 0; i < n; i++) {
        if (isfinite(y[i]))
            sxt_str_add(out, "%c%.1f %.1f", drawing ? 'L' : 'M',
                        place_x(&ax, x[i]), place_y(&ay, y[i]));
        drawing = isfinite(y[i]);
    }
    sxt_str_add(out, "\"/>\n");
    end(out);
}

void sxt_svg_bars(struct sxt_str *out, const struct sxt_chart *chart,
                  const struct sxt_bar *bars, size_t n)
{
    enum { ROW = 28, NAME = 180, NOTE = 150 };
    const double room = WIDTH - NAME - NOTE;

    begin(out, chart, (int)n * ROW + 8);
    for (size_t i = 0; i < n; i++) {
        double share = bars[i].share < 0 ? 0 : fmin(bars[i].share, 1);
        double y = (double)i * ROW + 8;
        sxt_str_add(out,
                    "<text class=\"tick\" x=\"%d\" y=\"%.1f\" "
                    "text-anchor=\"end\">",
                    NAME - 8, y + 14);
        add_text(out, bars[i].name);
        sxt_str_add(out,
                    "</text><rect class=\"back\" x=\"%d\" y=\"%.1f\" "
                    "width=\"%.1f\" height=\"18\"/><rect class=\"bar\" "
                    "x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"18\"/>"
                    "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\">",
                    NAME, y, room, NAME, y, room * share, NAME + room + 8,
                    y + 14);
        add_text(out, bars[i].note);
        sxt_str_add(out, "</text>\n");
    }
    end(out);
}

void sxt_svg_histogram(struct sxt_str *out, const struct sxt_chart *chart,
                       const double *values, size_t n, size_t bins)
{
    double low = INFINITY, high = -INFINITY, most = 0;

    for (size_t i = 0; i < n; i++) {
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    if (n == 0 || bins == 0)
        return;
    struct axis ax = make_axis(low, high);
    double *count = sxt_calloc(bins, sizeof(*count));
    for (size_t i = 0; i < n; i++) {
        size_t b = (size_t)((values[i] - ax.low) / (ax.high - ax.low) *
                            (double)bins);
        count[b < bins ? b : bins - 1]++;
    }
    for (size_t b = 0; b < bins; b++)
        most = fmax(most, count[b]);
    struct axis ay = make_axis(0, most);
    begin(out, chart, HEIGHT);
    draw_axes(out, chart, &ax, &ay);
    double width = (double)(WIDTH - LEFT - RIGHT) / (double)bins;
    for (size_t b = 0; b < bins; b++)
        sxt_str_add(out,
                    "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                    "height=\"%.1f\"/>\n",
                    LEFT + (double)b * width, place_y(&ay, count[b]),
                    width - 1, place_y(&ay, 0) - place_y(&ay, count[b]));
    end(out);
    free(count);
}
