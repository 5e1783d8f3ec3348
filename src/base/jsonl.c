/* jsonl.c - JSON values one by one out of .jsonl, .json, .gz and .zst files. */
#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/file.h"
#include "base/mem.h"

enum { LINE_LIMIT = 1 << 30 }; /* bytes; a longer line is no record */
enum { CHUNK = 65536 };

struct sxt_jsonl {
    gzFile file; /* reads plain files as well */
    char *path;
    size_t line;
    struct sxt_str text;
    char chunk[CHUNK]; /* read ahead: bytes at … have - 1 are to come */
    size_t at, have;
    bool damaged;
    struct sxt_json *array; /* the whole file, if it is one array */
};

/* More bytes in the chunk: 1, 0 at the end, -1 on failure.  Damage is reported
 * once and then is the end, so that a reader that skips bad lines stops. */
static int refill(struct sxt_jsonl *in, struct sxt_error *err)
{
    int code = Z_OK, n = in->damaged ? 0 : gzread(in->file, in->chunk, CHUNK);

    in->at = 0;
    in->have = n > 0 ? (size_t)n : 0;
    if (n > 0 || in->damaged)
        return n > 0;
    /* A compressed file that ends too early gives its bytes first. */
    gzerror(in->file, &code);
    if (n == 0 && code != Z_BUF_ERROR)
        return 0;
    in->damaged = true;
    return sxt_err(err, SXT_EXIT_DATA, "%s: damaged compressed data", in->path);
}

/* A file whose first character is '[' is one array: read it whole. */
static int read_array(struct sxt_jsonl *in, struct sxt_error *err)
{
    int first, rc;

    do
        first = gzgetc(in->file);
    while (first == ' ' || first == '\n' || first == '\t' || first == '\r');
    gzrewind(in->file);
    if (first != '[')
        return 0;
    while ((rc = refill(in, err)) > 0)
        sxt_str_add_bytes(&in->text, in->chunk, in->have);
    if (rc == 0)
        in->array = sxt_json_parse(in->text.data, in->text.len, in->path, err);
    return in->array ? 0 : -1;
}

struct sxt_jsonl *sxt_jsonl_open(const char *path, struct sxt_error *err)
{
    struct stat info;

    if (stat(path, &info) != 0) {
        sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s", path);
        return NULL;
    }
    if (!S_ISREG(info.st_mode)) {
        sxt_err(err, SXT_EXIT_NOINPUT, "%s: not a regular file", path);
        return NULL;
    }
    gzFile file = gzopen(path, "rb");
    if (!file) {
        sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s", path);
        return NULL;
    }
    struct sxt_jsonl *in = sxt_calloc(1, sizeof(*in));
    in->file = file;
    in->path = sxt_strdup(path);
    if (read_array(in, err) != 0) {
        sxt_jsonl_close(in);
        return NULL;
    }
    return in;
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
        if (in->line == 1 && s.len >= 3 &&
            memcmp(s.data, "\xEF\xBB\xBF", 3) == 0)
            s = (struct sxt_span){ s.data + 3, s.len - 3 };
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
    gzclose(in->file);
    sxt_json_free(in->array);
    sxt_str_free(&in->text);
    free(in->path);
    free(in);
}
