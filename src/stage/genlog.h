/* genlog.h - answers of a model as records of a worklog. */
#ifndef SXT_STAGE_GENLOG_H
#define SXT_STAGE_GENLOG_H

#include "model/engine.h"
#include "stage/worklog.h"

/* Store an answer, finished or (finish NONE) only begun, under its key. */
int sxt_genlog_save(struct sxt_worklog *log, const struct sxt_answer *answer,
                    struct sxt_error *err);

/* A stored answer; arrays are borrowed until the next read. */
struct sxt_genlog_answer {
    enum sxt_finish finish;
    double logprob;
    const int32_t *ids;
    size_t n;
    struct sxt_span text;
};
/* Read what is stored under a key that sxt_worklog_find() knows. */
int sxt_genlog_read(struct sxt_worklog *log, uint64_t key,
                    struct sxt_genlog_answer *answer, struct sxt_error *err);
/* Let p go on with what is begun under its key, if anything is. */
int sxt_genlog_resume(struct sxt_worklog *log, struct sxt_prompt *p,
                      struct sxt_error *err);

#endif
