/* coderun.c - running a program for a test and saying how it went wrong. */
#include "task/coderun.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char sxt_coderun_serve[] =
#include "task/runner/codec.inc"
#include "task/runner/serve.inc"
    ;

const char sxt_coderun_judge[] =
#include "task/runner/codec.inc"
#include "task/runner/judge.inc"
    ;

void sxt_coderun_used(struct coderun *run, const struct sxt_result *res)
{
    run->result->cpu_s += res->cpu_s;
    if (res->peak_bytes > run->result->peak_bytes)
        run->result->peak_bytes = res->peak_bytes;
}

void sxt_coderun_job(struct coderun *run, const struct sxt_job *job,
                     struct sxt_result *res)
{
    sxt_sandbox_run(run->sandbox, job, res);
    if (res->status == SXT_RUN_ERROR) {
        sxt_result_free(res);
        sxt_sandbox_run(run->sandbox, job, res);
    }
    sxt_coderun_used(run, res);
}

void sxt_coderun_fail(struct coderun *run, int index,
                      enum sxt_code_verdict verdict, const char *format, ...)
{
    struct sxt_code_result *result = run->result;
    va_list args;

    result->verdict = verdict;
    result->first_failed = index;
    va_start(args, format);
    vsnprintf(result->detail, sizeof(result->detail), format, args);
    va_end(args);
    /* It may quote the program: no control characters for the reader. */
    for (char *p = result->detail; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = ' ';
}

/* An item of a list of the tests: a text as it is, a value as JSON. */
static void add_item(const struct coderun *run, const char *list, size_t index,
                     struct sxt_str *out)
{
    const struct sxt_json *v =
        sxt_json_item(sxt_json_get(run->tests, list), index);
    struct sxt_span text = sxt_json_text(v);

    if (text.data && strcmp(run->result->rule, "call") != 0)
        sxt_str_add_bytes(out, text.data, text.len);
    else if (v)
        sxt_json_print(v, 0, out);
    else
        sxt_str_add_bytes(out, "", 0);
}

void sxt_coderun_saw(const struct coderun *run, size_t index,
                     struct sxt_span got, const struct sxt_result *res)
{
    bool asserts = strcmp(run->result->rule, "assert") == 0;
    bool failed = run->result->first_failed == (int)index;
    struct sxt_str given = SXT_STR_EMPTY, want = SXT_STR_EMPTY;

    if (!run->watcher)
        return;
    add_item(run, asserts ? "tests" : "inputs", index, &given);
    add_item(run, "outputs", index, &want);
    const struct sxt_code_seen seen = {
        .index = (int)index,
        .verdict = failed ? run->result->verdict : SXT_CODE_PASS,
        .given = { given.data, given.len },
        .want = { want.data, want.len },
        .got = got,
        .limits = &run->limits,
        .run = res,
    };
    run->watcher->saw(run->watcher, &seen);
    sxt_str_free(&given);
    sxt_str_free(&want);
}

/* The last line a program wrote to stderr: Python's exception. */
static struct sxt_span last_line(const struct sxt_str *err)
{
    struct sxt_span s = { err->data, err->len };
    long at;

    if (!s.data)
        return sxt_span("");
    s = sxt_span_trim(s);
    at = sxt_span_find_last(s, "\n");
    s.data += at + 1;
    s.len -= (size_t)(at + 1);
    return s;
}

static void fail_exit(struct coderun *run, int index,
                      const struct sxt_result *res)
{
    struct sxt_span line = last_line(&res->err);
    bool memory = line.len >= 11 && memcmp(line.data, "MemoryError", 11) == 0;

    sxt_coderun_fail(run, index, memory ? SXT_CODE_MEMORY : SXT_CODE_CRASH,
                     "exit status %d: %.*s", res->code,
                     line.len < 300 ? (int)line.len : 300, line.data);
}

bool sxt_coderun_ended_badly(struct coderun *run, int index,
                             const struct sxt_result *res)
{
    switch (res->status) {
    case SXT_RUN_EXITED:
        if (res->code != 0)
            fail_exit(run, index, res);
        return res->code != 0;
    case SXT_RUN_SIGNALLED:
        sxt_coderun_fail(run, index, SXT_CODE_CRASH, "signal %d", res->code);
        return true;
    case SXT_RUN_CPU:
        sxt_coderun_fail(run, index, SXT_CODE_TIMEOUT,
                         "more than %g s of CPU time", run->limits.cpu_s);
        return true;
    case SXT_RUN_WALL:
        sxt_coderun_fail(run, index, SXT_CODE_TIMEOUT,
                         "waited for %.0f s, using little CPU time",
                         res->wall_s);
        return true;
    case SXT_RUN_MEMORY:
        sxt_coderun_fail(run, index, SXT_CODE_MEMORY, "more than %zu MiB",
                         run->limits.memory_bytes >> 20);
        return true;
    case SXT_RUN_OUTPUT:
        sxt_coderun_fail(run, index, SXT_CODE_OUTPUT_LIMIT,
                         "more output than allowed");
        return true;
    case SXT_RUN_PROCESSES:
        sxt_coderun_fail(run, index, SXT_CODE_CRASH,
                         "more than %d processes or threads",
                         run->limits.processes);
        return true;
    case SXT_RUN_ERROR:
        break;
    }
    sxt_coderun_fail(run, index, SXT_CODE_SANDBOX_ERROR, "%s", res->trouble);
    return true;
}
