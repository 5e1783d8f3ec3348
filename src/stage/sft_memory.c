/* sft_memory.c - the memory of fine-tuning, for runs and for plans. */
#include <stdio.h>
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
        .ahead = (int)v->prefetch,
        .away = v->offload_fraction,
        .params_away = v->offload_parameters,
    };
}

struct sxt_sft_disk sxt_sft_disk(const struct sxt_layout *layout,
                                 const struct sxt_sft_values *v)
{
    double n = (double)sxt_model_parameters(&layout->config);
    double moments = 2 * sizeof(float), master = sizeof(float);

    return (struct sxt_sft_disk){
        .checkpoint = (master + moments) * n,
        .model = (double)sxt_dtype_size(dtype_of(v->dtype)) * n,
    };
}

enum sxt_sft_fit sxt_sft_disk_fit(const struct sxt_sft_disk *disk, int64_t keep,
                                  double room)
{
    double all = disk->checkpoint * (double)(keep + 1) + disk->model;

    if (room < 0 || room >= all)
        return SXT_SFT_FITS;
    return room >= disk->checkpoint ? SXT_SFT_TIGHT : SXT_SFT_FULL;
}

struct sxt_sft_memory sxt_sft_memory(const struct sxt_zero3_setup *setup,
                                     const struct sxt_net_room *room)
{
    struct sxt_sft_memory m = {
        .zero3 = sxt_zero3_bytes(setup),
        .optim = sxt_optim_bytes(setup),
        .net = sxt_net_memory(setup->layout, setup->type, room),
    };

    for (int p = 0; p < SXT_DEV_PURPOSES; p++)
        m.device += sxt_sft_memory_for(&m, p);
    m.host = m.zero3.host + m.optim.host + m.net.host;
    return m;
}

size_t sxt_sft_memory_for(const struct sxt_sft_memory *m,
                          enum sxt_dev_purpose purpose)
{
    switch (purpose) {
    case SXT_DEV_WEIGHTS:
        return m->zero3.params + m->zero3.gathered;
    case SXT_DEV_GRADIENTS:
        return m->zero3.grads + m->zero3.reducing;
    case SXT_DEV_OPTIMISER:
        return m->optim.device;
    case SXT_DEV_ACTIVATIONS:
        return m->net.inputs + m->net.made + m->net.work + m->net.head;
    default:
        return 0;
    }
}

struct sxt_net_room sxt_sft_room(const struct sxt_zero3_setup *setup,
                                 const struct sxt_sft_values *v, size_t max_t,
                                 size_t bytes)
{
    size_t layers = setup->layout->config.layers;
    size_t grains = ((size_t)v->head_chunk + SXT_NET_GRAIN - 1) / SXT_NET_GRAIN;
    struct sxt_net_room room = { .max_t = max_t,
                                 .keep = layers,
                                 .keep_attn = layers,
                                 .chunk = grains * SXT_NET_GRAIN,
                                 .inputs_away = v->offload_residuals };

    if (strcmp(v->recompute, "none") == 0)
        return room;
    room.keep = 1;
    if (strcmp(v->recompute, "ffn") == 0)
        return room;
    room.keep_attn = 1;
    if (strcmp(v->recompute, "full") == 0)
        return room;
    size_t net = sxt_net_bytes(setup->layout, setup->type, &room);
    size_t other = sxt_sft_memory(setup, &room).device - net;
    sxt_net_keep(setup->layout, setup->type, &room,
                 bytes > other ? bytes - other : 0);
    return room;
}

void sxt_sft_describe_room(const struct sxt_net_room *room, size_t layers,
                           char text[80])
{
    if (room->keep == room->keep_attn)
        snprintf(text, 80, "%zu of %zu blocks keep theirs", room->keep, layers);
    else
        snprintf(text, 80, "%zu of %zu blocks keep theirs, %zu attention's",
                 room->keep, layers, room->keep_attn - room->keep);
}
