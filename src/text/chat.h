/* chat.h - from messages to token ids, in ChatML:
 *   <|im_start|>ROLE\nCONTENT<|im_end|>\n … <|im_start|>assistant\n
 * The system prompt is explicit: nothing is inserted behind anybody's back.
 *
 * No text can forge a turn: what a system prompt or a user says is plain text
 * whatever it spells.  What the assistant says may hold added tokens that are
 * not special, as <think>: a model that has one draws it, and so must learn it,
 * as this one token.  Special tokens in it stay plain text. */
#ifndef SXT_TEXT_CHAT_H
#define SXT_TEXT_CHAT_H

#include "text/tokenizer.h"

struct sxt_message {
    const char *role; /* "system", "user", "assistant" */
    struct sxt_span content;
};

struct sxt_chat {
    const struct sxt_tokenizer *tok; /* borrowed */
    int32_t start, end;              /* <|im_start|>, <|im_end|> */
};

/* Fails if the tokenizer has no <|im_start|> and <|im_end|>. */
int sxt_chat_init(struct sxt_chat *chat, const struct sxt_tokenizer *tok,
                  struct sxt_error *err);

/* Append the ids of the messages; open: also "<|im_start|>assistant\n", the
 * place where an answer begins.  A message with NULL content data is left
 * out: an absent system prompt is not an empty one. */
void sxt_chat_render(const struct sxt_chat *chat,
                     const struct sxt_message *messages, size_t n, bool open,
                     struct sxt_ids *out);

/* Append the ids of the beginning of an answer. */
void sxt_chat_begin(const struct sxt_chat *chat, struct sxt_span text,
                    struct sxt_ids *out);
/* Append the ids of an answer and its end token; the ids to be learned. */
void sxt_chat_answer(const struct sxt_chat *chat, struct sxt_span answer,
                     int32_t end_id, struct sxt_ids *out);

#endif
