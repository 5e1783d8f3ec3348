/* layout.c - where each tensor lies: one table generates everything. */
#include "model/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { ALIGN = 64 }; /* elements: a cache line of bf16, and more */

static size_t aligned(size_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

/* One unit being laid out. */
struct cursor {
    struct sxt_layout *layout;
    size_t unit, at; /* elements used so far */
};

/* Begin a group that one operation reads together. */
static void group(struct cursor *c)
{
    c->at = aligned(c->at);
}

static void add(struct cursor *c, const char *name, int n_dims, size_t rows,
                size_t cols)
{
    struct sxt_tensor *t = &c->layout->tensors[c->layout->n_tensors++];

    *t = (struct sxt_tensor){ .unit = c->unit,
                              .offset = c->at,
                              .rows = rows,
                              .cols = cols,
                              .n_dims = n_dims,
                              .decay = n_dims == 2 };
    snprintf(t->name, sizeof(t->name), "%s", name);
    c->at += rows * cols;
}

static void add_in_block(struct cursor *c, const char *part, int n_dims,
                         size_t rows, size_t cols)
{
    char name[sizeof(c->layout->tensors->name)];

    snprintf(name, sizeof(name), "model.layers.%zu.%s", c->unit - 1, part);
    add(c, name, n_dims, rows, cols);
}

static void add_block(struct cursor *c, const struct sxt_model_config *m)
{
    size_t h = m->hidden;
    size_t q = m->heads * m->head_dim, kv = m->kv_heads * m->head_dim;

    add_in_block(c, "input_layernorm.weight", 1, 1, h);
    group(c);
    add_in_block(c, "self_attn.q_proj.weight", 2, q, h);
    add_in_block(c, "self_attn.k_proj.weight", 2, kv, h);
    add_in_block(c, "self_attn.v_proj.weight", 2, kv, h);
    group(c);
    if (m->qkv_bias) {
        add_in_block(c, "self_attn.q_proj.bias", 1, 1, q);
        add_in_block(c, "self_attn.k_proj.bias", 1, 1, kv);
        add_in_block(c, "self_attn.v_proj.bias", 1, 1, kv);
    }
    group(c);
    add_in_block(c, "self_attn.o_proj.weight", 2, h, q);
    group(c);
    add_in_block(c, "post_attention_layernorm.weight", 1, 1, h);
    group(c);
    add_in_block(c, "mlp.gate_proj.weight", 2, m->ffn, h);
    add_in_block(c, "mlp.up_proj.weight", 2, m->ffn, h);
    group(c);
    add_in_block(c, "mlp.down_proj.weight", 2, h, m->ffn);
}

static struct cursor begin_unit(struct sxt_layout *layout, size_t unit)
{
    return (struct cursor){ .layout = layout, .unit = unit, .at = 0 };
}

static void end_unit(struct cursor *c)
{
    c->layout->unit_size[c->unit] = aligned(c->at);
}

void sxt_layout_init(struct sxt_layout *layout,
                     const struct sxt_model_config *config)
{
    enum { PER_BLOCK = 12, OTHERS = 3 };
    struct cursor c;

    *layout = (struct sxt_layout){ .config = *config,
                                   .n_units = config->layers + 2,
                                   .parts = 1 };
    layout->unit_size = sxt_calloc(layout->n_units, sizeof(size_t));
    layout->tensors = sxt_calloc(config->layers * PER_BLOCK + OTHERS,
                                 sizeof(struct sxt_tensor));
    c = begin_unit(layout, 0);
    add(&c, "model.embed_tokens.weight", 2, config->vocab, config->hidden);
    end_unit(&c);
    for (size_t l = 0; l < config->layers; l++) {
        c = begin_unit(layout, l + 1);
        add_block(&c, config);
        end_unit(&c);
    }
    c = begin_unit(layout, config->layers + 1);
    add(&c, "model.norm.weight", 1, 1, config->hidden);
    group(&c);
    if (!config->tied)
        add(&c, "lm_head.weight", 2, config->vocab, config->hidden);
    end_unit(&c);
}

static bool divides(const struct sxt_model_config *c, size_t parts)
{
    return c->heads % parts == 0 && c->kv_heads % parts == 0 &&
           c->ffn % parts == 0;
}

int sxt_layout_part(struct sxt_layout *layout, const struct sxt_layout *whole,
                    size_t part, size_t parts, struct sxt_error *err)
{
    struct sxt_model_config c = whole->config;

    SXT_CHECK(part < parts && whole->parts == 1);
    if (!divides(&c, parts)) {
        struct sxt_str able = SXT_STR_EMPTY;
        for (size_t n = 1; n <= c.kv_heads; n++)
            if (divides(&c, n))
                sxt_str_add(&able, n > 1 ? ", %zu" : "%zu", n);
        sxt_err(err, SXT_EXIT_CONFIG,
                "tensor_parallel = %zu does not divide this model's %zu heads, "
                "%zu key-value heads and feed-forward width of %zu; these do: "
                "%s",
                parts, c.heads, c.kv_heads, c.ffn, able.data);
        sxt_str_free(&able);
        return -1;
    }
    c.heads /= parts;
    c.kv_heads /= parts;
    c.ffn /= parts;
    sxt_layout_init(layout, &c);
    layout->part = part;
    layout->parts = parts;
    return 0;
}

void sxt_layout_free(struct sxt_layout *layout)
{
    free(layout->unit_size);
    free(layout->tensors);
    *layout = (struct sxt_layout){ 0 };
}

/* Offset of a tensor of the first block; all blocks are alike. */
static size_t block_offset(const struct sxt_layout *layout, const char *part)
{
    char name[sizeof(layout->tensors->name)];
    const struct sxt_tensor *t;

    snprintf(name, sizeof(name), "model.layers.0.%s", part);
    t = sxt_layout_find(layout, name);
    SXT_CHECK(t != NULL);
    return t->offset;
}

struct sxt_block_at sxt_layout_block(const struct sxt_layout *layout)
{
    struct sxt_block_at at = {
        .norm1 = block_offset(layout, "input_layernorm.weight"),
        .qkv = block_offset(layout, "self_attn.q_proj.weight"),
        .o = block_offset(layout, "self_attn.o_proj.weight"),
        .norm2 = block_offset(layout, "post_attention_layernorm.weight"),
        .gate_up = block_offset(layout, "mlp.gate_proj.weight"),
        .down = block_offset(layout, "mlp.down_proj.weight"),
    };

    if (layout->config.qkv_bias)
        at.qkv_bias = block_offset(layout, "self_attn.q_proj.bias");
    return at;
}

struct sxt_block_at sxt_layout_vectors(const struct sxt_layout *layout,
                                       size_t *size)
{
    const struct sxt_model_config *c = &layout->config;
    size_t norm = aligned(c->hidden);
    size_t bias = (c->heads + 2 * c->kv_heads) * c->head_dim;

    *size = 2 * norm + (c->qkv_bias ? aligned(bias) : 0);
    return (struct sxt_block_at){ .norm1 = 0,
                                  .norm2 = norm,
                                  .qkv_bias = c->qkv_bias ? 2 * norm : 0 };
}

size_t sxt_layout_head_at(const struct sxt_layout *layout)
{
    return aligned(layout->config.hidden);
}

const struct sxt_tensor *sxt_layout_find(const struct sxt_layout *layout,
                                         const char *name)
{
    for (size_t i = 0; i < layout->n_tensors; i++)
        if (strcmp(layout->tensors[i].name, name) == 0)
            return &layout->tensors[i];
    return NULL;
}
