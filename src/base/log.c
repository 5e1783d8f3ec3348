/* log.c - lines for people. */
#define _GNU_SOURCE
#include "base/log.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

void sxt_log(const struct sxt_log *log, enum sxt_log_level level,
             const char *format, ...)
{
    bool alarm = level <= SXT_LOG_WARN;
    FILE *file = alarm ? stderr : log->file;

    if (!log->speaks || level > log->level || !file)
        return;
    if (log->live)
        fputs("\033[K", file);
    if (level == SXT_LOG_ERROR)
        fputs("sextant: error: ", file);
    else if (level == SXT_LOG_WARN)
        fputs("sextant: warning: ", file);
    else if (log->stage)
        fprintf(file, "%-10s", log->stage);
    va_list args;
    va_start(args, format);
    vfprintf(file, format, args);
    va_end(args);
    fputc('\n', file);
    fflush(file);
}

void sxt_log_lines(const struct sxt_log *log, enum sxt_log_level level,
                   const char *text)
{
    while (*text) {
        int n = (int)strcspn(text, "\n");
        sxt_log(log, level, "%.*s", n, text);
        text += n + (text[n] == '\n');
    }
}

double sxt_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void sxt_log_duration(double seconds, char text[32])
{
    long whole = (long)(seconds + 0.5);

    if (seconds < 99.95)
        snprintf(text, 32, "%.1f s", seconds);
    else if (whole < 6000)
        snprintf(text, 32, "%ld min %02ld s", whole / 60, whole % 60);
    else
        snprintf(text, 32, "%ld h %02ld min", whole / 3600, whole / 60 % 60);
}

void sxt_log_count(double count, char text[32])
{
    static const char *const unit[] = { "", " k", " M", " G", " T", " P" };
    int i = 0;

    while (count >= 999.5 && i < 5) {
        count /= 1000;
        i++;
    }
    snprintf(text, 32, count < 10 && i > 0 ? "%.2f%s" : "%.3g%s", count,
             unit[i]);
}
