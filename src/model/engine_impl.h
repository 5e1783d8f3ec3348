/* engine_impl.h - the engine's inside, for the two files that make it up. */
#ifndef SXT_MODEL_ENGINE_IMPL_H
#define SXT_MODEL_ENGINE_IMPL_H

#include "model/blocks.h"
#include "model/engine.h"
#include "model/stop.h"

/* An answer under way, in a slot. */
struct sxt_seq {
    uint64_t item, key;
    int32_t *ids; /* (limit): prompt, then drawn */
    size_t n_prompt;
    size_t n;        /* ids known */
    size_t computed; /* positions in the cache */
    size_t limit;    /* n may grow to this */
    int32_t *page;   /* (pages of limit) */
    size_t n_pages;
    size_t worst_pages;
    size_t mate;    /* slot whose pages the first `shared` positions are */
    size_t shared;  /* 0: none, or they are computed */
    size_t planned; /* rows in the pass being built */
    struct sxt_str text;
    struct sxt_loop loop;
    double logprob;
};

struct sxt_engine {
    const struct sxt_layout *layout;
    struct sxt_num *num;
    struct sxt_coll *group; /* borrowed; NULL: none */
    const struct sxt_tokenizer *tok;
    struct sxt_paged *paged;
    struct sxt_blocks *blocks;
    struct sxt_engine_size size;
    struct sxt_draw draw;
    size_t vocab;          /* ids from here on are never drawn */
    uint64_t *unstoppable; /* (vocab bits): all ids but the stop ids */
    struct sxt_seq *seq;   /* (batch) slots */
    size_t *active;        /* (batch) slots in use, oldest first */
    size_t n_active;
    size_t *idle; /* (batch) stack of slots */
    size_t n_idle;
    struct sxt_claim *claims; /* (batch + 1), scratch of safe() */
    /* The pass being built. */
    struct sxt_paged_rows rows;
    int32_t *id, *slot, *pos, *logit_row;
    size_t *drawing;            /* (batch) slots, in the order of logits */
    struct sxt_sample_row *how; /* (batch) */
    int32_t *drawn;             /* (batch) */
    float *logprob;             /* (batch) */
    /* Lengths of finished answers: sums of l and l^2, with a prior. */
    double sum_length, sum_square;
    double weight_bytes, position_bytes, bytes_per_s, flop_per_s;
    struct sxt_engine_stats stats;
};

/* Pages up to `positions`; false if they are not granted now. */
bool sxt_engine_grow(struct sxt_engine *e, size_t slot, size_t positions);
/* Text and loop state after one more token; true if the answer loops. */
bool sxt_engine_follow(struct sxt_engine *e, struct sxt_seq *s);
/* The answer as it is, pointing into the sequence. */
struct sxt_answer sxt_engine_answer(const struct sxt_seq *s,
                                    enum sxt_finish finish);
/* Forget the answer at place `at` of the active list. */
void sxt_engine_release(struct sxt_engine *e, size_t at);

#endif
