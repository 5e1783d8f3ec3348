/* codedata.c - published problems: their solutions pass, and labelled programs
 * of a model get the verdict that their own judge gave. */
#include "task/codetest.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/test/tap.h"

/* Judge one solution; returns whether it passes. */
static bool passes(struct sxt_sandbox *sandbox, const struct sxt_str *tests,
                   struct sxt_span program, const char *name)
{
    struct sxt_error err = { 0 };
    struct sxt_code_result r = { 0 };
    struct sxt_json *t = sxt_json_parse(tests->data, tests->len, name, &err);

    if (!t ||
        sxt_code_test(sandbox, t, program, &sxt_code_strict, &r, &err) != 0 ||
        r.verdict != SXT_CODE_PASS) {
        printf("# %s: %s %d/%d %s%s\n", name, sxt_code_verdict_name(r.verdict),
               r.tests_passed, r.tests, r.detail, err.text);
        sxt_json_free(t);
        return false;
    }
    sxt_json_free(t);
    return true;
}

static void add_text(struct sxt_str *out, struct sxt_span a, const char *b,
                     const char *c, const char *d)
{
    struct sxt_str text = SXT_STR_EMPTY;
    struct sxt_json *v;

    sxt_str_add_bytes(&text, a.data, a.len);
    sxt_str_add(&text, "%s%s%s", b, c, d);
    v = sxt_json_new_text(text.data, text.len);
    sxt_json_print(v, 0, out);
    sxt_json_free(v);
    sxt_str_free(&text);
}

static bool humaneval(struct sxt_sandbox *sandbox, const struct sxt_json *p)
{
    struct sxt_str tests = SXT_STR_EMPTY, program = SXT_STR_EMPTY;
    struct sxt_span prompt = sxt_json_text(sxt_json_get(p, "prompt"));
    struct sxt_span body = sxt_json_text(sxt_json_get(p, "canonical_solution"));
    const char *entry = sxt_json_string(sxt_json_get(p, "entry_point"), "");
    bool good;

    sxt_str_add(&tests,
                "{\"kind\":\"assert\",\"entry\":\"%s\",\"setup\":", entry);
    add_text(&tests, prompt, "", "", "");
    sxt_str_add(&tests, ",\"tests\":[");
    add_text(&tests, sxt_json_text(sxt_json_get(p, "test")), "\ncheck(", entry,
             ")\n");
    sxt_str_add(&tests, "]}");
    sxt_str_add_bytes(&program, prompt.data, prompt.len);
    sxt_str_add_bytes(&program, body.data, body.len);
    good =
        passes(sandbox, &tests, (struct sxt_span){ program.data, program.len },
               sxt_json_string(sxt_json_get(p, "task_id"), ""));
    sxt_str_free(&tests);
    sxt_str_free(&program);
    return good;
}

static bool mbpp(struct sxt_sandbox *sandbox, const struct sxt_json *p)
{
    struct sxt_str tests = SXT_STR_EMPTY;
    char name[32];
    bool good;

    snprintf(name, sizeof(name), "MBPP/%d",
             (int)sxt_json_int(sxt_json_get(p, "task_id"), 0));
    sxt_str_add(&tests, "{\"kind\":\"assert\",\"setup\":");
    sxt_json_print(sxt_json_get(p, "test_setup_code"), 0, &tests);
    sxt_str_add(&tests, ",\"tests\":");
    sxt_json_print(sxt_json_get(p, "test_list"), 0, &tests);
    sxt_str_add_char(&tests, '}');
    good =
        passes(sandbox, &tests, sxt_json_text(sxt_json_get(p, "code")), name);
    sxt_str_free(&tests);
    return good;
}

/* Every `stride`-th problem of a file, until the time is up. */
static void test_set(struct sxt_sandbox *sandbox, const char *file,
                     size_t stride, double seconds,
                     bool (*judge)(struct sxt_sandbox *,
                                   const struct sxt_json *))
{
    char *path = sxt_path_join(getenv("SXT_TEST_DATA"), file);
    struct sxt_error err = { 0 };
    struct sxt_jsonl *in = sxt_jsonl_open(path, &err);
    double start = sxt_clock();
    struct sxt_json *p;
    size_t line, n = 0, good = 0;

    while (in && sxt_jsonl_next(in, &p, &line, &err) == 1) {
        if ((line - 1) % stride == 0 && sxt_clock() - start < seconds) {
            n++;
            good += judge(sandbox, p);
        }
        sxt_json_free(p);
    }
    ok(n > 0 && good == n, "%s: %zu of %zu canonical solutions pass, %.1f s%s",
       file, good, n, sxt_clock() - start, err.text);
    sxt_jsonl_close(in);
    free(path);
}

/* APPS: {"inputs", "outputs", "fn_name"?}; values of calls stand in a list. */
static void apps_tests(const struct sxt_json *io, struct sxt_str *tests)
{
    const struct sxt_json *name = sxt_json_get(io, "fn_name");
    const struct sxt_json *outputs = sxt_json_get(io, "outputs");
    bool wrapped =
        name && sxt_json_type(sxt_json_item(outputs, 0)) == SXT_JSON_ARRAY;

    sxt_str_add(tests,
                "{\"kind\":\"%s\",\"cpu_s\":4,\"fn_name\":\"%s\","
                "\"inputs\":",
                name ? "call" : "stdin", sxt_json_string(name, ""));
    sxt_json_print(sxt_json_get(io, "inputs"), 0, tests);
    sxt_str_add(tests, ",\"outputs\":[");
    for (size_t i = 0; i < sxt_json_count(outputs); i++) {
        const struct sxt_json *v = sxt_json_item(outputs, i);
        sxt_str_add(tests, i > 0 ? "," : "");
        sxt_json_print(wrapped ? sxt_json_item(v, 0) : v, 0, tests);
    }
    sxt_str_add(tests, "]}");
}

/* What a program deserves: the label is true, false or -1 (an exception, or
 * no end). */
static bool agrees(struct sxt_sandbox *sandbox, const struct sxt_json *tests,
                   const struct sxt_json *program, const char *name, size_t i)
{
    const struct sxt_json *label = sxt_json_get(program, "result");
    bool right = sxt_json_bool(label, false);
    struct sxt_code_result r = { 0 };
    struct sxt_error err = { 0 };

    if (sxt_code_test(sandbox, tests,
                      sxt_json_text(sxt_json_get(program, "code")),
                      &sxt_code_strict, &r, &err) == 0 &&
        (r.verdict == SXT_CODE_PASS) == right)
        return true;
    printf("# APPS %s, program %zu is %s, judged %s: %s%s\n", name, i,
           right ? "right" : "wrong", sxt_code_verdict_name(r.verdict),
           r.detail, err.text);
    return false;
}

struct count {
    size_t n, good;
};

static void apps_problem(struct sxt_sandbox *sandbox, const struct sxt_json *p,
                         size_t solutions, struct count *own,
                         struct count *labelled)
{
    const char *name = sxt_json_string(sxt_json_get(p, "problem_id"), "");
    const struct sxt_json *all = sxt_json_get(p, "solutions");
    const struct sxt_json *programs = sxt_json_get(p, "generated");
    struct sxt_str text = SXT_STR_EMPTY;
    struct sxt_error err = { 0 };

    apps_tests(sxt_json_get(p, "input_output"), &text);
    for (size_t i = 0; i < sxt_json_count(all) && i < solutions; i++) {
        own->n++;
        own->good +=
            passes(sandbox, &text, sxt_json_text(sxt_json_item(all, i)), name);
    }
    struct sxt_json *tests = sxt_json_parse(text.data, text.len, name, &err);
    for (size_t i = 0; i < sxt_json_count(programs); i++) {
        labelled->n++;
        labelled->good +=
            agrees(sandbox, tests, sxt_json_item(programs, i), name, i);
    }
    sxt_json_free(tests);
    sxt_str_free(&text);
}

static void test_apps(struct sxt_sandbox *sandbox, size_t solutions)
{
    char *path = sxt_path_join(getenv("SXT_TEST_DATA"),
                               "apps_samples/apps_train_5.jsonl");
    struct count own = { 0, 0 }, labelled = { 0, 0 };
    struct sxt_error err = { 0 };
    struct sxt_jsonl *in = sxt_jsonl_open(path, &err);
    struct sxt_json *p;
    size_t line;

    while (in && sxt_jsonl_next(in, &p, &line, &err) == 1) {
        apps_problem(sandbox, p, solutions, &own, &labelled);
        sxt_json_free(p);
    }
    /* One solution of problem 2287 returns outside of a function: it runs
     * only inside the wrapper of APPS' own judge. */
    ok(own.n > 0 && own.good + 1 >= own.n, "APPS: %zu of %zu solutions pass%s",
       own.good, own.n, err.text);
    ok(labelled.n > 0 && labelled.good == labelled.n,
       "APPS: %zu of %zu labelled programs of a model are judged alike",
       labelled.good, labelled.n);
    sxt_jsonl_close(in);
    free(path);
}

int main(void)
{
    struct sxt_sandbox_options options = { .python = getenv("PYTHON3") };
    bool all = getenv("SXT_TEST_ALL") != NULL;
    struct sxt_error err = { 0 };
    struct sxt_sandbox *sandbox;

    if (!getenv("SXT_TEST_DATA"))
        return skip_all("SXT_TEST_DATA is not set");
    sandbox = sxt_sandbox_create(&options, &err);
    if (!sandbox)
        return skip_all(err.text);
    test_apps(sandbox, all ? 99 : 3);
    test_set(sandbox, "humaneval/HumanEval.jsonl.gz", 1, all ? 600 : 40,
             humaneval);
    test_set(sandbox, "mbpp/mbpp.jsonl", all ? 1 : 10, all ? 600 : 20, mbpp);
    sxt_sandbox_destroy(sandbox);
    return done_testing();
}
