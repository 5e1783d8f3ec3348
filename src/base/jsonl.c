/* jsonl.c - JSON values one by one out of .jsonl, .json, .gz and .zst files. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/unpack.h"

enum { LINE_LIMIT = 1 << 30 };        /* bytes; a longer line is no record */
#define ARRAY_LIMIT ((size_t)4 << 30) /* bytes of a file that is one array */
enum { CHUNK = 65536 };

struct sxt_jsonl {
    struct sxt_unpack *file;
    char *path;
    size_t line;
    struct sxt_str text;
    char chunk[CHUNK]; /* read ahead: bytes at … have - 1 are to come */
    size_t at, have;
    struct sxt_json *array; /* the whole file, if it is one array */
};

/* More bytes in the chunk: 1, 0 at the end, -1 on failure. */
static int refill(struct sxt_jsonl *in, struct sxt_error *err)
{
    int n = sxt_unpack_read(in->file, in->chunk, CHUNK, err);

    in->at = 0;
    in->have = n > 0 ? (size_t)n : 0;
    return n < 0 ? -1 : n > 0;
}

/* Skip a byte order mark; a file that begins with '[' is one array, which is
 * read whole. */
static int begin(struct sxt_jsonl *in, struct sxt_error *err)
{
    int rc = refill(in, err);

    if (in->have >= 3 && memcmp(in->chunk, "\xEF\xBB\xBF", 3) == 0)
        in->at = 3;
    struct sxt_span s = { in->chunk + in->at, in->have - in->at };
    s = sxt_span_trim(s);
    if (s.len == 0 || s.data[0] != '[')
        return rc < 0 ? -1 : 0;
    while (rc > 0 && in->text.len <= ARRAY_LIMIT) {
        sxt_str_add_bytes(&in->text, in->chunk + in->at, in->have - in->at);
        rc = refill(in, err);
    }
    if (rc > 0)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: an array over 4 GiB; write one value a line",
                       in->path);
    if (rc == 0)
        in->array = sxt_json_parse(in->text.data, in->text.len, in->path, err);
    return in->array ? 0 : -1;
}

struct sxt_jsonl *sxt_jsonl_open(const char *path, struct sxt_error *err)
{
    struct sxt_unpack *file = sxt_unpack_open(path, err);

    if (!file)
        return NULL;
    struct sxt_jsonl *in = sxt_calloc(1, sizeof(*in));
    in->file = file;
    in->path = sxt_strdup(path);
    if (begin(in, err) != 0) {
        sxt_jsonl_close(in);
        return NULL;
    }
    return in;
}

bool sxt_jsonl_named(const char *path)
{
    return sxt_ends_with(path, ".jsonl") || sxt_ends_with(path, ".jsonl.gz") ||
           sxt_ends_with(path, ".jsonl.zst");
}

/* 1 with a line in in->text, 0 at the end, -1 on failure. */
static int read_line(struct sxt_jsonl *in, struct sxt_error *err)
{
    sxt_str_cut(&in->text, 0);
    for (;;) {
        int rc = in->at < in->have ? 1 : refill(in, err);
        if (rc < 0)
            return -1;
        if (rc == 0)
            return in->text.len > 0;
        const char *from = in->chunk + in->at;
        size_t left = in->have - in->at;
        const char *end = memchr(from, '\n', left);
        size_t n = end ? (size_t)(end - from) + 1 : left;
        sxt_str_add_bytes(&in->text, from, n);
        in->at += n;
        if (end)
            return 1;
        if (in->text.len > LINE_LIMIT)
            return sxt_err(err, SXT_EXIT_DATA, "%s:%zu: line over 1 GiB",
                           in->path, in->line + 1);
    }
}

static int next_line(struct sxt_jsonl *in, struct sxt_json **value,
                     size_t *line, struct sxt_error *err)
{
    for (;;) {
        int rc = read_line(in, err);
        if (rc <= 0)
            return rc;
        in->line++;
        struct sxt_span s = { in->text.data, in->text.len };
        s = sxt_span_trim(s);
        if (s.len == 0)
            continue;
        *line = in->line;
        char *where = sxt_printf("%s:%zu", in->path, in->line);
        *value = sxt_json_parse(s.data, s.len, where, err);
        free(where);
        return *value ? 1 : -1;
    }
}

int sxt_jsonl_next(struct sxt_jsonl *in, struct sxt_json **value, size_t *line,
                   struct sxt_error *err)
{
    if (!in->array)
        return next_line(in, value, line, err);
    if (in->line >= sxt_json_count(in->array))
        return 0;
    /* The caller frees what it gets, so the item leaves the array as a copy. */
    struct sxt_str text = SXT_STR_EMPTY;
    sxt_json_print(sxt_json_item(in->array, in->line), 0, &text);
    *line = ++in->line;
    *value = sxt_json_parse(text.data, text.len, in->path, err);
    sxt_str_free(&text);
    return *value ? 1 : -1;
}

void sxt_jsonl_close(struct sxt_jsonl *in)
{
    if (!in)
        return;
    sxt_unpack_close(in->file);
    sxt_json_free(in->array);
    sxt_str_free(&in->text);
    free(in->path);
    free(in);
}
