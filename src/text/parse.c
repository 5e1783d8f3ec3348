/* parse.c - a tokenizer.json becomes a tokenizer, or is refused by name. */
#include "text/impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "text/normal.h"

/* Larger ids would only waste memory: the largest vocabularies have 2^20. */
enum { MAX_ID = 1 << 22 };
/* Longer tokens are no words, and are merged like any other text. */
enum { MAX_DIRECT = 256 };

struct parser {
    struct sxt_tokenizer *tok;
    const char *where;
    struct sxt_error *err;
};

static const char *type_of(const struct sxt_json *json)
{
    return sxt_json_string(sxt_json_get(json, "type"), "(none)");
}

static bool is_null(const struct sxt_json *json)
{
    return sxt_json_type(json) == SXT_JSON_NULL;
}

/* Room in a message for a token of any size. */
static int shown(struct sxt_span s)
{
    return (int)(s.len < 80 ? s.len : 80);
}

/* ---- what surrounds the model */

static int parse_normalizer(struct parser *p, const struct sxt_json *json)
{
    const struct sxt_json *list = sxt_json_get(json, "normalizers");

    if (is_null(json))
        return 0;
    if (strcmp(type_of(json), "Sequence") == 0) {
        for (size_t i = 0; i < sxt_json_count(list); i++)
            if (parse_normalizer(p, sxt_json_item(list, i)) != 0)
                return -1;
        return 0;
    }
    if (strcmp(type_of(json), "NFC") != 0)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: normalizer: type %s is not supported (only NFC)",
                       p->where, type_of(json));
    p->tok->nfc = true;
    return 0;
}

/* A template may put special tokens around the text, nothing else. */
static int check_template(struct parser *p, const struct sxt_json *json)
{
    const struct sxt_json *single = sxt_json_get(json, "single");
    int texts = 0;

    for (size_t i = 0; i < sxt_json_count(single); i++) {
        const struct sxt_json *item = sxt_json_item(single, i);
        texts += sxt_json_get(item, "Sequence") != NULL;
        if (!sxt_json_get(item, "Sequence") &&
            !sxt_json_get(item, "SpecialToken"))
            texts = 2;
    }
    return texts == 1 ? 0
                      : sxt_err(p->err, SXT_EXIT_DATA,
                                "%s: post_processor: TemplateProcessing does "
                                "more than add special tokens around one text",
                                p->where);
}

static int check_post_processor(struct parser *p, const struct sxt_json *json)
{
    const char *type = type_of(json);
    const struct sxt_json *list = sxt_json_get(json, "processors");

    if (is_null(json) || strcmp(type, "ByteLevel") == 0)
        return 0;
    if (strcmp(type, "TemplateProcessing") == 0)
        return check_template(p, json);
    if (strcmp(type, "Sequence") != 0)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: post_processor: type %s is not supported", p->where,
                       type);
    for (size_t i = 0; i < sxt_json_count(list); i++)
        if (check_post_processor(p, sxt_json_item(list, i)) != 0)
            return -1;
    return 0;
}

static int check_surroundings(struct parser *p, const struct sxt_json *root)
{
    const char *version =
        sxt_json_string(sxt_json_get(root, "version"), "(none)");
    const char *decoder = type_of(sxt_json_get(root, "decoder"));

    if (strcmp(version, "1.0") != 0)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: version %s is not supported (only 1.0)", p->where,
                       version);
    if (strcmp(decoder, "ByteLevel") != 0)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: decoder: type %s is not supported (only "
                       "ByteLevel)",
                       p->where, decoder);
    return check_post_processor(p, sxt_json_get(root, "post_processor"));
}

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

/* Give the id its bytes.  The id must be free. */
static int define(struct parser *p, int64_t id, struct sxt_span name,
                  struct sxt_span bytes)
{
    struct sxt_tokenizer *tok = p->tok;

    if (id < 0 || id >= MAX_ID)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: token \"%.*s\": the id must be a number in "
                       "[0, %d)",
                       p->where, shown(name), name.data, MAX_ID);
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
                       p->where, (long long)id, shown(name), name.data,
                       (int)(t->len < 80 ? t->len : 80),
                       tok->pool.data + t->at);
    *t = (struct sxt_token){ .at = tok->pool.len,
                             .len = (uint32_t)bytes.len,
                             .exists = true };
    sxt_str_add_bytes(&tok->pool, bytes.data, bytes.len);
    return 0;
}

static int parse_vocab(struct parser *p, const struct sxt_json *vocab)
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
        rc = define(p, id, name, kept);
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

static int parse_merge(struct parser *p, const struct sxt_json *item,
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
                         p->where, rank, shown(names[i]), names[i].data);
    }
    if (rc == 0) {
        sxt_bpe_set_merge(p->tok->bpe, ids[0], ids[1], rank, ids[2]);
        p->tok->tokens[ids[2]].is_merged = true;
    }
    sxt_str_free(&both);
    return rc;
}

static int parse_merges(struct parser *p, const struct sxt_json *merges)
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
static int parse_bytes(struct parser *p, const struct sxt_json *model)
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

static int parse_model(struct parser *p, const struct sxt_json *model)
{
    static const char *const empty[] = { "continuing_subword_prefix",
                                         "end_of_word_suffix", NULL };

    if (strcmp(sxt_json_string(sxt_json_get(model, "type"), "BPE"), "BPE"))
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: model: type %s is not supported (only BPE)",
                       p->where, type_of(model));
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

/* Find the tokens that their own text gives when it is encoded, so that most
 * pieces need one look-up and no merge. */
static void mark_direct(struct sxt_tokenizer *tok)
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

/* ---- added tokens */

static int check_added(struct parser *p, const struct sxt_json *json,
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
                           p->where, shown(content), content.data, flags[i]);
    return 0;
}

/* A token that the vocabulary has already must agree with it. */
static int check_known(struct parser *p, struct sxt_span content, int64_t id,
                       int64_t known, bool special)
{
    if (id != known)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: added token \"%.*s\" has id %lld here and %lld in "
                       "the vocabulary",
                       p->where, shown(content), content.data, (long long)id,
                       (long long)known);
    if (p->tok->tokens[known].is_added)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: added token \"%.*s\" is there twice", p->where,
                       shown(content), content.data);
    if (special && p->tok->tokens[known].is_merged)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: special token \"%.*s\" is also the result of a "
                       "merge: plain text could forge it",
                       p->where, shown(content), content.data);
    return 0;
}

static int parse_added_token(struct parser *p, const struct sxt_json *json)
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
        if (define(p, id, content, content) != 0)
            return -1;
        if (!sxt_map_put(tok->by_name, content.data, content.len, (uint64_t)id))
            return sxt_err(p->err, SXT_EXIT_DATA,
                           "%s: added token \"%.*s\" is there twice", p->where,
                           shown(content), content.data);
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

static int parse_added(struct parser *p, const struct sxt_json *list)
{
    for (size_t i = 0; i < sxt_json_count(list); i++)
        if (parse_added_token(p, sxt_json_item(list, i)) != 0)
            return -1;
    sxt_added_seal(p->tok->added[0]);
    sxt_added_seal(p->tok->added[1]);
    return 0;
}

/* ---- the whole */

static int parse_root(struct parser *p, const struct sxt_json *root)
{
    char *where = sxt_printf("%s: pre_tokenizer", p->where);
    int rc = -1;

    if (check_surroundings(p, root) == 0 &&
        parse_normalizer(p, sxt_json_get(root, "normalizer")) == 0) {
        p->tok->split =
            sxt_split_parse(sxt_json_get(root, "pre_tokenizer"), where, p->err);
        rc = p->tok->split ? 0 : -1;
    }
    free(where);
    if (rc != 0 || parse_model(p, sxt_json_get(root, "model")) != 0 ||
        parse_added(p, sxt_json_get(root, "added_tokens")) != 0)
        return -1;
    mark_direct(p->tok);
    return 0;
}

struct sxt_tokenizer *sxt_tokenizer_parse(const char *json, size_t n,
                                          const char *where,
                                          struct sxt_error *err)
{
    struct sxt_json *root = sxt_json_parse(json, n, where, err);

    if (!root)
        return NULL;
    struct sxt_tokenizer *tok = sxt_calloc(1, sizeof(*tok));
    tok->by_bytes = sxt_map_create();
    tok->by_name = sxt_map_create();
    tok->added[0] = sxt_added_create();
    tok->added[1] = sxt_added_create();
    struct parser p = { tok, where, err };
    int rc = parse_root(&p, root);
    sxt_json_free(root);
    if (rc == 0)
        return tok;
    sxt_tokenizer_destroy(tok);
    return NULL;
}
