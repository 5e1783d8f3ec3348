/* json.c - fuzz target: JSON values, and lines of them.
 *
 * Input: one value; then the same bytes as a file of lines. */
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "fuzz.h"

static const char *const values[] = { "null", "true",     "false",
                                      "@n",   "@s",       "[@v, @v]",
                                      "[@v]", "{@s: @v}", "{@s: @v, @s: @v}",
                                      "[]",   "{}",       NULL };
static const char *const numbers[] = { "0",
                                       "-0",
                                       "1",
                                       "-12",
                                       "1.5",
                                       "1e9",
                                       "1E-400",
                                       "1e400",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "01",
                                       "1.",
                                       "9223372036854775808",
                                       "0.1e",
                                       NULL };
static const char *const texts[] = { "\"\"",
                                     "\"a\"",
                                     "\"id\"",
                                     "\"\\u0000\"",
                                     "\"\\ud83d\\ude00\"",
                                     "\"\\ud83d\"",
                                     "\"\\n\\t\\\\\\/\"",
                                     "\"\xC3\xA9\"",
                                     "\"\xFF\"",
                                     "\"\\x\"",
                                     "\"",
                                     NULL };
static const char *const lines[] = {
    "@v\n", "@v\n@l", "@v\r\n\n@l", "@v", "\xEF\xBB\xBF@v\n@l", "\n", NULL
};
static const char *const pieces[] = {
    "[", "]",  "{",  "}",   ",",   ":",  "\\",
    " ", "\t", "\n", "nul", "NaN", "//", NULL
};

const struct fuzz_grammar fuzz_grammar = {
    .rules = { ['v' - 'a'] = values,
               ['n' - 'a'] = numbers,
               ['s' - 'a'] = texts,
               ['l' - 'a'] = lines,
               ['t' - 'a'] = pieces },
    .start = "@l",
};

/* Every look at a value is safe, and both ways through an object agree. */
static size_t walk(const struct sxt_json *v)
{
    size_t seen = 1, n = sxt_json_count(v);
    const char *key = NULL;

    SXT_CHECK(!sxt_json_item(v, n));
    struct sxt_span text = sxt_json_text(v);
    SXT_CHECK(!text.data || sxt_utf8_valid(text.data, text.len));
    for (size_t i = 0; i < n; i++) {
        if (sxt_json_type(v) == SXT_JSON_OBJECT) {
            const struct sxt_json *child = sxt_json_next(v, &key);
            SXT_CHECK(child == sxt_json_get(v, key));
            seen += walk(child);
        } else {
            seen += walk(sxt_json_item(v, i));
        }
    }
    if (sxt_json_type(v) == SXT_JSON_OBJECT)
        SXT_CHECK(!sxt_json_next(v, &key));
    return seen;
}

/* What was read and written is read as the same. */
static void check_value(struct sxt_span s)
{
    struct sxt_error err = { 0 };
    struct sxt_str once = SXT_STR_EMPTY, twice = SXT_STR_EMPTY;
    struct sxt_json *v = sxt_json_parse(s.data, s.len, "value", &err);

    SXT_CHECK((v != NULL) == (err.code == 0));
    if (!v)
        return;
    SXT_CHECK(walk(v) <= s.len);
    sxt_json_print(v, 0, &once);
    sxt_json_free(v);
    SXT_CHECK(!memchr(once.data, '\n', once.len));
    v = sxt_json_parse(once.data, once.len, "again", &err);
    SXT_CHECK(v);
    sxt_json_print(v, 0, &twice);
    SXT_CHECK(once.len == twice.len &&
              memcmp(once.data, twice.data, once.len) == 0);
    sxt_json_free(v);
    sxt_str_free(&once);
    sxt_str_free(&twice);
}

/* A reader that skips what is broken comes to the end, and never back. */
static void check_lines(struct sxt_span s)
{
    struct sxt_error err = { 0 };
    struct sxt_json *v;
    size_t line = 0, before = 0, calls = 0;
    char path[32];
    int fd, rc;
    struct sxt_jsonl *in = sxt_jsonl_open(fuzz_file(s, &fd, path), &err);

    while (in && (rc = sxt_jsonl_next(in, &v, &line, &err)) != 0) {
        SXT_CHECK(++calls <= 10 * s.len + 2);
        if (rc < 0)
            continue;
        SXT_CHECK(line > before);
        before = line;
        walk(v);
        sxt_json_free(v);
    }
    sxt_jsonl_close(in);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A packed file names how far its unpacker looks back: as far as zstd's
     * own program allows. */
    const size_t window = (size_t)128 << 20;
    struct sxt_span s = { (const char *)data, size };

    fuzz_start();
    check_value(s);
    check_lines(s);
    fuzz_stop(FUZZ_BYTES + window);
    return 0;
}
