/* memory.c - the memory that fine-tuning takes is what `plan` foretells, by
 * purpose, on 1, 2 and 3 ranks. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/test/tap.h"
#include "dev/place.h"
#include "stage/plan.h"
#include "stage/stages.h"

#ifndef DEVICE
#define DEVICE "fake" /* the GPU's test is this file with another device, */
#define TOKENS 300    /* and smaller */
#define LAYERS 6
#endif

enum { MOST_RANKS = 4 };

static const char *const cases[][6] = {
    { "dtype=f32", "reduce_type=f32" },
    { "dtype=bf16" },
    { "dtype=bf16", "reduce_type=f32", "recompute=none", "prefetch=3" },
    { "dtype=bf16", "recompute=ffn", "offload_fraction=0.5" },
    { "dtype=bf16", "recompute=full", "offload_fraction=1", "prefetch=0",
      "offload_parameters=true" },
    { "dtype=f32", "recompute=full", "offload_fraction=0.3",
      "offload_residuals=true", "head_chunk=5000" },
    { "dtype=bf16", "offload_residuals=true", "recompute=none" },
};

static struct sxt_layout small_layout(bool tied)
{
    struct sxt_model_config config = { .type = SXT_QWEN2,
                                       .vocab = 301,
                                       .hidden = 64,
                                       .layers = LAYERS,
                                       .heads = 4,
                                       .kv_heads = 2,
                                       .head_dim = 16,
                                       .ffn = 160,
                                       .max_positions = 4096,
                                       .rope_theta = 10000,
                                       .norm_eps = 1e-6,
                                       .tied = tied,
                                       .qkv_bias = true };
    struct sxt_layout layout;

    sxt_layout_init(&layout, &config);
    return layout;
}

/* 32.76 G parameters take 393 GB, and 65.5 GB as a model: two checkpoints that
 * stay, one that is being written and the model are 1245 GB. */
static void test_disk(void)
{
    static const struct {
        double room_gb;
        enum sxt_sft_fit fit;
        const char *what;
    } disks[] = {
        { 392, SXT_SFT_FULL, "not one checkpoint" },
        { 394, SXT_SFT_TIGHT, "one checkpoint, and not all" },
        { 1244, SXT_SFT_TIGHT, "all but a little" },
        { 1246, SXT_SFT_FITS, "all" },
        { -1, SXT_SFT_FITS, "nobody knows what" },
    };
    struct sxt_sft_values v = { .dtype = (char[]){ "bf16" } };
    struct sxt_model_config config;
    struct sxt_layout layout;

    SXT_CHECK(sxt_plan_model("qwen2.5-32b", &config));
    sxt_layout_init(&layout, &config);
    struct sxt_sft_disk disk = sxt_sft_disk(&layout, &v);
    for (size_t i = 0; i < sizeof(disks) / sizeof(*disks); i++)
        ok(sxt_sft_disk_fit(&disk, 2, 1e9 * disks[i].room_gb) == disks[i].fit,
           "a disk with room for %s", disks[i].what);
    sxt_layout_free(&layout);
}

/* One step, so that whatever is taken late is taken. */
static void step(struct sxt_zero3 *z, struct sxt_optim *o, struct sxt_net *net)
{
    int32_t ids[TOKENS] = { 0 }, target[TOKENS] = { 0 }, cu[] = { 0, TOKENS };
    struct sxt_batch batch = { TOKENS, 1, ids, target, cu };
    int size = sxt_zero3_setup(z)->comm.size, culprit;

    sxt_zero3_begin_step(z);
    sxt_zero3_begin_round(z, size);
    sxt_net_step(net, sxt_zero3_params(z), sxt_zero3_grads(z), &batch, 1e-3f);
    sxt_zero3_end_round(z);
    sxt_optim_grad_norm(o, &culprit);
    sxt_optim_update(o, &(struct sxt_optim_step){ .step = 1, .eps = 1e-8 });
}

/* How far apart a measured and a planned number are, as a part of the first. */
static double apart(size_t got, size_t planned)
{
    if (got == 0 || planned == 0)
        return got == planned ? 0 : 1;
    return fabs((double)planned / (double)got - 1);
}

/* The backend's scratch, a few MiB whatever the model, is not planned. */
static double worst(const struct sxt_dev *dev, const struct sxt_sft_memory *m)
{
    size_t scratch = sxt_dev_peak_for(dev, SXT_DEV_SCRATCH);
    double most = apart(sxt_dev_peak(dev) - scratch, m->device);

    for (int p = 0; p < SXT_DEV_PURPOSES; p++)
        if (p != SXT_DEV_SCRATCH)
            most = fmax(most, apart(sxt_dev_peak_for(dev, p),
                                    sxt_sft_memory_for(m, p)));
    return fmax(most, apart(sxt_pinned_peak(dev), m->host));
}

static void compare(struct sxt_comm comm, const char *const settings[6],
                    bool tied)
{
    struct sxt_layout layout = small_layout(tied);
    char *table;
    struct sxt_dev *dev = sxt_dev_place(comm, DEVICE, true, &table, NULL);
    struct sxt_plan_place place = { .machine = { .memory = 1e12 },
                                    .ranks = comm.size,
                                    .per_node = comm.size };
    static const struct sxt_cfg_section *const known[] = { NULL };
    size_t n = 0;
    void *values;

    while (n < 6 && settings[n])
        n++;
    SXT_CHECK(sxt_cfg_read(NULL, &sxt_stage_sft.section, known, settings, n,
                           &values, NULL) == 0);
    struct sxt_plan_memory plan =
        sxt_plan_memory(&place, &layout, values, TOKENS);
    struct sxt_zero3_setup setup = sxt_sft_setup(&layout, values, comm);
    setup.num = sxt_num_create("auto", dev, 1, NULL);
    struct sxt_net_room room = sxt_sft_room(&setup, values, TOKENS, SIZE_MAX);
    struct sxt_zero3 *z = sxt_zero3_create(&setup);
    struct sxt_optim *o = sxt_optim_create(z);
    struct sxt_net *net = sxt_net_create(&layout, setup.num, setup.type, &room);
    step(z, o, net);
    double most = worst(dev, &plan.all);
    ok(most <= 0.03, "%d ranks%s %s %s %s: plan and peak are %.2g %% apart",
       comm.size, tied ? ", tied," : "", settings[0],
       settings[1] ? settings[1] : "", settings[1] && settings[2] ? "…" : "",
       100 * most);
    sxt_net_destroy(net);
    sxt_optim_destroy(o);
    sxt_zero3_destroy(z);
    sxt_num_destroy(setup.num);
    sxt_dev_destroy(dev);
    free(table);
    sxt_cfg_free(&sxt_stage_sft.section, values);
    sxt_layout_free(&layout);
}

int main(int argc, char **argv)
{
    struct sxt_comm world = sxt_comm_init(&argc, &argv);
    int rc;

    tap_silent = world.rank != 0;
    for (int ranks = 1; ranks <= world.size && ranks <= MOST_RANKS; ranks++) {
        MPI_Comm part;
        MPI_Comm_split(world.mpi, world.rank < ranks, 0, &part);
        struct sxt_comm comm = sxt_comm_from_mpi(part);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
            if (world.rank < ranks)
                compare(comm, cases[i], i % 2);
        MPI_Comm_free(&part);
    }
    test_disk();
    rc = done_testing();
    sxt_comm_finalize();
    return rc;
}
