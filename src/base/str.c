/* str.c - growable strings and borrowed spans. */
#define _GNU_SOURCE
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

static void reserve(struct sxt_str *s, size_t more)
{
    s->data = sxt_grow(s->data, &s->cap, s->len + more + 1, 1);
}

void sxt_str_add(struct sxt_str *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    SXT_CHECK(n >= 0);

    reserve(s, (size_t)n);
    va_start(args, format);
    vsnprintf(s->data + s->len, (size_t)n + 1, format, args);
    va_end(args);
    s->len += (size_t)n;
}

void sxt_str_add_bytes(struct sxt_str *s, const void *bytes, size_t n)
{
    reserve(s, n);
    if (n > 0)
        memcpy(s->data + s->len, bytes, n);
    s->len += n;
    s->data[s->len] = '\0';
}

void sxt_str_add_char(struct sxt_str *s, char c)
{
    sxt_str_add_bytes(s, &c, 1);
}

void sxt_str_cut(struct sxt_str *s, size_t n)
{
    SXT_CHECK(n <= s->len);
    s->len = n;
    if (s->data)
        s->data[n] = '\0';
}

void sxt_str_free(struct sxt_str *s)
{
    free(s->data);
    *s = SXT_STR_EMPTY;
}

struct sxt_span sxt_span(const char *text)
{
    return (struct sxt_span){ text, strlen(text) };
}

bool sxt_span_equal(struct sxt_span a, const char *b)
{
    return a.len == strlen(b) && memcmp(a.data, b, a.len) == 0;
}

/* Nothing may have no address. */
bool sxt_span_same(struct sxt_span a, struct sxt_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct sxt_span sxt_span_trim(struct sxt_span s)
{
    while (s.len > 0 && blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

long sxt_span_find(struct sxt_span s, const char *needle)
{
    const char *p =
        s.len == 0 ? NULL : memmem(s.data, s.len, needle, strlen(needle));

    return p ? p - s.data : -1;
}

long sxt_span_find_last(struct sxt_span s, const char *needle)
{
    size_t n = strlen(needle);

    for (size_t at = s.len; n <= s.len && at-- > 0;)
        if (at + n <= s.len && memcmp(s.data + at, needle, n) == 0)
            return (long)at;
    return -1;
}

bool sxt_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool sxt_ends_with(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);

    return n >= m && strcmp(text + n - m, suffix) == 0;
}

size_t sxt_edit_distance(const char *a, const char *b)
{
    size_t n = strlen(b), result;
    size_t *row = sxt_alloc(n + 1, sizeof(*row));

    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (diagonal + 1 < best)
                best = diagonal + 1;
            row[j + 1] = best;
        }
    }
    result = row[n];
    free(row);
    return result;
}

/* Length of the UTF-8 sequence at p (n bytes left), 0 if malformed.
 * Unicode 15, table 3-7. */
static size_t sequence(const unsigned char *p, size_t n)
{
    unsigned char lo = 0x80, hi = 0xBF;
    size_t len;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (len > n)
        return 0;
    if (p[0] == 0xE0)
        lo = 0xA0;
    if (p[0] == 0xED)
        hi = 0x9F;
    if (p[0] == 0xF0)
        lo = 0x90;
    if (p[0] == 0xF4)
        hi = 0x8F;
    if (p[1] < lo || p[1] > hi)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
    return len;
}

bool sxt_utf8_valid(const char *data, size_t len)
{
    const unsigned char *p = (const unsigned char *)data;

    for (size_t i = 0; i < len;) {
        size_t n = sequence(p + i, len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}
