/* json.c - JSON values through jansson. */
#include "base/json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/jsonbig.h"
#include "base/mem.h"

/* struct sxt_json is never defined: a pointer to it is a json_t pointer. */
static json_t *in(const struct sxt_json *v)
{
    return (json_t *)(uintptr_t)v;
}

static struct sxt_json *out(json_t *v)
{
    SXT_CHECK(v != NULL);
    return (struct sxt_json *)v;
}

static json_t *load(const char *text, size_t n, json_error_t *e)
{
    return json_loadb(
        text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, e);
}

struct sxt_json *sxt_json_parse(const char *text, size_t n, const char *where,
                                struct sxt_error *err)
{
    json_error_t e;
    struct sxt_span all = { text, n };
    json_t *v = load(text, n, &e);
    struct sxt_str marked = SXT_STR_EMPTY;

    if ((!v || sxt_jsonbig_needs(all)) && sxt_jsonbig_mark(all, &marked)) {
        json_decref(v);
        v = load(marked.data, marked.len, &e);
    }
    sxt_str_free(&marked);
    if (!v) {
        sxt_err(err, SXT_EXIT_DATA, "%s:%d:%d: %s", where, e.line, e.column,
                e.text);
        return NULL;
    }
    return (struct sxt_json *)v;
}

struct sxt_json *sxt_json_read(const char *path, struct sxt_error *err)
{
    struct sxt_str text = SXT_STR_EMPTY;
    struct sxt_json *v = NULL;

    if (sxt_file_read(path, &text, err) == 0)
        v = sxt_json_parse(text.data, text.len, path, err);
    sxt_str_free(&text);
    return v;
}

void sxt_json_free(struct sxt_json *root)
{
    json_decref(in(root));
}

/* What jansson keeps for a string; see jsonbig.h. */
static struct sxt_span held(const struct sxt_json *v)
{
    return (struct sxt_span){ json_string_value(in(v)),
                              json_string_length(in(v)) };
}

/* A number that stands in a string. */
static struct sxt_span big(const struct sxt_json *v)
{
    if (!json_is_string(in(v)))
        return (struct sxt_span){ NULL, 0 };
    return sxt_jsonbig_number(held(v));
}

enum sxt_json_type sxt_json_type(const struct sxt_json *v)
{
    if (!v)
        return SXT_JSON_NULL;
    switch (json_typeof(in(v))) {
    case JSON_TRUE:
    case JSON_FALSE:
        return SXT_JSON_BOOL;
    case JSON_INTEGER:
        return SXT_JSON_INT;
    case JSON_REAL:
        return SXT_JSON_REAL;
    case JSON_STRING:
        return big(v).data ? SXT_JSON_BIG : SXT_JSON_STRING;
    case JSON_ARRAY:
        return SXT_JSON_ARRAY;
    case JSON_OBJECT:
        return SXT_JSON_OBJECT;
    case JSON_NULL:
        break;
    }
    return SXT_JSON_NULL;
}

size_t sxt_json_count(const struct sxt_json *v)
{
    return sxt_json_type(v) == SXT_JSON_ARRAY ? json_array_size(in(v))
                                              : json_object_size(in(v));
}

const struct sxt_json *sxt_json_item(const struct sxt_json *array, size_t i)
{
    return (const struct sxt_json *)json_array_get(in(array), i);
}

const struct sxt_json *sxt_json_get(const struct sxt_json *v, const char *key)
{
    return (const struct sxt_json *)json_object_get(in(v), key);
}

const struct sxt_json *sxt_json_next(const struct sxt_json *object,
                                     const char **key)
{
    json_t *v = in(object);
    void *at = *key ? json_object_iter_next(v, json_object_key_to_iter(*key))
                    : json_object_iter(v);

    if (!at)
        return NULL;
    *key = json_object_iter_key(at);
    return (const struct sxt_json *)json_object_iter_value(at);
}

struct sxt_span sxt_json_text(const struct sxt_json *v)
{
    if (sxt_json_type(v) != SXT_JSON_STRING)
        return (struct sxt_span){ NULL, 0 };

    size_t skip = sxt_jsonbig_skip(held(v));
    return (struct sxt_span){ held(v).data + skip, held(v).len - skip };
}

const char *sxt_json_string(const struct sxt_json *v, const char *other)
{
    return sxt_json_type(v) == SXT_JSON_STRING ? sxt_json_text(v).data : other;
}

int64_t sxt_json_int(const struct sxt_json *v, int64_t other)
{
    return sxt_json_type(v) == SXT_JSON_INT ? json_integer_value(in(v)) : other;
}

double sxt_json_number(const struct sxt_json *v, double other)
{
    if (v && big(v).data)
        return strtod(big(v).data, NULL);
    return v && json_is_number(in(v)) ? json_number_value(in(v)) : other;
}

struct sxt_span sxt_json_big(const struct sxt_json *v)
{
    return v ? big(v) : (struct sxt_span){ NULL, 0 };
}

bool sxt_json_bool(const struct sxt_json *v, bool other)
{
    return sxt_json_type(v) == SXT_JSON_BOOL ? json_is_true(in(v)) : other;
}

struct sxt_json *sxt_json_object(void)
{
    return out(json_object());
}

struct sxt_json *sxt_json_array(void)
{
    return out(json_array());
}

struct sxt_json *sxt_json_new_text(const char *data, size_t n)
{
    size_t skip = sxt_jsonbig_skip((struct sxt_span){ data, n });

    if (skip == 0 && sxt_utf8_valid(data, n))
        return out(json_stringn_nocheck(data, n));

    struct sxt_str clean = SXT_STR_EMPTY;
    sxt_str_add_bytes(&clean, data, skip); /* a second mark: jsonbig.h */
    for (size_t i = 0; i < n;) {
        size_t len = 1;
        while (len < 4 && i + len <= n && !sxt_utf8_valid(data + i, len))
            len++;
        if (i + len <= n && sxt_utf8_valid(data + i, len)) {
            sxt_str_add_bytes(&clean, data + i, len);
            i += len;
        } else {
            sxt_str_add_bytes(&clean, "\xEF\xBF\xBD", 3);
            i++;
        }
    }
    json_t *v = json_stringn_nocheck(clean.data, clean.len);
    sxt_str_free(&clean);
    return out(v);
}

struct sxt_json *sxt_json_new_int(int64_t x)
{
    return out(json_integer(x));
}

struct sxt_json *sxt_json_new_number(double x)
{
    return out(isfinite(x) ? json_real(x) : json_null());
}

struct sxt_json *sxt_json_new_bool(bool x)
{
    return out(json_boolean(x));
}

void sxt_json_set(struct sxt_json *object, const char *key,
                  struct sxt_json *value)
{
    SXT_CHECK(json_object_set_new(in(object), key, in(value)) == 0);
}

void sxt_json_append(struct sxt_json *array, struct sxt_json *value)
{
    SXT_CHECK(json_array_append_new(in(array), in(value)) == 0);
}

void sxt_json_print(const struct sxt_json *v, int indent, struct sxt_str *s)
{
    char *text = json_dumps(in(v), JSON_ENCODE_ANY | JSON_COMPACT |
                                       JSON_INDENT((size_t)indent) |
                                       JSON_REAL_PRECISION(17));

    SXT_CHECK(text != NULL);
    sxt_jsonbig_unmark((struct sxt_span){ text, strlen(text) }, s);
    free(text);
}
