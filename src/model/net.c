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
                           enum sxt_dtype type, const struct sxt_net_room *room,
                           struct buffer list[MAX_BUFFERS])
{
    size_t t = room->max_t, keep = room->keep, attn = room->keep_attn;
    size_t inputs = room->inputs_away ? 2 : c->layers + 1;
    size_t size = sxt_dtype_size(type), h = c->hidden * size;
    size_t q = (c->heads + 2 * c->kv_heads) * c->head_dim * size;
    size_t a = c->heads * c->head_dim * size, f = c->ffn * size;
    size_t chunk = (t < room->chunk ? t : room->chunk) * padded_vocab(c);
    const struct buffer buffers[] = {
        { offsetof(struct sxt_net, ids), t * sizeof(int32_t) },
        { offsetof(struct sxt_net, target), t * sizeof(int32_t) },
        { offsetof(struct sxt_net, pos), t * sizeof(int32_t) },
        { offsetof(struct sxt_net, cu_seqlens), (t + 1) * sizeof(int32_t) },
        { offsetof(struct sxt_net, cos), t * c->head_dim / 2 * sizeof(float) },
        { offsetof(struct sxt_net, sin), t * c->head_dim / 2 * sizeof(float) },
        { offsetof(struct sxt_net, kept), inputs * t * h },
        { offsetof(struct sxt_net, x1), t * h },
        { offsetof(struct sxt_net, x2), t * h },
        { offsetof(struct sxt_net, made.qkv), attn * t * q },
        { offsetof(struct sxt_net, made.att), attn * t * a },
        { offsetof(struct sxt_net, made.mid), attn * t * h },
        { offsetof(struct sxt_net, made.gate_up), keep * 2 * t * f },
        { offsetof(struct sxt_net, made.lse),
          attn * t * c->heads * sizeof(float) },
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
    size_t n = net->room.max_t * c->head_dim / 2;
    float *tables = sxt_alloc(2 * n, sizeof(float));

    sxt_rope_tables(c, net->room.max_t, tables, tables + n);
    sxt_dev_put(net->num->dev, net->cos, tables, n * sizeof(float));
    sxt_dev_put(net->num->dev, net->sin, tables + n, n * sizeof(float));
    free(tables);
}

struct sxt_net *sxt_net_create(const struct sxt_layout *layout,
                               struct sxt_num *num, enum sxt_dtype type,
                               const struct sxt_net_room *room)
{
    struct sxt_net *net = sxt_calloc(1, sizeof(*net));
    struct buffer list[MAX_BUFFERS];
    size_t n = list_buffers(&layout->config, type, room, list);

    SXT_CHECK(room->keep >= 1 && room->keep <= room->keep_attn &&
              room->keep_attn <= layout->config.layers);
    SXT_CHECK(room->chunk > 0 && room->chunk % SXT_NET_GRAIN == 0);
    net->layout = layout;
    net->num = num;
    net->type = type;
    net->room = *room;
    net->at = sxt_layout_block(layout);
    net->ld_logits = padded_vocab(&layout->config);
    for (size_t i = 0; i < n; i++)
        *pointer_at(net, list[i].at) =
            sxt_dev_alloc_for(num->dev, SXT_DEV_ACTIVATIONS, list[i].bytes);
    if (type == SXT_F32)
        net->d_logits = net->logits;
    net->host_pos = sxt_alloc(room->max_t, sizeof(int32_t));
    net->host_loss = sxt_alloc(room->max_t, sizeof(float));
    put_rope_tables(net);
    sxt_net_open_away(net);
    return net;
}

void sxt_net_destroy(struct sxt_net *net)
{
    struct buffer list[MAX_BUFFERS];
    size_t n;

    if (!net)
        return;
    sxt_net_close_away(net);
    n = list_buffers(&net->layout->config, net->type, &net->room, list);
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
                                     enum sxt_dtype type,
                                     const struct sxt_net_room *room)
{
    struct sxt_net_memory m = { 0 };
    struct buffer list[MAX_BUFFERS];
    size_t n = list_buffers(&layout->config, type, room, list);

    for (size_t i = 0; i < n; i++)
        *purpose_of(list[i].at, &m) += list[i].bytes;
    if (room->inputs_away)
        m.host = sxt_net_away_bytes(layout, type, room->max_t);
    return m;
}

size_t sxt_net_bytes(const struct sxt_layout *layout, enum sxt_dtype type,
                     const struct sxt_net_room *room)
{
    struct sxt_net_memory m = sxt_net_memory(layout, type, room);

    return m.inputs + m.made + m.work + m.head;
}

/* The attention first: it takes longest for the bytes it makes. */
void sxt_net_keep(const struct sxt_layout *layout, enum sxt_dtype type,
                  struct sxt_net_room *room, size_t bytes)
{
    room->keep = 1;
    room->keep_attn = layout->config.layers;
    while (room->keep_attn > 1 && sxt_net_bytes(layout, type, room) > bytes)
        room->keep_attn--;
    room->keep = room->keep_attn;
    while (room->keep > 1 && sxt_net_bytes(layout, type, room) > bytes)
        room->keep--;
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

    SXT_CHECK(batch->t > 0 && batch->t <= net->room.max_t && batch->n_docs > 0);
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

/* The units that a step gets, by place: forward from the first to the last,
 * then unit 0 again if it is the head, then blocks backward. */
static size_t place_of_head(const struct sxt_net *net)
{
    return net->layout->n_units - 1 + (net->layout->config.tied ? 1 : 0);
}

static bool unit_at(const struct sxt_net *net, size_t place, size_t *unit)
{
    size_t last = net->layout->n_units - 1, head = place_of_head(net);

    if (place > head + net->layout->config.layers)
        return false;
    *unit = place <= last ? place : place <= head ? 0 : head + last - place;
    return true;
}

/* Name the units that come behind a place.  A tied head uses two at a time, so
 * that elsewhere there is room for one more. */
static void hint_behind(const struct sxt_net *net, size_t place, bool learn)
{
    struct sxt_params *params = net->params;
    size_t n = (size_t)params->ahead, unit;

    if (n > 0 && net->layout->config.tied && place != place_of_head(net))
        n++;
    for (size_t p = place + 1; p <= place + n; p++)
        if (unit_at(net, p, &unit) && (learn || p <= place_of_head(net)))
            params->hint(params, unit);
}

/* Embedding and blocks.  learn: a backward pass follows. */
static void forward(struct sxt_net *net, struct sxt_params *params, bool learn)
{
    const struct sxt_model_config *c = &net->layout->config;
    const void *w;

    net->params = params;
    params->hint(params, 0);
    hint_behind(net, 0, learn);
    w = params->get(params, 0);
    sxt_embed(net->num, sxt_net_kept(net, 0), w, net->ids, net->t, c->hidden,
              net->type);
    params->release(params, 0);
    for (size_t l = 0; l < c->layers; l++) {
        if (learn)
            sxt_net_send_input(net, l);
        w = params->get(params, l + 1);
        hint_behind(net, l + 1, learn);
        sxt_net_free_input(net, l + 1);
        sxt_net_block(net, l, w);
        params->release(params, l + 1);
    }
}

/* The head's weights: the last unit, and unit 0 if it is also the head. */
struct head_weights {
    const void *norm, *head;
};

static struct head_weights get_head(const struct sxt_net *net, bool learn)
{
    const struct sxt_layout *layout = net->layout;
    struct sxt_params *params = net->params;
    size_t last = layout->n_units - 1;
    struct head_weights w = { .norm = params->get(params, last) };

    w.head = layout->config.tied
                 ? params->get(params, 0)
                 : sxt_net_at(net, w.norm, sxt_layout_head_at(layout));
    hint_behind(net, place_of_head(net), learn);
    return w;
}

static void release_head(const struct sxt_net *net)
{
    struct sxt_params *params = net->params;

    if (net->layout->config.tied)
        params->release(params, 0);
    params->release(params, net->layout->n_units - 1);
}

/* Loss, and the gradients of the last unit (tied: and of unit 0, kept). */
static double head_step(struct sxt_net *net, struct sxt_grads *grads,
                        const struct sxt_batch *batch, float grad_scale)
{
    const struct sxt_layout *layout = net->layout;
    size_t last = layout->n_units - 1;
    struct head_weights w = get_head(net, grads != NULL);
    float *d_last = NULL, *d_head = NULL;
    double loss;

    if (grads)
        d_head = d_last = grads->get(grads, last);
    if (grads && layout->config.tied)
        d_head = net->d_embed = grads->get(grads, 0);
    else if (grads)
        d_head += sxt_layout_head_at(layout);
    loss = sxt_net_head(net, batch, w.norm, w.head, d_last, d_head, grad_scale);
    release_head(net);
    if (grads)
        grads->put(grads, last);
    return loss;
}

static void backward(struct sxt_net *net, struct sxt_params *params,
                     struct sxt_grads *grads)
{
    const struct sxt_model_config *c = &net->layout->config;
    size_t head = place_of_head(net);

    for (size_t l = c->layers; l-- > 0;) {
        const void *w = params->get(params, l + 1);
        float *dw = grads->get(grads, l + 1);
        hint_behind(net, head + c->layers - l, true);
        sxt_net_await_input(net, l);
        if (l > 0)
            sxt_net_fetch_input(net, l - 1);
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
    forward(net, params, grads != NULL);
    loss = head_step(net, grads, batch, grad_scale);
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
    forward(net, params, false);
    w = get_head(net, false);
    sxt_net_head_logits(net, w.norm, w.head, logits);
    release_head(net);
}
