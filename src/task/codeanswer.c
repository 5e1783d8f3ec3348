/* codeanswer.c - comparison of outputs and values, on the trusted side. */
#define _GNU_SOURCE
#include "task/codeanswer.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

enum { LONGEST_NUMBER = 400, LONGEST_INTEGER = 20000, DEEPEST = 200 };

static bool space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' ||
           c == '\v';
}

static bool close_enough(double got, double want, double tolerance)
{
    if (isnan(got) || isnan(want))
        return false;
    if (isinf(got) || isinf(want))
        return got == want;
    return fabs(got - want) <= tolerance * fmax(1, fabs(want));
}

/* A decimal number, unrounded: 0.d1 d2 d3… x 10^exponent. */
struct decimal {
    struct sxt_span digits; /* from d1 on, with or without a point inside */
    long exponent;
    bool minus, zero, integer; /* integer: written without point, exponent */
};

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The exponent behind e or E: no more digits than a long holds. */
static bool read_exponent(struct sxt_span s, long *exponent)
{
    bool minus = s.len > 0 && s.data[0] == '-';
    size_t i = s.len > 0 && (s.data[0] == '-' || s.data[0] == '+');

    if (i == s.len || s.len - i > 9)
        return false;
    for (*exponent = 0; i < s.len; i++) {
        if (!digit(s.data[i]))
            return false;
        *exponent = 10 * *exponent + (s.data[i] - '0');
    }
    *exponent = minus ? -*exponent : *exponent;
    return true;
}

/* A whole decimal number; no "nan", "inf", "1_000" or hexadecimal. */
static bool read_decimal(struct sxt_span s, struct decimal *x)
{
    size_t i = s.len > 0 && (s.data[0] == '-' || s.data[0] == '+');
    size_t n_digits = 0, first = 0, last = 0, point = SIZE_MAX;
    long exponent = 0;

    *x = (struct decimal){ .minus = i == 1 && s.data[0] == '-', .zero = true };
    for (; i < s.len && (digit(s.data[i]) || s.data[i] == '.'); i++) {
        if (s.data[i] == '.' && point != SIZE_MAX)
            return false;
        if (s.data[i] == '.') {
            point = i;
            continue;
        }
        n_digits++;
        if (s.data[i] == '0')
            continue;
        first = x->zero ? i : first;
        last = i;
        x->zero = false;
    }
    x->integer = i == s.len && point == SIZE_MAX;
    size_t end = point == SIZE_MAX ? i : point;
    if (n_digits == 0)
        return false;
    if (i < s.len && (s.data[i] != 'e' && s.data[i] != 'E'))
        return false;
    if (i < s.len &&
        !read_exponent((struct sxt_span){ s.data + i + 1, s.len - i - 1 },
                       &exponent))
        return false;
    x->digits =
        (struct sxt_span){ s.data + first, x->zero ? 0 : last + 1 - first };
    x->exponent = exponent + (first < end ? (long)(end - first)
                                          : -(long)(first - end - 1));
    return true;
}

static bool same_decimal(const struct decimal *a, const struct decimal *b)
{
    size_t i = 0, j = 0;

    if (a->zero || b->zero)
        return a->zero && b->zero;
    if (a->minus != b->minus || a->exponent != b->exponent)
        return false;
    while (i < a->digits.len && j < b->digits.len) {
        i += a->digits.data[i] == '.';
        j += b->digits.data[j] == '.';
        if (a->digits.data[i++] != b->digits.data[j++])
            return false;
    }
    return i == a->digits.len && j == b->digits.len;
}

/* The value, rounded; false if it has too many digits for a double to tell, or
 * is beyond its range. */
static bool value_of(struct sxt_span s, double *x)
{
    char text[LONGEST_NUMBER];

    if (s.len >= sizeof(text))
        return false;
    memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    *x = strtod(text, NULL);
    return isfinite(*x);
}

/* The next line, without white space at its end; false at the end. */
static bool next_line(struct sxt_span *rest, struct sxt_span *line)
{
    const char *end;

    if (rest->len == 0)
        return false;
    end = memchr(rest->data, '\n', rest->len);
    size_t n = end ? (size_t)(end - rest->data) : rest->len;
    *line = (struct sxt_span){ rest->data, n };
    while (line->len > 0 && space(line->data[line->len - 1]))
        line->len--;
    rest->data += n + (end != NULL);
    rest->len -= n + (end != NULL);
    return true;
}

static bool next_word(struct sxt_span *rest, struct sxt_span *word)
{
    size_t n = 0;

    while (rest->len > 0 && space(*rest->data)) {
        rest->data++;
        rest->len--;
    }
    while (n < rest->len && !space(rest->data[n]))
        n++;
    *word = (struct sxt_span){ rest->data, n };
    rest->data += n;
    rest->len -= n;
    return n > 0;
}

static bool same_letters(struct sxt_span a, struct sxt_span b)
{
    return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

static bool same_word(struct sxt_span got, struct sxt_span want,
                      const struct sxt_code_rule *rule)
{
    struct decimal a, b;
    double x, y;

    if (sxt_span_same(got, want) ||
        (rule->fold_case && same_letters(got, want)))
        return true;
    if (!read_decimal(got, &a) || !read_decimal(want, &b))
        return false;
    if (same_decimal(&a, &b))
        return true;
    return rule->tolerance > 0 && !(a.integer && b.integer) &&
           value_of(got, &x) && value_of(want, &y) &&
           close_enough(x, y, rule->tolerance);
}

static bool same_words(struct sxt_span got, struct sxt_span want,
                       const struct sxt_code_rule *rule)
{
    struct sxt_span a, b;

    if (sxt_span_same(got, want))
        return true;
    for (;;) {
        bool more_a = next_word(&got, &a), more_b = next_word(&want, &b);
        if (!more_a || !more_b)
            return more_a == more_b;
        if (!same_word(a, b, rule))
            return false;
    }
}

static bool next_counted(struct sxt_span *rest, struct sxt_span *line,
                         enum sxt_code_form form)
{
    while (next_line(rest, line))
        if (line->len > 0 || form == SXT_CODE_LINES)
            return true;
    return false;
}

bool sxt_code_same_output(struct sxt_span got, struct sxt_span want,
                          const struct sxt_code_rule *rule)
{
    struct sxt_span a, b;

    if (rule->upstream)
        return sxt_code_upstream_output(rule->upstream, got, want);
    got = sxt_span_trim(got);
    want = sxt_span_trim(want);
    if (rule->form == SXT_CODE_WORDS)
        return same_words(got, want, rule);
    for (;;) {
        bool more_a = next_counted(&got, &a, rule->form);
        bool more_b = next_counted(&want, &b, rule->form);
        if (!more_a || !more_b)
            return more_a == more_b;
        if (!same_words(a, b, rule))
            return false;
    }
}

/* The one member of codec.py's typed objects. */
static const struct sxt_json *typed(const struct sxt_json *v, const char *type)
{
    return sxt_json_type(v) == SXT_JSON_OBJECT && sxt_json_count(v) == 1
               ? sxt_json_get(v, type)
               : NULL;
}

static bool same(const struct sxt_json *got, const struct sxt_json *want,
                 double tolerance, int depth);

/* An int: plain, or hexadecimal text where JSON readers would lose digits.
 * Those of more than 64 bits equal no expected int, which has at most 64. */
static bool integer(const struct sxt_json *got, int64_t *x)
{
    const char *text = sxt_json_string(typed(got, "int"), NULL);
    bool minus;
    uint64_t size;
    char *end;

    if (sxt_json_type(got) == SXT_JSON_INT) {
        *x = sxt_json_int(got, 0);
        return true;
    }
    if (!text)
        return false;
    minus = text[0] == '-';
    text += minus;
    if (!sxt_starts_with(text, "0x") || strlen(text) > 18)
        return false;
    size = strtoull(text, &end, 16);
    if (*end != '\0' || size > (uint64_t)INT64_MAX + minus)
        return false;
    *x = minus ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}

/* Any int or float, as a float; ints of any size. */
static bool real(const struct sxt_json *got, double *x)
{
    const char *text = sxt_json_string(typed(got, "float"), NULL);
    char *end;

    if (!text)
        text = sxt_json_string(typed(got, "int"), NULL);
    if (sxt_json_type(got) == SXT_JSON_INT) {
        *x = (double)sxt_json_int(got, 0);
        return true;
    }
    if (!text || text[0] == '\0')
        return false;
    *x = strtod(text, &end);
    return *end == '\0';
}

/* Is a Python int, as hex () writes it, the int with these decimal digits? */
static bool same_big(const char *hex, struct sxt_span decimal)
{
    bool minus = decimal.len > 0 && decimal.data[0] == '-';
    size_t n = 0, size = decimal.len / 9 + 2;
    uint32_t *limbs = sxt_calloc(size, sizeof(*limbs)); /* the least first */
    struct sxt_str text = SXT_STR_EMPTY;

    for (size_t i = minus; i < decimal.len; i++) {
        uint64_t carry = (uint64_t)(decimal.data[i] - '0');
        for (size_t k = 0; k < n || carry > 0; k++) {
            carry += 10 * (uint64_t)limbs[k];
            limbs[k] = (uint32_t)carry;
            carry >>= 32;
            n = k == n ? n + 1 : n;
        }
    }
    sxt_str_add(&text, "%s0x%" PRIx32, minus ? "-" : "",
                n > 0 ? limbs[n - 1] : 0);
    for (size_t k = n; k-- > 1;)
        sxt_str_add(&text, "%08" PRIx32, limbs[k - 1]);
    bool same = strcmp(text.data, hex) == 0;
    sxt_str_free(&text);
    free(limbs);
    return same;
}

static bool whole(struct sxt_span decimal)
{
    size_t i = decimal.len > 0 && decimal.data[0] == '-';

    while (i < decimal.len && digit(decimal.data[i]))
        i++;
    return i > 0 && i == decimal.len && decimal.len <= LONGEST_INTEGER;
}

/* A float that is exactly this integer: where floats have gaps between the
 * integers, nothing is near enough. */
static bool is_exactly(double x, struct sxt_span decimal)
{
    char text[DBL_MAX_10_EXP + 4];

    snprintf(text, sizeof(text), "%.0f", x);
    return sxt_span_equal(decimal, text);
}

/* Against NaN, infinity, or an int of any size. */
static bool same_large(const struct sxt_json *got, struct sxt_span want,
                       double tolerance)
{
    const char *hex = sxt_json_string(typed(got, "int"), NULL);
    double x;

    if (whole(want) && !typed(got, "float"))
        return hex && same_big(hex, want);
    if (whole(want))
        return real(got, &x) && is_exactly(x, want);
    return real(got, &x) && close_enough(x, strtod(want.data, NULL), tolerance);
}

static bool same_number(const struct sxt_json *got, const struct sxt_json *want,
                        double tolerance)
{
    const int64_t exact = (int64_t)1 << DBL_MANT_DIG;
    char digits[24];
    int64_t i;
    double x;

    if (sxt_json_type(want) == SXT_JSON_INT && integer(got, &i))
        return i == sxt_json_int(want, 0);
    if (sxt_json_type(want) == SXT_JSON_INT && !typed(got, "float"))
        return false;
    if (!real(got, &x))
        return false;
    if (sxt_json_type(want) == SXT_JSON_INT) {
        i = sxt_json_int(want, 0);
        snprintf(digits, sizeof(digits), "%" PRId64, i);
        if (i > exact || i < -exact)
            return is_exactly(x, sxt_span(digits));
    }
    return close_enough(x, sxt_json_number(want, NAN), tolerance);
}

static bool same_list(const struct sxt_json *got, const struct sxt_json *want,
                      double tolerance, int depth)
{
    const struct sxt_json *tuple = typed(got, "tuple");
    const struct sxt_json *list = tuple ? tuple : got;
    size_t n = sxt_json_count(want);

    if (sxt_json_type(list) != SXT_JSON_ARRAY || sxt_json_count(list) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!same(sxt_json_item(list, i), sxt_json_item(want, i), tolerance,
                  depth))
            return false;
    return true;
}

/* A key's text, as json.dumps would write it: str and int keys. */
static const char *key_text(const struct sxt_json *key, char number_text[24])
{
    if (sxt_json_type(key) != SXT_JSON_INT)
        return sxt_json_string(key, NULL);
    snprintf(number_text, 24, "%" PRId64, sxt_json_int(key, 0));
    return number_text;
}

/* 1 and "1" are two keys in Python and one here: so none may come twice. */
static bool same_object(const struct sxt_json *got, const struct sxt_json *want,
                        double tolerance, int depth)
{
    const struct sxt_json *pairs = typed(got, "dict");
    size_t n = sxt_json_count(want);
    struct sxt_json *seen = sxt_json_object();
    char text[24];
    bool equal =
        sxt_json_type(pairs) == SXT_JSON_ARRAY && sxt_json_count(pairs) == n;

    for (size_t i = 0; i < n && equal; i++) {
        const struct sxt_json *pair = sxt_json_item(pairs, i);
        const char *key = key_text(sxt_json_item(pair, 0), text);
        const struct sxt_json *other = key ? sxt_json_get(want, key) : NULL;
        equal = other && !sxt_json_get(seen, key) &&
                same(sxt_json_item(pair, 1), other, tolerance, depth);
        if (equal)
            sxt_json_set(seen, key, sxt_json_new_bool(true));
    }
    sxt_json_free(seen);
    return equal;
}

static bool same(const struct sxt_json *got, const struct sxt_json *want,
                 double tolerance, int depth)
{
    if (!got || depth > DEEPEST)
        return false;
    switch (sxt_json_type(want)) {
    case SXT_JSON_NULL:
        return sxt_json_type(got) == SXT_JSON_NULL;
    case SXT_JSON_BOOL:
        return sxt_json_type(got) == SXT_JSON_BOOL &&
               sxt_json_bool(got, false) == sxt_json_bool(want, true);
    case SXT_JSON_INT:
    case SXT_JSON_REAL:
        return same_number(got, want, tolerance);
    case SXT_JSON_BIG:
        return same_large(got, sxt_json_big(want), tolerance);
    case SXT_JSON_STRING:
        return sxt_json_type(got) == SXT_JSON_STRING &&
               sxt_span_same(sxt_json_text(got), sxt_json_text(want));
    case SXT_JSON_ARRAY:
        return same_list(got, want, tolerance, depth + 1);
    case SXT_JSON_OBJECT:
        return same_object(got, want, tolerance, depth + 1);
    }
    return false;
}

bool sxt_code_same_value(const struct sxt_json *got,
                         const struct sxt_json *want, double tolerance)
{
    return same(got, want, tolerance, 0);
}
