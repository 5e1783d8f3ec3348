/* codecall.c - tests that call a function and compare what it returns.
 *
 * One process answers many calls, one line each, within the CPU time of one
 * test.  If that runs out after some answers, a fresh process goes on behind
 * them with a fresh allowance: so a test has its limit, and many small ones do
 * not each pay for a start of Python. */
#include <stdlib.h>
#include <string.h>

#include "task/codeanswer.h"
#include "task/coderun.h"

/* What serve.py reads: the program, and the calls from `first` on. */
static void write_config(const struct coderun *run, size_t first,
                         struct sxt_str *out)
{
    const struct sxt_json *calls = sxt_json_get(run->tests, "inputs");
    struct sxt_json *text =
        sxt_json_new_text(run->program.data, run->program.len);

    sxt_str_add(out, "{\"program\":");
    sxt_json_print(text, 0, out);
    sxt_str_add(out, ",\"fn_name\":");
    sxt_json_print(sxt_json_get(run->tests, "fn_name"), 0, out);
    if (sxt_json_bool(sxt_json_get(run->tests, "int_keys"), false))
        sxt_str_add(out, ",\"int_keys\":true");
    sxt_str_add(out, ",\"calls\":[");
    for (size_t i = first; i < sxt_json_count(calls); i++) {
        if (i > first)
            sxt_str_add_char(out, ',');
        sxt_json_print(sxt_json_item(calls, i), 0, out);
    }
    sxt_str_add(out, "]}");
    sxt_json_free(text);
}

static bool right(const struct coderun *run, struct sxt_span line, size_t i)
{
    const struct sxt_json *want =
        sxt_json_item(sxt_json_get(run->tests, "outputs"), i);
    struct sxt_json *got = sxt_json_parse(line.data, line.len, "answer", NULL);
    bool same = got && sxt_code_same_value(got, want, run->rule.tolerance);

    /* APPS wraps most values into a list of one, and does not say where. */
    if (got && !same && sxt_json_count(want) == 1 &&
        sxt_json_bool(sxt_json_get(run->tests, "wrapped"), false))
        same = sxt_code_same_value(got, sxt_json_item(want, 0),
                                   run->rule.tolerance);

    /* JSON null parses to a value, so no answer is not mistaken for None. */
    sxt_json_free(got);
    return same;
}

/* Compare the whole lines of an answer, from test *next on.  False if one is
 * wrong. */
static bool compare(struct coderun *run, const struct sxt_result *res, size_t n,
                    size_t *next)
{
    const char *at = res->channel.data, *end;
    size_t left = res->channel.len;

    while (left > 0 && *next < n && (end = memchr(at, '\n', left)) != NULL) {
        struct sxt_span line = { at, (size_t)(end - at) };
        run->result->tests_run++;
        if (!right(run, line, *next)) {
            sxt_coderun_fail(run, (int)*next, SXT_CODE_WRONG, "returned %.*s",
                             line.len < 200 ? (int)line.len : 200, line.data);
            sxt_coderun_saw(run, *next, line, NULL);
            return false;
        }
        sxt_coderun_saw(run, *next, line, NULL);
        run->result->tests_passed++;
        (*next)++;
        left -= line.len + 1;
        at = end + 1;
    }
    return true;
}

/* Answers from test *next on, by one process.  False if testing is over. */
static bool run_batch(struct coderun *run, size_t n, size_t *next)
{
    struct sxt_str config = SXT_STR_EMPTY;
    struct sxt_result res;
    size_t first = *next;
    bool go_on;

    write_config(run, first, &config);
    const struct sxt_job job = { .program = sxt_span(sxt_coderun_serve),
                                 .input = { config.data, config.len },
                                 .channel = true,
                                 .limits = run->limits };
    sxt_coderun_job(run, &job, &res);
    go_on = compare(run, &res, n, next);
    if (go_on && *next < n && (res.status != SXT_RUN_CPU || *next == first)) {
        run->result->tests_run++;
        if (!sxt_coderun_ended_badly(run, (int)*next, &res))
            sxt_coderun_fail(run, (int)*next, SXT_CODE_CRASH,
                             "ended without an answer");
        sxt_coderun_saw(run, *next, (struct sxt_span){ "", 0 }, &res);
        go_on = false;
    }
    sxt_result_free(&res);
    sxt_str_free(&config);
    return go_on;
}

void sxt_coderun_call(struct coderun *run)
{
    size_t n = sxt_json_count(sxt_json_get(run->tests, "inputs"));
    size_t next = run->first;

    run->result->rule = "call";
    while (next < n && run_batch(run, n, &next))
        ;
}
