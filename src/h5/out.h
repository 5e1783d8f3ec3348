/* out.h - writing a file that explains itself and is complete or absent.
 *
 * Collective (but for sxt_out_range) over the communicator given at create:
 * every rank makes the same calls in the same order.  Bytes go to PATH.part;
 * commit checks that every rank's every call succeeded, reads checksums back,
 * syncs, renames.  One failed call poisons the file: commit then removes it and
 * reports.
 *
 * Bytes outside /provenance depend on the data only, not on the number of
 * ranks, the clock or the host. */
#ifndef SXT_H5_OUT_H
#define SXT_H5_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "h5/frame.h"
#include "par/comm.h"

/* Once per process, before MPI starts: keep HDF5 from closing files by itself
 * at exit.  Every file is closed explicitly; one that could not be closed (a
 * full disk) must not be touched again, or HDF5 1.10 crashes. */
void sxt_h5_start(void);

struct sxt_out; /* opaque */

/* What a file says about how it came to be: the configuration at /config, the
 * rest under /provenance, inputs as lines "DIGEST  PATH". */
#define SXT_CONFIG_OBJECT "/config"
#define SXT_INPUTS_OBJECT "/provenance/inputs"
struct sxt_prov {
    const char *command;       /* the command line */
    const char *config;        /* resolved input, a valid input file */
    const char *const *inputs; /* paths of files read; hashed by rank 0 */
    size_t n_inputs;
    const char *hashed; /* what sxt_prov_hash said of them before; NULL: ask */
};
/* The lines of these inputs, on rank 0, for several outputs: to read a large
 * model again for each of them takes minutes, and it may have changed since.
 * Collective. */
int sxt_prov_hash(struct sxt_comm comm, const char *const *inputs, size_t n,
                  struct sxt_str *lines, struct sxt_error *err);

enum sxt_h5_type {
    SXT_H5_U8,
    SXT_H5_U16,
    SXT_H5_I32,
    SXT_H5_I64,
    SXT_H5_U64,
    SXT_H5_F32,
    SXT_H5_F64,
    SXT_H5_BF16 /* custom 16-bit float, research: sign 15, exponent 7-14 */
};
size_t sxt_h5_type_size(enum sxt_h5_type type);

/* format: "sextant/problems" …; title: one line for people.  prov may be NULL
 * (tests).  NULL on failure. */
struct sxt_out *sxt_out_create(const char *path, struct sxt_comm comm,
                               const char *format, int version,
                               const char *title, const struct sxt_prov *prov,
                               struct sxt_error *err);

/* Write a frame as group /NAME: rows of rank 0, then of rank 1, …
 * A ragged column X becomes X (items) and X_offsets (rows + 1). */
int sxt_out_frame(struct sxt_out *out, const char *name, struct sxt_frame *rows,
                  struct sxt_error *err);

/* A byte string (a JSON file, say) at an absolute object path; the bytes of
 * rank 0 count. */
int sxt_out_bytes(struct sxt_out *out, const char *object, const char *doc,
                  const void *data, size_t n, struct sxt_error *err);

/* Attributes for small facts; on "/" or an object; same on every rank. */
int sxt_out_attr_i64(struct sxt_out *out, const char *object, const char *name,
                     int64_t x, struct sxt_error *err);
int sxt_out_attr_text(struct sxt_out *out, const char *object, const char *name,
                      const char *text, struct sxt_error *err);

/* A numeric dataset of 0 to 4 dimensions, created by all ranks, then written
 * by each rank in flat element ranges (row-major).  Groups on the way are
 * created.  First all tensors, then sxt_out_data(), then the ranges: these are
 * not collective, any number per rank, and must not overlap between ranks. */
int sxt_out_tensor(struct sxt_out *out, const char *object,
                   enum sxt_h5_type type, int n_dims, const uint64_t *dims,
                   const char *unit, const char *doc, struct sxt_error *err);
int sxt_out_data(struct sxt_out *out, struct sxt_error *err);
int sxt_out_range(struct sxt_out *out, const char *object, uint64_t first,
                  uint64_t count, const void *data, struct sxt_error *err);

/* Publish.  Frees out, also on failure.  Collective. */
int sxt_out_commit(struct sxt_out *out, struct sxt_error *err);
/* Remove PATH.part and free.  out may be NULL. */
void sxt_out_abandon(struct sxt_out *out);

#endif
