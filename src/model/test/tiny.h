/* tiny.h - a small network with random weights, for tests. */
#ifndef SXT_MODEL_TEST_TINY_H
#define SXT_MODEL_TEST_TINY_H

#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/layout.h"
#include "model/params.h"
#include "num/ops.h"

struct tiny {
    struct sxt_params params; /* first: callbacks get its address */
    struct sxt_layout layout;
    struct sxt_dev *dev;
    struct sxt_num *num;
    void **unit; /* device memory */
};

static inline const void *tiny_get(struct sxt_params *self, size_t unit)
{
    return ((struct tiny *)self)->unit[unit];
}

static inline void tiny_release(struct sxt_params *self, size_t unit)
{
    (void)self;
    (void)unit;
}

static inline struct sxt_model_config tiny_config(void)
{
    return (struct sxt_model_config){ .type = SXT_QWEN2,
                                      .vocab = 61,
                                      .hidden = 32,
                                      .layers = 3,
                                      .heads = 4,
                                      .kv_heads = 2,
                                      .head_dim = 8,
                                      .ffn = 48,
                                      .max_positions = 512,
                                      .rope_theta = 10000,
                                      .norm_eps = 1e-6,
                                      .tied = true,
                                      .qkv_bias = true };
}

/* Matrices of the blocks have the given standard deviation; with 0 the network
 * repeats its last token. */
static inline void tiny_fill(struct tiny *m, double deviation)
{
    const struct sxt_layout *l = &m->layout;
    enum sxt_dtype type = m->params.type;

    for (size_t u = 0; u < l->n_units; u++) {
        size_t bytes = l->unit_size[u] * sxt_dtype_size(type);
        void *host = sxt_calloc(l->unit_size[u], sxt_dtype_size(type));
        for (size_t i = 0; i < l->n_tensors; i++) {
            const struct sxt_tensor *t = &l->tensors[i];
            struct sxt_rng rng = { 1, i };
            double scale = t->n_dims == 1 ? 0.5 : u == 0 ? 0.3 : deviation;
            if (t->unit != u)
                continue;
            for (size_t k = 0; k < t->rows * t->cols; k++)
                sxt_store(
                    host, type, t->offset + k,
                    (float)((t->n_dims == 1) + scale * sxt_rng_normal(rng, k)));
        }
        m->unit[u] = sxt_dev_alloc(m->dev, bytes);
        sxt_dev_put(m->dev, m->unit[u], host, bytes);
        free(host);
    }
}

static inline struct tiny *tiny_create(const char *backend, const char *device,
                                       enum sxt_dtype type, double deviation)
{
    struct tiny *m = sxt_calloc(1, sizeof(*m));
    struct sxt_model_config config = tiny_config();

    sxt_layout_init(&m->layout, &config);
    m->params.type = type;
    m->params.resident = true;
    m->params.get = tiny_get;
    m->params.release = tiny_release;
    m->dev = sxt_dev_create(device, NULL);
    m->num = sxt_num_create(backend, m->dev, 0, NULL);
    m->unit = sxt_calloc(m->layout.n_units, sizeof(*m->unit));
    tiny_fill(m, deviation);
    return m;
}

static inline void tiny_destroy(struct tiny *m)
{
    for (size_t u = 0; u < m->layout.n_units; u++)
        sxt_dev_free(m->dev, m->unit[u]);
    free(m->unit);
    sxt_num_destroy(m->num);
    sxt_dev_destroy(m->dev);
    sxt_layout_free(&m->layout);
    free(m);
}

#endif
