/* layout.h - where each tensor lies: units are what ZeRO-3 gathers.
 *
 * Unit 0 is the embedding, 1 … layers the blocks, layers + 1 the final norm
 * and, if it is not tied, lm_head.  A unit is one flat array; its tensors lie
 * in order of first use with no gap between those that one matmul reads
 * together (q, k, v; gate, up).  Everything that knows tensor names (loading,
 * checkpoints, weight decay, tests) is generated from this table. */
#ifndef SXT_MODEL_LAYOUT_H
#define SXT_MODEL_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/config.h"

struct sxt_tensor {
    char name[96]; /* Hugging Face name */
    size_t unit;
    size_t offset;     /* elements from the unit's begin */
    size_t rows, cols; /* vectors: rows = 1 */
    int n_dims;        /* 1 or 2, as in the Hugging Face file */
    bool decay;        /* weight decay applies: matrices only */
};

struct sxt_layout {
    struct sxt_model_config config;
    size_t n_units;
    size_t *unit_size;          /* elements, with padding to 64; owned */
    struct sxt_tensor *tensors; /* owned, by unit and offset */
    size_t n_tensors;
    size_t part, parts; /* which part of how many; 0 of 1: the whole model */
};

/* Offsets (elements) of a block's tensors in its unit. */
struct sxt_block_at {
    size_t norm1, qkv, qkv_bias, o, norm2, gate_up, down;
};

void sxt_layout_init(struct sxt_layout *layout,
                     const struct sxt_model_config *config);
/* What rank `part` of a group of `parts` has of a model (tensor parallelism):
 * its share of the heads and of the feed-forward width, which is the layout of
 * a narrower model.  Projections into them are divided by rows, those out of
 * them (o_proj, down_proj) by columns, so that their outputs are sums over the
 * group; all else is whole.  Fails if the numbers do not divide.
 * Shoeybi et al., "Megatron-LM", arXiv:1909.08053, section 3. */
int sxt_layout_part(struct sxt_layout *layout, const struct sxt_layout *whole,
                    size_t part, size_t parts, struct sxt_error *err);
void sxt_layout_free(struct sxt_layout *layout);
struct sxt_block_at sxt_layout_block(const struct sxt_layout *layout);
/* The same for a block whose matrices are elsewhere: norms and biases only, in
 * *size elements; the other members are 0. */
struct sxt_block_at sxt_layout_vectors(const struct sxt_layout *layout,
                                       size_t *size);
/* In the last unit: the final norm at 0, then lm_head (untied only). */
size_t sxt_layout_head_at(const struct sxt_layout *layout);
const struct sxt_tensor *sxt_layout_find(const struct sxt_layout *layout,
                                         const char *name);

#endif
