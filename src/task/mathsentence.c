/* mathsentence.c - the formula or number that a sentence states. */
#include "task/mathsentence.h"

#include <ctype.h>
#include <string.h>

#include "task/mathnumber.h"
#include "task/mathwords.h"

enum { MAX_WORDS = 14, MIN_WORDS = 2 };

static struct sxt_span part(struct sxt_span s, size_t from, size_t to)
{
    return (struct sxt_span){ s.data + from, to - from };
}

static size_t count_words(struct sxt_span s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += isalpha((unsigned char)s.data[i]) &&
             (i == 0 || !isalpha((unsigned char)s.data[i - 1]));
    return n;
}

/* Is there a word that neither a formula nor a number has, in "x is 2" but not
 * in "x y 2", "x sin 2", "x ten 2"? */
static bool has_word(struct sxt_span s)
{
    int64_t num, den;

    for (size_t i = 0, n; i < s.len; i += n + 1) {
        for (n = 0; i + n < s.len && isalpha((unsigned char)s.data[i + n]);)
            n++;
        if (n >= 2 && !sxt_mathwords_command(s.data + i, n) &&
            !sxt_mathnumber_words(part(s, i, i + n), &num, &den))
            return true;
    }
    return false;
}

/* No formula, no digit, and no word that changes what is said. */
static bool is_plain(struct sxt_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (strchr("\\$0123456789=<>+^_{}[]", s.data[i]))
            return false;
    return !sxt_mathnumber_is_doubtful(s);
}

static bool is_statement(struct sxt_span before, struct sxt_span after)
{
    size_t words = count_words(before) + count_words(after);

    return words >= MIN_WORDS && words <= MAX_WORDS &&
           (has_word(before) || has_word(after)) && is_plain(before) &&
           is_plain(after);
}

/* Between a pair of fences that stands once in s. */
static bool formula(struct sxt_span s, const char *open, const char *close,
                    struct sxt_span *inside)
{
    size_t n = strlen(open);
    long from = sxt_span_find(s, open);

    if (from < 0)
        return false;
    struct sxt_span rest = part(s, (size_t)from + n, s.len);
    long to = sxt_span_find(rest, close);
    if (to <= 0)
        return false;
    *inside = part(rest, 0, (size_t)to);
    return is_statement(part(s, 0, (size_t)from),
                        part(rest, (size_t)to + strlen(close), rest.len));
}

/* The digits of 1,234.5 or 2/3 that stand alone in s. */
static bool number(struct sxt_span s, struct sxt_span *inside)
{
    size_t from = 0, to;

    while (from < s.len && !isdigit((unsigned char)s.data[from]))
        from++;
    if (from > 0 && s.data[from - 1] == '-')
        from--;
    for (to = from + 1; to < s.len; to++) {
        bool inner = strchr(",./", s.data[to]) && to + 1 < s.len &&
                     isdigit((unsigned char)s.data[to + 1]);
        if (!isdigit((unsigned char)s.data[to]) && !inner)
            break;
    }
    if (from >= s.len || (from > 0 && s.data[from - 1] != ' ') ||
        (to < s.len && isalnum((unsigned char)s.data[to])))
        return false;
    *inside = part(s, from, to);
    return count_words(part(s, 0, from)) > 0 &&
           is_statement(part(s, 0, from), part(s, to, s.len));
}

/* Digits outside of formulas. */
static bool has_figures(struct sxt_span s)
{
    bool maths = false, found = false;

    for (size_t i = 0; i < s.len; i++) {
        maths ^= s.data[i] == '$';
        found |= !maths && isdigit((unsigned char)s.data[i]);
    }
    return found;
}

/* "The area of $ABC$ is 12": what stands behind the only "is", alone. */
static bool behind_is(struct sxt_span s, struct sxt_span *inside)
{
    static const char is[] = " is ";
    long at = sxt_span_find_last(s, is);

    if (at < 0 || sxt_span_find(s, is) != at)
        return false;
    struct sxt_span before = part(s, 0, (size_t)at);
    struct sxt_span after =
        sxt_span_trim(part(s, (size_t)at + sizeof(is) - 1, s.len));
    if (sxt_mathnumber_changes(before) || has_figures(before) ||
        after.len == 0 || count_words(before) < MIN_WORDS)
        return false;
    bool maths =
        after.data[0] == '$' &&
        sxt_span_find(part(after, 1, after.len), "$") == (long)after.len - 2;
    *inside = after;
    return maths || strspn(after.data, "-0123456789.,/") >= after.len;
}

bool sxt_mathsentence(struct sxt_span s, struct sxt_span *inside)
{
    return behind_is(s, inside) || formula(s, "$", "$", inside) ||
           formula(s, "\\(", "\\)", inside) || number(s, inside);
}
