/* net.c - the network: work space, and the order of units in a step. */
#include "model/net.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/net_parts.h"
#include "model/rope.h"

/* ---- work space ---- */

struct buffer {
    size_t at; /* of the pointer in struct sxt_net */
    size_t bytes;
};
enum { MAX_BUFFERS = 32 };

static size_t padded_vocab(const struct sxt_model_config *c)
{
    return (c->vocab + 15) / 16 * 16; /* rows of logits begin on cache lines */
}

/* All device buffers but those whose pointers share one; returns how many. */
static size_t list_buffers(const struct sxt_model_config *c,
                           enum sxt_dtype type, size_t t, size_t keep,
                           struct buffer list[MAX_BUFFERS])
{
    size_t size = sxt_dtype_size(type), h = c->hidden * size;
    size_t q = (c->heads + 2 * c->kv_heads) * c->head_dim * size;
    size_t a = c->heads * c->head_dim * size, f = c->ffn * size;
    size_t chunk = (t < SXT_HEAD_CHUNK ? t : SXT_HEAD_CHUNK) * padded_vocab(c);
    const struct buffer buffers[] = {
        { offsetof(struct sxt_net, ids), t * sizeof(int32_t) },
        { offsetof(struct sxt_net, target), t * sizeof(int32_t) },
        { offsetof(struct sxt_net, pos), t * sizeof(int32_t) },
        { offsetof(struct sxt_net, cu_seqlens), (t + 1) * sizeof(int32_t) },
        { offsetof(struct sxt_net, cos), t * c->head_dim / 2 * sizeof(float) },
        { offsetof(struct sxt_net, sin), t * c->head_dim / 2 * sizeof(float) },
        { offsetof(struct sxt_net, kept), (c->layers + 1) * t * h },
        { offsetof(struct sxt_net, x1), t * h },
        { offsetof(struct sxt_net, x2), t * h },
        { offsetof(struct sxt_net, made.qkv), keep * t * q },
        { offsetof(struct sxt_net, made.att), keep * t * a },
        { offsetof(struct sxt_net, made.mid), keep * t * h },
        { offsetof(struct sxt_net, made.gate_up), keep * 2 * t * f },
        { offsetof(struct sxt_net, made.lse),
          keep * t * c->heads * sizeof(float) },
        { offsetof(struct sxt_net, act), t * f },
        { offsetof(struct sxt_net, rstd1), t * sizeof(float) },
        { offsetof(struct sxt_net, rstd2), t * sizeof(float) },
        { offsetof(struct sxt_net, dr), t * h },
        { offsetof(struct sxt_net, dx), t * h },
        { offsetof(struct sxt_net, dqkv), t * q },
        { offsetof(struct sxt_net, d_att), t * a },
        { offsetof(struct sxt_net, loss), t * sizeof(float) },
        { offsetof(struct sxt_net, logits), chunk * sizeof(float) },
        /* last: f32 gradients take the place of the logits */
        { offsetof(struct sxt_net, d_logits), chunk * size },
    };
    size_t n = sizeof(buffers) / sizeof(buffers[0]) - (type == SXT_F32);

    SXT_CHECK(n <= MAX_BUFFERS);
    for (size_t i = 0; i < n; i++)
        list[i] = buffers[i];
    return n;
}

static void **pointer_at(struct sxt_net *net, size_t at)
{
    return (void **)(void *)((char *)net + at);
}

static void put_rope_tables(struct sxt_net *net)
{
    const struct sxt_model_config *c = &net->layout->config;
    size_t n = net->max_t * c->head_dim / 2;
    float *tables = sxt_alloc(2 * n, sizeof(float));

    sxt_rope_tables(c, net->max_t, tables, tables + n);
    sxt_dev_put(net->num->dev, net->cos, tables, n * sizeof(float));
    sxt_dev_put(net->num->dev, net->sin, tables + n, n * sizeof(float));
    free(tables);
}

struct sxt_net *sxt_net_create(const struct sxt_layout *layout,
                               struct sxt_num *num, enum sxt_dtype type,
                               size_t max_t, size_t keep)
{
    struct sxt_net *net = sxt_calloc(1, sizeof(*net));
    struct buffer list[MAX_BUFFERS];
    size_t n = list_buffers(&layout->config, type, max_t, keep, list);

    SXT_CHECK(keep >= 1 && keep <= layout->config.layers);
    net->layout = layout;
    net->num = num;
    net->type = type;
    net->max_t = max_t;
    net->keep = keep;
    net->at = sxt_layout_block(layout);
    net->ld_logits = padded_vocab(&layout->config);
    for (size_t i = 0; i < n; i++)
        *pointer_at(net, list[i].at) =
            sxt_dev_alloc_for(num->dev, SXT_DEV_ACTIVATIONS, list[i].bytes);
    if (type == SXT_F32)
        net->d_logits = net->logits;
    net->host_pos = sxt_alloc(max_t, sizeof(int32_t));
    net->host_loss = sxt_alloc(max_t, sizeof(float));
    put_rope_tables(net);
    return net;
}

void sxt_net_destroy(struct sxt_net *net)
{
    struct buffer list[MAX_BUFFERS];
    size_t n;

    if (!net)
        return;
    n = list_buffers(&net->layout->config, net->type, net->max_t, net->keep,
                     list);
    for (size_t i = 0; i < n; i++)
        sxt_dev_free(net->num->dev, *pointer_at(net, list[i].at));
    free(net->host_pos);
    free(net->host_loss);
    free(net);
}

/* The part of *m that a buffer counts to. */
static size_t *purpose_of(size_t at, struct sxt_net_memory *m)
{
    size_t made = offsetof(struct sxt_net, made);

    if (at == offsetof(struct sxt_net, kept))
        return &m->inputs;
    if (at >= made && at < made + sizeof(struct sxt_made))
        return &m->made;
    if (at == offsetof(struct sxt_net, logits) ||
        at == offsetof(struct sxt_net, d_logits))
        return &m->head;
    return &m->work;
}

struct sxt_net_memory sxt_net_memory(const struct sxt_layout *layout,
                                     enum sxt_dtype type, size_t max_t,
                                     size_t keep)
{
    struct sxt_net_memory m = { 0 };
    struct buffer list[MAX_BUFFERS];
    size_t n = list_buffers(&layout->config, type, max_t, keep, list);

    for (size_t i = 0; i < n; i++)
        *purpose_of(list[i].at, &m) += list[i].bytes;
    return m;
}

size_t sxt_net_bytes(const struct sxt_layout *layout, enum sxt_dtype type,
                     size_t max_t, size_t keep)
{
    struct sxt_net_memory m = sxt_net_memory(layout, type, max_t, keep);

    return m.inputs + m.made + m.work + m.head;
}

size_t sxt_net_keep(const struct sxt_layout *layout, enum sxt_dtype type,
                    size_t max_t, size_t bytes)
{
    size_t keep = layout->config.layers;

    while (keep > 1 && sxt_net_bytes(layout, type, max_t, keep) > bytes)
        keep--;
    return keep;
}

/* ---- a step ---- */

static void put_ints(struct sxt_net *net, int32_t *to, const int32_t *from,
                     size_t n)
{
    sxt_dev_put(net->num->dev, to, from, n * sizeof(int32_t));
}

/* Positions count from 0 in every document. */
static void put_batch(struct sxt_net *net, const struct sxt_batch *batch)
{
    const int32_t *begin = batch->cu_seqlens;

    SXT_CHECK(batch->t > 0 && batch->t <= net->max_t && batch->n_docs > 0);
    SXT_CHECK(begin[0] == 0 && (size_t)begin[batch->n_docs] == batch->t);
    net->t = batch->t;
    net->n_docs = batch->n_docs;
    net->max_len = 0;
    for (size_t d = 0; d < batch->n_docs; d++) {
        size_t len = (size_t)(begin[d + 1] - begin[d]);
        SXT_CHECK(begin[d + 1] > begin[d]);
        for (size_t i = 0; i < len; i++)
            net->host_pos[(size_t)begin[d] + i] = (int32_t)i;
        if (len > net->max_len)
            net->max_len = len;
    }
    put_ints(net, net->ids, batch->ids, batch->t);
    if (batch->target)
        put_ints(net, net->target, batch->target, batch->t);
    put_ints(net, net->pos, net->host_pos, batch->t);
    put_ints(net, net->cu_seqlens, begin, batch->n_docs + 1);
}

/* Embedding and blocks; the next unit after them is the last. */
static void forward(struct sxt_net *net, struct sxt_params *params)
{
    const struct sxt_model_config *c = &net->layout->config;
    const void *w = params->get(params, 0);

    params->hint(params, 1);
    sxt_embed(net->num, sxt_net_kept(net, 0), w, net->ids, net->t, c->hidden,
              net->type);
    params->release(params, 0);
    for (size_t l = 0; l < c->layers; l++) {
        w = params->get(params, l + 1);
        params->hint(params, l + 2);
        sxt_net_block(net, l, w);
        params->release(params, l + 1);
    }
}

/* The head's weights: the last unit, and unit 0 if it is also the head. */
struct head_weights {
    const void *norm, *head;
};

static struct head_weights get_head(const struct sxt_net *net,
                                    struct sxt_params *params, size_t next)
{
    const struct sxt_layout *layout = net->layout;
    size_t last = layout->n_units - 1;
    struct head_weights w = { .norm = params->get(params, last) };

    w.head = layout->config.tied
                 ? params->get(params, 0)
                 : sxt_net_at(net, w.norm, sxt_layout_head_at(layout));
    params->hint(params, next);
    return w;
}

static void release_head(const struct sxt_net *net, struct sxt_params *params)
{
    if (net->layout->config.tied)
        params->release(params, 0);
    params->release(params, net->layout->n_units - 1);
}

/* Loss, and the gradients of the last unit (tied: and of unit 0, kept). */
static double head_step(struct sxt_net *net, struct sxt_params *params,
                        struct sxt_grads *grads, const struct sxt_batch *batch,
                        float grad_scale)
{
    const struct sxt_layout *layout = net->layout;
    size_t last = layout->n_units - 1;
    struct head_weights w = get_head(net, params, grads ? last - 1 : 0);
    float *d_last = NULL, *d_head = NULL;
    double loss;

    if (grads)
        d_head = d_last = grads->get(grads, last);
    if (grads && layout->config.tied)
        d_head = net->d_embed = grads->get(grads, 0);
    else if (grads)
        d_head += sxt_layout_head_at(layout);
    loss = sxt_net_head(net, batch, w.norm, w.head, d_last, d_head, grad_scale);
    release_head(net, params);
    if (grads)
        grads->put(grads, last);
    return loss;
}

static void backward(struct sxt_net *net, struct sxt_params *params,
                     struct sxt_grads *grads)
{
    const struct sxt_model_config *c = &net->layout->config;

    for (size_t l = c->layers; l-- > 0;) {
        const void *w = params->get(params, l + 1);
        float *dw = grads->get(grads, l + 1);
        if (l > 0)
            params->hint(params, l);
        sxt_net_block_bwd(net, l, w, dw);
        params->release(params, l + 1);
        grads->put(grads, l + 1);
    }
    if (!c->tied)
        net->d_embed = grads->get(grads, 0);
    sxt_embed_bwd(net->num, net->d_embed, net->dr, net->ids, net->t, c->hidden,
                  c->vocab, net->type);
    grads->put(grads, 0);
}

double sxt_net_step(struct sxt_net *net, struct sxt_params *params,
                    struct sxt_grads *grads, const struct sxt_batch *batch,
                    float grad_scale)
{
    double loss;

    SXT_CHECK(params->type == net->type);
    put_batch(net, batch);
    forward(net, params);
    loss = head_step(net, params, grads, batch, grad_scale);
    if (grads)
        backward(net, params, grads);
    return loss;
}

void sxt_net_logits(struct sxt_net *net, struct sxt_params *params,
                    const struct sxt_batch *batch, float *logits)
{
    struct head_weights w;

    SXT_CHECK(params->type == net->type);
    put_batch(net, batch);
    forward(net, params);
    w = get_head(net, params, 0);
    sxt_net_head_logits(net, w.norm, w.head, logits);
    release_head(net, params);
}
