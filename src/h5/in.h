/* in.h - reading Sextant's own files; each rank reads what it asks for.
 *
 * Opening checks that the file says it is of the expected format and version.
 * No call is collective. */
#ifndef SXT_H5_IN_H
#define SXT_H5_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "h5/frame.h"
#include "h5/out.h"

struct sxt_in; /* opaque */

/* format NULL accepts any of ours.  NULL on failure: SXT_EXIT_NOINPUT if there
 * is no such file, SXT_EXIT_DATA if it is not what it should be. */
struct sxt_in *sxt_in_open(const char *path, const char *format,
                           struct sxt_error *err);
void sxt_in_close(struct sxt_in *in);
const char *sxt_in_format(const struct sxt_in *in);
const char *sxt_in_path(const struct sxt_in *in);
bool sxt_in_has(const struct sxt_in *in, const char *object);

/* Rows of group /NAME.  A column that the table has and the file lacks is an
 * error naming it. */
int sxt_in_rows(struct sxt_in *in, const char *name, size_t *rows,
                struct sxt_error *err);
/* Rows [first, first + count) as a new frame, owned by the caller. */
int sxt_in_frame(struct sxt_in *in, const char *name,
                 const struct sxt_column *columns, size_t first, size_t count,
                 struct sxt_frame **frame, struct sxt_error *err);

int sxt_in_bytes(struct sxt_in *in, const char *object, struct sxt_str *out,
                 struct sxt_error *err);
int sxt_in_attr_i64(struct sxt_in *in, const char *object, const char *name,
                    int64_t *x, struct sxt_error *err);
int sxt_in_attr_f64(struct sxt_in *in, const char *object, const char *name,
                    double *x, struct sxt_error *err);
int sxt_in_attr_text(struct sxt_in *in, const char *object, const char *name,
                     struct sxt_str *text, struct sxt_error *err);

struct sxt_h5_info {
    enum sxt_h5_type type;
    int n_dims;
    uint64_t dims[4];
    uint64_t count; /* elements */
};
int sxt_in_info(struct sxt_in *in, const char *object, struct sxt_h5_info *info,
                struct sxt_error *err);
/* Flat elements [first, first + count) in the stored type. */
int sxt_in_range(struct sxt_in *in, const char *object, uint64_t first,
                 uint64_t count, void *data, struct sxt_error *err);
/* Names of the objects in a group, sorted; names and the array are owned by
 * the caller. */
int sxt_in_list(struct sxt_in *in, const char *group, char ***names,
                size_t *count, struct sxt_error *err);

#endif
