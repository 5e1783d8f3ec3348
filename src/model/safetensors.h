/* safetensors.h - Hugging Face weight files, hostile ones included.
 *
 * A file is: header length (8 bytes, little-endian), header (JSON: tensor name
 * to dtype, shape, data_offsets), data.  A model is one file or a directory
 * with either model.safetensors or shards that model.safetensors.index.json
 * names.  Everything is checked before anything is allocated by it: whatever
 * is accepted has every byte of data in exactly one tensor. */
#ifndef SXT_MODEL_SAFETENSORS_H
#define SXT_MODEL_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "par/comm.h"

/* F16 is for reading only: its values are f32 values exactly. */
enum sxt_st_type { SXT_ST_F16, SXT_ST_BF16, SXT_ST_F32 };
enum { SXT_ST_MAX_DIMS = 4 };

struct sxt_st_tensor {
    char *name; /* owned by the reader, borrowed by the writer */
    enum sxt_st_type type;
    int n_dims;
    uint64_t dims[SXT_ST_MAX_DIMS];
    uint64_t count;  /* elements: the product of dims */
    size_t shard;    /* which file */
    uint64_t offset; /* bytes from the file's begin */
};
size_t sxt_st_type_size(enum sxt_st_type type);

struct sxt_st_in; /* opaque */

/* path: a file, or a directory.  Checks all headers.  NULL on failure:
 * SXT_EXIT_NOINPUT if there is nothing, SXT_EXIT_DATA if it is broken. */
struct sxt_st_in *sxt_st_open(const char *path, struct sxt_error *err);
void sxt_st_close(struct sxt_st_in *in);
/* The tensors, by name; borrowed. */
const struct sxt_st_tensor *sxt_st_tensors(const struct sxt_st_in *in,
                                           size_t *count);
const struct sxt_st_tensor *sxt_st_find(const struct sxt_st_in *in,
                                        const char *name);
/* Path of file number `shard`, borrowed; NULL behind the last. */
const char *sxt_st_path(const struct sxt_st_in *in, size_t shard);
/* Elements [first, first + count) of a tensor as they are stored. */
int sxt_st_read(const struct sxt_st_in *in, const struct sxt_st_tensor *tensor,
                uint64_t first, uint64_t count, void *to,
                struct sxt_error *err);

struct sxt_st_out; /* opaque */

/* Write a model into an existing directory, as one file of at most shard_bytes
 * of data or as several with an index; names, order and header are those of
 * Hugging Face's library.  All files have their final names only after commit,
 * the index last.  Collective: every rank passes the same tensors (shard and
 * offset are filled in here), then writes element ranges of its own. */
struct sxt_st_out *sxt_st_create(const char *directory, struct sxt_comm comm,
                                 const struct sxt_st_tensor *tensors, size_t n,
                                 uint64_t shard_bytes, struct sxt_error *err);
/* Write elements of tensors[tensor]. */
int sxt_st_write(struct sxt_st_out *out, size_t tensor, uint64_t first,
                 uint64_t count, const void *from, struct sxt_error *err);
/* Publish; frees out, also on failure.  Collective. */
int sxt_st_commit(struct sxt_st_out *out, struct sxt_error *err);
/* Remove what was written and free.  out may be NULL.  Collective. */
void sxt_st_abandon(struct sxt_st_out *out);

#endif
