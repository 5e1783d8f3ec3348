/* codetest.h - does a program pass the tests of its problem?
 *
 * The tests are JSON (column `tests` of problems.h5):
 *
 *   {"kind": "stdin", "inputs": ["3\n", …], "outputs": ["9\n", …]}
 *       the program reads an input and prints an output
 *   {"kind": "call", "fn_name": "f", "inputs": [[3], …], "outputs": [9, …]}
 *       f (*inputs[i]) is outputs[i]; f may be a method of class Solution
 *   {"kind": "assert", "setup": "import math", "entry": "f",
 *    "tests": ["assert f(3) == 9", …]}
 *       Python statements that raise if the program is wrong; setup runs
 *       before the program and before the tests; "judge" is more setup that
 *       only the tests see, such as a reference solution
 *
 * and optionally
 *
 *   "cpu_s", "memory_mb"     limits of one test; for asserts, of all
 *   "tolerance"              of numbers; default 0 for stdin, 1e-9 for call
 *   "form": "lines"          or "filled" or "words": enum sxt_code_form
 *   "fold_case": true        for stdin: letters of either case are the same
 *   "wrapped": true          for call: [x] as an output also stands for x
 *   "int_keys": true         for call: {"1": x} as an argument is {1: x}
 *   "public": 2              so many tests are in the problem's statement
 *   "upstream": "apps"       whose rules the upstream profile takes
 *
 * Expected values never enter the process that runs the program.  Outputs of
 * `stdin` and values of `call` are compared here, in C.  Assertions run in a
 * second jail, which asks the program's jail to make each call and gets plain
 * data back, so a program cannot touch what judges it. */
#ifndef SXT_TASK_CODETEST_H
#define SXT_TASK_CODETEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "sbx/sandbox.h"

enum sxt_code_verdict {
    SXT_CODE_PASS,
    SXT_CODE_WRONG,
    SXT_CODE_NO_CODE, /* the response holds no program */
    SXT_CODE_CRASH,   /* exception, exit status, signal */
    SXT_CODE_TIMEOUT,
    SXT_CODE_MEMORY,
    SXT_CODE_OUTPUT_LIMIT,
    SXT_CODE_SANDBOX_ERROR /* ours: count it neither right nor wrong */
};

struct sxt_code_result {
    enum sxt_code_verdict verdict;
    const char *rule; /* static: "stdin", "call", "assert" */
    int tests;        /* in the problem */
    int tests_run;
    int tests_passed;  /* testing stops at the first failure */
    int first_failed;  /* from 0; -1: none */
    double cpu_s;      /* of the program, all tests together */
    size_t peak_bytes; /* resident, largest of all tests */
    char detail[400];  /* for people: why the first one failed */
};

/* "pass", "wrong", "no_code", … as in verdicts.h5. */
const char *sxt_code_verdict_name(enum sxt_code_verdict verdict);

/* One test as it went, for people; borrowed. */
struct sxt_code_seen {
    int index;                     /* from 0 */
    enum sxt_code_verdict verdict; /* of this test */
    struct sxt_span given, want;   /* input, arguments or assertion; output */
    struct sxt_span got;           /* output, value */
    const struct sxt_limits *limits;
    const struct sxt_result *run; /* of the process; NULL: it ran more tests */
};
struct sxt_code_watcher {
    void (*saw)(struct sxt_code_watcher *self,
                const struct sxt_code_seen *seen);
};

struct sxt_code_options {
    bool upstream;    /* compare as SkyThought does */
    double tolerance; /* instead of the tests' own; < 0: theirs */
    struct sxt_code_watcher *watcher; /* told of each test; NULL: nobody */
};
extern const struct sxt_code_options sxt_code_strict;

/* Check that tests are well formed (an importer's or loader's question).
 * Fails with SXT_EXIT_DATA. */
int sxt_code_check_tests(const struct sxt_json *tests, struct sxt_error *err);

/* Judge a program.  Fails only on malformed tests (SXT_EXIT_DATA). */
int sxt_code_test(struct sxt_sandbox *sandbox, const struct sxt_json *tests,
                  struct sxt_span program,
                  const struct sxt_code_options *options,
                  struct sxt_code_result *result, struct sxt_error *err);

#endif
