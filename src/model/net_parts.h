/* net_parts.h - the network's work space and its parts; private to net*.c. */
#ifndef SXT_MODEL_NET_PARTS_H
#define SXT_MODEL_NET_PARTS_H

#include "model/net.h"

/* Logits are made, used and forgotten for so many tokens at a time. */
enum { SXT_HEAD_CHUNK = 1024 };

/* What products and attention make of a block. */
struct sxt_made {
    void *qkv;     /* (t, q) after rope */
    void *att;     /* (t, a) */
    void *mid;     /* (t, h): residual stream behind the attention */
    void *gate_up; /* (t, 2 f) */
    float *lse;    /* (t, heads) f32 */
};

/* Device memory, with t = max_t, h = hidden, q = (heads + 2 kv_heads) d,
 * a = heads d, f = ffn; of the network's type unless said otherwise. */
struct sxt_net {
    const struct sxt_layout *layout; /* borrowed */
    struct sxt_num *num;             /* borrowed */
    struct sxt_block_at at;
    enum sxt_dtype type;
    size_t max_t, keep, ld_logits;

    /* the batch */
    size_t t, n_docs, max_len;
    int32_t *ids, *target, *pos, *cu_seqlens;

    float *cos, *sin; /* (t, d / 2) */
    void *kept;       /* (layers + 1, t, h): what goes into each block */

    struct sxt_made made; /* `keep` arrays each, one behind the other */

    /* one block at a time */
    void *x1, *x2;        /* (t, h): normalised before attention, after */
    void *act;            /* (t, f) */
    float *rstd1, *rstd2; /* (t) f32 */

    /* backward */
    void *dr, *dx;  /* (t, h): of the residual stream, of a normalised x */
    void *dqkv;     /* (t, q) */
    void *d_att;    /* (t, a) */
    float *d_embed; /* unit 0's gradients, from head to end if tied */

    /* head; (chunk, ld_logits) */
    float *logits;
    void *d_logits; /* logits themselves if the type is f32 */
    float *loss;    /* (t) f32 */

    int32_t *host_pos; /* (t), host memory */
    float *host_loss;  /* (t), host memory */
};

/* Element `offset` of an array of the network's type. */
static inline const void *sxt_net_at(const struct sxt_net *net,
                                     const void *base, size_t offset)
{
    return (const char *)base + offset * sxt_dtype_size(net->type);
}

/* Input of block l; the last one is the head's. */
static inline void *sxt_net_kept(const struct sxt_net *net, size_t l)
{
    size_t bytes =
        l * net->max_t * net->layout->config.hidden * sxt_dtype_size(net->type);

    return (char *)net->kept + bytes;
}

/* The last `keep` blocks have memory of their own; the first of them shares
 * its with all blocks before it. */
static inline size_t sxt_net_first_kept(const struct sxt_net *net)
{
    return net->layout->config.layers - net->keep;
}

struct sxt_made sxt_net_made(const struct sxt_net *net, size_t l);

/* y (t, n) = x (t, k) W^T + beta y,  W (n, k). */
void sxt_net_linear(const struct sxt_net *net, void *y, const void *x,
                    const void *w, size_t n, size_t k, float beta);
/* dx (t, k) = dy (t, n) W. */
void sxt_net_linear_dx(const struct sxt_net *net, void *dx, const void *dy,
                       const void *w, size_t n, size_t k);
/* dw (n, k) f32 = dy^T x; what get() of gradients returned is zeros. */
void sxt_net_linear_dw(const struct sxt_net *net, float *dw, const void *dy,
                       const void *x, size_t n, size_t k);

/* kept(l) → kept(l + 1), with the block's unit at w. */
void sxt_net_block(struct sxt_net *net, size_t l, const void *w);
/* dr: gradient of kept(l + 1) → gradient of kept(l); dw: the unit's. */
void sxt_net_block_bwd(struct sxt_net *net, size_t l, const void *w, float *dw);

/* The sum of losses; host memory `logits` (t, vocab) is filled if not NULL.
 * d_norm and d_head not NULL: also their gradients, and dr.  Losses are added
 * up per document first, so that a pack's loss is the sum of its documents'
 * to the bit. */
double sxt_net_head(struct sxt_net *net, const struct sxt_batch *batch,
                    const void *norm, const void *head, float *d_norm,
                    float *d_head, float grad_scale);
void sxt_net_head_logits(struct sxt_net *net, const void *norm,
                         const void *head, float *logits);

#endif
