/* sft_memory.c - the device memory of fine-tuning, for runs and for plans. */
#include <string.h>

#include "stage/sft.h"

static enum sxt_dtype dtype_of(const char *word)
{
    return strcmp(word, "f32") == 0 ? SXT_F32 : SXT_BF16;
}

struct sxt_zero3_setup sxt_sft_setup(const struct sxt_layout *layout,
                                     const struct sxt_sft_values *v,
                                     struct sxt_comm comm)
{
    return (struct sxt_zero3_setup){
        .layout = layout,
        .comm = comm,
        .type = dtype_of(v->dtype),
        .reduce_type = dtype_of(v->reduce_type),
        .slots = layout->config.tied ? 3 : 2,
    };
}

struct sxt_sft_memory sxt_sft_memory(const struct sxt_zero3_setup *setup,
                                     size_t max_t, size_t keep)
{
    struct sxt_sft_memory m = {
        .zero3 = sxt_zero3_bytes(setup),
        .optim = sxt_optim_bytes(setup),
        .net = sxt_net_memory(setup->layout, setup->type, max_t, keep),
    };

    m.together = m.zero3.params + m.zero3.grads + m.zero3.gathered +
                 m.zero3.reducing + m.optim + m.net.inputs + m.net.made +
                 m.net.work + m.net.head;
    return m;
}

size_t sxt_sft_keep(const struct sxt_zero3_setup *setup, size_t max_t,
                    const char *recompute, size_t room)
{
    size_t layers = setup->layout->config.layers;
    struct sxt_sft_memory one = sxt_sft_memory(setup, max_t, 1);
    size_t net = sxt_net_bytes(setup->layout, setup->type, max_t, 1);
    size_t other = one.together - net;

    if (strcmp(recompute, "none") == 0)
        return layers;
    if (strcmp(recompute, "full") == 0)
        return 1;
    return sxt_net_keep(setup->layout, setup->type, max_t,
                        room > other ? room - other : 0);
}
