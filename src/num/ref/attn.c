/* attn.c - causal attention with grouped queries, document by document.
 *
 * For query token t and key token j <= t of the same document:
 *   s_tj = scale q_t k_j,  lse_t = log sum_j exp(s_tj),  p_tj = exp(s_tj -
 * lse_t) o_t = sum_j p_tj v_j Query head h reads key head h / (hq / hk).
 * Backward, Dao, arXiv:2307.08691, section 3.1, with D_t = do_t o_t from the
 * stored o and p from the stored lse: ds_tj = p_tj (do_t v_j - D_t) dq_t =
 * scale sum_j ds_tj k_j dk_j = scale sum_t ds_tj q_t,  dv_j = sum_t p_tj do_t
 * where the last two sum over the query heads of the group as well. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "num/ref/ref.h"

static double dot(const void *a, size_t i, const void *b, size_t j, size_t d,
                  enum sxt_dtype type)
{
    double sum = 0;

    for (size_t c = 0; c < d; c++)
        sum += (double)sxt_load(a, type, i + c) * sxt_load(b, type, j + c);
    return sum;
}

/* Where head vectors begin in qkv and o. */
static size_t query_at(const struct sxt_attn *a, size_t t, size_t h)
{
    return (t * (a->hq + 2 * a->hk) + h) * a->d;
}

static size_t key_at(const struct sxt_attn *a, size_t t, size_t kv)
{
    return query_at(a, t, a->hq + kv);
}

static size_t value_at(const struct sxt_attn *a, size_t t, size_t kv)
{
    return query_at(a, t, a->hq + a->hk + kv);
}

static size_t out_at(const struct sxt_attn *a, size_t t, size_t h)
{
    return (t * a->hq + h) * a->d;
}

/* Output of token t, head h, in the document that begins at `first`; p has
 * room for its length. */
static void attend(const struct sxt_attn *a, size_t first, size_t t, size_t h,
                   double *p)
{
    size_t kv = h / (a->hq / a->hk), n = t - first + 1;
    double max = -INFINITY, sum = 0;

    for (size_t j = 0; j < n; j++) {
        p[j] = a->scale * dot(a->qkv, query_at(a, t, h), a->qkv,
                              key_at(a, first + j, kv), a->d, a->type);
        max = fmax(max, p[j]);
    }
    for (size_t j = 0; j < n; j++) {
        p[j] = exp(p[j] - max);
        sum += p[j];
    }
    for (size_t c = 0; c < a->d; c++) {
        double o = 0;
        for (size_t j = 0; j < n; j++)
            o += p[j] *
                 sxt_load(a->qkv, a->type, value_at(a, first + j, kv) + c);
        sxt_store(a->o, a->type, out_at(a, t, h) + c, (float)(o / sum));
    }
    if (a->lse)
        a->lse[t * a->hq + h] = (float)(max + log(sum));
}

void sxt_ref_attn(struct sxt_num *num, const struct sxt_attn *a)
{
    SXT_CHECK((size_t)a->cu_seqlens[a->n_docs] == a->t);
#pragma omp parallel for collapse(2) num_threads(num->threads)
    for (size_t doc = 0; doc < a->n_docs; doc++) {
        for (size_t h = 0; h < a->hq; h++) {
            size_t first = (size_t)a->cu_seqlens[doc];
            size_t end = (size_t)a->cu_seqlens[doc + 1];
            double *p = sxt_alloc(end - first, sizeof(*p));
            for (size_t t = first; t < end; t++)
                attend(a, first, t, h, p);
            free(p);
        }
    }
}

/* Gradients that one document's queries of head h, token t contribute: dq is
 * stored; dk and dv (length, d) grow. */
static void attend_bwd(const struct sxt_attn *a, size_t first, size_t t,
                       size_t h, double *dq, double *dk, double *dv)
{
    size_t kv = h / (a->hq / a->hk), d = a->d;
    size_t q = query_at(a, t, h), o = out_at(a, t, h);
    double delta = dot(a->d_o, o, a->o, o, d, a->type);

    for (size_t c = 0; c < d; c++)
        dq[c] = 0;
    for (size_t j = 0; first + j <= t; j++) {
        size_t k = key_at(a, first + j, kv), v = value_at(a, first + j, kv);
        double s = a->scale * dot(a->qkv, q, a->qkv, k, d, a->type);
        double p = exp(s - a->lse[t * a->hq + h]);
        double ds = dot(a->d_o, o, a->qkv, v, d, a->type) - delta;

        ds *= p * a->scale;
        for (size_t c = 0; c < d; c++) {
            dq[c] += ds * sxt_load(a->qkv, a->type, k + c);
            dk[j * d + c] += ds * sxt_load(a->qkv, a->type, q + c);
            dv[j * d + c] += p * sxt_load(a->d_o, a->type, o + c);
        }
    }
    for (size_t c = 0; c < d; c++)
        sxt_store(a->dqkv, a->type, q + c, (float)dq[c]);
}

static void document_bwd(const struct sxt_attn *a, size_t first, size_t end,
                         size_t kv)
{
    size_t group = a->hq / a->hk, d = a->d, n = end - first;
    double *dq = sxt_calloc(d, sizeof(*dq));
    double *dk = sxt_calloc(n * d, sizeof(*dk));
    double *dv = sxt_calloc(n * d, sizeof(*dv));

    for (size_t h = kv * group; h < (kv + 1) * group; h++)
        for (size_t t = first; t < end; t++)
            attend_bwd(a, first, t, h, dq, dk, dv);
    for (size_t j = 0; j < n; j++) {
        size_t k = key_at(a, first + j, kv), v = value_at(a, first + j, kv);
        for (size_t c = 0; c < d; c++) {
            sxt_store(a->dqkv, a->type, k + c, (float)dk[j * d + c]);
            sxt_store(a->dqkv, a->type, v + c, (float)dv[j * d + c]);
        }
    }
    free(dq);
    free(dk);
    free(dv);
}

void sxt_ref_attn_bwd(struct sxt_num *num, const struct sxt_attn *a)
{
    SXT_CHECK((size_t)a->cu_seqlens[a->n_docs] == a->t);
#pragma omp parallel for collapse(2) num_threads(num->threads)
    for (size_t doc = 0; doc < a->n_docs; doc++)
        for (size_t kv = 0; kv < a->hk; kv++)
            document_bwd(a, (size_t)a->cu_seqlens[doc],
                         (size_t)a->cu_seqlens[doc + 1], kv);
}
