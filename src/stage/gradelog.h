/* gradelog.h - verdicts as records of a worklog. */
#ifndef SXT_STAGE_GRADELOG_H
#define SXT_STAGE_GRADELOG_H

#include "stage/worklog.h"
#include "task/grade.h"

/* Hash of all that decides the verdict on a response; rules: those of the
 * program that gives it, sxt_grade_rules(). */
uint64_t sxt_gradelog_key(const char *rules, uint64_t settings,
                          const struct sxt_question *q,
                          struct sxt_span response);
/* Store a verdict under its key; one that is our own fault is forgotten, to be
 * tried again. */
int sxt_gradelog_save(struct sxt_worklog *log, uint64_t key,
                      const struct sxt_verdict *verdict, struct sxt_error *err);
/* Read what is stored under a key that sxt_worklog_find() knows.  The texts of
 * the verdict are borrowed until the next read, but for the answer, which
 * sxt_verdict_free() frees. */
int sxt_gradelog_read(struct sxt_worklog *log, uint64_t key,
                      struct sxt_verdict *verdict, struct sxt_error *err);

#endif
