/* explain.h - how a verdict came about, in words for people. */
#ifndef SXT_TASK_EXPLAIN_H
#define SXT_TASK_EXPLAIN_H

#include "task/grade.h"

/* Grade as sxt_grade() does, and append to *out what was looked at, what was
 * found, how it was read, each test, and the rule that decided.  Bytes that a
 * terminal might obey are shown as \xNN.  Frees nothing; fails as sxt_grade()
 * does. */
int sxt_explain(const struct sxt_grader *grader,
                const struct sxt_question *question, struct sxt_span response,
                struct sxt_verdict *verdict, struct sxt_str *out,
                struct sxt_error *err);

#endif
