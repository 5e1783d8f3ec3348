/* net_head.c - final norm, head and loss, a chunk of tokens at a time. */
#include "model/net_parts.h"

static size_t at_most(size_t rows, size_t most)
{
    return rows < most ? rows : most;
}

static void normalise(struct sxt_net *net, const void *norm)
{
    const struct sxt_model_config *c = &net->layout->config;

    sxt_add_rmsnorm(net->num, net->x1, net->rstd1, sxt_net_kept(net, c->layers),
                    NULL, norm, net->t, c->hidden, (float)c->norm_eps,
                    net->type);
}

/* Rows of x (t, h) from token `first`. */
static void *rows_of(const struct sxt_net *net, void *x, size_t first)
{
    size_t row = net->layout->config.hidden * sxt_dtype_size(net->type);

    return (char *)x + first * row;
}

static void chunk_logits(struct sxt_net *net, const void *head, size_t first,
                         size_t rows)
{
    const struct sxt_model_config *c = &net->layout->config;

    sxt_gemm(net->num, &(struct sxt_gemm){ .m = rows,
                                           .n = c->vocab,
                                           .k = c->hidden,
                                           .tb = true,
                                           .alpha = 1.0f,
                                           .a = rows_of(net, net->x1, first),
                                           .lda = c->hidden,
                                           .b = head,
                                           .ldb = c->hidden,
                                           .c = net->logits,
                                           .ldc = net->ld_logits,
                                           .type = net->type,
                                           .c_type = SXT_F32 });
}

/* From d_logits, of a chunk that begins at token `chunk`, to dx and, on top of
 * the tokens before, to the head. */
static void grain_bwd(struct sxt_net *net, const void *head, float *d_head,
                      size_t chunk, size_t first, size_t rows)
{
    const struct sxt_model_config *c = &net->layout->config;
    const void *d_logits =
        sxt_net_at(net, net->d_logits, (first - chunk) * net->ld_logits);
    struct sxt_gemm dx = { .m = rows,
                           .n = c->hidden,
                           .k = c->vocab,
                           .alpha = 1.0f,
                           .a = d_logits,
                           .lda = net->ld_logits,
                           .b = head,
                           .ldb = c->hidden,
                           .c = rows_of(net, net->dx, first),
                           .ldc = c->hidden,
                           .type = net->type,
                           .c_type = net->type };
    struct sxt_gemm dw = { .m = c->vocab,
                           .n = c->hidden,
                           .k = rows,
                           .ta = true,
                           .alpha = 1.0f,
                           .beta = 1.0f,
                           .a = d_logits,
                           .lda = net->ld_logits,
                           .b = rows_of(net, net->x1, first),
                           .ldb = c->hidden,
                           .c = d_head,
                           .ldc = c->hidden,
                           .type = net->type,
                           .c_type = SXT_F32 };

    sxt_gemm(net->num, &dx);
    sxt_net_poke(net);
    sxt_gemm(net->num, &dw);
    sxt_net_poke(net);
}

static bool nothing_learned(const struct sxt_batch *batch, size_t first,
                            size_t rows)
{
    for (size_t i = first; i < first + rows; i++)
        if (batch->target[i] >= 0)
            return false;
    return true;
}

static void skip_rows(struct sxt_net *net, size_t first, size_t rows)
{
    size_t bytes =
        rows * net->layout->config.hidden * sxt_dtype_size(net->type);

    sxt_dev_zero(net->num->dev, net->loss + first, rows * sizeof(float));
    sxt_dev_zero(net->num->dev, rows_of(net, net->dx, first), bytes);
}

static double sum_losses(struct sxt_net *net, const struct sxt_batch *batch)
{
    double sum = 0.0;

    sxt_dev_get(net->num->dev, net->host_loss, net->loss,
                net->t * sizeof(float));
    for (size_t d = 0; d < batch->n_docs; d++) {
        double of_doc = 0.0;
        for (int32_t i = batch->cu_seqlens[d]; i < batch->cu_seqlens[d + 1];
             i++)
            of_doc += (double)net->host_loss[i];
        sum += of_doc;
    }
    return sum;
}

/* Sums over tokens have the same parts whatever the chunk: grains. */
static void chunk_bwd(struct sxt_net *net, const struct sxt_batch *batch,
                      const void *head, float *d_head, size_t chunk,
                      size_t chunk_rows)
{
    size_t end = chunk + chunk_rows, rows;

    for (size_t first = chunk; first < end; first += rows) {
        rows = at_most(end - first, SXT_NET_GRAIN);
        if (nothing_learned(batch, first, rows))
            skip_rows(net, first, rows);
        else
            grain_bwd(net, head, d_head, chunk, first, rows);
    }
}

double sxt_net_head(struct sxt_net *net, const struct sxt_batch *batch,
                    const void *norm, const void *head, float *d_norm,
                    float *d_head, float grad_scale)
{
    const struct sxt_model_config *c = &net->layout->config;
    void *d_logits = d_head ? net->d_logits : NULL;
    size_t rows;

    normalise(net, norm);
    for (size_t first = 0; first < net->t; first += rows) {
        rows = at_most(net->t - first, net->room.chunk);
        if (nothing_learned(batch, first, rows)) {
            skip_rows(net, first, rows);
            continue;
        }
        chunk_logits(net, head, first, rows);
        sxt_net_poke(net);
        sxt_xent(net->num, net->loss + first, d_logits, net->logits,
                 net->target + first, rows, c->vocab, net->ld_logits,
                 grad_scale, net->type);
        if (d_head)
            chunk_bwd(net, batch, head, d_head, first, rows);
    }
    if (d_head) {
        sxt_dev_zero(net->num->dev, net->dr,
                     net->t * c->hidden * sxt_dtype_size(net->type));
        sxt_rmsnorm_bwd(net->num, net->dr, d_norm, net->dx,
                        sxt_net_kept(net, c->layers), norm, net->rstd1, net->t,
                        c->hidden, net->type);
    }
    return sum_losses(net, batch);
}

void sxt_net_head_logits(struct sxt_net *net, const void *norm,
                         const void *head, float *logits)
{
    size_t vocab = net->layout->config.vocab, rows;

    normalise(net, norm);
    for (size_t first = 0; first < net->t; first += rows) {
        rows = at_most(net->t - first, net->room.chunk);
        chunk_logits(net, head, first, rows);
        for (size_t i = 0; i < rows; i++)
            sxt_dev_get(net->num->dev, logits + (first + i) * vocab,
                        net->logits + i * net->ld_logits,
                        vocab * sizeof(float));
    }
}
