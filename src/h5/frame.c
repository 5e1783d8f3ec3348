/* frame.c - a table in memory. */
#include "h5/frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

struct column {
    char *values;
    size_t n_values, cap; /* items, not bytes */
    uint64_t *offsets;    /* ragged: rows + 1 */
    size_t offsets_cap;
};

struct sxt_frame {
    const struct sxt_column *columns;
    size_t width, rows;
    struct column *col;
};

static size_t item_size(enum sxt_col_type type)
{
    switch (type) {
    case SXT_COL_TEXT:
        return 1;
    case SXT_COL_I32:
    case SXT_COL_F32:
    case SXT_COL_IDS:
        return 4;
    default:
        return 8;
    }
}

static bool is_ragged(enum sxt_col_type type)
{
    return type == SXT_COL_TEXT || type == SXT_COL_IDS;
}

struct sxt_frame *sxt_frame_create(const struct sxt_column *columns)
{
    struct sxt_frame *f = sxt_calloc(1, sizeof(*f));

    f->columns = columns;
    while (columns[f->width].name)
        f->width++;
    f->col = sxt_calloc(f->width, sizeof(*f->col));
    for (size_t c = 0; c < f->width; c++)
        if (is_ragged(columns[c].type)) {
            f->col[c].offsets =
                sxt_grow(NULL, &f->col[c].offsets_cap, 1, sizeof(uint64_t));
            f->col[c].offsets[0] = 0;
        }
    return f;
}

void sxt_frame_destroy(struct sxt_frame *f)
{
    if (!f)
        return;
    for (size_t c = 0; c < f->width; c++) {
        free(f->col[c].values);
        free(f->col[c].offsets);
    }
    free(f->col);
    free(f);
}

const struct sxt_column *sxt_frame_columns(const struct sxt_frame *f)
{
    return f->columns;
}

size_t sxt_frame_width(const struct sxt_frame *f)
{
    return f->width;
}

size_t sxt_frame_rows(const struct sxt_frame *f)
{
    return f->rows;
}

size_t sxt_frame_add(struct sxt_frame *f)
{
    for (size_t c = 0; c < f->width; c++) {
        struct column *col = &f->col[c];
        if (col->offsets) {
            col->offsets = sxt_grow(col->offsets, &col->offsets_cap,
                                    f->rows + 2, sizeof(uint64_t));
            col->offsets[f->rows + 1] = col->n_values;
        } else {
            size_t size = item_size(f->columns[c].type);
            col->values = sxt_grow(col->values, &col->cap, f->rows + 1, size);
            memset(col->values + f->rows * size, 0, size);
            col->n_values = f->rows + 1;
        }
    }
    return f->rows++;
}

/* Append n items to the last row's ragged value, which is empty so far. */
static void set_items(struct sxt_frame *f, size_t col, enum sxt_col_type type,
                      const void *items, size_t n)
{
    SXT_CHECK(col < f->width && f->columns[col].type == type && f->rows > 0);
    struct column *c = &f->col[col];
    size_t size = item_size(type);

    SXT_CHECK(c->offsets[f->rows] == c->offsets[f->rows - 1]);
    c->values = sxt_grow(c->values, &c->cap, c->n_values + n, size);
    if (n > 0)
        memcpy(c->values + c->n_values * size, items, n * size);
    c->n_values += n;
    c->offsets[f->rows] = c->n_values;
}

void sxt_frame_copy_row(struct sxt_frame *f, const struct sxt_frame *from,
                        size_t row)
{
    SXT_CHECK(f->columns == from->columns && row < from->rows);
    sxt_frame_add(f);
    for (size_t c = 0; c < f->width; c++) {
        const struct column *src = &from->col[c];
        enum sxt_col_type type = f->columns[c].type;
        size_t size = item_size(type);
        if (src->offsets)
            set_items(f, c, type,
                      src->values ? src->values + src->offsets[row] * size
                                  : NULL,
                      src->offsets[row + 1] - src->offsets[row]);
        else
            memcpy(f->col[c].values + (f->rows - 1) * size,
                   src->values + row * size, size);
    }
}

/* The cell of a fixed-width column. */
static void *cell(const struct sxt_frame *f, size_t col, size_t row)
{
    SXT_CHECK(col < f->width && row < f->rows && !f->col[col].offsets);
    return f->col[col].values + row * item_size(f->columns[col].type);
}

void sxt_frame_set_i64(struct sxt_frame *f, size_t col, int64_t x)
{
    void *p = cell(f, col, f->rows - 1);

    if (f->columns[col].type == SXT_COL_I32) {
        SXT_CHECK(x >= INT32_MIN && x <= INT32_MAX);
        *(int32_t *)p = (int32_t)x;
    } else {
        SXT_CHECK(f->columns[col].type == SXT_COL_I64);
        *(int64_t *)p = x;
    }
}

void sxt_frame_set_u64(struct sxt_frame *f, size_t col, uint64_t x)
{
    SXT_CHECK(f->columns[col].type == SXT_COL_U64);
    *(uint64_t *)cell(f, col, f->rows - 1) = x;
}

void sxt_frame_set_f64(struct sxt_frame *f, size_t col, double x)
{
    void *p = cell(f, col, f->rows - 1);

    if (f->columns[col].type == SXT_COL_F32) {
        *(float *)p = (float)x;
    } else {
        SXT_CHECK(f->columns[col].type == SXT_COL_F64);
        *(double *)p = x;
    }
}

void sxt_frame_set_text(struct sxt_frame *f, size_t col, const char *data,
                        size_t n)
{
    set_items(f, col, SXT_COL_TEXT, data, n);
}

void sxt_frame_set_string(struct sxt_frame *f, size_t col, const char *text)
{
    set_items(f, col, SXT_COL_TEXT, text, strlen(text));
}

void sxt_frame_set_ids(struct sxt_frame *f, size_t col, const int32_t *ids,
                       size_t n)
{
    set_items(f, col, SXT_COL_IDS, ids, n);
}

int64_t sxt_frame_i64(const struct sxt_frame *f, size_t col, size_t row)
{
    const void *p = cell(f, col, row);

    if (f->columns[col].type == SXT_COL_I32)
        return *(const int32_t *)p;
    SXT_CHECK(f->columns[col].type == SXT_COL_I64);
    return *(const int64_t *)p;
}

uint64_t sxt_frame_u64(const struct sxt_frame *f, size_t col, size_t row)
{
    SXT_CHECK(f->columns[col].type == SXT_COL_U64);
    return *(const uint64_t *)cell(f, col, row);
}

double sxt_frame_f64(const struct sxt_frame *f, size_t col, size_t row)
{
    const void *p = cell(f, col, row);

    if (f->columns[col].type == SXT_COL_F32)
        return (double)*(const float *)p;
    SXT_CHECK(f->columns[col].type == SXT_COL_F64);
    return *(const double *)p;
}

static const void *items(const struct sxt_frame *f, size_t col, size_t row,
                         enum sxt_col_type type, size_t *n)
{
    SXT_CHECK(col < f->width && row < f->rows && f->columns[col].type == type);
    const struct column *c = &f->col[col];

    *n = c->offsets[row + 1] - c->offsets[row];
    return *n == 0 ? "" : c->values + c->offsets[row] * item_size(type);
}

struct sxt_span sxt_frame_text(const struct sxt_frame *f, size_t col,
                               size_t row)
{
    struct sxt_span s;

    s.data = items(f, col, row, SXT_COL_TEXT, &s.len);
    return s;
}

char *sxt_frame_string(const struct sxt_frame *f, size_t col, size_t row)
{
    struct sxt_span s = sxt_frame_text(f, col, row);

    return sxt_strndup(s.data, s.len);
}

const int32_t *sxt_frame_ids(const struct sxt_frame *f, size_t col, size_t row,
                             size_t *n)
{
    return items(f, col, row, SXT_COL_IDS, n);
}

struct sxt_frame_storage sxt_frame_storage(struct sxt_frame *f, size_t col)
{
    SXT_CHECK(col < f->width);
    struct column *c = &f->col[col];

    return (struct sxt_frame_storage){ c->values,
                                       item_size(f->columns[col].type),
                                       c->offsets, c->n_values };
}

void sxt_frame_resize(struct sxt_frame *f, size_t rows, const size_t *n_items)
{
    for (size_t c = 0; c < f->width; c++) {
        struct column *col = &f->col[c];
        size_t n = col->offsets ? n_items[c] : rows;
        size_t size = item_size(f->columns[c].type);
        col->values = sxt_grow(col->values, &col->cap, n, size);
        col->n_values = n;
        if (col->offsets)
            col->offsets = sxt_grow(col->offsets, &col->offsets_cap, rows + 1,
                                    sizeof(uint64_t));
    }
    f->rows = rows;
}
