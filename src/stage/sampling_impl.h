/* sampling_impl.h - the sampler's inside, for the files that make it up. */
#ifndef SXT_STAGE_SAMPLING_IMPL_H
#define SXT_STAGE_SAMPLING_IMPL_H

#include "model/roofline.h"
#include "stage/sampling.h"

struct sxt_sampler {
    const struct sxt_run *run;
    const struct sxt_serving *serving;
    char *path;
    struct sxt_in *in; /* NULL once the weights are loaded */
    struct sxt_model_head head;
    struct sxt_tokenizer *tok;
    struct sxt_chat chat;
    uint64_t fingerprint;
    enum sxt_dtype type;
    size_t context;        /* positions of a sequence, at most */
    int on_node;           /* ranks that share this node */
    struct sxt_comm group; /* who has the model between them; owned if joined */
    struct sxt_layout part; /* what this rank has of it */
    bool joined;
    /* From the first draw on. */
    struct sxt_dev *dev;
    struct sxt_num *num;
    struct sxt_coll *coll; /* of the group; NULL if it is this rank alone */
    struct sxt_weights *weights;
    struct sxt_peak peak;
};

/* Load the weights and measure the machine, once.  Collective. */
int sxt_sampler_load(struct sxt_sampler *s, struct sxt_error *err);

/* sampling_group.c.  Divide the ranks and the model.  Collective. */
int sxt_sampler_join(struct sxt_sampler *s, struct sxt_error *err);
/* The first rank of a group: note a prompt that was added; have the others add
 * what was noted and step; have them stop. */
void sxt_group_add(struct sxt_str *news, const struct sxt_prompt *p);
void sxt_group_step(struct sxt_comm group, struct sxt_str *news);
void sxt_group_end(struct sxt_comm group);
/* The others: do so once; false at the end. */
bool sxt_group_follow(struct sxt_comm group, struct sxt_engine *e);

#endif
