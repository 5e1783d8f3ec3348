/* error.c - wording failures. */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void word(struct sxt_error *err, int code, const char *format,
                 va_list args)
{
    err->code = code;
    vsnprintf(err->text, sizeof(err->text), format, args);
}

int sxt_err(struct sxt_error *err, enum sxt_exit code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        word(err, code, format, args);
        va_end(args);
    }
    return -1;
}

int sxt_err_errno(struct sxt_error *err, enum sxt_exit code, const char *format,
                  ...)
{
    int number = errno;

    if (err) {
        va_list args;
        va_start(args, format);
        word(err, code, format, args);
        va_end(args);
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof(err->text) - used, ": %s",
                 strerror(number));
    }
    return -1;
}

int sxt_err_prefix(struct sxt_error *err, const char *format, ...)
{
    if (err) {
        struct sxt_error old = *err;
        va_list args;
        va_start(args, format);
        word(err, old.code, format, args);
        va_end(args);
        size_t used = strlen(err->text);
        int room = (int)(sizeof(err->text) - used) - 3;
        if (room > 0)
            snprintf(err->text + used, sizeof(err->text) - used, ": %.*s", room,
                     old.text);
    }
    return -1;
}

void sxt_bug(const char *file, int line, const char *claim)
{
    fprintf(stderr,
            "sextant: bug at %s:%d: '%s' does not hold\n"
            "sextant: please report this line with the command you ran\n",
            file, line, claim);
    abort();
}
