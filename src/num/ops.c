/* ops.c - the way to call a kernel: check its arguments, open the device, run
 * the backend's entry, close the device.
 *
 * Where there is nothing to do, no backend is asked: T = 0 works everywhere.
 * The checks are about promises of the caller, so a broken one is a bug.  On
 * the fake device they include that every argument is device memory and large
 * enough; and for every backend that it has the entry, see sxt_num_lacks(). */
#include "num/ops.h"

/* `count` elements at p are device memory. */
static bool held(const struct sxt_num *num, const void *p, size_t count,
                 size_t size)
{
    return count == 0 || (p && sxt_dev_holds(num->dev, p, count * size));
}

/* The same for an argument that may be absent. */
static bool held_if(const struct sxt_num *num, const void *p, size_t count,
                    size_t size)
{
    return !p || held(num, p, count, size);
}

/* Elements from the first to the last of a matrix with distance ld of rows. */
static size_t extent(size_t rows, size_t cols, size_t ld)
{
    return rows == 0 || cols == 0 ? 0 : (rows - 1) * ld + cols;
}

void sxt_gemm(struct sxt_num *num, const struct sxt_gemm *g)
{
    size_t size = sxt_dtype_size(g->type);
    size_t a_rows = g->ta ? g->k : g->m, a_cols = g->ta ? g->m : g->k;
    size_t b_rows = g->tb ? g->n : g->k, b_cols = g->tb ? g->k : g->n;

    SXT_CHECK(!(g->ta && g->rows_independent));
    SXT_CHECK(g->lda >= a_cols && g->ldb >= b_cols && g->ldc >= g->n);
    SXT_CHECK(held(num, g->a, extent(a_rows, a_cols, g->lda), size));
    SXT_CHECK(held(num, g->b, extent(b_rows, b_cols, g->ldb), size));
    SXT_CHECK(
        held(num, g->c, extent(g->m, g->n, g->ldc), sxt_dtype_size(g->c_type)));
    SXT_CHECK(held_if(num, g->bias, g->n, size));
    if (g->m == 0 || g->n == 0)
        return;
    SXT_CHECK(num->op.gemm);
    sxt_dev_enter(num->dev);
    num->op.gemm(num, g);
    sxt_dev_leave(num->dev);
}

static void check_qmat(const struct sxt_num *num, const struct sxt_qmat *w)
{
    size_t blocks = w->n * (w->k / 64);

    if (w->format == SXT_INT8) {
        SXT_CHECK(held(num, w->q, w->n * w->k, 1));
        SXT_CHECK(held(num, w->scale, w->n, sizeof(float)));
        return;
    }
    SXT_CHECK(w->format == SXT_NF4 && w->k % 64 == 0);
    SXT_CHECK(held(num, w->q, w->n * w->k / 2, 1));
    SXT_CHECK(held(num, w->block_scale, blocks, 1));
    SXT_CHECK(held(num, w->group_scale, (blocks + 255) / 256, sizeof(float)));
}

void sxt_qgemm(struct sxt_num *num, size_t m, const void *a,
               const struct sxt_qmat *w, void *c, enum sxt_dtype type)
{
    size_t size = sxt_dtype_size(type);

    check_qmat(num, w);
    SXT_CHECK(held(num, a, m * w->k, size));
    SXT_CHECK(held(num, c, m * w->n, size));
    if (m == 0 || w->n == 0)
        return;
    SXT_CHECK(num->op.qgemm);
    sxt_dev_enter(num->dev);
    num->op.qgemm(num, m, a, w, c, type);
    sxt_dev_leave(num->dev);
}

void sxt_quantize(struct sxt_num *num, struct sxt_qmat *w, const void *x,
                  enum sxt_dtype type)
{
    check_qmat(num, w);
    SXT_CHECK(held(num, x, w->n * w->k, sxt_dtype_size(type)));
    if (w->n == 0 || w->k == 0)
        return;
    SXT_CHECK(num->op.quantize);
    sxt_dev_enter(num->dev);
    num->op.quantize(num, w, x, type);
    sxt_dev_leave(num->dev);
}

void sxt_dequantize(struct sxt_num *num, void *x, const struct sxt_qmat *w,
                    enum sxt_dtype type)
{
    check_qmat(num, w);
    SXT_CHECK(held(num, x, w->n * w->k, sxt_dtype_size(type)));
    if (w->n == 0 || w->k == 0)
        return;
    SXT_CHECK(num->op.dequantize);
    sxt_dev_enter(num->dev);
    num->op.dequantize(num, x, w, type);
    sxt_dev_leave(num->dev);
}

void sxt_embed(struct sxt_num *num, void *y, const void *table,
               const int32_t *ids, size_t t, size_t h, enum sxt_dtype type)
{
    SXT_CHECK(held(num, y, t * h, sxt_dtype_size(type)));
    SXT_CHECK(held(num, table, t > 0 ? h : 0, sxt_dtype_size(type)));
    SXT_CHECK(held(num, ids, t, sizeof(*ids)));
    if (t == 0)
        return;
    SXT_CHECK(num->op.embed);
    sxt_dev_enter(num->dev);
    num->op.embed(num, y, table, ids, t, h, type);
    sxt_dev_leave(num->dev);
}

void sxt_embed_bwd(struct sxt_num *num, float *dtable, const void *dy,
                   const int32_t *ids, size_t t, size_t h, size_t vocab,
                   enum sxt_dtype type)
{
    SXT_CHECK(held(num, dtable, vocab * h, sizeof(*dtable)));
    SXT_CHECK(held(num, dy, t * h, sxt_dtype_size(type)));
    SXT_CHECK(held(num, ids, t, sizeof(*ids)));
    if (t == 0)
        return;
    SXT_CHECK(num->op.embed_bwd);
    sxt_dev_enter(num->dev);
    num->op.embed_bwd(num, dtable, dy, ids, t, h, vocab, type);
    sxt_dev_leave(num->dev);
}

void sxt_add_rmsnorm(struct sxt_num *num, void *y, float *rstd, void *r,
                     const void *x, const void *w, size_t t, size_t h,
                     float eps, enum sxt_dtype type)
{
    size_t size = sxt_dtype_size(type);

    SXT_CHECK(y != r || !x);
    SXT_CHECK(held(num, y, t * h, size));
    SXT_CHECK(held(num, r, t * h, size));
    SXT_CHECK(held_if(num, x, t * h, size));
    SXT_CHECK(held(num, w, h, size));
    SXT_CHECK(held_if(num, rstd, t, sizeof(*rstd)));
    if (t == 0)
        return;
    SXT_CHECK(num->op.add_rmsnorm);
    sxt_dev_enter(num->dev);
    num->op.add_rmsnorm(num, y, rstd, r, x, w, t, h, eps, type);
    sxt_dev_leave(num->dev);
}

void sxt_rmsnorm_bwd(struct sxt_num *num, void *dr, float *dw, const void *dy,
                     const void *r, const void *w, const float *rstd, size_t t,
                     size_t h, enum sxt_dtype type)
{
    size_t size = sxt_dtype_size(type);

    SXT_CHECK(held(num, dr, t * h, size));
    SXT_CHECK(held(num, dw, h, sizeof(*dw)));
    SXT_CHECK(held(num, dy, t * h, size));
    SXT_CHECK(held(num, r, t * h, size));
    SXT_CHECK(held(num, w, h, size));
    SXT_CHECK(held(num, rstd, t, sizeof(*rstd)));
    if (t == 0)
        return;
    SXT_CHECK(num->op.rmsnorm_bwd);
    sxt_dev_enter(num->dev);
    num->op.rmsnorm_bwd(num, dr, dw, dy, r, w, rstd, t, h, type);
    sxt_dev_leave(num->dev);
}

static void check_rope(const struct sxt_num *num, const struct sxt_rope *a)
{
    size_t size = sxt_dtype_size(a->type), width = (a->hq + 2 * a->hk) * a->d;

    SXT_CHECK(a->d % 2 == 0);
    SXT_CHECK(held(num, a->qkv, a->t * width, size));
    SXT_CHECK(held_if(num, a->bias, width, size));
    SXT_CHECK(held(num, a->pos, a->t, sizeof(*a->pos)));
    SXT_CHECK(held(num, a->cos, a->t > 0 ? a->d / 2 : 0, sizeof(*a->cos)));
    SXT_CHECK(held(num, a->sin, a->t > 0 ? a->d / 2 : 0, sizeof(*a->sin)));
    if (!a->k_cache)
        return;
    SXT_CHECK(held(num, a->slot, a->t, sizeof(*a->slot)));
    SXT_CHECK(held(num, a->k_cache, a->hk * a->d, size));
    SXT_CHECK(held(num, a->v_cache, a->hk * a->d, size));
}

void sxt_rope(struct sxt_num *num, const struct sxt_rope *a)
{
    check_rope(num, a);
    if (a->t == 0)
        return;
    SXT_CHECK(num->op.rope);
    sxt_dev_enter(num->dev);
    num->op.rope(num, a);
    sxt_dev_leave(num->dev);
}

void sxt_rope_bwd(struct sxt_num *num, const struct sxt_rope *a, float *dbias)
{
    check_rope(num, a);
    SXT_CHECK(!a->k_cache);
    SXT_CHECK(held_if(num, dbias, (a->hq + 2 * a->hk) * a->d, sizeof(*dbias)));
    if (a->t == 0)
        return;
    SXT_CHECK(num->op.rope_bwd);
    sxt_dev_enter(num->dev);
    num->op.rope_bwd(num, a, dbias);
    sxt_dev_leave(num->dev);
}

static void check_attn(const struct sxt_num *num, const struct sxt_attn *a)
{
    size_t size = sxt_dtype_size(a->type), width = (a->hq + 2 * a->hk) * a->d;

    SXT_CHECK(a->hk > 0 && a->hq % a->hk == 0);
    SXT_CHECK(held(num, a->qkv, a->t * width, size));
    SXT_CHECK(held(num, a->o, a->t * a->hq * a->d, size));
    SXT_CHECK(held_if(num, a->lse, a->t * a->hq, sizeof(*a->lse)));
    SXT_CHECK(held(num, a->cu_seqlens, a->n_docs + 1, sizeof(*a->cu_seqlens)));
}

void sxt_attn(struct sxt_num *num, const struct sxt_attn *a)
{
    check_attn(num, a);
    if (a->t == 0)
        return;
    SXT_CHECK(num->op.attn);
    sxt_dev_enter(num->dev);
    num->op.attn(num, a);
    sxt_dev_leave(num->dev);
}

void sxt_attn_bwd(struct sxt_num *num, const struct sxt_attn *a)
{
    size_t size = sxt_dtype_size(a->type), width = (a->hq + 2 * a->hk) * a->d;

    check_attn(num, a);
    SXT_CHECK(a->t == 0 || a->lse);
    SXT_CHECK(held(num, a->d_o, a->t * a->hq * a->d, size));
    SXT_CHECK(held(num, a->dqkv, a->t * width, size));
    if (a->t == 0)
        return;
    SXT_CHECK(num->op.attn_bwd);
    sxt_dev_enter(num->dev);
    num->op.attn_bwd(num, a);
    sxt_dev_leave(num->dev);
}

void sxt_attn_paged(struct sxt_num *num, const struct sxt_attn_paged *a)
{
    size_t size = sxt_dtype_size(a->type), width = (a->hq + 2 * a->hk) * a->d;
    size_t block = a->t > 0 ? a->block * a->hk * a->d : 0;

    SXT_CHECK(a->hk > 0 && a->hq % a->hk == 0 && a->block > 0);
    SXT_CHECK(held(num, a->qkv, a->t * width, size));
    SXT_CHECK(held(num, a->o, a->t * a->hq * a->d, size));
    SXT_CHECK(held(num, a->k_cache, block, size));
    SXT_CHECK(held(num, a->v_cache, block, size));
    SXT_CHECK(held(num, a->block_table, a->t > 0 ? a->max_blocks : 0,
                   sizeof(*a->block_table)));
    SXT_CHECK(held(num, a->seq, a->t, sizeof(*a->seq)));
    SXT_CHECK(held(num, a->pos, a->t, sizeof(*a->pos)));
    if (a->t == 0)
        return;
    SXT_CHECK(num->op.attn_paged);
    sxt_dev_enter(num->dev);
    num->op.attn_paged(num, a);
    sxt_dev_leave(num->dev);
}

void sxt_swiglu(struct sxt_num *num, void *y, const void *gu, size_t t,
                size_t f, enum sxt_dtype type)
{
    SXT_CHECK(held(num, y, t * f, sxt_dtype_size(type)));
    SXT_CHECK(held(num, gu, t * 2 * f, sxt_dtype_size(type)));
    if (t == 0 || f == 0)
        return;
    SXT_CHECK(num->op.swiglu);
    sxt_dev_enter(num->dev);
    num->op.swiglu(num, y, gu, t, f, type);
    sxt_dev_leave(num->dev);
}

void sxt_swiglu_bwd(struct sxt_num *num, void *dgu, const void *dy,
                    const void *gu, size_t t, size_t f, enum sxt_dtype type)
{
    SXT_CHECK(held(num, dgu, t * 2 * f, sxt_dtype_size(type)));
    SXT_CHECK(held(num, dy, t * f, sxt_dtype_size(type)));
    SXT_CHECK(held(num, gu, t * 2 * f, sxt_dtype_size(type)));
    if (t == 0 || f == 0)
        return;
    SXT_CHECK(num->op.swiglu_bwd);
    sxt_dev_enter(num->dev);
    num->op.swiglu_bwd(num, dgu, dy, gu, t, f, type);
    sxt_dev_leave(num->dev);
}

void sxt_xent(struct sxt_num *num, float *loss, void *dlogits, float *logits,
              const int32_t *target, size_t t, size_t vocab, size_t ld,
              float grad_scale, enum sxt_dtype d_type)
{
    SXT_CHECK(vocab > 0 && ld >= vocab);
    SXT_CHECK(dlogits != logits || d_type == SXT_F32);
    SXT_CHECK(held(num, loss, t, sizeof(*loss)));
    SXT_CHECK(held_if(num, dlogits, t * ld, sxt_dtype_size(d_type)));
    SXT_CHECK(held(num, logits, extent(t, vocab, ld), sizeof(*logits)));
    SXT_CHECK(held(num, target, t, sizeof(*target)));
    if (t == 0)
        return;
    SXT_CHECK(num->op.xent);
    sxt_dev_enter(num->dev);
    num->op.xent(num, loss, dlogits, logits, target, t, vocab, ld, grad_scale,
                 d_type);
    sxt_dev_leave(num->dev);
}

void sxt_adamw(struct sxt_num *num, const struct sxt_adamw *a)
{
    SXT_CHECK(a->step >= 1);
    SXT_CHECK(held(num, a->p, a->n, sxt_dtype_size(a->type)));
    if (a->type == SXT_BF16)
        SXT_CHECK(held(num, a->rest, a->n, sizeof(*a->rest)));
    SXT_CHECK(held(num, a->m, a->n, sizeof(*a->m)));
    SXT_CHECK(held(num, a->v, a->n, sizeof(*a->v)));
    SXT_CHECK(held(num, a->grad, a->n, sizeof(*a->grad)));
    if (a->n == 0)
        return;
    SXT_CHECK(num->op.adamw);
    sxt_dev_enter(num->dev);
    num->op.adamw(num, a);
    sxt_dev_leave(num->dev);
}

void sxt_sumsq_leaves(struct sxt_num *num, double *sums, const float *x,
                      size_t n, size_t leaf)
{
    SXT_CHECK(held(num, x, n, sizeof(*x)) && leaf > 0);
    if (n == 0)
        return;
    SXT_CHECK(num->op.sumsq);
    sxt_dev_enter(num->dev);
    num->op.sumsq(num, sums, x, n, leaf);
    sxt_dev_leave(num->dev);
}

double sxt_sumsq(struct sxt_num *num, const float *x, size_t n)
{
    double sum = 0;

    sxt_sumsq_leaves(num, &sum, x, n, n > 0 ? n : 1);
    return sum;
}

void sxt_sum_pieces(struct sxt_num *num, float *y, const void *x, size_t pieces,
                    size_t n, float beta, enum sxt_dtype type)
{
    SXT_CHECK(held(num, y, n, sizeof(*y)));
    SXT_CHECK(held(num, x, pieces * n, sxt_dtype_size(type)));
    if (n == 0)
        return;
    SXT_CHECK(num->op.sum_pieces);
    sxt_dev_enter(num->dev);
    num->op.sum_pieces(num, y, x, pieces, n, beta, type);
    sxt_dev_leave(num->dev);
}

void sxt_add(struct sxt_num *num, void *y, const void *x, size_t n,
             enum sxt_dtype type)
{
    SXT_CHECK(held(num, y, n, sxt_dtype_size(type)));
    SXT_CHECK(held(num, x, n, sxt_dtype_size(type)));
    if (n == 0)
        return;
    SXT_CHECK(num->op.add);
    sxt_dev_enter(num->dev);
    num->op.add(num, y, x, n, type);
    sxt_dev_leave(num->dev);
}

void sxt_cast(struct sxt_num *num, void *y, enum sxt_dtype y_type,
              const void *x, enum sxt_dtype x_type, size_t n)
{
    SXT_CHECK(held(num, y, n, sxt_dtype_size(y_type)));
    SXT_CHECK(held(num, x, n, sxt_dtype_size(x_type)));
    if (n == 0)
        return;
    SXT_CHECK(num->op.cast);
    sxt_dev_enter(num->dev);
    num->op.cast(num, y, y_type, x, x_type, n);
    sxt_dev_leave(num->dev);
}

void sxt_sample(struct sxt_num *num, const struct sxt_sample *s)
{
    SXT_CHECK(s->vocab > 0 && s->ld >= s->vocab);
    SXT_CHECK(held(num, s->logits, extent(s->rows, s->vocab, s->ld),
                   sizeof(*s->logits)));
    if (s->rows == 0)
        return;
    SXT_CHECK(num->op.sample);
    sxt_dev_enter(num->dev);
    num->op.sample(num, s);
    sxt_dev_leave(num->dev);
}
