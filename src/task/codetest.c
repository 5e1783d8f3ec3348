/* codetest.c - a response's program and the tests of its problem. */
#include "task/codetest.h"

#include <string.h>

#include "task/codeanswer.h"
#include "task/coderun.h"

enum { DEFAULT_CPU_S = 6, MAX_CPU_S = 600, MAX_MEMORY_MB = 65536 };

const struct sxt_code_options sxt_code_strict = { .tolerance = -1 };

static const char *const forms[] = { "lines", "filled", "words", NULL };
static const char *const upstreams[] = { "apps", "taco", "livecodebench",
                                         NULL };

static const char *const verdict_names[] = {
    [SXT_CODE_PASS] = "pass",
    [SXT_CODE_WRONG] = "wrong",
    [SXT_CODE_NO_CODE] = "no_code",
    [SXT_CODE_CRASH] = "crash",
    [SXT_CODE_TIMEOUT] = "timeout",
    [SXT_CODE_MEMORY] = "memory",
    [SXT_CODE_OUTPUT_LIMIT] = "output_limit",
    [SXT_CODE_SANDBOX_ERROR] = "sandbox_error",
};

/* The lists of each kind, and what their items are. */
static const struct {
    const char *kind;
    const char *lists[2];
    int types[2]; /* enum sxt_json_type, -1: any */
    void (*run)(struct coderun *run);
} kinds[] = {
    { "stdin",
      { "inputs", "outputs" },
      { SXT_JSON_STRING, SXT_JSON_STRING },
      sxt_coderun_stdin },
    { "call",
      { "inputs", "outputs" },
      { SXT_JSON_ARRAY, -1 },
      sxt_coderun_call },
    { "assert",
      { "tests", NULL },
      { SXT_JSON_STRING, -1 },
      sxt_coderun_assert },
};
enum { N_KINDS = sizeof(kinds) / sizeof(*kinds) };

const char *sxt_code_verdict_name(enum sxt_code_verdict verdict)
{
    return verdict_names[verdict];
}

static int kind_of(const struct sxt_json *tests)
{
    const char *name = sxt_json_string(sxt_json_get(tests, "kind"), "");

    for (int k = 0; k < N_KINDS; k++)
        if (strcmp(name, kinds[k].kind) == 0)
            return k;
    return -1;
}

static int index_of(const char *text, const char *const *names)
{
    int i = 0;

    while (names[i] && strcmp(names[i], text) != 0)
        i++;
    return names[i] ? i : -1;
}

static int check_list(const struct sxt_json *tests, const char *name, int type,
                      struct sxt_error *err)
{
    const struct sxt_json *list = sxt_json_get(tests, name);

    if (sxt_json_type(list) != SXT_JSON_ARRAY || sxt_json_count(list) == 0)
        return sxt_err(err, SXT_EXIT_DATA, "tests: %s is no list with an item",
                       name);
    for (size_t i = 0; i < sxt_json_count(list); i++)
        if (type >= 0 && (int)sxt_json_type(sxt_json_item(list, i)) != type)
            return sxt_err(err, SXT_EXIT_DATA,
                           "tests: %s[%zu] is of the wrong type", name, i);
    return 0;
}

static int check_text(const struct sxt_json *tests, const char *name,
                      bool needed, struct sxt_error *err)
{
    const struct sxt_json *v = sxt_json_get(tests, name);

    if (v ? sxt_json_type(v) == SXT_JSON_STRING : !needed)
        return 0;
    return sxt_err(err, SXT_EXIT_DATA, "tests: %s is %s", name,
                   v ? "no text" : "missing");
}

static int check_word(const struct sxt_json *tests, const char *name,
                      const char *const *words, struct sxt_error *err)
{
    const struct sxt_json *v = sxt_json_get(tests, name);

    if (!v || index_of(sxt_json_string(v, ""), words) >= 0)
        return 0;
    return sxt_err(err, SXT_EXIT_DATA, "tests: %s is \"%s\", which is no %s",
                   name, sxt_json_string(v, ""), name);
}

static int check_number(const struct sxt_json *tests, const char *name,
                        double low, double high, struct sxt_error *err)
{
    const struct sxt_json *v = sxt_json_get(tests, name);
    double x = sxt_json_number(v, low - 1);

    if (!v || (x >= low && x <= high))
        return 0;
    return sxt_err(err, SXT_EXIT_DATA, "tests: %s is not in [%g, %g]", name,
                   low, high);
}

int sxt_code_check_tests(const struct sxt_json *tests, struct sxt_error *err)
{
    int k = kind_of(tests);

    if (k < 0)
        return sxt_err(err, SXT_EXIT_DATA,
                       "tests: kind is \"%s\", not stdin, call or assert",
                       sxt_json_string(sxt_json_get(tests, "kind"), ""));
    for (int i = 0; i < 2 && kinds[k].lists[i]; i++)
        if (check_list(tests, kinds[k].lists[i], kinds[k].types[i], err) != 0)
            return -1;
    if (kinds[k].lists[1] && sxt_json_count(sxt_json_get(tests, "inputs")) !=
                                 sxt_json_count(sxt_json_get(tests, "outputs")))
        return sxt_err(err, SXT_EXIT_DATA,
                       "tests: as many outputs as inputs are needed");
    if (check_text(tests, "fn_name", strcmp(kinds[k].kind, "call") == 0, err) !=
            0 ||
        check_text(tests, "setup", false, err) != 0 ||
        check_text(tests, "entry", false, err) != 0 ||
        check_text(tests, "judge", false, err) != 0 ||
        check_word(tests, "form", forms, err) != 0 ||
        check_word(tests, "upstream", upstreams, err) != 0)
        return -1;
    if (check_number(tests, "cpu_s", 0.01, MAX_CPU_S, err) != 0 ||
        check_number(tests, "memory_mb", 16, MAX_MEMORY_MB, err) != 0)
        return -1;
    return check_number(tests, "tolerance", 0, 1, err);
}

/* One process a test: it reads the input, and what it prints is compared
 * here. */
void sxt_coderun_stdin(struct coderun *run)
{
    const struct sxt_json *inputs = sxt_json_get(run->tests, "inputs");
    const struct sxt_json *outputs = sxt_json_get(run->tests, "outputs");
    struct sxt_code_result *result = run->result;
    size_t least = run->limits.output_bytes;

    result->rule = "stdin";
    while (result->tests_passed < result->tests && result->first_failed < 0) {
        int i = (int)run->first + result->tests_run++;
        struct sxt_span want = sxt_json_text(sxt_json_item(outputs, (size_t)i));
        struct sxt_job job = { .program = run->program,
                               .input = sxt_json_text(
                                   sxt_json_item(inputs, (size_t)i)),
                               .limits = run->limits };
        struct sxt_result res;
        if (job.limits.output_bytes < 2 * want.len + least)
            job.limits.output_bytes = 2 * want.len + least;
        sxt_coderun_job(run, &job, &res);
        struct sxt_span got = { res.out.data, res.out.len };
        if (!sxt_coderun_ended_badly(run, i, &res)) {
            if (sxt_code_same_output(got, want, &run->rule))
                result->tests_passed++;
            else
                sxt_coderun_fail(run, i, SXT_CODE_WRONG, "printed %.*s",
                                 got.len < 200 ? (int)got.len : 200,
                                 got.data ? got.data : "");
        }
        sxt_coderun_saw(run, (size_t)i, got, &res);
        sxt_result_free(&res);
    }
}

static struct sxt_limits limits_of(const struct sxt_json *tests)
{
    struct sxt_limits limits = sxt_limits_default();
    double mb = sxt_json_number(sxt_json_get(tests, "memory_mb"), 1024);

    limits.cpu_s = sxt_json_number(sxt_json_get(tests, "cpu_s"), DEFAULT_CPU_S);
    limits.memory_bytes = (size_t)(mb * (1 << 20));
    return limits;
}

static struct sxt_code_rule rule_of(const struct sxt_json *tests,
                                    const struct sxt_code_options *options,
                                    double tolerance)
{
    const char *form = sxt_json_string(sxt_json_get(tests, "form"), forms[0]);
    int upstream = index_of(
        sxt_json_string(sxt_json_get(tests, "upstream"), ""), upstreams);

    if (options->tolerance >= 0)
        tolerance = options->tolerance;
    else
        tolerance =
            sxt_json_number(sxt_json_get(tests, "tolerance"), tolerance);
    return (struct sxt_code_rule){
        .tolerance = tolerance,
        .form = (enum sxt_code_form)index_of(form, forms),
        .fold_case = sxt_json_bool(sxt_json_get(tests, "fold_case"), false),
        .upstream =
            options->upstream && upstream >= 0 ? upstreams[upstream] : NULL,
    };
}

/* SkyThought runs LiveCodeBench's private tests only. */
static void skip_public(struct coderun *run)
{
    int64_t n = sxt_json_int(sxt_json_get(run->tests, "public"), 0);

    if (n <= 0 || n >= run->result->tests)
        return;
    run->first = (size_t)n;
    run->result->tests -= (int)n;
}

int sxt_code_test(struct sxt_sandbox *sandbox, const struct sxt_json *tests,
                  struct sxt_span program,
                  const struct sxt_code_options *options,
                  struct sxt_code_result *result, struct sxt_error *err)
{
    int k = kind_of(tests);

    if (sxt_code_check_tests(tests, err) != 0)
        return -1;
    bool stdin_kind = strcmp(kinds[k].kind, "stdin") == 0;
    struct coderun run = { .sandbox = sandbox,
                           .tests = tests,
                           .program = program,
                           .limits = limits_of(tests),
                           .rule =
                               rule_of(tests, options, stdin_kind ? 0 : 1e-9),
                           .watcher = options->watcher,
                           .result = result };
    *result = (struct sxt_code_result){
        .rule = kinds[k].kind,
        .first_failed = -1,
        .tests = (int)sxt_json_count(sxt_json_get(tests, kinds[k].lists[0])),
    };
    if (options->upstream && kinds[k].run != sxt_coderun_assert)
        skip_public(&run);
    if (sxt_span_trim(program).len == 0)
        sxt_coderun_fail(&run, -1, SXT_CODE_NO_CODE, "no program");
    else
        kinds[k].run(&run);
    return 0;
}
