/* impl.h - what a tokenizer is made of; for this folder only. */
#ifndef SXT_TEXT_IMPL_H
#define SXT_TEXT_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "base/str.h"
#include "text/added.h"
#include "text/bpe.h"
#include "text/split.h"
#include "text/tokenizer.h"

struct sxt_token {
    size_t at; /* of its bytes in the pool */
    uint32_t len;
    bool exists, is_added, is_special;
    bool is_merged; /* plain text can become this token */
};

struct sxt_tokenizer {
    struct sxt_str pool;
    struct sxt_token *tokens; /* by id */
    size_t size, cap;         /* largest id + 1 */
    /* Tokens of the vocabulary spelled in the byte alphabet: their bytes →
     * id | flags; all others, and the added ones: their spelling → id. */
    struct sxt_map *by_bytes, *by_name;
    struct sxt_bpe *bpe;
    struct sxt_split *split;
    struct sxt_added *added[2]; /* found before [0], behind [1] NFC */
    bool nfc, ignore_merges;
};

/* In by_bytes: text that is this token as a whole is encoded as this token. */
#define SXT_TOKEN_DIRECT (UINT64_C(1) << 32)

/* The GPT-2 byte alphabet: bytes that are visible characters of Latin-1 stand
 * for themselves, the others for U+0100 and up.  Append the bytes of a spelled
 * token; false, and nothing, if another character is in it. */
bool sxt_alphabet_bytes(struct sxt_span spelled, struct sxt_str *out);

/* Id of a token of the vocabulary in the file's spelling, or -1. */
int32_t sxt_tokenizer_lookup(const struct sxt_tokenizer *tok,
                             struct sxt_span spelled);

#endif
