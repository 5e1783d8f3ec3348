/* out_data.c - writing datasets: tensors, byte strings, tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "h5/out_impl.h"

enum { PIECE_BYTES = 1 << 28 };

static hid_t create_set(struct sxt_out *out, const char *object,
                        enum sxt_h5_type type, int n_dims, const hsize_t *dims)
{
    hid_t file_type = sxt_h5_file_type(type);
    hid_t space = n_dims == 0 ? H5Screate(H5S_SCALAR)
                              : H5Screate_simple(n_dims, dims, NULL);
    hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE);
    hid_t set = -1;

    /* Space at creation: places in the file then depend on the order of
     * creation only, not on who writes first. */
    if (H5Pset_alloc_time(dcpl, H5D_ALLOC_TIME_EARLY) >= 0 &&
        H5Pset_fill_time(dcpl, H5D_FILL_TIME_NEVER) >= 0 &&
        H5Pset_obj_track_times(dcpl, 0) >= 0 &&
        sxt_out_groups(out, object) == 0)
        set = H5Dcreate2(out->file, object, file_type, space, H5P_DEFAULT, dcpl,
                         H5P_DEFAULT);
    H5Pclose(dcpl);
    H5Sclose(space);
    H5Tclose(file_type);
    return set;
}

static int make_set(struct sxt_out *out, const char *object,
                    enum sxt_h5_type type, int n_dims, const uint64_t *dims,
                    struct sxt_error *err)
{
    hsize_t h5_dims[4];

    for (int i = 0; i < n_dims; i++)
        h5_dims[i] = dims[i];
    hid_t set = create_set(out, object, type, n_dims, h5_dims);
    if (set < 0)
        return sxt_h5_fail(err, SXT_EXIT_IO, out->part, object);
    H5Dclose(set);
    return 0;
}

int sxt_out_tensor(struct sxt_out *out, const char *object,
                   enum sxt_h5_type type, int n_dims, const uint64_t *dims,
                   const char *unit, const char *doc, struct sxt_error *err)
{
    SXT_CHECK(n_dims >= 0 && n_dims <= 4 && doc[0] != '\0');
    int rc = sxt_out_structure(out, err);

    if (rc == 0 && sxt_out_makes(out))
        rc = make_set(out, object, type, n_dims, dims, err);
    rc = sxt_out_agree(out, rc, err);
    if (rc == 0)
        rc = sxt_out_attr_text(out, object, "description", doc, err);
    if (rc == 0)
        rc = sxt_out_attr_text(out, object, "unit", unit, err);
    return rc;
}

static int write_range(hid_t set, uint64_t first, uint64_t count,
                       const void *data)
{
    hid_t type = H5Dget_type(set), space = H5Dget_space(set);
    hsize_t dims[4], n = count;
    int n_dims = H5Sget_simple_extent_dims(space, dims, NULL);
    hid_t memory = H5Screate_simple(1, &n, NULL);
    int rc = -1;

    if (n_dims >= 0 && sxt_h5_select(space, n_dims, dims, first, count) >= 0 &&
        H5Dwrite(set, type, memory, space, H5P_DEFAULT, data) >= 0)
        rc = 0;
    H5Sclose(memory);
    H5Sclose(space);
    H5Tclose(type);
    return rc;
}

static void remember(struct sxt_out *out, const char *object, uint64_t first,
                     uint64_t count, size_t size, const void *data)
{
    out->ranges = sxt_grow(out->ranges, &out->cap_ranges, out->n_ranges + 1,
                           sizeof(*out->ranges));
    out->ranges[out->n_ranges++] =
        (struct sxt_written){ sxt_strdup(object), first, count,
                              sxt_hash64(data, count * size, 0), size };
}

/* The range in pieces: MPI-IO counts bytes by ints, and commit has memory for
 * one piece when it reads back. */
static int write_pieces(struct sxt_out *out, hid_t set, const char *object,
                        uint64_t first, uint64_t count, const char *data)
{
    hid_t type = H5Dget_type(set);
    size_t size = H5Tget_size(type);
    uint64_t most = PIECE_BYTES / size;

    H5Tclose(type);
    for (uint64_t done = 0; done < count; done += most) {
        uint64_t n = count - done < most ? count - done : most;
        const char *from = data + done * size;
        if (write_range(set, first + done, n, from) != 0)
            return -1;
        remember(out, object, first + done, n, size, from);
    }
    return 0;
}

int sxt_out_range(struct sxt_out *out, const char *object, uint64_t first,
                  uint64_t count, const void *data, struct sxt_error *err)
{
    struct sxt_error own = { 0 };
    int rc = 0;

    SXT_CHECK(out->mode == SXT_OUT_DATA ||
              (out->mode == SXT_OUT_STRUCTURE && sxt_out_makes(out)));
    if (count == 0)
        return 0;
    if (!err)
        err = &own;
    hid_t set = H5Dopen2(out->file, object, H5P_DEFAULT);
    if (set < 0 || write_pieces(out, set, object, first, count, data) != 0)
        rc = sxt_h5_fail(err, SXT_EXIT_IO, out->part, object);
    if (set >= 0)
        H5Dclose(set);
    return sxt_out_poison(out, rc, err);
}

int sxt_out_bytes(struct sxt_out *out, const char *object, const char *doc,
                  const void *data, size_t n, struct sxt_error *err)
{
    uint64_t count = n;

    sxt_comm_broadcast(out->comm, &count, sizeof(count), 0);
    if (sxt_out_tensor(out, object, SXT_H5_U8, 1, &count, "byte", doc, err))
        return -1;
    int rc = 0;
    if (sxt_out_makes(out))
        rc = sxt_out_range(out, object, 0, count, data, err);
    return sxt_out_agree(out, rc, err);
}

/* Where a rank's rows and items of a column go. */
struct place {
    uint64_t first, total;
};

static struct place locate(struct sxt_out *out, uint64_t mine)
{
    return (struct place){ (uint64_t)sxt_comm_exscan(out->comm, (int64_t)mine),
                           (uint64_t)sxt_comm_sum(out->comm, (int64_t)mine) };
}

/* One column of a table on its way into a file. */
struct target {
    char *values, *offsets; /* object paths */
    struct sxt_frame_storage data;
    struct place item;
};

static struct target aim(struct sxt_out *out, const char *group,
                         struct sxt_frame *f, size_t col)
{
    const struct sxt_column *c = &sxt_frame_columns(f)[col];
    struct target t;

    t.data = sxt_frame_storage(f, col);
    t.values = sxt_printf("%s%s/%s", c->is_volatile ? "/provenance" : "", group,
                          c->name);
    t.offsets = sxt_printf("%s_offsets", t.values);
    t.item = locate(out, t.data.n_values);
    return t;
}

static int make_column(struct sxt_out *out, const struct sxt_column *c,
                       const struct target *t, uint64_t rows,
                       struct sxt_error *err)
{
    uint64_t ends = rows + 1;
    int rc = sxt_out_tensor(out, t->values, sxt_h5_column_type(c->type), 1,
                            &t->item.total, c->unit, c->doc, err);

    if (rc == 0 && t->data.offsets)
        rc = sxt_out_tensor(out, t->offsets, SXT_H5_U64, 1, &ends, "item",
                            "First item of each row, and the end.", err);
    return rc;
}

/* Each rank writes its values and the ends of its rows; rank 0 also the zero
 * that begins the offsets. */
static int fill_column(struct sxt_out *out, const struct target *t,
                       struct place row, size_t rows, struct sxt_error *err)
{
    uint64_t zero = 0;
    int rc = sxt_out_range(out, t->values, t->item.first, t->data.n_values,
                           t->data.values, err);

    if (rc != 0 || !t->data.offsets)
        return rc;
    uint64_t *ends = sxt_alloc(rows, sizeof(*ends));
    for (size_t i = 0; i < rows; i++)
        ends[i] = t->item.first + t->data.offsets[i + 1];
    if (out->comm.rank == 0)
        rc = sxt_out_range(out, t->offsets, 0, 1, &zero, err);
    if (rc == 0)
        rc = sxt_out_range(out, t->offsets, row.first + 1, rows, ends, err);
    free(ends);
    return rc;
}

static int make_group(struct sxt_out *out, const char *group,
                      struct sxt_error *err)
{
    int rc = sxt_out_structure(out, err);

    if (rc == 0 && sxt_out_makes(out)) {
        hid_t id = sxt_out_group(out->file, group);
        if (id < 0)
            rc = sxt_h5_fail(err, SXT_EXIT_IO, out->part, group);
        else
            H5Gclose(id);
    }
    return sxt_out_agree(out, rc, err);
}

int sxt_out_frame(struct sxt_out *out, const char *name, struct sxt_frame *f,
                  struct sxt_error *err)
{
    size_t rows = sxt_frame_rows(f), width = sxt_frame_width(f);
    struct place row = locate(out, rows);
    struct target *t = sxt_alloc(width, sizeof(*t));
    char *group = sxt_printf("/%s", name);
    int rc = make_group(out, group, err);

    for (size_t c = 0; c < width; c++)
        t[c] = aim(out, group, f, c);
    if (rc == 0)
        rc = sxt_out_attr_i64(out, group, "rows", (int64_t)row.total, err);
    for (size_t c = 0; rc == 0 && c < width; c++)
        rc = make_column(out, &sxt_frame_columns(f)[c], &t[c], row.total, err);
    if (rc == 0)
        rc = sxt_out_data(out, err);
    if (rc == 0) {
        for (size_t c = 0; rc == 0 && c < width; c++)
            rc = fill_column(out, &t[c], row, rows, err);
        rc = sxt_out_agree(out, rc, err);
    }
    for (size_t c = 0; c < width; c++) {
        free(t[c].values);
        free(t[c].offsets);
    }
    free(t);
    free(group);
    return rc;
}
