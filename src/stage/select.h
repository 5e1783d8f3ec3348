/* select.h - the parts of the select command. */
#ifndef SXT_STAGE_SELECT_H
#define SXT_STAGE_SELECT_H

#include "h5/in.h"
#include "stage/problems.h"
#include "stage/stage.h"

/* The values of section `select`. */
struct sxt_select {
    char *traces, *verdicts, *problems, *output;
    char *from_sharegpt, *sharegpt, *system_file;
    char *filter, *prefer;
    bool finish, valid, dedup;
    int64_t per_problem, ngram;
    struct sxt_cfg_strings quotas, decontaminate;
};

/* Why an answer is not trained on; the first reason that applies. */
enum sxt_reject_reason {
    SXT_KEEP,
    SXT_REJECT_VERDICT,
    SXT_REJECT_CUT_OFF,
    SXT_REJECT_FORMAT,
    SXT_REJECT_CONTAMINATED,
    SXT_REJECT_DUPLICATE,
    SXT_REJECT_SURPLUS,
    SXT_REJECT_QUOTA,
    SXT_REJECT_REASONS /* how many there are */
};

enum {
    SXT_SELECT_ID,
    SXT_SELECT_SAMPLE,
    SXT_SELECT_VALID,
    SXT_SELECT_FINISH,
    SXT_SELECT_NAMES
};

/* What is known of all answers, and the texts of this rank's. */
struct sxt_selection {
    struct sxt_column columns[SXT_SELECT_NAMES + 1], text_column[2];
    struct sxt_in *traces;
    struct sxt_problems *problems;
    struct sxt_frame *names, *texts;
    size_t n, first, count;         /* answers; this rank's */
    size_t *problem_of;             /* (n) */
    int *verdict;                   /* (n) enum sxt_verdict_kind */
    uint64_t *length;               /* (n) bytes of text */
    enum sxt_reject_reason *reason; /* (n) */
    struct sxt_str system;
};

/* Write /train and /rejects.  Collective.  (select_write.c) */
int sxt_select_write(const struct sxt_run *run, const struct sxt_selection *s,
                     const char *output, const struct sxt_sources *from,
                     struct sxt_error *err);
/* A line a source: how many were kept, and why others were not. */
void sxt_select_print(const struct sxt_run *run, const struct sxt_selection *s);

/* ShareGPT lines {"system", "conversations": [{"from", "value"}, …]}: from
 * rows of a train file (rank 0), and to a train file (collective).
 * (sharegpt.c) */
int sxt_select_export(const struct sxt_run *run, const char *train,
                      const char *lines, struct sxt_error *err);
int sxt_select_import(const struct sxt_run *run, const struct sxt_select *v,
                      const char *output, struct sxt_error *err);

#endif
