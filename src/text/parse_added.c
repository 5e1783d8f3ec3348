/* parse_added.c - added tokens: found in text rather than merged. */
#include "text/parse.h"

#include "text/normal.h"

static int check_added(struct sxt_parser *p, const struct sxt_json *json,
                       struct sxt_span content)
{
    static const char *const flags[] = { "single_word", "lstrip", "rstrip",
                                         NULL };

    if (content.len == 0)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: an added token without content", p->where);
    for (int i = 0; flags[i]; i++)
        if (sxt_json_bool(sxt_json_get(json, flags[i]), false))
            return sxt_err(p->err, SXT_EXIT_DATA,
                           "%s: added token \"%.*s\": %s is not supported",
                           p->where, sxt_parse_shown(content), content.data,
                           flags[i]);
    return 0;
}

/* A token that the vocabulary has already must agree with it. */
static int check_known(struct sxt_parser *p, struct sxt_span content,
                       int64_t id, int64_t known, bool special)
{
    if (id != known)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: added token \"%.*s\" has id %lld here and %lld in "
                       "the vocabulary",
                       p->where, sxt_parse_shown(content), content.data,
                       (long long)id, (long long)known);
    if (p->tok->tokens[known].is_added)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: added token \"%.*s\" is there twice", p->where,
                       sxt_parse_shown(content), content.data);
    if (special && p->tok->tokens[known].is_merged)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: special token \"%.*s\" is also the result of a "
                       "merge: plain text could forge it",
                       p->where, sxt_parse_shown(content), content.data);
    return 0;
}

static int parse_added_token(struct sxt_parser *p, const struct sxt_json *json)
{
    struct sxt_tokenizer *tok = p->tok;
    struct sxt_span content = sxt_json_text(sxt_json_get(json, "content"));
    int64_t id = sxt_json_int(sxt_json_get(json, "id"), -1);
    bool special = sxt_json_bool(sxt_json_get(json, "special"), false);
    bool normalized = sxt_json_bool(sxt_json_get(json, "normalized"), !special);
    struct sxt_str space = SXT_STR_EMPTY;

    if (check_added(p, json, content) != 0)
        return -1;
    int32_t known = sxt_tokenizer_lookup(tok, content);
    if (known < 0) {
        if (sxt_parse_define(p, id, content, content) != 0)
            return -1;
        if (!sxt_map_put(tok->by_name, content.data, content.len, (uint64_t)id))
            return sxt_err(p->err, SXT_EXIT_DATA,
                           "%s: added token \"%.*s\" is there twice", p->where,
                           sxt_parse_shown(content), content.data);
    } else if (check_known(p, content, id, known, special) != 0) {
        return -1;
    }
    tok->tokens[id].is_added = true;
    tok->tokens[id].is_special = special;
    if (normalized && tok->nfc)
        content = sxt_normal_nfc(content, &space);
    sxt_added_put(tok->added[normalized], content, (int32_t)id);
    sxt_str_free(&space);
    return 0;
}

int sxt_parse_added(struct sxt_parser *p, const struct sxt_json *list)
{
    for (size_t i = 0; i < sxt_json_count(list); i++)
        if (parse_added_token(p, sxt_json_item(list, i)) != 0)
            return -1;
    sxt_added_seal(p->tok->added[0]);
    sxt_added_seal(p->tok->added[1]);
    return 0;
}
