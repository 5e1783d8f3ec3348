/* h5.h - what the files of this folder share; private to it, the only place
 * that shows HDF5. */
#ifndef SXT_H5_H5_H
#define SXT_H5_H5_H

#include <hdf5.h>

#include "h5/out.h"

/* Failure of an HDF5 call: "PATH: what: HDF5's innermost reason". */
int sxt_h5_fail(struct sxt_error *err, enum sxt_exit code, const char *path,
                const char *what);
/* Keep HDF5 from printing; its stack goes into messages instead. */
void sxt_h5_quiet(void);

/* A datatype to be closed by the caller: little-endian, as stored. */
hid_t sxt_h5_file_type(enum sxt_h5_type type);
/* The reverse; -1 if the file's type is none of ours. */
int sxt_h5_type_of(hid_t type, enum sxt_h5_type *out);
enum sxt_h5_type sxt_h5_column_type(enum sxt_col_type type);

/* Select flat row-major elements [first, first + count) of a dataspace. */
int sxt_h5_select(hid_t space, int n_dims, const hsize_t *dims, uint64_t first,
                  uint64_t count);

#endif
