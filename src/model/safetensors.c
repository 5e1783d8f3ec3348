/* safetensors.c - reading weight files: trust nothing, then read. */
#define _GNU_SOURCE
#include "model/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

/* The reference implementation's limit, too. */
enum { MAX_HEADER_BYTES = 100000000, MAX_NAME_BYTES = 256 };

struct shard {
    char *path; /* owned */
    int fd;
    uint64_t size; /* bytes when it was opened */
};

struct sxt_st_in {
    struct shard *shards;
    size_t n_shards;
    struct sxt_st_tensor *tensors; /* by name, once open is done */
    size_t n_tensors, cap_tensors;
};

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
static bool printable(const char *name)
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

static int by_name(const void *a, const void *b)
{
    const struct sxt_st_tensor *x = a, *y = b;

    return strcmp(x->name, y->name);
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

static int read_tensors(struct sxt_st_in *in, const struct sxt_json *header,
                        size_t shard, uint64_t data_at, struct sxt_error *err)
{
    const char *path = in->shards[shard].path, *key = NULL;
    uint64_t data_bytes = in->shards[shard].size - data_at;
    const struct sxt_json *v;
    size_t first = in->n_tensors;

    while ((v = sxt_json_next(header, &key)) != NULL) {
        if (strcmp(key, "__metadata__") == 0) {
            if (check_metadata(v, path, err) != 0)
                return -1;
            continue;
        }
        if (!printable(key))
            return sxt_err(err, SXT_EXIT_DATA,
                           "%s: the name of tensor %zu of its header is not "
                           "1 to %d printable characters",
                           path, in->n_tensors - first + 1, MAX_NAME_BYTES - 1);
        in->tensors = sxt_grow(in->tensors, &in->cap_tensors, in->n_tensors + 1,
                               sizeof(*in->tensors));
        struct sxt_st_tensor *t = &in->tensors[in->n_tensors++];
        *t = (struct sxt_st_tensor){ .name = sxt_strdup(key), .shard = shard };
        if (read_entry(t, v, data_bytes, path, err) != 0)
            return -1;
    }
    if (in->n_tensors == first && data_bytes == 0)
        return 0;
    return check_tiling(in->tensors + first, in->n_tensors - first, data_at,
                        data_bytes, path, err);
}

/* ---- files ---- */

static int read_at(const struct shard *s, uint64_t at, void *to, size_t n,
                   struct sxt_error *err)
{
    char *out = to;

    while (n > 0) {
        ssize_t got = pread(s->fd, out, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s: read at byte %llu",
                                 s->path, (unsigned long long)at);
        if (got == 0)
            return sxt_err(err, SXT_EXIT_DATA,
                           "%s: ends at byte %llu, it was longer when opened",
                           s->path, (unsigned long long)at);
        out += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return 0;
}

static int open_file(struct shard *s, enum sxt_exit absent,
                     struct sxt_error *err)
{
    struct stat info;

    s->fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (s->fd < 0)
        return sxt_err_errno(err, absent, "%s", s->path);
    if (fstat(s->fd, &info) != 0 || !S_ISREG(info.st_mode))
        return sxt_err(err, absent, "%s: not a regular file", s->path);
    s->size = (uint64_t)info.st_size;
    return 0;
}

/* Length of the header, checked against the file; 0 on failure. */
static uint64_t header_bytes(const struct shard *s, struct sxt_error *err)
{
    unsigned char raw[8];
    uint64_t n = 0;

    if (s->size < 8) {
        sxt_err(err, SXT_EXIT_DATA,
                "%s: %llu bytes are too few for a safetensors file", s->path,
                (unsigned long long)s->size);
        return 0;
    }
    if (read_at(s, 0, raw, 8, err) != 0)
        return 0;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | raw[i];
    if (n < 2 || n > MAX_HEADER_BYTES || n > s->size - 8) {
        sxt_err(err, SXT_EXIT_DATA,
                "%s: header length %llu is not in [2, %llu]", s->path,
                (unsigned long long)n,
                (unsigned long long)(s->size - 8 < MAX_HEADER_BYTES
                                         ? s->size - 8
                                         : MAX_HEADER_BYTES));
        return 0;
    }
    return n;
}

static int read_header(struct sxt_st_in *in, size_t shard,
                       struct sxt_error *err)
{
    const struct shard *s = &in->shards[shard];
    uint64_t n = header_bytes(s, err);
    struct sxt_json *header = NULL;
    int rc;

    if (n == 0)
        return -1;
    char *text = sxt_alloc(n, 1);
    rc = read_at(s, 8, text, n, err);
    if (rc == 0 && text[0] != '{')
        rc = sxt_err(err, SXT_EXIT_DATA,
                     "%s: byte 8: the header does not begin with {", s->path);
    if (rc == 0)
        header = sxt_json_parse(text, n, s->path, err);
    free(text);
    rc = header ? read_tensors(in, header, shard, 8 + n, err) : -1;
    sxt_json_free(header);
    return rc;
}

/* Take over a path (owned from now on), open it, read its header. */
static int add_shard(struct sxt_st_in *in, char *path, enum sxt_exit absent,
                     struct sxt_error *err)
{
    struct shard *s;

    in->shards = sxt_realloc(in->shards, in->n_shards + 1, sizeof(*in->shards));
    s = &in->shards[in->n_shards++];
    *s = (struct shard){ .path = path, .fd = -1 };
    if (open_file(s, absent, err) != 0)
        return -1;
    return read_header(in, in->n_shards - 1, err);
}

/* ---- directories ---- */

static bool plain_name(const struct sxt_json *v)
{
    const char *name = sxt_json_string(v, "");

    return strlen(name) == sxt_json_text(v).len && printable(name) &&
           !strchr(name, '/') && name[0] != '.' &&
           sxt_ends_with(name, ".safetensors");
}

/* Number of the shard with that file name, opened if it is new; or -1. */
static long shard_number(struct sxt_st_in *in, const char *dir,
                         const char *name, struct sxt_error *err)
{
    for (size_t i = 0; i < in->n_shards; i++)
        if (strcmp(sxt_path_base(in->shards[i].path), name) == 0)
            return (long)i;
    if (add_shard(in, sxt_path_join(dir, name), SXT_EXIT_DATA, err) != 0)
        return -1;
    return (long)in->n_shards - 1;
}

static int open_mapped_shards(struct sxt_st_in *in, const struct sxt_json *map,
                              const char *dir, const char *path,
                              struct sxt_error *err)
{
    const char *key = NULL;
    const struct sxt_json *v;

    if (sxt_json_type(map) != SXT_JSON_OBJECT || sxt_json_count(map) == 0)
        return sxt_err(err, SXT_EXIT_DATA, "%s: no weight_map", path);
    while ((v = sxt_json_next(map, &key)) != NULL) {
        if (!plain_name(v))
            return sxt_err(err, SXT_EXIT_DATA,
                           "%s: weight_map: %s: not the plain name of a "
                           ".safetensors file in the same directory",
                           path, printable(key) ? key : "(odd name)");
        if (shard_number(in, dir, sxt_json_string(v, ""), err) < 0)
            return -1;
    }
    return 0;
}

/* Every tensor is in the shard that the map says, and the map in no other. */
static int check_map(const struct sxt_st_in *in, const struct sxt_json *map,
                     const char *path, struct sxt_error *err)
{
    for (size_t i = 0; i < in->n_tensors; i++) {
        const struct sxt_st_tensor *t = &in->tensors[i];
        const char *file = sxt_path_base(in->shards[t->shard].path);
        const char *said =
            sxt_json_string(sxt_json_get(map, t->name), "no file");
        if (strcmp(said, file) != 0)
            return sxt_err(err, SXT_EXIT_DATA,
                           "%s: tensor %s is in %s, the map says %s", path,
                           t->name, file, said);
    }
    if (sxt_json_count(map) != in->n_tensors)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: names %zu tensors, the shards hold %zu", path,
                       sxt_json_count(map), in->n_tensors);
    return 0;
}

static int open_index(struct sxt_st_in *in, const char *dir, const char *path,
                      struct sxt_error *err)
{
    struct sxt_json *index = sxt_json_read(path, err);
    const struct sxt_json *map = sxt_json_get(index, "weight_map");
    int rc = -1;

    if (index && open_mapped_shards(in, map, dir, path, err) == 0)
        rc = check_map(in, map, path, err);
    sxt_json_free(index);
    return rc;
}

static int open_directory(struct sxt_st_in *in, const char *dir,
                          struct sxt_error *err)
{
    char *single = sxt_path_join(dir, "model.safetensors");
    char *index = sxt_path_join(dir, "model.safetensors.index.json");
    char *pickle = sxt_path_join(dir, "pytorch_model.bin");
    int rc;

    if (sxt_file_exists(single))
        rc = add_shard(in, sxt_strdup(single), SXT_EXIT_NOINPUT, err);
    else if (sxt_file_exists(index))
        rc = open_index(in, dir, index, err);
    else if (sxt_file_exists(pickle))
        rc = sxt_err(err, SXT_EXIT_DATA,
                     "%s: a pickle file runs code when it is read; convert it "
                     "with save_pretrained(safe_serialization=True)",
                     pickle);
    else
        rc = sxt_err(err, SXT_EXIT_NOINPUT,
                     "%s: no model.safetensors and no "
                     "model.safetensors.index.json",
                     dir);
    free(pickle);
    free(index);
    free(single);
    return rc;
}

static int sort_by_name(struct sxt_st_in *in, const char *path,
                        struct sxt_error *err)
{
    if (in->n_tensors == 0)
        return sxt_err(err, SXT_EXIT_DATA, "%s: holds no tensor", path);
    qsort(in->tensors, in->n_tensors, sizeof(*in->tensors), by_name);
    for (size_t i = 1; i < in->n_tensors; i++)
        if (by_name(&in->tensors[i - 1], &in->tensors[i]) == 0)
            return sxt_err(err, SXT_EXIT_DATA, "%s: tensor %s is there twice",
                           path, in->tensors[i].name);
    return 0;
}

struct sxt_st_in *sxt_st_open(const char *path, struct sxt_error *err)
{
    struct sxt_st_in *in = sxt_calloc(1, sizeof(*in));
    int rc;

    if (sxt_file_is_directory(path))
        rc = open_directory(in, path, err);
    else
        rc = add_shard(in, sxt_strdup(path), SXT_EXIT_NOINPUT, err);
    if (rc == 0)
        rc = sort_by_name(in, path, err);
    if (rc != 0) {
        sxt_st_close(in);
        return NULL;
    }
    return in;
}

void sxt_st_close(struct sxt_st_in *in)
{
    if (!in)
        return;
    for (size_t i = 0; i < in->n_tensors; i++)
        free(in->tensors[i].name);
    for (size_t i = 0; i < in->n_shards; i++) {
        if (in->shards[i].fd >= 0)
            close(in->shards[i].fd);
        free(in->shards[i].path);
    }
    free(in->tensors);
    free(in->shards);
    free(in);
}

const struct sxt_st_tensor *sxt_st_tensors(const struct sxt_st_in *in,
                                           size_t *count)
{
    *count = in->n_tensors;
    return in->tensors;
}

const struct sxt_st_tensor *sxt_st_find(const struct sxt_st_in *in,
                                        const char *name)
{
    struct sxt_st_tensor key = { .name = (char *)(uintptr_t)name };

    return bsearch(&key, in->tensors, in->n_tensors, sizeof(key), by_name);
}

const char *sxt_st_path(const struct sxt_st_in *in, size_t shard)
{
    return shard < in->n_shards ? in->shards[shard].path : NULL;
}

int sxt_st_read(const struct sxt_st_in *in, const struct sxt_st_tensor *tensor,
                uint64_t first, uint64_t count, void *to, struct sxt_error *err)
{
    size_t size = sxt_st_type_size(tensor->type);

    SXT_CHECK(first <= tensor->count && count <= tensor->count - first);
    return read_at(&in->shards[tensor->shard], tensor->offset + first * size,
                   to, count * size, err);
}
