/* safetensors_out.c - writing weight files as Hugging Face's library does. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "model/safetensors.h"

struct out_shard {
    char *path, *part; /* owned */
    int fd;
    uint64_t size; /* bytes of the whole file */
};

struct sxt_st_out {
    struct sxt_comm comm;
    char *directory;
    struct sxt_st_tensor *tensors; /* in the caller's order; names borrowed */
    size_t n_tensors;
    struct out_shard *shards;
    size_t n_shards;
    bool failed;
};

static uint64_t tensor_bytes(const struct sxt_st_tensor *t)
{
    return t->count * sxt_st_type_size(t->type);
}

/* ---- the plan: which tensor where ---- */

/* Fill shards in the caller's order; a tensor is never split. */
static void assign_shards(struct sxt_st_out *out, uint64_t shard_bytes)
{
    uint64_t used = 0;

    out->n_shards = 1;
    for (size_t i = 0; i < out->n_tensors; i++) {
        uint64_t bytes = tensor_bytes(&out->tensors[i]);
        if (used > 0 && used + bytes > shard_bytes) {
            out->n_shards++;
            used = 0;
        }
        out->tensors[i].shard = out->n_shards - 1;
        used += bytes;
    }
}

static void name_shards(struct sxt_st_out *out)
{
    out->shards = sxt_calloc(out->n_shards, sizeof(*out->shards));
    for (size_t i = 0; i < out->n_shards; i++) {
        struct out_shard *s = &out->shards[i];
        char *name = out->n_shards == 1
                         ? sxt_strdup("model.safetensors")
                         : sxt_printf("model-%05zu-of-%05zu.safetensors", i + 1,
                                      out->n_shards);
        s->path = sxt_path_join(out->directory, name);
        s->part = sxt_printf("%s.part", s->path);
        s->fd = -1;
        free(name);
    }
}

/* Wider types first, so that data stays aligned; then by name. */
static int by_type_and_name(const void *a, const void *b)
{
    const struct sxt_st_tensor *x = *(struct sxt_st_tensor *const *)a;
    const struct sxt_st_tensor *y = *(struct sxt_st_tensor *const *)b;

    if (x->type != y->type)
        return x->type < y->type ? 1 : -1;
    return strcmp(x->name, y->name);
}

static void add_entry(struct sxt_str *header, const struct sxt_st_tensor *t)
{
    static const char *const names[] = { "F16", "BF16", "F32" };
    uint64_t end = t->offset + tensor_bytes(t);

    sxt_str_add(header, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", t->name,
                names[t->type]);
    for (int d = 0; d < t->n_dims; d++)
        sxt_str_add(header, "%s%llu", d > 0 ? "," : "",
                    (unsigned long long)t->dims[d]);
    sxt_str_add(header, "],\"data_offsets\":[%llu,%llu]}",
                (unsigned long long)t->offset, (unsigned long long)end);
}

/* Place the tensors of one shard, append its length and header. */
static void place_tensors(struct sxt_st_out *out, size_t shard,
                          struct sxt_str *header)
{
    struct sxt_st_tensor **list = sxt_alloc(out->n_tensors, sizeof(*list));
    uint64_t at = 0, length;
    size_t n = 0;

    for (size_t i = 0; i < out->n_tensors; i++)
        if (out->tensors[i].shard == shard)
            list[n++] = &out->tensors[i];
    qsort(list, n, sizeof(*list), by_type_and_name);

    sxt_str_add_bytes(header, "\0\0\0\0\0\0\0\0", 8);
    sxt_str_add(header, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (size_t i = 0; i < n; i++) {
        list[i]->offset = at;
        add_entry(header, list[i]);
        at += tensor_bytes(list[i]);
    }
    sxt_str_add(header, "}");
    while (header->len % 8 != 0)
        sxt_str_add_char(header, ' ');
    length = header->len - 8;
    for (int i = 0; i < 8; i++)
        header->data[i] = (char)(length >> 8 * i & 0xff);

    for (size_t i = 0; i < n; i++)
        list[i]->offset += header->len;
    out->shards[shard].size = header->len + at;
    free(list);
}

/* ---- files ---- */

static int write_at(const struct out_shard *s, uint64_t at, const void *from,
                    size_t n, struct sxt_error *err)
{
    const char *data = from;

    while (n > 0) {
        ssize_t done = pwrite(s->fd, data, n, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return sxt_err_errno(err, SXT_EXIT_IO, "%s: write at byte %llu",
                                 s->part, (unsigned long long)at);
        data += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return 0;
}

/* Every rank knows the plan; rank 0 makes the files, the others open them. */
static int open_shards(struct sxt_st_out *out, bool make, struct sxt_error *err)
{
    int flags = O_WRONLY | O_CLOEXEC | (make ? O_CREAT | O_TRUNC : 0);
    int rc = 0;

    for (size_t i = 0; i < out->n_shards && rc == 0; i++) {
        struct out_shard *s = &out->shards[i];
        struct sxt_str header = SXT_STR_EMPTY;
        place_tensors(out, i, &header);
        s->fd = open(s->part, flags, 0666);
        if (s->fd < 0)
            rc = sxt_err_errno(err, SXT_EXIT_IO, "%s", s->part);
        else if (make && ftruncate(s->fd, (off_t)s->size) != 0)
            rc = sxt_err_errno(err, SXT_EXIT_IO, "%s: resize", s->part);
        else if (make)
            rc = write_at(s, 0, header.data, header.len, err);
        sxt_str_free(&header);
    }
    return rc;
}

/* Another model in the same directory would be mixed with this one. */
static int refuse_other_model(const char *directory, struct sxt_error *err)
{
    static const char *const names[] = { "model.safetensors",
                                         "model.safetensors.index.json" };
    int rc = 0;

    for (size_t i = 0; i < 2 && rc == 0; i++) {
        char *path = sxt_path_join(directory, names[i]);
        if (sxt_file_exists(path))
            rc = sxt_err(err, SXT_EXIT_IO,
                         "%s is there already; remove it or give another "
                         "directory",
                         path);
        free(path);
    }
    return rc;
}

static void free_out(struct sxt_st_out *out)
{
    for (size_t i = 0; i < out->n_shards; i++) {
        if (out->shards[i].fd >= 0)
            close(out->shards[i].fd);
        free(out->shards[i].path);
        free(out->shards[i].part);
    }
    free(out->shards);
    free(out->tensors);
    free(out->directory);
    free(out);
}

struct sxt_st_out *sxt_st_create(const char *directory, struct sxt_comm comm,
                                 const struct sxt_st_tensor *tensors, size_t n,
                                 uint64_t shard_bytes, struct sxt_error *err)
{
    struct sxt_st_out *out = sxt_calloc(1, sizeof(*out));
    int rc = 0;

    out->comm = comm;
    out->directory = sxt_strdup(directory);
    out->n_tensors = n;
    out->tensors = sxt_alloc(n, sizeof(*tensors));
    memcpy(out->tensors, tensors, n * sizeof(*tensors));
    assign_shards(out, shard_bytes);
    name_shards(out);

    if (comm.rank == 0)
        rc = refuse_other_model(directory, err);
    if (comm.rank == 0 && rc == 0)
        rc = open_shards(out, true, err);
    rc = sxt_comm_agree(comm, rc, err);
    if (rc == 0 && comm.rank != 0)
        rc = open_shards(out, false, err);
    if (sxt_comm_agree(comm, rc, err) != 0) {
        sxt_st_abandon(out);
        return NULL;
    }
    return out;
}

int sxt_st_write(struct sxt_st_out *out, size_t tensor, uint64_t first,
                 uint64_t count, const void *from, struct sxt_error *err)
{
    const struct sxt_st_tensor *t = &out->tensors[tensor];
    size_t size = sxt_st_type_size(t->type);

    SXT_CHECK(tensor < out->n_tensors && first <= t->count &&
              count <= t->count - first);
    if (write_at(&out->shards[t->shard], t->offset + first * size, from,
                 count * size, err) != 0) {
        out->failed = true;
        return -1;
    }
    return 0;
}

/* ---- the end ---- */

static int write_index(const struct sxt_st_out *out, struct sxt_error *err)
{
    struct sxt_json *index = sxt_json_object(), *meta = sxt_json_object();
    struct sxt_json *map = sxt_json_object();
    struct sxt_str text = SXT_STR_EMPTY;
    char *path = sxt_path_join(out->directory, "model.safetensors.index.json");
    uint64_t total = 0;
    int rc;

    for (size_t i = 0; i < out->n_tensors; i++) {
        const struct sxt_st_tensor *t = &out->tensors[i];
        const char *file = sxt_path_base(out->shards[t->shard].path);
        sxt_json_set(map, t->name, sxt_json_new_text(file, strlen(file)));
        total += tensor_bytes(t);
    }
    sxt_json_set(meta, "total_size", sxt_json_new_int((int64_t)total));
    sxt_json_set(index, "metadata", meta);
    sxt_json_set(index, "weight_map", map);
    sxt_json_print(index, 2, &text);
    sxt_str_add_char(&text, '\n');
    rc = sxt_file_write(path, text.data, text.len, err);
    sxt_json_free(index);
    sxt_str_free(&text);
    free(path);
    return rc;
}

static int sync_shards(const struct sxt_st_out *out, struct sxt_error *err)
{
    for (size_t i = 0; i < out->n_shards; i++)
        if (fsync(out->shards[i].fd) != 0)
            return sxt_err_errno(err, SXT_EXIT_IO, "%s: fsync",
                                 out->shards[i].part);
    return 0;
}

static int publish(const struct sxt_st_out *out, struct sxt_error *err)
{
    for (size_t i = 0; i < out->n_shards; i++)
        if (sxt_file_publish(out->shards[i].part, out->shards[i].path, err) !=
            0)
            return -1;
    return out->n_shards > 1 ? write_index(out, err) : 0;
}

int sxt_st_commit(struct sxt_st_out *out, struct sxt_error *err)
{
    int rc = 0;

    if (out->failed)
        rc = sxt_err(err, SXT_EXIT_IO, "%s: a write failed", out->directory);
    else
        rc = sync_shards(out, err);
    rc = sxt_comm_agree(out->comm, rc, err);
    if (rc == 0) {
        if (out->comm.rank == 0)
            rc = publish(out, err);
        rc = sxt_comm_agree(out->comm, rc, err);
    }
    if (rc != 0)
        sxt_st_abandon(out);
    else
        free_out(out);
    return rc;
}

void sxt_st_abandon(struct sxt_st_out *out)
{
    if (!out)
        return;
    /* Only parts: what has its final name already is complete. */
    for (size_t i = 0; i < out->n_shards && out->comm.rank == 0; i++)
        if (out->shards[i].fd >= 0)
            sxt_file_remove(out->shards[i].part, NULL);
    free_out(out);
}
