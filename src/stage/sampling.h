/* sampling.h - a model that answers, for whichever command asks.
 *
 * Open it, say what is asked (prompts as token ids), and get the answers by
 * callback, drawn on all ranks from one queue:
 *
 *     s = sxt_sampler_open(run, "model.h5", &values->engine, err);
 *     sxt_sampler_draw(s, &draw, &ask, &report, err);
 *     sxt_sampler_close(s);
 *
 * What is drawn depends on (weights, draw, key, prompt) only. */
#ifndef SXT_STAGE_SAMPLING_H
#define SXT_STAGE_SAMPLING_H

#include "model/engine.h"
#include "model/weights.h"
#include "stage/placement.h"
#include "stage/stage.h"
#include "text/chat.h"

/* Parameter group: how to draw.  { "sampling", SXT_CFG_GROUP, … ,
 * .group = sxt_sampling_params } in a command's table. */
/* NaN and SXT_CFG_WORD, "model": what the model's generation_config.json says,
 * and where that says nothing, temperature 0.7, top_p 0.95 and the rest off. */
struct sxt_sampling {
    double temperature, top_p, min_p, repetition_penalty;
    int64_t top_k, seed, max_tokens, min_tokens;
    struct sxt_cfg_strings stop;
    bool stop_loops;
};
extern const struct sxt_cfg_param sxt_sampling_params[];

/* Parameter group: with what to draw. */
struct sxt_serving {
    struct sxt_placement placement;
    char *dtype;
    bool replay;
    int64_t tensor_parallel, batch, chunk, block, context, cache_mib;
    double bandwidth_gbs, gflops;
};
extern const struct sxt_cfg_param sxt_serving_params[];

struct sxt_sampler; /* opaque */

/* Read everything but the weights, which are loaded by the first draw.
 * serving is borrowed.  Collective. */
struct sxt_sampler *sxt_sampler_open(const struct sxt_run *run,
                                     const char *model,
                                     const struct sxt_serving *serving,
                                     struct sxt_error *err);
void sxt_sampler_close(struct sxt_sampler *s); /* NULL is legal */

const struct sxt_tokenizer *sxt_sampler_tokenizer(const struct sxt_sampler *s);
const struct sxt_chat *sxt_sampler_chat(const struct sxt_sampler *s);
const struct sxt_model_config *sxt_sampler_config(const struct sxt_sampler *s);
/* Hash of the shapes and of some values of every tensor: another model has
 * another one. */
uint64_t sxt_sampler_fingerprint(const struct sxt_sampler *s);

/* The draw that a command's values ask of this model: stops at the model's own
 * end ids and, where a stop string is the text of a token, at that token.
 * sampling is borrowed. */
struct sxt_draw sxt_sampler_plan(const struct sxt_sampler *s,
                                 const struct sxt_sampling *sampling);
/* Append "temperature 0.7 (model)  top_p 0.95 (default) …": every number, and
 * whether it was set, comes from the model, or is the default. */
void sxt_sampler_describe(const struct sxt_sampler *s,
                          const struct sxt_sampling *sampling,
                          struct sxt_str *out);
/* Log that line. */
void sxt_sampler_tell(const struct sxt_sampler *s,
                      const struct sxt_sampling *sampling);
/* Hash of all that decides what a key draws from a prompt. */
uint64_t sxt_sampler_settings(const struct sxt_sampler *s,
                              const struct sxt_sampling *sampling);

/* Prompts 0 … n-1 and who wants the answers.  Same n on every rank; the
 * callbacks run on the rank that draws the item. */
struct sxt_ask {
    size_t n;
    size_t together; /* neighbours to draw on one rank, for they share a
                        prompt; 1 if none do */
    size_t longest;  /* no prompt has more tokens; 0: unknown */
    size_t before;   /* answers there already, for the status */
    void *context;
    /* Fill p; ids are borrowed until the next call. */
    int (*prompt)(void *context, size_t item, struct sxt_prompt *p,
                  struct sxt_error *err);
    /* A prompt too long for the context gets an empty answer, finish LENGTH.
     * finish NONE: the answer is not finished; shown when the run is stopped
     * and, if snapshot_s > 0, that often. */
    int (*answer)(void *context, const struct sxt_answer *answer,
                  struct sxt_error *err);
    double snapshot_s;
    /* Called every step, for syncing logs; may be NULL. */
    int (*tick)(void *context, struct sxt_error *err);
};

/* Sums over all ranks. */
struct sxt_sampling_report {
    size_t answers, stopped, too_long, loops;
    double prompt_tokens, shared_tokens, drawn_tokens;
    double seconds;  /* wall */
    double roofline; /* least possible time / time, of the passes */
    double batch;    /* mean answers in a pass */
    double waits;
    double steps, replays; /* passes, and those that were recorded ones again */
    double peak_bytes;     /* memory of a rank, at most */
};

/* Draw everything.  Returns -1 and SXT_EXIT_AGAIN after a signal or STOP file.
 * report may be NULL.  Collective. */
int sxt_sampler_draw(struct sxt_sampler *s, const struct sxt_draw *draw,
                     const struct sxt_ask *ask,
                     struct sxt_sampling_report *report, struct sxt_error *err);

/* What drawing that would take of each rank's memory: logged, with the memory
 * there is; fails if one answer does not fit.  Loads nothing.  Collective. */
int sxt_sampler_estimate(struct sxt_sampler *s, const struct sxt_draw *draw,
                         const struct sxt_ask *ask, struct sxt_error *err);

/* The closing lines: what was drawn, how fast, how near the limit. */
void sxt_sampling_report_print(const struct sxt_run *run,
                               const struct sxt_sampling_report *report);

#endif
