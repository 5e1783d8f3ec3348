/* grade.c - a verdict for every response. */
#include <stddef.h>
#include <stdlib.h>

#include "h5/out.h"
#include "stage/formats.h"
#include "stage/grading.h"
#include "stage/stages.h"
#include "stage/status.h"

struct values {
    char *generations, *responses, *problems, *output;
    bool explain;
    struct sxt_grading_options grading;
};

#define AT(field) offsetof(struct values, field)
static const struct sxt_cfg_param params[] = {
    { "generations", SXT_CFG_STRING, "generations.h5", 0, 0, "1",
      "What is graded: a generations or traces file.", AT(generations), NULL,
      NULL },
    { "responses", SXT_CFG_STRING, "", 0, 0, "1",
      "Instead of it, lines {\"id\", \"response\"[, \"sample\"]} of any other "
      "engine: a .jsonl file.",
      AT(responses), NULL, NULL },
    { "problems", SXT_CFG_STRING, "problems.h5", 0, 0, "1",
      "The problems that were answered.", AT(problems), NULL, NULL },
    { "output", SXT_CFG_STRING, "verdicts.h5", 0, 0, "1",
      "File to write; verdicts so far are in OUTPUT.journal/.", AT(output),
      NULL, NULL },
    { "explain", SXT_CFG_BOOL, "false", 0, 0, "1",
      "Write nothing; print how the verdicts on operands FILE ID [SAMPLE] come "
      "about.",
      AT(explain), NULL, NULL },
    { "grading", SXT_CFG_GROUP, "", 0, 0, "1", "How to grade.", AT(grading),
      NULL, sxt_grading_params },
    { .name = NULL }
};
#undef AT

static int write_verdicts(const struct sxt_run *run, const char *output,
                          const char *const inputs[2], struct sxt_grading *g,
                          struct sxt_error *err)
{
    struct sxt_out *out = sxt_run_create(run, output, SXT_VERDICTS_FORMAT, 1,
                                         "Verdicts on answers", inputs, 2, err);
    if (!out)
        return -1;
    if (sxt_out_frame(out, "verdicts", g->verdicts, err) == 0)
        return sxt_out_commit(out, err);
    sxt_out_abandon(out);
    return -1;
}

static int grade(const struct sxt_run *run, const struct values *v,
                 const char *output, const char *const inputs[2],
                 struct sxt_error *err)
{
    struct sxt_grading g;
    double began = sxt_clock();
    int rc = sxt_grading_open(run, inputs[1], inputs[0], &g, err);

    if (rc == 0)
        sxt_log(&run->log, SXT_LOG_INFO, "problems %zu  answers %zu",
                sxt_problems_count(g.problems),
                sxt_responses_count(g.responses));
    if (rc == 0 && !run->dry_run) {
        rc = sxt_grading_grade(run, &v->grading, output, &g, err);
        if (rc == 0)
            rc = write_verdicts(run, output, inputs, &g, err);
        if (rc == 0)
            sxt_grading_print(run, &g);
        if (rc == 0)
            sxt_log(&run->log, SXT_LOG_INFO, "wrote  %s  %zu verdicts  %.1f s",
                    output, sxt_responses_count(g.responses), g.seconds);
        if (rc == 0)
            sxt_status_performance(run,
                                   (double)sxt_responses_count(g.responses),
                                   "answers", began);
    }
    return sxt_grading_close(&g, rc, err);
}

static bool asks(const void *values)
{
    return ((const struct values *)values)->explain;
}

static int run_stage(struct sxt_run *run, const void *values,
                     struct sxt_error *err)
{
    const struct values *v = values;

    if (v->explain)
        return sxt_grading_explain(run, &v->grading, v->problems, err);
    if (run->n_args > 0)
        return sxt_err(err, SXT_EXIT_USAGE,
                       "grade takes operands with --explain only");
    char *answers =
        sxt_run_path(run, v->responses[0] ? v->responses : v->generations);
    char *problems = sxt_run_path(run, v->problems);
    char *output = sxt_run_path(run, v->output);
    const char *inputs[2] = { answers, problems };
    int rc = grade(run, v, output, inputs, err);

    free(answers);
    free(problems);
    free(output);
    return rc;
}

const struct sxt_stage sxt_stage_grade = {
    .section = { "grade", "Judge every answer, by one grader a domain.", params,
                 sizeof(struct values) },
    .operands = "[--explain FILE ID [SAMPLE]]",
    .run = run_stage,
    .asks = asks
};
