/* type.c - datatypes, selections and messages shared by reader and writer. */
#include <stdio.h>
#include <string.h>

#include "h5/h5.h"

void sxt_h5_start(void)
{
    SXT_CHECK(H5dont_atexit() >= 0);
    SXT_CHECK(H5open() >= 0); /* before MPI: no hook in MPI_Finalize either */
}

void sxt_h5_quiet(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

size_t sxt_h5_type_size(enum sxt_h5_type type)
{
    static const size_t size[] = { 1, 2, 4, 8, 8, 4, 8, 2 };

    return size[type];
}

/* sign bit 15, exponent bits 7-14 with bias 127, mantissa bits 0-6: the layout
 * that HDF5 2.0 calls H5T_FLOAT_BFLOAT16LE. */
static hid_t bf16_type(void)
{
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);

    SXT_CHECK(H5Tset_fields(type, 15, 7, 8, 0, 7) >= 0);
    SXT_CHECK(H5Tset_ebias(type, 127) >= 0);
    SXT_CHECK(H5Tset_size(type, 2) >= 0);
    return type;
}

hid_t sxt_h5_file_type(enum sxt_h5_type type)
{
    switch (type) {
    case SXT_H5_U8:
        return H5Tcopy(H5T_STD_U8LE);
    case SXT_H5_U16:
        return H5Tcopy(H5T_STD_U16LE);
    case SXT_H5_I32:
        return H5Tcopy(H5T_STD_I32LE);
    case SXT_H5_I64:
        return H5Tcopy(H5T_STD_I64LE);
    case SXT_H5_U64:
        return H5Tcopy(H5T_STD_U64LE);
    case SXT_H5_F32:
        return H5Tcopy(H5T_IEEE_F32LE);
    case SXT_H5_F64:
        return H5Tcopy(H5T_IEEE_F64LE);
    case SXT_H5_BF16:
        return bf16_type();
    }
    sxt_bug(__FILE__, __LINE__, "a known type");
}

int sxt_h5_type_of(hid_t type, enum sxt_h5_type *out)
{
    for (int t = SXT_H5_U8; t <= SXT_H5_BF16; t++) {
        hid_t ours = sxt_h5_file_type((enum sxt_h5_type)t);
        htri_t same = H5Tequal(type, ours);
        H5Tclose(ours);
        if (same > 0) {
            *out = (enum sxt_h5_type)t;
            return 0;
        }
    }
    return -1;
}

enum sxt_h5_type sxt_h5_column_type(enum sxt_col_type type)
{
    switch (type) {
    case SXT_COL_I32:
    case SXT_COL_IDS:
        return SXT_H5_I32;
    case SXT_COL_I64:
        return SXT_H5_I64;
    case SXT_COL_U64:
        return SXT_H5_U64;
    case SXT_COL_F32:
        return SXT_H5_F32;
    case SXT_COL_F64:
        return SXT_H5_F64;
    case SXT_COL_TEXT:
        return SXT_H5_U8;
    }
    sxt_bug(__FILE__, __LINE__, "a known column type");
}

enum { REASON = 300 };

/* The first entry in upward order is the cause.  File drivers put the system's
 * words into it: "…, error message = 'No space left on device', …". */
static herr_t innermost(unsigned n, const H5E_error2_t *e, void *text)
{
    static const char mark[] = "error message = '";
    const char *words = e->desc ? strstr(e->desc, mark) : NULL;

    (void)n;
    if (words) {
        words += strlen(mark);
        snprintf(text, REASON, "%.*s", (int)strcspn(words, "'"), words);
    } else if (e->desc) {
        snprintf(text, REASON, "%s", e->desc);
    }
    return 1;
}

int sxt_h5_fail(struct sxt_error *err, enum sxt_exit code, const char *path,
                const char *what)
{
    char reason[REASON] = "HDF5 gives no reason";

    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, reason);
    H5Eclear2(H5E_DEFAULT);
    return sxt_err(err, code, "%s: %s: %s", path, what, reason);
}

/* Add a box to the selection: start and size fixed in dimensions < d, then
 * `start[d]`, `rows` of it, and everything behind. */
static int add_box(hid_t space, int n_dims, const hsize_t *dims, hsize_t *start,
                   int d, uint64_t at, uint64_t rows)
{
    hsize_t size[4];

    for (int i = 0; i < n_dims; i++) {
        size[i] = i < d ? 1 : i == d ? rows : dims[i];
        if (i > d)
            start[i] = 0;
    }
    start[d] = at;
    return H5Sselect_hyperslab(space, H5S_SELECT_OR, start, NULL, size, NULL);
}

/* A flat range is part of a row, whole rows, and part of a row; each part is
 * a flat range of one dimension less. */
static int add_range(hid_t space, int n_dims, const hsize_t *dims,
                     hsize_t *start, int d, uint64_t first, uint64_t count)
{
    uint64_t block = 1;

    for (int i = d + 1; i < n_dims; i++)
        block *= dims[i];
    while (count > 0) {
        uint64_t row = first / block, in_row = first % block, take;
        int rc;
        if (in_row == 0 && count >= block) {
            take = count / block * block;
            rc = add_box(space, n_dims, dims, start, d, row, count / block);
        } else {
            take = block - in_row < count ? block - in_row : count;
            start[d] = row;
            rc = add_range(space, n_dims, dims, start, d + 1, in_row, take);
        }
        if (rc < 0)
            return -1;
        first += take;
        count -= take;
    }
    return 0;
}

int sxt_h5_select(hid_t space, int n_dims, const hsize_t *dims, uint64_t first,
                  uint64_t count)
{
    hsize_t start[4] = { 0 };

    if (H5Sselect_none(space) < 0)
        return -1;
    if (n_dims == 0)
        return H5Sselect_all(space);
    return add_range(space, n_dims, dims, start, 0, first, count);
}
