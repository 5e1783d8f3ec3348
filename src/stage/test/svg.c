/* svg.c - charts of awkward series, and hostile text in pages. */
#include "stage/svg.h"

#include <math.h>
#include <stdlib.h>

#include "base/test/tap.h"

static const struct {
    const char *what, *text, *html;
} texts[] = {
    { "a script", "<script>alert('x')</script>",
      "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" },
    { "an attribute's end", "\" onload=\"x&y", "&quot; onload=&quot;x&amp;y" },
    { "control characters", "a\x01\x1b[31m\x7f\nb", "a[31m\nb" },
    { "letters of two, three, four bytes", "é…𝔸", "é…𝔸" },
    { "a byte that begins nothing",
      "a\xff"
      "b",
      "a\xef\xbf\xbd"
      "b" },
    { "an overlong <", "\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd" },
    { "half a character", "\xe2\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
    { "half a character before a <", "\xe2<b", "\xef\xbf\xbd&lt;b" },
};

static const double nan_ = NAN, inf = INFINITY;

static const struct {
    const char *what;
    double y[5];
    size_t n;
    bool drawn;  /* is there a picture at all */
    size_t dots; /* points without neighbours */
    const char *line;
} series[] = {
    { "no point", { 0 }, 0, false, 0, NULL },
    { "no finite point", { NAN, INFINITY, -INFINITY }, 3, false, 0, NULL },
    { "one point", { 3 }, 1, true, 1, NULL },
    { "zero throughout", { 0, 0, 0 }, 3, true, 0, NULL },
    { "a constant", { 1e-5, 1e-5, 1e-5 }, 3, true, 0, NULL },
    { "a constant but for noise", { 0.1, 0.1 + 2e-17, 0.1 }, 3, true, 0, NULL },
    { "noise on a large number", { 1e16, 1e16 + 2, 1e16 }, 3, true, 0, NULL },
    { "numbers at the end of the range",
      { -1.7e308, 1.7e308 },
      2,
      false,
      0,
      NULL },
    { "numbers near zero", { 5e-324, 0, 1e-310 }, 3, true, 0, NULL },
    { "gaps", { 1, NAN, 2, 3, NAN }, 5, true, 1, NULL },
    { "a jump", { 1, 2, INFINITY, 3, 4 }, 5, true, 0, NULL },
    /* 60 … 466 is 1 … 5, and 182 … 10 is 0 … 10 */
    { "a straight line",
      { 0, 2.5, 5, 7.5, 10 },
      5,
      true,
      0,
      "d=\"M60.0 182.0L161.5 139.0L263.0 96.0L364.5 53.0L466.0 10.0\"" },
};

static size_t count(const char *text, const char *part)
{
    size_t n = 0;

    for (; text && (text = strstr(text, part)) != NULL; text += strlen(part))
        n++;
    return n;
}

static void test_text(void)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct sxt_str s = SXT_STR_EMPTY;
        sxt_html_escape(&s, texts[i].text, strlen(texts[i].text));
        is_text(s.data, texts[i].html, texts[i].what);
        sxt_str_free(&s);
    }
}

static void test_lines(void)
{
    static const double x[5] = { 1, 2, 3, 4, 5 };
    static const struct sxt_chart chart = { "T", "step", "", false };

    for (size_t i = 0; i < sizeof(series) / sizeof(*series); i++) {
        struct sxt_str s = SXT_STR_EMPTY;
        sxt_svg_line(&s, &chart, x, series[i].y, series[i].n);
        ok((s.len > 0) == series[i].drawn, "%s: %s", series[i].what,
           series[i].drawn ? "a picture" : "no picture");
        ok(count(s.data, "<circle") == series[i].dots, "  dots where alone");
        ok(!s.data || (!strstr(s.data, "nan") && !strstr(s.data, "inf")),
           "  every coordinate is a number");
        ok(count(s.data, "class=\"grid\"") <= 12, "  few ticks");
        if (series[i].line)
            ok(strstr(s.data, series[i].line) != NULL,
               "  every point is where it belongs");
        sxt_str_free(&s);
    }
}

/* A line from 0 to 99 with a spike of 50 in its middle. */
static void test_many(void)
{
    static const struct sxt_chart chart = { "T", "step", "", false };
    struct sxt_str s = SXT_STR_EMPTY;
    double x[100], y[100];

    for (size_t i = 0; i < 100; i++) {
        x[i] = (double)i;
        y[i] = i == 50 ? 100 : (double)i;
    }
    sxt_svg_line(&s, &chart, x, y, 100);
    const char *raw = strstr(s.data, "class=\"raw\" d=\"");
    const char *line = strstr(s.data, "class=\"line\" d=\"");
    ok(raw && line && raw < line, "many points are pale, their mean is over");
    /* the ends are points; (48 + 49 + 100 + 51 + 52) / 5 = 60 in the middle */
    ok(line && strstr(line, "d=\"M60.0 182.0") && strstr(line, "L461.9 11.7") &&
           strstr(line, "L263.0 78.8") && !strstr(line, "L263.0 10.0") &&
           strstr(raw, "L263.0 10.0"),
       "  which goes through the ends and is the mean of five between");
    sxt_str_free(&s);
}

static void test_histogram(void)
{
    static const double whole[] = { 3, 4, 4, 7, 7, 7 };
    static const struct sxt_chart chart = { "T", "tokens", "", false };
    static const bool marked[] = { false, true, false, true, true, false };
    const double odd[] = { nan_, inf, 5 };
    struct sxt_str s = SXT_STR_EMPTY;

    sxt_svg_histogram(&s, &chart, whole, NULL, 6, 40);
    ok(count(s.data, "<rect") == 3, "a bar for each number that is there");
    /* counts 1, 2, 3 of an axis to 3, which is 172 high */
    ok(strstr(s.data, "height=\"57.3\"") &&
           strstr(s.data, "height=\"114.7\"") &&
           strstr(s.data, "height=\"172.0\""),
       "as high as it is frequent");
    sxt_str_cut(&s, 0);
    sxt_svg_histogram(&s, &chart, whole, NULL, 0, 40);
    ok(s.len == 0, "no picture of nothing");
    sxt_svg_histogram(&s, &chart, whole, marked, 6, 40);
    ok(count(s.data, "class=\"pale\"") == 3 &&
           count(s.data, "class=\"bar\"") == 2 &&
           count(s.data, "height=\"172.0\"") == 1 &&
           count(s.data, "height=\"114.7\"") == 2,
       "the dark part of a bar is what is marked");
    sxt_str_cut(&s, 0);
    sxt_svg_histogram(&s, &chart, odd, NULL, 3, 40);
    ok(count(s.data, "<rect") == 1 && !strstr(s.data, "nan"),
       "what is no number is left out");
    sxt_str_cut(&s, 0);
    double wide[1000];
    for (size_t i = 0; i < 1000; i++)
        wide[i] = (double)i * 16;
    sxt_svg_histogram(&s, &chart, wide, NULL, 1000, 40);
    size_t bars = count(s.data, "<rect");
    ok(bars > 20 && bars <= 41, "about as many bins as asked for: %zu", bars);
    sxt_str_free(&s);
}

static void test_bars(void)
{
    char name[] = "<b>";
    const struct sxt_bar bars[] = { { name, NAN, false, "x", 0.5 },
                                    { name, -1, false, "y", 0 },
                                    { name, 2, true, "&", NAN } };
    static const struct sxt_chart chart = { "\"T\"", "", "", false };
    struct sxt_str s = SXT_STR_EMPTY;

    sxt_svg_bars(&s, &chart, bars, 3);
    ok(count(s.data, "width=\"0.0\"") == 2 && !strstr(s.data, "nan"),
       "no bar for what is no share");
    ok(count(s.data, "width=\"190.0\"") == 4, "no bar is longer than its room");
    ok(!strstr(s.data, "<b>") && strstr(s.data, "&lt;b&gt;") &&
           strstr(s.data, "aria-label=\"&quot;T&quot;\""),
       "names and titles are escaped");
    ok(count(s.data, "class=\"mark\"") == 1 &&
           strstr(s.data, "x1=\"255.0\" x2=\"255.0\""),
       "a mark is where it belongs");
    sxt_str_free(&s);
}

int main(void)
{
    test_text();
    test_lines();
    test_many();
    test_histogram();
    test_bars();
    return done_testing();
}
