/* mem.c - allocation that cannot fail. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static _Noreturn void out_of_memory(size_t count, size_t size)
{
    fprintf(stderr, "sextant: out of memory asking for %zu x %zu bytes\n",
            count, size);
    exit(SXT_EXIT_BUG);
}

void *sxt_alloc(size_t count, size_t size)
{
    return sxt_realloc(NULL, count, size);
}

void *sxt_calloc(size_t count, size_t size)
{
    void *p = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

    if (!p)
        out_of_memory(count, size);
    return p;
}

void *sxt_realloc(void *old, size_t count, size_t size)
{
    size_t bytes;
    void *p;

    if (__builtin_mul_overflow(count, size, &bytes))
        out_of_memory(count, size);
    p = realloc(old, bytes > 0 ? bytes : 1);
    if (!p)
        out_of_memory(count, size);
    return p;
}

void *sxt_alloc_aligned(size_t bytes)
{
    size_t rounded = bytes + 64 - bytes % 64;
    void *p = rounded > bytes ? aligned_alloc(64, rounded) : NULL;

    if (!p)
        out_of_memory(1, bytes);
    return p;
}

char *sxt_strdup(const char *text)
{
    return sxt_strndup(text, strlen(text));
}

char *sxt_strndup(const char *text, size_t n)
{
    char *copy = sxt_alloc(n + 1, 1);

    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

char *sxt_printf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    SXT_CHECK(n >= 0);

    char *text = sxt_alloc((size_t)n + 1, 1);
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}

void *sxt_grow(void *array, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return array;
    size_t wanted = *cap < 8 ? 8 : *cap;
    while (wanted < need)
        wanted = wanted > SIZE_MAX / 2 ? need : wanted * 2;
    *cap = wanted;
    return sxt_realloc(array, wanted, size);
}
