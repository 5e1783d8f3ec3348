/* net_parts.h - the network's work space and its parts; private to net*.c. */
#ifndef SXT_MODEL_NET_PARTS_H
#define SXT_MODEL_NET_PARTS_H

#include "dev/stream.h"
#include "model/net.h"

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
    struct sxt_net_room room;
    size_t ld_logits;
    struct sxt_params *params; /* of the step; borrowed */

    /* the batch */
    size_t t, n_docs, max_len;
    int32_t *ids, *target, *pos, *cu_seqlens;

    float *cos, *sin; /* (t, d / 2) */
    /* (layers + 1, t, h): what goes into each block; away: two of them by
     * turns, and (layers - 1, t, h) of pinned memory */
    void *kept, *kept_host;
    struct sxt_event *ready, *left[2], *came, *used; /* of what is away */

    /* one behind the other: gate_up `keep` times, the others keep_attn times */
    struct sxt_made made;

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
    size_t row = net->layout->config.hidden * sxt_dtype_size(net->type);
    size_t at = net->room.inputs_away ? l % 2 : l;

    return (char *)net->kept + at * net->room.max_t * row;
}

/* The last blocks have memory of their own for what the attention made, and
 * for gate and up; the first of them shares its with all blocks before it. */
static inline size_t sxt_net_first_attn(const struct sxt_net *net)
{
    return net->layout->config.layers - net->room.keep_attn;
}

static inline size_t sxt_net_first_kept(const struct sxt_net *net)
{
    return net->layout->config.layers - net->room.keep;
}

/* Between products: who moves data only while called may do so. */
static inline void sxt_net_poke(const struct sxt_net *net)
{
    if (net->params && net->params->poke)
        net->params->poke(net->params);
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

/* net_away.c - inputs of blocks in host memory; nothing if they stay. */
void sxt_net_open_away(struct sxt_net *net);
void sxt_net_close_away(struct sxt_net *net);
size_t sxt_net_away_bytes(const struct sxt_layout *layout, enum sxt_dtype type,
                          size_t max_t);
/* kept(l) is made: it begins to leave. */
void sxt_net_send_input(struct sxt_net *net, size_t l);
/* kept(l) may be written: what was in its place has left. */
void sxt_net_free_input(struct sxt_net *net, size_t l);
/* Its place is not needed any more: kept(l) begins to come back. */
void sxt_net_fetch_input(struct sxt_net *net, size_t l);
/* kept(l) is there. */
void sxt_net_await_input(struct sxt_net *net, size_t l);

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
