/* tokenizer.h - Hugging Face tokenizer.json: byte-level BPE, exactly.
 *
 * Stages: added tokens are cut out of the raw text (leftmost, longest) → NFC →
 * pre-tokeniser (Split by regex, ByteLevel, Digits, Sequence of these) → byte
 * map → merges by rank.  Sennrich et al., arXiv:1508.07909.  Anything else in
 * the file is refused by name.
 *
 * The ids are those of the tokenizers library 0.20 with add_special_tokens
 * off (and with encode_special_tokens on for SXT_ADDED_PLAIN): what a
 * post-processor would add before or behind the text (BOS, EOS) is never added,
 * and truncation and padding are the caller's.  Bytes for which the vocabulary
 * has no token vanish, as they do there.  See normal.h for the one known
 * difference. */
#ifndef SXT_TEXT_TOKENIZER_H
#define SXT_TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct sxt_tokenizer; /* opaque; read-only after parse: threads may share it */

/* A growing list of token ids. */
struct sxt_ids {
    int32_t *data; /* owned; free() it */
    size_t len, cap;
};
void sxt_ids_add(struct sxt_ids *ids, int32_t id);
void sxt_ids_add_all(struct sxt_ids *ids, const int32_t *more, size_t n);
void sxt_ids_free(struct sxt_ids *ids);

/* From the bytes of a tokenizer.json; `where` names them in messages.  NULL on
 * failure, SXT_EXIT_DATA.  A special token that plain text could become by
 * merges is refused as well. */
struct sxt_tokenizer *sxt_tokenizer_parse(const char *json, size_t n,
                                          const char *where,
                                          struct sxt_error *err);
void sxt_tokenizer_destroy(struct sxt_tokenizer *tok);

/* Which added tokens are recognised in a text; the others are plain text. */
enum sxt_added_kind {
    SXT_ADDED_NONE,  /* anything a user wrote */
    SXT_ADDED_PLAIN, /* those not special, as <think>: what a model wrote */
    SXT_ADDED_ALL    /* also those that control, as <|im_end|> */
};

/* Append the ids of n bytes of text.  Invalid UTF-8 is replaced by U+FFFD. */
void sxt_tokenizer_encode(const struct sxt_tokenizer *tok, const char *text,
                          size_t n, enum sxt_added_kind added,
                          struct sxt_ids *out);

/* Append the bytes of the tokens (which need not be valid UTF-8).  Special
 * added tokens are skipped if asked.  Ids without a token give nothing. */
void sxt_tokenizer_decode(const struct sxt_tokenizer *tok, const int32_t *ids,
                          size_t n, bool skip_special, struct sxt_str *out);

/* Largest id + 1; ids from here on must never be drawn. */
size_t sxt_tokenizer_size(const struct sxt_tokenizer *tok);
/* Id of an exact token or added token, -1 if there is none. */
int32_t sxt_tokenizer_id(const struct sxt_tokenizer *tok, const char *token);
bool sxt_tokenizer_is_special(const struct sxt_tokenizer *tok, int32_t id);

#endif
