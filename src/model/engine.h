/* engine.h - many answers at a time from one model: continuous batching.
 *
 * Prompts are added while there is room; each step runs one forward pass over
 * the next tokens of all answers and pieces of new prompts, draws, and hands
 * out the answers that are finished.  There is no barrier between prompts.
 *
 * Room.  An answer's pages are taken as it grows.  It is admitted if the
 * expected lengths of all answers under way fit into the cache (expected: from
 * the answers finished so far; see `expected_tokens`) and if the banker's test
 * holds: even if every answer grows to max_tokens, all can finish one after
 * the other.  A page is granted under the same test.  An answer whose page is
 * not granted waits with what it has; none is ever thrown out or computed
 * again, and the oldest can always go on.
 *
 * What is drawn depends on (settings, key, prompt) only: not on the other
 * answers, the size of the batch, the chunk, the pages, or on whether the
 * first part was drawn by an earlier engine (sxt_prompt.given).
 *
 * Where a model is divided (params->group), each of the group's ranks has an
 * engine with its part, and all are told the same: the same prompts are added
 * before the same steps.  The logprobs are rank 0's alone. */
#ifndef SXT_MODEL_ENGINE_H
#define SXT_MODEL_ENGINE_H

#include "model/paged.h"
#include "text/tokenizer.h"

enum { SXT_MAX_STOP_IDS = 16 };

/* How to draw; the same for all answers of an engine. */
struct sxt_draw {
    double temperature, top_p, min_p, repetition_penalty; /* see ops.h */
    int32_t top_k;
    uint64_t seed;
    size_t max_tokens, min_tokens; /* min: no stop id or string before it */
    int32_t stop_id[SXT_MAX_STOP_IDS];
    size_t n_stop_ids;
    char *const *stop; /* strings, cut from the text; borrowed */
    size_t n_stop;
    bool stop_loops; /* see stop.h */
};

struct sxt_prompt {
    uint64_t item;      /* the caller's number, handed back */
    uint64_t key;       /* names the random stream */
    const int32_t *ids; /* (n), copied; 1 <= n < length of the engine */
    size_t n;
    const int32_t *given; /* (n_given) tokens drawn before, or NULL */
    size_t n_given;
    double given_logprob;
};

enum sxt_finish {
    SXT_FINISH_NONE, /* under way */
    SXT_FINISH_STOP,
    SXT_FINISH_LENGTH, /* max_tokens, or the end of the engine's length */
    SXT_FINISH_LOOP
};
const char *sxt_finish_name(enum sxt_finish finish);

struct sxt_answer {
    uint64_t item, key;
    const int32_t *prompt_ids, *ids; /* all drawn, the stop id too */
    size_t n_prompt, n;
    struct sxt_span text; /* without special tokens and the stop string */
    enum sxt_finish finish;
    double logprob; /* sum over ids */
};

struct sxt_engine_size {
    size_t batch;  /* answers at a time */
    size_t chunk;  /* tokens of a prompt per pass */
    size_t length; /* prompt and answer together */
    size_t block;  /* positions of a page */
    size_t pages;
};

struct sxt_engine; /* opaque */

/* Everything is borrowed for the engine's life.  tok may be NULL: no text, no
 * stop strings, any id below the model's vocabulary. */
struct sxt_engine *sxt_engine_create(const struct sxt_layout *layout,
                                     struct sxt_params *params,
                                     struct sxt_num *num,
                                     const struct sxt_tokenizer *tok,
                                     const struct sxt_engine_size *size,
                                     const struct sxt_draw *draw);
void sxt_engine_destroy(struct sxt_engine *e);
/* Device bytes that create() takes. */
size_t sxt_engine_bytes(const struct sxt_layout *layout, enum sxt_dtype type,
                        const struct sxt_engine_size *size);

size_t sxt_engine_active(const struct sxt_engine *e); /* answers under way */
/* True if add() may be called now; always true if nothing is under way and
 * the prompt is shorter than the engine's length. */
bool sxt_engine_room(const struct sxt_engine *e, const struct sxt_prompt *p);
void sxt_engine_add(struct sxt_engine *e, const struct sxt_prompt *p);

/* One pass.  done() gets each answer that finished; what it points to is
 * valid during the call. */
typedef void sxt_answer_fn(void *context, const struct sxt_answer *answer);
void sxt_engine_step(struct sxt_engine *e, sxt_answer_fn *done, void *context);
/* Show the answers under way as they are (finish NONE). */
void sxt_engine_each(const struct sxt_engine *e, sxt_answer_fn *each,
                     void *context);
/* The same, and forget them. */
void sxt_engine_abandon(struct sxt_engine *e, sxt_answer_fn *each,
                        void *context);

/* What was done so far. */
struct sxt_engine_stats {
    uint64_t steps, prompt_tokens, shared_tokens, drawn_tokens;
    uint64_t waits;   /* passes that some answer sat out for want of a page */
    uint64_t replays; /* steps that were recorded ones again (paged.h) */
    double answer_steps; /* sum over steps of the answers in the pass */
    double bytes; /* weights and cache that the passes must read and write */
    double flop;
    double seconds;       /* in sxt_engine_step */
    double least_seconds; /* what the passes take at the peak rates */
};
struct sxt_engine_stats sxt_engine_stats(const struct sxt_engine *e);
/* Whether steps may be replayed; they may at first. */
void sxt_engine_set_replay(struct sxt_engine *e, bool replay);
/* Rates for least_seconds: a pass cannot be faster than either allows. */
void sxt_engine_set_peak(struct sxt_engine *e, double bytes_per_s,
                         double flop_per_s);

#endif
