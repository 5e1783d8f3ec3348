/* sft.h - what the files of the fine-tuning stage share. */
#ifndef SXT_STAGE_SFT_H
#define SXT_STAGE_SFT_H

#include "model/lrsched.h"
#include "model/net.h"
#include "model/optim.h"
#include "model/pack.h"
#include "model/weights.h"
#include "stage/checkpoint.h"
#include "stage/placement.h"
#include "stage/stage.h"
#include "stage/tokens.h"

/* The section's values; sft_params.c says what they mean. */
struct sxt_sft_values {
    char *model, *train, *eval, *output;
    double eval_fraction;
    int64_t epochs, max_steps, batch, max_tokens, cutoff, bin_multiple;
    bool drop_rest;
    char *too_long, *end_token;
    double lr, clip;
    struct {
        char *kind;
        double floor, warmup_ratio, decay_ratio;
        int64_t warmup_steps, t_0, t_mult;
    } schedule;
    struct {
        double beta1, beta2, eps, weight_decay;
    } adamw;
    int64_t seed;
    char *dtype, *reduce_type, *recompute, *on_nonfinite;
    struct sxt_placement placement;
    double patience; /* s */
    struct {
        char *dir;
        int64_t every_steps, keep;
        double every_minutes;
    } checkpoint;
    bool tensorboard;
    int64_t log_every, eval_every, stop_after, show_sample;
    double max_minutes;
    int64_t prefetch, head_chunk;
    double offload_fraction;
    bool offload_parameters, offload_residuals;
};
extern const struct sxt_cfg_param sxt_sft_params[];

/* Samples and how they are packed. */
struct sxt_sft_set {
    struct sxt_tokens tokens;
    struct sxt_pack pack;
};

/* What a step came to. */
struct sxt_sft_result {
    double loss, grad_norm, lr, eval_loss; /* eval_loss: NaN if none */
    int64_t learned, inputs;               /* tokens of all ranks */
    bool skipped;
};

/* A run of the stage. */
struct sxt_sft {
    struct sxt_run *run;
    const struct sxt_sft_values *v; /* borrowed */

    /* sft_data.c */
    struct sxt_in *base;
    struct sxt_model_head head;
    uint64_t base_id; /* names the base model in settings */
    struct sxt_tokenizer *tok;
    struct sxt_chat chat;
    struct sxt_sft_set train, eval; /* eval.tokens.n is 0 if there is none */
    int64_t steps_per_epoch, total_steps;
    size_t most_inputs; /* of the largest bin of all steps */
    struct sxt_lrsched sched;
    struct sxt_str settings;

    /* sft.c */
    struct sxt_lease *lease; /* of the checkpoints' directory */
    struct sxt_str hashed;   /* inputs, for the provenance of all files */
    struct sxt_zero3_setup setup;
    struct sxt_dev *dev;
    struct sxt_num *num;
    struct sxt_zero3 *z;
    struct sxt_optim *o;
    struct sxt_net *net;
    struct sxt_net_room room; /* of net */
    struct sxt_checkpoint ckpt;
    struct sxt_progress progress;

    /* sft_step.c: a bin in the making, host memory */
    int32_t *ids, *target, *cu;

    /* sft_report.c */
    FILE *jsonl;               /* rank 0 */
    struct sxt_events *events; /* rank 0, if wanted and possible */
    double began, step_s, longest_s, save_s, longest_save_s;
    double update_s;
    int64_t first_step, inputs;
    bool lead_checked;
};

/* sft_data.c - read model head and samples, and plan all steps.  Collective. */
int sxt_sft_load(struct sxt_sft *s, struct sxt_error *err);
void sxt_sft_unload(struct sxt_sft *s);
/* How n samples of these lengths (borrowed) are packed. */
struct sxt_pack sxt_sft_pack(const struct sxt_sft_values *v,
                             const struct sxt_model_config *config,
                             const size_t *length, size_t n);
/* One sample as text, what is only read and what is learned apart. */
int sxt_sft_show_sample(const struct sxt_sft *s, struct sxt_error *err);

/* sft_step.c - one optimizer step, counted from 1.  Collective.  Not finite:
 * SXT_EXIT_NUMERIC, naming the place, and nothing has changed; or, if the
 * policy says so, the step is skipped. */
int sxt_sft_step(struct sxt_sft *s, int64_t step, struct sxt_sft_result *r,
                 struct sxt_error *err);
/* Mean loss over the held-out samples.  Collective. */
double sxt_sft_evaluate(struct sxt_sft *s);

/* sft_memory.c - memory of a rank, by purpose, in bytes: what a run allocates,
 * and what `plan` predicts.  Nothing is allocated; of the setup, num and the
 * communicator's ranks need not exist. */
struct sxt_sft_memory {
    struct sxt_zero3_bytes zero3;
    struct sxt_optim_bytes optim; /* moments, and bf16 parameters' rest */
    struct sxt_net_memory net;
    size_t device, host; /* in all */
};
/* What a run writes, bytes. */
struct sxt_sft_disk {
    double checkpoint, model;
};
struct sxt_sft_disk sxt_sft_disk(const struct sxt_layout *layout,
                                 const struct sxt_sft_values *v);
enum sxt_sft_fit { SXT_SFT_FITS, SXT_SFT_TIGHT, SXT_SFT_FULL };
/* Into so many free bytes (< 0: unknown) go: all, not all, not one checkpoint.
 */
enum sxt_sft_fit sxt_sft_disk_fit(const struct sxt_sft_disk *disk, int64_t keep,
                                  double room);
/* The setup but for num. */
struct sxt_zero3_setup sxt_sft_setup(const struct sxt_layout *layout,
                                     const struct sxt_sft_values *v,
                                     struct sxt_comm comm);
struct sxt_sft_memory sxt_sft_memory(const struct sxt_zero3_setup *setup,
                                     const struct sxt_net_room *room);
/* What is kept of blocks of up to max_t tokens if the rank has so many bytes of
 * device memory in all. */
struct sxt_net_room sxt_sft_room(const struct sxt_zero3_setup *setup,
                                 const struct sxt_sft_values *v, size_t max_t,
                                 size_t bytes);
/* "3 of 24 blocks keep theirs, 9 attention's": for people. */
void sxt_sft_describe_room(const struct sxt_net_room *room, size_t layers,
                           char text[80]);
/* Of the device's memory, what has this purpose. */
size_t sxt_sft_memory_for(const struct sxt_sft_memory *m,
                          enum sxt_dev_purpose purpose);

/* sft_report.c - what people and files see. */
/* How many seconds must be left for another step: twice the longest step and
 * the longest save. */
double sxt_sft_need_s(const struct sxt_sft *s);
void sxt_sft_report_plan(const struct sxt_sft *s);
/* Whether the disk has room for what the run will write: tells, and before a
 * first checkpoint refuses a disk that has not even room for that.  Collective.
 */
int sxt_sft_report_disk(const struct sxt_sft *s, struct sxt_error *err);
int sxt_sft_report_begin(struct sxt_sft *s, struct sxt_error *err);
void sxt_sft_report_step(struct sxt_sft *s, const struct sxt_sft_result *r);
int sxt_sft_report_end(struct sxt_sft *s, struct sxt_error *err);

#endif
