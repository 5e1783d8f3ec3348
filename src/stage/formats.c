/* formats.c - the columns of every table file. */
#include "stage/formats.h"

const struct sxt_column sxt_problem_columns[] = {
    { "id", SXT_COL_TEXT, "1", "Name of the problem, unique in the file.", 0 },
    { "key", SXT_COL_U64, "1", "XXH3-64 of id; names random streams.", 0 },
    { "source", SXT_COL_TEXT, "1", "Data set the problem comes from.", 0 },
    { "domain", SXT_COL_TEXT, "1", "How it is graded: math, code, choice.", 0 },
    { "split", SXT_COL_TEXT, "1", "Part of the source: train or test.", 0 },
    { "difficulty", SXT_COL_TEXT, "1", "Difficulty as the source says it.", 0 },
    { "question", SXT_COL_TEXT, "1", "The problem as the source has it.", 0 },
    { "prompt", SXT_COL_TEXT, "1", "The user message that a model gets.", 0 },
    { "answer", SXT_COL_TEXT, "1", "Reference answer; no model sees it.", 0 },
    { "choices", SXT_COL_TEXT, "1", "JSON array of the choices, or empty.", 0 },
    { "starter", SXT_COL_TEXT, "1", "Code the solution starts from.", 0 },
    { "fn_name", SXT_COL_TEXT, "1", "Function or method the tests call.", 0 },
    { "tests", SXT_COL_TEXT, "1", "Unit tests as JSON, or empty.", 0 },
    { "solution", SXT_COL_TEXT, "1", "Canonical solution, or empty.", 0 },
    { "licence", SXT_COL_TEXT, "1", "Licence of the source.", 0 },
    { .name = NULL }
};

const struct sxt_column sxt_generation_columns[] = {
    { "id", SXT_COL_TEXT, "1", "The problem's id.", 0 },
    { "sample", SXT_COL_I32, "1", "Number of the sample, from 0.", 0 },
    { "key", SXT_COL_U64, "1", "Hash that names this draw.", 0 },
    { "prompt_ids", SXT_COL_IDS, "token id", "The rendered prompt.", 0 },
    { "output_ids", SXT_COL_IDS, "token id", "What the model drew.", 0 },
    { "text", SXT_COL_TEXT, "1", "The output's bytes, stop string cut.", 0 },
    { "finish", SXT_COL_TEXT, "1", "stop, length, loop or external.", 0 },
    { "logprob", SXT_COL_F64, "nat", "Sum over the output tokens.", 0 },
    { .name = NULL }
};

const struct sxt_column sxt_trace_columns[] = {
    { "id", SXT_COL_TEXT, "1", "The problem's id.", 0 },
    { "sample", SXT_COL_I32, "1", "Number of the sample, from 0.", 0 },
    { "thought", SXT_COL_TEXT, "1", "The thinking section.", 0 },
    { "solution", SXT_COL_TEXT, "1", "The solution section.", 0 },
    { "text", SXT_COL_TEXT, "1", "Both with markers, as trained on.", 0 },
    { "method", SXT_COL_TEXT, "1", "kept, splitter, model or fallback.", 0 },
    { "valid", SXT_COL_I32, "1", "1: both sections, answer unchanged.", 0 },
    { "finish", SXT_COL_TEXT, "1", "How the generation ended.", 0 },
    { .name = NULL }
};

const struct sxt_column sxt_verdict_columns[] = {
    { "id", SXT_COL_TEXT, "1", "The problem's id.", 0 },
    { "sample", SXT_COL_I32, "1", "Number of the sample, from 0.", 0 },
    { "verdict", SXT_COL_TEXT, "1", "pass, wrong, no_answer, no_code, …", 0 },
    { "answer", SXT_COL_TEXT, "1", "Answer or code found in the text.", 0 },
    { "rule", SXT_COL_TEXT, "1", "The rule that decided.", 0 },
    { "tests", SXT_COL_I32, "tests", "Unit tests of the problem.", 0 },
    { "tests_run", SXT_COL_I32, "tests", "Unit tests run.", 0 },
    { "tests_passed", SXT_COL_I32, "tests", "Unit tests passed.", 0 },
    { "first_failed", SXT_COL_I32, "1", "First failure, from 0; -1: none.", 0 },
    { "cpu_s", SXT_COL_F64, "s", "CPU time of the tests.", true },
    { "peak_mib", SXT_COL_F64, "MiB", "Most memory a test used.", true },
    { "detail", SXT_COL_TEXT, "1", "Why the first test failed.", true },
    { "sandbox", SXT_COL_TEXT, "1", "Sandbox tier that ran, or empty.", 0 },
    { .name = NULL }
};

const struct sxt_column sxt_train_columns[] = {
    { "id", SXT_COL_TEXT, "1", "The problem's id.", 0 },
    { "sample", SXT_COL_I32, "1", "Number of the sample, from 0.", 0 },
    { "key", SXT_COL_U64, "1", "Hash that names the draw.", 0 },
    { "source", SXT_COL_TEXT, "1", "Data set the problem comes from.", 0 },
    { "system", SXT_COL_TEXT, "1", "System message; empty: none.", 0 },
    { "user", SXT_COL_TEXT, "1", "User message.", 0 },
    { "assistant", SXT_COL_TEXT, "1", "The answer to be learned.", 0 },
    { "reason", SXT_COL_TEXT, "1", "Why it was rejected; empty: kept.", 0 },
    { .name = NULL }
};

const struct sxt_column sxt_metric_columns[] = {
    { "step", SXT_COL_I64, "1", "Optimizer step, from 1.", 0 },
    { "epoch", SXT_COL_F64, "epoch", "Passes over the data so far.", 0 },
    { "loss", SXT_COL_F64, "nat/token", "Mean loss of the step.", 0 },
    { "grad_norm", SXT_COL_F64, "1", "L2 norm before clipping.", 0 },
    { "lr", SXT_COL_F64, "1", "Learning rate.", 0 },
    { "tokens", SXT_COL_I64, "tokens", "Tokens trained on in the step.", 0 },
    { "seconds", SXT_COL_F64, "s", "Wall time of the step.", true },
    { "eval_loss", SXT_COL_F64, "nat/token", "Held-out loss, or NaN.", 0 },
    { .name = NULL }
};

const struct sxt_column sxt_probe_columns[] = {
    { "ids", SXT_COL_IDS, "1", "Token ids of the text.", 0 },
    { "loss", SXT_COL_F64, "nat/token",
      "Mean loss of all tokens behind the first.", 0 },
    { .name = NULL }
};

const struct sxt_column sxt_item_columns[] = {
    { "id", SXT_COL_TEXT, "1", "The problem's id.", 0 },
    { "source", SXT_COL_TEXT, "1", "Data set the problem comes from.", 0 },
    { "domain", SXT_COL_TEXT, "1", "How it is graded.", 0 },
    { "samples", SXT_COL_I32, "samples", "Samples drawn.", 0 },
    { "passed", SXT_COL_I32, "samples", "Samples that pass.", 0 },
    { "majority", SXT_COL_TEXT, "1", "The most frequent answer.", 0 },
    { "majority_passes", SXT_COL_I32, "1", "1 if that answer passes.", 0 },
    { "tokens", SXT_COL_I64, "tokens", "Output tokens of all samples.", 0 },
    { .name = NULL }
};

const struct sxt_column sxt_summary_columns[] = {
    { "source", SXT_COL_TEXT, "1", "Benchmark, or all.", 0 },
    { "metric", SXT_COL_TEXT, "1", "pass@k, maj@k, mean_tokens, …", 0 },
    { "value", SXT_COL_F64, "1", "The metric.", 0 },
    { "stderr", SXT_COL_F64, "1", "Its standard error.", 0 },
    { "ci_low", SXT_COL_F64, "1", "Lower end of the 95 % interval.", 0 },
    { "ci_high", SXT_COL_F64, "1", "Upper end of the 95 % interval.", 0 },
    { "problems", SXT_COL_I64, "problems", "Problems it is taken over.", 0 },
    { "samples", SXT_COL_I64, "samples", "Samples it is taken over.", 0 },
    { "reference", SXT_COL_F64, "1", "Published value, or NaN.", 0 },
    { "reference_source", SXT_COL_TEXT, "1", "Where it was published.", 0 },
    { .name = NULL }
};

const struct sxt_format_table sxt_format_tables[] = {
    { SXT_PROBLEMS_FORMAT, "problems.h5", "/problems", "one a problem",
      sxt_problem_columns },
    { SXT_GENERATIONS_FORMAT, "generations.h5", "/generations",
      "by problem, then sample", sxt_generation_columns },
    { SXT_TRACES_FORMAT, "traces.h5", "/traces", "one a generation, in order",
      sxt_trace_columns },
    { SXT_VERDICTS_FORMAT, "verdicts.h5", "/verdicts",
      "one a generation, in order", sxt_verdict_columns },
    { SXT_TRAIN_FORMAT, "train.h5", "/train and /rejects",
      "one a sample that was kept, or was not", sxt_train_columns },
    { SXT_METRICS_FORMAT, "metrics.h5", "/steps", "one an optimizer step",
      sxt_metric_columns },
    { SXT_EVAL_FORMAT, "eval.h5", "/items", "one a problem", sxt_item_columns },
    { SXT_PROBE_FORMAT, "probe.h5", "/texts", "one a text", sxt_probe_columns },
    { SXT_EVAL_FORMAT, "eval.h5", "/summary", "one a benchmark and metric",
      sxt_summary_columns },
    { SXT_EVAL_FORMAT, "eval.h5", "/verdicts", "one an answer",
      sxt_verdict_columns },
    { .format = NULL }
};

static const char *type_name(enum sxt_col_type type)
{
    switch (type) {
    case SXT_COL_I32:
        return "i32";
    case SXT_COL_I64:
        return "i64";
    case SXT_COL_U64:
        return "u64";
    case SXT_COL_F32:
        return "f32";
    case SXT_COL_F64:
        return "f64";
    case SXT_COL_TEXT:
        return "text";
    case SXT_COL_IDS:
        return "i32 list";
    }
    return "";
}

void sxt_formats_print(struct sxt_str *out)
{
    const struct sxt_format_table *t = sxt_format_tables;

    for (; t->format; t++) {
        sxt_str_add(out,
                    "%s### %s: %s\n\nFormat `%s`; rows: %s.\n\n"
                    "| column | type | unit | meaning |\n|---|---|---|---|\n",
                    t == sxt_format_tables ? "" : "\n", t->file, t->group,
                    t->format, t->rows);
        for (const struct sxt_column *c = t->columns; c->name; c++)
            sxt_str_add(out, "| %s%s | %s | %s | %s |\n", c->name,
                        c->is_volatile ? " (provenance)" : "",
                        type_name(c->type), c->unit, c->doc);
    }
}
