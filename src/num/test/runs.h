/* runs.h - every operation over a table of awkward shapes: its results are the
 * ground on which two backends are compared. */
#ifndef SXT_NUM_TEST_RUNS_H
#define SXT_NUM_TEST_RUNS_H

#include "num/test/lab.h"

/* What an operation produced, in the lab's host memory. */
struct outcome {
    size_t n;
    struct {
        const char *what;
        const double *x;
        size_t n;
        bool exact; /* backends agree to the bit */
    } part[6];
};

struct run {
    const char *op;
    /* Run case i on a clean lab; false if there is no such case.  `shape`
     * receives its description. */
    bool (*run)(struct lab *lab, size_t i, enum sxt_dtype type,
                struct outcome *out, char shape[100]);
    /* By dtype: |x - ref| <= tolerance (|ref| + rms).  The third one is in
     * place of bf16's where what a GPU multiplies is rounded before; 0: nothing
     * is. */
    double tolerance[3];
};

/* The last one has op NULL. */
extern const struct run sxt_runs[];

/* For the files that define the runs. */
void outcome_add(struct outcome *out, const char *what, const double *x,
                 size_t n, bool exact);

bool run_gemm(struct lab *lab, size_t i, enum sxt_dtype type,
              struct outcome *out, char shape[100]);
bool run_qgemm(struct lab *lab, size_t i, enum sxt_dtype type,
               struct outcome *out, char shape[100]);
bool run_attn(struct lab *lab, size_t i, enum sxt_dtype type,
              struct outcome *out, char shape[100]);
bool run_attn_bwd(struct lab *lab, size_t i, enum sxt_dtype type,
                  struct outcome *out, char shape[100]);
bool run_attn_paged(struct lab *lab, size_t i, enum sxt_dtype type,
                    struct outcome *out, char shape[100]);
bool run_sample(struct lab *lab, size_t i, enum sxt_dtype type,
                struct outcome *out, char shape[100]);

#endif
