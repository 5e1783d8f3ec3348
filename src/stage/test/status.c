/* status.c - records tell what a command told, and a view what they mean. */
#include "stage/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "stage/spark.h"
#include "stage/status_view.h"

#define DIR "status-t.dir"

/* ---- text ---- */

static const struct {
    const char *what;
    double y[6];
    size_t n;
    int width;
    const char *unicode, *ascii;
} lines[] = {
    { "no value", { 0 }, 0, 5, "", "" },
    { "a constant is in the middle", { 3, 3, 3 }, 3, 5, "▅▅▅", "===" },
    { "the least and the greatest", { 0, 8, 4 }, 3, 5, "▁█▅", "_#=" },
    { "what is not finite is a gap",
      { 0, NAN, INFINITY, 8 },
      4,
      5,
      "▁  █",
      "_  #" },
    { "more values than room", { 0, 0, 4, 4, 8, 8 }, 6, 3, "▁▅█", "_=#" },
    { "nothing finite", { NAN, NAN }, 2, 5, "  ", "  " },
};

static const struct {
    double share;
    const char *bar;
} bars[] = {
    { 0, "...." },   { 0.5, "##.." }, { 0.99, "###." }, { 1, "####" },
    { 1.5, "####" }, { -1, "...." },  { NAN, "...." },
};

static void test_text(void)
{
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        struct sxt_str u = SXT_STR_EMPTY, a = SXT_STR_EMPTY;
        sxt_str_add(&u, "%s", "");
        sxt_str_add(&a, "%s", "");
        sxt_spark_line(&u, lines[i].y, lines[i].n, lines[i].width, true);
        sxt_spark_line(&a, lines[i].y, lines[i].n, lines[i].width, false);
        ok(strcmp(u.data, lines[i].unicode) == 0 &&
               strcmp(a.data, lines[i].ascii) == 0,
           "a line of %s: \"%s\", \"%s\"", lines[i].what, u.data, a.data);
        sxt_str_free(&u);
        sxt_str_free(&a);
    }
    for (size_t i = 0; i < sizeof(bars) / sizeof(*bars); i++) {
        struct sxt_str b = SXT_STR_EMPTY;
        sxt_spark_bar(&b, bars[i].share, 4, false);
        ok(strcmp(b.data, bars[i].bar) == 0, "a bar of %g: %s", bars[i].share,
           b.data);
        sxt_str_free(&b);
    }
}

/* ---- a command that keeps a record ---- */

struct values {
    char *output;
    int tells; /* how often */
    int code;  /* how it ends */
};

static const struct sxt_cfg_param params[] = {
    { "output", SXT_CFG_STRING, "o.h5", 0, 0, "1", "The file.",
      offsetof(struct values, output), NULL, NULL },
    { .name = NULL }
};

static int work(struct sxt_run *run, const void *values, struct sxt_error *err)
{
    const struct values *v = values;
    struct sxt_status_now now = {
        .doing = "working", .unit = "pieces", .total = 8, .tokens = 100
    };

    for (int i = 0; i < v->tells; i++) {
        now.done = i + 1;
        sxt_status_tell(run, &now);
    }
    return v->code == 0
               ? 0
               : sxt_err(err, (enum sxt_exit)v->code, "because \x1b[31m");
}

static const struct sxt_stage stage = {
    .section = { "sft", "For a test.", params, sizeof(struct values) },
    .operands = "",
    .run = work
};

/* The record after such a run, NULL if there is none. */
static struct sxt_json *record_of(const char *output, int tells, int code,
                                  bool dry_run)
{
    static volatile sig_atomic_t stop;
    static char operand[] = "operand", *operands[] = { operand };
    char *name = sxt_strdup(output);
    char *path = sxt_printf(DIR "/status/%s.json", sxt_path_base(output));
    const struct values v = { name, tells, code };
    struct sxt_run run = { .comm = sxt_comm_self(),
                           .log = { stdout, SXT_LOG_WARN, true, "sft" },
                           .command_line = "sextant sft",
                           .out_dir = DIR,
                           .dry_run = dry_run,
                           .args = operands,
                           .stop = &stop };
    struct sxt_error err = { 0 };
    struct sxt_json *o = NULL;

    ok((sxt_status_run(&run, &stage, &v, &err) == 0) == (code == 0) &&
           err.code == code && !run.status,
       "a command ends with %d, with a record as without", code);
    if (sxt_file_exists(path))
        o = sxt_json_read(path, &err);
    free(path);
    free(name);
    return o;
}

static bool says(const struct sxt_json *o, const char *key, const char *text)
{
    return strcmp(sxt_json_string(sxt_json_get(o, key), "?"), text) == 0;
}

static double number(const struct sxt_json *o, const char *key)
{
    return sxt_json_number(sxt_json_get(o, key), NAN);
}

static void test_record(void)
{
    struct sxt_json *o = record_of("o.h5", 4, 0, true);

    ok(!o, "a dry run keeps none");
    o = record_of("o.h5", 0, 0, false);
    ok(!o, "what had nothing to do keeps none");
    o = record_of("o.h5", 4, 0, false);
    ok(says(o, "state", "done") && says(o, "command", "sft") &&
           says(o, "output", "o.h5") && says(o, "unit", "pieces") &&
           number(o, "done") == 4 && number(o, "total") == 8 &&
           number(o, "pid") == (double)getpid(),
       "it says what was told last, and who told it");
    double spent = number(o, "rank_s");
    sxt_json_free(o);
    o = record_of("o.h5", 1, SXT_EXIT_AGAIN, false);
    ok(says(o, "state", "stopped") && number(o, "rank_s") > spent,
       "a clean stop; the time of both calls counts");
    sxt_json_free(o);
    o = record_of("o.h5", 0, SXT_EXIT_IO, false);
    ok(says(o, "state", "failed") && number(o, "exit") == SXT_EXIT_IO &&
           says(o, "message", "because \x1b[31m"),
       "a failure, also of one that told nothing");
    sxt_json_free(o);
    o = record_of("./elsewhere/p.h5", 1, 0, false);
    ok(sxt_json_string(sxt_json_get(o, "output"), "?")[0] == '/',
       "a file elsewhere has its whole path");
    sxt_json_free(o);
    remove(DIR "/status/p.h5.json");
}

/* ---- states ---- */

static const struct {
    const char *what, *state, *host, *word;
    long pid, age_s; /* pid 0: this process; 1e9 is none */
    bool there;      /* is the output */
} states[] = {
    { "running here", "running", NULL, "running", 0, 5, false },
    { "running here, an older output there", "running", NULL, "running", 0, 0,
      true },
    { "running elsewhere", "running", "no-such-host", "running", 1000000000, 5,
      false },
    { "silent elsewhere", "running", "no-such-host", "silent", 1000000000, 601,
      false },
    { "silent here", "running", NULL, "silent", 0, 601, false },
    { "its process is gone", "running", NULL, "killed", 1000000000, 5, false },
    { "stopped", "stopped", NULL, "stopped", 1000000000, 5, false },
    { "failed", "failed", NULL, "failed", 1000000000, 5, false },
    { "failed, then made by somebody else", "failed", NULL, "done", 1000000000,
      100, true },
    { "done", "done", NULL, "done", 1000000000, 5, true },
    { "done, and its output was removed", "done", NULL, "waiting", 1000000000,
      5, false },
};

static void put_text(const char *path, const char *text)
{
    SXT_CHECK(sxt_file_write(path, text, strlen(text), NULL) == 0);
}

static void put_record(size_t i)
{
    char host[256] = "";

    gethostname(host, sizeof(host) - 1);
    char *text = sxt_printf(
        "{\"format\": \"sextant/status\", \"format_version\": 1, "
        "\"command\": \"sft\", \"output\": \"o.h5\", \"state\": \"%s\", "
        "\"unit\": \"steps\", \"done\": 3, \"total\": 4, \"left_s\": 7200, "
        "\"ranks\": 4, \"gpus\": 2, \"rank_s\": 7200, \"gpu_s\": 3600, "
        "\"log\": \"" DIR "/run.log\", \"host\": \"%s\", "
        "\"pid\": %ld, \"updated\": %ld, \"message\": \"no \\u001b[31m\", "
        "\"command_line\": \"sextant sft -o r\"}",
        states[i].state, states[i].host ? states[i].host : host,
        states[i].pid ? states[i].pid : (long)getpid(),
        (long)time(NULL) - states[i].age_s);

    put_text(DIR "/status/o.h5.json", text);
    remove(DIR "/o.h5");
    if (states[i].there)
        put_text(DIR "/o.h5", "");
    free(text);
}

static void view_of(struct sxt_status_view *view, double price)
{
    const struct sxt_status_values v = { .price = price, .silent_minutes = 10 };
    static volatile sig_atomic_t stop;
    struct sxt_run run = { .comm = sxt_comm_self(), .stop = &stop };
    struct sxt_error err = { 0 };

    ok(sxt_status_view_read(&run, DIR, &v, view, &err) == 0,
       "a view is read %s", err.text);
}

static void test_states(void)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
        struct sxt_status_view view;
        put_record(i);
        view_of(&view, -1);
        const char *word = sxt_status_word(view.steps[0].state);
        ok(view.n_steps == 1 && strcmp(word, states[i].word) == 0, "%s: %s",
           states[i].what, word);
        sxt_status_view_free(&view);
    }
}

static void test_view(void)
{
    struct sxt_status_view view;
    struct sxt_str text = SXT_STR_EMPTY;

    put_text(DIR "/metrics.jsonl",
             "{\"step\": 1, \"loss\": 4, \"tokens\": 50, \"seconds\": 1}\n"
             "{\"step\": 2, \"loss\": null, \"tokens\": 50, \"seconds\": 1}\n"
             "{\"step\": 3, \"loss\": 2, \"tokens\": 50, \"seconds\": 1}\n"
             "{\"step\": 4, \"lo");
    put_record(7);
    view_of(&view, -1);
    ok(view.n_loss == 3 && view.loss[2] == 2 && view.last_step == 3 &&
           fabs(view.tokens_per_s - 50) < 1e-9,
       "whole lines of the metrics count, a torn one does not");
    ok(fabs(view.rank_hours - 2) < 1e-9 && fabs(view.gpu_hours - 1) < 1e-9 &&
           fabs(view.dollars - 3) < 1e-9 && fabs(view.projected - 15) < 1e-9,
       "four ranks share two GPUs: an hour of one at 3 $, and 2 h on two of "
       "them to come");
    sxt_status_view_print(&view, false, &text);
    ok(strstr(text.data, "error: no ?[31m\n") &&
           strstr(text.data, "go on with: mpirun -n 4 sextant sft -o r\n") &&
           strstr(text.data, "############....  75 %  failed"),
       "people read what to do");
    ok(!strchr(text.data, '\x1b'), "nothing moves the cursor");
    struct sxt_json *o = sxt_status_view_object(&view);
    const struct sxt_json *step = sxt_json_item(sxt_json_get(o, "steps"), 0);
    ok(says(step, "state", "failed") && number(step, "share") == 0.75 &&
           number(sxt_json_get(o, "cost"), "dollars") == 3,
       "machines read the same");
    sxt_json_free(o);
    sxt_status_view_free(&view);
    view_of(&view, 0.5);
    ok(fabs(view.dollars - 0.5) < 1e-9, "another price");
    sxt_status_view_free(&view);
    sxt_str_free(&text);
}

/* ---- logs, and folders of runs ---- */

static const struct {
    const char *log, *words; /* NULL: no log; none */
} logs[] = {
    { NULL, NULL },
    { "", NULL },
    { "\n  \n----\n", NULL },
    { "step 1\nstep 2\n\n", "step 2" },
    { "step 1\rstep 2\r", "step 2" },
    { "step 1\nsextant: d.jsonl:3: no answer\nbye\n",
      "sextant: d.jsonl:3: no answer" },
    { "step 1\n-----\nmpirun noticed that process rank 1 exited on signal 9 "
      "(Killed).\n-----\n",
      "mpirun noticed that process rank 1 exited on signal 9 (Killed)." },
    { "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0.\nend\n",
      "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0." },
};

static void test_last_words(void)
{
    for (size_t i = 0; i < sizeof(logs) / sizeof(*logs); i++) {
        remove(DIR "/run.log");
        if (logs[i].log)
            put_text(DIR "/run.log", logs[i].log);
        char *words = sxt_status_last_words(DIR "/run.log");
        ok(words && logs[i].words ? strcmp(words, logs[i].words) == 0
                                  : !words && !logs[i].words,
           "last words %zu: %s", i, words ? words : "none");
        free(words);
    }
    char *words = sxt_status_last_words(DIR);
    ok(!words, "a folder has none");
    free(words);
}

static void test_killed(void)
{
    struct sxt_status_view view;
    struct sxt_str text = SXT_STR_EMPTY;

    put_text(DIR "/run.log", "step 1\nKilled by \x1b[31m\n");
    put_record(5);
    view_of(&view, -1);
    sxt_status_view_print(&view, false, &text);
    ok(strstr(text.data, "its log ends: Killed by ?[31m\n") &&
           strstr(text.data, "look at: " DIR "/run.log\n") &&
           strstr(text.data, " ago: process 1000000000 on "),
       "of one that died: when, where, and what its log says");
    sxt_status_view_free(&view);
    sxt_str_free(&text);
}

static void test_runs(void)
{
    const struct sxt_status_values v = { .price = -1, .silent_minutes = 10 };
    static volatile sig_atomic_t stop;
    struct sxt_run run = { .comm = sxt_comm_self(), .stop = &stop };
    struct sxt_status_runs runs;
    struct sxt_str text = SXT_STR_EMPTY;

    put_record(5);
    sxt_file_mkdirs(DIR "/all/empty", NULL);
    SXT_CHECK(symlink("../../" DIR, DIR "/all/one") == 0);
    ok(sxt_status_runs_read(&run, DIR "/all", &v, &runs) == 0 && runs.n == 1,
       "a folder of runs, and of others: %zu", runs.n);
    sxt_status_runs_print(&runs, false, &text);
    ok(strncmp(text.data, "one  ", 5) == 0 &&
           strstr(text.data, " 0 of 1 steps    3.00 $  sft killed 75 %\n"),
       "a line for each");
    sxt_status_runs_free(&runs);
    ok(sxt_status_runs_read(&run, DIR "/status", &v, &runs) != 0,
       "one without runs");
    sxt_status_runs_free(&runs);
    sxt_str_free(&text);
}

static void test_damage(void)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{\"format\": 7}",
        "{\"format\": \"sextant/status\", \"format_version\": 2}",
        "{\"format\": \"sextant/status\", \"format_version\": 1, "
        "\"steps\": 3}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct sxt_status_view view;
        put_text(DIR "/status/pipeline.json", texts[i]);
        put_text(DIR "/status/q.h5.json", texts[i]);
        view_of(&view, -1);
        ok(view.n_steps == 1, "a record that is none is left out: %s",
           texts[i]);
        sxt_status_view_free(&view);
    }
}

/* Of 150 steps 50 are done; numbers so large that the clock does not show. */
static void test_foretelling(void)
{
    static const double half_s = 1e9;
    struct sxt_run run = { .ends = 0 };
    char text[SXT_FORETOLD];

    sxt_run_foretell(&run, 0, half_s, "step ", 50, 150, text);
    ok(text[0] == '\0', "where nobody knows the end nothing is foretold");
    run.ends = sxt_clock() + half_s;
    sxt_run_foretell(&run, 0, half_s / 2, "step ", 50, 150, text);
    ok(text[0] == '\0', "nor if the rest takes less");
    sxt_run_foretell(&run, 0, NAN, "step ", 50, 150, text);
    ok(text[0] == '\0', "nor if that is unknown");
    sxt_run_foretell(&run, 0, 2 * half_s, "step ", 50, 150, text);
    ok(strcmp(text, "  will reach the time limit at step 99 of 150") == 0,
       "if the rest takes twice as long, half of it is done:%s", text);
    sxt_run_foretell(&run, 2 * half_s, half_s, "", 50, 150, text);
    ok(strcmp(text, "  will reach the time limit at 50 of 150") == 0,
       "and nothing if no turn fits:%s", text);
}

int main(int argc, char **argv)
{
    sxt_h5_start();
    sxt_comm_init(&argc, &argv);
    SXT_CHECK(system("rm -rf " DIR) == 0); /* of a run that failed */
    sxt_file_mkdirs(DIR "/elsewhere", NULL);
    test_text();
    test_record();
    test_states();
    test_view();
    test_last_words();
    test_killed();
    test_runs();
    test_damage();
    test_foretelling();
    if (tap_failed == 0 && system("rm -rf " DIR) != 0)
        printf("# " DIR " stays\n");
    sxt_comm_finalize();
    return done_testing();
}
