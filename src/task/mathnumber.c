/* mathnumber.c - numbers in words. */
#include "task/mathnumber.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum kind { ONE, TEEN, TEN, HUNDRED, SCALE, ORDINAL, AND, ARTICLE };

static const struct word {
    const char *name;
    enum kind kind;
    int64_t value;
} table[] = {
    /* clang-format off */
    { "zero", ONE, 0 }, { "one", ONE, 1 }, { "two", ONE, 2 },
    { "three", ONE, 3 }, { "four", ONE, 4 }, { "five", ONE, 5 },
    { "six", ONE, 6 }, { "seven", ONE, 7 }, { "eight", ONE, 8 },
    { "nine", ONE, 9 }, { "ten", TEEN, 10 }, { "eleven", TEEN, 11 },
    { "twelve", TEEN, 12 }, { "thirteen", TEEN, 13 },
    { "fourteen", TEEN, 14 }, { "fifteen", TEEN, 15 },
    { "sixteen", TEEN, 16 }, { "seventeen", TEEN, 17 },
    { "eighteen", TEEN, 18 }, { "nineteen", TEEN, 19 },
    { "twenty", TEN, 20 }, { "thirty", TEN, 30 }, { "forty", TEN, 40 },
    { "fifty", TEN, 50 }, { "sixty", TEN, 60 }, { "seventy", TEN, 70 },
    { "eighty", TEN, 80 }, { "ninety", TEN, 90 },
    { "hundred", HUNDRED, 100 }, { "thousand", SCALE, 1000 },
    { "million", SCALE, 1000000 }, { "billion", SCALE, 1000000000 },
    { "trillion", SCALE, 1000000000000 },
    { "first", ORDINAL, 1 }, { "second", ORDINAL, 2 },
    { "half", ORDINAL, 2 }, { "halves", ORDINAL, 2 },
    { "third", ORDINAL, 3 }, { "fourth", ORDINAL, 4 },
    { "quarter", ORDINAL, 4 }, { "fifth", ORDINAL, 5 },
    { "sixth", ORDINAL, 6 }, { "seventh", ORDINAL, 7 },
    { "eighth", ORDINAL, 8 }, { "ninth", ORDINAL, 9 },
    { "tenth", ORDINAL, 10 }, { "eleventh", ORDINAL, 11 },
    { "twelfth", ORDINAL, 12 }, { "thirteenth", ORDINAL, 13 },
    { "fourteenth", ORDINAL, 14 }, { "fifteenth", ORDINAL, 15 },
    { "sixteenth", ORDINAL, 16 }, { "twentieth", ORDINAL, 20 },
    { "hundredth", ORDINAL, 100 }, { "thousandth", ORDINAL, 1000 },
    { "and", AND, 0 }, { "a", ARTICLE, 1 },
    /* clang-format on */
};

/* The longest word that s begins with; *used: its bytes, a plural s too. */
static const struct word *next_word(struct sxt_span s, size_t *used)
{
    const struct word *best = NULL;

    *used = 0;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        size_t n = strlen(table[i].name);
        if (n > *used && n <= s.len &&
            strncasecmp(s.data, table[i].name, n) == 0) {
            best = &table[i];
            *used = n;
        }
    }
    if (best && best->kind == ORDINAL && *used < s.len && s.data[*used] == 's')
        (*used)++;
    return best;
}

struct sum {
    int64_t total, part; /* part: below a thousand */
    enum kind last;
    bool begun, ended;
    int64_t num, den;
};

/* A fraction: two thirds, a half; or the place in a row: third, twenty-first */
static bool take_ordinal(struct sum *s, const struct word *w, bool plural)
{
    int64_t n = s->total + s->part;
    bool place = !s->begun || (s->last == TEN && w->value < 10 && !plural);
    bool half =
        strncmp(w->name, "hal", 3) == 0 || strncmp(w->name, "quarter", 7) == 0;

    s->ended = true;
    if (place && !half) {
        s->num = n + w->value;
        s->den = 1;
        return !plural && (s->begun || strcmp(w->name, "second") != 0);
    }
    s->num = s->begun ? n : 1;
    s->den = w->value;
    return w->value > 1 && strcmp(w->name, "second") != 0;
}

static bool take(struct sum *s, const struct word *w, bool plural)
{
    if (s->ended)
        return false;
    switch (w->kind) {
    case ONE:
    case TEEN:
    case TEN:
        if (s->begun &&
            (s->last == ONE || s->last == TEEN || s->last == ARTICLE ||
             (s->last == TEN && w->kind != ONE)))
            return false;
        s->part += w->value;
        break;
    case HUNDRED:
        if (s->part > 9 || s->last == HUNDRED)
            return false;
        s->part = (s->part ? s->part : 1) * 100;
        break;
    case SCALE:
        if (s->total != 0 && s->total < w->value)
            return false;
        s->total += (s->part ? s->part : 1) * w->value;
        s->part = 0;
        break;
    case ORDINAL:
        return take_ordinal(s, w, plural);
    case AND:
        return s->begun && (s->last == HUNDRED || s->last == SCALE);
    case ARTICLE:
        if (s->begun)
            return false;
        s->part = 1;
        break;
    }
    s->last = w->kind;
    s->begun = true;
    return true;
}

bool sxt_mathnumber_words(struct sxt_span words, int64_t *num, int64_t *den)
{
    struct sum s = { .last = AND, .den = 1 };
    size_t at = 0, used;

    while (at < words.len) {
        struct sxt_span rest = { words.data + at, words.len - at };
        if (strchr(" -~", rest.data[0])) {
            at++;
            continue;
        }
        const struct word *w = next_word(rest, &used);
        if (!w ||
            !take(&s, w, rest.data[used - 1] == 's' && w->kind == ORDINAL))
            return false;
        at += used;
    }
    if (!s.begun && !s.ended)
        return false;
    if (s.last == ARTICLE && !s.ended)
        return false; /* "a" alone */
    *num = s.ended ? s.num : s.total + s.part;
    *den = s.den;
    return true;
}

int64_t sxt_mathnumber_scale(struct sxt_span words, size_t *used)
{
    struct sxt_span s = words;

    while (s.len > 0 && s.data[0] == ' ')
        s = (struct sxt_span){ s.data + 1, s.len - 1 };
    const struct word *w = next_word(s, used);
    bool dozen = s.len >= 5 && strncasecmp(s.data, "dozen", 5) == 0;
    if (dozen)
        *used = 5;
    else if (!w || (w->kind != HUNDRED && w->kind != SCALE))
        return 0;
    *used += (size_t)(s.data - words.data);
    return dozen ? 12 : w->value;
}

static bool has_word(struct sxt_span s, const char *const *list)
{
    for (size_t i = 0; i < s.len;) {
        size_t n = 0;
        while (i + n < s.len &&
               (isalpha((unsigned char)s.data[i + n]) || s.data[i + n] == '\''))
            n++;
        for (const char *const *w = list; n > 0 && *w; w++)
            if (strlen(*w) == n && strncasecmp(s.data + i, *w, n) == 0)
                return true;
        i += n > 0 ? n : 1;
    }
    return false;
}

bool sxt_mathnumber_changes(struct sxt_span words)
{
    static const char *const list[] = {
        /* clang-format off */
        "squared", "cubed", "factorial", "plus", "minus", "over", "half",
        "halves", "third", "thirds", "quarter", "fourth", "fourths", "fifths",
        "sixths", "sevenths", "eighths", "ninths", "tenths", "choose",
        "modulo", "mod", "base", "negative", "not", "never", "maybe",
        "perhaps", "or", "either", "neither", "nor", "unless", "if", "except",
        "wrong", "incorrect", "false", "hundred", "thousand", "million",
        "billion", "trillion", "dozen", "root", "twice", "double", "triple",
        "cannot", "divided", "multiplied", "isn't", "doesn't", NULL
        /* clang-format on */
    };

    return has_word(words, list);
}

bool sxt_mathnumber_is_doubtful(struct sxt_span words)
{
    static const char *const list[] = {
        /* clang-format off */
        "times", "no", "more", "less", "fewer", "greater", "least", "most",
        "above", "below", "under", "between", "than", "other", "percent",
        "power", "about", "around", "approximately", "nearly", "almost",
        "roughly", "remainder", "per", "degrees", "degree", "but", "instead",
        "rather", "up", "could", "might", "would", "possibly", "probably",
        "without", "only", "any", "every", "each", "both", NULL
        /* clang-format on */
    };

    return sxt_mathnumber_changes(words) || has_word(words, list);
}
