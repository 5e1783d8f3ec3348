/* rope.c - bias, rotary embedding and the store to the KV cache.
 *
 * Su et al., arXiv:2104.09864, eq. 34, with element i of a head paired with
 * element i + d/2.  At position p, c = cos[p, i], s = sin[p, i]:
 *   y_i = x_i c - x_{i+d/2} s,  y_{i+d/2} = x_{i+d/2} c + x_i s
 * with x = qkv + bias, not rounded between.  Values get the bias only.
 * Backward rotates by the opposite angle; dbias sums the gradients as stored.
 */
#include "num/ref/ref.h"

/* Bias and rotation of one head at `at`; sign -1 rotates back. */
static void turn(const struct sxt_rope *a, size_t at, size_t column,
                 const void *bias, const float *cosine, const float *sine,
                 double sign)
{
    size_t half = a->d / 2;

    for (size_t i = 0; i < half; i++) {
        double u = sxt_load(a->qkv, a->type, at + i);
        double v = sxt_load(a->qkv, a->type, at + i + half);
        if (bias) {
            u += sxt_load(bias, a->type, column + i);
            v += sxt_load(bias, a->type, column + i + half);
        }
        double c = cosine[i], s = sign * sine[i];
        sxt_store(a->qkv, a->type, at + i, (float)(u * c - v * s));
        sxt_store(a->qkv, a->type, at + i + half, (float)(v * c + u * s));
    }
}

/* Keys and values of token t to its row of the caches. */
static void keep(const struct sxt_rope *a, size_t t)
{
    size_t width = (a->hq + 2 * a->hk) * a->d, kv = a->hk * a->d;
    size_t key = t * width + a->hq * a->d, to = (size_t)a->slot[t] * kv;

    for (size_t i = 0; i < kv; i++) {
        sxt_store(a->k_cache, a->type, to + i,
                  sxt_load(a->qkv, a->type, key + i));
        sxt_store(a->v_cache, a->type, to + i,
                  sxt_load(a->qkv, a->type, key + kv + i));
    }
}

void sxt_ref_rope(struct sxt_num *num, const struct sxt_rope *a)
{
    size_t width = (a->hq + 2 * a->hk) * a->d, rotated = a->hq + a->hk;

#pragma omp parallel for num_threads(num->threads)
    for (size_t t = 0; t < a->t; t++) {
        const float *c = a->cos + (size_t)a->pos[t] * (a->d / 2);
        const float *s = a->sin + (size_t)a->pos[t] * (a->d / 2);

        for (size_t head = 0; head < rotated; head++)
            turn(a, t * width + head * a->d, head * a->d, a->bias, c, s, 1);
        for (size_t i = rotated * a->d; a->bias && i < width; i++)
            sxt_store(a->qkv, a->type, t * width + i,
                      sxt_load(a->qkv, a->type, t * width + i) +
                          sxt_load(a->bias, a->type, i));
        if (a->k_cache && a->slot[t] >= 0)
            keep(a, t);
    }
}

void sxt_ref_rope_bwd(struct sxt_num *num, const struct sxt_rope *a,
                      float *dbias)
{
    size_t width = (a->hq + 2 * a->hk) * a->d;

#pragma omp parallel for num_threads(num->threads)
    for (size_t t = 0; t < a->t; t++) {
        const float *c = a->cos + (size_t)a->pos[t] * (a->d / 2);
        const float *s = a->sin + (size_t)a->pos[t] * (a->d / 2);

        for (size_t head = 0; head < a->hq + a->hk; head++)
            turn(a, t * width + head * a->d, 0, NULL, c, s, -1);
    }
    if (!dbias)
        return;
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < width; i++) {
        double sum = 0;
        for (size_t t = 0; t < a->t; t++)
            sum += sxt_load(a->qkv, a->type, t * width + i);
        dbias[i] = (float)(dbias[i] + sum);
    }
}
