/* plan_impl.h - the command's values and findings, for its own files. */
#ifndef SXT_STAGE_PLAN_IMPL_H
#define SXT_STAGE_PLAN_IMPL_H

#include "stage/plan.h"

/* The values of section `plan`. */
struct sxt_plan_values {
    char *machine, *model;
    int64_t ranks, ranks_per_node;
    double price;
    bool read_samples;
    int64_t samples, problems, eval_problems;
    double sample_tokens, sample_spread;
    double prompt_tokens, answer_tokens;
    double memory_gb, tflops, mfu, bandwidth_gbs, link_gbs, network_gbs;
    double host_gbs, disk_gbs;
};

struct sxt_planner {
    struct sxt_run *run;
    const struct sxt_plan_values *v;
    struct sxt_plan_place place;
    bool from_files; /* samples were read, not assumed */

    /* Section sft, and the model that it begins with. */
    struct sxt_sft_values *sft;
    struct sxt_layout layout;
    char *model_name;      /* for people */
    struct sxt_sft loaded; /* if model and samples are there */
    size_t *lengths;       /* drawn, if they are not */
    struct sxt_plan_work work;
    struct sxt_plan_memory memory;
    struct sxt_plan_time time;
};

/* plan_ask.c - sections, model and samples.  Each says on failure what to set.
 */
int sxt_plan_section(const struct sxt_run *run, const char *name, void **values,
                     struct sxt_error *err);
/* True if the configuration file or a setting has something for a section. */
bool sxt_plan_mentions(const struct sxt_run *run, const char *name);
/* A model by name, directory, config.json, or model file. */
int sxt_plan_read_model(const struct sxt_run *run, const char *name,
                        struct sxt_layout *layout, struct sxt_error *err);
int sxt_plan_read_work(struct sxt_planner *p, struct sxt_error *err);
int sxt_plan_read_machine(struct sxt_planner *p, struct sxt_error *err);

/* plan_print.c - what people see. */
void sxt_plan_print_machine(const struct sxt_planner *p);
void sxt_plan_print_sft(const struct sxt_planner *p);
void sxt_plan_print_changes(const struct sxt_planner *p);

/* plan_serve.c - generate and evaluate. */
int sxt_plan_print_serve(const struct sxt_planner *p, const char *section,
                         struct sxt_error *err);

#endif
