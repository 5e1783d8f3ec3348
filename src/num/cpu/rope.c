/* rope.c - bias, rotary embedding and the store to the KV cache. */
#include "num/cpu/cpu.h"
#include "num/cpu/vec.h"

/* Rotate one head at element `at`; bias (d) or NULL; sign -1 rotates back. */
static inline void turn(const struct sxt_rope *a, size_t at, const void *bias,
                        size_t column, size_t pos, float sign,
                        enum sxt_dtype type)
{
    size_t half = a->d / 2, i = 0;
    const float *cosine = a->cos + pos * half, *sine = a->sin + pos * half;

    for (; i + LANES <= half; i += LANES) {
        v8f u = v8_load_as(a->qkv, type, at + i);
        v8f v = v8_load_as(a->qkv, type, at + half + i);
        if (bias) {
            u += v8_load_as(bias, type, column + i);
            v += v8_load_as(bias, type, column + half + i);
        }
        v8f c = v8_load(cosine + i), s = sign * v8_load(sine + i);
        v8_store_as(a->qkv, type, at + i, u * c - v * s);
        v8_store_as(a->qkv, type, at + half + i, v * c + u * s);
    }
    for (; i < half; i++) {
        float u = sxt_load(a->qkv, type, at + i);
        float v = sxt_load(a->qkv, type, at + half + i);
        if (bias) {
            u += sxt_load(bias, type, column + i);
            v += sxt_load(bias, type, column + half + i);
        }
        float c = cosine[i], s = sign * sine[i];
        sxt_store(a->qkv, type, at + i, u * c - v * s);
        sxt_store(a->qkv, type, at + half + i, v * c + u * s);
    }
}

static void add_bias(const struct sxt_rope *a, size_t at, size_t column,
                     size_t n)
{
    for (size_t i = 0; i < n; i++)
        sxt_store(a->qkv, a->type, at + i,
                  sxt_load(a->qkv, a->type, at + i) +
                      sxt_load(a->bias, a->type, column + i));
}

/* Keys and values of token t to its row of the caches. */
static void keep(const struct sxt_rope *a, size_t t, size_t width)
{
    size_t size = sxt_dtype_size(a->type), row = a->hk * a->d * size;
    const char *keys = (const char *)a->qkv + (t * width + a->hq * a->d) * size;

    memcpy((char *)a->k_cache + (size_t)a->slot[t] * row, keys, row);
    memcpy((char *)a->v_cache + (size_t)a->slot[t] * row, keys + row, row);
}

void sxt_cpu_rope(struct sxt_num *num, const struct sxt_rope *a)
{
    size_t rotated = a->hq + a->hk, width = (rotated + a->hk) * a->d;

#pragma omp parallel for num_threads(num->threads)
    for (size_t t = 0; t < a->t; t++) {
        for (size_t h = 0; h < rotated; h++)
            turn(a, t * width + h * a->d, a->bias, h * a->d, (size_t)a->pos[t],
                 1, a->type);
        if (a->bias)
            add_bias(a, t * width + rotated * a->d, rotated * a->d,
                     a->hk * a->d);
        if (a->k_cache && a->slot[t] >= 0)
            keep(a, t, width);
    }
}

/* dbias of columns c0 … c1, over the tokens in f64. */
static void add_dbias(const struct sxt_rope *a, float *dbias, size_t width,
                      size_t c0, size_t c1)
{
    double sum[64] = { 0 };

    for (size_t t = 0; t < a->t; t++)
#pragma omp simd
        for (size_t c = c0; c < c1; c++)
            sum[c - c0] += sxt_load(a->qkv, a->type, t * width + c);
    for (size_t c = c0; c < c1; c++)
        dbias[c] = (float)(dbias[c] + sum[c - c0]);
}

void sxt_cpu_rope_bwd(struct sxt_num *num, const struct sxt_rope *a,
                      float *dbias)
{
    size_t rotated = a->hq + a->hk, width = (rotated + a->hk) * a->d;

#pragma omp parallel for num_threads(num->threads)
    for (size_t t = 0; t < a->t; t++)
        for (size_t h = 0; h < rotated; h++)
            turn(a, t * width + h * a->d, NULL, 0, (size_t)a->pos[t], -1,
                 a->type);
    if (!dbias)
        return;
#pragma omp parallel for num_threads(num->threads)
    for (size_t c = 0; c < width; c += 64)
        add_dbias(a, dbias, width, c, c + 64 < width ? c + 64 : width);
}
