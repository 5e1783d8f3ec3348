/* tokens.h - training samples as token ids, prompt and answer apart.
 *
 * A sample is the rendered prompt (system and user message, and the opening of
 * the answer), which is only read, and the answer with its end token, which is
 * learned. */
#ifndef SXT_STAGE_TOKENS_H
#define SXT_STAGE_TOKENS_H

#include "h5/in.h"
#include "par/comm.h"
#include "text/chat.h"

/* What to do with a sample of more than `cutoff` ids. */
#define SXT_TOO_LONG_WORDS "truncate|drop|refuse"
enum sxt_too_long {
    SXT_TOO_LONG_TRUNCATE, /* LLaMA-Factory's rule, see sxt_tokens_truncate */
    SXT_TOO_LONG_DROP,
    SXT_TOO_LONG_REFUSE
};

struct sxt_tokens_rule {
    const struct sxt_chat *chat; /* borrowed */
    int32_t end_id;              /* ends an answer */
    size_t cutoff;               /* ids of a sample at most */
    enum sxt_too_long too_long;
};

struct sxt_tokens {
    size_t n;         /* samples */
    int32_t *ids;     /* of all samples, one behind the other; owned */
    uint64_t *first;  /* (n + 1), owned */
    uint32_t *prompt; /* (n) ids that are not learned, owned */
    size_t *length;   /* (n) inputs of the network: ids - 1, owned */
    size_t n_cut, n_dropped;
    size_t n_ended; /* samples whose learned part has its end token */
};

/* Rows of group /train of an open train.h5, tokenised by all ranks, then the
 * same on each of them.  Collective.  Fails if a sample is refused, if none is
 * left, or if no answer ends: a model so trained would not stop. */
int sxt_tokens_read(struct sxt_tokens *tokens, struct sxt_comm comm,
                    struct sxt_in *in, const struct sxt_tokens_rule *rule,
                    struct sxt_error *err);
/* The same for rows in memory, on this rank alone. */
int sxt_tokens_make(struct sxt_tokens *tokens, const struct sxt_frame *rows,
                    const struct sxt_tokens_rule *rule, struct sxt_error *err);
void sxt_tokens_free(struct sxt_tokens *tokens);

/* A new set of the samples list[0 … n), in this order. */
void sxt_tokens_pick(const struct sxt_tokens *from, const uint64_t *list,
                     size_t n, struct sxt_tokens *to);

/* Lengths that a sample is cut to.  The answer is cut if the prompt takes less
 * than half of the cutoff, the prompt if the answer does, both in proportion
 * otherwise; what is cut is the end (LLaMA-Factory 0.9, infer_seqlen). */
void sxt_tokens_truncate(size_t cutoff, size_t *prompt, size_t *answer);

/* Learned tokens of a sample. */
size_t sxt_tokens_learned(const struct sxt_tokens *tokens, size_t sample);
/* Write a sample's inputs and next-token targets (-1: not learned), length
 * each. */
void sxt_tokens_fill(const struct sxt_tokens *tokens, size_t sample,
                     int32_t *ids, int32_t *target);
/* XXH3 of everything that is learned from. */
uint64_t sxt_tokens_hash(const struct sxt_tokens *tokens);

#endif
