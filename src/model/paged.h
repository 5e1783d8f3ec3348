/* paged.h - the network with a memory: forward passes over a paged cache.
 *
 * A pass takes rows, each one token of one sequence at one position; rows of a
 * prompt and rows of decoding may be mixed.  Every row's keys and values are
 * stored before any row of the same pass looks at them, so a prompt may come
 * in one piece or in many.  All matrix products are row-independent and
 * attention sums over fixed splits: what a row gives depends, to the bit, on
 * its own sequence only, and not on the other rows nor on how the prompt was
 * cut.  The engine relies on it.  A group's ranks add up their parts in a fixed
 * order; another number of parts may give other last bits.
 *
 * Kwon et al., "Efficient memory management for large language model serving
 * with PagedAttention", SOSP'23, arXiv:2309.06180. */
#ifndef SXT_MODEL_PAGED_H
#define SXT_MODEL_PAGED_H

#include "model/layout.h"
#include "model/params.h"
#include "num/ops.h"

struct sxt_paged; /* opaque: the cache and work space, fixed at create */

struct sxt_paged_size {
    size_t rows;   /* of a pass, at most */
    size_t logits; /* rows of a pass whose logits are wanted, at most */
    size_t slots;  /* sequences at a time */
    size_t length; /* positions of a sequence, at most */
    size_t block;  /* positions of a page */
    size_t pages;
};

/* layout, params and num are borrowed. */
struct sxt_paged *sxt_paged_create(const struct sxt_layout *layout,
                                   struct sxt_params *params,
                                   struct sxt_num *num,
                                   const struct sxt_paged_size *size);
void sxt_paged_destroy(struct sxt_paged *paged);

/* Device bytes of one cached position, and of all that create() takes. */
size_t sxt_paged_position_bytes(const struct sxt_model_config *config,
                                enum sxt_dtype type);
size_t sxt_paged_bytes(const struct sxt_layout *layout, enum sxt_dtype type,
                       const struct sxt_paged_size *size);

/* Pages first … first + n - 1 of a slot are these. */
void sxt_paged_map(struct sxt_paged *paged, size_t slot, size_t first,
                   const int32_t *pages, size_t n);

/* Rows of a pass; host memory.  logit_row ascends. */
struct sxt_paged_rows {
    size_t n, n_logits;
    const int32_t *id, *slot, *pos; /* (n) */
    const int32_t *logit_row;       /* (n_logits) */
};
/* Run the rows.  Returns the logits (n_logits, vocab) in f32, device memory
 * that is valid until the next call.
 *
 * A pass of decoding, where every row's logits are wanted, is filled up with
 * rows of no consequence to one of few sizes.  The first of a size runs as any
 * other, and is recorded; later ones are replayed, where the device can do that
 * (dev/stream.h), the weights are resident, and no group is to be waited for.
 *
 * With the layout of a part this is collective over params->group: all its
 * ranks run the same rows, and get the same logits. */
const float *sxt_paged_forward(struct sxt_paged *paged,
                               const struct sxt_paged_rows *rows);
/* Passes that were replayed so far; whether to do so from now on. */
uint64_t sxt_paged_replays(const struct sxt_paged *paged);
void sxt_paged_set_replay(struct sxt_paged *paged, bool replay);

#endif
