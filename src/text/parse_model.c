/* parse_model.c - vocabulary and merges. */
#include "text/parse.h"

#include <string.h>

#include "base/mem.h"

/* Larger ids would only waste memory: the largest vocabularies have 2^20. */
enum { MAX_ID = 1 << 22 };
/* Longer tokens are no words, and are merged like any other text. */
enum { MAX_DIRECT = 256 };

/* ---- the vocabulary */

int32_t sxt_tokenizer_lookup(const struct sxt_tokenizer *tok,
                             struct sxt_span spelled)
{
    struct sxt_str bytes = SXT_STR_EMPTY;
    const uint64_t *id = NULL;

    if (sxt_alphabet_bytes(spelled, &bytes))
        id = sxt_map_get(tok->by_bytes, bytes.data, bytes.len);
    else
        id = sxt_map_get(tok->by_name, spelled.data, spelled.len);
    sxt_str_free(&bytes);
    return id ? (int32_t)*id : -1;
}

int sxt_parse_define(struct sxt_parser *p, int64_t id, struct sxt_span name,
                     struct sxt_span bytes)
{
    struct sxt_tokenizer *tok = p->tok;

    if (id < 0 || id >= MAX_ID)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: token \"%.*s\": the id must be a number in "
                       "[0, %d)",
                       p->where, sxt_parse_shown(name), name.data, MAX_ID);
    if ((size_t)id >= tok->size) {
        size_t old = tok->cap;
        tok->tokens = sxt_grow(tok->tokens, &tok->cap, (size_t)id + 1,
                               sizeof(*tok->tokens));
        if (tok->cap > old)
            memset(tok->tokens + old, 0,
                   (tok->cap - old) * sizeof(*tok->tokens));
        tok->size = (size_t)id + 1;
    }
    struct sxt_token *t = &tok->tokens[id];
    if (t->exists)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: id %lld has two tokens: \"%.*s\" and one with the "
                       "bytes \"%.*s\"",
                       p->where, (long long)id, sxt_parse_shown(name),
                       name.data, (int)(t->len < 80 ? t->len : 80),
                       tok->pool.data + t->at);
    *t = (struct sxt_token){ .at = tok->pool.len,
                             .len = (uint32_t)bytes.len,
                             .exists = true };
    sxt_str_add_bytes(&tok->pool, bytes.data, bytes.len);
    return 0;
}

static int parse_vocab(struct sxt_parser *p, const struct sxt_json *vocab)
{
    struct sxt_str bytes = SXT_STR_EMPTY;
    const char *key = NULL;
    const struct sxt_json *value;
    int rc = 0;

    if (sxt_json_type(vocab) != SXT_JSON_OBJECT || sxt_json_count(vocab) == 0)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: model.vocab is missing or empty", p->where);
    while (rc == 0 && (value = sxt_json_next(vocab, &key))) {
        struct sxt_span name = sxt_span(key);
        struct sxt_map *map = p->tok->by_bytes;
        struct sxt_span kept;
        int64_t id = sxt_json_int(value, -1);
        sxt_str_free(&bytes);
        kept = name;
        if (sxt_alphabet_bytes(name, &bytes))
            kept = (struct sxt_span){ bytes.data, bytes.len };
        else
            map = p->tok->by_name;
        rc = sxt_parse_define(p, id, name, kept);
        if (rc == 0)
            sxt_map_put(map, kept.data, kept.len, (uint64_t)id);
    }
    sxt_str_free(&bytes);
    return rc;
}

/* ---- merges */

/* "a b" or ["a", "b"]. */
static bool read_pair(const struct sxt_json *item, struct sxt_span pair[2])
{
    struct sxt_span line = sxt_json_text(item);

    if (!line.data) {
        pair[0] = sxt_json_text(sxt_json_item(item, 0));
        pair[1] = sxt_json_text(sxt_json_item(item, 1));
        return sxt_json_count(item) == 2 && pair[0].data && pair[1].data;
    }
    const char *space = memchr(line.data, ' ', line.len);
    if (!space ||
        memchr(space + 1, ' ', line.len - (size_t)(space + 1 - line.data)))
        return false;
    pair[0] = (struct sxt_span){ line.data, (size_t)(space - line.data) };
    pair[1] = (struct sxt_span){ space + 1, line.len - pair[0].len - 1 };
    return true;
}

static int parse_merge(struct sxt_parser *p, const struct sxt_json *item,
                       uint32_t rank)
{
    struct sxt_span pair[2];
    struct sxt_str both = SXT_STR_EMPTY;
    int32_t ids[3];

    if (!read_pair(item, pair))
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: model.merges[%u] is no pair of tokens", p->where,
                       rank);
    sxt_str_add_bytes(&both, pair[0].data, pair[0].len);
    sxt_str_add_bytes(&both, pair[1].data, pair[1].len);
    struct sxt_span names[3] = { pair[0], pair[1], { both.data, both.len } };
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++) {
        ids[i] = sxt_tokenizer_lookup(p->tok, names[i]);
        if (ids[i] < 0)
            rc = sxt_err(p->err, SXT_EXIT_DATA,
                         "%s: model.merges[%u]: \"%.*s\" is not in the "
                         "vocabulary",
                         p->where, rank, sxt_parse_shown(names[i]),
                         names[i].data);
    }
    if (rc == 0) {
        sxt_bpe_set_merge(p->tok->bpe, ids[0], ids[1], rank, ids[2]);
        p->tok->tokens[ids[2]].is_merged = true;
    }
    sxt_str_free(&both);
    return rc;
}

static int parse_merges(struct sxt_parser *p, const struct sxt_json *merges)
{
    size_t n = sxt_json_count(merges);

    if (sxt_json_type(merges) != SXT_JSON_ARRAY)
        return sxt_err(p->err, SXT_EXIT_DATA, "%s: model.merges is missing",
                       p->where);
    p->tok->bpe = sxt_bpe_create(n);
    for (size_t i = 0; i < n; i++)
        if (parse_merge(p, sxt_json_item(merges, i), (uint32_t)i) != 0)
            return -1;
    return 0;
}

/* ---- the model */

/* The tokens of single bytes.  Bytes without one become unk_token, or vanish
 * if there is no such; fusing them or falling back to <0xNN> is refused. */
static int parse_bytes(struct sxt_parser *p, const struct sxt_json *model)
{
    const char *unk = sxt_json_string(sxt_json_get(model, "unk_token"), NULL);
    bool odd = sxt_json_bool(sxt_json_get(model, "byte_fallback"), false) ||
               (unk && sxt_json_bool(sxt_json_get(model, "fuse_unk"), false));
    int32_t unk_id = unk ? sxt_tokenizer_lookup(p->tok, sxt_span(unk)) : -1;

    for (int b = 0; b < 256; b++) {
        char byte = (char)b;
        const uint64_t *id = sxt_map_get(p->tok->by_bytes, &byte, 1);
        if (!id && odd)
            return sxt_err(p->err, SXT_EXIT_DATA,
                           "%s: byte %02X has no token, and byte_fallback or "
                           "fuse_unk is set: not supported",
                           p->where, b);
        if (!id && unk && unk_id < 0)
            return sxt_err(p->err, SXT_EXIT_DATA,
                           "%s: unk_token \"%s\" is not in the vocabulary",
                           p->where, unk);
        if (id)
            p->tok->tokens[*id].is_merged = true;
        sxt_bpe_set_byte(p->tok->bpe, (uint8_t)b, id ? (int32_t)*id : unk_id);
    }
    return 0;
}

int sxt_parse_model(struct sxt_parser *p, const struct sxt_json *model)
{
    static const char *const empty[] = { "continuing_subword_prefix",
                                         "end_of_word_suffix", NULL };

    if (strcmp(sxt_json_string(sxt_json_get(model, "type"), "BPE"), "BPE"))
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: model: type %s is not supported (only BPE)",
                       p->where, sxt_parse_type(model));
    for (int i = 0; empty[i]; i++)
        if (sxt_json_string(sxt_json_get(model, empty[i]), "")[0])
            return sxt_err(p->err, SXT_EXIT_DATA,
                           "%s: model: %s is not supported", p->where,
                           empty[i]);
    if (sxt_json_number(sxt_json_get(model, "dropout"), 0) != 0)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: model: dropout is not supported", p->where);
    p->tok->ignore_merges =
        sxt_json_bool(sxt_json_get(model, "ignore_merges"), false);
    if (parse_vocab(p, sxt_json_get(model, "vocab")) != 0 ||
        parse_merges(p, sxt_json_get(model, "merges")) != 0)
        return -1;
    return parse_bytes(p, model);
}

void sxt_parse_mark_direct(struct sxt_tokenizer *tok)
{
    struct sxt_bpe_space space = { 0 };
    struct sxt_ids ids = { 0 };

    for (size_t id = 0; id < tok->size; id++) {
        const struct sxt_token *t = &tok->tokens[id];
        struct sxt_span bytes = { tok->pool.data + t->at, t->len };
        uint64_t *value = sxt_map_get(tok->by_bytes, bytes.data, bytes.len);
        if (!value || *value != id || !t->exists || t->is_added)
            continue;
        ids.len = 0;
        if (!tok->ignore_merges && bytes.len <= MAX_DIRECT)
            sxt_bpe_merge(tok->bpe, bytes, &space, &ids);
        if (tok->ignore_merges || (ids.len == 1 && ids.data[0] == (int32_t)id))
            *value |= SXT_TOKEN_DIRECT;
    }
    sxt_bpe_space_free(&space);
    sxt_ids_free(&ids);
}
