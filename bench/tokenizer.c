/* tokenizer.c - encoding speed of one thread.
 *
 * usage: tokenizer TOKENIZER.json FILE [MIN_SECONDS]
 *
 * FILE: JSONL; the texts are the string members of its records.  Prints "texts
 * bytes ids seconds MB/s", the best of several passes over all texts.  CPU
 * time, so that other work on the machine does not count. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "text/tokenizer.h"

struct texts {
    struct sxt_span *items;
    size_t n, cap, bytes;
};

static int fail(const struct sxt_error *err)
{
    fprintf(stderr, "tokenizer: %s\n", err->text);
    return err->code;
}

static int read_texts(const char *path, struct texts *t, struct sxt_error *err)
{
    struct sxt_jsonl *in = sxt_jsonl_open(path, err);
    const struct sxt_json *value;
    struct sxt_json *record; /* kept: the spans point into it */
    size_t line;
    int rc = in ? 1 : -1;

    while (rc == 1 && (rc = sxt_jsonl_next(in, &record, &line, err)) == 1) {
        const char *key = NULL;
        while ((value = sxt_json_next(record, &key))) {
            struct sxt_span s = sxt_json_text(value);
            if (!s.data)
                continue;
            t->items = sxt_grow(t->items, &t->cap, t->n + 1, sizeof(s));
            t->items[t->n++] = s;
            t->bytes += s.len;
        }
    }
    sxt_jsonl_close(in);
    return rc;
}

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static double pass(const struct sxt_tokenizer *tok, const struct texts *t,
                   size_t *n_ids)
{
    struct sxt_ids ids = { 0 };
    double start = cpu_seconds();

    *n_ids = 0;
    for (size_t i = 0; i < t->n; i++) {
        ids.len = 0;
        sxt_tokenizer_encode(tok, t->items[i].data, t->items[i].len, true,
                             &ids);
        *n_ids += ids.len;
    }
    double seconds = cpu_seconds() - start;
    sxt_ids_free(&ids);
    return seconds;
}

int main(int argc, char **argv)
{
    struct sxt_error err = { 0 };
    struct sxt_str json = SXT_STR_EMPTY;
    struct texts texts = { 0 };
    double min_seconds = argc > 3 ? atof(argv[3]) : 3;
    double total = 0, best = 1e30;
    size_t n_ids = 0;

    if (argc < 3) {
        fprintf(stderr, "usage: tokenizer TOKENIZER.json FILE [SECONDS]\n");
        return SXT_EXIT_USAGE;
    }
    if (sxt_file_read(argv[1], &json, &err) != 0 ||
        read_texts(argv[2], &texts, &err) != 0)
        return fail(&err);
    double start = cpu_seconds();
    struct sxt_tokenizer *tok =
        sxt_tokenizer_parse(json.data, json.len, argv[1], &err);
    if (!tok)
        return fail(&err);
    fprintf(stderr, "loaded in %.2f s\n", cpu_seconds() - start);
    while (total < min_seconds) {
        double seconds = pass(tok, &texts, &n_ids);
        total += seconds;
        best = seconds < best ? seconds : best;
    }
    printf("%zu %zu %zu %.4f %.2f\n", texts.n, texts.bytes, n_ids, best,
           (double)texts.bytes / best * 1e-6);
    return 0;
}
