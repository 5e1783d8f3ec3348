/* grade_explain.c - grade --explain: how verdicts on one problem came about. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "h5/in.h"
#include "stage/formats.h"
#include "stage/grading.h"
#include "task/explain.h"

/* What is asked about, and where it lies. */
struct asked {
    char *responses, *problems, *verdicts; /* paths, owned; verdicts or NULL */
    struct sxt_span id;
    int64_t sample; /* -1: all */
};

/* DIR/name of the directory that `path` lies in; caller frees. */
static char *beside(const char *path, const char *name)
{
    const char *slash = name[0] == '/' ? NULL : strrchr(path, '/');

    return slash ? sxt_printf("%.*s/%s", (int)(slash - path), path, name)
                 : sxt_strdup(name);
}

/* The path of input number `index` of a file of ours, as it was written down,
 * or, if it is not there, beside that file; caller frees. */
static char *input_of(const struct sxt_str *inputs, int index, const char *file)
{
    const char *at = inputs->data ? inputs->data : "";
    size_t n;

    for (; index > 0 && strchr(at, '\n'); index--)
        at = strchr(at, '\n') + 1;
    n = strcspn(at, "\n");
    const char *gap = strstr(at, "  "); /* behind the hash */
    if (!gap || gap > at + n)
        return NULL;
    char *path = sxt_strndup(gap + 2, n - (size_t)(gap + 2 - at));
    FILE *f = fopen(path, "rb");
    if (f) {
        fclose(f);
        return path;
    }
    const char *slash = strrchr(path, '/');
    char *near = beside(file, slash ? slash + 1 : path);
    free(path);
    return near;
}

/* A verdicts file names what it judged. */
static int follow_verdicts(struct asked *a, struct sxt_error *err)
{
    struct sxt_in *in = sxt_in_open(a->responses, NULL, err);
    struct sxt_str inputs = SXT_STR_EMPTY;
    int rc;

    if (!in)
        return -1;
    if (strcmp(sxt_in_format(in), SXT_VERDICTS_FORMAT) != 0) {
        sxt_in_close(in);
        return 0;
    }
    rc = sxt_in_bytes(in, SXT_INPUTS_OBJECT, &inputs, err);
    sxt_in_close(in);
    if (rc == 0) {
        a->verdicts = a->responses;
        free(a->problems);
        a->responses = input_of(&inputs, 0, a->verdicts);
        a->problems = input_of(&inputs, 1, a->verdicts);
        if (!a->responses || !a->problems)
            rc = sxt_err(err, SXT_EXIT_DATA,
                         "%s does not say what it judged: name the "
                         "generations instead",
                         a->verdicts);
    }
    sxt_str_free(&inputs);
    return rc;
}

static int take_operands(const struct sxt_run *run, const char *problems,
                         struct asked *a, struct sxt_error *err)
{
    char *end = NULL;

    if (run->n_args != 2 && run->n_args != 3)
        return sxt_err(err, SXT_EXIT_USAGE,
                       "grade --explain needs a generations, traces, "
                       "verdicts or .jsonl file and a problem's id, and takes "
                       "a sample's number");
    if (run->n_args == 3)
        a->sample = strtoll(run->args[2], &end, 10);
    if (run->n_args == 3 && (*end || end == run->args[2] || a->sample < 0))
        return sxt_err(err, SXT_EXIT_USAGE, "\"%s\" is no number of a sample",
                       run->args[2]);
    a->responses = sxt_strdup(run->args[0]);
    a->problems = beside(run->args[0], problems);
    a->id = sxt_span(run->args[1]);
    return sxt_jsonl_named(a->responses) ? 0 : follow_verdicts(a, err);
}

/* What the verdicts file says of a sample, if it is one. */
static int print_stored(const struct asked *a, int64_t sample,
                        const struct sxt_verdict *v, struct sxt_error *err)
{
    struct sxt_in *in = sxt_in_open(a->verdicts, SXT_VERDICTS_FORMAT, err);
    struct sxt_frame *f = NULL;
    size_t rows;
    int rc = -1;

    if (in && sxt_in_rows(in, "verdicts", &rows, err) == 0)
        rc =
            sxt_in_frame(in, "verdicts", sxt_verdict_columns, 0, rows, &f, err);
    for (size_t i = 0; rc == 0 && i < rows; i++) {
        struct sxt_span id = sxt_frame_text(f, SXT_VERDICT_ID, i);
        struct sxt_span kind = sxt_frame_text(f, SXT_VERDICT_VERDICT, i);
        struct sxt_span rule = sxt_frame_text(f, SXT_VERDICT_RULE, i);
        if (id.len != a->id.len || memcmp(id.data, a->id.data, id.len) != 0 ||
            sxt_frame_i64(f, SXT_VERDICT_SAMPLE, i) != sample)
            continue;
        printf("%-10s %.*s (%.*s)%s\n", "in file", (int)kind.len, kind.data,
               (int)rule.len, rule.data,
               sxt_verdict_parse(kind) == (int)v->kind
                   ? ""
                   : ": another; was it graded with other parameters?");
    }
    if (in)
        sxt_in_close(in);
    sxt_frame_destroy(f);
    return rc;
}

static int explain_row(const struct sxt_grader *grader, const struct asked *a,
                       const struct sxt_question *q,
                       struct sxt_responses *responses, size_t row,
                       struct sxt_error *err)
{
    struct sxt_str text = SXT_STR_EMPTY;
    struct sxt_verdict v = { .rule = "" };
    int64_t sample = sxt_responses_sample(responses, row);
    int rc = sxt_responses_load(responses, row, 1, err);

    if (rc == 0)
        rc = sxt_explain(grader, q, sxt_responses_text(responses, row), &v,
                         &text, err);
    if (rc == 0) {
        struct sxt_span finish = sxt_responses_finish(responses, row);
        printf("problem    %.*s  sample %" PRId64 "  domain %.*s  finish "
               "%.*s\n%s",
               (int)q->id.len, q->id.data, sample, (int)q->domain.len,
               q->domain.data, (int)finish.len, finish.data, text.data);
        if (a->verdicts)
            rc = print_stored(a, sample, &v, err);
        putchar('\n');
        sxt_verdict_free(&v);
    }
    sxt_str_free(&text);
    return rc;
}

static int explain_rows(const struct sxt_grader *grader, const struct asked *a,
                        const struct sxt_question *q,
                        struct sxt_responses *responses, struct sxt_error *err)
{
    size_t shown = 0;

    for (size_t i = 0; i < sxt_responses_count(responses); i++) {
        struct sxt_span id = sxt_responses_id(responses, i);
        if (id.len != a->id.len || memcmp(id.data, a->id.data, id.len) != 0 ||
            (a->sample >= 0 && sxt_responses_sample(responses, i) != a->sample))
            continue;
        shown++;
        if (explain_row(grader, a, q, responses, i, err) != 0)
            return -1;
    }
    if (shown > 0)
        return 0;
    return sxt_err(err, SXT_EXIT_DATA, "%s has no such answer to %.*s",
                   a->responses, (int)a->id.len, a->id.data);
}

static int explain(const struct sxt_grading_options *options,
                   const struct asked *a, struct sxt_error *err)
{
    struct sxt_grader grader = sxt_grading_grader(options);
    struct sxt_problems *problems = sxt_problems_open(a->problems, err);
    struct sxt_responses *responses =
        problems ? sxt_responses_open(a->responses, err) : NULL;
    struct sxt_question q;
    int rc = responses ? 0 : -1;

    if (rc == 0) {
        long row = sxt_problems_find(problems, a->id);
        rc = row >= 0 ? sxt_problems_question(problems, (size_t)row, &q, err)
                      : sxt_err(err, SXT_EXIT_DATA, "%s has no problem %.*s",
                                a->problems, (int)a->id.len, a->id.data);
    }
    if (rc == 0 && sxt_grade_needs_sandbox(q.domain)) {
        grader.sandbox = sxt_grading_sandbox(options, err);
        rc = grader.sandbox ? 0 : -1;
    }
    if (rc == 0)
        rc = explain_rows(&grader, a, &q, responses, err);
    sxt_sandbox_destroy(grader.sandbox);
    sxt_responses_close(responses);
    sxt_problems_close(problems);
    return rc;
}

int sxt_grading_explain(const struct sxt_run *run,
                        const struct sxt_grading_options *options,
                        const char *problems, struct sxt_error *err)
{
    struct asked a = { .sample = -1 };
    int rc = 0;

    if (run->comm.rank == 0) {
        rc = take_operands(run, problems, &a, err);
        if (rc == 0)
            rc = explain(options, &a, err);
    }
    free(a.responses);
    free(a.problems);
    free(a.verdicts);
    return rc;
}
