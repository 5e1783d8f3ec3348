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
    size_t context; /* positions of a sequence, at most */
    int on_node;    /* ranks that share this node */
    /* From the first draw on. */
    struct sxt_dev *dev;
    struct sxt_num *num;
    struct sxt_weights *weights;
    struct sxt_peak peak;
};

/* Load the weights and measure the machine, once.  Collective. */
int sxt_sampler_load(struct sxt_sampler *s, struct sxt_error *err);

#endif
