/* spark.c - a bar and a small chart in one line of text. */
#define _GNU_SOURCE
#include "stage/spark.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEVELS = 8 };

/* Eighths of a character, from below. */
static const char *const blocks[LEVELS] = { "▁", "▂", "▃", "▄",
                                            "▅", "▆", "▇", "█" };
static const char letters[LEVELS + 1] = "_.-~=+*#";

bool sxt_spark_unicode(FILE *file)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

    if (!isatty(fileno(file)))
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *value = getenv(names[i]);
        if (value && value[0])
            return strcasestr(value, "UTF-8") || strcasestr(value, "utf8");
    }
    return false;
}

void sxt_spark_bar(struct sxt_str *out, double share, int width, bool unicode)
{
    int full = share > 0 ? (int)(fmin(share, 1) * width + 1e-9) : 0;

    for (int i = 0; i < width; i++)
        sxt_str_add(out, "%s",
                    i < full  ? unicode ? "█" : "#"
                    : unicode ? "░"
                              : ".");
}

/* Mean of the finite ones among values [first, end), NaN if there is none. */
static double mean(const double *values, size_t first, size_t end)
{
    double sum = 0, count = 0;

    for (size_t i = first; i < end; i++)
        if (isfinite(values[i])) {
            sum += values[i];
            count++;
        }
    return count > 0 ? sum / count : NAN;
}

void sxt_spark_line(struct sxt_str *out, const double *values, size_t n,
                    int width, bool unicode)
{
    size_t cells = n < (size_t)width ? n : (size_t)width;
    double low = INFINITY, high = -INFINITY;

    for (size_t c = 0; c < cells; c++) {
        double v = mean(values, c * n / cells, (c + 1) * n / cells);
        low = fmin(low, isnan(v) ? low : v);
        high = fmax(high, isnan(v) ? high : v);
    }
    for (size_t c = 0; c < cells; c++) {
        double v = mean(values, c * n / cells, (c + 1) * n / cells);
        double part = high > low ? (v - low) / (high - low) : 0.5;
        int level = isnan(v) ? 0 : (int)fmin(part * LEVELS, LEVELS - 1);
        if (isnan(v))
            sxt_str_add_char(out, ' ');
        else if (unicode)
            sxt_str_add(out, "%s", blocks[level]);
        else
            sxt_str_add_char(out, letters[level]);
    }
}

void sxt_spark_text(struct sxt_str *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        sxt_str_add_char(out, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
}
