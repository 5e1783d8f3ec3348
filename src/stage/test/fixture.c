/* fixture.c - a model, a tokenizer and samples small enough for tests. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "h5/out.h"
#include "model/weights.h"
#include "stage/formats.h"

/* The code point that stands for a byte in byte-level BPE: itself if it is
 * printable Latin-1, else the next one from 256 on. */
static unsigned stand_in(unsigned byte)
{
    unsigned n = 0;

    for (unsigned b = 0; b <= byte; b++) {
        bool printable =
            (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        if (b == byte)
            return printable ? b : 256 + n;
        n += !printable;
    }
    return 0;
}

void fixture_tokenizer(struct sxt_str *json)
{
    static const char *const added[] = { "<|im_start|>", "<|im_end|>",
                                         "<|endoftext|>" };

    sxt_str_add(json, "{\"version\":\"1.0\",\"added_tokens\":[");
    for (int i = 0; i < 3; i++)
        sxt_str_add(json,
                    "%s{\"id\":%d,\"content\":\"%s\",\"single_word\":false,"
                    "\"lstrip\":false,\"rstrip\":false,\"normalized\":false,"
                    "\"special\":true}",
                    i > 0 ? "," : "", FIXTURE_START + i, added[i]);
    sxt_str_add(json, "],\"normalizer\":null,\"pre_tokenizer\":{\"type\":"
                      "\"ByteLevel\",\"add_prefix_space\":false,"
                      "\"trim_offsets\":false,\"use_regex\":true},"
                      "\"post_processor\":null,\"decoder\":{\"type\":"
                      "\"ByteLevel\",\"add_prefix_space\":false,"
                      "\"trim_offsets\":false,\"use_regex\":true},"
                      "\"model\":{\"type\":\"BPE\",\"dropout\":null,"
                      "\"unk_token\":null,\"continuing_subword_prefix\":null,"
                      "\"end_of_word_suffix\":null,\"fuse_unk\":false,"
                      "\"byte_fallback\":false,\"vocab\":{");
    for (unsigned b = 0; b < 256; b++)
        sxt_str_add(json, "%s\"\\u%04x\":%u", b > 0 ? "," : "", stand_in(b), b);
    sxt_str_add(json, "},\"merges\":[]}}");
}

static void config_json(struct sxt_str *json, bool tied)
{
    sxt_str_add(json,
                "{\"architectures\":[\"Qwen2ForCausalLM\"],\"model_type\":"
                "\"qwen2\",\"vocab_size\":%d,\"hidden_size\":32,"
                "\"num_hidden_layers\":2,\"num_attention_heads\":4,"
                "\"num_key_value_heads\":2,\"intermediate_size\":48,"
                "\"hidden_act\":\"silu\",\"max_position_embeddings\":512,"
                "\"rope_theta\":10000.0,\"rms_norm_eps\":1e-6,"
                "\"tie_word_embeddings\":%s,\"eos_token_id\":%d,"
                "\"bos_token_id\":%d,\"torch_dtype\":\"float32\"}",
                FIXTURE_VOCAB, tied ? "true" : "false", FIXTURE_END,
                FIXTURE_END + 1);
}

static void write_tensor(struct sxt_out *out, const struct sxt_tensor *t,
                         float sigma)
{
    size_t n = t->rows * t->cols;
    struct sxt_rng rng = {
        1, sxt_rng_stream("init", sxt_hash64(t->name, strlen(t->name), 0), 0)
    };
    char *name = sxt_printf("/tensors/%s", t->name);
    float *x = sxt_alloc(n, sizeof(*x));
    bool norm = t->n_dims == 1 && !strstr(t->name, "bias");

    for (size_t i = 0; i < n; i++)
        x[i] = (norm ? 1 : 0) +
               (norm ? 0.1f : sigma) * (float)sxt_rng_normal(rng, i);
    sxt_out_range(out, name, 0, n, x, NULL);
    free(x);
    free(name);
}

void fixture_model(const char *path, bool tied, float sigma)
{
    struct sxt_str config = SXT_STR_EMPTY, tokenizer = SXT_STR_EMPTY;
    struct sxt_out *out = sxt_out_create(
        path, sxt_comm_self(), SXT_MODEL_FORMAT, 1, "Test model.", NULL, NULL);
    struct sxt_model_config parsed;
    struct sxt_layout layout;
    struct sxt_json *json;

    config_json(&config, tied);
    fixture_tokenizer(&tokenizer);
    json = sxt_json_parse(config.data, config.len, "config.json", NULL);
    SXT_CHECK(sxt_model_config_parse(&parsed, json, NULL, "test", NULL) == 0);
    sxt_layout_init(&layout, &parsed);
    sxt_out_bytes(out, "/hf/config.json", "Configuration.", config.data,
                  config.len, NULL);
    sxt_out_bytes(out, "/hf/tokenizer.json", "Tokenizer.", tokenizer.data,
                  tokenizer.len, NULL);
    for (size_t i = 0; i < layout.n_tensors; i++) {
        const struct sxt_tensor *t = &layout.tensors[i];
        uint64_t dims[2] = { t->rows, t->cols };
        char *name = sxt_printf("/tensors/%s", t->name);
        sxt_out_tensor(out, name, SXT_H5_F32, t->n_dims, dims + 2 - t->n_dims,
                       "1", "Parameter.", NULL);
        free(name);
    }
    SXT_CHECK(sxt_out_data(out, NULL) == 0);
    for (size_t i = 0; i < layout.n_tensors; i++)
        write_tensor(out, &layout.tensors[i], sigma);
    SXT_CHECK(sxt_out_commit(out, NULL) == 0);
    sxt_layout_free(&layout);
    sxt_json_free(json);
    sxt_str_free(&config);
    sxt_str_free(&tokenizer);
}

struct sxt_frame *fixture_rows(size_t n)
{
    struct sxt_frame *f = sxt_frame_create(sxt_train_columns);

    for (size_t i = 0; i < n; i++) {
        char text[100];
        size_t a = i * 7 % 10, b = i * 3 % 10;
        sxt_frame_add(f);
        snprintf(text, sizeof(text), "sum-%zu", i);
        sxt_frame_set_string(f, SXT_TRAIN_ID, text);
        sxt_frame_set_string(f, SXT_TRAIN_SOURCE, "sums");
        sxt_frame_set_string(f, SXT_TRAIN_SYSTEM, i % 3 == 0 ? "Add." : "");
        snprintf(text, sizeof(text), "%zu+%zu", a, b);
        sxt_frame_set_string(f, SXT_TRAIN_USER, text);
        snprintf(text, sizeof(text), "%.*s%zu", (int)(i * i % 17),
                 "let me think ... ", a + b);
        sxt_frame_set_string(f, SXT_TRAIN_ASSISTANT, text);
    }
    return f;
}

void fixture_train(const char *path, size_t n)
{
    struct sxt_out *out =
        sxt_out_create(path, sxt_comm_self(), SXT_TRAIN_FORMAT, 1,
                       "Test samples.", NULL, NULL);
    struct sxt_frame *rows = fixture_rows(n);

    SXT_CHECK(sxt_out_frame(out, "train", rows, NULL) == 0);
    SXT_CHECK(sxt_out_commit(out, NULL) == 0);
    sxt_frame_destroy(rows);
}
