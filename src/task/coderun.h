/* coderun.h - what the kinds of tests share; private to codetest. */
#ifndef SXT_TASK_CODERUN_H
#define SXT_TASK_CODERUN_H

#include <stdbool.h>

#include "task/codeanswer.h"
#include "task/codetest.h"

/* A problem's tests and the program under test. */
struct coderun {
    struct sxt_sandbox *sandbox;
    const struct sxt_json *tests;
    struct sxt_span program;
    struct sxt_limits limits; /* of one test */
    size_t first;             /* test to begin with */
    struct sxt_code_rule rule;
    struct sxt_code_watcher *watcher; /* or NULL */
    struct sxt_code_result *result;
};

/* Tests of each kind: fill result's counts, verdict and detail.  Testing
 * stops at the first failure. */
void sxt_coderun_stdin(struct coderun *run);
void sxt_coderun_call(struct coderun *run);
void sxt_coderun_assert(struct coderun *run);

/* codec.py with serve.py or judge.py behind it. */
extern const char sxt_coderun_serve[];
extern const char sxt_coderun_judge[];

/* Count what a run used. */
void sxt_coderun_used(struct coderun *run, const struct sxt_result *res);

/* Run, and once more if the jail itself failed. */
void sxt_coderun_job(struct coderun *run, const struct sxt_job *job,
                     struct sxt_result *res);

/* Record the first failure, at test `index`. */
void sxt_coderun_fail(struct coderun *run, int index,
                      enum sxt_code_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Tell the watcher of a test that is decided.  res: of the process that ran
 * this test only, or NULL. */
void sxt_coderun_saw(const struct coderun *run, size_t index,
                     struct sxt_span got, const struct sxt_result *res);

/* If the program did not end by itself with status 0, record what it did and
 * return true. */
bool sxt_coderun_ended_badly(struct coderun *run, int index,
                             const struct sxt_result *res);

#endif
