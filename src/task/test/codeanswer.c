/* codeanswer.c - printed texts that are the same, and those that are not. */
#include "task/codeanswer.h"

#include "base/test/tap.h"

static const struct sxt_code_rule lines = { .form = SXT_CODE_LINES };
static const struct sxt_code_rule filled = { .form = SXT_CODE_FILLED };
static const struct sxt_code_rule words = { .form = SXT_CODE_WORDS };
static const struct sxt_code_rule near = { .tolerance = 1e-6 };
static const struct sxt_code_rule letters = { .fold_case = true };
static const struct sxt_code_rule apps = { .upstream = "apps" };
static const struct sxt_code_rule lcb = { .upstream = "livecodebench" };

static const struct {
    const char *what;
    const struct sxt_code_rule *rule;
    const char *got, *want;
    bool same;
} cases[] = {
    { "the same bytes", &lines, "1 2\n3\n", "1 2\n3\n", true },
    { "nothing and nothing", &lines, "", "", true },
    { "nothing and something", &lines, "", "0", false },
    { "blanks at the ends of lines", &lines, "1  \n2\t\n", "1\n2", true },
    { "blanks before lines", &lines, "  1\n2", "1\n2", true },
    { "CRLF", &lines, "1\r\n2\r\n", "1\n2\n", true },
    { "empty lines at both ends", &lines, "\n1\n\n\n", "1", true },
    { "more blanks between words", &lines, "1   2", "1 2", true },
    { "an empty line in between", &lines, "1\n\n2", "1\n2", false },
    { "an empty line where they do not count", &filled, "1\n\n2", "1\n2",
      true },
    { "words in other lines", &filled, "1 2", "1\n2", false },
    { "words in other lines where lines do not count", &words, "1 2\n", "1\n2",
      true },
    { "another order of words", &words, "2 1", "1 2", false },
    { "another order of lines", &lines, "2\n1", "1\n2", false },
    { "a line less", &lines, "1", "1\n2", false },
    { "a line more", &lines, "1\n2\n3", "1\n2", false },
    { "a word joined", &lines, "12", "1 2", false },
    { "letters of another case", &lines, "yes", "YES", false },
    { "letters of another case where it does not count", &letters, "yes", "YES",
      true },
    { "decimals of the same value", &lines, "1.50", "1.5", true },
    { "an integer as a decimal", &lines, "3.0", "3", true },
    { "an exponent", &lines, "15e-1 1E3", "1.5 1000", true },
    { "leading zeros and signs", &lines, "+007 -0", "7 0", true },
    { "a sign", &lines, "-1", "1", false },
    { "decimals that differ in the last place", &lines, "0.333333",
      "0.333333333333", false },
    { "within the tolerance", &near, "0.333333", "0.333333333333", true },
    { "beyond the tolerance", &near, "0.33333", "0.333333333333", false },
    { "relative to large numbers", &near, "1000000.5", "1000000.0", true },
    { "integers exactly, whatever the tolerance", &near, "100000001",
      "100000000", false },
    { "integers of many digits", &lines, "123456789012345678901234567890",
      "123456789012345678901234567891", false },
    { "a fraction where an integer is expected", &near, "2.0000001", "2",
      true },
    { "NaN is only a word", &near, "nan", "nan", true },
    { "NaN is no number", &near, "nan", "1.0", false },
    { "infinity is no number", &near, "inf", "1e999", false },
    { "numbers too large for a double", &near, "1e999", "2e999", false },
    { "the same number too large for a double", &near, "10e998", "1e999",
      true },
    { "the beginning of a number", &near, "12", "123", false },
    { "one part of two numbers", &near, "1.5", "1.5 2", false },
    { "hexadecimal is no number", &near, "0x10", "16", false },
    { "two points are no number", &lines, "1.2.3", "1.2.30", false },
    { "a lone exponent", &lines, "1e", "1", false },
    { "a huge exponent", &lines, "1e999999999", "1e99999999", false },
    { "words are text", &lines, "1.0a", "1.00a", false },
    { "upstream: lines in another order pass", &apps, "NO\nYES", "YES\nNO",
      true },
    { "upstream: repeated lines pass", &apps, "YES\nNO\nYES", "NO\nYES", true },
    { "upstream: words in another order pass", &apps, "2 1", "1 2", true },
    { "upstream: near integers pass", &apps, "100001", "100000", true },
    { "upstream: three decimals decide", &apps, "a\n1.00049", "a\n1.0", false },
    { "upstream: three decimals decide among numbers", &apps, "5 1.00049",
      "1.0 5", true },
    { "upstream: another number", &apps, "5", "6", false },
    { "upstream: minus zero", &apps, "1 -0.0001", "1 0", true },
    { "upstream: a dash at the end of what is expected", &lcb, "1 2", "1 2\n-",
      true },
    { "upstream: every blank within counts", &lcb, "1 \n2", "1\n2", false },
};

/* Values as codec.py writes them, against what a data set says. */
static const struct {
    const char *what, *got, *want;
    bool same;
} values[] = {
    { "an int", "7", "7", true },
    { "another int", "7", "8", false },
    { "bool is no int", "true", "1", false },
    { "a float for an int", "{\"float\":\"0x1p+1\"}", "2", true },
    { "an int for a float", "2", "2.0", true },
    { "a float nearby", "{\"float\":\"0x1.0000000000001p+1\"}", "2.0", true },
    { "a tuple for a list", "{\"tuple\":[1,2]}", "[1,2]", true },
    { "a set is no list", "{\"set\":[1,2]}", "[1,2]", false },
    { "keys as text", "{\"dict\":[[1,2]]}", "{\"1\":2}", true },
    { "1 and '1' are two keys", "{\"dict\":[[1,2],[\"1\",2]]}",
      "{\"1\":2,\"3\":2}", false },
    { "an int of 64 bits", "{\"int\":\"0x7fffffffffffffff\"}",
      "9223372036854775807", true },
    { "an int beyond 64 bits", "{\"int\":\"0x18ee90ff6c373e0ee4e3f0ad2\"}",
      "123456789012345678901234567890", true },
    { "one more", "{\"int\":\"0x18ee90ff6c373e0ee4e3f0ad3\"}",
      "123456789012345678901234567890", false },
    { "a negative one", "{\"int\":\"-0x10000000000000000\"}",
      "-18446744073709551616", true },
    { "a small int for it", "5", "18446744073709551616", false },
    { "infinity", "{\"float\":\"inf\"}", "Infinity", true },
    { "minus infinity", "{\"float\":\"-inf\"}", "Infinity", false },
    { "NaN equals nothing", "{\"float\":\"nan\"}", "NaN", false },
    { "no answer is no None", "", "null", false },
};

static void test_values(void)
{
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        struct sxt_span g = sxt_span(values[i].got);
        struct sxt_span w = sxt_span(values[i].want);
        struct sxt_json *got = sxt_json_parse(g.data, g.len, "got", NULL);
        struct sxt_json *want = sxt_json_parse(w.data, w.len, "want", NULL);
        ok(sxt_code_same_value(got, want, 1e-9) == values[i].same, "%s: %s",
           values[i].what, values[i].same ? "same" : "different");
        sxt_json_free(got);
        sxt_json_free(want);
    }
}

int main(void)
{
    test_values();
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        ok(sxt_code_same_output(sxt_span(cases[i].got), sxt_span(cases[i].want),
                                cases[i].rule) == cases[i].same,
           "%s: %s", cases[i].what, cases[i].same ? "same" : "different");
    return done_testing();
}
