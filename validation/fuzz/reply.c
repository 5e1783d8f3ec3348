/* reply.c - fuzz target: what comes back from a jail.
 *
 * The sandbox is replaced (ld --wrap) by one that "runs" a program by handing
 * back the fuzzer's bytes, so that everything that reads a hostile program's
 * words is fuzzed: lines of the judge, typed values, outputs, last words.
 *
 * Input: LETTERS NUL TESTS NUL LINES NUL OUTPUT NUL COMPLAINTS; the letters say
 * which tests (own ones if TESTS is empty), how the programs end, and 'u' for
 * the upstream profile. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "fuzz.h"
#include "sbx/sandbox.h"
#include "task/codetest.h"

static const char *const inputs[] = { "@k@z@z\1\1@l\1@o\1@o",
                                      "@k@z@z\1@t\1@l\1@o\1@o",
                                      "@k@z@zu\1@t\1@l\1@o\1@o", NULL };
static const char *const kinds[] = { "a", "b", "c", NULL };
static const char *const ends[] = { "0", "0", "0", "1", "2", "3",
                                    "4", "5", "6", "7", NULL };
static const char *const lines[] = { "@w\n", "@w\n@l", "@v\n", "@v\n@l",
                                     "@v",   "\n",     NULL };
static const char *const words[] = {
    "[0, \"pass\", \"\"]", "[1, \"pass\", \"\"]", "[@n, \"pass\", \"\"]",
    "[0, \"wrong\", @s]",  "[0, \"raised\", @s]", "[-1, \"gone\", \"\"]",
    "[@n, \"unfit\", @s]", "[@v, @v, @v]",        NULL
};
static const char *const values[] = { "@n",
                                      "null",
                                      "true",
                                      "@s",
                                      "[@v]",
                                      "[@v, @v]",
                                      "{\"int\": \"0x1F\"}",
                                      "{\"int\": \"-0x7fffffffffffffff\"}",
                                      "{\"int\": @s}",
                                      "{\"float\": @s}",
                                      "{\"float\": \"0x1.8p+1\"}",
                                      "{\"float\": \"nan\"}",
                                      "{\"float\": \"inf\"}",
                                      "{\"tuple\": [@v, @v]}",
                                      "{\"dict\": [[@v, @v], [@v, @v]]}",
                                      "{\"set\": [@v]}",
                                      "{\"ref\": @n}",
                                      "{@s: @v}",
                                      "{\"bytes\": \"00\"}",
                                      NULL };
static const char *const numbers[] = {
    "0",   "1",          "-1",
    "7",   "9",          "1e400",
    "2",   "4294967296", "9223372036854775807",
    "1.5", NULL
};
static const char *const texts[] = {
    "\"\"",         "\"a\"",     "\"MemoryError: \"", "\"\\u0000\"", "\"0x\"",
    "\"\xC3\xA9\"", "\"tuple\"", "\"0x1p9999\"",      NULL
};
static const char *const outputs[] = {
    "9\n", "9",   "9 8\n7\n",       "9.0", "@n @o", "MemoryError\n", "@o\n@o",
    " ",   "nan", "ValueError: @n", NULL
};
static const char *const tests[] = {
    "{\"kind\": \"stdin\", \"inputs\": [@s], \"outputs\": [@s]}",
    "{\"kind\": \"call\", \"fn_name\": @s, \"inputs\": [[@v]], \"outputs\": "
    "[@v], \"tolerance\": 0.1}",
    "{\"kind\": \"call\", \"fn_name\": \"f\", \"inputs\": [[]], \"outputs\": "
    "[{@s: @v, @s: [@v]}]}",
    "{\"kind\": \"stdin\", \"inputs\": [\"\", \"\"], \"outputs\": [\"9\", "
    "\"@o\"], \"form\": \"@f\", \"fold_case\": true, \"public\": @n, "
    "\"upstream\": \"@u\"}",
    "{\"kind\": \"call\", \"fn_name\": \"f\", \"inputs\": [[{\"1\": 2}]], "
    "\"outputs\": [[@v]], \"wrapped\": true, \"int_keys\": true}",
    "{\"kind\": \"assert\", \"entry\": @s, \"tests\": [@s, @s]}",
    "{\"kind\": \"assert\", \"tests\": @v, \"cpu_s\": @n, \"memory_mb\": @n}",
    NULL
};

static const char *const forms[] = { "lines", "filled", "words", NULL };
static const char *const upstreams[] = { "apps", "taco", "livecodebench",
                                         NULL };

const struct fuzz_grammar fuzz_grammar = {
    .rules = { ['i' - 'a'] = inputs,
               ['k' - 'a'] = kinds,
               ['z' - 'a'] = ends,
               ['l' - 'a'] = lines,
               ['w' - 'a'] = words,
               ['v' - 'a'] = values,
               ['n' - 'a'] = numbers,
               ['s' - 'a'] = texts,
               ['o' - 'a'] = outputs,
               ['t' - 'a'] = tests,
               ['f' - 'a'] = forms,
               ['u' - 'a'] = upstreams },
    .start = "@i",
};

/* ---- the sandbox ---- */

static struct {
    struct sxt_span letters, lines, output, complaints;
} reply;

static void answer(char letter, struct sxt_result *res)
{
    *res = (struct sxt_result){ .status = SXT_RUN_EXITED, .cpu_s = 0.5 };
    if (letter > '0' && letter <= '7') {
        res->status = (enum sxt_run_status)(letter - '0');
        res->code = 9;
        strcpy(res->trouble, res->status == SXT_RUN_ERROR ? "jail" : "");
    } else if (letter != '0') {
        res->code = letter;
    }
    sxt_str_add_bytes(&res->channel, reply.lines.data, reply.lines.len);
    sxt_str_add_bytes(&res->out, reply.output.data, reply.output.len);
    sxt_str_add_bytes(&res->err, reply.complaints.data, reply.complaints.len);
}

static char letter(size_t i)
{
    return i < reply.letters.len ? reply.letters.data[i] : '0';
}

void __wrap_sxt_sandbox_run(struct sxt_sandbox *sandbox,
                            const struct sxt_job *job,
                            struct sxt_result *result);
void __wrap_sxt_sandbox_run_pair(struct sxt_sandbox *sandbox,
                                 const struct sxt_job jobs[2],
                                 struct sxt_result results[2]);

void __wrap_sxt_sandbox_run(struct sxt_sandbox *sandbox,
                            const struct sxt_job *job,
                            struct sxt_result *result)
{
    (void)sandbox;
    SXT_CHECK(job->program.len > 0 && job->limits.cpu_s > 0);
    answer(letter(1), result);
}

void __wrap_sxt_sandbox_run_pair(struct sxt_sandbox *sandbox,
                                 const struct sxt_job jobs[2],
                                 struct sxt_result results[2])
{
    (void)sandbox;
    SXT_CHECK(jobs[0].program.len > 0 && jobs[1].program.len > 0);
    answer(letter(1), &results[0]);
    answer(letter(2), &results[1]);
}

/* ---- the target ---- */

static const char *own_tests(char kind)
{
    if (kind == 'a')
        return "{\"kind\": \"stdin\", \"inputs\": [\"3\", \"4\"], "
               "\"outputs\": [\"9 8\\n7\\n\", \"9\"], \"tolerance\": 0.001}";
    if (kind == 'b')
        return "{\"kind\": \"call\", \"fn_name\": \"f\", \"inputs\": [[3], "
               "[[]]], \"outputs\": [[1, {\"a\": 2.5}], null]}";
    return "{\"kind\": \"assert\", \"setup\": \"\", \"entry\": \"f\", "
           "\"tests\": [\"assert f(3) == 9\", \"assert f(2) == 4\"]}";
}

static void check_result(const struct sxt_code_result *r, bool upstream)
{
    bool passed = r->verdict == SXT_CODE_PASS;

    SXT_CHECK(r->tests > 0);
    SXT_CHECK(r->tests_passed >= 0 && r->tests_passed <= r->tests_run);
    SXT_CHECK(r->tests_run <= r->tests);
    SXT_CHECK(!passed || r->tests_passed == r->tests);
    /* All the words were there, but the jail says that it failed. */
    SXT_CHECK(passed || r->tests_passed < r->tests ||
              r->verdict == SXT_CODE_SANDBOX_ERROR);
    SXT_CHECK(!passed || r->first_failed == -1);
    /* An index into all tests; upstream leaves public ones out of the count. */
    SXT_CHECK(upstream || r->first_failed < r->tests);
    SXT_CHECK(memchr(r->detail, '\0', sizeof(r->detail)));
    SXT_CHECK(sxt_code_verdict_name(r->verdict)[0]);
    for (const char *c = r->detail; *c; c++)
        SXT_CHECK((unsigned char)*c >= ' ' && *c != 127);
}

/* Reads every byte that a watcher is shown. */
static void look(struct sxt_code_watcher *self, const struct sxt_code_seen *t)
{
    const struct sxt_span spans[] = { t->given, t->want, t->got };
    size_t nuls = 0, bytes = 0;

    (void)self;
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < spans[k].len; i++, bytes++)
            nuls += spans[k].data[i] == '\0';
    SXT_CHECK(nuls <= bytes && t->index >= 0 && t->limits->cpu_s > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sxt_span rest = { (const char *)data, size };
    struct sxt_code_result result;
    struct sxt_error err = { 0 };

    reply.letters = fuzz_part(&rest);
    struct sxt_code_watcher watcher = { look };
    const struct sxt_code_options options = { letter(3) == 'u', -1, &watcher };
    struct sxt_span own = fuzz_part(&rest);
    reply.lines = fuzz_part(&rest);
    reply.output = fuzz_part(&rest);
    reply.complaints = fuzz_part(&rest);
    if (own.len == 0)
        own = sxt_span(own_tests(letter(0)));

    fuzz_start();
    struct sxt_json *list = sxt_json_parse(own.data, own.len, "tests", &err);
    if (list && sxt_code_test(NULL, list, sxt_span("pass"), &options, &result,
                              &err) == 0)
        check_result(&result, options.upstream);
    sxt_json_free(list);
    fuzz_stop(FUZZ_BYTES);
    return 0;
}
