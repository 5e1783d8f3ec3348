/* config.h - what kind of network: read from a Hugging Face config.json. */
#ifndef SXT_MODEL_CONFIG_H
#define SXT_MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

enum sxt_model_type { SXT_QWEN2, SXT_LLAMA };
enum { SXT_MAX_EOS = 8 };

/* How the model's authors say to draw from it; NaN or -1: they do not say. */
struct sxt_model_draw {
    double temperature, top_p, min_p, repetition_penalty;
    int64_t top_k;
};

struct sxt_model_config {
    enum sxt_model_type type;
    size_t vocab, hidden, layers, heads, kv_heads, head_dim, ffn;
    size_t max_positions;
    double rope_theta, norm_eps;
    bool tied;                /* lm_head is the embedding */
    bool qkv_bias;            /* qwen2 */
    int32_t eos[SXT_MAX_EOS]; /* config.json and generation_config.json */
    size_t n_eos;
    struct sxt_model_draw draw; /* generation_config.json */
};

/* generation may be NULL.  Other types, rope_scaling, attention biases that
 * Sextant does not compute, sizes that do not divide: refused by name with
 * SXT_EXIT_DATA. */
int sxt_model_config_parse(struct sxt_model_config *config,
                           const struct sxt_json *json,
                           const struct sxt_json *generation, const char *where,
                           struct sxt_error *err);
/* Parameters in all, and in one unit's matrices per token (for FLOP counts). */
size_t sxt_model_parameters(const struct sxt_model_config *config);
/* Forward FLOP per token outside attention, 2 per multiply-add. */
double sxt_model_flop_per_token(const struct sxt_model_config *config);

#endif
