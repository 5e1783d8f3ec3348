/* safetensors_parse.c - the header of a weight file: trust nothing. */
#include "model/safetensors_parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MAX_NAME_BYTES = 256 };

/* In the order in which Hugging Face sorts types. */
static const struct {
    const char *name;
    size_t size;
} types[] = {
    [SXT_ST_F16] = { "F16", 2 },
    [SXT_ST_BF16] = { "BF16", 2 },
    [SXT_ST_F32] = { "F32", 4 },
};

size_t sxt_st_type_size(enum sxt_st_type type)
{
    return types[type].size;
}

/* ---- one tensor's entry in a header ---- */

/* Names go into messages and files: no controls, nothing endless. */
bool sxt_st_printable(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++)
        if (name[i] < 0x20 || name[i] > 0x7e)
            return false;
    return n > 0 && n < MAX_NAME_BYTES;
}

static int read_dtype(struct sxt_st_tensor *t, const struct sxt_json *v,
                      const char *path, struct sxt_error *err)
{
    const char *name = sxt_json_string(v, "(no text)");

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(name, types[i].name) == 0) {
            t->type = (enum sxt_st_type)i;
            return 0;
        }
    }
    return sxt_err(err, SXT_EXIT_DATA,
                   "%s: tensor %s: dtype %.20s is not one that Sextant reads "
                   "(F32, BF16, F16)",
                   path, t->name, name);
}

static int read_shape(struct sxt_st_tensor *t, const struct sxt_json *v,
                      const char *path, struct sxt_error *err)
{
    size_t n = sxt_json_count(v);

    if (sxt_json_type(v) != SXT_JSON_ARRAY || n > SXT_ST_MAX_DIMS)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: tensor %s: shape is no list of at most %d sizes",
                       path, t->name, SXT_ST_MAX_DIMS);
    t->n_dims = (int)n;
    t->count = 1;
    for (size_t i = 0; i < n; i++) {
        int64_t d = sxt_json_int(sxt_json_item(v, i), -1);
        if (d < 1)
            return sxt_err(err, SXT_EXIT_DATA,
                           "%s: tensor %s: shape holds something that is no "
                           "positive integer",
                           path, t->name);
        t->dims[i] = (uint64_t)d;
        if (__builtin_mul_overflow(t->count, t->dims[i], &t->count) ||
            t->count > INT64_MAX / 8)
            return sxt_err(err, SXT_EXIT_DATA,
                           "%s: tensor %s: the product of its shape overflows",
                           path, t->name);
    }
    return 0;
}

/* Offsets count from the data's begin; sets t->offset so for the moment. */
static int read_offsets(struct sxt_st_tensor *t, const struct sxt_json *v,
                        uint64_t data_bytes, const char *path,
                        struct sxt_error *err)
{
    int64_t begin = sxt_json_int(sxt_json_item(v, 0), -1);
    int64_t end = sxt_json_int(sxt_json_item(v, 1), -1);
    uint64_t bytes = t->count * sxt_st_type_size(t->type);

    if (sxt_json_type(v) != SXT_JSON_ARRAY || sxt_json_count(v) != 2 ||
        begin < 0 || end < begin || (uint64_t)end > data_bytes)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: tensor %s: data_offsets are not two integers in "
                       "order inside the %llu bytes of data",
                       path, t->name, (unsigned long long)data_bytes);
    if ((uint64_t)(end - begin) != bytes)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: tensor %s: its shape takes %llu bytes, its "
                       "data_offsets give %lld",
                       path, t->name, (unsigned long long)bytes,
                       (long long)(end - begin));
    t->offset = (uint64_t)begin;
    return 0;
}

static int read_entry(struct sxt_st_tensor *t, const struct sxt_json *v,
                      uint64_t data_bytes, const char *path,
                      struct sxt_error *err)
{
    if (sxt_json_type(v) != SXT_JSON_OBJECT || sxt_json_count(v) != 3)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: tensor %s: not dtype, shape and data_offsets", path,
                       t->name);
    if (read_dtype(t, sxt_json_get(v, "dtype"), path, err) != 0 ||
        read_shape(t, sxt_json_get(v, "shape"), path, err) != 0)
        return -1;
    return read_offsets(t, sxt_json_get(v, "data_offsets"), data_bytes, path,
                        err);
}

/* ---- a whole header ---- */

static int check_metadata(const struct sxt_json *v, const char *path,
                          struct sxt_error *err)
{
    const char *key = NULL;
    const struct sxt_json *item;

    if (sxt_json_type(v) != SXT_JSON_OBJECT)
        return sxt_err(err, SXT_EXIT_DATA, "%s: __metadata__ is no object",
                       path);
    while ((item = sxt_json_next(v, &key)) != NULL)
        if (sxt_json_type(item) != SXT_JSON_STRING)
            return sxt_err(err, SXT_EXIT_DATA,
                           "%s: __metadata__ holds something that is no text",
                           path);
    return 0;
}

static int by_offset(const void *a, const void *b)
{
    const struct sxt_st_tensor *x = a, *y = b;

    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* The tensors of one shard must tile its data; then make offsets absolute. */
static int check_tiling(struct sxt_st_tensor *t, size_t n, uint64_t data_at,
                        uint64_t data_bytes, const char *path,
                        struct sxt_error *err)
{
    uint64_t end = 0;

    qsort(t, n, sizeof(*t), by_offset);
    for (size_t i = 0; i < n; i++) {
        if (t[i].offset != end)
            return sxt_err(err, SXT_EXIT_DATA,
                           "%s: tensor %s begins at data byte %llu, the one "
                           "before it ends at %llu: %s",
                           path, t[i].name, (unsigned long long)t[i].offset,
                           (unsigned long long)end,
                           t[i].offset < end ? "they overlap" : "a hole");
        end += t[i].count * sxt_st_type_size(t[i].type);
        t[i].offset += data_at;
    }
    if (end != data_bytes)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: %llu bytes behind the last tensor", path,
                       (unsigned long long)(data_bytes - end));
    return 0;
}

int sxt_st_parse_header(struct sxt_st_list *list, const struct sxt_json *header,
                        const char *path, size_t shard, uint64_t data_at,
                        uint64_t data_bytes, struct sxt_error *err)
{
    const char *key = NULL;
    const struct sxt_json *v;
    size_t first = list->count;

    while ((v = sxt_json_next(header, &key)) != NULL) {
        if (strcmp(key, "__metadata__") == 0) {
            if (check_metadata(v, path, err) != 0)
                return -1;
            continue;
        }
        if (!sxt_st_printable(key))
            return sxt_err(err, SXT_EXIT_DATA,
                           "%s: the name of tensor %zu of its header is not "
                           "1 to %d printable characters",
                           path, list->count - first + 1, MAX_NAME_BYTES - 1);
        list->items = sxt_grow(list->items, &list->cap, list->count + 1,
                               sizeof(*list->items));
        struct sxt_st_tensor *t = &list->items[list->count++];
        *t = (struct sxt_st_tensor){ .name = sxt_strdup(key), .shard = shard };
        if (read_entry(t, v, data_bytes, path, err) != 0)
            return -1;
    }
    if (list->count == first && data_bytes == 0)
        return 0;
    if (list->count == first)
        return sxt_err(err, SXT_EXIT_DATA, "%s: %llu bytes of data, no tensor",
                       path, (unsigned long long)data_bytes);
    return check_tiling(list->items + first, list->count - first, data_at,
                        data_bytes, path, err);
}
