/* trainer.h - a few whole steps of training of a small network, for tests that
 * ask whether something changes a bit. */
#ifndef SXT_MODEL_TEST_TRAINER_H
#define SXT_MODEL_TEST_TRAINER_H

#include "model/optim.h"

enum {
    TRAINER_STEPS = 2,
    TRAINER_BINS = 5,
    TRAINER_DOCS = 3,
    TRAINER_LAYERS = 4
};

/* How to train; what is trained depends on type … scale only. */
struct trainer {
    struct sxt_comm comm;
    const char *device, *backend;
    enum sxt_dtype type;
    bool tied;
    int steps;    /* up to TRAINER_STEPS */
    size_t bins;  /* of a step, up to TRAINER_BINS */
    size_t scale; /* of the documents' lengths */
    int ahead;
    double away;
    bool params_away;
    size_t keep, keep_attn, chunk;
    bool inputs_away;
};

/* What came of it: of the units, only what this rank owns is filled in. */
struct trained {
    double loss[TRAINER_STEPS + 1][TRAINER_BINS], norm[TRAINER_STEPS];
    size_t at[16], n; /* first element of a unit; all */
    float *grad;      /* of the last step */
    char *state[SXT_STATES];
};

/* Collective over how->comm; trained_free. */
struct trained *trainer_train(const struct trainer *how);
void trained_free(struct trained *t);
/* What this rank has of `got` is the same, to the bit, as in `truth`, which one
 * rank has whole. */
bool trained_same(const struct trained *got, const struct trained *truth,
                  const struct trainer *how);

#endif
