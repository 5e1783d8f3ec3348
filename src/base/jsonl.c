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

struct sxt_jsonl {
    gzFile file; /* reads plain files as well */
    char *path;
    size_t line;
    struct sxt_str text;
    struct sxt_json *array; /* the whole file, if it is one array */
};

/* A file whose first character is '[' is one array: read it whole. */
static int read_array(struct sxt_jsonl *in, struct sxt_error *err)
{
    char chunk[65536];
    int first, n;

    do
        first = gzgetc(in->file);
    while (first == ' ' || first == '\n' || first == '\t' || first == '\r');
    if (first != '[') {
        gzrewind(in->file);
        return 0;
    }
    sxt_str_add_char(&in->text, '[');
    while ((n = gzread(in->file, chunk, sizeof(chunk))) > 0)
        sxt_str_add_bytes(&in->text, chunk, (size_t)n);
    if (n < 0)
        return sxt_err(err, SXT_EXIT_DATA, "%s: damaged compressed data",
                       in->path);
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
    char chunk[65536];

    sxt_str_cut(&in->text, 0);
    while (gzgets(in->file, chunk, sizeof(chunk))) {
        sxt_str_add_bytes(&in->text, chunk, strlen(chunk));
        if (in->text.data[in->text.len - 1] == '\n')
            return 1;
        if (in->text.len > LINE_LIMIT)
            return sxt_err(err, SXT_EXIT_DATA, "%s:%zu: line over 1 GiB",
                           in->path, in->line + 1);
    }
    int code;
    gzerror(in->file, &code);
    if (code != Z_OK && code != Z_STREAM_END)
        return sxt_err(err, SXT_EXIT_DATA, "%s: damaged compressed data",
                       in->path);
    return in->text.len > 0;
}

static int next_line(struct sxt_jsonl *in, struct sxt_json **value,
                     size_t *line, struct sxt_error *err)
{
    for (;;) {
        int rc = read_line(in, err);
        if (rc <= 0)
            return rc;
        *line = ++in->line;
        struct sxt_span s = { in->text.data, in->text.len };
        if (in->line == 1 && s.len >= 3 && memcmp(s.data, "\xEF\xBB\xBF", 3) == 0)
            s = (struct sxt_span){ s.data + 3, s.len - 3 };
        s = sxt_span_trim(s);
        if (s.len == 0)
            continue;
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
