/* files.c - what is written on several ranks comes back, is the same for any
 * number of ranks, and is complete or absent. */
#include <hdf5.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "h5/in.h"
#include "h5/out.h"

enum { ID, N, X, IDS, SECONDS };
static const struct sxt_column columns[] = {
    { "id", SXT_COL_TEXT, "1", "Name.", 0 },
    { "n", SXT_COL_I32, "1", "Number.", 0 },
    { "x", SXT_COL_F64, "m", "Real.", 0 },
    { "ids", SXT_COL_IDS, "token id", "Tokens.", 0 },
    { "seconds", SXT_COL_F64, "s", "Time.", true },
    { .name = NULL }
};
enum { ROWS = 7 };

static struct sxt_frame *make_rows(size_t first, size_t count)
{
    struct sxt_frame *f = sxt_frame_create(columns);

    for (size_t i = first; i < first + count; i++) {
        int32_t ids[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
        char id[32];
        snprintf(id, sizeof(id), "row %zu", i);
        sxt_frame_add(f);
        sxt_frame_set_string(f, ID, i == 3 ? "" : id);
        sxt_frame_set_i64(f, N, (int64_t)i * 10);
        sxt_frame_set_f64(f, X, (double)i / 4);
        sxt_frame_set_ids(f, IDS, ids, i % 3);
        sxt_frame_set_f64(f, SECONDS, (double)i);
    }
    return f;
}

/* Write the same data with the ranks of comm; returns commit's result. */
static int write_file(struct sxt_comm comm, const char *path,
                      struct sxt_error *err)
{
    static const struct sxt_prov prov = { "sextant test", "test: { };\n", NULL,
                                          0, NULL };
    uint64_t dims[2] = { 5, 6 };
    uint16_t values[30];
    size_t first, count;
    struct sxt_out *out =
        sxt_out_create(path, comm, "sextant/test", 1, "A test", &prov, err);

    if (!out)
        return -1;
    sxt_comm_slice(comm, ROWS, &first, &count);
    struct sxt_frame *f = make_rows(first, count);
    int rc = sxt_out_frame(out, "rows", f, err);
    sxt_frame_destroy(f);
    if (rc == 0)
        rc = sxt_out_tensor(out, "/tensors/a.weight", SXT_H5_BF16, 2, dims, "1",
                            "A matrix.", err);
    if (rc == 0)
        rc = sxt_out_data(out, err);
    sxt_comm_slice(comm, 30, &first, &count);
    for (size_t i = 0; i < 30; i++)
        values[i] = (uint16_t)(0x3f80 + i);
    if (rc == 0)
        rc = sxt_out_range(out, "/tensors/a.weight", first, count,
                           values + first, err);
    return sxt_out_commit(out, err);
}

static void test_rows(struct sxt_in *in)
{
    struct sxt_error err = { 0 };
    struct sxt_frame *f = NULL;
    size_t n, rows = 0;

    ok(sxt_in_rows(in, "rows", &rows, &err) == 0 && rows == ROWS,
       "the table has all ranks' rows");
    int rc = sxt_in_frame(in, "rows", columns, 2, 4, &f, &err);
    if (!ok(rc == 0, "rows 2 to 5 are read: %s", err.text))
        return;
    char *id = sxt_frame_string(f, ID, 0);
    is_text(id, "row 2", "text comes back");
    free(id);
    ok(sxt_frame_text(f, ID, 1).len == 0, "empty text comes back empty");
    ok(sxt_frame_i64(f, N, 3) == 50, "integers come back");
    ok(sxt_frame_f64(f, X, 3) == 1.25, "reals come back");
    const int32_t *ids = sxt_frame_ids(f, IDS, 3, &n);
    ok(n == 2 && ids[1] == 2, "ragged ids come back");
    ok(sxt_frame_f64(f, SECONDS, 3) == 5, "volatile columns come back");
    sxt_frame_destroy(f);
    ok(sxt_in_frame(in, "rows", columns, 5, 4, &f, &err) == -1 &&
           err.code == SXT_EXIT_DATA,
       "rows behind the end are refused");
}

static void test_tensor(struct sxt_in *in)
{
    struct sxt_error err = { 0 };
    uint16_t x[30];
    bool same = true;
    struct sxt_h5_info info;

    ok(sxt_in_info(in, "/tensors/a.weight", &info, &err) == 0 &&
           info.type == SXT_H5_BF16 && info.n_dims == 2 && info.count == 30,
       "a bf16 matrix keeps type and shape");
    for (uint64_t first = 0; first < 30; first++)
        for (uint64_t count = 0; first + count <= 30; count++) {
            same = same && sxt_in_range(in, "/tensors/a.weight", first, count,
                                        x, &err) == 0;
            for (uint64_t i = 0; i < count; i++)
                same = same && x[i] == 0x3f80 + first + i;
        }
    ok(same, "every flat range of a 5 x 6 matrix reads right");
    ok(sxt_in_range(in, "/tensors/a.weight", 29, 2, x, &err) == -1,
       "a range behind the end is refused");
}

/* With a limit on the size of files, writing fails as on a full disk. */
static void test_full_disk(struct sxt_comm comm)
{
    struct rlimit old, small = { 3000, 3000 };
    struct sxt_error err = { 0 };

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    int rc = write_file(comm, "files-full.h5", &err);
    setrlimit(RLIMIT_FSIZE, &old);
    ok(rc == -1 && err.code == SXT_EXIT_IO, "a full disk is code 74: %s",
       err.text);
    ok(!sxt_file_exists("files-full.h5"), "and leaves no file");
    sxt_comm_barrier(comm);
    ok(!sxt_file_exists("files-full.h5.part"), "nor a part of one");
}

/* Ranges are not collective: one rank alone may fail, and no other knows. */
static void test_one_fails(struct sxt_comm comm)
{
    static const struct sxt_prov prov = { .command = "sextant test" };
    enum { BACKSTOP_S = 120 };
    bool fails = comm.rank == comm.size - 1;
    uint64_t dims[1] = { 1 };
    int64_t x = 1;
    struct sxt_error err = { 0 };

    alarm(BACKSTOP_S); /* ranks that wait for each other never end */
    struct sxt_out *out = sxt_out_create("files-one.h5", comm, "sextant/test",
                                         1, "A test", &prov, &err);
    sxt_out_tensor(out, "/x", SXT_H5_I64, 1, dims, "1", "One.", &err);
    sxt_out_data(out, &err);
    int rc = sxt_out_range(out, fails ? "/y" : "/x", 0, fails || comm.rank == 0,
                           &x, &err);
    ok(rc == (fails ? -1 : 0), "a range fails on the last rank only");
    err = (struct sxt_error){ 0 };
    ok(sxt_out_commit(out, &err) == -1 && err.code == SXT_EXIT_IO,
       "then commit fails on all: %s", err.text);
    ok(!sxt_file_exists("files-one.h5"), "and leaves no file");
    alarm(0);
}

static struct sxt_out *begin_two(struct sxt_comm comm, const char *text)
{
    struct sxt_out *out = sxt_out_create("files-two.h5", comm, "sextant/test",
                                         1, "A test", NULL, NULL);

    sxt_out_bytes(out, "/text", "Text.", text, strlen(text), NULL);
    return out;
}

/* Two jobs that do the same, as when one was submitted twice. */
static void test_two_writers(struct sxt_comm comm)
{
    struct sxt_error err = { 0 };
    struct sxt_str text = SXT_STR_EMPTY;
    struct sxt_out *old = begin_two(comm, "old");
    struct sxt_out *new = begin_two(comm, "new");

    ok(sxt_out_commit(old, &err) == -1 && err.code == SXT_EXIT_IO &&
           strstr(err.text, "another run") && !sxt_file_exists("files-two.h5"),
       "of two that write a file the older one fails: %s", err.text);
    ok(sxt_out_commit(new, &err) == 0, "the newer one does not");
    struct sxt_in *in = sxt_in_open("files-two.h5", "sextant/test", &err);
    ok(in && sxt_in_bytes(in, "/text", &text, &err) == 0 && text.data &&
           strcmp(text.data, "new") == 0,
       "and the file is its own");
    sxt_in_close(in);
    sxt_str_free(&text);
    sxt_comm_barrier(comm);
    if (comm.rank == 0)
        unlink("files-two.h5");
}

static bool same_objects(const char *a, const char *b)
{
    static const char *const objects[] = {
        "/rows/id",  "/rows/id_offsets",  "/rows/n",           "/rows/x",
        "/rows/ids", "/rows/ids_offsets", "/tensors/a.weight", "/config"
    };
    struct sxt_in *one = sxt_in_open(a, NULL, NULL);
    struct sxt_in *two = sxt_in_open(b, NULL, NULL);
    bool same = one && two;

    for (size_t i = 0; same && i < sizeof(objects) / sizeof(*objects); i++) {
        char x[1000], y[1000];
        struct sxt_h5_info p, q;
        same = sxt_in_info(one, objects[i], &p, NULL) == 0 &&
               sxt_in_info(two, objects[i], &q, NULL) == 0 &&
               p.count == q.count &&
               sxt_in_range(one, objects[i], 0, p.count, x, NULL) == 0 &&
               sxt_in_range(two, objects[i], 0, q.count, y, NULL) == 0 &&
               memcmp(x, y, p.count * sxt_h5_type_size(p.type)) == 0;
    }
    sxt_in_close(one);
    sxt_in_close(two);
    return same;
}

static void test_refusals(void)
{
    struct sxt_error err = { 0 };
    struct sxt_str all = SXT_STR_EMPTY;

    ok(!sxt_in_open("files-none.h5", NULL, &err) &&
           err.code == SXT_EXIT_NOINPUT,
       "a missing file is code 66: %s", err.text);
    ok(!sxt_in_open("files.h5", "sextant/other", &err) &&
           err.code == SXT_EXIT_DATA,
       "another format is code 65: %s", err.text);
    /* commit reads what was written, with the same check */
    struct sxt_out *out =
        sxt_out_create("files-new.h5", sxt_comm_self(), "sextant/test", 2,
                       "Of a later program.", NULL, NULL);
    ok(sxt_out_commit(out, &err) != 0 &&
           strstr(err.text, "version 2 of sextant/test"),
       "a later version is not read: %s", err.text);
    sxt_file_read("files.h5", &all, NULL);
    bool refused = true;
    for (size_t n = 0; n < all.len; n += 512) {
        sxt_file_write("files-cut.h5", all.data, n, NULL);
        struct sxt_in *in = sxt_in_open("files-cut.h5", NULL, &err);
        refused = refused && !in && err.code == SXT_EXIT_DATA;
        sxt_in_close(in);
    }
    ok(refused, "a file cut at any 512th byte is code 65");
    sxt_str_free(&all);
    unlink("files-cut.h5");
}

/* An attribute of two values where one is read. */
static void put_pair(const char *path, const char *object, const char *name,
                     hid_t type, const void *pair)
{
    hsize_t two = 2;
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &two, NULL);

    H5Adelete_by_name(file, object, name, H5P_DEFAULT);
    hid_t attr = H5Acreate_by_name(file, object, name, type, space, H5P_DEFAULT,
                                   H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attr, type, pair);
    H5Aclose(attr);
    H5Sclose(space);
    H5Fclose(file);
}

/* A table that says it has so many rows, and has none. */
static void make_claim(const char *path, int64_t rows)
{
    struct sxt_out *out = sxt_out_create(path, sxt_comm_self(), "sextant/test",
                                         1, "A test", NULL, NULL);
    struct sxt_frame *none = sxt_frame_create(columns);

    sxt_out_frame(out, "none", none, NULL);
    sxt_out_bytes(out, "/rows/x", "A group to claim for.", "x", 1, NULL);
    sxt_out_attr_i64(out, "/rows", "rows", rows, NULL);
    sxt_out_commit(out, NULL);
    sxt_frame_destroy(none);
}

/* Of a run that writes several files: the last tells of the first's inputs. */
static void test_hashed(struct sxt_comm comm)
{
    static const char *const inputs[] = { "files-input" };
    struct sxt_str lines = SXT_STR_EMPTY, kept = SXT_STR_EMPTY;
    struct sxt_error err = { 0 };

    if (comm.rank == 0)
        sxt_file_write(inputs[0], "old", 3, NULL);
    int rc = sxt_prov_hash(comm, inputs, 1, &lines, &err);
    if (comm.rank == 0)
        unlink(inputs[0]);
    sxt_comm_barrier(comm);
    struct sxt_prov prov = { .inputs = inputs,
                             .n_inputs = 1,
                             .hashed = lines.data ? lines.data : "" };
    struct sxt_out *out = sxt_out_create("files-prov.h5", comm, "sextant/test",
                                         1, "A test", &prov, &err);
    ok(rc == 0 && out && sxt_out_commit(out, &err) == 0,
       "a file tells of an input that was hashed and is gone: %s", err.text);
    if (comm.rank == 0) {
        struct sxt_in *in = sxt_in_open("files-prov.h5", NULL, NULL);
        sxt_in_bytes(in, SXT_INPUTS_OBJECT, &kept, NULL);
        is_text(kept.data, lines.data, "as it was");
        sxt_in_close(in);
        unlink("files-prov.h5");
    }
    sxt_str_free(&kept);
    sxt_str_free(&lines);
}

/* Several ranks make the digest of a large file together. */
static void test_shared_digest(struct sxt_comm comm)
{
    static const char *const inputs[] = { "files-large" };
    struct sxt_str lines = SXT_STR_EMPTY;
    char alone[SXT_SHA256_TEXT] = "";
    struct sxt_error err = { 0 };

    if (comm.rank == 0) {
        sxt_file_write(inputs[0], "begin", 5, NULL);
        ok(truncate(inputs[0], 3 * (off_t)SXT_DIGEST_SLICE + 1) == 0 &&
               sxt_digest_file(inputs[0], alone, &err) == 0,
           "a file of four slices");
    }
    sxt_comm_barrier(comm);
    int rc = sxt_prov_hash(comm, inputs, 1, &lines, &err);
    ok(rc == 0 && lines.len > 64, "has a digest on every rank: %s", err.text);
    if (comm.rank == 0)
        ok(strncmp(lines.data, alone, 64) == 0, "the one that one rank gives");
    sxt_comm_barrier(comm);
    if (comm.rank == 0)
        unlink(inputs[0]);
    sxt_str_free(&lines);
}

static void test_damaged(void)
{
    static const int64_t claims[] = { -1, INT64_MIN, INT64_MAX,
                                      (int64_t)1 << 61 };
    static const int64_t pair[2] = { 1, 1 };
    static const char path[] = "files-odd.h5";
    struct sxt_error err = { 0 };
    struct sxt_frame *f = NULL;
    bool refused = true;

    for (size_t i = 0; i < sizeof(claims) / sizeof(*claims); i++) {
        size_t rows = 0;
        make_claim(path, claims[i]);
        struct sxt_in *in = sxt_in_open(path, NULL, NULL);
        refused =
            refused && in &&
            (sxt_in_rows(in, "rows", &rows, &err) == -1 ||
             sxt_in_frame(in, "rows", columns, 0, rows, &f, &err) == -1) &&
            err.code == SXT_EXIT_DATA;
        sxt_in_close(in);
    }
    ok(refused, "no number of rows is believed: %s", err.text);
    put_pair(path, "/", "format_version", H5T_NATIVE_INT64, pair);
    ok(!sxt_in_open(path, NULL, &err) && err.code == SXT_EXIT_DATA,
       "an attribute of two numbers is not read as one: %s", err.text);
    make_claim(path, 0);
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, 12);
    put_pair(path, "/", "format", text, "sextant/testsextant/test");
    H5Tclose(text);
    ok(!sxt_in_open(path, NULL, &err) && err.code == SXT_EXIT_DATA,
       "nor of two texts: %s", err.text);
    unlink(path);
}

int main(int argc, char **argv)
{
    sxt_h5_start();
    struct sxt_comm comm = sxt_comm_init(&argc, &argv);
    struct sxt_error err = { 0 };

    tap_silent = comm.rank != 0;
    int rc = write_file(comm, "files.h5", &err);
    ok(rc == 0, "a file is written on %d ranks: %s", comm.size, err.text);
    if (comm.rank == 0) {
        struct sxt_in *in = sxt_in_open("files.h5", "sextant/test", &err);
        if (ok(in != NULL, "and opens again: %s", err.text)) {
            test_rows(in);
            test_tensor(in);
        }
        sxt_in_close(in);
        rc = write_file(sxt_comm_self(), "files-1.h5", &err);
        ok(rc == 0, "a file is written on one rank: %s", err.text);
        ok(same_objects("files.h5", "files-1.h5"),
           "one rank and %d write the same", comm.size);
        test_refusals();
        test_damaged();
    }
    sxt_comm_barrier(comm);
    test_full_disk(comm);
    test_one_fails(comm);
    test_two_writers(comm);
    test_hashed(comm);
    test_shared_digest(comm);
    rc = write_file(comm, "no/such/dir/x.h5", &err);
    ok(rc == -1 && err.code == SXT_EXIT_IO, "a missing directory: %s",
       err.text);
    if (comm.rank == 0) {
        unlink("files.h5");
        unlink("files-1.h5");
    }
    rc = done_testing();
    sxt_comm_finalize();
    return rc;
}
