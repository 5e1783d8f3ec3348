/* spark.h - a bar and a small chart in one line of text. */
#ifndef SXT_STAGE_SPARK_H
#define SXT_STAGE_SPARK_H

#include <stdio.h>

#include "base/str.h"

/* True if a file is a terminal whose locale has block characters. */
bool sxt_spark_unicode(FILE *file);

/* A bar of `width` characters, of which `share` (0 … 1) is full. */
void sxt_spark_bar(struct sxt_str *out, double share, int width, bool unicode);

/* n values as a line of at most `width` characters, neighbours averaged where
 * there are more values; low is the least, high the greatest.  What is not
 * finite is left out, and a blank where nothing is left. */
void sxt_spark_line(struct sxt_str *out, const double *values, size_t n,
                    int width, bool unicode);

/* Text for a terminal: control characters become '?'. */
void sxt_spark_text(struct sxt_str *out, const char *text);

#endif
