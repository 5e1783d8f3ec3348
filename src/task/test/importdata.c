/* importdata.c - real data sets give what Python reads in them, and their
 * worked solutions pass the tests made of them; needs $SXT_TEST_DATA. */
#include <stdlib.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "task/codetest.h"
#include "task/import.h"

static const char *source_dir(void)
{
    return getenv("SRCDIR") ? getenv("SRCDIR") : ".";
}

static struct sxt_dataset *load(const char *name, struct sxt_error *err)
{
    static const struct sxt_cfg_section *const known[] = { &sxt_dataset_section,
                                                           NULL };
    char *path = sxt_printf("%s/inputs/datasets/%s.cfg", source_dir(), name);
    void *set = NULL;

    if (sxt_cfg_read(path, &sxt_dataset_section, known, NULL, 0, &set, err) ==
        0)
        sxt_import_check(set, err);
    free(path);
    return set;
}

/* ---- running the worked solutions */

struct trial {
    struct sxt_sandbox *sandbox; /* NULL: none here */
    size_t stride, n, passed;
};

static void try_solution(struct trial *trial, const struct sxt_problem *p,
                         size_t row)
{
    struct sxt_code_result result;
    struct sxt_error err = { 0 };

    if (!trial->sandbox || p->solution.len == 0 || p->tests.len == 0 ||
        row % trial->stride != 0)
        return;
    struct sxt_json *tests =
        sxt_json_parse(p->tests.data, p->tests.len, "tests", &err);
    struct sxt_str program = SXT_STR_EMPTY;
    /* HumanEval's solution continues its prompt. */
    sxt_str_add_bytes(&program, p->starter.data, p->starter.len);
    sxt_str_add_bytes(&program, p->solution.data, p->solution.len);
    trial->n++;
    if (tests &&
        sxt_code_test(trial->sandbox, tests,
                      (struct sxt_span){ program.data, program.len },
                      &sxt_code_strict, &result, &err) == 0 &&
        result.verdict == SXT_CODE_PASS)
        trial->passed++;
    else
        printf("# %s: %s %s\n", p->id.data, err.text,
               err.code ? "" : result.detail);
    sxt_str_free(&program);
    sxt_json_free(tests);
}

/* ---- answers and names of functions */

static void import_file(const struct sxt_dataset *set, const char *path,
                        struct trial *trial, size_t *rows, struct sxt_str *all,
                        struct sxt_error *err)
{
    struct sxt_jsonl *in = sxt_jsonl_open(path, err);
    struct sxt_json *record;
    size_t line;

    while (in && sxt_jsonl_next(in, &record, &line, err) == 1) {
        struct sxt_problem p = { 0 };
        int kept = sxt_import_record(set, record, "x", &p, err);
        if (kept == 1) {
            sxt_str_add_bytes(all, p.answer.data, p.answer.len);
            sxt_str_add_char(all, '\0');
            sxt_str_add_bytes(all, p.fn_name.data, p.fn_name.len);
            sxt_str_add_char(all, '\0');
            try_solution(trial, &p, (*rows)++);
        }
        sxt_problem_free(&p);
        sxt_json_free(record);
    }
    sxt_jsonl_close(in);
}

static void test_file(const char *data, const struct sxt_json *golden,
                      struct sxt_sandbox *sandbox)
{
    const char *name = sxt_json_string(sxt_json_get(golden, "dataset"), "none");
    const char *file = sxt_json_string(sxt_json_get(golden, "file"), "");
    char *path = sxt_path_join(data, file), digest[SXT_SHA256_TEXT];
    struct sxt_error err = { 0 };
    struct sxt_str all = SXT_STR_EMPTY;
    bool run = sxt_json_bool(sxt_json_get(golden, "run"), false);
    struct trial trial = { run ? sandbox : NULL,
                           getenv("SXT_TEST_ALL") ? 1 : 60, 0, 0 };
    size_t rows = 0;
    struct sxt_dataset *set = load(name, &err);

    if (set && err.code == 0)
        import_file(set, path, &trial, &rows, &all, &err);
    sxt_sha256(all.data, all.len, digest);
    digest[16] = '\0';
    ok(err.code == 0 &&
           (int64_t)rows == sxt_json_int(sxt_json_get(golden, "rows"), -1) &&
           strcmp(digest,
                  sxt_json_string(sxt_json_get(golden, "sha256"), "")) == 0,
       "%s: the %zu answers that Python reads %s", file, rows, err.text);
    if (trial.n > 0)
        ok(trial.passed == trial.n, "%s: %zu of %zu worked solutions pass",
           file, trial.passed, trial.n);
    sxt_cfg_free(&sxt_dataset_section, set);
    sxt_str_free(&all);
    free(path);
}

int main(void)
{
    const char *data = getenv("SXT_TEST_DATA");
    char *path = sxt_printf("%s/validation/golden/import.jsonl", source_dir());
    struct sxt_sandbox_options options = { .python = getenv("PYTHON3") };
    struct sxt_error err = { 0 };
    struct sxt_json *golden;
    size_t line, n = 0;

    if (!data)
        return skip_all("SXT_TEST_DATA names no folder with test data");
    struct sxt_sandbox *sandbox = sxt_sandbox_create(&options, &err);
    if (!sandbox)
        printf("# no worked solution is run: %s\n", err.text);
    struct sxt_jsonl *in = sxt_jsonl_open(path, &err);
    while (in && sxt_jsonl_next(in, &golden, &line, &err) == 1) {
        test_file(data, golden, sandbox);
        sxt_json_free(golden);
        n++;
    }
    ok(n == 14, "all of %s was read", path);
    sxt_jsonl_close(in);
    sxt_sandbox_destroy(sandbox);
    free(path);
    return done_testing();
}
