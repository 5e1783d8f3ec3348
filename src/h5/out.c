/* out.c - life of an output file: create, attributes, commit, abandon. */
#include "h5/out.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "h5/in.h"
#include "h5/out_impl.h"

/* A device or a pipe is not replaced by a file. */
static int check_place(const char *path, struct sxt_error *err)
{
    struct stat info;

    if (stat(path, &info) != 0 || S_ISREG(info.st_mode))
        return 0;
    return sxt_err(err, SXT_EXIT_IO, "%s: is there and is not a file", path);
}

/* A file of its own, even if another run is at one of that name: two that write
 * into one would spoil each other's. */
static int create_part(struct sxt_out *out, struct sxt_error *err)
{
    unlink(out->part);
    out->guard = open(out->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (out->guard < 0)
        return sxt_err_errno(err, SXT_EXIT_IO, "%s: cannot be created",
                             out->part);
    return 0;
}

/* True if nobody put another file in the place of ours. */
static bool is_ours(const struct sxt_out *out)
{
    struct stat made, there;

    return out->guard >= 0 && fstat(out->guard, &made) == 0 &&
           stat(out->part, &there) == 0 && made.st_dev == there.st_dev &&
           made.st_ino == there.st_ino;
}

/* Rank 0 checks, the others trust it. */
static int check_ours(const struct sxt_out *out, struct sxt_error *err)
{
    if (!sxt_out_makes(out) || is_ours(out))
        return 0;
    return sxt_err(err, SXT_EXIT_IO,
                   "%s: another run writes this file, too; this one ends",
                   out->part);
}

static void remove_part(const struct sxt_out *out)
{
    if (is_ours(out))
        unlink(out->part);
}

static hid_t create_file(struct sxt_out *out, struct sxt_error *err)
{
    const char *part = out->part;

    if (check_place(out->path, err) != 0 || create_part(out, err) != 0)
        return -1;
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS), fcpl = H5Pcreate(H5P_FILE_CREATE);
    hid_t file = -1;

    /* The root group would otherwise carry the time of day. */
    if (H5Pset_obj_track_times(fcpl, 0) >= 0 &&
        H5Pset_libver_bounds(fapl, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18) >= 0)
        file = H5Fcreate(part, H5F_ACC_TRUNC, fcpl, fapl);
    if (file < 0)
        sxt_h5_fail(err, SXT_EXIT_IO, part, "cannot be created");
    H5Pclose(fcpl);
    H5Pclose(fapl);
    return file;
}

bool sxt_out_makes(const struct sxt_out *out)
{
    return out->comm.rank == 0;
}

/* Close whatever handle this rank has.  A close that fails half-way leaves HDF5
 * 1.10 with a dangling handle and a crash at exit; so flush first, and if that
 * fails, let go of the handle: the file is about to be removed anyway. */
static int close_file(struct sxt_out *out, struct sxt_error *err)
{
    bool serial = out->mode == SXT_OUT_STRUCTURE && sxt_out_makes(out);
    int rc = 0;

    if (serial && H5Fflush(out->file, H5F_SCOPE_LOCAL) < 0)
        rc = sxt_h5_fail(err, SXT_EXIT_IO, out->part, "write");
    else if ((serial || out->mode == SXT_OUT_DATA) && H5Fclose(out->file) < 0)
        rc = sxt_h5_fail(err, SXT_EXIT_IO, out->part, "close");
    out->mode = SXT_OUT_CLOSED;
    return rc;
}

static int open_file(struct sxt_out *out, enum sxt_out_mode mode,
                     struct sxt_error *err)
{
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    int rc = 0;

    H5Pset_libver_bounds(fapl, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18);
    if (mode == SXT_OUT_DATA)
        H5Pset_fapl_mpio(fapl, out->comm.mpi, MPI_INFO_NULL);
    if (mode == SXT_OUT_DATA || sxt_out_makes(out)) {
        out->file = H5Fopen(out->part, H5F_ACC_RDWR, fapl);
        if (out->file < 0)
            rc = sxt_h5_fail(err, SXT_EXIT_IO, out->part, "reopen");
    }
    H5Pclose(fapl);
    if (rc == 0)
        out->mode = mode;
    return rc;
}

static int set_mode(struct sxt_out *out, enum sxt_out_mode mode,
                    struct sxt_error *err)
{
    if (out->mode == mode)
        return 0;
    int rc = sxt_out_agree(out, close_file(out, err), err);
    if (rc == 0)
        rc = sxt_out_agree(out, open_file(out, mode, err), err);
    return rc;
}

int sxt_out_data(struct sxt_out *out, struct sxt_error *err)
{
    return set_mode(out, SXT_OUT_DATA, err);
}

int sxt_out_structure(struct sxt_out *out, struct sxt_error *err)
{
    return set_mode(out, SXT_OUT_STRUCTURE, err);
}

struct sxt_out *sxt_out_create(const char *path, struct sxt_comm comm,
                               const char *format, int version,
                               const char *title, const struct sxt_prov *prov,
                               struct sxt_error *err)
{
    struct sxt_out *out = sxt_calloc(1, sizeof(*out));
    int rc = 0;

    sxt_h5_quiet();
    out->comm = comm;
    out->guard = -1;
    out->path = sxt_strdup(path);
    out->part = sxt_printf("%s.part", path);
    if (sxt_out_makes(out)) {
        out->file = create_file(out, err);
        rc = out->file < 0 ? -1 : 0;
    }
    rc = sxt_out_agree(out, rc, err);
    if (rc == 0)
        out->mode = SXT_OUT_STRUCTURE;
    if (rc != 0) {
        sxt_out_abandon(out);
        return NULL;
    }
    if (sxt_out_attr_text(out, "/", "format", format, err) != 0 ||
        sxt_out_attr_i64(out, "/", "format_version", version, err) != 0 ||
        sxt_out_attr_text(out, "/", "title", title, err) != 0 ||
        (prov && sxt_out_prov_keep(out, prov, err) != 0)) {
        sxt_out_abandon(out);
        return NULL;
    }
    return out;
}

int sxt_out_poison(struct sxt_out *out, int rc, struct sxt_error *err)
{
    if (rc != 0 && !out->poisoned) {
        out->poisoned = true;
        if (err)
            out->first_error = *err;
    }
    return rc;
}

int sxt_out_agree(struct sxt_out *out, int rc, struct sxt_error *err)
{
    struct sxt_error own = { 0 };

    if (!err)
        err = &own;
    return sxt_out_poison(out, sxt_comm_agree(out->comm, rc, err), err);
}

int sxt_out_groups(struct sxt_out *out, const char *object)
{
    char *path = sxt_strdup(object);
    int rc = 0;

    for (char *p = path + 1; rc == 0 && *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (H5Lexists(out->file, path, H5P_DEFAULT) <= 0) {
            hid_t group = sxt_out_group(out->file, path);
            rc = group < 0 ? -1 : 0;
            if (group >= 0)
                H5Gclose(group);
        }
        *p = '/';
    }
    free(path);
    return rc;
}

hid_t sxt_out_group(hid_t file, const char *path)
{
    hid_t gcpl = H5Pcreate(H5P_GROUP_CREATE);

    H5Pset_obj_track_times(gcpl, 0);
    hid_t group = H5Gcreate2(file, path, H5P_DEFAULT, gcpl, H5P_DEFAULT);
    H5Pclose(gcpl);
    return group;
}

static int make_attr(struct sxt_out *out, const char *object, const char *name,
                     hid_t type, const void *x, struct sxt_error *err)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attr = H5Acreate_by_name(out->file, object, name, type, space,
                                   H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    int rc = 0;

    if (attr < 0 || H5Awrite(attr, type, x) < 0) {
        char *what = sxt_printf("attribute %s of %s", name, object);
        rc = sxt_h5_fail(err, SXT_EXIT_IO, out->part, what);
        free(what);
    }
    if (attr >= 0)
        H5Aclose(attr);
    H5Sclose(space);
    return rc;
}

static int write_attr(struct sxt_out *out, const char *object, const char *name,
                      hid_t type, const void *x, struct sxt_error *err)
{
    int rc = sxt_out_structure(out, err);

    if (rc == 0 && sxt_out_makes(out))
        rc = make_attr(out, object, name, type, x, err);
    return sxt_out_agree(out, rc, err);
}

int sxt_out_attr_i64(struct sxt_out *out, const char *object, const char *name,
                     int64_t x, struct sxt_error *err)
{
    return write_attr(out, object, name, H5T_STD_I64LE, &x, err);
}

int sxt_out_attr_text(struct sxt_out *out, const char *object, const char *name,
                      const char *text, struct sxt_error *err)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    size_t n = strlen(text);

    SXT_CHECK(n < 60000); /* attributes live in the object header */
    H5Tset_size(type, n > 0 ? n : 1);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    int rc = write_attr(out, object, name, type, text, err);
    H5Tclose(type);
    return rc;
}

static void free_out(struct sxt_out *out)
{
    for (size_t i = 0; i < out->n_ranges; i++)
        free(out->ranges[i].object);
    free(out->ranges);
    sxt_out_prov_free(out);
    if (out->guard >= 0)
        close(out->guard);
    free(out->path);
    free(out->part);
    free(out);
}

/* Read back what this rank wrote and compare: HDF5 can report success after a
 * full disk, so only bytes that come back count. */
static int verify(struct sxt_out *out, struct sxt_error *err)
{
    if (check_ours(out, err) != 0)
        return -1;
    struct sxt_in *in = sxt_in_open(out->part, NULL, err);
    int rc = in ? 0 : -1;

    for (size_t i = 0; rc == 0 && i < out->n_ranges; i++) {
        const struct sxt_written *w = &out->ranges[i];
        char *data = sxt_alloc(w->count, w->size);
        rc = sxt_in_range(in, w->object, w->first, w->count, data, err);
        if (rc == 0 && sxt_hash64(data, w->count * w->size, 0) != w->checksum)
            rc = sxt_err(err, SXT_EXIT_IO,
                         "%s: %s reads back differently from what was "
                         "written; the file system lost data",
                         out->part, w->object);
        free(data);
    }
    if (rc != 0 && err && err->code == SXT_EXIT_DATA)
        err->code = SXT_EXIT_IO;
    sxt_in_close(in);
    return rc;
}

/* By rank 0. */
static int publish(const struct sxt_out *out, struct sxt_error *err)
{
    if (check_ours(out, err) != 0)
        return -1;
    return sxt_file_publish(out->part, out->path, err);
}

int sxt_out_commit(struct sxt_out *out, struct sxt_error *err)
{
    struct sxt_error own = { 0 };
    int rc;

    if (!err)
        err = &own;
    /* One rank's range may have failed, of which the others do not know. */
    rc = sxt_out_agree(out, out->poisoned ? -1 : 0, &out->first_error);
    if (rc == 0 && out->has_prov)
        rc = sxt_out_prov_write(out, err);
    if (rc != 0)
        *err = out->first_error;
    if (close_file(out, rc == 0 ? err : &own) != 0)
        rc = -1;
    /* Of each node what it has not sent off yet: rank 0 cannot sync that. */
    if (rc == 0 && out->n_ranges > 0)
        rc = sxt_file_sync(out->part, err);
    rc = sxt_comm_agree(out->comm, rc, err);
    if (rc == 0)
        rc = sxt_comm_agree(out->comm, verify(out, err), err);
    if (rc == 0) {
        if (out->comm.rank == 0)
            rc = publish(out, err);
        rc = sxt_comm_agree(out->comm, rc, err);
    }
    if (rc != 0)
        remove_part(out);
    free_out(out);
    return rc;
}

void sxt_out_abandon(struct sxt_out *out)
{
    if (!out)
        return;
    close_file(out, NULL);
    remove_part(out);
    sxt_comm_barrier(out->comm);
    free_out(out);
}
