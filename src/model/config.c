/* config.c - what kind of network: read from a Hugging Face config.json. */
#include "model/config.h"

#include <math.h>
#include <string.h>

struct size_field {
    const char *name;
    size_t offset; /* of a size_t in struct sxt_model_config */
    int64_t max;   /* products of two sizes must not overflow */
    int64_t other; /* if absent or null; -1: required, 0: derived later */
};

static const struct size_field sizes[] = {
    { "vocab_size", offsetof(struct sxt_model_config, vocab), 1 << 24, -1 },
    { "hidden_size", offsetof(struct sxt_model_config, hidden), 1 << 20, -1 },
    { "num_hidden_layers", offsetof(struct sxt_model_config, layers), 4096,
      -1 },
    { "num_attention_heads", offsetof(struct sxt_model_config, heads), 4096,
      -1 },
    { "num_key_value_heads", offsetof(struct sxt_model_config, kv_heads), 4096,
      0 },
    { "head_dim", offsetof(struct sxt_model_config, head_dim), 1 << 12, 0 },
    { "intermediate_size", offsetof(struct sxt_model_config, ffn), 1 << 22,
      -1 },
    { "max_position_embeddings",
      offsetof(struct sxt_model_config, max_positions), 1 << 30, 2048 },
};
enum { N_SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static bool absent(const struct sxt_json *v)
{
    return sxt_json_type(v) == SXT_JSON_NULL;
}

static int read_sizes(struct sxt_model_config *config,
                      const struct sxt_json *json, const char *where,
                      struct sxt_error *err)
{
    for (size_t i = 0; i < N_SIZES; i++) {
        const struct size_field *f = &sizes[i];
        const struct sxt_json *v = sxt_json_get(json, f->name);
        int64_t x = absent(v) ? f->other : sxt_json_int(v, -2);

        if (x == -1 && absent(v))
            return sxt_err(err, SXT_EXIT_DATA, "%s: no %s", where, f->name);
        if (!absent(v) && (x < 1 || x > f->max))
            return sxt_err(err, SXT_EXIT_DATA,
                           "%s: %s must be an integer in [1, %lld]", where,
                           f->name, (long long)f->max);
        *(size_t *)((char *)config + f->offset) = (size_t)x;
    }
    return 0;
}

static int derive_heads(struct sxt_model_config *c, const char *where,
                        struct sxt_error *err)
{
    if (c->kv_heads == 0)
        c->kv_heads = c->heads;
    if (c->heads % c->kv_heads != 0)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: num_attention_heads %zu is no multiple of "
                       "num_key_value_heads %zu",
                       where, c->heads, c->kv_heads);
    if (c->head_dim == 0 && c->hidden % c->heads != 0)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: hidden_size %zu is no multiple of "
                       "num_attention_heads %zu, and there is no head_dim",
                       where, c->hidden, c->heads);
    if (c->head_dim == 0)
        c->head_dim = c->hidden / c->heads;
    if (c->head_dim % 2 != 0)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: head_dim %zu is odd; rotary positions need pairs",
                       where, c->head_dim);
    return 0;
}

static int read_type(struct sxt_model_config *config,
                     const struct sxt_json *json, const char *where,
                     struct sxt_error *err)
{
    const char *type = sxt_json_string(sxt_json_get(json, "model_type"), "");
    const char *wanted = "Qwen2ForCausalLM";
    const struct sxt_json *list = sxt_json_get(json, "architectures");

    if (strcmp(type, "qwen2") == 0) {
        config->type = SXT_QWEN2;
    } else if (strcmp(type, "llama") == 0) {
        config->type = SXT_LLAMA;
        wanted = "LlamaForCausalLM";
    } else {
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: model_type \"%s\" is not one that Sextant "
                       "computes (qwen2, llama)",
                       where, type);
    }
    config->qkv_bias = config->type == SXT_QWEN2;
    if (sxt_json_count(list) > 0 &&
        strcmp(sxt_json_string(sxt_json_item(list, 0), ""), wanted) != 0)
        return sxt_err(err, SXT_EXIT_DATA, "%s: architectures is not [\"%s\"]",
                       where, wanted);
    return 0;
}

static int unsupported(const char *where, const char *what,
                       struct sxt_error *err)
{
    return sxt_err(err, SXT_EXIT_DATA, "%s: %s; Sextant does not compute that",
                   where, what);
}

/* A rope_scaling or rope_parameters object that leaves positions alone. */
static bool plain_rope(const struct sxt_json *v)
{
    const struct sxt_json *type = sxt_json_get(v, "rope_type");

    if (absent(v))
        return true;
    if (!type)
        type = sxt_json_get(v, "type");
    return strcmp(sxt_json_string(type, ""), "default") == 0;
}

static bool all_full_attention(const struct sxt_json *layer_types)
{
    for (size_t i = 0; i < sxt_json_count(layer_types); i++) {
        const struct sxt_json *v = sxt_json_item(layer_types, i);
        if (strcmp(sxt_json_string(v, ""), "full_attention") != 0)
            return false;
    }
    return true;
}

/* Variants of the two families that would silently give other numbers. */
static int refuse_variants(const struct sxt_json *json, const char *where,
                           struct sxt_error *err)
{
    const struct sxt_json *act = sxt_json_get(json, "hidden_act");

    if (!absent(act) && strcmp(sxt_json_string(act, ""), "silu") != 0)
        return unsupported(where, "hidden_act is not silu", err);
    if (!plain_rope(sxt_json_get(json, "rope_scaling")))
        return unsupported(where, "rope_scaling is in use", err);
    if (!plain_rope(sxt_json_get(json, "rope_parameters")))
        return unsupported(where, "rope_parameters is not of type default",
                           err);
    if (sxt_json_bool(sxt_json_get(json, "use_sliding_window"), false))
        return unsupported(where, "use_sliding_window is true", err);
    if (!all_full_attention(sxt_json_get(json, "layer_types")))
        return unsupported(where, "layer_types is not all full_attention", err);
    if (sxt_json_bool(sxt_json_get(json, "mlp_bias"), false))
        return unsupported(where, "mlp_bias is true", err);
    if (!absent(sxt_json_get(json, "quantization_config")))
        return unsupported(where, "quantization_config is there", err);
    return 0;
}

static int read_reals(struct sxt_model_config *c, const struct sxt_json *json,
                      const char *where, struct sxt_error *err)
{
    const struct sxt_json *rope = sxt_json_get(json, "rope_parameters");
    const struct sxt_json *theta = sxt_json_get(rope, "rope_theta");
    const struct sxt_json *eps = sxt_json_get(json, "rms_norm_eps");

    if (!theta)
        theta = sxt_json_get(json, "rope_theta");
    c->rope_theta = absent(theta) ? 10000.0 : sxt_json_number(theta, -1.0);
    c->norm_eps = absent(eps) ? 1e-6 : sxt_json_number(eps, -1.0);
    if (!(c->rope_theta >= 1.0))
        return sxt_err(err, SXT_EXIT_DATA, "%s: rope_theta is no number >= 1",
                       where);
    if (!(c->norm_eps >= 0.0 && c->norm_eps < 1.0))
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: rms_norm_eps is no number in [0, 1)", where);
    return 0;
}

static int add_eos(struct sxt_model_config *c, const struct sxt_json *v,
                   const char *where, struct sxt_error *err)
{
    int64_t id = sxt_json_int(v, -1);

    if (id < 0 || id >= (int64_t)c->vocab)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: eos_token_id is no token id in [0, %zu)", where,
                       c->vocab);
    for (size_t i = 0; i < c->n_eos; i++)
        if (c->eos[i] == id)
            return 0;
    if (c->n_eos == SXT_MAX_EOS)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: more than %d different eos_token_id", where,
                       SXT_MAX_EOS);
    c->eos[c->n_eos++] = (int32_t)id;
    return 0;
}

/* eos_token_id is an integer, a list of them, null or absent. */
static int read_eos(struct sxt_model_config *c, const struct sxt_json *json,
                    const char *where, struct sxt_error *err)
{
    const struct sxt_json *v = sxt_json_get(json, "eos_token_id");

    if (absent(v))
        return 0;
    if (sxt_json_type(v) != SXT_JSON_ARRAY)
        return add_eos(c, v, where, err);
    for (size_t i = 0; i < sxt_json_count(v); i++)
        if (add_eos(c, sxt_json_item(v, i), where, err) != 0)
            return -1;
    return 0;
}

static int read_draw_number(const struct sxt_json *generation, const char *name,
                            double low, double high, double *x,
                            const char *where, struct sxt_error *err)
{
    const struct sxt_json *v = sxt_json_get(generation, name);

    *x = absent(v) ? NAN : sxt_json_number(v, -1.0);
    if (*x < low || *x > high)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: %s of generation_config.json is no number in [%g, "
                       "%g]",
                       where, name, low, high);
    return 0;
}

/* do_sample false asks for the most probable token, whatever else is there;
 * without do_sample the numbers are taken as they are. */
static int read_draw(struct sxt_model_draw *d,
                     const struct sxt_json *generation, const char *where,
                     struct sxt_error *err)
{
    double top_k;

    if (read_draw_number(generation, "temperature", 0, 100, &d->temperature,
                         where, err) != 0 ||
        read_draw_number(generation, "top_p", 0, 1, &d->top_p, where, err) !=
            0 ||
        read_draw_number(generation, "min_p", 0, 1, &d->min_p, where, err) !=
            0 ||
        read_draw_number(generation, "repetition_penalty", 0.1, 10,
                         &d->repetition_penalty, where, err) != 0 ||
        read_draw_number(generation, "top_k", 0, 1e6, &top_k, where, err) != 0)
        return -1;
    d->top_k = isnan(top_k) ? -1 : (int64_t)top_k;
    if (!sxt_json_bool(sxt_json_get(generation, "do_sample"), true))
        d->temperature = 0;
    return 0;
}

int sxt_model_config_parse(struct sxt_model_config *config,
                           const struct sxt_json *json,
                           const struct sxt_json *generation, const char *where,
                           struct sxt_error *err)
{
    struct sxt_model_config c = { 0 };

    if (sxt_json_type(json) != SXT_JSON_OBJECT)
        return sxt_err(err, SXT_EXIT_DATA, "%s: not a JSON object", where);
    if (read_type(&c, json, where, err) != 0 ||
        refuse_variants(json, where, err) != 0 ||
        read_sizes(&c, json, where, err) != 0 ||
        derive_heads(&c, where, err) != 0 ||
        read_reals(&c, json, where, err) != 0)
        return -1;
    /* Llama's attention_bias also puts a bias behind o_proj; in Qwen2 the key
     * says nothing. */
    if (c.type == SXT_LLAMA &&
        sxt_json_bool(sxt_json_get(json, "attention_bias"), false))
        return unsupported(where, "attention_bias is true", err);
    c.tied = sxt_json_bool(sxt_json_get(json, "tie_word_embeddings"), false);
    if (read_eos(&c, json, where, err) != 0 ||
        read_eos(&c, generation, where, err) != 0 ||
        read_draw(&c.draw, generation, where, err) != 0)
        return -1;
    *config = c;
    return 0;
}

/* Weights of one block's matrices. */
static size_t block_matrices(const struct sxt_model_config *c)
{
    size_t q = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;

    return c->hidden * (q + 2 * kv) + q * c->hidden + 3 * c->hidden * c->ffn;
}

size_t sxt_model_parameters(const struct sxt_model_config *c)
{
    size_t bias = c->qkv_bias ? (c->heads + 2 * c->kv_heads) * c->head_dim : 0;
    size_t block = block_matrices(c) + bias + 2 * c->hidden;
    size_t embeddings = (c->tied ? 1 : 2) * c->vocab * c->hidden;

    return c->layers * block + embeddings + c->hidden;
}

double sxt_model_flop_per_token(const struct sxt_model_config *c)
{
    return 2.0 * ((double)c->layers * (double)block_matrices(c) +
                  (double)c->vocab * (double)c->hidden);
}
