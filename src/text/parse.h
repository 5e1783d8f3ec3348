/* parse.h - the parts of reading a tokenizer.json; for this folder only. */
#ifndef SXT_TEXT_PARSE_H
#define SXT_TEXT_PARSE_H

#include "base/json.h"
#include "text/impl.h"

struct sxt_parser {
    struct sxt_tokenizer *tok; /* being filled */
    const char *where;         /* goes before messages */
    struct sxt_error *err;
};

/* Vocabulary and merges, from the member "model". */
int sxt_parse_model(struct sxt_parser *p, const struct sxt_json *model);
/* The member "added_tokens"; comes after the model. */
int sxt_parse_added(struct sxt_parser *p, const struct sxt_json *list);
/* Find the tokens that their own text gives when it is encoded, so that most
 * pieces need one look-up and no merge; comes last. */
void sxt_parse_mark_direct(struct sxt_tokenizer *tok);

/* Give a free id its bytes; name: for messages. */
int sxt_parse_define(struct sxt_parser *p, int64_t id, struct sxt_span name,
                     struct sxt_span bytes);
/* The word "type" of a component. */
const char *sxt_parse_type(const struct sxt_json *json);
/* Room in a message for a token of any size. */
int sxt_parse_shown(struct sxt_span s);

#endif
