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

static struct sxt_attn attention(const struct sxt_net *net)
{
    const struct sxt_model_config *c = &net->layout->config;

    return (struct sxt_attn){ .qkv = net->qkv,
                              .o = net->att,
                              .lse = net->lse,
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

/* Everything of a block but its down projection; mid receives the residual
 * stream behind the attention. */
static void inside(struct sxt_net *net, size_t l, const void *w, void *mid)
{
    struct widths n = widths(net);
    void *in = sxt_net_kept(net, l);
    bool biased = net->layout->config.qkv_bias;
    struct sxt_rope r = rope(
        net, net->qkv, biased ? sxt_net_at(net, w, net->at.qkv_bias) : NULL);
    struct sxt_attn attn = attention(net);

    normalise(net, net->x1, net->rstd1, in, sxt_net_at(net, w, net->at.norm1));
    sxt_net_linear(net, net->qkv, net->x1, sxt_net_at(net, w, net->at.qkv), n.q,
                   n.h, 0.0f);
    sxt_rope(net->num, &r);
    sxt_attn(net->num, &attn);
    sxt_dev_copy(net->num->dev, mid, in,
                 net->t * n.h * sxt_dtype_size(net->type));
    sxt_net_linear(net, mid, net->att, sxt_net_at(net, w, net->at.o), n.h, n.a,
                   1.0f);

    normalise(net, net->x2, net->rstd2, mid, sxt_net_at(net, w, net->at.norm2));
    sxt_net_linear(net, net->gate_up, net->x2,
                   sxt_net_at(net, w, net->at.gate_up), 2 * n.f, n.h, 0.0f);
    sxt_swiglu(net->num, net->act, net->gate_up, net->t, n.f, net->type);
}

void sxt_net_block(struct sxt_net *net, size_t l, const void *w)
{
    struct widths n = widths(net);
    void *out = sxt_net_kept(net, l + 1);

    inside(net, l, w, out);
    sxt_net_linear(net, out, net->act, sxt_net_at(net, w, net->at.down), n.h,
                   n.f, 1.0f);
}

/* dr: behind the block → behind the attention. */
static void ffn_bwd(struct sxt_net *net, const void *w, float *dw)
{
    struct widths n = widths(net);

    sxt_net_linear_dw(net, dw + net->at.down, net->dr, net->act, n.h, n.f);
    /* act has served: its gradient takes its place, then gate_up's. */
    sxt_net_linear_dx(net, net->act, net->dr, sxt_net_at(net, w, net->at.down),
                      n.h, n.f);
    sxt_swiglu_bwd(net->num, net->gate_up, net->act, net->gate_up, net->t, n.f,
                   net->type);
    sxt_net_linear_dw(net, dw + net->at.gate_up, net->gate_up, net->x2, 2 * n.f,
                      n.h);
    sxt_net_linear_dx(net, net->dx, net->gate_up,
                      sxt_net_at(net, w, net->at.gate_up), 2 * n.f, n.h);
    sxt_rmsnorm_bwd(net->num, net->dr, dw + net->at.norm2, net->dx, net->mid,
                    sxt_net_at(net, w, net->at.norm2), net->rstd2, net->t, n.h,
                    net->type);
}

/* dr: behind the attention → before the block. */
static void attention_bwd(struct sxt_net *net, size_t l, const void *w,
                          float *dw)
{
    struct widths n = widths(net);
    struct sxt_attn attn = attention(net);
    struct sxt_rope r = rope(net, net->dqkv, NULL);
    bool biased = net->layout->config.qkv_bias;

    sxt_net_linear_dw(net, dw + net->at.o, net->dr, net->att, n.h, n.a);
    sxt_net_linear_dx(net, net->d_att, net->dr, sxt_net_at(net, w, net->at.o),
                      n.h, n.a);
    sxt_attn_bwd(net->num, &attn);
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
    inside(net, l, w, net->mid);
    ffn_bwd(net, w, dw);
    attention_bwd(net, l, w, dw);
}
