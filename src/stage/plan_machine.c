/* plan_machine.c - machines and models that a plan knows by name. */
#include <string.h>

#include "stage/plan.h"

/* Peaks, memory and bandwidth are the makers'.  What is reached:
 *
 * h100    bf16 products 650 TFLOP/s of at most 794.5 that cuBLAS was seen to
 *         give (stas00/ml-engineering, accelerator/README.md); attention of
 *         cuDNN's class, 566 and 470 TFLOP/s (Dao-AILab/flash-attention#1893);
 *         NVLink 361.4 GB/s and PCIe 55 GB/s seen on 8 x H200 (ml-engineering,
 *         network/README.md); 400 Gbit/s a rank at nine tenths.
 * h200    the same chip with more and faster memory.
 * a100    the same share of cuBLAS's best, 271.2 TFLOP/s; 80 % of NVLink's 300
 *         GB/s and of 200 Gbit/s.
 *
 * 0.85 of the memory's bandwidth is what a good element-wise kernel reaches.
 * Nobody has measured a GPU with this program yet. */
static const char about_gpu[] = "rates published by others for this GPU; "
                                "nothing is measured with this program";

const struct sxt_machine sxt_machines[] = {
    { "h100", about_gpu, 84.9e9, 2e9, 989.4e12, 650e12, 566. / 650, 470. / 650,
      3.35e12, 0.85, 361.4e9, 45e9, 55e9, 400e9, 5e9, 3, 8, true },
    { "h200", about_gpu, 150.1e9, 2e9, 989.4e12, 650e12, 566. / 650, 470. / 650,
      4.8e12, 0.85, 361.4e9, 45e9, 55e9, 400e9, 5e9, 3, 8, true },
    { "a100", about_gpu, 84.9e9, 2e9, 312e12, 222e12, 566. / 650, 470. / 650,
      2.039e12, 0.85, 240e9, 20e9, 25e9, 200e9, 5e9, 3, 8, true },
    /* This machine: zeros are asked and measured when a plan is made. */
    { "cpu",
      "measured on this machine just now, with large products; small models "
      "stay below them",
      0, 0, 0, 0, 0.5, 0.5, 0, 0.85, 5e9, 2e9, 5e9, 0, 5e8, 0, 0, false },
    { .name = NULL }
};

struct shape {
    const char *name;
    size_t hidden, layers, heads, kv_heads, head_dim, ffn, vocab;
    bool tied;
};

/* Their config.json on the Hugging Face hub. */
static const struct shape shapes[] = {
    { "qwen2.5-0.5b", 896, 24, 14, 2, 64, 4864, 151936, true },
    { "qwen2.5-1.5b", 1536, 28, 12, 2, 128, 8960, 151936, true },
    { "qwen2.5-3b", 2048, 36, 16, 2, 128, 11008, 151936, true },
    { "qwen2.5-7b", 3584, 28, 28, 4, 128, 18944, 152064, false },
    { "qwen2.5-14b", 5120, 48, 40, 8, 128, 13824, 152064, false },
    { "qwen2.5-32b", 5120, 64, 40, 8, 128, 27648, 152064, false },
    { "qwen2.5-72b", 8192, 80, 64, 8, 128, 29568, 152064, false },
};
enum { N_SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

bool sxt_plan_model(const char *name, struct sxt_model_config *config)
{
    for (size_t i = 0; i < N_SHAPES; i++) {
        const struct shape *s = &shapes[i];
        if (strcmp(s->name, name) != 0)
            continue;
        *config = (struct sxt_model_config){ .type = SXT_QWEN2,
                                             .vocab = s->vocab,
                                             .hidden = s->hidden,
                                             .layers = s->layers,
                                             .heads = s->heads,
                                             .kv_heads = s->kv_heads,
                                             .head_dim = s->head_dim,
                                             .ffn = s->ffn,
                                             .max_positions = 32768,
                                             .rope_theta = 1e6,
                                             .norm_eps = 1e-6,
                                             .tied = s->tied,
                                             .qkv_bias = true };
        return true;
    }
    return false;
}

void sxt_plan_model_names(struct sxt_str *out)
{
    for (size_t i = 0; i < N_SHAPES; i++)
        sxt_str_add(out, "%s%s", i > 0 ? ", " : "", shapes[i].name);
}
