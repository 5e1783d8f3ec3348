/* journal.c - a journal under truncation, damage and sudden death. */
#include "base/journal.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "base/test/tap.h"

enum { RECORDS = 40 };
static const struct sxt_rng rng = { 7, 11 };

/* Payload of record i: a length and bytes that a reader can predict; some
 * quote the magic. */
static void payload_of(uint64_t i, struct sxt_str *s)
{
    size_t n = (size_t)sxt_rng_below(rng, i, 90);

    s->len = 0;
    for (size_t k = 0; k < n; k++)
        sxt_str_add_char(s, i % 3 == 0 ? "SXTJ"[k % 4] : (char)(i * 7 + k));
    sxt_str_add_char(s, '.');
}

static void write_journal(const char *path)
{
    struct sxt_str s = SXT_STR_EMPTY;
    struct sxt_journal *j;

    remove(path);
    j = sxt_journal_create(path, NULL);
    for (uint64_t i = 0; i < RECORDS; i++) {
        payload_of(i, &s);
        sxt_journal_append(j, i * 1000, s.data, s.len, NULL);
    }
    sxt_journal_close(j, NULL);
    sxt_str_free(&s);
}

/* How many records a file gives; *wrong counts those that never were. */
static int count(const char *path, uint64_t length, int *wrong,
                 uint64_t *damaged)
{
    struct sxt_str s = SXT_STR_EMPTY, want = SXT_STR_EMPTY;
    struct sxt_record r;
    struct sxt_journal_reader *in = sxt_journal_open(path, length, NULL);
    int n = 0;

    while (sxt_journal_next(in, &r, &s, NULL) == 1) {
        payload_of(r.number, &want);
        *wrong += r.key != r.number * 1000 || s.len != want.len ||
                  memcmp(s.data, want.data, s.len) != 0;
        n++;
    }
    if (damaged)
        *damaged = sxt_journal_damaged(in);
    sxt_journal_reader_close(in);
    sxt_str_free(&s);
    sxt_str_free(&want);
    return n;
}

static void put_file(const char *path, const char *data, size_t n)
{
    FILE *f = fopen(path, "wb");

    fwrite(data, 1, n, f);
    fclose(f);
}

static void test_truncated(const char *path, const struct sxt_str *whole)
{
    int wrong = 0, backward = 0, last = 0;

    for (size_t n = 0; n <= whole->len; n++) {
        put_file(path, whole->data, n);
        int got = count(path, UINT64_MAX, &wrong, NULL);
        backward += got < last;
        last = got;
    }
    ok(wrong == 0 && backward == 0 && last == RECORDS,
       "cut at each of %zu bytes: the whole records before the cut, no other",
       whole->len);
    put_file(path, whole->data, whole->len);
    int sealed = count(path, whole->len / 2, &wrong, NULL);
    ok(sealed > 0 && sealed < RECORDS && wrong == 0,
       "a reader with a sealed length does not see what lies behind it");
}

static void test_damaged(const char *path, struct sxt_str *whole)
{
    int wrong = 0, fewest = RECORDS, most = 0;
    uint64_t damaged = 0;

    for (uint64_t i = 0; i < 2000; i++) {
        uint64_t bit = sxt_rng_below(rng, 5000 + i, whole->len * 8);
        whole->data[bit / 8] ^= (char)(1 << bit % 8);
        put_file(path, whole->data, whole->len);
        int got = count(path, UINT64_MAX, &wrong, NULL);
        fewest = got < fewest ? got : fewest;
        most = got > most ? got : most;
        whole->data[bit / 8] ^= (char)(1 << bit % 8);
    }
    ok(wrong == 0 && fewest == RECORDS - 1 && most == RECORDS - 1,
       "2000 flipped bits: each costs exactly the record it hit");

    struct sxt_str torn = SXT_STR_EMPTY;
    sxt_str_add_bytes(&torn, whole->data, whole->len);
    memset(torn.data + torn.len / 3, 0, 512);
    put_file(path, torn.data, torn.len);
    int got = count(path, UINT64_MAX, &wrong, &damaged);
    ok(wrong == 0 && got > RECORDS / 2 && got < RECORDS && damaged >= 512,
       "a lost block of zeros costs the records in it (%d of %d left)", got,
       RECORDS);
    sxt_str_free(&torn);
}

static void test_quoted(const char *path, const struct sxt_str *whole)
{
    struct sxt_journal *j;
    int wrong = 0;

    remove(path);
    j = sxt_journal_create(path, NULL);
    sxt_journal_append(j, 1, whole->data, whole->len, NULL);
    sxt_journal_close(j, NULL);
    struct sxt_str s = SXT_STR_EMPTY;
    sxt_file_read(path, &s, NULL);
    s.data[8] ^= 1; /* the outer head no longer checks */
    put_file(path, s.data, s.len);
    ok(count(path, UINT64_MAX, &wrong, NULL) == 0,
       "records of another journal, quoted in a damaged one, do not count");
    sxt_str_free(&s);
}

static void test_refusals(const char *path)
{
    struct sxt_error err = { 0 };
    struct sxt_str s = SXT_STR_EMPTY;
    struct sxt_record r;

    write_journal(path);
    ok(!sxt_journal_create(path, &err) && err.code == SXT_EXIT_IO,
       "a journal is never reopened for writing");
    ok(!sxt_journal_open("/nonexistent/j", 0, &err) &&
           err.code == SXT_EXIT_NOINPUT,
       "a missing journal is missing input");
    struct sxt_journal_reader *in = sxt_journal_open(path, UINT64_MAX, NULL);
    sxt_journal_next(in, &r, &s, NULL);
    sxt_journal_next(in, &r, &s, NULL);
    struct sxt_str again = SXT_STR_EMPTY;
    ok(sxt_journal_fetch(in, &r, &again, NULL) == 0 && again.len == s.len &&
           memcmp(again.data, s.data, s.len) == 0,
       "a record found before can be fetched by its place");
    r.key++;
    ok(sxt_journal_fetch(in, &r, &again, &err) == -1 &&
           err.code == SXT_EXIT_DATA,
       "fetching a record that is not there is an error");
    sxt_journal_reader_close(in);
    sxt_str_free(&s);
    sxt_str_free(&again);
}

/* A child appends as fast as it can and counts what append acknowledged. */
static _Noreturn void append_for_ever(const char *path,
                                      volatile uint64_t *acknowledged)
{
    struct sxt_str s = SXT_STR_EMPTY;
    struct sxt_journal *j = sxt_journal_create(path, NULL);

    for (uint64_t i = 0;; i++) {
        payload_of(i, &s);
        if (sxt_journal_append(j, i * 1000, s.data, s.len, NULL) != 0)
            _exit(1);
        *acknowledged = i + 1;
    }
}

static void test_killed(const char *path)
{
    volatile uint64_t *acknowledged = mmap(NULL, 8, PROT_READ | PROT_WRITE,
                                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int wrong = 0, lost = 0;
    uint64_t all = 0;

    for (uint64_t i = 0; i < 25; i++) {
        struct timespec nap = { 0, 1000000L +
                                       (long)sxt_rng_below(rng, i, 20000000) };
        remove(path);
        *acknowledged = 0;
        pid_t child = fork();
        if (child == 0)
            append_for_ever(path, acknowledged);
        nanosleep(&nap, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        uint64_t n = *acknowledged;
        if (!sxt_file_exists(path))
            continue;
        lost += (uint64_t)count(path, UINT64_MAX, &wrong, NULL) < n;
        all += n;
    }
    ok(lost == 0 && wrong == 0 && all > 0,
       "25 writers killed at random: none of %llu acknowledged records lost",
       (unsigned long long)all);
    munmap((void *)acknowledged, 8);
}

int main(void)
{
    char dir[] = "journal-XXXXXX";
    struct sxt_str whole = SXT_STR_EMPTY;
    int wrong = 0;

    if (!mkdtemp(dir))
        return 1;
    char *path = sxt_path_join(dir, "e0001.r0000.log");
    char *other = sxt_path_join(dir, "e0001.r0001.log");
    write_journal(path);
    ok(count(path, UINT64_MAX, &wrong, NULL) == RECORDS && wrong == 0,
       "every record comes back as it was");
    sxt_file_read(path, &whole, NULL);
    test_truncated(path, &whole);
    test_damaged(path, &whole);
    test_quoted(other, &whole);
    test_refusals(path);
    test_killed(path);
    remove(path);
    remove(other);
    rmdir(dir);
    free(path);
    free(other);
    sxt_str_free(&whole);
    return done_testing();
}
