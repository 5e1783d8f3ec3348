/* out_impl.h - the writer's inside, shared by out*.c and prov.c only. */
#ifndef SXT_H5_OUT_IMPL_H
#define SXT_H5_OUT_IMPL_H

#include <stdbool.h>

#include "h5/h5.h"
#include "h5/out.h"

/* A range that this rank wrote, to be read back at commit. */
struct sxt_written {
    char *object;
    uint64_t first, count, checksum;
    size_t size; /* of an element */
};

/* Structure (groups, datasets, attributes) is made by rank 0 alone through the
 * serial driver; data is written by all ranks through MPI-IO.  A failure to
 * write metadata then happens on one rank, which can say so, and not in the
 * middle of a collective close, where the other ranks would wait for ever. */
enum sxt_out_mode { SXT_OUT_CLOSED, SXT_OUT_STRUCTURE, SXT_OUT_DATA };

struct sxt_out {
    struct sxt_comm comm;
    enum sxt_out_mode mode;
    hid_t file; /* in structure mode: rank 0 only */
    char *path, *part;
    int guard; /* rank 0: part as it was created, open; -1: none */
    bool poisoned;
    struct sxt_error first_error;
    struct sxt_written *ranges;
    size_t n_ranges, cap_ranges;
    bool has_prov;
    char *command;
    struct sxt_str inputs; /* lines "DIGEST  PATH"; rank 0 */
};

/* Remember a failure of this rank; returns rc. */
int sxt_out_poison(struct sxt_out *out, int rc, struct sxt_error *err);
/* Make a failure common, and remember it.  Collective. */
int sxt_out_agree(struct sxt_out *out, int rc, struct sxt_error *err);
/* Back to structure mode after data.  Collective. */
int sxt_out_structure(struct sxt_out *out, struct sxt_error *err);
/* True on the rank that makes structure. */
bool sxt_out_makes(const struct sxt_out *out);
/* Create the groups on the way to an object.  Rank 0. */
int sxt_out_groups(struct sxt_out *out, const char *object);
hid_t sxt_out_group(hid_t file, const char *path);

/* Provenance: kept at create, written last so that its size, which may differ
 * between runs, moves nothing else. */
int sxt_out_prov_keep(struct sxt_out *out, const struct sxt_prov *prov,
                      struct sxt_error *err);
int sxt_out_prov_write(struct sxt_out *out, struct sxt_error *err);
void sxt_out_prov_free(struct sxt_out *out);

#endif
