/* safetensors.c - reading weight files, single or in shards. */
#define _GNU_SOURCE
#include "model/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/safetensors_parse.h"

/* The reference implementation's limit, too. */
enum { MAX_HEADER_BYTES = 100000000 };

struct shard {
    char *path; /* owned */
    int fd;
    uint64_t size; /* bytes when it was opened */
};

struct sxt_st_in {
    struct shard *shards;
    size_t n_shards;
    struct sxt_st_list tensors; /* by name, once open is done */
};

static int by_name(const void *a, const void *b)
{
    const struct sxt_st_tensor *x = a, *y = b;

    return strcmp(x->name, y->name);
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
    rc = header ? sxt_st_parse_header(&in->tensors, header, s->path, shard,
                                      8 + n, s->size - 8 - n, err)
                : -1;
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

    return strlen(name) == sxt_json_text(v).len && sxt_st_printable(name) &&
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
                           path, sxt_st_printable(key) ? key : "(odd name)");
        if (shard_number(in, dir, sxt_json_string(v, ""), err) < 0)
            return -1;
    }
    return 0;
}

/* Every tensor is in the shard that the map says, and the map in no other. */
static int check_map(const struct sxt_st_in *in, const struct sxt_json *map,
                     const char *path, struct sxt_error *err)
{
    for (size_t i = 0; i < in->tensors.count; i++) {
        const struct sxt_st_tensor *t = &in->tensors.items[i];
        const char *file = sxt_path_base(in->shards[t->shard].path);
        const char *said =
            sxt_json_string(sxt_json_get(map, t->name), "no file");
        if (strcmp(said, file) != 0)
            return sxt_err(err, SXT_EXIT_DATA,
                           "%s: tensor %s is in %s, the map says %s", path,
                           t->name, file, said);
    }
    if (sxt_json_count(map) != in->tensors.count)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: names %zu tensors, the shards hold %zu", path,
                       sxt_json_count(map), in->tensors.count);
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
    if (in->tensors.count == 0)
        return sxt_err(err, SXT_EXIT_DATA, "%s: holds no tensor", path);
    qsort(in->tensors.items, in->tensors.count, sizeof(*in->tensors.items),
          by_name);
    for (size_t i = 1; i < in->tensors.count; i++)
        if (by_name(&in->tensors.items[i - 1], &in->tensors.items[i]) == 0)
            return sxt_err(err, SXT_EXIT_DATA, "%s: tensor %s is there twice",
                           path, in->tensors.items[i].name);
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
    for (size_t i = 0; i < in->tensors.count; i++)
        free(in->tensors.items[i].name);
    for (size_t i = 0; i < in->n_shards; i++) {
        if (in->shards[i].fd >= 0)
            close(in->shards[i].fd);
        free(in->shards[i].path);
    }
    free(in->tensors.items);
    free(in->shards);
    free(in);
}

const struct sxt_st_tensor *sxt_st_tensors(const struct sxt_st_in *in,
                                           size_t *count)
{
    *count = in->tensors.count;
    return in->tensors.items;
}

const struct sxt_st_tensor *sxt_st_find(const struct sxt_st_in *in,
                                        const char *name)
{
    struct sxt_st_tensor key = { .name = (char *)(uintptr_t)name };

    return bsearch(&key, in->tensors.items, in->tensors.count, sizeof(key),
                   by_name);
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
