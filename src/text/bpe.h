/* bpe.h - byte pair encoding of one piece: merge the pair of lowest rank,
 * leftmost first, until no pair has a rank.
 *
 * Sennrich et al., "Neural machine translation of rare words with subword
 * units", ACL 2016, arXiv:1508.07909, algorithm 1. */
#ifndef SXT_TEXT_BPE_H
#define SXT_TEXT_BPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "text/tokenizer.h"

struct sxt_bpe; /* opaque; read-only once the merges are in */

/* n_merges: how many will be added, at most.  Bytes start without a token. */
struct sxt_bpe *sxt_bpe_create(size_t n_merges);
void sxt_bpe_destroy(struct sxt_bpe *bpe);

/* The token of a single byte.  A byte without one is dropped from the text
 * before anything is merged, as the reference implementation does. */
void sxt_bpe_set_byte(struct sxt_bpe *bpe, uint8_t byte, int32_t id);
/* (left, right) becomes result; a pair added again takes the later rank. */
void sxt_bpe_set_merge(struct sxt_bpe *bpe, int32_t left, int32_t right,
                       uint32_t rank, int32_t result);

/* Memory that one thread reuses from piece to piece; starts zeroed. */
struct sxt_bpe_space {
    struct sxt_bpe_symbol *symbols; /* owned */
    uint64_t *heap;                 /* owned */
    size_t symbols_cap, heap_cap;
};
void sxt_bpe_space_free(struct sxt_bpe_space *space);

/* Append the ids of a piece.  O(n log n) in its bytes. */
void sxt_bpe_merge(const struct sxt_bpe *bpe, struct sxt_span piece,
                   struct sxt_bpe_space *space, struct sxt_ids *out);

#endif
