/* evaluate.c - a model on benchmarks: draw, grade, count. */
#include "stage/evaluate.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "h5/in.h"
#include "h5/out.h"
#include "stage/formats.h"
#include "stage/generate.h"
#include "stage/stages.h"
#include "stage/status.h"

struct values {
    char *model, *generations, *verdicts, *output, *reference;
    struct sxt_wanted wanted;
    struct sxt_asking asking;
    struct sxt_grading_options grading;
};

#define AT(field) offsetof(struct values, field)
static const struct sxt_cfg_param params[] = {
    { "model", SXT_CFG_STRING, "", 0, 0, "1",
      "The model to measure; empty: the generations are there already.",
      AT(model), NULL, NULL },
    { "generations", SXT_CFG_STRING, "eval-generations.h5", 0, 0, "1",
      "The answers: written with a model, read without; without, also .jsonl "
      "lines {\"id\", \"response\"}.",
      AT(generations), NULL, NULL },
    { "verdicts", SXT_CFG_STRING, "", 0, 0, "1",
      "Verdicts on the answers from an earlier grading; empty: grade.",
      AT(verdicts), NULL, NULL },
    { "output", SXT_CFG_STRING, "eval.h5", 0, 0, "1", "File to write.",
      AT(output), NULL, NULL },
    { "reference", SXT_CFG_STRING, "Sky-T1-32B-Preview", 0, 0, "1",
      "Model whose published scores stand beside ours.", AT(reference), NULL,
      NULL },
    { "", SXT_CFG_GROUP, "split=test", 0, 0, "1", "The benchmark problems.",
      AT(wanted), NULL, sxt_wanted_params },
    { "", SXT_CFG_GROUP, "", 0, 0, "1", "How they are asked.", AT(asking), NULL,
      sxt_asking_params },
    { "grading", SXT_CFG_GROUP, "", 0, 0, "1", "How to grade.", AT(grading),
      NULL, sxt_grading_params },
    { .name = NULL }
};
#undef AT

static int draw(const struct sxt_run *run, const struct values *v,
                struct sxt_error *err)
{
    static char no_shard[] = "0/1";
    struct sxt_generate g = { .model = v->model,
                              .output = v->generations,
                              .renew = true,
                              .shard = no_shard,
                              .wanted = v->wanted,
                              .asking = v->asking };

    return sxt_generate_run(run, &g, err);
}

/* This rank's share of verdicts from a file instead of from the grader. */
static int read_verdicts(const char *path, struct sxt_grading *g,
                         struct sxt_error *err)
{
    struct sxt_in *in = sxt_in_open(path, SXT_VERDICTS_FORMAT, err);
    size_t rows = 0, all = sxt_responses_count(g->responses);
    int rc = -1;

    if (in && sxt_in_rows(in, "verdicts", &rows, err) == 0)
        rc = rows == all ? 0
                         : sxt_err(err, SXT_EXIT_DATA,
                                   "%s has %zu verdicts for %zu answers", path,
                                   rows, all);
    if (rc == 0)
        rc = sxt_in_frame(in, "verdicts", sxt_verdict_columns,
                          g->count > 0 ? g->first : 0, g->count, &g->verdicts,
                          err);
    for (size_t i = 0; rc == 0 && i < g->count; i++) {
        struct sxt_span a = sxt_frame_text(g->verdicts, SXT_VERDICT_ID, i);
        struct sxt_span b = sxt_responses_id(g->responses, g->first + i);
        if (a.len != b.len || memcmp(a.data, b.data, a.len) != 0 ||
            sxt_verdict_parse(
                sxt_frame_text(g->verdicts, SXT_VERDICT_VERDICT, i)) < 0)
            rc = sxt_err(err, SXT_EXIT_DATA,
                         "%s: row %zu is no verdict on that answer", path,
                         g->first + i);
    }
    if (in)
        sxt_in_close(in);
    return rc;
}

static int judge(const struct sxt_run *run, const struct values *v,
                 const char *output, struct sxt_grading *g,
                 struct sxt_error *err)
{
    if (!v->verdicts[0])
        return sxt_grading_grade(run, &v->grading, output, g, err);
    char *path = sxt_run_path(run, v->verdicts);
    int rc = sxt_comm_agree(run->comm, read_verdicts(path, g, err), err);
    free(path);
    return rc;
}

/* ---- eval.h5 ---- */

enum { ANSWERS, PROBLEMS }; /* the first sources */

static struct sxt_frame *item_rows(const struct sxt_run *run,
                                   const struct sxt_items *items,
                                   const struct sxt_problems *p)
{
    struct sxt_frame *f = sxt_frame_create(sxt_item_columns);
    size_t first, count;

    sxt_comm_slice(run->comm, items->count, &first, &count);
    for (size_t i = first; i < first + count; i++) {
        const struct sxt_item *t = &items->item[i];
        struct sxt_span id = sxt_problems_id(p, t->problem);
        struct sxt_span source = sxt_problems_source(p, t->problem);
        struct sxt_span domain = sxt_problems_domain(p, t->problem);
        sxt_frame_add(f);
        sxt_frame_set_text(f, SXT_ITEM_ID, id.data, id.len);
        sxt_frame_set_text(f, SXT_ITEM_SOURCE, source.data, source.len);
        sxt_frame_set_text(f, SXT_ITEM_DOMAIN, domain.data, domain.len);
        sxt_frame_set_i64(f, SXT_ITEM_SAMPLES, t->samples);
        sxt_frame_set_i64(f, SXT_ITEM_PASSED, t->passed);
        sxt_frame_set_text(f, SXT_ITEM_MAJORITY, t->majority.data,
                           t->majority.len);
        sxt_frame_set_i64(f, SXT_ITEM_MAJORITY_PASSES, t->majority_passes);
        sxt_frame_set_i64(f, SXT_ITEM_TOKENS, t->tokens);
    }
    return f;
}

static int write_eval(const struct sxt_run *run, const char *output,
                      const struct sxt_sources *from, struct sxt_frame *items,
                      struct sxt_frame *summary, struct sxt_grading *g,
                      struct sxt_error *err)
{
    /* rank 0 has the summary, the others write no row of it */
    struct sxt_frame *none = sxt_frame_create(sxt_summary_columns);
    struct sxt_out *out =
        sxt_run_create(run, output, SXT_EVAL_FORMAT, 1, "A model on benchmarks",
                       (const char *const *)from->path, from->n, err);
    int rc = out ? 0 : -1;

    if (rc == 0)
        rc = sxt_out_frame(out, "items", items, err);
    if (rc == 0)
        rc = sxt_out_frame(out, "summary", run->comm.rank == 0 ? summary : none,
                           err);
    if (rc == 0)
        rc = sxt_out_frame(out, "verdicts", g->verdicts, err);
    if (rc == 0)
        rc = sxt_out_commit(out, err);
    else
        sxt_out_abandon(out);
    sxt_frame_destroy(none);
    return rc;
}

static int summarise(const struct sxt_run *run, const struct values *v,
                     const char *output, const struct sxt_sources *from,
                     struct sxt_grading *g, struct sxt_error *err)
{
    struct sxt_items items;

    sxt_items_gather(run, g, &items);
    struct sxt_frame *rows = item_rows(run, &items, g->problems);
    struct sxt_frame *summary =
        sxt_items_summary(&items, g->problems, v->reference);
    int rc = write_eval(run, output, from, rows, summary, g, err);
    if (rc == 0) {
        sxt_grading_print(run, g);
        sxt_summary_print(run, summary);
        if (items.failed > 0)
            sxt_log(&run->log, SXT_LOG_WARN,
                    "%" PRId64 " answers were not judged (sandbox_error) and "
                    "count neither way",
                    items.failed);
        sxt_log(&run->log, SXT_LOG_INFO, "wrote  %s  %zu of %zu problems",
                output, items.count, sxt_problems_count(g->problems));
    }
    sxt_frame_destroy(rows);
    sxt_frame_destroy(summary);
    sxt_items_free(&items);
    return rc;
}

static int evaluate(const struct sxt_run *run, const struct values *v,
                    const char *output, const struct sxt_sources *from,
                    struct sxt_error *err)
{
    struct sxt_grading g;
    double began = sxt_clock();

    if (v->model[0] && draw(run, v, err) != 0)
        return -1;
    if (run->dry_run && v->model[0])
        return 0;
    int rc = sxt_grading_open(run, from->path[PROBLEMS], from->path[ANSWERS],
                              &g, err);
    if (rc == 0 && !run->dry_run) {
        rc = judge(run, v, output, &g, err);
        if (rc == 0)
            rc = summarise(run, v, output, from, &g, err);
        if (rc == 0 && !v->model[0]) /* else drawing said it, in tokens */
            sxt_status_performance(run,
                                   (double)sxt_responses_count(g.responses),
                                   "answers", began);
    }
    return sxt_grading_close(&g, rc, err);
}

static int run_stage(struct sxt_run *run, const void *values,
                     struct sxt_error *err)
{
    const struct values *v = values;
    char *output = sxt_run_path(run, v->output);
    struct sxt_sources from = { 0 };

    sxt_sources_add(&from, run, v->generations);
    sxt_sources_add(&from, run, v->wanted.problems);
    sxt_sources_add(&from, run, v->model);
    sxt_sources_add(&from, run, v->verdicts);
    int rc = evaluate(run, v, output, &from, err);
    sxt_sources_free(&from);
    free(output);
    return rc;
}

const struct sxt_stage sxt_stage_evaluate = {
    .section = { "evaluate", "Measure a model on benchmarks.", params,
                 sizeof(struct values) },
    .operands = "",
    .run = run_stage
};
