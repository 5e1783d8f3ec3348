/* grade.h - the one way from a response to a verdict, for rejection sampling
 * and for benchmarks alike. */
#ifndef SXT_TASK_GRADE_H
#define SXT_TASK_GRADE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"
#include "sbx/sandbox.h"

/* Only a PASS is right; SANDBOX_ERROR is ours and counts as neither. */
enum sxt_verdict_kind {
    SXT_VERDICT_IS_PASS,
    SXT_VERDICT_IS_WRONG,
    SXT_VERDICT_IS_NO_ANSWER,
    SXT_VERDICT_IS_NO_CODE,
    SXT_VERDICT_IS_CRASH,
    SXT_VERDICT_IS_TIMEOUT,
    SXT_VERDICT_IS_MEMORY,
    SXT_VERDICT_IS_OUTPUT_LIMIT,
    SXT_VERDICT_IS_SANDBOX_ERROR,
    SXT_VERDICT_KINDS /* how many there are */
};

/* "pass", "wrong", "no_answer", …: as stored. */
const char *sxt_verdict_name(enum sxt_verdict_kind kind);
/* The kind of a stored name, -1 if it is none. */
int sxt_verdict_parse(struct sxt_span name);

/* What is asked; borrowed, as problems.h5 has it. */
struct sxt_question {
    struct sxt_span id;      /* for messages */
    struct sxt_span domain;  /* math, choice, code */
    struct sxt_span answer;  /* reference answer or letter */
    struct sxt_span choices; /* JSON array of texts, or empty */
    struct sxt_span tests;   /* JSON, or empty */
    struct sxt_span source;  /* data set: whose rules upstream takes */
};

enum sxt_profile {
    SXT_PROFILE_STRICT,  /* ours */
    SXT_PROFILE_UPSTREAM /* SkyThought's rules, to compare with its scores */
};

struct sxt_grader {
    struct sxt_sandbox *sandbox; /* borrowed; NULL if there is no code */
    bool guess; /* last formula or number where no answer is stated */
    enum sxt_profile profile;
    double tolerance; /* of a program's numbers; < 0: as its tests say */
    struct sxt_code_watcher *watcher; /* of a program's tests, or NULL */
};

struct sxt_verdict {
    enum sxt_verdict_kind kind;
    struct sxt_str answer; /* owned: answer, letter or program found */
    const char *rule;      /* static: what decided */
    int tests, tests_run, tests_passed;
    int first_failed; /* test, from 0; -1: none */
    double cpu_s;
    size_t peak_bytes;   /* resident memory */
    const char *sandbox; /* static: tier that ran, "" if none */
    char detail[400];    /* for people: why the first test failed */
};

/* The program's version, and a number that changes with the sources that decide
 * verdicts: what another program found may be judged otherwise here. */
const char *sxt_grade_rules(void);

/* Fails only if the question cannot be graded at all (unknown domain, no
 * reference, malformed tests): SXT_EXIT_DATA with its id. */
int sxt_grade(const struct sxt_grader *grader,
              const struct sxt_question *question, struct sxt_span response,
              struct sxt_verdict *verdict, struct sxt_error *err);
void sxt_verdict_free(struct sxt_verdict *verdict);

/* True if questions of this domain need a sandbox. */
bool sxt_grade_needs_sandbox(struct sxt_span domain);

/* Do two extracted answers say the same?  For majority votes; programs are
 * never the same. */
bool sxt_grade_same_answer(struct sxt_span domain, struct sxt_span a,
                           struct sxt_span b);

#endif
