/* report.c - the numbers of a report are those of its files, and hostile names
 * do no harm. */
#include "stage/report.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "stage/formats.h"
#include "stage/stages.h"

#define DIR "report-t.dir"
#define HOSTILE "<script>\"'&\xff\x1b[31m"

static void put(const char *name, const char *format, const char *group,
                struct sxt_frame *f)
{
    char *path = sxt_path_join(DIR, name);
    struct sxt_out *out =
        sxt_out_create(path, sxt_comm_self(), format, 1, "A test.", NULL, NULL);

    SXT_CHECK(sxt_out_frame(out, group, f, NULL) == 0);
    SXT_CHECK(sxt_out_commit(out, NULL) == 0);
    sxt_frame_destroy(f);
    free(path);
}

/* Two problems of a source with a hostile name, one of another. */
static void put_problems(void)
{
    static const char *const rows[][2] = { { "p1", HOSTILE },
                                           { "p2", HOSTILE },
                                           { "p3", "gsm8k" } };
    struct sxt_frame *f = sxt_frame_create(sxt_problem_columns);

    for (size_t i = 0; i < 3; i++) {
        sxt_frame_add(f);
        sxt_frame_set_string(f, SXT_PROBLEM_ID, rows[i][0]);
        sxt_frame_set_string(f, SXT_PROBLEM_SOURCE, rows[i][1]);
    }
    put("problems.h5", SXT_PROBLEMS_FORMAT, "problems", f);
}

/* Hostile: 2 of 3 pass; gsm8k: 1 of 2. */
static void put_verdicts(void)
{
    static const char *const rows[][2] = { { "p1", "pass" },
                                           { "p1", "wrong" },
                                           { "p2", "pass" },
                                           { "p3", "timeout" },
                                           { "p3", "pass" } };
    struct sxt_frame *f = sxt_frame_create(sxt_verdict_columns);

    for (size_t i = 0; i < 5; i++) {
        sxt_frame_add(f);
        sxt_frame_set_string(f, SXT_VERDICT_ID, rows[i][0]);
        sxt_frame_set_string(f, SXT_VERDICT_VERDICT, rows[i][1]);
    }
    put("verdicts.h5", SXT_VERDICTS_FORMAT, "verdicts", f);
}

static void put_samples(void)
{
    static const int32_t ids[9] = { 0 };
    struct sxt_frame *g = sxt_frame_create(sxt_generation_columns);
    struct sxt_frame *t = sxt_frame_create(sxt_train_columns);

    for (size_t i = 0; i < 5; i++) {
        sxt_frame_add(g);
        sxt_frame_set_ids(g, SXT_GENERATION_OUTPUT_IDS, ids, i < 3 ? 4 : 9);
    }
    put("generations.h5", SXT_GENERATIONS_FORMAT, "generations", g);
    sxt_frame_add(t);
    sxt_frame_set_string(t, SXT_TRAIN_ID, "p2");
    put("train.h5", SXT_TRAIN_FORMAT, "train", t);
}

/* Three steps; the second was left out, the last has a held-out loss, the first
 * took no time that the clock could see. */
static void put_metrics(void)
{
    struct sxt_frame *f = sxt_frame_create(sxt_metric_columns);

    for (size_t i = 0; i < 3; i++) {
        sxt_frame_add(f);
        sxt_frame_set_i64(f, SXT_METRIC_STEP, (int64_t)i + 1);
        sxt_frame_set_f64(f, SXT_METRIC_LOSS, i == 1 ? NAN : 2);
        sxt_frame_set_f64(f, SXT_METRIC_GRAD_NORM, i == 1 ? INFINITY : 1);
        sxt_frame_set_f64(f, SXT_METRIC_LR, 1e-5);
        sxt_frame_set_i64(f, SXT_METRIC_TOKENS, 100);
        sxt_frame_set_f64(f, SXT_METRIC_SECONDS, i == 0 ? 0 : 0.5);
        sxt_frame_set_f64(f, SXT_METRIC_EVAL_LOSS, i < 2 ? NAN : 1.5);
    }
    put("metrics.h5", SXT_METRICS_FORMAT, "steps", f);
}

struct score {
    const char *source, *metric;
    double value, published;
};

static void put_eval(const char *name, const struct score *scores, size_t n)
{
    struct sxt_frame *f = sxt_frame_create(sxt_summary_columns);

    for (size_t i = 0; i < n; i++) {
        sxt_frame_add(f);
        sxt_frame_set_string(f, SXT_SUMMARY_SOURCE, scores[i].source);
        sxt_frame_set_string(f, SXT_SUMMARY_METRIC, scores[i].metric);
        sxt_frame_set_f64(f, SXT_SUMMARY_VALUE, scores[i].value);
        sxt_frame_set_f64(f, SXT_SUMMARY_CI_LOW, scores[i].value - 0.125);
        sxt_frame_set_f64(f, SXT_SUMMARY_CI_HIGH, scores[i].value + 0.125);
        sxt_frame_set_f64(f, SXT_SUMMARY_REFERENCE, scores[i].published);
        sxt_frame_set_string(f, SXT_SUMMARY_REFERENCE_SOURCE, HOSTILE);
    }
    put(name, SXT_EVAL_FORMAT, "summary", f);
}

static void put_evals(void)
{
    static const struct score base[] = {
        { HOSTILE, "pass@1", 0.3125, NAN },
        { "all", "pass@1", 0.25, NAN },
    };
    static const struct score tuned[] = {
        { HOSTILE, "pass@1", 0.6875, 0.864 },
        { HOSTILE, "pass@4", 0.75, NAN },
        { "all", "pass@1", 0.5, NAN },
        { "all", "mean_tokens", 1234.56, NAN },
    };

    put_eval("eval-base.h5", base, 2);
    put_eval("eval.h5", tuned, 4);
}

/* Run the command; what it prints, and its page ("" if there is none). */
static int report(bool dry_run, struct sxt_str *printed, struct sxt_str *page,
                  struct sxt_error *err)
{
    static volatile sig_atomic_t stop;
    char eval_base[] = "eval-base.h5", eval[] = "eval.h5";
    char *evals[] = { eval_base, eval };
    const struct sxt_report_values v = {
        .problems = (char[]){ "problems.h5" },
        .generations = (char[]){ "generations.h5" },
        .verdicts = (char[]){ "verdicts.h5" },
        .train = (char[]){ "train.h5" },
        .metrics = (char[]){ "metrics.h5" },
        .output = (char[]){ "report.html" },
        .evals = { evals, 2 },
    };
    struct sxt_run run = { .comm = sxt_comm_self(),
                           .log = { stdout, SXT_LOG_INFO, true, "report" },
                           .out_dir = DIR,
                           .dry_run = dry_run,
                           .stop = &stop };
    int old = dup(1);

    sxt_str_cut(printed, 0);
    sxt_str_cut(page, 0);
    sxt_file_remove(DIR "/report.html", NULL);
    fflush(stdout);
    SXT_CHECK(freopen(DIR "/printed", "w", stdout) != NULL);
    int rc = sxt_stage_report.run(&run, &v, err);
    fflush(stdout);
    dup2(old, 1);
    close(old);
    sxt_file_read(DIR "/printed", printed, NULL);
    if (sxt_file_read(DIR "/report.html", page, NULL) != 0)
        sxt_str_add(page, "%s", "");
    return rc;
}

static bool has(const struct sxt_str *s, const char *part)
{
    return s->data && strstr(s->data, part) != NULL;
}

static void test_terminal(const struct sxt_str *s)
{
    ok(has(s, "         3         2   66.7 %         1\n"),
       "two of a source's three samples pass, one is kept");
    ok(has(s, "gsm8k                            2         1   50.0 %         "
              "0\n"),
       "one of the other's two, none is kept");
    ok(has(s, "all                              5         3   60.0 %         "
              "1\n"),
       "all of them");
    ok(has(s, "pass@1                    0.312              0.688\n") ||
           has(s, "pass@1                    0.313              0.688\n"),
       "evaluations stand side by side");
    ok(has(s, "pass@4                        -              0.750\n"),
       "a metric that one lacks is a dash");
    ok(has(s, "Result: teacher 60.0 % base 25.0 % student 50.0 %\n"),
       "the result");
    ok(!has(s, "\x1b"), "nothing moves the cursor");
}

static void test_page(const struct sxt_str *s)
{
    static const char name[] = "&lt;script&gt;&quot;&#39;&amp;\xef\xbf\xbd[31m";

    ok(has(s, "samples 60.0 % pass. The student solves 50.0 % of the held-out "
              "problems; its base solved 25.0 %."),
       "the page says the result");
    char *row = sxt_printf("%s</td><td>3</td><td>2</td><td>1</td>", name);
    ok(has(s, row), "the page has a source's numbers");
    free(row);
    row = sxt_printf("%s</td><td class=\"name\">pass@1</td>", name);
    ok(has(s, row), "  and a benchmark's name");
    free(row);
    ok(has(s, "0.688</td><td class=\"soft\">0.562 to 0.812</td>"
              "<td>0.864</td>"),
       "  value, interval, published value");
    ok(has(s, "pass@4</td><td>–</td><td></td><td>0.750</td>"),
       "  a dash for what was not measured");
    ok(has(s, "<td>1234.6</td>"), "  counts have one place");
    ok(!has(s, "<script") && !has(s, "javascript:") && !has(s, "http:") &&
           !has(s, "https:") && !has(s, "src=") && !has(s, "href=") &&
           !has(s, "url(") && !has(s, "@import"),
       "it has no script and no reference to anywhere");
    ok(sxt_utf8_valid(s->data, s->len), "it is valid UTF-8");
    ok(!has(s, "nan") && !has(s, "\"inf") && !has(s, " inf"),
       "what is not finite is nowhere");
    const char *held_out = strstr(s->data, "<figcaption>Held-out loss");
    const char *dot = held_out ? strstr(held_out, "<circle") : NULL;
    ok(dot && dot < strstr(held_out, "</figure>"),
       "one held-out loss is a dot");
}

static void test_absence(struct sxt_str *printed, struct sxt_str *page)
{
    static const char *const names[] = { "problems.h5",    "verdicts.h5",
                                         "generations.h5", "train.h5",
                                         "eval-base.h5",   "eval.h5",
                                         "metrics.h5" };
    struct sxt_error err = { 0 };

    ok(report(true, printed, page, &err) == 0 && page->len == 0 &&
           has(printed, "would write"),
       "a dry run writes no page");
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char *path = sxt_path_join(DIR, names[i]);
        remove(path);
        int rc = report(false, printed, page, &err);
        if (i + 1 < sizeof(names) / sizeof(*names))
            ok(rc == 0 && has(page, "</html>") && has(page, names[i]) &&
                   !has(page, "nan"),
               "a page without %s, which says so", names[i]);
        else
            ok(rc != 0 && err.code == SXT_EXIT_NOINPUT && page->len == 0,
               "nothing to report on is an error");
        free(path);
    }
}

static void test_empty(struct sxt_str *printed, struct sxt_str *page)
{
    struct sxt_error err = { 0 };

    put("problems.h5", SXT_PROBLEMS_FORMAT, "problems",
        sxt_frame_create(sxt_problem_columns));
    put("verdicts.h5", SXT_VERDICTS_FORMAT, "verdicts",
        sxt_frame_create(sxt_verdict_columns));
    put("generations.h5", SXT_GENERATIONS_FORMAT, "generations",
        sxt_frame_create(sxt_generation_columns));
    put("metrics.h5", SXT_METRICS_FORMAT, "steps",
        sxt_frame_create(sxt_metric_columns));
    put_eval("eval.h5", NULL, 0);
    ok(report(false, printed, page, &err) == 0 && has(page, "</html>") &&
           !has(page, "nan") && !has(printed, "nan"),
       "files without rows make a page");
}

int main(int argc, char **argv)
{
    struct sxt_str printed = SXT_STR_EMPTY, page = SXT_STR_EMPTY;
    struct sxt_error err = { 0 };

    sxt_h5_start();
    sxt_comm_init(&argc, &argv);
    sxt_file_mkdirs(DIR, NULL);
    put_problems();
    put_verdicts();
    put_samples();
    put_metrics();
    put_evals();
    ok(report(false, &printed, &page, &err) == 0, "a report is made: %s",
       err.text);
    test_terminal(&printed);
    test_page(&page);
    test_absence(&printed, &page);
    test_empty(&printed, &page);
    if (tap_failed == 0 && system("rm -rf " DIR) != 0)
        printf("# " DIR " stays\n");
    sxt_str_free(&printed);
    sxt_str_free(&page);
    sxt_comm_finalize();
    return done_testing();
}
