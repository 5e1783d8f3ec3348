/* select.c - which answers are trained on.
 *
 * Every rank decides about every answer from the same facts, so the result
 * does not depend on their number; texts are read by the rank that writes
 * them.  What is left out stays in /rejects with its reason. */
#include "stage/select.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "h5/in.h"
#include "h5/out.h"
#include "stage/formats.h"
#include "stage/stages.h"
#include "stage/status.h"
#include "task/dedup.h"

#define AT(field) offsetof(struct sxt_select, field)
static const struct sxt_cfg_param params[] = {
    { "traces", SXT_CFG_STRING, "traces.h5", 0, 0, "1",
      "The answers to choose from.", AT(traces), NULL, NULL },
    { "verdicts", SXT_CFG_STRING, "verdicts.h5", 0, 0, "1",
      "Their verdicts; not read with filter = \"none\".", AT(verdicts), NULL,
      NULL },
    { "problems", SXT_CFG_STRING, "problems.h5", 0, 0, "1",
      "The problems that were answered.", AT(problems), NULL, NULL },
    { "output", SXT_CFG_STRING, "train.h5", 0, 0, "1", "File to write.",
      AT(output), NULL, NULL },
    { "from_sharegpt", SXT_CFG_STRING, "", 0, 0, "1",
      "Instead of choosing, take over conversations {\"system\", "
      "\"conversations\"} from this file.",
      AT(from_sharegpt), NULL, NULL },
    { "sharegpt", SXT_CFG_STRING, "", 0, 0, "1",
      "Also write what is kept as ShareGPT lines; empty: do not.", AT(sharegpt),
      NULL, NULL },
    { "system_file", SXT_CFG_STRING, "", 0, 0, "1",
      "File with the system message of every sample, or the name of one that "
      "comes along (sky-t1, qwen-cot); empty: none.",
      AT(system_file), NULL, NULL },
    { "filter", SXT_CFG_CHOICE, "verdict", 0, 0, "1",
      "Keep answers that pass, or all (the ablation without rejection).",
      AT(filter), "verdict|none", NULL },
    { "finish", SXT_CFG_BOOL, "true", 0, 0, "1",
      "Leave out answers that were cut off.", AT(finish), NULL, NULL },
    { "valid", SXT_CFG_BOOL, "true", 0, 0, "1",
      "Leave out answers that have not both sections.", AT(valid), NULL, NULL },
    { "per_problem", SXT_CFG_INT, "1", 0, 1e9, "answers",
      "Most answers kept of a problem; 0: all.", AT(per_problem), NULL, NULL },
    { "prefer", SXT_CFG_CHOICE, "first", 0, 0, "1",
      "Which ones: the first drawn or the shortest.", AT(prefer),
      "first|shortest", NULL },
    { "dedup", SXT_CFG_BOOL, "true", 0, 0, "1",
      "Leave out problems whose words an earlier one has.", AT(dedup), NULL,
      NULL },
    { "quotas", SXT_CFG_STRINGS, "", 0, 0, "1",
      "Most answers kept of a source, as in \"math:4000,aime:2500\".",
      AT(quotas), NULL, NULL },
    { "decontaminate", SXT_CFG_STRINGS, "", 0, 0, "1",
      "Problems files; what shares a run of words with one of theirs is left "
      "out.",
      AT(decontaminate), NULL, NULL },
    { "ngram", SXT_CFG_INT, "13", 1, 100, "words", "Length of such a run.",
      AT(ngram), NULL, NULL },
    { .name = NULL }
};
#undef AT

/* ---- facts ---- */

static int read_verdicts(struct sxt_selection *s, const char *path,
                         struct sxt_error *err)
{
    const struct sxt_column columns[] = {
        sxt_verdict_columns[SXT_VERDICT_ID],
        sxt_verdict_columns[SXT_VERDICT_SAMPLE],
        sxt_verdict_columns[SXT_VERDICT_VERDICT],
        { .name = NULL }
    };
    struct sxt_in *in = sxt_in_open(path, SXT_VERDICTS_FORMAT, err);
    struct sxt_frame *f = NULL;
    size_t rows = 0;
    int rc = -1;

    if (in && sxt_in_rows(in, "verdicts", &rows, err) == 0)
        rc = sxt_in_frame(in, "verdicts", columns, 0, rows, &f, err);
    if (rc == 0 && rows != s->n)
        rc = sxt_err(err, SXT_EXIT_DATA, "%s has %zu verdicts for %zu answers",
                     path, rows, s->n);
    for (size_t i = 0; rc == 0 && i < rows; i++) {
        struct sxt_span id = sxt_frame_text(f, 0, i);
        struct sxt_span own = sxt_frame_text(s->names, SXT_SELECT_ID, i);
        bool same = id.len == own.len &&
                    memcmp(id.data, own.data, id.len) == 0 &&
                    sxt_frame_i64(f, 1, i) ==
                        sxt_frame_i64(s->names, SXT_SELECT_SAMPLE, i);
        s->verdict[i] = sxt_verdict_parse(sxt_frame_text(f, 2, i));
        if (!same || s->verdict[i] < 0)
            rc = sxt_err(err, SXT_EXIT_DATA,
                         "%s: row %zu is no verdict on row %zu of the traces",
                         path, i, i);
    }
    sxt_frame_destroy(f);
    if (in)
        sxt_in_close(in);
    return rc;
}

/* Were the verdicts given on these traces, or on what these were made of?  The
 * sums tell that files keep of what they were made of.  Rank 0. */
static bool on_these(struct sxt_in *traces, const char *verdicts)
{
    struct sxt_in *in = sxt_in_open(verdicts, SXT_VERDICTS_FORMAT, NULL);
    struct sxt_str judged = SXT_STR_EMPTY, made = SXT_STR_EMPTY;
    char sum[SXT_SHA256_TEXT] = "";
    bool yes = true; /* unless they say otherwise */

    if (in && sxt_in_bytes(in, SXT_INPUTS_OBJECT, &judged, NULL) == 0 &&
        sxt_in_bytes(traces, SXT_INPUTS_OBJECT, &made, NULL) == 0 &&
        judged.len >= SXT_SHA256_TEXT && made.len > 0) {
        sxt_str_cut(&judged, SXT_SHA256_TEXT - 1); /* the answers come first */
        yes = strstr(made.data, judged.data) ||
              (sxt_digest_file(sxt_in_path(traces), sum, NULL) == 0 &&
               strcmp(sum, judged.data) == 0);
    }
    sxt_in_close(in);
    sxt_str_free(&judged);
    sxt_str_free(&made);
    return yes;
}

static int match_problems(struct sxt_selection *s, struct sxt_error *err)
{
    for (size_t i = 0; i < s->n; i++) {
        struct sxt_span id = sxt_frame_text(s->names, SXT_SELECT_ID, i);
        long row = sxt_problems_find(s->problems, id);
        if (row < 0)
            return sxt_err(err, SXT_EXIT_DATA, "no problem is named %.*s",
                           (int)id.len, id.data);
        s->problem_of[i] = (size_t)row;
    }
    return 0;
}

static int read_names(struct sxt_selection *s, const char *path,
                      struct sxt_error *err)
{
    s->columns[SXT_SELECT_ID] = sxt_trace_columns[SXT_TRACE_ID];
    s->columns[SXT_SELECT_SAMPLE] = sxt_trace_columns[SXT_TRACE_SAMPLE];
    s->columns[SXT_SELECT_VALID] = sxt_trace_columns[SXT_TRACE_VALID];
    s->columns[SXT_SELECT_FINISH] = sxt_trace_columns[SXT_TRACE_FINISH];
    s->text_column[0] = sxt_trace_columns[SXT_TRACE_TEXT];
    s->traces = sxt_in_open(path, SXT_TRACES_FORMAT, err);
    if (!s->traces || sxt_in_rows(s->traces, "traces", &s->n, err) != 0)
        return -1;
    s->problem_of = sxt_alloc(s->n, sizeof(*s->problem_of));
    s->verdict = sxt_calloc(s->n, sizeof(*s->verdict));
    s->reason = sxt_calloc(s->n, sizeof(*s->reason));
    s->length = sxt_calloc(s->n, sizeof(*s->length));
    return sxt_in_frame(s->traces, "traces", s->columns, 0, s->n, &s->names,
                        err);
}

/* Lengths of all texts, each rank looking at its own rows. */
static int read_texts(const struct sxt_run *run, struct sxt_selection *s,
                      struct sxt_error *err)
{
    size_t *offsets;
    char *all;

    sxt_comm_slice(run->comm, s->n, &s->first, &s->count);
    int rc = sxt_in_frame(s->traces, "traces", s->text_column, s->first,
                          s->count, &s->texts, err);
    if (sxt_comm_agree(run->comm, rc, err) != 0)
        return -1;
    for (size_t i = 0; i < s->count; i++)
        s->length[s->first + i] = sxt_frame_text(s->texts, 0, i).len;
    sxt_comm_allgather_bytes(run->comm, s->length + s->first,
                             s->count * sizeof(*s->length), &all, &offsets);
    memcpy(s->length, all, s->n * sizeof(*s->length));
    free(all);
    free(offsets);
    return 0;
}

/* ---- rules ---- */

static void reject(struct sxt_selection *s, size_t row,
                   enum sxt_reject_reason reason)
{
    if (s->reason[row] == SXT_KEEP)
        s->reason[row] = reason;
}

static void by_answer(struct sxt_selection *s, const struct sxt_select *v)
{
    for (size_t i = 0; i < s->n; i++) {
        struct sxt_span finish = sxt_frame_text(s->names, SXT_SELECT_FINISH, i);
        bool finished = sxt_span_equal(finish, "stop") ||
                        sxt_span_equal(finish, "external");
        if (strcmp(v->filter, "verdict") == 0 &&
            s->verdict[i] != SXT_VERDICT_IS_PASS)
            reject(s, i, SXT_REJECT_VERDICT);
        if (v->finish && !finished)
            reject(s, i, SXT_REJECT_CUT_OFF);
        if (v->valid && !sxt_frame_i64(s->names, SXT_SELECT_VALID, i))
            reject(s, i, SXT_REJECT_FORMAT);
    }
}

static int decontaminate(const struct sxt_run *run, struct sxt_selection *s,
                         const struct sxt_select *v, struct sxt_error *err)
{
    struct sxt_ngrams *grams = sxt_ngrams_create((size_t)v->ngram);
    size_t m = sxt_problems_count(s->problems);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < v->decontaminate.count; i++) {
        char *path = sxt_run_path(run, v->decontaminate.items[i]);
        struct sxt_problems *p = sxt_problems_open(path, err);
        for (size_t k = 0; p && k < sxt_problems_count(p); k++)
            sxt_ngrams_add(grams, sxt_problems_text(p, k));
        rc = p ? 0 : -1;
        sxt_problems_close(p);
        free(path);
    }
    bool *meets = sxt_calloc(m, sizeof(*meets));
    for (size_t k = 0; rc == 0 && k < m; k++)
        meets[k] = sxt_ngrams_meet(grams, sxt_problems_text(s->problems, k));
    for (size_t i = 0; rc == 0 && i < s->n; i++)
        if (meets[s->problem_of[i]])
            reject(s, i, SXT_REJECT_CONTAMINATED);
    free(meets);
    sxt_ngrams_destroy(grams);
    return rc;
}

/* Of its words; "which of these is true?" is another question with other
 * choices. */
static uint64_t dedup_key(const struct sxt_problems *p, size_t problem)
{
    return sxt_hash64_combine(sxt_dedup_key(sxt_problems_text(p, problem)),
                              sxt_dedup_key(sxt_problems_choices(p, problem)));
}

/* The first problem with the same words stands for all of them. */
static void dedup(struct sxt_selection *s)
{
    struct sxt_map *first = sxt_map_create();

    for (size_t i = 0; i < s->n; i++) {
        size_t problem = s->problem_of[i];
        uint64_t key = dedup_key(s->problems, problem);
        if (s->reason[i] != SXT_KEEP)
            continue;
        sxt_map_put(first, &key, sizeof(key), problem);
        if (*sxt_map_get(first, &key, sizeof(key)) != problem)
            reject(s, i, SXT_REJECT_DUPLICATE);
    }
    sxt_map_destroy(first);
}

/* Does answer a come before b of the same problem? */
static bool better(const struct sxt_selection *s, const struct sxt_select *v,
                   size_t a, size_t b)
{
    if (strcmp(v->prefer, "shortest") == 0 && s->length[a] != s->length[b])
        return s->length[a] < s->length[b];
    return a < b;
}

/* Keep the best `per_problem` of each problem: answer i stays if fewer than
 * that many others are better. */
static void per_problem(struct sxt_selection *s, const struct sxt_select *v)
{
    size_t m = sxt_problems_count(s->problems);
    size_t *head = sxt_alloc(m, sizeof(*head)), *next;

    next = sxt_alloc(s->n, sizeof(*next));
    for (size_t k = 0; k < m; k++)
        head[k] = s->n;
    for (size_t i = s->n; i-- > 0;) {
        next[i] = s->n;
        if (s->reason[i] != SXT_KEEP)
            continue;
        next[i] = head[s->problem_of[i]];
        head[s->problem_of[i]] = i;
    }
    for (size_t i = 0; i < s->n; i++) {
        int64_t before = 0;
        if (s->reason[i] != SXT_KEEP)
            continue;
        for (size_t k = head[s->problem_of[i]]; k < s->n; k = next[k])
            before += better(s, v, k, i);
        if (before >= v->per_problem)
            reject(s, i, SXT_REJECT_SURPLUS);
    }
    free(head);
    free(next);
}

/* "source:number", the number in *most. */
static int read_quota(const char *text, struct sxt_span *source, int64_t *most,
                      struct sxt_error *err)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;

    *most = colon ? strtoll(colon + 1, &end, 10) : -1;
    if (!colon || colon == text || *most < 0 || end == colon + 1 || *end)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "quota \"%s\" is not SOURCE:NUMBER", text);
    *source = (struct sxt_span){ text, (size_t)(colon - text) };
    return 0;
}

static int quotas(struct sxt_selection *s, const struct sxt_select *v,
                  struct sxt_error *err)
{
    struct sxt_span source = { "", 0 };
    int64_t most = 0;

    for (size_t q = 0; q < v->quotas.count; q++) {
        bool known = false;
        if (read_quota(v->quotas.items[q], &source, &most, err) != 0)
            return -1;
        for (size_t i = 0; i < s->n; i++) {
            struct sxt_span own =
                sxt_problems_source(s->problems, s->problem_of[i]);
            bool mine = own.len == source.len &&
                        memcmp(own.data, source.data, own.len) == 0;
            known |= mine;
            if (mine && s->reason[i] == SXT_KEEP && most-- <= 0)
                reject(s, i, SXT_REJECT_QUOTA);
        }
        if (!known)
            return sxt_err(err, SXT_EXIT_CONFIG,
                           "quota for %.*s: no answer is from that source",
                           (int)source.len, source.data);
    }
    return 0;
}

static int choose(const struct sxt_run *run, struct sxt_selection *s,
                  const struct sxt_select *v, struct sxt_error *err)
{
    by_answer(s, v);
    if (decontaminate(run, s, v, err) != 0)
        return -1;
    if (v->dedup)
        dedup(s);
    if (v->per_problem > 0)
        per_problem(s, v);
    return quotas(s, v, err);
}

/* ---- the stage ---- */

static int open_selection(const struct sxt_run *run, struct sxt_selection *s,
                          const struct sxt_select *v,
                          const struct sxt_sources *from, struct sxt_error *err)
{
    char *system =
        v->system_file[0] ? sxt_run_prompt(run, v->system_file) : NULL;
    int rc = read_names(s, from->path[0], err);

    if (rc == 0) {
        s->problems = sxt_problems_open(from->path[1], err);
        rc = s->problems ? match_problems(s, err) : -1;
    }
    if (rc == 0 && strcmp(v->filter, "verdict") == 0)
        rc = read_verdicts(s, from->path[2], err);
    if (rc == 0 && strcmp(v->filter, "verdict") == 0 && run->comm.rank == 0 &&
        !on_these(s->traces, from->path[2]))
        sxt_log(&run->log, SXT_LOG_WARN,
                "%s was not made from %s, nor from what that was made from: "
                "grade again if the answers are others",
                from->path[2], from->path[0]);
    if (rc == 0 && system)
        rc = sxt_file_read(system, &s->system, err);
    free(system);
    return sxt_comm_agree(run->comm, rc, err);
}

static void selection_free(struct sxt_selection *s)
{
    if (s->traces)
        sxt_in_close(s->traces);
    sxt_problems_close(s->problems);
    sxt_frame_destroy(s->names);
    sxt_frame_destroy(s->texts);
    sxt_str_free(&s->system);
    free(s->problem_of);
    free(s->verdict);
    free(s->reason);
    free(s->length);
}

static int select_rows(const struct sxt_run *run, const struct sxt_select *v,
                       const char *output, struct sxt_error *err)
{
    struct sxt_sources from = { 0 };
    struct sxt_selection s = { .n = 0 };
    double began = sxt_clock();

    sxt_status_doing(run, "selecting");
    sxt_sources_add(&from, run, v->traces);
    sxt_sources_add(&from, run, v->problems);
    if (strcmp(v->filter, "verdict") == 0)
        sxt_sources_add(&from, run, v->verdicts);
    for (size_t i = 0; i < v->decontaminate.count; i++)
        sxt_sources_add(&from, run, v->decontaminate.items[i]);
    int rc = open_selection(run, &s, v, &from, err);

    if (rc == 0)
        rc = read_texts(run, &s, err);
    if (rc == 0)
        rc = sxt_comm_agree(run->comm, choose(run, &s, v, err), err);
    if (rc == 0 && !run->dry_run)
        rc = sxt_select_write(run, &s, output, &from, err);
    if (rc == 0)
        sxt_select_print(run, &s);
    if (rc == 0)
        sxt_status_performance(run, (double)s.n, "answers", began);
    selection_free(&s);
    sxt_sources_free(&from);
    return rc;
}

static int run_stage(struct sxt_run *run, const void *values,
                     struct sxt_error *err)
{
    const struct sxt_select *v = values;
    char *output = sxt_run_path(run, v->output), *lines;
    int rc = v->from_sharegpt[0] ? sxt_select_import(run, v, output, err)
                                 : select_rows(run, v, output, err);

    if (rc == 0 && v->sharegpt[0] && !run->dry_run) {
        lines = sxt_run_path(run, v->sharegpt);
        rc = run->comm.rank == 0 ? sxt_select_export(run, output, lines, err)
                                 : 0;
        rc = sxt_comm_agree(run->comm, rc, err);
        free(lines);
    }
    free(output);
    return rc;
}

const struct sxt_stage sxt_stage_select = {
    .section = { "select", "Choose the answers to train on.", params,
                 sizeof(struct sxt_select) },
    .operands = "",
    .run = run_stage
};
