/* upstreamstrip.c - SkyThought's normalisation of an answer, step by step. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "task/mathnumber.h"
#include "task/upstream.h"
#include "task/upstreamtext.h"

struct sxt_span sxt_upstreamtext_span(const struct sxt_str *s)
{
    return (struct sxt_span){ s->data ? s->data : "", s->len };
}

void sxt_upstreamtext_set(struct sxt_str *s, struct sxt_span to)
{
    struct sxt_str fresh = SXT_STR_EMPTY;

    sxt_str_add_bytes(&fresh, to.data, to.len);
    sxt_str_free(s);
    *s = fresh;
}

void sxt_upstreamtext_replace(struct sxt_str *s, const char *from,
                              const char *to)
{
    struct sxt_str out = SXT_STR_EMPTY;
    struct sxt_span rest = sxt_upstreamtext_span(s);
    long at;

    if (sxt_span_find(rest, from) < 0)
        return;
    while ((at = sxt_span_find(rest, from)) >= 0) {
        sxt_str_add_bytes(&out, rest.data, (size_t)at);
        sxt_str_add(&out, "%s", to);
        rest.data += (size_t)at + strlen(from);
        rest.len -= (size_t)at + strlen(from);
    }
    sxt_str_add_bytes(&out, rest.data, rest.len);
    sxt_str_free(s);
    *s = out;
}

struct sxt_span sxt_upstreamtext_strip(struct sxt_span s, const char *set)
{
    while (s.len > 0 && s.data[0] && strchr(set, s.data[0]))
        s = (struct sxt_span){ s.data + 1, s.len - 1 };
    while (s.len > 0 && s.data[s.len - 1] && strchr(set, s.data[s.len - 1]))
        s.len--;
    return s;
}

static bool is_digit(char c)
{
    return isdigit((unsigned char)c) != 0;
}

static bool is_alpha(char c)
{
    return isalpha((unsigned char)c) != 0;
}

static bool has(const struct sxt_str *s, const char *what)
{
    return sxt_span_find(sxt_upstreamtext_span(s), what) >= 0;
}

/* OPEN…} becomes its inside (keep), or nothing. */
static void unwrap(struct sxt_str *s, const char *open, bool keep)
{
    struct sxt_str out = SXT_STR_EMPTY;
    struct sxt_span rest = sxt_upstreamtext_span(s);
    long at, close;

    while ((at = sxt_span_find(rest, open)) >= 0) {
        struct sxt_span inside = { rest.data + at + strlen(open),
                                   rest.len - (size_t)at - strlen(open) };
        if ((close = sxt_span_find(inside, "}")) < 0)
            break;
        sxt_str_add_bytes(&out, rest.data, (size_t)at);
        if (keep)
            sxt_str_add_bytes(&out, inside.data, (size_t)close);
        rest = (struct sxt_span){ inside.data + close + 1,
                                  inside.len - (size_t)close - 1 };
    }
    sxt_str_add_bytes(&out, rest.data, rest.len);
    sxt_str_free(s);
    *s = out;
}

/* three, forty, hundred: no ordinals, no fractions. */
static bool is_cardinal(struct sxt_span word)
{
    static const char *const others[] = { "and", "first", "second", "third" };
    int64_t num, den;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (sxt_span_equal(word, others[i]))
            return false;
    return word.len > 2 && memcmp(word.data + word.len - 2, "th", 2) != 0 &&
           sxt_mathnumber_words(word, &num, &den) && den == 1;
}

static bool are_digits(struct sxt_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.data[i]))
            return false;
    return s.len > 0;
}

/* word2number: digits are an integer; else the number words in a phrase.
 * The result goes to the empty *out. */
static bool word_number(struct sxt_span s, struct sxt_str *out)
{
    struct sxt_str words = SXT_STR_EMPTY;
    int64_t num = 0, den = 0;

    if (are_digits(s)) {
        while (s.len > 1 && s.data[0] == '0')
            s = (struct sxt_span){ s.data + 1, s.len - 1 };
        sxt_str_add_bytes(out, s.data, s.len);
        return true;
    }
    for (size_t i = 0; i < s.len;) {
        size_t n = 0;
        while (i + n < s.len && !strchr(" -\t", s.data[i + n]))
            n++;
        struct sxt_span word = { s.data + i, n };
        if (is_cardinal(word))
            sxt_str_add(&words, "%.*s ", (int)n, word.data);
        i += n > 0 ? n : 1;
    }
    bool found =
        words.len > 0 &&
        sxt_mathnumber_words(sxt_upstreamtext_span(&words), &num, &den) &&
        den == 1;
    sxt_str_free(&words);
    if (found)
        sxt_str_add(out, "%lld", (long long)num);
    return found;
}

/* \text{three} is 3. */
static void text_numbers(struct sxt_str *s)
{
    static const char open[] = "\\text{";
    struct sxt_str out = SXT_STR_EMPTY;
    struct sxt_span rest = sxt_upstreamtext_span(s);
    long at;

    while ((at = sxt_span_find(rest, open)) >= 0) {
        struct sxt_span word = { rest.data + at + sizeof(open) - 1, 0 };
        const char *end = rest.data + rest.len;
        struct sxt_str number = SXT_STR_EMPTY;
        while (word.data + word.len < end && is_alpha(word.data[word.len]))
            word.len++;
        bool closed = word.len > 0 && word.data + word.len < end &&
                      word.data[word.len] == '}';
        sxt_str_add_bytes(&out, rest.data, (size_t)at);
        if (closed && word_number(word, &number)) {
            sxt_str_add_bytes(&out, number.data, number.len);
            word.len++;
        } else {
            sxt_str_add(&out, "%s", open);
            word.len = 0;
        }
        sxt_str_free(&number);
        rest = (struct sxt_span){ word.data + word.len,
                                  (size_t)(end - word.data) - word.len };
    }
    sxt_str_add_bytes(&out, rest.data, rest.len);
    sxt_str_free(s);
    *s = out;
}

/* A unit at the end: \text{…} up to a closing brace there. */
static void drop_last_text(struct sxt_str *s)
{
    struct sxt_span all = sxt_upstreamtext_span(s);
    long at = sxt_span_find(all, "\\text{");

    if (at <= 0 || all.data[all.len - 1] != '}')
        return;
    struct sxt_span head =
        sxt_span_trim((struct sxt_span){ all.data, (size_t)at });
    if (head.len > 0)
        sxt_upstreamtext_set(s, head);
}

/* \begin{array}{cc} loses its columns. */
static void arrays(struct sxt_str *s)
{
    static const char open[] = "\\begin{array}{";
    struct sxt_str out = SXT_STR_EMPTY;
    struct sxt_span rest = sxt_upstreamtext_span(s);
    long at, close;

    while ((at = sxt_span_find(rest, open)) >= 0) {
        struct sxt_span columns = { rest.data + at + sizeof(open) - 1,
                                    rest.len - (size_t)at - sizeof(open) + 1 };
        if ((close = sxt_span_find(columns, "}")) < 0)
            break;
        sxt_str_add_bytes(&out, rest.data, (size_t)at);
        sxt_str_add(&out, "\\begin{pmatrix}");
        rest = (struct sxt_span){ columns.data + close + 1,
                                  columns.len - (size_t)close - 1 };
    }
    sxt_str_add_bytes(&out, rest.data, rest.len);
    sxt_str_free(s);
    *s = out;
    sxt_upstreamtext_replace(s, "\\end{array}", "\\end{pmatrix}");
    sxt_upstreamtext_replace(s, "bmatrix", "pmatrix");
}

/* 5.000 is 5: digits, a point and zeros before what is no digit. */
static void drop_zero_decimals(struct sxt_str *s)
{
    struct sxt_str out = SXT_STR_EMPTY;

    for (size_t i = 0; i < s->len; i++) {
        size_t k = i + 1;
        if (s->data[i] == '.' && i > 0 && is_digit(s->data[i - 1])) {
            while (k < s->len && s->data[k] == '0')
                k++;
            if (k == s->len || !is_digit(s->data[k])) {
                i = k - 1;
                continue;
            }
        }
        sxt_str_add_char(&out, s->data[i]);
    }
    sxt_str_free(s);
    *s = out;
}

/* \sqrt3 is \sqrt{3}: all word characters behind it. */
static void brace_roots(struct sxt_str *s)
{
    static const char root[] = "\\sqrt";
    struct sxt_str out = SXT_STR_EMPTY;
    struct sxt_span rest = sxt_upstreamtext_span(s);
    long at;

    while ((at = sxt_span_find(rest, root)) >= 0) {
        size_t n = 0, from = (size_t)at + sizeof(root) - 1;
        while (from + n < rest.len &&
               (is_digit(rest.data[from + n]) ||
                is_alpha(rest.data[from + n]) || rest.data[from + n] == '_'))
            n++;
        sxt_str_add_bytes(&out, rest.data, from);
        if (n > 0)
            sxt_str_add(&out, "{%.*s}", (int)n, rest.data + from);
        rest = (struct sxt_span){ rest.data + from + n, rest.len - from - n };
    }
    sxt_str_add_bytes(&out, rest.data, rest.len);
    sxt_str_free(s);
    *s = out;
}

/* \frac12 and \frac1{72} get their braces. */
static void brace_fractions(struct sxt_str *s)
{
    static const char frac[] = "\\frac";
    struct sxt_str out = SXT_STR_EMPTY;
    struct sxt_span rest = sxt_upstreamtext_span(s);
    long at;

    while ((at = sxt_span_find(rest, frac)) >= 0) {
        size_t from = (size_t)at + sizeof(frac) - 1;
        sxt_str_add_bytes(&out, rest.data, from);
        rest = (struct sxt_span){ rest.data + from, rest.len - from };
        if (rest.len > 0 && rest.data[0] == '{')
            continue;
        if (rest.len < 2) { /* given up: nothing changes */
            sxt_str_free(&out);
            return;
        }
        bool braced = rest.data[1] == '{';
        sxt_str_add(&out, braced ? "{%c}" : "{%c}{%c}", rest.data[0],
                    rest.data[1]);
        rest =
            (struct sxt_span){ rest.data + 2 - braced, rest.len - 2 + braced };
    }
    sxt_str_add_bytes(&out, rest.data, rest.len);
    sxt_str_free(s);
    *s = out;
}

/* An integer as Python prints it, or anything with a root in it. */
static bool is_plain_part(struct sxt_span s)
{
    size_t i = s.len > 1 && s.data[0] == '-';

    if (sxt_span_find(s, "sqrt") >= 0)
        return true;
    if (s.len == i || (s.data[i] == '0' && s.len > 1))
        return false;
    for (; i < s.len; i++)
        if (!is_digit(s.data[i]))
            return false;
    return true;
}

static void slash_fraction(struct sxt_str *s)
{
    struct sxt_span all = sxt_upstreamtext_span(s);
    long at = sxt_span_find(all, "/");
    struct sxt_str out = SXT_STR_EMPTY;

    if (at < 0 || sxt_span_find_last(all, "/") != at)
        return;
    struct sxt_span a = { all.data, (size_t)at };
    struct sxt_span b = { all.data + at + 1, all.len - (size_t)at - 1 };
    if (!is_plain_part(a) || !is_plain_part(b))
        return;
    sxt_str_add(&out, "\\frac{%.*s}{%.*s}", (int)a.len, a.data, (int)b.len,
                b.data);
    sxt_str_free(s);
    *s = out;
}

/* "\ 5" has lost its blank: no backslash before an integer. */
static void drop_backslashes(struct sxt_str *s)
{
    struct sxt_str out = SXT_STR_EMPTY;

    for (size_t i = 0; i < s->len; i++) {
        size_t k = i + 1;
        k += k < s->len && s->data[k] == '-';
        size_t first = k;
        bool backslash = s->data[i] == '\\';
        while (backslash && k < s->len && is_digit(s->data[k]))
            k++;
        bool before = backslash && k > first &&
                      (k == s->len || strchr("\\),]", s->data[k]));
        if (!before)
            sxt_str_add_char(&out, s->data[i]);
    }
    sxt_str_free(s);
    *s = out;
}

/* ---- a list of integers is sorted ---- */

struct integer {
    bool minus;
    struct sxt_span digits; /* without leading zeros */
};

static int by_value(const void *x, const void *y)
{
    const struct integer *a = x, *b = y;

    if (a->minus != b->minus)
        return a->minus ? -1 : 1;
    if (a->minus) {
        a = y;
        b = x;
    }
    if (a->digits.len != b->digits.len)
        return a->digits.len < b->digits.len ? -1 : 1;
    return memcmp(a->digits.data, b->digits.data, a->digits.len);
}

static bool read_integer(struct sxt_span s, struct integer *out)
{
    s = sxt_span_trim(s);
    out->minus = s.len > 0 && s.data[0] == '-';
    if (out->minus)
        s = (struct sxt_span){ s.data + 1, s.len - 1 };
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.data[i]))
            return false;
    if (s.len == 0)
        return false;
    while (s.len > 1 && s.data[0] == '0')
        s = (struct sxt_span){ s.data + 1, s.len - 1 };
    out->minus = out->minus && s.data[0] != '0';
    out->digits = s;
    return true;
}

static void sort_integers(struct sxt_str *s)
{
    struct sxt_span rest = sxt_upstreamtext_span(s);
    struct sxt_str out = SXT_STR_EMPTY;
    struct integer *list = NULL;
    size_t n = 0, cap = 0;
    bool good = true;
    long comma;

    do {
        comma = sxt_span_find(rest, ",");
        struct sxt_span item = { rest.data,
                                 comma < 0 ? rest.len : (size_t)comma };
        list = sxt_grow(list, &cap, n + 1, sizeof(*list));
        good = read_integer(item, &list[n++]);
        if (comma >= 0)
            rest = (struct sxt_span){ rest.data + comma + 1,
                                      rest.len - (size_t)comma - 1 };
    } while (good && comma >= 0);
    if (good) {
        qsort(list, n, sizeof(*list), by_value);
        for (size_t i = 0; i < n; i++)
            sxt_str_add(&out, "%s%s%.*s", i > 0 ? "," : "",
                        list[i].minus ? "-" : "", (int)list[i].digits.len,
                        list[i].digits.data);
        sxt_str_free(s);
        *s = out;
    }
    free(list);
}

/* ---- the order of steps ---- */

struct change {
    const char *from, *to;
};

static void replace_all(struct sxt_str *s, const struct change *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sxt_upstreamtext_replace(s, list[i].from, list[i].to);
}

#define REPLACE(s, list) replace_all(s, list, sizeof(list) / sizeof(list[0]))

static void first_steps(struct sxt_str *s)
{
    static const struct change looks[] = {
        { "tfrac", "frac" }, { "dfrac", "frac" }, { "\\neq", "\\ne" },
        { "\\leq", "\\le" }, { "\\geq", "\\ge" }, { "\\left", "" },
        { "\\right", "" },   { "\\{", "{" },      { "\\}", "}" },
    };
    static const struct change squares[] = { { "cm}^2", "cm}" },
                                             { "inches}^2", "inches}" } };
    static const struct change signs[] = {
        { "^{\\circ}", "" }, { "^\\circ", "" }, { "\\$", "" },
        { "$", "" },         { "\\(", "" },     { "\\)", "" },
    };

    sxt_upstreamtext_replace(s, "\n", "");
    while (s->len > 0 && s->data[s->len - 1] == '.')
        sxt_str_cut(s, s->len - 1);
    sxt_upstreamtext_replace(s, "\\!", "");
    arrays(s);
    REPLACE(s, looks);
    text_numbers(s);
    REPLACE(s, squares);
    drop_last_text(s);
    REPLACE(s, signs);
}

static void middle_steps(struct sxt_str *s)
{
    static const struct change names[] = {
        { "x=", "" },
        { "y=", "" },
        { "z=", "" },
        { "x\\in", "" },
        { "y\\in", "" },
        { "z\\in", "" },
        { "x\\to", "" },
        { "y\\to", "" },
        { "z\\to", "" },
        { "\\emptyset", "{}" },
        { "(-\\infty,\\infty)", "\\mathbb{R}" },
        { "\\%", "" },
        { "%", "" },
        { " .", " 0." },
        { "{.", "{0." },
        { "infinity", "\\infty" },
    };
    struct sxt_str number = SXT_STR_EMPTY;

    if (word_number(sxt_upstreamtext_span(s), &number))
        sxt_upstreamtext_set(s, sxt_upstreamtext_span(&number));
    sxt_str_free(&number);
    unwrap(s, "\\text{", true);
    REPLACE(s, names);
    if (!has(s, "\\infty"))
        sxt_upstreamtext_replace(s, "inf", "\\infty");
    sxt_upstreamtext_replace(s, "and", "");
    sxt_upstreamtext_replace(s, "\\mathbf", "");
    unwrap(s, "\\mbox{", false);
    if (has(s, "j") && !has(s, "i"))
        sxt_upstreamtext_replace(s, "j", "i");
    drop_zero_decimals(s);
}

static void short_left_side(struct sxt_str *s)
{
    struct sxt_span all = sxt_upstreamtext_span(s);
    long at = sxt_span_find(all, "=");

    if (at >= 0 && at <= 2 && sxt_span_find_last(all, "=") == at)
        sxt_upstreamtext_set(s, (struct sxt_span){ all.data + at + 1,
                                                   all.len - (size_t)at - 1 });
}

static void last_steps(struct sxt_str *s)
{
    static const char grade[] = "thgrade";

    if (s->data[0] == '.') {
        struct sxt_str zero = SXT_STR_EMPTY;
        sxt_str_add(&zero, "0%.*s", (int)s->len, s->data);
        sxt_str_free(s);
        *s = zero;
    }
    short_left_side(s);
    brace_roots(s);
    sxt_upstreamtext_replace(s, " ", "");
    brace_fractions(s);
    slash_fraction(s);
    drop_backslashes(s);
    if (s->len >= sizeof(grade) - 1 &&
        memcmp(s->data + s->len - sizeof(grade) + 1, grade,
               sizeof(grade) - 1) == 0)
        sxt_str_cut(s, s->len - sizeof(grade) + 1);
    sort_integers(s);
}

void sxt_upstream_normalise(struct sxt_span answer, struct sxt_str *out)
{
    struct sxt_str s = SXT_STR_EMPTY;

    answer = sxt_span_trim(answer);
    sxt_str_add_bytes(&s, answer.data, answer.len);
    first_steps(&s);
    middle_steps(&s);
    if (s.len > 0)
        last_steps(&s);
    struct sxt_span done = sxt_upstreamtext_span(&s);
    sxt_str_add_bytes(out, done.data, done.len);
    sxt_str_free(&s);
}
