/* codeupstream.c - how SkyThought reads code and compares printed text
 * (doc/grading.md tells what is wrong with it).
 *
 * APPS and TACO try seven comparisons in turn.  Five of them are implied by
 * the sixth, so three are left: the same text line by line; lines that are
 * numbers, nearly equal; the same set of lines, each a set of words, as they
 * are or as numbers of three decimals. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "task/codeanswer.h"

/* The next line, blanks at both ends dropped; false at the end. */
static bool next_line(struct sxt_span *rest, struct sxt_span *line)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->data, '\n', rest->len);
    size_t n = end ? (size_t)(end - rest->data) : rest->len;
    *line = sxt_span_trim((struct sxt_span){ rest->data, n });
    rest->data += n + (end != NULL);
    rest->len -= n + (end != NULL);
    return true;
}

static bool next_filled(struct sxt_span *rest, struct sxt_span *line)
{
    while (next_line(rest, line))
        if (line->len > 0)
            return true;
    return false;
}

static bool next_word(struct sxt_span *rest, struct sxt_span *word)
{
    size_t n = 0;

    *rest = sxt_span_trim(*rest);
    while (n < rest->len && !isspace((unsigned char)rest->data[n]))
        n++;
    *word = (struct sxt_span){ rest->data, n };
    rest->data += n;
    rest->len -= n;
    return n > 0;
}

/* float (text), but for nan, inf and 1_000. */
static bool number(struct sxt_span s, double *x)
{
    char text[400], *end;

    if (s.len == 0 || s.len >= sizeof(text))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!strchr("0123456789+-.eE", s.data[i]) || s.data[i] == '\0')
            return false;
    memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    *x = strtod(text, &end);
    return *end == '\0';
}

static bool same_lines(struct sxt_span got, struct sxt_span want)
{
    struct sxt_span a, b;

    for (;;) {
        bool more_a = next_line(&got, &a), more_b = next_line(&want, &b);
        if (!more_a || !more_b)
            return more_a == more_b;
        if (!sxt_span_same(a, b))
            return false;
    }
}

/* numpy.allclose with its defaults, one number a line. */
static bool close_lines(struct sxt_span got, struct sxt_span want)
{
    struct sxt_span a, b;
    double x, y;

    for (;;) {
        bool more_a = next_filled(&got, &a), more_b = next_filled(&want, &b);
        if (!more_a || !more_b)
            return more_a == more_b;
        if (!number(a, &x) || !number(b, &y) ||
            !(fabs(x - y) <= 1e-8 + 1e-5 * fabs(y)))
            return false;
    }
}

/* A set of texts: sorted, each once. */
struct set {
    char **items;
    size_t count;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void set_add(struct set *set, char *item)
{
    set->items = sxt_realloc(set->items, set->count + 1, sizeof(*set->items));
    set->items[set->count++] = item;
}

static void set_close(struct set *set)
{
    size_t n = 0;

    if (set->count > 0)
        qsort(set->items, set->count, sizeof(*set->items), by_text);
    for (size_t i = 0; i < set->count; i++) {
        if (n > 0 && strcmp(set->items[n - 1], set->items[i]) == 0)
            free(set->items[i]);
        else
            set->items[n++] = set->items[i];
    }
    set->count = n;
}

static void set_free(struct set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->items[i]);
    free(set->items);
}

/* A line's words as one text that does not know their order or number; NULL
 * if they are to be rounded and one is no number. */
static char *line_text(struct sxt_span line, bool rounded)
{
    struct set words = { NULL, 0 };
    struct sxt_str text = SXT_STR_EMPTY;
    struct sxt_span word;
    bool good = true;
    double x = 0;

    while (next_word(&line, &word) && good) {
        good = !rounded || number(word, &x);
        x = fabs(x) < 0.0005 ? 0 : x; /* no -0.000 */
        set_add(&words, rounded ? sxt_printf("%.3f", x)
                                : sxt_printf("%.*s", (int)word.len, word.data));
    }
    set_close(&words);
    sxt_str_add(&text, "%s", "");
    for (size_t i = 0; i < words.count; i++)
        sxt_str_add(&text, "%s ", words.items[i]);
    set_free(&words);
    if (good)
        return text.data;
    sxt_str_free(&text);
    return NULL;
}

static bool set_of_lines(struct sxt_span text, bool rounded, struct set *set)
{
    struct sxt_span line;

    while (next_filled(&text, &line)) {
        char *item = line_text(line, rounded);
        if (!item)
            return false;
        set_add(set, item);
    }
    set_close(set);
    return true;
}

static bool same_sets(struct sxt_span got, struct sxt_span want, bool rounded)
{
    struct set a = { NULL, 0 }, b = { NULL, 0 };
    bool same = set_of_lines(got, rounded, &a) &&
                set_of_lines(want, rounded, &b) && a.count == b.count;

    for (size_t i = 0; same && i < a.count; i++)
        same = strcmp(a.items[i], b.items[i]) == 0;
    set_free(&a);
    set_free(&b);
    return same;
}

/* A dash at the end of the expected text is cut off. */
static bool same_for_livecodebench(struct sxt_span got, struct sxt_span want)
{
    got = sxt_span_trim(got);
    want = sxt_span_trim(want);
    if (want.len > 0 && want.data[want.len - 1] == '-')
        want = sxt_span_trim((struct sxt_span){ want.data, want.len - 1 });
    return sxt_span_same(got, want);
}

bool sxt_code_upstream_output(const char *dataset, struct sxt_span got,
                              struct sxt_span want)
{
    if (strcmp(dataset, "livecodebench") == 0)
        return same_for_livecodebench(got, want);
    got = sxt_span_trim(got);
    want = sxt_span_trim(want);
    return same_lines(got, want) || close_lines(got, want) ||
           same_sets(got, want, false) || same_sets(got, want, true);
}
