/* mathtime.c - times of day and dates. */
#include "task/mathtime.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MAX_TEXT = 64, MAX_WORDS = 8 };

/* The tokens' texts in small letters, one blank between but in a run of letters
 * (Jan); without points.  A comma stays: dates have them, times do not. */
static bool flat_text(const struct sxt_math_tokens *t, char out[MAX_TEXT])
{
    size_t n = 0;

    for (size_t i = 0; i < t->count; i++) {
        const struct sxt_math_token *it = &t->item[i];
        struct sxt_span s = it->kind == ':' ? sxt_span(":") : it->text;
        bool inside = i > 0 && it->kind == SXT_TOK_NAME && !it->space &&
                      it[-1].kind == SXT_TOK_NAME;
        if (n > 0 && !inside && n + 1 < MAX_TEXT)
            out[n++] = ' ';
        for (size_t k = 0; k < s.len; k++) {
            if (strchr(".{}", s.data[k]))
                continue;
            if (n + 1 >= MAX_TEXT)
                return false;
            out[n++] = (char)tolower((unsigned char)s.data[k]);
        }
    }
    out[n] = '\0';
    return n > 0 && !t->too_long;
}

/* ---- times ---- */

struct time {
    int seconds;
    bool marked, worded; /* which half of the day is said; by a word */
    bool clock;          /* minutes of two digits */
};

static int digits(const char **s, size_t *width)
{
    int x = 0;

    for (*width = 0; isdigit((unsigned char)**s) && *width < 4; (*width)++)
        x = 10 * x + (*(*s)++ - '0');
    return x;
}

/* am, pm, or nothing behind h hours. */
static bool take_marker(const char *s, int *h, struct time *t)
{
    static const struct {
        const char *text;
        int from;
    } markers[] = { { "am", 0 },           { "pm", 12 },
                    { "noon", 12 },        { "midnight", 0 },
                    { "inthemorning", 0 }, { "intheafternoon", 12 },
                    { "intheevening", 12 } };

    for (size_t i = 0; i < sizeof(markers) / sizeof(markers[0]); i++)
        if (strcmp(s, markers[i].text) == 0) {
            t->marked = t->worded = *h >= 1 && *h <= 12;
            *h = *h % 12 + markers[i].from;
            return t->marked;
        }
    bool of_24 = strcmp(s, "hours") == 0;
    /* nobody's twelve hours have these */
    t->marked = of_24 || *h == 0 || *h > 12;
    return *s == '\0' || of_24 || strcmp(s, "o'clock") == 0;
}

static bool parse_time(const char *flat, struct time *t)
{
    char text[MAX_TEXT];
    size_t n = 0, width;
    int h, m = 0, s = 0;

    for (; *flat; flat++)
        if (*flat != ' ')
            text[n++] = *flat;
    text[n] = '\0';
    const char *at = text;
    *t = (struct time){ 0, true, true, true };
    if (strcmp(text, "noon") == 0 || strcmp(text, "midnight") == 0) {
        t->seconds = text[0] == 'n' ? 12 * 3600 : 0;
        return true;
    }
    t->worded = false;
    h = digits(&at, &width);
    if (width == 4 && strcmp(at, "hours") == 0) {
        t->seconds = 3600 * (h / 100) + 60 * (h % 100);
        return h / 100 < 24 && h % 100 < 60;
    }
    if (width < 1 || width > 2)
        return false;
    t->clock = *at == ':';
    if (*at == ':') {
        at++;
        m = digits(&at, &width);
        t->clock = width == 2;
    }
    if (t->clock && *at == ':') {
        at++;
        s = digits(&at, &width);
        t->clock = width == 2;
    }
    if (h > 23 || m > 59 || s > 59 || !take_marker(at, &h, t))
        return false;
    t->seconds = 3600 * h + 60 * m + s;
    /* 15 is a number, and 15 hours take a while. */
    bool bare = *at == '\0' || strcmp(at, "hours") == 0;
    return t->clock || (t->marked && !bare);
}

/* Of one that says neither half a word tells the half; 13:26 does not, which
 * may be a ratio as 1:26. */
static bool same_time(const struct time *g, const struct time *p)
{
    enum { HALF_DAY = 12 * 3600 };

    return g->seconds == p->seconds ||
           (g->marked != p->marked && g->worded != p->worded &&
            g->seconds % HALF_DAY == p->seconds % HALF_DAY);
}

/* ---- dates ---- */

struct date {
    int year, month, day, weekday; /* 0: not said */
};

/* Place from 1 of a word, or of its first letters (Sep, Sept), in a list. */
static int name_in(const char *const *names, int n, const char *word)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], word) == 0 ||
            (strlen(word) >= 3 && strncmp(names[i], word, strlen(word)) == 0))
            return i + 1;
    return 0;
}

static bool take_number(const char *word, struct date *d)
{
    size_t width;
    int x = digits(&word, &width);
    static const char *const suffix[] = { "", "st", "nd", "rd", "th" };
    bool known = false;

    for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++)
        known |= strcmp(word, suffix[i]) == 0;
    int *to = width == 4 ? &d->year : &d->day;
    if (!known || width < 1 || width == 3 || *to != 0 || x == 0 ||
        (width < 4 && x > 31))
        return false;
    *to = x;
    return true;
}

static bool take_word(const char *word, struct date *d)
{
    static const char *const months[] = { "january", "february", "march",
                                          "april",   "may",      "june",
                                          "july",    "august",   "september",
                                          "october", "november", "december" };
    static const char *const days[] = { "monday",   "tuesday", "wednesday",
                                        "thursday", "friday",  "saturday",
                                        "sunday" };
    int month = name_in(months, 12, word), day = name_in(days, 7, word);

    if (isdigit((unsigned char)word[0]))
        return take_number(word, d);
    if (month && !d->month)
        d->month = month;
    else if (day && !d->weekday)
        d->weekday = day;
    else
        return strcmp(word, "of") == 0 || strcmp(word, "the") == 0;
    return true;
}

static bool parse_iso(const char *flat, struct date *d)
{
    int n = 0;

    return sscanf(flat, "%4d - %2d - %2d%n", &d->year, &d->month, &d->day,
                  &n) == 3 &&
           flat[n] == '\0' && d->year > 999 && d->month >= 1 && d->month <= 12;
}

static bool parse_date(const char *flat, struct date *d)
{
    char word[MAX_TEXT];
    int n = 0;

    *d = (struct date){ 0 };
    if (parse_iso(flat, d))
        return true;
    *d = (struct date){ 0 };
    for (flat += strspn(flat, " ,"); sscanf(flat, "%63[^ ,]%n", word, &n) == 1;
         flat += strspn(flat, " ,")) {
        flat += n;
        if (!take_word(word, d))
            return false;
    }
    return d->month && d->day;
}

/* What the reference does not say may be said. */
static bool same_date(const struct date *g, const struct date *p)
{
    return g->month == p->month && g->day == p->day &&
           (!g->year || g->year == p->year) &&
           (!g->weekday || !p->weekday || g->weekday == p->weekday);
}

enum sxt_math_verdict sxt_mathtime_compare(const struct sxt_math_tokens *g,
                                           const struct sxt_math_tokens *p)
{
    char a[MAX_TEXT], b[MAX_TEXT];
    struct time s, t;
    struct date d, e;

    if (!flat_text(g, a) || !flat_text(p, b))
        return SXT_MATH_UNDECIDED;
    if (parse_time(a, &s) && parse_time(b, &t))
        return same_time(&s, &t) ? SXT_MATH_EQUAL : SXT_MATH_DIFFERENT;
    if (parse_date(a, &d) && parse_date(b, &e))
        return same_date(&d, &e) ? SXT_MATH_EQUAL : SXT_MATH_DIFFERENT;
    return SXT_MATH_UNDECIDED;
}
