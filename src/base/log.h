/* log.h - lines for people, from rank 0, one per event.
 *
 * A log is a value handed down from main; lower layers do not log, they
 * return.  Form: "stage  subject  number unit". */
#ifndef SXT_BASE_LOG_H
#define SXT_BASE_LOG_H

#include <stdbool.h>
#include <stdio.h>

enum sxt_log_level {
    SXT_LOG_ERROR,   /* the run cannot go on */
    SXT_LOG_WARN,    /* it can, but somebody should look */
    SXT_LOG_INFO,    /* default: a few lines per stage */
    SXT_LOG_VERBOSE, /* -v */
    SXT_LOG_DEBUG    /* -vv */
};

struct sxt_log {
    FILE *file;               /* borrowed, usually stdout; NULL: silent */
    enum sxt_log_level level; /* lines above it are dropped */
    bool speaks;              /* rank 0, or everybody where that helps */
    const char *stage;        /* first column; NULL: none */
    bool live; /* a terminal: clear the line first, a bar may stand there */
};

/* Errors and warnings go to stderr with "sextant: " before them, the rest to
 * log->file. */
void sxt_log(const struct sxt_log *log, enum sxt_log_level level,
             const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A line for each line of the text; nothing if it is empty. */
void sxt_log_lines(const struct sxt_log *log, enum sxt_log_level level,
                   const char *text);

/* Seconds on the monotonic clock. */
double sxt_clock(void);
/* "1 h 02 min", "12.3 s": a duration for people; in a static-free buffer. */
void sxt_log_duration(double seconds, char text[32]);
/* "12.3 M", "1.53 G": a count for people. */
void sxt_log_count(double count, char text[32]);

#endif
