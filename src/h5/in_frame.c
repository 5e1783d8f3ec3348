/* in_frame.c - reading tables. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "h5/h5.h"
#include "h5/in.h"

static char *column_path(const char *frame, const struct sxt_column *c,
                         const char *suffix)
{
    return sxt_printf("%s/%s/%s%s", c->is_volatile ? "/provenance" : "", frame,
                      c->name, suffix);
}

int sxt_in_rows(struct sxt_in *in, const char *name, size_t *rows,
                struct sxt_error *err)
{
    char *group = sxt_printf("/%s", name);
    int64_t n = 0;
    int rc;

    if (!sxt_in_has(in, group))
        rc = sxt_err(err, SXT_EXIT_DATA, "%s: table %s is missing",
                     sxt_in_path(in), group);
    else
        rc = sxt_in_attr_i64(in, group, "rows", &n, err);
    if (rc == 0 && n < 0)
        rc = sxt_err(err, SXT_EXIT_DATA, "%s: table %s has %lld rows",
                     sxt_in_path(in), group, (long long)n);
    if (rc == 0)
        *rows = (size_t)n;
    free(group);
    return rc;
}

/* The column's dataset must have the type of the table and the right length;
 * lengths come from the file, so nothing is trusted. */
static int check_column(struct sxt_in *in, const char *path,
                        enum sxt_h5_type type, uint64_t count,
                        struct sxt_error *err)
{
    struct sxt_h5_info info;

    if (sxt_in_info(in, path, &info, err) != 0)
        return -1;
    if (info.type != type || info.n_dims != 1 || info.count < count)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: %s is not a column of this format", sxt_in_path(in),
                       path);
    return 0;
}

/* Item range [*begin, *begin + *n) of the rows, and offsets from 0. */
static int read_offsets(struct sxt_in *in, const char *frame,
                        const struct sxt_column *c, size_t first, size_t count,
                        uint64_t **offsets, uint64_t *begin,
                        struct sxt_error *err)
{
    char *path = column_path(frame, c, "_offsets");
    int rc = check_column(in, path, SXT_H5_U64, first + count + 1, err);
    uint64_t *o = rc == 0 ? sxt_alloc(count + 1, sizeof(*o)) : NULL;

    if (rc == 0)
        rc = sxt_in_range(in, path, first, count + 1, o, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (o[i] > o[i + 1])
            rc = sxt_err(err, SXT_EXIT_DATA, "%s: %s is not in order",
                         sxt_in_path(in), path);
    free(path);
    if (rc != 0) {
        free(o);
        return -1;
    }
    *begin = o[0];
    for (size_t i = count + 1; i-- > 0;)
        o[i] -= *begin;
    *offsets = o;
    return 0;
}

static int fill_column(struct sxt_in *in, const char *frame, size_t col,
                       struct sxt_frame *f, uint64_t begin,
                       struct sxt_error *err)
{
    const struct sxt_column *c = &sxt_frame_columns(f)[col];
    struct sxt_frame_storage s = sxt_frame_storage(f, col);
    char *path = column_path(frame, c, "");
    int rc = sxt_in_range(in, path, begin, s.n_values, s.values, err);

    free(path);
    return rc;
}

int sxt_in_frame(struct sxt_in *in, const char *name,
                 const struct sxt_column *columns, size_t first, size_t count,
                 struct sxt_frame **frame, struct sxt_error *err)
{
    struct sxt_frame *f = sxt_frame_create(columns);
    size_t width = sxt_frame_width(f), rows = 0;
    uint64_t **offsets = sxt_calloc(width, sizeof(*offsets));
    uint64_t *begin = sxt_calloc(width, sizeof(*begin));
    size_t *n_items = sxt_calloc(width, sizeof(*n_items));
    int rc = sxt_in_rows(in, name, &rows, err);

    if (rc == 0 && (first > rows || count > rows - first))
        rc = sxt_err(err, SXT_EXIT_DATA, "%s: %s has %zu rows, not %zu + %zu",
                     sxt_in_path(in), name, rows, first, count);
    for (size_t c = 0; rc == 0 && c < width; c++) {
        begin[c] = first;
        if (sxt_frame_storage(f, c).offsets) {
            rc = read_offsets(in, name, &columns[c], first, count, &offsets[c],
                              &begin[c], err);
            n_items[c] = rc == 0 ? offsets[c][count] : 0;
        }
        if (rc == 0) { /* before memory is taken for what the file claims */
            char *path = column_path(name, &columns[c], "");
            rc =
                check_column(in, path, sxt_h5_column_type(columns[c].type),
                             begin[c] + (offsets[c] ? n_items[c] : count), err);
            free(path);
        }
    }
    if (rc == 0)
        sxt_frame_resize(f, count, n_items);
    for (size_t c = 0; rc == 0 && c < width; c++) {
        struct sxt_frame_storage s = sxt_frame_storage(f, c);
        for (size_t i = 0; s.offsets && i <= count; i++)
            s.offsets[i] = offsets[c][i];
        rc = fill_column(in, name, c, f, begin[c], err);
    }
    for (size_t c = 0; c < width; c++)
        free(offsets[c]);
    free(offsets);
    free(begin);
    free(n_items);
    if (rc == 0)
        *frame = f;
    else
        sxt_frame_destroy(f);
    return rc;
}
