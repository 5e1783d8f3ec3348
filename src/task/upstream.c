/* upstream.c - SkyThought's scorers: extraction, equality, a rule a data set.
 */
#include "task/upstream.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "task/mathidentity.h"
#include "task/upstreamtext.h"

enum { MAX_DEPTH = 8, LONGEST_NUMBER = 320 };

static struct sxt_span behind(struct sxt_span s, size_t at)
{
    return (struct sxt_span){ s.data + at, s.len - at };
}

static bool is_digit(char c)
{
    return isdigit((unsigned char)c) != 0;
}

/* ---- extraction ---- */

/* Behind the last "boxed": to the brace that closes, or to a dollar sign. */
static struct sxt_span boxed(struct sxt_span s)
{
    int depth = 1;

    if (s.len == 0 || s.data[0] != '{') {
        long end = sxt_span_find(s, "$");
        if (end >= 0)
            s.len = (size_t)end;
        return sxt_span_trim(s);
    }
    s = behind(s, 1);
    for (size_t i = 0; i < s.len; i++) {
        depth += s.data[i] == '{';
        depth -= s.data[i] == '}';
        if (depth == 0)
            return (struct sxt_span){ s.data, i };
    }
    return s;
}

/* The last -?\d*\.?\d+, commas not counted; appended to *out. */
static void last_number(struct sxt_span s, struct sxt_str *out)
{
    struct sxt_str plain = SXT_STR_EMPTY;
    struct sxt_span found = { "", 0 };

    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] != ',')
            sxt_str_add_char(&plain, s.data[i]);
    s = sxt_upstreamtext_span(&plain);
    for (size_t i = 0; i < s.len;) {
        size_t k = i + (s.data[i] == '-'), digits = k;
        while (k < s.len && is_digit(s.data[k]))
            k++;
        bool any = k > digits;
        if (k + 1 < s.len && s.data[k] == '.' && is_digit(s.data[k + 1])) {
            for (k++; k < s.len && is_digit(s.data[k]); k++)
                ;
            any = true;
        }
        if (any)
            found = (struct sxt_span){ s.data + i, k - i };
        i = any ? k : i + 1;
    }
    sxt_str_add_bytes(out, found.data, found.len);
    sxt_str_free(&plain);
}

/* The part of a response that states the answer, by the first phrase that is
 * there; appended to *out. */
static void stated(struct sxt_span s, struct sxt_str *out)
{
    static const char minerva[] = "final answer is $", hope[] = "$. I hope";
    static const char *const phrases[] = { "he answer is", "final answer is" };
    static const char chinese[] = "答案是";
    struct sxt_span found = { NULL, 0 };
    long at = sxt_span_find(s, minerva);

    if (at >= 0 && sxt_span_find(s, hope) >= 0) {
        found = behind(s, (size_t)at + sizeof(minerva) - 1);
        long end = sxt_span_find(found, hope);
        if (end >= 0)
            found.len = (size_t)end;
        found = sxt_span_trim(found);
    } else if ((at = sxt_span_find_last(s, "boxed")) >= 0) {
        found = boxed(behind(s, (size_t)at + 5));
    }
    for (size_t i = 0; i < 2 && !found.data; i++)
        if ((at = sxt_span_find_last(s, phrases[i])) >= 0)
            found = sxt_span_trim(behind(s, (size_t)at + strlen(phrases[i])));
    if (!found.data && (at = sxt_span_find(s, chinese)) >= 0) {
        found = sxt_span_trim(behind(s, (size_t)at + sizeof(chinese) - 1));
        long end = sxt_span_find(found, "\n\n");
        if (end >= 0)
            found.len = (size_t)end;
    }
    if (found.data)
        sxt_str_add_bytes(out, found.data, found.len);
    else
        last_number(s, out);
}

void sxt_upstream_extract(struct sxt_span response, struct sxt_str *out)
{
    struct sxt_str text = SXT_STR_EMPTY, found = SXT_STR_EMPTY;
    struct sxt_str one_line = SXT_STR_EMPTY;

    sxt_upstreamtext_set(&text, response);
    sxt_upstreamtext_replace(&text, "\u043a\u0438", "");
    stated(sxt_upstreamtext_span(&text), &found);
    for (size_t i = 0; i < found.len; i++) {
        bool newline = found.data[i] == '\n';
        while (newline && i + 1 < found.len &&
               isspace((unsigned char)found.data[i + 1]))
            i++;
        if (!newline)
            sxt_str_add_char(&one_line, found.data[i]);
    }
    struct sxt_span s = sxt_upstreamtext_span(&one_line);
    if (s.len > 0 && s.data[0] == ':')
        s = behind(s, 1);
    if (s.len > 0 && s.data[s.len - 1] == '.')
        s.len--;
    if (s.len > 0 && s.data[s.len - 1] == '/')
        s.len--;
    sxt_upstream_normalise(s, out);
    sxt_str_free(&text);
    sxt_str_free(&found);
    sxt_str_free(&one_line);
}

/* ---- equality ---- */

static bool same_letters(struct sxt_span a, struct sxt_span b)
{
    return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

/* Commas do not count; a percent sign divides by 100. */
static bool number(struct sxt_span s, double *x)
{
    char text[LONGEST_NUMBER];
    size_t n = 0;
    char *end;

    s = sxt_span_trim(s);
    bool percent = s.len > 0 && s.data[s.len - 1] == '%';
    s.len -= percent;
    while (percent && s.len > 0 && s.data[s.len - 1] == '\\')
        s.len--;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == ',')
            continue;
        if (n + 1 == sizeof(text) || !strchr("0123456789+-.eE", s.data[i]))
            return false;
        text[n++] = s.data[i];
    }
    text[n] = '\0';
    *x = strtod(text, &end);
    if (percent)
        *x /= 100;
    return n > 0 && *end == '\0';
}

static bool close_to(double a, double b)
{
    return a == b || fabs(a - b) <= 1e-4 * fmax(fabs(a), fabs(b));
}

static bool lone_letter(struct sxt_span s, size_t i, char last)
{
    char c = (char)toupper((unsigned char)s.data[i]);
    bool before = i > 0 && (isalnum((unsigned char)s.data[i - 1]) ||
                            s.data[i - 1] == '_');
    bool after = i + 1 < s.len && (isalnum((unsigned char)s.data[i + 1]) ||
                                   s.data[i + 1] == '_');

    return c >= 'A' && c <= last && !before && !after;
}

/* The last lone letter up to `last`, in whatever case; 0 if there is none. */
static char last_letter(struct sxt_span s, char last)
{
    for (size_t i = s.len; i-- > 0;)
        if (lone_letter(s, i, last))
            return (char)toupper((unsigned char)s.data[i]);
    return 0;
}

static bool between(struct sxt_span s, char open, char close)
{
    return s.len > 0 && s.data[0] == open && s.data[s.len - 1] == close;
}

/* Brackets of both kinds do not count, nor do braces. */
static bool same_inside(struct sxt_span p, struct sxt_span r)
{
    bool strip = (between(p, '[', ']') && (r.len == 0 || r.data[0] != '(')) ||
                 (between(p, '(', ')') && (r.len == 0 || r.data[0] != '['));
    struct sxt_str a = SXT_STR_EMPTY, b = SXT_STR_EMPTY;

    if (strip) {
        p = sxt_upstreamtext_strip(p, "[]()");
        r = sxt_upstreamtext_strip(r, "[]()");
    }
    for (size_t i = 0; i < p.len; i++)
        if (!strchr("{}()", p.data[i]))
            sxt_str_add_char(&a, p.data[i]);
    for (size_t i = 0; i < r.len; i++)
        if (!strchr("{}()", r.data[i]))
            sxt_str_add_char(&b, r.data[i]);
    bool same =
        same_letters(sxt_upstreamtext_span(&a), sxt_upstreamtext_span(&b));
    sxt_str_free(&a);
    sxt_str_free(&b);
    return same;
}

static bool equal(struct sxt_span p, struct sxt_span r, int depth);

/* The next part of s up to a separator; false behind the last. */
static bool next_part(struct sxt_span *rest, const char *separator,
                      struct sxt_span *part)
{
    if (!rest->data)
        return false;
    long at = sxt_span_find(*rest, separator);
    *part = *rest;
    if (at < 0) {
        rest->data = NULL;
        return true;
    }
    part->len = (size_t)at;
    *rest = behind(*rest, (size_t)at + strlen(separator));
    return true;
}

/* Part by part; matrices: rows, and then cells. */
static bool equal_parts(struct sxt_span p, struct sxt_span r,
                        const char *separator, const char *inner, int depth)
{
    struct sxt_span a, b;
    bool more;

    while ((more = next_part(&p, separator, &a)),
           next_part(&r, separator, &b)) {
        a = sxt_span_trim(a);
        b = sxt_span_trim(b);
        if (!more || !(inner ? equal_parts(a, b, inner, NULL, depth)
                             : equal(a, b, depth + 1)))
            return false;
    }
    return !more;
}

static bool bracketed(struct sxt_span s)
{
    return s.len > 2 && strchr("([", s.data[0]) &&
           strchr(")]", s.data[s.len - 1]);
}

static bool matrix_inside(struct sxt_span s, struct sxt_span *inside)
{
    static const char begin[] = "\\begin{pmatrix}", end[] = "\\end{pmatrix}";
    size_t n = sizeof(begin) - 1, m = sizeof(end) - 1;

    if (s.len < n + m || memcmp(s.data, begin, n) != 0 ||
        memcmp(s.data + s.len - m, end, m) != 0)
        return false;
    *inside = (struct sxt_span){ s.data + n, s.len - n - m };
    return true;
}

static long only_equals_sign(struct sxt_span s)
{
    long at = sxt_span_find(s, "=");

    return at >= 0 && sxt_span_find_last(s, "=") == at ? at : -1;
}

/* Words and fonts, which SymPy's readers refuse or take for products. */
static bool has_words(const struct sxt_math_tree *t, struct sxt_span s)
{
    bool found = sxt_span_find(s, "\\math") >= 0;

    for (size_t i = 0; i < t->tokens.count; i++)
        found |= t->tokens.item[i].kind == SXT_TOK_TEXT;
    return found;
}

/* Where SkyThought asks SymPy: equal values, floats within 1e-4, equations
 * with the same difference of sides but for its sign. */
static bool symbolic(struct sxt_span p, struct sxt_span r)
{
    struct sxt_math_tree a, b;
    long double x, y;
    bool same = false;
    long fuel = SXT_MATH_FUEL;
    int sign;

    sxt_mathexpr_parse(p, false, &a);
    sxt_mathexpr_parse(r, false, &b);
    if (has_words(&a, p) || has_words(&b, r))
        same = false;
    else if (a.root && b.root && a.root->kind == SXT_MATH_RELATION &&
             b.root->kind == SXT_MATH_RELATION && a.root->count == 2 &&
             b.root->count == 2)
        same = sxt_math_proportional(a.root->child, a.root->child->next,
                                     b.root->child, b.root->child->next, &fuel,
                                     &sign) == SXT_MATH_EQUAL;
    else if (a.root && b.root)
        same = sxt_math_identity(a.root, b.root, &fuel) == SXT_MATH_EQUAL ||
               (sxt_math_constant(a.root, &fuel, &x) &&
                sxt_math_constant(b.root, &fuel, &y) &&
                close_to((double)x, (double)y));
    sxt_mathexpr_free(&a);
    sxt_mathexpr_free(&b);
    return same;
}

static bool equal_symbols(struct sxt_span p, struct sxt_span r, int depth)
{
    long at_p = only_equals_sign(p), at_r = only_equals_sign(r);
    struct sxt_span a, b;

    if (bracketed(p) && bracketed(r) &&
        equal_parts((struct sxt_span){ p.data + 1, p.len - 2 },
                    (struct sxt_span){ r.data + 1, r.len - 2 }, ",", NULL,
                    depth))
        return true;
    if (matrix_inside(p, &a) && matrix_inside(r, &b) &&
        equal_parts(a, b, "\\\\", "&", depth))
        return true;
    if (at_p >= 0 && at_p <= 2 && sxt_span_find(r, "=") < 0)
        return equal(behind(p, (size_t)at_p + 1), r, depth + 1);
    if (at_r >= 0 && at_r <= 2 && sxt_span_find(p, "=") < 0)
        return equal(p, behind(r, (size_t)at_r + 1), depth + 1);
    return symbolic(p, r);
}

static bool equal(struct sxt_span p, struct sxt_span r, int depth)
{
    double x, y;

    if (same_letters(sxt_span_trim(p), sxt_span_trim(r)))
        return true;
    if (r.len == 1 && r.data[0] >= 'A' && r.data[0] <= 'E' &&
        last_letter(p, 'E') == r.data[0])
        return true;
    if (number(p, &x) && number(r, &y))
        return close_to(x, y) || close_to(x, y / 100) || close_to(x, y * 100);
    if (p.len == 0 || depth > MAX_DEPTH)
        return false;
    p = sxt_span_trim(p);
    r = sxt_span_trim(r);
    return same_inside(p, r) || equal_symbols(p, r, depth);
}

bool sxt_upstream_equal(struct sxt_span pred, struct sxt_span ref)
{
    return equal(pred, ref, 0);
}

/* ---- scorers ---- */

static const struct {
    const char *source; /* a part of the data set's name */
    enum sxt_upstream_scorer scorer;
} sources[] = {
    { "gsm8k", SXT_UPSTREAM_GSM },
    { "omni", SXT_UPSTREAM_RAW },
    { "liveaops", SXT_UPSTREAM_RAW },
    { "mmlu_pro", SXT_UPSTREAM_MMLU_PRO },
    { "mmlu-pro", SXT_UPSTREAM_MMLU_PRO },
    { "arc", SXT_UPSTREAM_ARC },
};

static bool contains(struct sxt_span s, const char *part)
{
    for (size_t i = 0; i + strlen(part) <= s.len; i++)
        if (strncasecmp(s.data + i, part, strlen(part)) == 0)
            return true;
    return false;
}

enum sxt_upstream_scorer sxt_upstream_scorer(struct sxt_span source,
                                             bool choice)
{
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        enum sxt_upstream_scorer s = sources[i].scorer;
        bool letters = s == SXT_UPSTREAM_MMLU_PRO || s == SXT_UPSTREAM_ARC;
        if (letters == choice && contains(source, sources[i].source))
            return s;
    }
    return choice ? SXT_UPSTREAM_LETTER : SXT_UPSTREAM_MATH;
}

const char *sxt_upstream_name(enum sxt_upstream_scorer scorer)
{
    static const char *const names[] = { "upstream MATH",     "upstream raw",
                                         "upstream GSM",      "upstream LETTER",
                                         "upstream MMLU-PRO", "upstream ARC" };

    return names[scorer];
}

/* The last run of two or more of $0-9., (with a sign), or an integer. */
static struct sxt_span last_figure(struct sxt_span s)
{
    struct sxt_span found = { "", 0 };

    for (size_t i = 0; i < s.len;) {
        size_t from = i + (s.data[i] == '-'), k = from;
        while (k < s.len && s.data[k] && strchr("$0123456789.,", s.data[k]))
            k++;
        size_t width = k - from;
        if (width >= 2 || (width == 1 && is_digit(s.data[from]))) {
            found = (struct sxt_span){ s.data + i, k - i };
            i = k;
        } else {
            i++;
        }
    }
    return found;
}

static void drop(struct sxt_str *s, const char *what)
{
    sxt_upstreamtext_replace(s, what, "");
}

static bool score_gsm(struct sxt_span gold, struct sxt_span response,
                      struct sxt_str *answer)
{
    struct sxt_str pred = SXT_STR_EMPTY, ref = SXT_STR_EMPTY;

    sxt_upstream_extract(response, &pred);
    drop(&pred, ",");
    drop(&pred, "$");
    struct sxt_span figure = last_figure(sxt_upstreamtext_span(&pred));
    sxt_str_add_bytes(answer, figure.data, figure.len);
    gold = sxt_span_trim(gold);
    sxt_str_add_bytes(&ref, gold.data, gold.len);
    drop(&ref, ",");
    bool same = figure.len > 0 && figure.len == ref.len &&
                memcmp(figure.data, ref.data, ref.len) == 0;
    sxt_str_free(&pred);
    sxt_str_free(&ref);
    return same;
}

/* Behind the first PHRASE, perhaps "(": a letter up to J; else 0. */
static char letter_behind(struct sxt_span s, const char *phrase, bool last)
{
    while (s.len > 0) {
        long at =
            last ? sxt_span_find_last(s, phrase) : sxt_span_find(s, phrase);
        if (at < 0)
            return 0;
        struct sxt_span rest = behind(s, (size_t)at + strlen(phrase));
        while (rest.len > 0 && (rest.data[0] == ' ' || rest.data[0] == '('))
            rest = behind(rest, 1);
        if (rest.len > 0 && rest.data[0] >= 'A' && rest.data[0] <= 'J')
            return rest.data[0];
        s = last ? (struct sxt_span){ s.data, (size_t)at }
                 : behind(s, (size_t)at + 1);
    }
    return 0;
}

static char mmlu_pro_letter(struct sxt_span response)
{
    char letter = letter_behind(response, "answer is ", false);

    if (!letter)
        letter = letter_behind(response, "nswer:", true);
    for (size_t i = response.len; !letter && i-- > 0;)
        if (isupper((unsigned char)response.data[i]) &&
            lone_letter(response, i, 'J'))
            letter = response.data[i];
    return letter;
}

static char arc_letter(struct sxt_span response)
{
    struct sxt_str pred = SXT_STR_EMPTY;
    char letter = 0;

    sxt_upstream_extract(response, &pred);
    for (size_t i = 0; i < pred.len && !letter; i++)
        if (pred.data[i] >= 'A' && pred.data[i] <= 'D')
            letter = pred.data[i];
    sxt_str_free(&pred);
    return letter ? letter
                  : letter_behind(response, "he best answer is ", true);
}

static bool score_letter(char letter, struct sxt_span gold,
                         struct sxt_str *answer)
{
    gold = sxt_span_trim(gold);
    if (letter)
        sxt_str_add_char(answer, letter);
    return letter && gold.len == 1 && gold.data[0] == letter;
}

bool sxt_upstream_score(enum sxt_upstream_scorer scorer, struct sxt_span gold,
                        struct sxt_span response, struct sxt_str *answer)
{
    struct sxt_str pred = SXT_STR_EMPTY, ref = SXT_STR_EMPTY;

    switch (scorer) {
    case SXT_UPSTREAM_GSM:
        return score_gsm(gold, response, answer);
    case SXT_UPSTREAM_LETTER:
        return score_letter(last_letter(response, 'D'), gold, answer);
    case SXT_UPSTREAM_MMLU_PRO:
        return score_letter(mmlu_pro_letter(response), gold, answer);
    case SXT_UPSTREAM_ARC:
        return score_letter(arc_letter(response), gold, answer);
    case SXT_UPSTREAM_MATH:
    case SXT_UPSTREAM_RAW:
        break;
    }
    sxt_upstream_extract(response, &pred);
    sxt_upstream_normalise(sxt_upstreamtext_span(&pred), answer);
    if (scorer == SXT_UPSTREAM_MATH)
        sxt_upstream_normalise(gold, &ref);
    else
        sxt_upstreamtext_set(&ref, gold);
    bool same =
        equal(sxt_upstreamtext_span(answer), sxt_upstreamtext_span(&ref), 0);
    sxt_str_free(&pred);
    sxt_str_free(&ref);
    return same;
}
