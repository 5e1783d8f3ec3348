/* grading.c - verdicts for all responses, on all ranks. */
#include "stage/grading.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "stage/formats.h"
#include "stage/gradelog.h"
#include "stage/status.h"

#define AT(field) offsetof(struct sxt_grading_options, field)
const struct sxt_cfg_param sxt_grading_params[] = {
    { "profile", SXT_CFG_CHOICE, "strict", 0, 0, "1",
      "Rules of judgement: ours, or SkyThought's with their faults, to compare "
      "with its published scores (doc/grading.md).",
      AT(profile), "strict|upstream", NULL },
    { "guess", SXT_CFG_BOOL, "false", 0, 0, "1",
      "Take the last formula or number as the answer where none is stated.",
      AT(guess), NULL, NULL },
    { "tolerance", SXT_CFG_REAL, "-1", -1, 1, "1",
      "Largest error of a number that a program prints or returns, relative "
      "to max (1, |x|); -1: as its data set says.",
      AT(tolerance), NULL, NULL },
    { "python", SXT_CFG_STRING, "", 0, 0, "1",
      "Interpreter for programs; empty: python3 of the search path.",
      AT(python), NULL, NULL },
    { "wrapper", SXT_CFG_STRING, "", 0, 0, "1",
      "Command in whose jail programs run where the kernel gives this user "
      "none, as a bwrap with its options (doc/sandbox.md); empty: none.",
      AT(wrapper), NULL, NULL },
    { "accept_reduced", SXT_CFG_BOOL, "false", 0, 0, "1",
      "Run programs also where only the reduced sandbox can be had.",
      AT(accept_reduced), NULL, NULL },
    { .name = NULL }
};
#undef AT

static int match_problems(struct sxt_grading *g, struct sxt_error *err)
{
    size_t n = sxt_responses_count(g->responses), strangers = 0;
    struct sxt_span first = { "", 0 };

    g->problem_of = sxt_alloc(n, sizeof(*g->problem_of));
    for (size_t i = 0; i < n; i++) {
        struct sxt_span id = sxt_responses_id(g->responses, i);
        long row = sxt_problems_find(g->problems, id);
        if (row < 0 && strangers++ == 0)
            first = id;
        g->problem_of[i] = (size_t)row;
    }
    if (strangers == 0)
        return 0;
    return sxt_err(err, SXT_EXIT_DATA,
                   "%zu of %zu responses belong to no problem, the first to "
                   "\"%.*s\": are these the problems they answer?",
                   strangers, n, (int)first.len, first.data);
}

/* Contiguous shares of about equal cost: a program takes long, an answer
 * microseconds. */
static void take_share(struct sxt_comm comm, struct sxt_grading *g)
{
    enum { PROGRAM = 1000, ANSWER = 1 };
    size_t n = sxt_responses_count(g->responses), total = 0, before = 0;
    size_t *cost = sxt_alloc(n, sizeof(*cost));

    for (size_t i = 0; i < n; i++) {
        struct sxt_span domain =
            sxt_problems_domain(g->problems, g->problem_of[i]);
        cost[i] = sxt_grade_needs_sandbox(domain) ? PROGRAM : ANSWER;
        total += cost[i];
    }
    size_t size = (size_t)comm.size, rank = (size_t)comm.rank;
    g->first = n;
    g->count = 0;
    for (size_t i = 0; i < n; i++) {
        size_t owner = before * size / total;
        if (owner == rank) {
            g->first = g->count == 0 ? i : g->first;
            g->count++;
        }
        before += cost[i];
    }
    free(cost);
}

int sxt_grading_open(const struct sxt_run *run, const char *problems,
                     const char *responses, struct sxt_grading *g,
                     struct sxt_error *err)
{
    int rc = -1;

    *g = (struct sxt_grading){ NULL };
    g->problems = sxt_problems_open(problems, err);
    if (g->problems)
        g->responses = sxt_responses_open(responses, err);
    if (g->responses)
        rc = match_problems(g, err);
    if (rc == 0) {
        take_share(run->comm, g);
        rc = sxt_responses_load(
            g->responses,
            g->first < sxt_responses_count(g->responses) ? g->first : 0,
            g->count, err);
    }
    return sxt_comm_agree(run->comm, rc, err);
}

int sxt_grading_close(struct sxt_grading *g, int rc, struct sxt_error *err)
{
    if (rc == 0 && g->log)
        rc = sxt_worklog_remove(g->log, err);
    rc = sxt_worklog_close(g->log, rc, err);
    sxt_problems_close(g->problems);
    sxt_responses_close(g->responses);
    sxt_frame_destroy(g->verdicts);
    free(g->problem_of);
    return rc;
}

static void add_row(struct sxt_grading *g, size_t row,
                    const struct sxt_verdict *v)
{
    struct sxt_frame *f = g->verdicts;
    struct sxt_span id = sxt_responses_id(g->responses, row);

    sxt_frame_add(f);
    sxt_frame_set_text(f, SXT_VERDICT_ID, id.data, id.len);
    sxt_frame_set_i64(f, SXT_VERDICT_SAMPLE,
                      sxt_responses_sample(g->responses, row));
    sxt_frame_set_string(f, SXT_VERDICT_VERDICT, sxt_verdict_name(v->kind));
    sxt_frame_set_text(f, SXT_VERDICT_ANSWER,
                       v->answer.data ? v->answer.data : "", v->answer.len);
    sxt_frame_set_string(f, SXT_VERDICT_RULE, v->rule);
    sxt_frame_set_i64(f, SXT_VERDICT_TESTS, v->tests);
    sxt_frame_set_i64(f, SXT_VERDICT_TESTS_RUN, v->tests_run);
    sxt_frame_set_i64(f, SXT_VERDICT_TESTS_PASSED, v->tests_passed);
    sxt_frame_set_i64(f, SXT_VERDICT_FIRST_FAILED, v->first_failed);
    sxt_frame_set_f64(f, SXT_VERDICT_CPU_S, v->cpu_s);
    sxt_frame_set_f64(f, SXT_VERDICT_PEAK_MIB,
                      (double)v->peak_bytes / (1 << 20));
    sxt_frame_set_string(f, SXT_VERDICT_DETAIL, v->detail);
    sxt_frame_set_string(f, SXT_VERDICT_SANDBOX, v->sandbox);
}

/* Rank 0's share stands for all: shares are of about equal cost. */
static void tell(const struct sxt_run *run, const struct sxt_grading *g,
                 size_t done, double need_s)
{
    struct sxt_status_now now = {
        .doing = "grading",
        .unit = run->comm.size > 1 ? "answers of rank 0" : "answers",
        .done = (double)done,
        .total = (double)g->count,
        .need_s = need_s,
        .lines = true,
    };

    sxt_status_tell(run, &now);
}

/* The verdict on a response, from the journal or new and into it. */
static int judge(const struct sxt_grader *grader, uint64_t settings,
                 struct sxt_grading *g, size_t row, struct sxt_verdict *v,
                 struct sxt_error *err)
{
    struct sxt_span response = sxt_responses_text(g->responses, row);
    struct sxt_question q;
    bool begun;

    if (sxt_problems_question(g->problems, g->problem_of[row], &q, err) != 0)
        return -1;
    uint64_t key = sxt_gradelog_key(sxt_grade_rules(), settings, &q, response);
    if (sxt_worklog_find(g->log, key, &begun) != 0)
        return sxt_gradelog_read(g->log, key, v, err);
    if (sxt_grade(grader, &q, response, v, err) != 0)
        return -1;
    if (sxt_gradelog_save(g->log, key, v, err) == 0)
        return 0;
    sxt_verdict_free(v);
    return -1;
}

static int grade_share(const struct sxt_grader *grader, uint64_t settings,
                       struct sxt_grading *g, const struct sxt_run *run,
                       struct sxt_error *err)
{
    double looked = 0, longest_s = 0, began = sxt_clock();
    struct sxt_verdict v;

    for (size_t i = g->first; i < g->first + g->count; i++) {
        enum sxt_stop why = sxt_run_told(run, &looked, 2 * longest_s);
        if (why)
            return sxt_run_stopped(why, err, "while grading");
        tell(run, g, i - g->first, 2 * longest_s);
        if (sxt_worklog_tick(g->log, err) != 0 ||
            judge(grader, settings, g, i, &v, err) != 0)
            return -1;
        add_row(g, i, &v);
        sxt_verdict_free(&v);
        double now = sxt_clock();
        longest_s = now - began > longest_s ? now - began : longest_s;
        began = now;
    }
    return 0;
}

struct sxt_sandbox *sxt_grading_sandbox(
    const struct sxt_grading_options *options, struct sxt_error *err)
{
    struct sxt_sandbox_options o = { .python = options->python,
                                     .wrapper = options->wrapper,
                                     .accept_reduced =
                                         options->accept_reduced };

    return sxt_sandbox_create(&o, err);
}

/* A sandbox only where programs are graded. */
static int open_sandbox(const struct sxt_run *run,
                        const struct sxt_grading_options *options,
                        const struct sxt_grading *g,
                        struct sxt_sandbox **sandbox, struct sxt_error *err)
{
    bool programs = false;

    *sandbox = NULL;
    for (size_t i = g->first; i < g->first + g->count && !programs; i++)
        programs = sxt_grade_needs_sandbox(
            sxt_problems_domain(g->problems, g->problem_of[i]));
    if (!programs)
        return 0;
    *sandbox = sxt_grading_sandbox(options, err);
    if (!*sandbox)
        return -1;
    sxt_log(&run->log, SXT_LOG_INFO, "sandbox  %s",
            sxt_sandbox_describe(*sandbox));
    return 0;
}

struct sxt_grader sxt_grading_grader(const struct sxt_grading_options *options)
{
    return (struct sxt_grader){
        .guess = options->guess,
        .profile = strcmp(options->profile, "upstream") == 0
                       ? SXT_PROFILE_UPSTREAM
                       : SXT_PROFILE_STRICT,
        .tolerance = options->tolerance,
    };
}

/* Hash of all options that a verdict depends on. */
static uint64_t hash_options(const struct sxt_grading_options *o)
{
    const char *const text[] = { o->profile, o->python, o->wrapper };
    uint64_t h = sxt_hash64(&o->tolerance, sizeof(o->tolerance),
                            2 * o->guess + o->accept_reduced);

    for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++)
        h = sxt_hash64(text[i], strlen(text[i]), h);
    return h;
}

static int open_log(const struct sxt_run *run, const char *output,
                    struct sxt_grading *g, struct sxt_error *err)
{
    char *dir = sxt_printf("%s.journal", output);

    g->log = sxt_worklog_open(run->comm, dir, err);
    free(dir);
    if (!g->log)
        return -1;
    sxt_worklog_tell(g->log, &run->log);
    return 0;
}

int sxt_grading_grade(const struct sxt_run *run,
                      const struct sxt_grading_options *options,
                      const char *output, struct sxt_grading *g,
                      struct sxt_error *err)
{
    struct sxt_grader grader = sxt_grading_grader(options);
    double start = sxt_clock();
    int rc = open_sandbox(run, options, g, &grader.sandbox, err);

    g->verdicts = sxt_frame_create(sxt_verdict_columns);
    rc = sxt_comm_agree(run->comm, rc, err);
    if (rc == 0)
        rc = open_log(run, output, g, err);
    if (rc == 0)
        rc = sxt_comm_agree(
            run->comm, grade_share(&grader, hash_options(options), g, run, err),
            err);
    sxt_sandbox_destroy(grader.sandbox);
    g->seconds = sxt_clock() - start;
    return rc;
}

/* ---- the closing table ---- */

static size_t index_of(const struct sxt_span *list, size_t n,
                       struct sxt_span item)
{
    size_t i = 0;

    while (i < n && (list[i].len != item.len ||
                     memcmp(list[i].data, item.data, item.len) != 0))
        i++;
    return i;
}

static void print_line(const struct sxt_run *run, struct sxt_span source,
                       const int64_t *count)
{
    struct sxt_str line = SXT_STR_EMPTY;
    int64_t all = 0;

    for (int k = 0; k < SXT_VERDICT_KINDS; k++)
        all += count[k];
    if (all == 0)
        return;
    sxt_str_add(&line, "  %-20.*s %8" PRId64 " %8" PRId64 " %6.1f %%",
                (int)source.len, source.data, all, count[0],
                100.0 * (double)count[0] / (double)all);
    for (int k = 1; k < SXT_VERDICT_KINDS; k++)
        if (count[k] > 0)
            sxt_str_add(&line, "  %s %" PRId64, sxt_verdict_name(k), count[k]);
    sxt_log(&run->log, SXT_LOG_INFO, "%s", line.data);
    sxt_str_free(&line);
}

void sxt_grading_print(const struct sxt_run *run, const struct sxt_grading *g)
{
    size_t n, all = (size_t)SXT_VERDICT_KINDS;
    struct sxt_span *source = sxt_problems_sources(g->problems, &n);
    int64_t *count = sxt_calloc((n + 1) * all, sizeof(*count));

    for (size_t i = 0; i < g->count; i++) {
        int kind = sxt_verdict_parse(
            sxt_frame_text(g->verdicts, SXT_VERDICT_VERDICT, i));
        size_t row = g->problem_of[g->first + i];
        size_t s = index_of(source, n, sxt_problems_source(g->problems, row));
        count[s * all + (size_t)kind]++;
        count[n * all + (size_t)kind]++;
    }
    for (size_t i = 0; i < (n + 1) * all; i++)
        count[i] = sxt_comm_sum(run->comm, count[i]);
    sxt_log(&run->log, SXT_LOG_INFO, "  %-20s %8s %8s %8s", "source", "answers",
            "pass", "rate");
    for (size_t s = 0; s < n; s++)
        print_line(run, source[s], count + s * all);
    if (n > 1)
        print_line(run, sxt_span("all"), count + n * all);
    free(count);
    free(source);
}
