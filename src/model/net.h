/* net.h - the network on a packed batch: loss, and gradients by units.
 *
 * Qwen2 / Llama: x = embed(ids); per block
 *   x += o(attn(rope(qkv(norm1 x) + bias)));  x += down(swiglu(gate_up(norm2
 * x))) then logits = head(norm x), cross entropy against targets.
 *
 * Backward needs what products and attention have made of a block.  Some
 * blocks keep all of it, some only what the attention made, for the others it
 * is computed again from the block's input (Chen et al., arXiv:1604.06174): all
 * but the down projection, whose output no gradient needs.  Norms and
 * activations are cheap and always computed again.  The blocks' inputs may wait
 * in host memory.  Loss and gradients have the same bits in any case. */
#ifndef SXT_MODEL_NET_H
#define SXT_MODEL_NET_H

#include <stdbool.h>

#include "model/layout.h"
#include "model/params.h"
#include "num/ops.h"

/* At least one document, none empty, packed one after the other; host memory.
 */
struct sxt_batch {
    size_t t, n_docs;
    const int32_t *ids;    /* (t) */
    const int32_t *target; /* (t): next token, or -1 where none is learned */
    const int32_t *cu_seqlens; /* (n_docs + 1) */
};

/* How much is kept for the backward pass, and where. */
struct sxt_net_room {
    size_t max_t; /* tokens of a batch, at most */
    /* How many blocks, the last ones, keep what products and attention made:
     * all of it; at least what the attention made.  1 <= keep <= keep_attn <=
     * layers: the last block has just been computed when the backward pass
     * begins, so that to keep it costs nothing. */
    size_t keep, keep_attn;
    size_t chunk; /* rows of logits at a time: a multiple of SXT_NET_GRAIN */
    bool inputs_away; /* blocks' inputs in host memory, two on the device */
};
/* Gradients of the head are summed over so many tokens at a time. */
enum { SXT_NET_GRAIN = 1024 };

struct sxt_net; /* opaque: work space */

struct sxt_net *sxt_net_create(const struct sxt_layout *layout,
                               struct sxt_num *num, enum sxt_dtype type,
                               const struct sxt_net_room *room);
void sxt_net_destroy(struct sxt_net *net);
/* Bytes that create() takes, by purpose, for plans. */
struct sxt_net_memory {
    size_t inputs; /* what goes into each block and out of the last */
    size_t made;   /* by products and attention, and kept */
    size_t work;   /* one block at a time, forward and backward */
    size_t head;   /* logits of a chunk, and their gradients */
    size_t host;   /* inputs that are away */
};
struct sxt_net_memory sxt_net_memory(const struct sxt_layout *layout,
                                     enum sxt_dtype type,
                                     const struct sxt_net_room *room);
/* On the device, in all. */
size_t sxt_net_bytes(const struct sxt_layout *layout, enum sxt_dtype type,
                     const struct sxt_net_room *room);
/* Set keep_attn, then keep, to the most that takes at most so many bytes; 1 if
 * nothing does. */
void sxt_net_keep(const struct sxt_layout *layout, enum sxt_dtype type,
                  struct sxt_net_room *room, size_t bytes);

/* Sum (not mean) of the losses of the batch's targets.  grads NULL: loss only.
 * Else gradients of grad_scale * sum, by units, last unit first. */
double sxt_net_step(struct sxt_net *net, struct sxt_params *params,
                    struct sxt_grads *grads, const struct sxt_batch *batch,
                    float grad_scale);

/* Logits (t, vocab) in f32 to host memory, for tests and scoring; targets are
 * not looked at and may be NULL. */
void sxt_net_logits(struct sxt_net *net, struct sxt_params *params,
                    const struct sxt_batch *batch, float *logits);

#endif
