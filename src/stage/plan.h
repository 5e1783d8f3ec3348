/* plan.h - what a run will need and take, before anything is allocated.
 *
 * Memory is exact: it is computed by the code that a run sizes itself with.
 * Times are projections from rates that a machine is assumed to reach; a table
 * says where each comes from, and a measured value goes over it. */
#ifndef SXT_STAGE_PLAN_H
#define SXT_STAGE_PLAN_H

#include "stage/sft.h"

/* What one rank has, and what it is assumed to reach. */
struct sxt_machine {
    const char *name, *about; /* about: where the rates come from */
    double memory, reserve;   /* bytes; what runtime libraries take of it */
    double peak;              /* FLOP/s in bf16, as the maker states it */
    double matmul;            /* FLOP/s that large products reach */
    double attn, attn_bwd;    /* attention: share of matmul */
    double bandwidth, stream; /* byte/s of memory; share that is reached */
    double link, network;     /* byte/s in the node, between nodes */
    double host_link;         /* byte/s to host memory */
    double host_bandwidth;    /* byte/s of a node's host memory */
    double disk;              /* byte/s, all ranks together */
    double price;             /* dollars for an hour */
    int per_node;             /* ranks */
    bool overlaps;            /* transfers run beside kernels */
};
extern const struct sxt_machine sxt_machines[]; /* name NULL: end */
#define SXT_MACHINE_WORDS "h100|h200|a100|cpu"

/* Shapes of well-known models by name; false if it is none of them. */
bool sxt_plan_model(const char *name, struct sxt_model_config *config);
void sxt_plan_model_names(struct sxt_str *out); /* "a, b, c" */

/* A layout of processes. */
struct sxt_plan_place {
    struct sxt_machine machine;
    int ranks, per_node;
};

/* Memory of a rank in fine-tuning, bytes. */
struct sxt_plan_memory {
    struct sxt_sft_memory all; /* what sft allocates */
    struct sxt_net_room net;   /* what blocks keep */
    double need, room;         /* on the device; it fits if need <= room */
};
struct sxt_plan_memory sxt_plan_memory(const struct sxt_plan_place *place,
                                       const struct sxt_layout *layout,
                                       const struct sxt_sft_values *v,
                                       size_t most_inputs);

/* Seconds that a block takes on a rank for `tokens` tokens whose squared
 * document lengths sum up to `squares`. */
struct sxt_plan_block {
    /* products and element-wise kernels; again: all that a block computes a
     * second time, and the feed-forward part of it */
    double forward, again, again_ffn, backward;
    double attn, attn_bwd; /* attention, once each */
    double gather, reduce; /* on the wire */
};
struct sxt_plan_block sxt_plan_block(const struct sxt_plan_place *place,
                                     const struct sxt_layout *layout,
                                     const struct sxt_sft_values *v,
                                     double tokens, double squares);
/* Element-wise bytes a token moves in one block: forward and backward. */
double sxt_plan_moved(const struct sxt_model_config *c, bool backward);

/* What is to be learned. */
struct sxt_plan_work {
    struct sxt_pack pack; /* lengths are owned by who made them */
    int64_t steps;
    size_t most_inputs; /* of the largest bin */
    double tokens;      /* of one epoch */
};

/* A mean optimizer step, in seconds and bytes of a rank. */
struct sxt_plan_time {
    double tokens, rounds;    /* of all ranks */
    double compute;           /* of a rank that is never short of work */
    double imbalance;         /* time of the slowest / mean, >= 1 */
    double wire, exposed;     /* transfers; part that nothing hides */
    double update;            /* the optimizer, where nothing hides it */
    double step;              /* all of it */
    double gathered, reduced; /* bytes that a rank receives */
    double flop;              /* model FLOP of the step, all ranks */
};
struct sxt_plan_time sxt_plan_time(const struct sxt_plan_place *place,
                                   const struct sxt_layout *layout,
                                   const struct sxt_sft_values *v,
                                   const struct sxt_plan_work *work,
                                   const struct sxt_net_room *room);

/* Drawing answers: of ranks that have a whole model each, or a part of one. */
struct sxt_plan_serve {
    double weights, cache, work, room; /* bytes of a rank */
    double batch;                      /* answers at a time; 0: does not fit */
    double rate;                       /* tokens/s, over ranks of the model */
};
struct sxt_plan_ask {
    enum sxt_dtype type;
    double prompt, answer, spread; /* tokens; deviation / mean of answers */
    double batch, cache;           /* most answers; bytes, 0: what is left */
};
struct sxt_plan_serve sxt_plan_serve(const struct sxt_machine *m,
                                     const struct sxt_layout *layout,
                                     const struct sxt_plan_ask *ask);

/* n lengths with this mean and relative deviation, log-normal, at most `most`;
 * to be freed by the caller. */
size_t *sxt_plan_lengths(size_t n, double mean, double spread, size_t most,
                         uint64_t seed);

#endif
