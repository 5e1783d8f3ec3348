/* parse.c - a tokenizer.json becomes a tokenizer, or is refused by name. */
#include "text/parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *sxt_parse_type(const struct sxt_json *json)
{
    return sxt_json_string(sxt_json_get(json, "type"), "(none)");
}

int sxt_parse_shown(struct sxt_span s)
{
    return (int)(s.len < 80 ? s.len : 80);
}

static bool is_null(const struct sxt_json *json)
{
    return sxt_json_type(json) == SXT_JSON_NULL;
}

/* ---- what surrounds the model */

static int parse_normalizer(struct sxt_parser *p, const struct sxt_json *json)
{
    const struct sxt_json *list = sxt_json_get(json, "normalizers");

    if (is_null(json))
        return 0;
    if (strcmp(sxt_parse_type(json), "Sequence") == 0) {
        for (size_t i = 0; i < sxt_json_count(list); i++)
            if (parse_normalizer(p, sxt_json_item(list, i)) != 0)
                return -1;
        return 0;
    }
    if (strcmp(sxt_parse_type(json), "NFC") != 0)
        return sxt_err(p->err, SXT_EXIT_DATA,
                       "%s: normalizer: type %s is not supported (only NFC)",
                       p->where, sxt_parse_type(json));
    p->tok->nfc = true;
    return 0;
}

/* A template may put special tokens around the text, nothing else. */
static int check_template(struct sxt_parser *p, const struct sxt_json *json)
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

static int check_post_processor(struct sxt_parser *p,
                                const struct sxt_json *json)
{
    const char *type = sxt_parse_type(json);
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

static int check_surroundings(struct sxt_parser *p, const struct sxt_json *root)
{
    const char *version =
        sxt_json_string(sxt_json_get(root, "version"), "(none)");
    const char *decoder = sxt_parse_type(sxt_json_get(root, "decoder"));

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

/* ---- the whole */

static int parse_root(struct sxt_parser *p, const struct sxt_json *root)
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
    if (rc != 0 || sxt_parse_model(p, sxt_json_get(root, "model")) != 0 ||
        sxt_parse_added(p, sxt_json_get(root, "added_tokens")) != 0)
        return -1;
    sxt_parse_mark_direct(p->tok);
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
    struct sxt_parser p = { tok, where, err };
    int rc = parse_root(&p, root);
    sxt_json_free(root);
    if (rc == 0)
        return tok;
    sxt_tokenizer_destroy(tok);
    return NULL;
}
