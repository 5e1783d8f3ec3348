/* json.c - JSON values and files of them, hostile ones included. */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/file.h"
#include "base/test/tap.h"

/* What is printed is what was read. */
static const char *const round_trips[] = {
    "{\"\xEF\xB7\x90"
    "7\":1}", /* the mark of jsonbig.h in a key alone */
    "null",
    "true",
    "-9223372036854775808",
    "0.5",
    "\"a\\u0000b\\\"\xC3\xA9\"",
    "[1,[],{}]",
    "{\"b\":1,\"a\":[null,false]}",
    "9223372036854775807",
    "9223372036854775808",
    "[-9223372036854775809,1e999,NaN,-Infinity,\"9223372036854775808\"]",
    "{\"Infinity\":[Infinity,\"1e999\\\"NaN\"]}",
    "\"\xEF\xB7\x90x\"",
};

static const struct {
    const char *what, *text, *err;
} bad[] = {
    { "nothing", "", "t:1:0:" },
    { "a word", "nul", "t:1:3:" },
    { "two values", "1 2", "t:1:3:" },
    { "a duplicate key", "{\"a\":1,\n\"a\":2}", "t:2:3:" },
    { "bad UTF-8", "\"\xFF\"", "t:1:1:" },
    { "a control character", "\"\x01\"", "t:1:" },
    { "no end", "[1,", "t:1:3:" },
    { "a large number with a leading zero", "[1e999,09223372036854775808]",
      "t:1:" },
    { "a large number and no end", "[9223372036854775808,", "t:1:" },
    { "half of a name", "[1e999,Infinit]", "t:1:" },
    { "a large number as a key", "{NaN: false}", "t:1:" },
};

static void test_large_numbers(void)
{
    static const char text[] = "[123456789012345678901234567890,NaN,1e400]";
    struct sxt_json *v = sxt_json_parse(text, strlen(text), "t", NULL);
    const struct sxt_json *n = sxt_json_item(v, 0);

    ok(sxt_json_type(n) == SXT_JSON_BIG &&
           sxt_span_equal(sxt_json_big(n), "123456789012345678901234567890") &&
           sxt_json_number(n, 0) == 123456789012345678901234567890.0,
       "an integer beyond 64 bits keeps its digits");
    ok(!sxt_json_string(n, NULL) && !sxt_json_text(n).data &&
           sxt_json_int(n, -1) == -1,
       "... and is neither text nor int64_t");
    ok(isnan(sxt_json_number(sxt_json_item(v, 1), 0)) &&
           isinf(sxt_json_number(sxt_json_item(v, 2), 0)),
       "NaN and what is beyond a double are numbers");
    sxt_json_free(v);
}

/* Found by the fuzzer: a string can begin with the mark of large numbers. */
static void test_mark(void)
{
    static const char mark[] = "\xEF\xB7\x90"
                               "7",
                      text[] = "{\"\xEF\xB7\x90"
                               "7\":[\"\\uFdd07\",1e999,"
                               "\"\xEF\xB7\x90"
                               "7\"]}",
                      plain[] = "[\"\\ufdd07\"]";
    struct sxt_str out = SXT_STR_EMPTY;
    struct sxt_json *v = sxt_json_parse(text, strlen(text), "t", NULL);
    const struct sxt_json *list = sxt_json_get(v, mark);

    ok(sxt_span_equal(sxt_json_text(sxt_json_item(list, 0)), mark) &&
           sxt_span_equal(sxt_json_text(sxt_json_item(list, 2)), mark) &&
           sxt_json_type(sxt_json_item(list, 1)) == SXT_JSON_BIG,
       "a string cannot pose as a large number, a name is left alone");
    sxt_json_print(v, 0, &out);
    is_text(out.data,
            "{\"\xEF\xB7\x90"
            "7\":[\"\xEF\xB7\x90"
            "7\",1e999,"
            "\"\xEF\xB7\x90"
            "7\"]}",
            "... and all are written as they were");
    sxt_json_free(v);
    v = sxt_json_parse(plain, strlen(plain), "t", NULL);
    is_text(sxt_json_string(sxt_json_item(v, 0), ""), mark,
            "... nor where no number is large");
    sxt_json_free(v);
    v = sxt_json_new_text(mark, strlen(mark));
    out.len = 0;
    sxt_json_print(v, 0, &out);
    is_text(out.data,
            "\"\xEF\xB7\x90"
            "7\"",
            "a new text neither");
    sxt_json_free(v);
    sxt_str_free(&out);
}

static void test_values(void)
{
    struct sxt_error err = { 0 };

    for (size_t i = 0; i < sizeof(round_trips) / sizeof(round_trips[0]); i++) {
        struct sxt_str out = SXT_STR_EMPTY;
        struct sxt_json *v =
            sxt_json_parse(round_trips[i], strlen(round_trips[i]), "t", &err);
        sxt_json_print(v, 0, &out);
        is_text(out.data, round_trips[i], "a value comes back as it was");
        sxt_str_free(&out);
        sxt_json_free(v);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        err = (struct sxt_error){ 0 };
        struct sxt_json *v =
            sxt_json_parse(bad[i].text, strlen(bad[i].text), "t", &err);
        ok(!v && err.code == SXT_EXIT_DATA &&
               strncmp(err.text, bad[i].err, strlen(bad[i].err)) == 0,
           "%s is an error: %s", bad[i].what, err.text);
    }
    enum { DEEP = 100000 };
    static char deep[DEEP];
    memset(deep, '[', sizeof(deep));
    ok(!sxt_json_parse(deep, sizeof(deep), "t", &err), "too deep: %s",
       err.text);
}

static void test_access(void)
{
    static const char text[] =
        "{\"s\":\"a\\u0000b\",\"i\":7,\"r\":1.5,\"t\":true,\"l\":[1,2]}";
    struct sxt_json *v = sxt_json_parse(text, strlen(text), "t", NULL);
    struct sxt_span s = sxt_json_text(sxt_json_get(v, "s"));
    const struct sxt_json *i = sxt_json_get(v, "i");
    const char *key = NULL;

    ok(s.len == 3 && memcmp(s.data, "a\0b", 3) == 0, "a text may hold a NUL");
    ok(sxt_json_int(i, 0) == 7 && sxt_json_number(i, 0) == 7 &&
           sxt_json_number(sxt_json_get(v, "r"), 0) == 1.5 &&
           sxt_json_bool(sxt_json_get(v, "t"), false),
       "numbers and truth come out");
    ok(sxt_json_int(sxt_json_get(v, "r"), -1) == -1 &&
           sxt_json_int(sxt_json_get(v, "s"), -1) == -1 &&
           strcmp(sxt_json_string(i, "x"), "x") == 0 &&
           !sxt_json_text(i).data && !sxt_json_bool(i, false),
       "of another type it is the other value");
    ok(sxt_json_count(v) == 5 && sxt_json_count(sxt_json_get(v, "l")) == 2 &&
           sxt_json_int(sxt_json_item(sxt_json_get(v, "l"), 1), 0) == 2 &&
           !sxt_json_item(sxt_json_get(v, "l"), 2),
       "arrays have items");
    for (int k = 0; k < 3; k++)
        sxt_json_next(v, &key);
    is_text(key, "r", "members come in file order");
    ok(sxt_json_type(NULL) == SXT_JSON_NULL && sxt_json_count(NULL) == 0 &&
           !sxt_json_get(NULL, "a") && !sxt_json_item(NULL, 0) &&
           sxt_json_int(NULL, 3) == 3,
       "of nothing comes nothing");
    sxt_json_free(v);
    sxt_json_free(NULL);
}

static void test_making(void)
{
    struct sxt_json *v = sxt_json_object(), *list = sxt_json_array();
    struct sxt_str out = SXT_STR_EMPTY;

    sxt_json_append(list, sxt_json_new_int(-3));
    sxt_json_append(list, sxt_json_new_number(0.1));
    sxt_json_append(list, sxt_json_new_number(NAN));
    sxt_json_append(list, sxt_json_new_bool(true));
    sxt_json_set(v, "l", list);
    sxt_json_set(v, "t", sxt_json_new_text("a\xE2\x82z\xFF", 5));
    sxt_json_print(v, 0, &out);
    is_text(out.data,
            "{\"l\":[-3,0.10000000000000001,null,true],"
            "\"t\":\"a\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBD\"}",
            "values are made; bytes that are no UTF-8 are replaced");
    sxt_str_free(&out);
    sxt_json_free(v);
}

enum { LIMIT = 1000000 }; /* failed lines: a reader that does not end */

/* The sum of all integers in a file of values, the number of failed lines and
 * the last line seen. */
struct reading {
    uint64_t sum; /* damage may make it wrap */
    size_t failed, line;
    struct sxt_error err;
};

static struct reading read_all(const char *path)
{
    struct reading r = { 0 };
    struct sxt_jsonl *in = sxt_jsonl_open(path, &r.err);
    struct sxt_json *v;
    int rc;

    if (!in) {
        r.failed = 1;
        return r;
    }
    while ((rc = sxt_jsonl_next(in, &v, &r.line, &r.err)) != 0 &&
           r.failed < LIMIT) {
        r.failed += rc < 0;
        if (rc > 0) {
            r.sum += (uint64_t)sxt_json_int(v, 0);
            sxt_json_free(v);
        }
    }
    sxt_jsonl_close(in);
    return r;
}

/* Texts hold NULs, so they have a length; line is that of the last value. */
#define TEXT(t) t, sizeof(t) - 1
static const struct {
    const char *what, *text;
    size_t n;
    uint64_t sum;
    size_t failed, line;
} files[] = {
    { "nothing", TEXT(""), 0, 0, 0 },
    { "lines", TEXT("1\n20\n300\n"), 321, 0, 3 },
    { "a last line without its end", TEXT("1\n20"), 21, 0, 2 },
    { "blank lines and carriage returns", TEXT("\r\n1\r\n \n20\r\n\n"), 21, 0,
      4 },
    { "a byte order mark",
      TEXT("\xEF\xBB\xBF"
           "1\n2\n"),
      3, 0, 2 },
    { "a bad line between good ones", TEXT("1\n{\n20\n"), 21, 1, 3 },
    { "a NUL in a line",
      TEXT("1\n2\0"
           "2\n20\n"),
      21, 1, 3 },
    { "a NUL at the beginning", TEXT("\0\n1\n"), 1, 1, 2 },
    { "one array", TEXT(" \n[1, 20,\n300]\n"), 321, 0, 3 },
    { "an empty array", TEXT("[]"), 0, 0, 0 },
    { "an array behind a byte order mark",
      TEXT("\xEF\xBB\xBF"
           "[1, 20]"),
      21, 0, 2 },
};

#ifdef HAVE_ZSTD
static void write_zstd(const char *path, const char *text, size_t n)
{
    char packed[1000];
    size_t len = ZSTD_compress(packed, sizeof(packed), text, n, 3);

    ok(!ZSTD_isError(len) && sxt_file_write(path, packed, len, NULL) == 0,
       "%zu bytes are packed", n);
}
#endif

static void test_files(const char *dir)
{
    char *path = sxt_path_join(dir, "f"), *gz = sxt_path_join(dir, "f.gz");
    struct sxt_error err = { 0 };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        gzFile z = gzopen(gz, "wb");
        gzwrite(z, files[i].text, (unsigned)files[i].n);
        gzclose(z);
        sxt_file_write(path, files[i].text, files[i].n, &err);
        for (int zipped = 0; zipped < 2; zipped++) {
            struct reading r = read_all(zipped ? gz : path);
            ok(r.sum == files[i].sum && r.failed == files[i].failed &&
                   r.line == files[i].line,
               "%s%s (sum %llu, %zu failed, line %zu)", files[i].what,
               zipped ? ", compressed" : "", (unsigned long long)r.sum,
               r.failed, r.line);
        }
#ifdef HAVE_ZSTD
        write_zstd(path, files[i].text, files[i].n);
        struct reading r = read_all(path);
        ok(r.sum == files[i].sum && r.failed == files[i].failed &&
               r.line == files[i].line,
           "%s, as Zstandard", files[i].what);
#endif
    }
    free(path);
    free(gz);
}

static void test_long_line(const char *dir)
{
    enum { LONG = 300000 };
    char *path = sxt_path_join(dir, "f");
    struct sxt_str text = SXT_STR_EMPTY;
    struct sxt_error err = { 0 };

    for (int i = 0; i < LONG; i++)
        sxt_str_add_char(&text, ' ');
    sxt_str_add(&text, "41\n1\n");
    sxt_file_write(path, text.data, text.len, &err);
    struct reading r = read_all(path);
    ok(r.sum == 42 && r.line == 2, "a line of %d bytes is read", LONG);
    sxt_str_free(&text);
    free(path);
}

static void test_damage(const char *dir)
{
    char *path = sxt_path_join(dir, "f"), *gz = sxt_path_join(dir, "f.gz");
    struct sxt_str text = SXT_STR_EMPTY;
    struct sxt_error err = { 0 };

    gzFile z = gzopen(gz, "wb");
    for (int i = 0; i < 100000; i++)
        gzprintf(z, "%d\n", i * 7919 % 100003);
    gzclose(z);
    sxt_file_read(gz, &text, &err);
    sxt_file_write(path, text.data, text.len / 2, &err);
    struct reading r = read_all(path);
    ok(r.failed == 1 && r.line > 10000,
       "half of a compressed file is lines and one error: %s", r.err.text);
    text.data[text.len / 2] ^= 0x55;
    sxt_file_write(path, text.data, text.len, &err);
    r = read_all(path);
    ok(r.failed > 0 && r.failed < LIMIT, "a damaged one fails and ends: %s",
       r.err.text);
    r = read_all(dir);
    ok(r.failed > 0 && r.err.code == SXT_EXIT_NOINPUT,
       "a directory as well: %s", r.err.text);
    sxt_file_remove(path, &err);
    sxt_file_remove(gz, &err);
    r = read_all(path);
    ok(r.failed > 0 && r.err.code == SXT_EXIT_NOINPUT,
       "an absent one as well: %s", r.err.text);
    sxt_str_free(&text);
    free(path);
    free(gz);
}

int main(void)
{
    char dir[] = "json-XXXXXX";

    test_values();
    test_large_numbers();
    test_mark();
    test_access();
    test_making();
    if (mkdtemp(dir)) {
        test_files(dir);
        test_long_line(dir);
        test_damage(dir);
        rmdir(dir);
    }
    return done_testing();
}
