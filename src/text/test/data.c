/* data.c - the tokenizers of Qwen2.5 and SmolLM2 on real text, against ids of
 * the tokenizers library; needs $SXT_TEST_DATA. */
#include <stdlib.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "text/chat.h"
#include "text/normal.h"
#include "text/tokenizer.h"

static struct sxt_tokenizer *load(const char *path)
{
    struct sxt_str text = SXT_STR_EMPTY;
    struct sxt_error err = { 0 };
    struct sxt_tokenizer *tok = NULL;

    if (sxt_file_read(path, &text, &err) == 0)
        tok = sxt_tokenizer_parse(text.data, text.len, path, &err);
    if (!tok)
        printf("# %s\n", err.text);
    sxt_str_free(&text);
    return tok;
}

/* ---- texts with their ids */

static size_t explicit_cases, explicit_wrong;

static void test_text(const struct sxt_tokenizer *tok,
                      const struct sxt_json *line)
{
    struct sxt_span text = sxt_json_text(sxt_json_get(line, "text"));
    const struct sxt_json *expected = sxt_json_get(line, "ids");
    struct sxt_ids ids = { 0 };
    bool same;

    sxt_tokenizer_encode(
        tok, text.data, text.len,
        (enum sxt_added_kind)sxt_json_int(sxt_json_get(line, "added"), -1),
        &ids);
    same = ids.len == sxt_json_count(expected);
    for (size_t i = 0; same && i < ids.len; i++)
        same = ids.data[i] == sxt_json_int(sxt_json_item(expected, i), -1);
    explicit_cases++;
    if (!same && explicit_wrong++ < 5)
        printf("#   \"%.*s\"\n", (int)text.len, text.data);
    sxt_ids_free(&ids);
}

/* ---- whole data files, block by block */

/* The string members of a file's records, in order. */
struct texts {
    struct sxt_span *items;
    struct sxt_json **records;
    size_t n, cap, n_records, records_cap;
    char *path;
};

static void texts_free(struct texts *t)
{
    for (size_t i = 0; i < t->n_records; i++)
        sxt_json_free(t->records[i]);
    free(t->records);
    free(t->items);
    free(t->path);
    *t = (struct texts){ 0 };
}

static void texts_add(struct texts *t, struct sxt_json *record)
{
    const struct sxt_json *value;
    const char *key = NULL;

    t->records = sxt_grow(t->records, &t->records_cap, t->n_records + 1,
                          sizeof(*t->records));
    t->records[t->n_records++] = record;
    while ((value = sxt_json_next(record, &key))) {
        if (sxt_json_type(value) != SXT_JSON_STRING)
            continue;
        t->items = sxt_grow(t->items, &t->cap, t->n + 1, sizeof(*t->items));
        t->items[t->n++] = sxt_json_text(value);
    }
}

static void texts_read(struct texts *t, const char *path)
{
    struct sxt_json *record;
    size_t line;

    texts_free(t);
    t->path = sxt_strdup(path);
    struct sxt_jsonl *in = sxt_jsonl_open(path, NULL);
    while (in && sxt_jsonl_next(in, &record, &line, NULL) == 1)
        texts_add(t, record);
    sxt_jsonl_close(in);
}

/* Decoding gives the text again, in normal form where the tokenizer has it. */
static bool comes_back(const struct sxt_tokenizer *tok,
                       const struct sxt_ids *ids, struct sxt_span text)
{
    struct sxt_str back = SXT_STR_EMPTY, space = SXT_STR_EMPTY;
    bool same;

    sxt_tokenizer_decode(tok, ids->data, ids->len, false, &back);
    same = back.len == text.len &&
           (text.len == 0 || memcmp(back.data, text.data, text.len) == 0);
    if (!same) {
        text = sxt_normal_nfc(text, &space);
        same =
            back.len == text.len && memcmp(back.data, text.data, text.len) == 0;
    }
    sxt_str_free(&back);
    sxt_str_free(&space);
    return same;
}

static size_t block_texts, lost;

static void test_block(const struct sxt_tokenizer *tok, const char *data,
                       const struct sxt_json *line, struct texts *texts)
{
    const char *file = sxt_json_string(sxt_json_get(line, "file"), "");
    size_t first = (size_t)sxt_json_int(sxt_json_get(line, "first"), 0);
    size_t n = (size_t)sxt_json_int(sxt_json_get(line, "texts"), 0);
    size_t count = 0;
    struct sxt_str bytes = SXT_STR_EMPTY;
    char *path = sxt_path_join(data, file), digest[SXT_SHA256_TEXT];
    const int32_t end = -1;

    if (!texts->path || strcmp(path, texts->path) != 0)
        texts_read(texts, path);
    for (size_t i = first; i < first + n && i < texts->n; i++) {
        struct sxt_span text = texts->items[i];
        struct sxt_ids ids = { 0 };
        sxt_tokenizer_encode(tok, text.data, text.len, SXT_ADDED_NONE, &ids);
        lost += !comes_back(tok, &ids, text);
        count += ids.len + 1;
        sxt_str_add_bytes(&bytes, ids.data, ids.len * sizeof(int32_t));
        sxt_str_add_bytes(&bytes, &end, sizeof(end));
        sxt_ids_free(&ids);
        block_texts++;
    }
    sxt_sha256(bytes.data, bytes.len, digest);
    digest[16] = '\0';
    ok(strcmp(digest, sxt_json_string(sxt_json_get(line, "sha256"), "")) == 0,
       "%s: texts %zu to %zu give the library's %zu ids", file, first,
       first + n, count);
    sxt_str_free(&bytes);
    free(path);
}

static void test_golden(const struct sxt_tokenizer *tok, const char *data,
                        const char *name)
{
    const char *src = getenv("SRCDIR") ? getenv("SRCDIR") : ".";
    char *path =
        sxt_printf("%s/validation/golden/tokenizer-%s.jsonl", src, name);
    struct sxt_error err = { 0 };
    struct sxt_jsonl *in = sxt_jsonl_open(path, &err);
    struct sxt_json *line;
    struct texts texts = { 0 };
    size_t number;

    explicit_cases = explicit_wrong = block_texts = lost = 0;
    while (in && sxt_jsonl_next(in, &line, &number, &err) == 1) {
        if (sxt_json_get(line, "text"))
            test_text(tok, line);
        else
            test_block(tok, data, line, &texts);
        sxt_json_free(line);
    }
    ok(explicit_cases > 300 && explicit_wrong == 0,
       "%s: the library's ids for %zu edge cases and random texts", name,
       explicit_cases);
    ok(block_texts > 10000 && lost == 0, "%s: %zu of %zu texts come back", name,
       block_texts - lost, block_texts);
    texts_free(&texts);
    sxt_jsonl_close(in);
    free(path);
}

/* ---- what is known about Qwen2.5 */

/* Texts separated by a line `__ggml_vocab_test__`; a line of ids for each. */
static void test_vectors(const struct sxt_tokenizer *tok, const char *data)
{
    static const char mark[] = "\n__ggml_vocab_test__\n";
    char *in_path = sxt_path_join(data, "qwen2.5-tokenizer/vectors.inp");
    char *out_path = sxt_path_join(data, "qwen2.5-tokenizer/vectors.out");
    struct sxt_str in = SXT_STR_EMPTY, out = SXT_STR_EMPTY;
    int n = 0, wrong = 0;

    if (sxt_file_read(in_path, &in, NULL) == 0 &&
        sxt_file_read(out_path, &out, NULL) == 0) {
        char *text = in.data, *line = out.data, *next;
        while ((next = strstr(text, mark))) {
            struct sxt_ids ids = { 0 };
            struct sxt_str got = SXT_STR_EMPTY;
            size_t len = strcspn(line, "\n");
            sxt_tokenizer_encode(tok, text, (size_t)(next - text),
                                 SXT_ADDED_NONE, &ids);
            for (size_t i = 0; i < ids.len; i++)
                sxt_str_add(&got, " %d", ids.data[i]);
            wrong += got.len != len || memcmp(got.data, line, len) != 0;
            n++;
            sxt_ids_free(&ids);
            sxt_str_free(&got);
            text = next + strlen(mark);
            line += len + 1;
        }
    }
    ok(n >= 45 && wrong == 0, "%d vectors of another implementation", n);
    sxt_str_free(&in);
    sxt_str_free(&out);
    free(in_path);
    free(out_path);
}

/* The ids that the vendor's template gives for this conversation. */
static void test_chat(const struct sxt_tokenizer *tok)
{
    static const int32_t expected[] = {
        151644, 8948, 198,    2610, 525,    264,   10950, 323,   89867,
        17847,  13,   1446,   1265, 1744,   3019,  14319, 29208, 13,
        151645, 198,  151644, 872,  198,    4340,  1657,  435,   304,
        72600,  13,   151645, 198,  151644, 77091, 198
    };
    const struct sxt_message messages[] = {
        { "system", sxt_span("You are a helpful and truthful assistant. You "
                             "should think step-by-step.") },
        { "user", sxt_span("How many r in strawberry.") },
    };
    struct sxt_chat chat;
    struct sxt_ids ids = { 0 };

    if (!ok(sxt_chat_init(&chat, tok, NULL) == 0, "it has a chat template"))
        return;
    sxt_chat_render(&chat, messages, 2, true, &ids);
    ok(ids.len == sizeof(expected) / sizeof(expected[0]) &&
           memcmp(ids.data, expected, sizeof(expected)) == 0,
       "a chat has the published ids");
    ok(sxt_tokenizer_size(tok) == 151665, "151665 ids");
    ok(sxt_tokenizer_id(tok, "<|endoftext|>") == 151643, "<|endoftext|>");
    sxt_ids_free(&ids);
}

int main(void)
{
    static const char *const names[] = { "qwen2.5", "smollm2" };
    const char *data = getenv("SXT_TEST_DATA");

    if (!data)
        return skip_all("SXT_TEST_DATA names no folder with test data");
    for (int i = 0; i < 2; i++) {
        char *path =
            sxt_printf("%s/%s-tokenizer/tokenizer.json", data, names[i]);
        struct sxt_tokenizer *tok = NULL;
        if (!sxt_file_exists(path))
            printf("# %s is missing: %s not tested\n", path, names[i]);
        else if (ok((tok = load(path)) != NULL, "%s loads", names[i]))
            test_golden(tok, data, names[i]);
        if (tok && i == 0) {
            test_vectors(tok, data);
            test_chat(tok);
        }
        sxt_tokenizer_destroy(tok);
        free(path);
    }
    return tap_count == 0 ? skip_all("no tokenizer in SXT_TEST_DATA")
                          : done_testing();
}
