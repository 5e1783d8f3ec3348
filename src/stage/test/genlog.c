/* genlog.c - epochs seal what was there; stale ranks and damage do no harm. */
#include "stage/genlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "stage/gradelog.h"

enum { KEYS = 60 };

/* The answer under a key, the same whoever draws it. */
static struct sxt_answer answer_of(uint64_t key, enum sxt_finish finish,
                                   int32_t ids[KEYS], char text[32])
{
    size_t n = finish == SXT_FINISH_NONE ? 3 : 5 + key % 40;

    for (size_t i = 0; i < n; i++)
        ids[i] = (int32_t)(key * 31 + i);
    snprintf(text, 32, "answer %llu", (unsigned long long)key);
    return (struct sxt_answer){ .key = key,
                                .ids = ids,
                                .n = n,
                                .text = { text, strlen(text) },
                                .finish = finish,
                                .logprob = -0.5 * (double)key };
}

static int save(struct sxt_worklog *log, uint64_t key, enum sxt_finish finish)
{
    int32_t ids[KEYS];
    char text[32];
    struct sxt_answer a = answer_of(key, finish, ids, text);

    return sxt_genlog_save(log, &a, NULL);
}

/* Is the key there as saved? */
static bool holds(struct sxt_worklog *log, uint64_t key)
{
    int32_t ids[KEYS];
    char text[32];
    struct sxt_answer want = answer_of(key, SXT_FINISH_STOP, ids, text);
    struct sxt_genlog_answer got;
    bool begun;

    return sxt_worklog_find(log, key, &begun) == SXT_FINISH_STOP && !begun &&
           sxt_genlog_read(log, key, &got, NULL) == 0 && got.n == want.n &&
           memcmp(got.ids, want.ids, 4 * got.n) == 0 &&
           got.logprob == want.logprob && sxt_span_equal(got.text, text);
}

static size_t count(struct sxt_worklog *log, uint64_t first, uint64_t end)
{
    size_t n = 0;

    for (uint64_t key = first; key < end; key++)
        n += holds(log, key);
    return n;
}

/* Each rank saves its share of keys [first, end). */
static void save_range(struct sxt_worklog *log, struct sxt_comm comm,
                       uint64_t first, uint64_t end)
{
    for (uint64_t key = first; key < end; key++)
        if (key % (uint64_t)comm.size == (uint64_t)comm.rank)
            save(log, key, SXT_FINISH_STOP);
    sxt_comm_barrier(comm);
}

static void test_epochs(struct sxt_comm comm, const char *dir)
{
    struct sxt_worklog *one = sxt_worklog_open(comm, dir, NULL);
    struct sxt_error err = { 0 };
    bool begun;

    ok(one && sxt_worklog_facts(one).epoch == 1, "the first run is epoch 1");
    save_range(one, comm, 0, 20);
    if (comm.rank == comm.size - 1)
        save(one, 40, SXT_FINISH_NONE);
    sxt_comm_barrier(comm);

    /* The first run is not closed: its ranks live on, as after the death of
     * the launcher. */
    struct sxt_worklog *two = sxt_worklog_open(comm, dir, NULL);
    ok(sxt_worklog_facts(two).epoch == 2 &&
           sxt_worklog_facts(two).finished == 20 && count(two, 0, 60) == 20,
       "the second finds on every rank what all ranks of the first saved");
    ok(sxt_worklog_find(two, 40, &begun) == SXT_FINISH_NONE && begun,
       "and the begin of an answer");
    save_range(one, comm, 20, 30); /* behind the sealed length */
    save_range(two, comm, 30, 50);
    sxt_worklog_close(two, 0, NULL);

    struct sxt_worklog *three = sxt_worklog_open(comm, dir, NULL);
    ok(count(three, 0, 20) == 20 && count(three, 30, 50) == 20,
       "the third finds what both saved");
    ok(count(three, 20, 30) == 0,
       "but not what a stale rank added behind the seal");
    ok(sxt_worklog_find(three, 40, &begun) == SXT_FINISH_STOP && !begun,
       "a finished answer replaces its begin");
    save_range(three, comm, 20, 30);
    ok(sxt_worklog_finish(three, &err) == 0 && count(three, 0, 50) == 50,
       "in the end every rank can read every answer");
    ok(sxt_worklog_finish(one, &err) == -1 && err.code == SXT_EXIT_IO,
       "the stale run cannot finish: a newer lease is there");
    sxt_worklog_close(one, 0, NULL);
    ok(sxt_worklog_remove(three, NULL) == 0 && !sxt_file_exists(dir),
       "and the directory is gone when its contents are safe");
    sxt_worklog_close(three, 0, NULL);
    sxt_comm_barrier(comm);
}

static void overwrite(const char *path, long at, const char *text)
{
    FILE *f = fopen(path, "r+b");

    fseek(f, at, at < 0 ? SEEK_END : SEEK_SET);
    fputs(text, f);
    fclose(f);
}

static void test_damage(struct sxt_comm comm, const char *dir)
{
    struct sxt_worklog *log = sxt_worklog_open(comm, dir, NULL);
    char *journal = sxt_printf("%s/e0001.r0000.log", dir);
    char *manifest = sxt_printf("%s/e0002.manifest", dir);

    save_range(log, comm, 0, 60);
    sxt_worklog_close(log, 0, NULL);
    sxt_comm_barrier(comm);
    if (comm.rank == 0) {
        overwrite(journal, 60, "XXX");
        overwrite(journal, -5, "YYY");
    }
    sxt_comm_barrier(comm);
    log = sxt_worklog_open(comm, dir, NULL);
    ok(sxt_worklog_facts(log).finished == 58 && count(log, 0, 60) == 58,
       "two damaged records are missing, and no other");
    ok(sxt_worklog_facts(log).damaged > 0 || comm.size == 0,
       "and the damage is told");
    sxt_worklog_close(log, 0, NULL);
    sxt_comm_barrier(comm);
    if (comm.rank == 0)
        overwrite(manifest, 3, "?");
    sxt_comm_barrier(comm);
    log = sxt_worklog_open(comm, dir, NULL);
    ok(sxt_worklog_facts(log).epoch == 3 && count(log, 0, 60) == 58,
       "a manifest that does not check does no harm");
    sxt_worklog_finish(log, NULL);
    sxt_worklog_remove(log, NULL);
    sxt_worklog_close(log, 0, NULL);
    free(journal);
    free(manifest);
}

static bool same_verdict(const struct sxt_verdict *a,
                         const struct sxt_verdict *b)
{
    return a->kind == b->kind && strcmp(a->rule, b->rule) == 0 &&
           strcmp(a->sandbox, b->sandbox) == 0 &&
           strcmp(a->detail, b->detail) == 0 &&
           a->answer.len == b->answer.len &&
           memcmp(a->answer.data, b->answer.data, a->answer.len) == 0 &&
           a->tests == b->tests && a->tests_run == b->tests_run &&
           a->tests_passed == b->tests_passed &&
           a->first_failed == b->first_failed && a->cpu_s == b->cpu_s &&
           a->peak_bytes == b->peak_bytes;
}

/* What was graded by other rules, or asked otherwise, is graded anew. */
static void test_keys(void)
{
    struct sxt_question q = { .id = sxt_span("a/1"), .answer = sxt_span("2") };
    struct sxt_question other = { .id = sxt_span("a/1"),
                                  .answer = sxt_span("3") };
    struct sxt_span said = sxt_span("\\boxed{2}");
    const char *rules = sxt_grade_rules();
    uint64_t key = sxt_gradelog_key(rules, 1, &q, said);

    ok(sxt_starts_with(rules, PACKAGE_VERSION " ") &&
           strlen(rules) > strlen(PACKAGE_VERSION " "),
       "the rules have the program's version and a number: %s", rules);
    ok(key == sxt_gradelog_key(rules, 1, &q, said), "a key is a function");
    ok(key != sxt_gradelog_key("0.0 1-1", 1, &q, said),
       "another program's verdict has another key");
    ok(key != sxt_gradelog_key(rules, 2, &q, said) &&
           key != sxt_gradelog_key(rules, 1, &other, said) &&
           key != sxt_gradelog_key(rules, 1, &q, sxt_span("3")),
       "and so have other settings, references and responses");
}

static void test_verdicts(struct sxt_comm comm, const char *dir)
{
    struct sxt_worklog *log = sxt_worklog_open(comm, dir, NULL);
    struct sxt_verdict v = { .kind = SXT_VERDICT_IS_TIMEOUT,
                             .rule = "stdio",
                             .tests = 7,
                             .tests_run = 3,
                             .tests_passed = 2,
                             .first_failed = 2,
                             .cpu_s = 0.1,
                             .peak_bytes = (size_t)5 << 30,
                             .sandbox = "full",
                             .detail = "test 2: too slow" };
    struct sxt_verdict ours = { .kind = SXT_VERDICT_IS_SANDBOX_ERROR,
                                .rule = "",
                                .sandbox = "" };
    struct sxt_verdict got = { .rule = "" };
    struct sxt_error err = { 0 };
    bool begun;

    sxt_str_add_bytes(&v.answer, "print\0()", 8);
    if (comm.rank == 0) {
        sxt_gradelog_save(log, 1, &v, NULL);
        sxt_gradelog_save(log, 2, &ours, NULL);
        save(log, 3, SXT_FINISH_STOP);
    }
    sxt_worklog_close(log, 0, NULL);
    log = sxt_worklog_open(comm, dir, NULL);
    ok(sxt_worklog_find(log, 1, &begun) != 0 &&
           sxt_gradelog_read(log, 1, &got, NULL) == 0 && same_verdict(&got, &v),
       "a verdict comes back whole, on every rank");
    ok(sxt_worklog_find(log, 2, &begun) == 0 && !begun,
       "one that is our fault is not kept");
    ok(sxt_gradelog_read(log, 3, &ours, &err) == -1 &&
           err.code == SXT_EXIT_DATA,
       "and an answer is no verdict");
    ok(sxt_worklog_remove(log, NULL) == 0 && !sxt_file_exists(dir),
       "a log that was not finished can be removed, too");
    sxt_worklog_close(log, 0, NULL);
    sxt_verdict_free(&v);
    sxt_verdict_free(&got);
}

int main(int argc, char **argv)
{
    struct sxt_comm comm = sxt_comm_init(&argc, &argv);
    char dir[64];
    long pid = (long)getpid();

    sxt_comm_broadcast(comm, &pid, sizeof(pid), 0);
    snprintf(dir, sizeof(dir), "genlog-%ld", pid);
    tap_silent = comm.rank != 0;
    test_epochs(comm, dir);
    test_damage(comm, dir);
    test_keys();
    test_verdicts(comm, dir);
    sxt_comm_finalize();
    return done_testing();
}
