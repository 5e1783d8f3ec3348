/* str.c - strings, spans, distances, UTF-8. */
#include "base/str.h"

#include <stdlib.h>

#include "base/test/tap.h"

static void test_growth(void)
{
    struct sxt_str s = SXT_STR_EMPTY;

    for (int i = 0; i < 1000; i++)
        sxt_str_add(&s, "%03d,", i);
    ok(s.len == 4000 && memcmp(s.data + 3996, "999,", 5) == 0,
       "a string grows and ends with a NUL");
    sxt_str_cut(&s, 3);
    is_text(s.data, "000", "it can be cut");
    sxt_str_add_bytes(&s, "a\0b", 3);
    sxt_str_add_char(&s, 'c');
    ok(s.len == 7 && memcmp(s.data, "000a\0bc", 8) == 0, "it may hold NULs");
    sxt_str_free(&s);
    ok(!s.data && s.len == 0, "freed, it is empty again");
    sxt_str_add_bytes(&s, NULL, 0);
    is_text(s.data, "", "adding nothing makes an empty string");
    sxt_str_free(&s);
}

static const struct {
    const char *in, *needle;
    long first, last;
} places[] = {
    { "abcabc", "bc", 1, 4 }, { "abc", "abc", 0, 0 }, { "abc", "abcd", -1, -1 },
    { "", "a", -1, -1 },      { "aaa", "aa", 0, 1 },  { "xa", "a", 1, 1 },
};

static void test_spans(void)
{
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct sxt_span s = sxt_span(places[i].in);
        ok(sxt_span_find(s, places[i].needle) == places[i].first &&
               sxt_span_find_last(s, places[i].needle) == places[i].last,
           "'%s' in '%s' is at %ld and %ld", places[i].needle, places[i].in,
           places[i].first, places[i].last);
    }
    ok(sxt_span_equal(sxt_span_trim(sxt_span(" \t\r\n\v\fa b ")), "a b"),
       "trim takes white space off both ends");
    ok(sxt_span_trim(sxt_span("  ")).len == 0, "trim may leave nothing");
    ok(!sxt_span_equal(sxt_span("ab"), "abc"), "a prefix is not equal");
    ok(sxt_span_same((struct sxt_span){ "a\0b", 3 },
                     (struct sxt_span){ "a\0b", 3 }) &&
           sxt_span_same(sxt_span(""), (struct sxt_span){ NULL, 0 }) &&
           !sxt_span_same((struct sxt_span){ "a\0b", 3 },
                          (struct sxt_span){ "a\0c", 3 }) &&
           !sxt_span_same(sxt_span("a"), sxt_span("ab")),
       "spans are the same if all their bytes are, a NUL among them");
    ok(sxt_starts_with("abc", "ab") && !sxt_starts_with("ab", "abc") &&
           sxt_ends_with("abc", "bc") && !sxt_ends_with("bc", "abc"),
       "starts_with and ends_with");
}

static const struct {
    const char *a, *b;
    size_t distance;
} pairs[] = {
    { "", "", 0 },
    { "", "abc", 3 },
    { "abc", "", 3 },
    { "abc", "abc", 0 },
    { "kitten", "sitting", 3 },
    { "flaw", "lawn", 2 },
    { "temprature", "temperature", 1 },
};

static void test_distance(void)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        ok(sxt_edit_distance(pairs[i].a, pairs[i].b) == pairs[i].distance,
           "'%s' to '%s' is %zu edits", pairs[i].a, pairs[i].b,
           pairs[i].distance);
}

/* Unicode 15, table 3-7 and section 3.9. */
static const struct {
    const char *what, *bytes;
    bool valid;
} sequences[] = {
    { "ASCII", "abc", true },
    { "two, three, four bytes", "\xC2\x80\xE0\xA0\x80\xF0\x90\x80\x80", true },
    { "the last code point", "\xF4\x8F\xBF\xBF", true },
    { "one behind the last", "\xF4\x90\x80\x80", false },
    { "before the surrogates", "\xED\x9F\xBF", true },
    { "a surrogate", "\xED\xA0\x80", false },
    { "an overlong slash", "\xC0\xAF", false },
    { "an overlong three bytes", "\xE0\x9F\xBF", false },
    { "an overlong four bytes", "\xF0\x8F\xBF\xBF", false },
    { "a lone continuation", "\x80", false },
    { "an unfinished sequence", "\xE2\x82", false },
    { "a broken sequence", "\xE2\x28\xA1", false },
    { "the byte FF", "\xFF", false },
};

int main(void)
{
    test_growth();
    test_spans();
    test_distance();
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
        ok(sxt_utf8_valid(sequences[i].bytes, strlen(sequences[i].bytes)) ==
               sequences[i].valid,
           "UTF-8: %s: %s", sequences[i].what,
           sequences[i].valid ? "valid" : "not valid");
    return done_testing();
}
