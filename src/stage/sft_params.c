/* sft_params.c - the parameters of the fine-tuning stage. */
#include "stage/sft.h"

#define AT(member) offsetof(struct sxt_sft_values, member)
#define AT_SCHEDULE(member) (AT(schedule.member) - AT(schedule))
#define AT_ADAMW(member) (AT(adamw.member) - AT(adamw))
#define AT_CHECKPOINT(member) (AT(checkpoint.member) - AT(checkpoint))
#define NONE NULL, NULL

static const struct sxt_cfg_param schedule_params[] = {
    { "kind", SXT_CFG_CHOICE, "cosine", 0, 0, "1",
      "Shape of the learning rate behind the warm-up.", AT_SCHEDULE(kind),
      SXT_LR_KINDS, NULL },
    { "floor", SXT_CFG_REAL, "0", 0, 1, "1",
      "Rate that linear, cosine, restarts and wsd come down to.",
      AT_SCHEDULE(floor), NONE },
    { "warmup_steps", SXT_CFG_INT, "0", 0, 1e9, "steps",
      "Linear warm-up; 0: take warmup_ratio.", AT_SCHEDULE(warmup_steps),
      NONE },
    { "warmup_ratio", SXT_CFG_REAL, "0.1", 0, 1, "1",
      "Part of all steps that is warm-up, rounded up.",
      AT_SCHEDULE(warmup_ratio), NONE },
    { "t_0", SXT_CFG_INT, "100", 1, 1e9, "steps",
      "restarts: length of the first period.", AT_SCHEDULE(t_0), NONE },
    { "t_mult", SXT_CFG_INT, "1", 1, 1000, "1",
      "restarts: how many times longer each next period is.",
      AT_SCHEDULE(t_mult), NONE },
    { "decay_ratio", SXT_CFG_REAL, "0.1", 0, 1, "1",
      "wsd: part of all steps that is the decay, rounded up.",
      AT_SCHEDULE(decay_ratio), NONE },
    { .name = NULL }
};

static const struct sxt_cfg_param adamw_params[] = {
    { "beta1", SXT_CFG_REAL, "0.9", 0, 0.999999, "1",
      "Decay of the mean gradient.", AT_ADAMW(beta1), NONE },
    { "beta2", SXT_CFG_REAL, "0.999", 0, 0.999999, "1",
      "Decay of the mean squared gradient.", AT_ADAMW(beta2), NONE },
    { "eps", SXT_CFG_REAL, "1e-8", 1e-30, 1, "1",
      "Added to the root of the mean squared gradient.", AT_ADAMW(eps), NONE },
    { "weight_decay", SXT_CFG_REAL, "0", 0, 10, "1",
      "Decoupled decay of matrices; vectors have none.", AT_ADAMW(weight_decay),
      NONE },
    { .name = NULL }
};

static const struct sxt_cfg_param checkpoint_params[] = {
    { "dir", SXT_CFG_STRING, "checkpoints", 0, 0, "1",
      "Where step-N.h5 are written, and looked for at the start.",
      AT_CHECKPOINT(dir), NONE },
    { "every_steps", SXT_CFG_INT, "0", 0, 1e9, "steps",
      "Save after every so many steps; 0: by time only.",
      AT_CHECKPOINT(every_steps), NONE },
    { "every_minutes", SXT_CFG_REAL, "60", 0, 1e6, "min",
      "Save when the last save is so long ago; 0: by steps only.",
      AT_CHECKPOINT(every_minutes), NONE },
    { "keep", SXT_CFG_INT, "2", 2, 1000, "files",
      "Newest checkpoints that stay on disk.", AT_CHECKPOINT(keep), NONE },
    { .name = NULL }
};

const struct sxt_cfg_param sxt_sft_params[] = {
    { "model", SXT_CFG_STRING, "base.h5", 0, 0, "1",
      "Model file to begin with.", AT(model), NONE },
    { "train", SXT_CFG_STRING, "train.h5", 0, 0, "1", "Samples to learn.",
      AT(train), NONE },
    { "eval", SXT_CFG_STRING, "", 0, 0, "1",
      "Held-out samples, a file like train; empty: none.", AT(eval), NONE },
    { "eval_fraction", SXT_CFG_REAL, "0", 0, 0.5, "1",
      "Part of train to hold out, drawn by seed, if eval is empty.",
      AT(eval_fraction), NONE },
    { "output", SXT_CFG_STRING, "model.h5", 0, 0, "1", "The tuned model.",
      AT(output), NONE },
    { "epochs", SXT_CFG_INT, "3", 1, 10000, "epochs",
      "Passes over the samples.", AT(epochs), NONE },
    { "max_steps", SXT_CFG_INT, "0", 0, 1e9, "steps",
      "End after so many steps, and plan the learning rate for them; 0: what "
      "the epochs make.",
      AT(max_steps), NONE },
    { "batch", SXT_CFG_INT, "96", 1, 1e6, "samples",
      "Samples of an optimizer step.", AT(batch), NONE },
    { "drop_rest", SXT_CFG_BOOL, "false", 0, 0, "1",
      "Leave out the rest of an epoch that does not fill a step; else it is a "
      "smaller step.",
      AT(drop_rest), NONE },
    { "max_tokens", SXT_CFG_INT, "16384", 8, 1e8, "tokens",
      "Size of a bin: samples are packed into it, one rank works on it.",
      AT(max_tokens), NONE },
    { "bin_multiple", SXT_CFG_INT, "1", 1, 100000, "bins",
      "Bins of a step are a multiple of this; set the number of ranks the run "
      "is planned for, so that none idles.",
      AT(bin_multiple), NONE },
    { "cutoff", SXT_CFG_INT, "0", 0, 1e8, "tokens",
      "Longest sample; 0: max_tokens.", AT(cutoff), NONE },
    { "too_long", SXT_CFG_CHOICE, "truncate", 0, 0, "1",
      "What becomes of longer samples.", AT(too_long), SXT_TOO_LONG_WORDS,
      NULL },
    { "end_token", SXT_CFG_STRING, "<|im_end|>", 0, 0, "1",
      "Token that ends an answer, and is learned.", AT(end_token), NONE },
    { "lr", SXT_CFG_REAL, "1e-5", 0, 10, "1", "Highest learning rate.", AT(lr),
      NONE },
    { "schedule", SXT_CFG_GROUP, NULL, 0, 0, "1", "How the learning rate goes.",
      AT(schedule), NULL, schedule_params },
    { "adamw", SXT_CFG_GROUP, NULL, 0, 0, "1", "The optimizer.", AT(adamw),
      NULL, adamw_params },
    { "clip", SXT_CFG_REAL, "1", 0, 1e9, "1",
      "Gradients longer than this are shortened to it; 0: none.", AT(clip),
      NONE },
    { "seed", SXT_CFG_INT, "42", 0, 1e15, "1",
      "Names the order of the samples.", AT(seed), NONE },
    { "dtype", SXT_CFG_CHOICE, "bf16", 0, 0, "1",
      "Type of parameters and activations; bf16 keeps an exact f32 beside.",
      AT(dtype), "bf16|f32", NULL },
    { "reduce_type", SXT_CFG_CHOICE, "bf16", 0, 0, "1",
      "Type in which gradients travel; they are summed in f32.",
      AT(reduce_type), "bf16|f32", NULL },
    { "recompute", SXT_CFG_CHOICE, "auto", 0, 0, "1",
      "What blocks compute again in the backward pass, to save memory: all but "
      "the down projection, only the feed-forward part, nothing, or what there "
      "is no room for. This and the next five change speed and memory, never a "
      "bit of the results.",
      AT(recompute), "auto|full|ffn|none", NULL },
    { "prefetch", SXT_CFG_INT, "1", 0, 1000, "units",
      "How many layers are gathered before they are needed.", AT(prefetch),
      NONE },
    { "head_chunk", SXT_CFG_INT, "1024", 1, 1e8, "tokens",
      "Logits that are in memory at a time; rounded up to a multiple of 1024.",
      AT(head_chunk), NONE },
    { "offload_fraction", SXT_CFG_REAL, "0", 0, 1, "1",
      "Share of the optimizer's state and of the gradients that is in host "
      "memory and updated there, beside the next step: whole layers, the last "
      "first.",
      AT(offload_fraction), NONE },
    { "offload_parameters", SXT_CFG_BOOL, "false", 0, 0, "1",
      "The parameters of these layers are in host memory only.",
      AT(offload_parameters), NONE },
    { "offload_residuals", SXT_CFG_BOOL, "false", 0, 0, "1",
      "What goes into each layer waits in host memory for the backward pass.",
      AT(offload_residuals), NONE },
    { "", SXT_CFG_GROUP, "", 0, 0, "1", "Where to train.", AT(placement), NULL,
      sxt_placement_params },
    { "patience", SXT_CFG_REAL, "1800", 0, 1e6, "s",
      "A wait for other ranks without any progress ends the run, and names who "
      "is missing; 0: never.",
      AT(patience), NONE },
    { "checkpoint", SXT_CFG_GROUP, NULL, 0, 0, "1",
      "Saving the state of the run.", AT(checkpoint), NULL, checkpoint_params },
    { "log_every", SXT_CFG_INT, "1", 1, 1e9, "steps",
      "Print a line after so many steps.", AT(log_every), NONE },
    { "tensorboard", SXT_CFG_BOOL, "true", 0, 0, "1",
      "Write the metrics for TensorBoard too: event files in tensorboard/.",
      AT(tensorboard), NONE },
    { "eval_every", SXT_CFG_INT, "0", 0, 1e9, "steps",
      "Measure the held-out loss after so many steps; 0: after each epoch.",
      AT(eval_every), NONE },
    { "on_nonfinite", SXT_CFG_CHOICE, "stop", 0, 0, "1",
      "If loss or gradient is not finite: end with exit code 79 and save "
      "nothing more, or leave the step out.",
      AT(on_nonfinite), "stop|skip", NULL },
    { "max_minutes", SXT_CFG_REAL, "0", 0, 1e7, "min",
      "Save and stop before this time is over (exit code 75); 0: no limit.",
      AT(max_minutes), NONE },
    { "stop_after", SXT_CFG_INT, "0", 0, 1e9, "steps",
      "Save and stop after so many steps of this call (exit code 75); 0: no "
      "limit.",
      AT(stop_after), NONE },
    { "show_sample", SXT_CFG_INT, "-1", -1, 1e12, "1",
      "Print this sample as the model gets it, and stop; -1: train.",
      AT(show_sample), NONE },
    { .name = NULL }
};
