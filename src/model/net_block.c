/* net_block.c - one block, forward, and backward from its kept input. */
#include <math.h>

#include "model/net_parts.h"

static struct sxt_gemm gemm_base(const struct sxt_net *net)
{
    return (struct sxt_gemm){ .alpha = 1.0f,
                              .type = net->type,
                              .c_type = net->type };
}

void sxt_net_linear(const struct sxt_net *net, void *y, const void *x,
                    const void *w, size_t n, size_t k, float beta)
{
    struct sxt_gemm g = gemm_base(net);

    g.m = net->t, g.n = n, g.k = k;
    g.a = x, g.lda = k;
    g.b = w, g.ldb = k, g.tb = true;
    g.c = y, g.ldc = n, g.beta = beta;
    sxt_gemm(net->num, &g);
    sxt_net_poke(net);
}

void sxt_net_linear_dx(const struct sxt_net *net, void *dx, const void *dy,
                       const void *w, size_t n, size_t k)
{
    struct sxt_gemm g = gemm_base(net);

    g.m = net->t, g.n = k, g.k = n;
    g.a = dy, g.lda = n;
    g.b = w, g.ldb = k;
    g.c = dx, g.ldc = k;
    sxt_gemm(net->num, &g);
    sxt_net_poke(net);
}

void sxt_net_linear_dw(const struct sxt_net *net, float *dw, const void *dy,
                       const void *x, size_t n, size_t k)
{
    struct sxt_gemm g = gemm_base(net);

    g.m = n, g.n = k, g.k = net->t;
    g.a = dy, g.lda = n, g.ta = true;
    g.b = x, g.ldb = k;
    g.c = dw, g.ldc = k, g.c_type = SXT_F32;
    sxt_gemm(net->num, &g);
    sxt_net_poke(net);
}

/* Widths of the projections, by the names of net_parts.h. */
struct widths {
    size_t h, q, a, f;
};

static struct widths widths(const struct sxt_net *net)
{
    const struct sxt_model_config *c = &net->layout->config;

    return (struct widths){ .h = c->hidden,
                            .q = (c->heads + 2 * c->kv_heads) * c->head_dim,
                            .a = c->heads * c->head_dim,
                            .f = c->ffn };
}

struct sxt_made sxt_net_made(const struct sxt_net *net, size_t l)
{
    struct widths n = widths(net);
    size_t attn = sxt_net_first_attn(net), kept = sxt_net_first_kept(net);
    size_t rows = (l > attn ? l - attn : 0) * net->room.max_t;
    size_t wide = (l > kept ? l - kept : 0) * net->room.max_t;
    size_t elem = sxt_dtype_size(net->type), row = rows * elem;
    const struct sxt_made *base = &net->made;

    return (struct sxt_made){
        .qkv = (char *)base->qkv + row * n.q,
        .att = (char *)base->att + row * n.a,
        .mid = (char *)base->mid + row * n.h,
        .gate_up = (char *)base->gate_up + wide * elem * 2 * n.f,
        .lse = base->lse + rows * net->layout->config.heads
    };
}

static struct sxt_rope rope(const struct sxt_net *net, void *qkv,
                            const void *bias)
{
    const struct sxt_model_config *c = &net->layout->config;

    return (struct sxt_rope){ .qkv = qkv,
                              .bias = bias,
                              .pos = net->pos,
                              .cos = net->cos,
                              .sin = net->sin,
                              .t = net->t,
                              .hq = c->heads,
                              .hk = c->kv_heads,
                              .d = c->head_dim,
                              .type = net->type };
}

static struct sxt_attn attention(const struct sxt_net *net,
                                 const struct sxt_made *made)
{
    const struct sxt_model_config *c = &net->layout->config;

    return (struct sxt_attn){ .qkv = made->qkv,
                              .o = made->att,
                              .lse = made->lse,
                              .cu_seqlens = net->cu_seqlens,
                              .t = net->t,
                              .n_docs = net->n_docs,
                              .max_len = net->max_len,
                              .hq = c->heads,
                              .hk = c->kv_heads,
                              .d = c->head_dim,
                              .scale = 1.0f / sqrtf((float)c->head_dim),
                              .type = net->type,
                              .d_o = net->d_att,
                              .dqkv = net->dqkv };
}

static void normalise(struct sxt_net *net, void *y, float *rstd, void *r,
                      const void *weight)
{
    const struct sxt_model_config *c = &net->layout->config;

    sxt_add_rmsnorm(net->num, y, rstd, r, NULL, weight, net->t, c->hidden,
                    (float)c->norm_eps, net->type);
}

/* From x1 to mid. */
static void attend(struct sxt_net *net, size_t l, const void *w)
{
    struct widths n = widths(net);
    struct sxt_made made = sxt_net_made(net, l);
    bool biased = net->layout->config.qkv_bias;
    struct sxt_rope r = rope(
        net, made.qkv, biased ? sxt_net_at(net, w, net->at.qkv_bias) : NULL);
    struct sxt_attn attn = attention(net, &made);

    sxt_net_linear(net, made.qkv, net->x1, sxt_net_at(net, w, net->at.qkv), n.q,
                   n.h, 0.0f);
    sxt_rope(net->num, &r);
    sxt_attn(net->num, &attn);
    sxt_net_poke(net);
    sxt_dev_copy(net->num->dev, made.mid, sxt_net_kept(net, l),
                 net->t * n.h * sxt_dtype_size(net->type));
    sxt_net_linear(net, made.mid, made.att, sxt_net_at(net, w, net->at.o), n.h,
                   n.a, 1.0f);
}

/* Everything of a block but its down projection.  What the attention makes, or
 * the products behind it, may be there already. */
static void inside(struct sxt_net *net, size_t l, const void *w, bool attended,
                   bool made)
{
    struct widths n = widths(net);
    struct sxt_made m = sxt_net_made(net, l);

    normalise(net, net->x1, net->rstd1, sxt_net_kept(net, l),
              sxt_net_at(net, w, net->at.norm1));
    if (!attended)
        attend(net, l, w);
    normalise(net, net->x2, net->rstd2, m.mid,
              sxt_net_at(net, w, net->at.norm2));
    if (!made)
        sxt_net_linear(net, m.gate_up, net->x2,
                       sxt_net_at(net, w, net->at.gate_up), 2 * n.f, n.h, 0.0f);
    sxt_swiglu(net->num, net->act, m.gate_up, net->t, n.f, net->type);
}

void sxt_net_block(struct sxt_net *net, size_t l, const void *w)
{
    struct widths n = widths(net);
    void *out = sxt_net_kept(net, l + 1);

    inside(net, l, w, false, false);
    sxt_dev_copy(net->num->dev, out, sxt_net_made(net, l).mid,
                 net->t * n.h * sxt_dtype_size(net->type));
    sxt_net_linear(net, out, net->act, sxt_net_at(net, w, net->at.down), n.h,
                   n.f, 1.0f);
}

/* dr: behind the block → behind the attention. */
static void ffn_bwd(struct sxt_net *net, size_t l, const void *w, float *dw)
{
    struct widths n = widths(net);
    struct sxt_made made = sxt_net_made(net, l);

    sxt_net_linear_dw(net, dw + net->at.down, net->dr, net->act, n.h, n.f);
    /* act has served: its gradient takes its place, then gate_up's. */
    sxt_net_linear_dx(net, net->act, net->dr, sxt_net_at(net, w, net->at.down),
                      n.h, n.f);
    sxt_swiglu_bwd(net->num, made.gate_up, net->act, made.gate_up, net->t, n.f,
                   net->type);
    sxt_net_linear_dw(net, dw + net->at.gate_up, made.gate_up, net->x2, 2 * n.f,
                      n.h);
    sxt_net_linear_dx(net, net->dx, made.gate_up,
                      sxt_net_at(net, w, net->at.gate_up), 2 * n.f, n.h);
    sxt_rmsnorm_bwd(net->num, net->dr, dw + net->at.norm2, net->dx, made.mid,
                    sxt_net_at(net, w, net->at.norm2), net->rstd2, net->t, n.h,
                    net->type);
}

/* dr: behind the attention → before the block. */
static void attention_bwd(struct sxt_net *net, size_t l, const void *w,
                          float *dw)
{
    struct widths n = widths(net);
    struct sxt_made made = sxt_net_made(net, l);
    struct sxt_attn attn = attention(net, &made);
    struct sxt_rope r = rope(net, net->dqkv, NULL);
    bool biased = net->layout->config.qkv_bias;

    sxt_net_linear_dw(net, dw + net->at.o, net->dr, made.att, n.h, n.a);
    sxt_net_linear_dx(net, net->d_att, net->dr, sxt_net_at(net, w, net->at.o),
                      n.h, n.a);
    sxt_attn_bwd(net->num, &attn);
    sxt_net_poke(net);
    sxt_rope_bwd(net->num, &r, biased ? dw + net->at.qkv_bias : NULL);
    sxt_net_linear_dw(net, dw + net->at.qkv, net->dqkv, net->x1, n.q, n.h);
    sxt_net_linear_dx(net, net->dx, net->dqkv, sxt_net_at(net, w, net->at.qkv),
                      n.q, n.h);
    sxt_rmsnorm_bwd(net->num, net->dr, dw + net->at.norm1, net->dx,
                    sxt_net_kept(net, l), sxt_net_at(net, w, net->at.norm1),
                    net->rstd1, net->t, n.h, net->type);
}

void sxt_net_block_bwd(struct sxt_net *net, size_t l, const void *w, float *dw)
{
    inside(net, l, w, l >= sxt_net_first_attn(net),
           l >= sxt_net_first_kept(net));
    ffn_bwd(net, l, w, dw);
    attention_bwd(net, l, w, dw);
}
