/* config.c - tests of reading Hugging Face configurations. */
#include "model/config.h"

#include <math.h>
#include <string.h>

#include "base/test/tap.h"

/* Qwen2.5-32B-Instruct, as published; its parameter count is on its page. */
static const char qwen[] =
    "{\"architectures\": [\"Qwen2ForCausalLM\"], \"attention_dropout\": 0.0,"
    "\"bos_token_id\": 151643, \"eos_token_id\": 151645,"
    "\"hidden_act\": \"silu\", \"hidden_size\": 5120,"
    "\"initializer_range\": 0.02, \"intermediate_size\": 27648,"
    "\"max_position_embeddings\": 32768, \"max_window_layers\": 70,"
    "\"model_type\": \"qwen2\", \"num_attention_heads\": 40,"
    "\"num_hidden_layers\": 64, \"num_key_value_heads\": 8,"
    "\"rms_norm_eps\": 1e-06, \"rope_theta\": 1000000.0,"
    "\"sliding_window\": 131072, \"tie_word_embeddings\": false,"
    "\"torch_dtype\": \"bfloat16\", \"use_sliding_window\": false,"
    "\"vocab_size\": 152064}";
static const char qwen_generation[] =
    "{\"do_sample\": true, \"eos_token_id\": [151645, 151643],"
    "\"repetition_penalty\": 1.05, \"temperature\": 0.7, \"top_k\": 20,"
    "\"top_p\": 0.8}";

/* SmolLM2-135M. */
static const char smol[] =
    "{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\","
    "\"attention_bias\": false, \"hidden_size\": 576,"
    "\"intermediate_size\": 1536, \"max_position_embeddings\": 8192,"
    "\"num_attention_heads\": 9, \"num_hidden_layers\": 30,"
    "\"num_key_value_heads\": 3, \"rms_norm_eps\": 1e-05,"
    "\"rope_scaling\": null, \"rope_theta\": 100000,"
    "\"tie_word_embeddings\": true, \"eos_token_id\": 2,"
    "\"vocab_size\": 49152}";

static int parse(struct sxt_model_config *config, const char *text,
                 const char *generation, struct sxt_error *err)
{
    struct sxt_json *json = sxt_json_parse(text, strlen(text), "text", err);
    struct sxt_json *gen = NULL;
    int rc;

    if (!json)
        return -1;
    if (generation)
        gen = sxt_json_parse(generation, strlen(generation), "text", err);
    rc = sxt_model_config_parse(config, json, gen, "config.json", err);
    sxt_json_free(json);
    sxt_json_free(gen);
    return rc;
}

static void test_published(void)
{
    struct sxt_model_config c;
    struct sxt_error err = { 0 };

    ok(parse(&c, qwen, qwen_generation, &err) == 0, "Qwen2.5-32B is read");
    ok(c.type == SXT_QWEN2 && c.qkv_bias && !c.tied, "its kind");
    ok(c.vocab == 152064 && c.hidden == 5120 && c.layers == 64 &&
           c.heads == 40 && c.kv_heads == 8 && c.head_dim == 128 &&
           c.ffn == 27648 && c.max_positions == 32768,
       "its sizes");
    ok(c.rope_theta == 1e6 && c.norm_eps == 1e-6, "its real numbers");
    ok(c.n_eos == 2 && c.eos[0] == 151645 && c.eos[1] == 151643,
       "both end tokens, each once");
    ok(sxt_model_parameters(&c) == 32763876352, "32.76 B parameters");
    ok(sxt_model_flop_per_token(&c) > 2 * 31.9e9 &&
           sxt_model_flop_per_token(&c) < 2 * 32.0e9,
       "the embedding's rows are no FLOP: %g", sxt_model_flop_per_token(&c));

    ok(c.draw.temperature == 0.7 && c.draw.top_p == 0.8 && c.draw.top_k == 20 &&
           c.draw.repetition_penalty == 1.05,
       "how it should be drawn from");
    ok(isnan(c.draw.min_p), "and what is left open");

    ok(parse(&c, smol, NULL, &err) == 0, "SmolLM2-135M is read");
    ok(isnan(c.draw.temperature) && isnan(c.draw.top_p) &&
           isnan(c.draw.repetition_penalty) && c.draw.top_k == -1,
       "without a generation_config.json nothing is said");
    ok(c.type == SXT_LLAMA && !c.qkv_bias && c.tied && c.head_dim == 64 &&
           c.n_eos == 1 && c.eos[0] == 2,
       "its kind");
    ok(sxt_model_parameters(&c) == 134515008, "134.5 M parameters");
}

/* A tiny configuration with one thing changed or added. */
static const struct {
    const char *what, *with, *message; /* message NULL: accepted */
} cases[] = {
    { "nothing special", "\"x\": 1", NULL },
    { "head_dim of its own", "\"head_dim\": 32", NULL },
    { "explicit nulls", "\"head_dim\": null, \"rope_scaling\": null", NULL },
    { "default rope parameters",
      "\"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 5e5}",
      NULL },
    { "unused window", "\"use_sliding_window\": false, \"sliding_window\": 9",
      NULL },
    { "another family", "\"model_type\": \"mistral\"",
      "model_type \"mistral\" is not one that Sextant computes" },
    { "another head", "\"architectures\": [\"LlamaForTokenClassification\"]",
      "architectures is not [\"LlamaForCausalLM\"]" },
    { "scaled positions",
      "\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0}",
      "rope_scaling is in use" },
    { "scaled positions, newer spelling",
      "\"rope_parameters\": {\"rope_type\": \"yarn\"}",
      "rope_parameters is not of type default" },
    { "sliding window", "\"use_sliding_window\": true",
      "use_sliding_window is true" },
    { "sliding layers", "\"layer_types\": [\"sliding_attention\"]",
      "layer_types is not all full_attention" },
    { "gelu", "\"hidden_act\": \"gelu\"", "hidden_act is not silu" },
    { "bias in attention", "\"attention_bias\": true",
      "attention_bias is true" },
    { "bias in the FFN", "\"mlp_bias\": true", "mlp_bias is true" },
    { "quantised", "\"quantization_config\": {\"bits\": 4}",
      "quantization_config is there" },
    { "heads that do not divide", "\"num_key_value_heads\": 3",
      "num_attention_heads 4 is no multiple of num_key_value_heads 3" },
    { "hidden that does not divide", "\"hidden_size\": 66",
      "hidden_size 66 is no multiple of num_attention_heads 4" },
    { "odd head", "\"head_dim\": 5", "head_dim 5 is odd" },
    { "no vocabulary", "\"vocab_size\": null", "no vocab_size" },
    { "zero layers", "\"num_hidden_layers\": 0",
      "num_hidden_layers must be an integer in [1, 4096]" },
    { "negative size", "\"intermediate_size\": -1",
      "intermediate_size must be" },
    { "fraction", "\"hidden_size\": 64.0", "hidden_size must be an integer" },
    { "text for a number", "\"hidden_size\": \"64\"",
      "hidden_size must be an integer" },
    { "absurd size", "\"intermediate_size\": 9000000000000000000",
      "intermediate_size must be" },
    { "theta below one", "\"rope_theta\": 0", "rope_theta is no number" },
    { "text for eps", "\"rms_norm_eps\": \"small\"",
      "rms_norm_eps is no number" },
    { "end token outside the vocabulary", "\"eos_token_id\": 131",
      "eos_token_id is no token id in [0, 131)" },
    { "nine end tokens", "\"eos_token_id\": [1,2,3,4,5,6,7,8,9]",
      "more than 8 different eos_token_id" },
};

static void test_cases(void)
{
    static const char *const keys[] = {
        "model_type",        "vocab_size",          "hidden_size",
        "num_hidden_layers", "num_attention_heads", "intermediate_size"
    };
    static const char *const values[] = { "\"llama\"", "131", "64",
                                          "2",         "4",   "96" };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sxt_str text = SXT_STR_EMPTY;
        struct sxt_error err = { 0 };
        struct sxt_model_config c;
        sxt_str_add(&text, "{%s", cases[i].with);
        for (size_t k = 0; k < 6; k++) {
            char *key = NULL;
            struct sxt_str quoted = SXT_STR_EMPTY;
            sxt_str_add(&quoted, "\"%s\":", keys[k]);
            key = strstr(cases[i].with, quoted.data);
            sxt_str_free(&quoted);
            if (!key)
                sxt_str_add(&text, ", \"%s\": %s", keys[k], values[k]);
        }
        sxt_str_add(&text, "}");
        int rc = parse(&c, text.data, NULL, &err);
        if (!cases[i].message)
            ok(rc == 0, "%s: accepted", cases[i].what);
        else
            ok(rc == -1 && err.code == SXT_EXIT_DATA &&
                   strstr(err.text, cases[i].message),
               "%s: refused: %s", cases[i].what, err.text);
        sxt_str_free(&text);
    }
}

/* What generation_config.json may say and may not. */
static void test_draw(void)
{
    static const struct {
        const char *what, *text, *message;
        double temperature;
    } draws[] = {
        { "no sampling is the most probable token",
          "{\"do_sample\": false, \"temperature\": 0.7}", NULL, 0 },
        { "a number is taken without do_sample", "{\"temperature\": 0.6}", NULL,
          0.6 },
        { "text for a number", "{\"temperature\": \"hot\"}",
          "temperature of generation_config.json is no number in [0, 100]", 0 },
        { "a share above one", "{\"top_p\": 1.5}",
          "top_p of generation_config.json is no number in [0, 1]", 0 },
        { "a negative count", "{\"top_k\": -5}", "top_k of", 0 },
    };

    for (size_t i = 0; i < sizeof(draws) / sizeof(draws[0]); i++) {
        struct sxt_model_config c;
        struct sxt_error err = { 0 };
        int rc = parse(&c, smol, draws[i].text, &err);
        if (!draws[i].message)
            ok(rc == 0 && c.draw.temperature == draws[i].temperature, "%s",
               draws[i].what);
        else
            ok(rc == -1 && err.code == SXT_EXIT_DATA &&
                   strstr(err.text, draws[i].message),
               "%s: refused: %s", draws[i].what, err.text);
    }
}

int main(void)
{
    test_published();
    test_cases();
    test_draw();
    return done_testing();
}
