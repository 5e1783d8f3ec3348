/* layout.c - tests of where tensors lie. */
#include "model/layout.h"

#include <string.h>

#include "base/test/tap.h"

static const struct {
    const char *what;
    struct sxt_model_config config;
} cases[] = {
    { "qwen2, untied, odd sizes",
      { .type = SXT_QWEN2,
        .vocab = 131,
        .hidden = 40,
        .layers = 3,
        .heads = 5,
        .kv_heads = 1,
        .head_dim = 8,
        .ffn = 51,
        .qkv_bias = true } },
    { "llama, tied, wide heads",
      { .type = SXT_LLAMA,
        .vocab = 67,
        .hidden = 48,
        .layers = 2,
        .heads = 6,
        .kv_heads = 2,
        .head_dim = 16,
        .ffn = 33,
        .tied = true } },
};

static size_t size(const struct sxt_tensor *t)
{
    return t->rows * t->cols;
}

static void test_order(const char *what, const struct sxt_layout *layout)
{
    size_t total = 0, unit = 0, end = 0;
    bool ordered = true, inside = true;

    for (size_t i = 0; i < layout->n_tensors; i++) {
        const struct sxt_tensor *t = &layout->tensors[i];
        if (t->unit != unit)
            end = 0;
        ordered = ordered && t->unit >= unit && t->offset >= end &&
                  t->offset < end + 64;
        unit = t->unit;
        end = t->offset + size(t);
        inside = inside && end <= layout->unit_size[unit];
        total += size(t);
    }
    ok(ordered, "%s: by unit and offset, gaps below 64, no overlap", what);
    ok(inside, "%s: all inside their units", what);
    ok(unit == layout->n_units - 1, "%s: every unit has tensors", what);
    ok(total == sxt_model_parameters(&layout->config),
       "%s: as many elements as the model has parameters", what);
}

static bool adjacent(const struct sxt_layout *layout, const char *a,
                     const char *b)
{
    const struct sxt_tensor *x = sxt_layout_find(layout, a);
    const struct sxt_tensor *y = sxt_layout_find(layout, b);

    return x && y && x->unit == y->unit && x->offset + size(x) == y->offset;
}

static void test_groups(const char *what, const struct sxt_layout *layout)
{
    struct sxt_block_at at = sxt_layout_block(layout);

    ok(adjacent(layout, "model.layers.1.self_attn.q_proj.weight",
                "model.layers.1.self_attn.k_proj.weight") &&
           adjacent(layout, "model.layers.1.self_attn.k_proj.weight",
                    "model.layers.1.self_attn.v_proj.weight") &&
           adjacent(layout, "model.layers.1.mlp.gate_proj.weight",
                    "model.layers.1.mlp.up_proj.weight"),
       "%s: q, k, v and gate, up are one matrix each", what);
    if (layout->config.qkv_bias)
        ok(adjacent(layout, "model.layers.0.self_attn.q_proj.bias",
                    "model.layers.0.self_attn.k_proj.bias") &&
               adjacent(layout, "model.layers.0.self_attn.k_proj.bias",
                        "model.layers.0.self_attn.v_proj.bias"),
           "%s: so are the biases", what);
    ok(at.norm1 == 0 && at.qkv % 64 == 0 && at.qkv_bias % 64 == 0 &&
           at.o % 64 == 0 && at.norm2 % 64 == 0 && at.gate_up % 64 == 0 &&
           at.down % 64 == 0,
       "%s: groups begin at multiples of 64", what);
}

static void test_flags(const char *what, const struct sxt_layout *layout)
{
    const struct sxt_tensor *head = sxt_layout_find(layout, "lm_head.weight");
    bool matrices_only = true, padded = true;

    for (size_t i = 0; i < layout->n_tensors; i++)
        matrices_only = matrices_only && layout->tensors[i].decay ==
                                             (layout->tensors[i].n_dims == 2);
    for (size_t u = 0; u < layout->n_units; u++)
        padded = padded && layout->unit_size[u] % 64 == 0;
    ok(matrices_only, "%s: weight decay on matrices only", what);
    ok(padded, "%s: unit sizes are multiples of 64", what);
    ok(layout->config.tied ? !head : head->offset == sxt_layout_head_at(layout),
       "%s: the head", what);
    ok(!sxt_layout_find(layout, "model.layers.9.mlp.up_proj.weight"),
       "%s: an unknown name is not found", what);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sxt_layout layout;
        sxt_layout_init(&layout, &cases[i].config);
        test_order(cases[i].what, &layout);
        test_groups(cases[i].what, &layout);
        test_flags(cases[i].what, &layout);
        sxt_layout_free(&layout);
        sxt_layout_free(&layout);
    }
    return done_testing();
}
