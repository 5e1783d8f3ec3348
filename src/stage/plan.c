/* plan.c - what a configuration needs and takes on a machine, before it runs.
 */
#include "stage/plan.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stage/plan_impl.h"
#include "stage/stages.h"

#define AT(field) offsetof(struct sxt_plan_values, field)
#define NONE NULL, NULL
static const struct sxt_cfg_param params[] = {
    { "machine", SXT_CFG_CHOICE, "h100", 0, 0, "1",
      "What a rank runs on: a GPU of this kind, or this computer's processor, "
      "which is measured.",
      AT(machine), SXT_MACHINE_WORDS, NULL },
    { "ranks", SXT_CFG_INT, "0", 0, 1e6, "ranks",
      "Processes; 0: a node's 8 GPUs, or those that plan itself runs on.",
      AT(ranks), NONE },
    { "ranks_per_node", SXT_CFG_INT, "0", 0, 1e4, "ranks",
      "How many of them share a node; 0: 8 GPUs, or all on a processor.",
      AT(ranks_per_node), NONE },
    { "price", SXT_CFG_REAL, "-1", -1, 1e6, "$/h",
      "Price of a rank for an hour; -1: 3 for a GPU, 0 for a processor.",
      AT(price), NONE },
    { "model", SXT_CFG_STRING, "", 0, 0, "1",
      "Shape of the model: a known name, a config.json or its directory, a "
      "model file; empty: the model file of the section.",
      AT(model), NONE },
    { "read_samples", SXT_CFG_BOOL, "true", 0, 0, "1",
      "If sft's model and samples are there, plan for just them; else for "
      "lengths drawn as below.",
      AT(read_samples), NONE },
    { "samples", SXT_CFG_INT, "0", 0, 1e9, "samples",
      "Samples to learn; 0: the sum of select.quotas.", AT(samples), NONE },
    { "sample_tokens", SXT_CFG_REAL, "4800", 1, 1e7, "tokens",
      "Their mean length.", AT(sample_tokens), NONE },
    { "sample_spread", SXT_CFG_REAL, "0.75", 0, 10, "1",
      "Standard deviation of their lengths over the mean.", AT(sample_spread),
      NONE },
    { "problems", SXT_CFG_INT, "0", 0, 1e9, "problems",
      "Problems to solve; 0: those of the file, if it is there.", AT(problems),
      NONE },
    { "eval_problems", SXT_CFG_INT, "0", 0, 1e9, "problems",
      "Benchmark problems to solve; 0: those of the file, if it is there.",
      AT(eval_problems), NONE },
    { "prompt_tokens", SXT_CFG_REAL, "400", 1, 1e7, "tokens",
      "Mean length of a problem with its messages.", AT(prompt_tokens), NONE },
    { "answer_tokens", SXT_CFG_REAL, "4400", 1, 1e7, "tokens",
      "Mean length of an answer.", AT(answer_tokens), NONE },
    { "memory_gb", SXT_CFG_REAL, "0", 0, 1e6, "GB",
      "Memory of a rank (10^9 bytes); 0: the machine's.", AT(memory_gb), NONE },
    { "tflops", SXT_CFG_REAL, "0", 0, 1e6, "TFLOP/s",
      "Rate that large matrix products reach; 0: the machine's.", AT(tflops),
      NONE },
    { "mfu", SXT_CFG_REAL, "0", 0, 1, "1",
      "Measured share of the peak rate that model FLOP reach in steps; it "
      "replaces all other rates of computing; 0: computed from them.",
      AT(mfu), NONE },
    { "bandwidth_gbs", SXT_CFG_REAL, "0", 0, 1e6, "GB/s",
      "Memory bandwidth of a rank; 0: the machine's.", AT(bandwidth_gbs),
      NONE },
    { "link_gbs", SXT_CFG_REAL, "0", 0, 1e6, "GB/s",
      "Rate of a rank's transfers inside a node; 0: the machine's.",
      AT(link_gbs), NONE },
    { "network_gbs", SXT_CFG_REAL, "0", 0, 1e6, "GB/s",
      "The same between nodes.", AT(network_gbs), NONE },
    { "host_gbs", SXT_CFG_REAL, "0", 0, 1e6, "GB/s",
      "The same between a rank and host memory.", AT(host_gbs), NONE },
    { "disk_gbs", SXT_CFG_REAL, "0", 0, 1e6, "GB/s",
      "Rate at which all ranks write a checkpoint; 0: the machine's.",
      AT(disk_gbs), NONE },
    { .name = NULL }
};

/* Section sft: its model, its samples, what it needs, how long it takes. */
static int plan_sft(struct sxt_planner *p, struct sxt_error *err)
{
    const char *name = p->v->model[0] ? p->v->model : p->sft->model;

    p->model_name = sxt_strdup(name);
    if (sxt_plan_read_model(p->run, name, &p->layout, err) != 0 ||
        sxt_plan_read_work(p, err) != 0)
        return -1;
    p->memory =
        sxt_plan_memory(&p->place, &p->layout, p->sft, p->work.most_inputs);
    p->time =
        sxt_plan_time(&p->place, &p->layout, p->sft, &p->work, &p->memory.net);
    if (p->v->mfu > 0) {
        double rate = p->v->mfu * p->place.machine.peak * p->place.ranks;
        p->time.step = p->time.flop / rate;
    }
    sxt_plan_print_sft(p);
    sxt_plan_print_changes(p);
    return 0;
}

static int plan_all(struct sxt_planner *p, struct sxt_error *err)
{
    static const char *const serving[] = { "generate", "evaluate" };
    int rc;

    if (sxt_plan_section(p->run, "sft", (void **)&p->sft, err) != 0 ||
        sxt_plan_read_machine(p, err) != 0)
        return -1;
    sxt_plan_print_machine(p);
    rc = plan_sft(p, err);
    for (size_t i = 0; rc == 0 && i < 2; i++)
        if (sxt_plan_mentions(p->run, serving[i]))
            rc = sxt_plan_print_serve(p, serving[i], err);
    if (rc == 0 && p->memory.need > p->memory.room)
        rc = sxt_err(err, SXT_EXIT_CONFIG,
                     "sft does not fit into the memory of a rank");
    return rc;
}

static int run_plan(struct sxt_run *run, const void *values,
                    struct sxt_error *err)
{
    struct sxt_planner p = { .run = run, .v = values };
    int rc = plan_all(&p, err);

    sxt_sft_unload(&p.loaded);
    sxt_layout_free(&p.layout);
    sxt_cfg_free(&sxt_stage_sft.section, p.sft);
    free(p.lengths);
    free(p.model_name);
    return rc;
}

const struct sxt_stage sxt_stage_plan = {
    .section = { "plan",
                 "Say what a configuration needs and takes, before it runs.",
                 params, sizeof(struct sxt_plan_values), true },
    .operands = "",
    .run = run_plan,
};
