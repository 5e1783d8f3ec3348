/* formats.h - the columns of every table file; doc/formats.md is printed from
 * these tables. */
#ifndef SXT_STAGE_FORMATS_H
#define SXT_STAGE_FORMATS_H

#include "h5/frame.h"

/* problems.h5: group /problems, one row a problem. */
#define SXT_PROBLEMS_FORMAT "sextant/problems"
enum sxt_problem_column {
    SXT_PROBLEM_ID,         /* unique in the file */
    SXT_PROBLEM_KEY,        /* hash of id: names random streams */
    SXT_PROBLEM_SOURCE,     /* "gsm8k" */
    SXT_PROBLEM_DOMAIN,     /* math | code | choice */
    SXT_PROBLEM_SPLIT,      /* train | test */
    SXT_PROBLEM_DIFFICULTY, /* as the source states it */
    SXT_PROBLEM_QUESTION,
    SXT_PROBLEM_PROMPT, /* the user message, template filled */
    SXT_PROBLEM_ANSWER, /* reference answer or letter; never shown to a model */
    SXT_PROBLEM_CHOICES, /* JSON array of texts, or empty */
    SXT_PROBLEM_STARTER,
    SXT_PROBLEM_FN_NAME,
    SXT_PROBLEM_TESTS,    /* JSON, see doc/formats.md; or empty */
    SXT_PROBLEM_SOLUTION, /* canonical solution if the source has one */
    SXT_PROBLEM_LICENCE
};
extern const struct sxt_column sxt_problem_columns[];

/* generations.h5: group /generations, rows by problem, then sample. */
#define SXT_GENERATIONS_FORMAT "sextant/generations"
enum sxt_generation_column {
    SXT_GENERATION_ID,     /* the problem's */
    SXT_GENERATION_SAMPLE, /* 0 … n-1 */
    SXT_GENERATION_KEY,    /* problem key, sample, settings: names the draw */
    SXT_GENERATION_PROMPT_IDS,
    SXT_GENERATION_OUTPUT_IDS,
    SXT_GENERATION_TEXT,   /* decoded output, stop string removed */
    SXT_GENERATION_FINISH, /* stop | length | loop | external */
    SXT_GENERATION_LOGPROB /* sum over output tokens */
};
extern const struct sxt_column sxt_generation_columns[];

/* traces.h5: group /traces, one row a generation, same order. */
#define SXT_TRACES_FORMAT "sextant/traces"
enum sxt_trace_column {
    SXT_TRACE_ID,
    SXT_TRACE_SAMPLE,
    SXT_TRACE_THOUGHT,
    SXT_TRACE_SOLUTION,
    SXT_TRACE_TEXT,   /* with markers, as trained on */
    SXT_TRACE_METHOD, /* kept | splitter | model | fallback */
    SXT_TRACE_VALID,  /* 1: both sections there and the answer unchanged */
    SXT_TRACE_FINISH  /* of the generation */
};
extern const struct sxt_column sxt_trace_columns[];

/* verdicts.h5: group /verdicts, one row a generation, same order. */
#define SXT_VERDICTS_FORMAT "sextant/verdicts"
enum sxt_verdict_column {
    SXT_VERDICT_ID,
    SXT_VERDICT_SAMPLE,
    SXT_VERDICT_VERDICT, /* pass wrong no_answer no_code crash timeout memory
                            output_limit sandbox_error */
    SXT_VERDICT_ANSWER,  /* extracted from the response */
    SXT_VERDICT_RULE,    /* the rule that decided */
    SXT_VERDICT_TESTS,   /* of the problem */
    SXT_VERDICT_TESTS_RUN,
    SXT_VERDICT_TESTS_PASSED,
    SXT_VERDICT_FIRST_FAILED, /* from 0; -1: none */
    SXT_VERDICT_CPU_S,        /* volatile */
    SXT_VERDICT_PEAK_MIB,     /* volatile */
    SXT_VERDICT_DETAIL,       /* volatile: what the program did */
    SXT_VERDICT_SANDBOX       /* tier that ran, "" if none was needed */
};
extern const struct sxt_column sxt_verdict_columns[];

/* train.h5: group /train (kept) and /rejects (same columns, reason filled). */
#define SXT_TRAIN_FORMAT "sextant/train"
enum sxt_train_column {
    SXT_TRAIN_ID,
    SXT_TRAIN_SAMPLE,
    SXT_TRAIN_KEY,
    SXT_TRAIN_SOURCE,
    SXT_TRAIN_SYSTEM, /* empty: no system message */
    SXT_TRAIN_USER,
    SXT_TRAIN_ASSISTANT,
    SXT_TRAIN_REASON /* why it was rejected; empty in /train */
};
extern const struct sxt_column sxt_train_columns[];

/* metrics.h5: group /steps, one row an optimizer step. */
#define SXT_METRICS_FORMAT "sextant/metrics"
enum sxt_metric_column {
    SXT_METRIC_STEP,
    SXT_METRIC_EPOCH,
    SXT_METRIC_LOSS,
    SXT_METRIC_GRAD_NORM,
    SXT_METRIC_LR,
    SXT_METRIC_TOKENS,   /* trained tokens of the step */
    SXT_METRIC_SECONDS,  /* volatile */
    SXT_METRIC_EVAL_LOSS /* NaN where none was taken */
};
extern const struct sxt_column sxt_metric_columns[];

/* probe.h5: group /texts, one row a text; /loss, /logits (tokens, vocabulary)
 * and /gradients/<tensor>, as asked for. */
#define SXT_PROBE_FORMAT "sextant/probe"
enum sxt_probe_column { SXT_PROBE_IDS, SXT_PROBE_LOSS };
extern const struct sxt_column sxt_probe_columns[];

/* eval.h5: group /items, one row a problem; /summary, one row a benchmark and
 * metric. */
#define SXT_EVAL_FORMAT "sextant/eval"
enum sxt_item_column {
    SXT_ITEM_ID,
    SXT_ITEM_SOURCE,
    SXT_ITEM_DOMAIN,
    SXT_ITEM_SAMPLES,
    SXT_ITEM_PASSED,
    SXT_ITEM_MAJORITY, /* the most frequent answer */
    SXT_ITEM_MAJORITY_PASSES,
    SXT_ITEM_TOKENS /* output tokens of all samples */
};
extern const struct sxt_column sxt_item_columns[];
enum sxt_summary_column {
    SXT_SUMMARY_SOURCE, /* a source, or "all" */
    SXT_SUMMARY_METRIC, /* pass@1, pass@4, maj@8, mean_tokens … */
    SXT_SUMMARY_VALUE,
    SXT_SUMMARY_STDERR,
    SXT_SUMMARY_CI_LOW, /* 95 % */
    SXT_SUMMARY_CI_HIGH,
    SXT_SUMMARY_PROBLEMS,
    SXT_SUMMARY_SAMPLES,
    SXT_SUMMARY_REFERENCE, /* published value, NaN if none */
    SXT_SUMMARY_REFERENCE_SOURCE
};
extern const struct sxt_column sxt_summary_columns[];

/* Every table of every format, in the order of the pipeline. */
struct sxt_format_table {
    const char *format, *file; /* "sextant/eval", "eval.h5" */
    const char *group, *rows;  /* "/items", "one a problem" */
    const struct sxt_column *columns;
};
extern const struct sxt_format_table sxt_format_tables[]; /* format NULL: end */

/* Append them as Markdown; doc/formats.md holds this text. */
void sxt_formats_print(struct sxt_str *out);

#endif
