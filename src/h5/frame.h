/* frame.h - a table in memory: rows by columns that explain themselves.
 *
 * Columns come from a static table; its order numbers them.  Rows are built
 * one after the other:
 *
 *     sxt_frame_add(f);
 *     sxt_frame_set_text(f, SXT_PROBLEM_ID, id, strlen(id));
 *     sxt_frame_set_i64(f, SXT_PROBLEM_LEVEL, 3);
 */
#ifndef SXT_H5_FRAME_H
#define SXT_H5_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum sxt_col_type {
    SXT_COL_I32,
    SXT_COL_I64,
    SXT_COL_U64,
    SXT_COL_F32,
    SXT_COL_F64,
    SXT_COL_TEXT, /* bytes, usually UTF-8; any length per row */
    SXT_COL_IDS   /* int32 token ids; any number per row */
};

struct sxt_column {
    const char *name;
    enum sxt_col_type type;
    const char *unit; /* "1" if none */
    const char *doc;  /* one sentence; never empty */
    /* May differ between equal runs (a time, a host): stored in /provenance. */
    bool is_volatile;
};

struct sxt_frame; /* opaque */

/* columns: ends with name NULL; borrowed for the frame's life. */
struct sxt_frame *sxt_frame_create(const struct sxt_column *columns);
void sxt_frame_destroy(struct sxt_frame *f);
const struct sxt_column *sxt_frame_columns(const struct sxt_frame *f);
size_t sxt_frame_width(const struct sxt_frame *f); /* number of columns */
size_t sxt_frame_rows(const struct sxt_frame *f);

/* Append a row of zeros and empty texts; returns its number. */
size_t sxt_frame_add(struct sxt_frame *f);
/* Append a copy of another frame's row; both have the same column table. */
void sxt_frame_copy_row(struct sxt_frame *f, const struct sxt_frame *from,
                        size_t row);

/* Set a value of the last row; a ragged value at most once per row.  i64 sets
 * I32 columns too, f64 F32 columns. */
void sxt_frame_set_i64(struct sxt_frame *f, size_t col, int64_t x);
void sxt_frame_set_u64(struct sxt_frame *f, size_t col, uint64_t x);
void sxt_frame_set_f64(struct sxt_frame *f, size_t col, double x);
void sxt_frame_set_text(struct sxt_frame *f, size_t col, const char *data,
                        size_t n);
void sxt_frame_set_string(struct sxt_frame *f, size_t col, const char *text);
void sxt_frame_set_ids(struct sxt_frame *f, size_t col, const int32_t *ids,
                       size_t n);

/* Any row's value.  Spans and arrays are borrowed until the next add. */
int64_t sxt_frame_i64(const struct sxt_frame *f, size_t col, size_t row);
uint64_t sxt_frame_u64(const struct sxt_frame *f, size_t col, size_t row);
double sxt_frame_f64(const struct sxt_frame *f, size_t col, size_t row);
struct sxt_span sxt_frame_text(const struct sxt_frame *f, size_t col,
                               size_t row);
/* The text as new memory with a NUL; caller frees. */
char *sxt_frame_string(const struct sxt_frame *f, size_t col, size_t row);
const int32_t *sxt_frame_ids(const struct sxt_frame *f, size_t col, size_t row,
                             size_t *n);

/* Raw storage of a column, for the reader and writer of files: fixed-width
 * values, or the ragged items with offsets[rows + 1] counted in items. */
struct sxt_frame_storage {
    void *values;
    size_t item_size;  /* bytes */
    uint64_t *offsets; /* NULL for fixed-width columns */
    size_t n_values;   /* rows, or items of all rows */
};
struct sxt_frame_storage sxt_frame_storage(struct sxt_frame *f, size_t col);
/* Make room for `rows` rows with n_items[col] ragged items each column in all,
 * so that storage can be filled in place. */
void sxt_frame_resize(struct sxt_frame *f, size_t rows, const size_t *n_items);

#endif
