/* jsonbig.c - numbers that jansson cannot hold, as marked strings. */
#define _GNU_SOURCE
#include "base/jsonbig.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARK "\xEF\xB7\x90" /* U+FDD0 */
enum { MARK_LEN = 3 };

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(struct sxt_span s, size_t i)
{
    while (i < s.len && digit(s.data[i]))
        i++;
    return i;
}

/* Bytes of the number or of NaN, Infinity, -Infinity that s begins with, 0 if
 * it is none of them. */
static size_t number_length(struct sxt_span s)
{
    static const char *const names[] = { "NaN", "Infinity", "-Infinity" };
    size_t i = s.len > 0 && s.data[0] == '-', from = i;

    for (size_t k = 0; k < 3; k++)
        if (s.len >= strlen(names[k]) &&
            memcmp(s.data, names[k], strlen(names[k])) == 0)
            return strlen(names[k]);
    i = digits(s, i);
    if (i == from || (s.data[from] == '0' && i > from + 1))
        return 0;
    if (i + 1 < s.len && s.data[i] == '.' && digit(s.data[i + 1]))
        i = digits(s, i + 1);
    if (i < s.len && (s.data[i] == 'e' || s.data[i] == 'E')) {
        size_t j = i + 1;
        j += j < s.len && (s.data[j] == '-' || s.data[j] == '+');
        i = digits(s, j) > j ? digits(s, j) : i;
    }
    return i;
}

/* Can jansson hold the number? */
static bool fits(struct sxt_span s)
{
    char text[400];

    if (!digit(s.data[s.len - 1])) /* NaN, Infinity */
        return false;
    if (s.len >= sizeof(text))
        return false;
    memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    if (strpbrk(text, ".eE"))
        return isfinite(strtod(text, NULL));
    errno = 0;
    strtoll(text, NULL, 10);
    return errno == 0;
}

/* Behind the string that begins at i. */
static size_t string_end(struct sxt_span s, size_t i)
{
    for (i++; i < s.len && s.data[i] != '"'; i++)
        i += s.data[i] == '\\';
    return i < s.len ? i + 1 : s.len;
}

/* Does what ends before i stand as a key in an object? */
static bool is_key(struct sxt_span s, size_t i)
{
    while (i < s.len && s.data[i] && strchr(" \t\r\n", s.data[i]))
        i++;
    return i < s.len && s.data[i] == ':';
}

size_t sxt_jsonbig_skip(struct sxt_span string)
{
    return string.len >= MARK_LEN && memcmp(string.data, MARK, MARK_LEN) == 0
               ? MARK_LEN
               : 0;
}

/* Does the string that begins at i have the mark in front, as it is or as an
 * escape sequence? */
static bool has_mark(struct sxt_span s, size_t i)
{
    struct sxt_span in = { s.data + i + 1, s.len - i - 1 };

    return sxt_jsonbig_skip(in) > 0 ||
           (in.len >= 6 && strncasecmp(in.data, "\\ufdd0", 6) == 0);
}

bool sxt_jsonbig_needs(struct sxt_span s)
{
    const char *at = s.data, *end = s.data + s.len;

    if (memmem(s.data, s.len, "\"" MARK, 1 + MARK_LEN))
        return true;
    while ((at = memmem(at, (size_t)(end - at), "\"\\u", 3)) != NULL) {
        if (has_mark(s, (size_t)(at - s.data)))
            return true;
        at++;
    }
    return false;
}

bool sxt_jsonbig_mark(struct sxt_span s, struct sxt_str *out)
{
    size_t done = 0, n;
    bool some = false;

    for (size_t i = 0; i < s.len; i += n) {
        struct sxt_span rest = { s.data + i, s.len - i };
        n = 1;
        if (s.data[i] == '"') {
            n = string_end(s, i) - i;
            if (!has_mark(s, i) || is_key(s, i + n))
                continue;
            sxt_str_add_bytes(out, s.data + done, i + 1 - done);
            sxt_str_add(out, MARK);
            done = i + 1;
            some = true;
        } else if (strchr("-0123456789NI", s.data[i]) && s.data[i]) {
            n = number_length(rest);
            if (n > 0 && !fits((struct sxt_span){ rest.data, n }) &&
                !is_key(s, i + n)) {
                sxt_str_add_bytes(out, s.data + done, i - done);
                sxt_str_add(out, "\"" MARK "%.*s\"", (int)n, rest.data);
                done = i + n;
                some = true;
            }
            n = n > 0 ? n : 1;
        }
    }
    sxt_str_add_bytes(out, s.data + done, s.len - done);
    return some;
}

struct sxt_span sxt_jsonbig_number(struct sxt_span s)
{
    const struct sxt_span none = { NULL, 0 };

    if (sxt_jsonbig_skip(s) == 0 || s.len == MARK_LEN)
        return none;
    s.data += MARK_LEN;
    s.len -= MARK_LEN;
    return number_length(s) == s.len ? s : none;
}

void sxt_jsonbig_unmark(struct sxt_span s, struct sxt_str *out)
{
    size_t done = 0, end;

    for (size_t i = 0; i < s.len; i = end) {
        const char *quote = memchr(s.data + i, '"', s.len - i);
        if (!quote)
            break;
        i = (size_t)(quote - s.data);
        end = string_end(s, i);
        struct sxt_span string = { quote + 1, end - i < 2 ? 0 : end - i - 2 };
        struct sxt_span number = sxt_jsonbig_number(string);
        if (sxt_jsonbig_skip(string) == 0 || is_key(s, end))
            continue;
        sxt_str_add_bytes(out, s.data + done, i + !number.data - done);
        sxt_str_add_bytes(out, number.data, number.len);
        done = number.data ? end : i + 1 + MARK_LEN;
    }
    sxt_str_add_bytes(out, s.data + done, s.len - done);
}
