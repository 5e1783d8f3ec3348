/* events.c - event files are TensorBoard's, and hold no step twice. */
#include "base/events.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/test/tap.h"

#define DIR_ "events-t.dir"

/* RFC 3720, B.4, and the check value of the catalogues. */
static void test_crc(void)
{
    unsigned char bytes[32];

    memset(bytes, 0, sizeof(bytes));
    ok(sxt_crc32c(bytes, 32) == 0x8a9136aa, "CRC-32C of 32 zeros");
    memset(bytes, 0xff, sizeof(bytes));
    ok(sxt_crc32c(bytes, 32) == 0x62a8ab43, "of 32 ones");
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    ok(sxt_crc32c(bytes, 32) == 0x46dd794e, "of 0 to 31");
    ok(sxt_crc32c("123456789", 9) == 0xe3069283, "of 123456789");
    ok(sxt_crc32c("", 0) == 0, "of nothing");
}

/* The events of validation/oracle/make_events_golden.py. */
static void test_golden(void)
{
    const char *srcdir = getenv("SRCDIR");
    char *path = sxt_printf("%s/validation/golden/events.tfevents",
                            srcdir ? srcdir : ".");
    struct sxt_str golden = SXT_STR_EMPTY, ours = SXT_STR_EMPTY;
    struct sxt_str name = SXT_STR_EMPTY;
    struct sxt_error err = { 0 };

    for (int i = 0; i < 70; i++)
        sxt_str_add(&name, "é");
    const struct sxt_event_value train[] = { { "train/loss", 2.25 },
                                             { "not a number", NAN },
                                             { "train/lr", 1e-5 } };
    const struct sxt_event_value zero = { "a", -0.0 };
    const struct sxt_event_value large = { name.data, 1e30 };
    const struct sxt_event_value none = { "none", INFINITY };
    sxt_events_encode(1.5, 1, train, 3, &ours);
    sxt_events_encode(1700000000.125, 0, &zero, 1, &ours);
    sxt_events_encode(2, 300, &large, 1, &ours);
    sxt_events_encode(3, (int64_t)1 << 40, &none, 1, &ours);
    ok(sxt_file_read(path, &golden, &err) == 0, "the golden file is read %s",
       err.text);
    ok(golden.len == ours.len && memcmp(golden.data, ours.data, ours.len) == 0,
       "records are TensorBoard's, byte for byte");
    sxt_str_free(&golden);
    sxt_str_free(&ours);
    sxt_str_free(&name);
    free(path);
}

/* ---- resuming ---- */

static int is_events(const struct dirent *d)
{
    return strstr(d->d_name, "tfevents") != NULL;
}

/* Steps and values of all files, in the order of their names, as "1=1 2=2 ",
 * with "start=4 " where a reader is told to forget what it knows from step 4
 * on, and "?" for what cannot be read.  Every record of ours has one tag "x",
 * and so this layout: */
static void read_all(struct sxt_str *out)
{
    enum { AT_TIME = 0, AT_STEP = 9, AT_WHAT = 11 };
    struct dirent **entry = NULL;
    int n = scandir(DIR_, &entry, is_events, alphasort);

    sxt_str_cut(out, 0);
    for (int i = 0; i < n; i++) {
        char *path = sxt_path_join(DIR_, entry[i]->d_name);
        struct sxt_str f = SXT_STR_EMPTY;
        SXT_CHECK(sxt_file_read(path, &f, NULL) == 0);
        size_t at = 0;
        while (at + 16 <= f.len) {
            size_t len = (unsigned char)f.data[at];
            const char *p = f.data + at + 12;
            float value;
            if (at + 16 + len > f.len)
                break;
            if (p[AT_STEP] == 0x10 && p[AT_WHAT] == 0x2a) {
                memcpy(&value, p + len - 4, 4);
                sxt_str_add(out, "%d=%g ", p[AT_STEP + 1], value);
            } else if (p[AT_STEP] == 0x10 && p[AT_WHAT] == 0x3a) {
                sxt_str_add(out, "start=%d ", p[AT_STEP + 1]);
            } else if (p[AT_STEP] != 0x1a) {
                sxt_str_add(out, "? ");
            }
            at += 16 + len;
        }
        if (at != f.len)
            sxt_str_add(out, "torn ");
        sxt_str_free(&f);
        free(path);
        free(entry[i]);
    }
    free(entry);
}

/* Run steps [from + 1, to], with values `plus` above the step. */
static void run(int from, int to, double plus)
{
    struct sxt_error err = { 0 };
    struct sxt_events *e = sxt_events_open(DIR_, from, &err);
    int rc = e ? 0 : -1;

    for (int step = from + 1; e && rc == 0 && step <= to; step++) {
        const struct sxt_event_value v = { "x", step + plus };
        rc = sxt_events_add(e, step, &v, 1, &err);
    }
    ok(rc == 0, "steps %d to %d are written %s", from + 1, to, err.text);
    sxt_events_close(e);
}

static void check(struct sxt_str *all, const char *want, const char *claim)
{
    read_all(all);
    ok(strcmp(all->data ? all->data : "", want) == 0, "%s: %s", claim,
       all->data ? all->data : "");
}

/* Leave a torn record behind the newest file. */
static void tear(void)
{
    struct dirent **entry = NULL;
    int n = scandir(DIR_, &entry, is_events, alphasort);
    char *path = sxt_path_join(DIR_, entry[n - 1]->d_name);
    FILE *f = fopen(path, "a");

    SXT_CHECK(f && fputs("\x31torn off here", f) > 0 && fclose(f) == 0);
    free(path);
    for (int i = 0; i < n; i++)
        free(entry[i]);
    free(entry);
}

static void test_resume(void)
{
    struct sxt_str all = SXT_STR_EMPTY;

    run(0, 5, 0);
    check(&all, "1=1 2=2 3=3 4=4 5=5 ", "a first run");
    run(3, 5, 100);
    check(&all, "1=1 2=2 3=3 start=4 4=104 5=105 ",
          "one that goes on behind step 3 has no step twice");
    tear();
    run(5, 6, 0);
    check(&all, "1=1 2=2 3=3 start=4 4=104 5=105 start=6 6=6 ",
          "a torn record is cut off");
    run(2, 3, 200);
    check(&all, "1=1 2=2 start=3 3=203 ",
          "files that are all later are removed");
    run(0, 1, 300);
    check(&all, "1=301 ", "one that begins anew has nothing old");
    sxt_str_free(&all);
}

int main(void)
{
    SXT_CHECK(system("rm -rf " DIR_) == 0); /* of a run that failed */
    test_crc();
    test_golden();
    test_resume();
    if (tap_failed == 0 && system("rm -rf " DIR_) != 0)
        printf("# " DIR_ " stays\n");
    return done_testing();
}
