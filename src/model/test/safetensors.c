/* safetensors.c - tests of weight files: good ones, broken ones, hostile ones.
 */
#define _GNU_SOURCE
#include "model/safetensors.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "num/dtype.h"

static char dir[] = "/tmp/sxt-safetensors-XXXXXX";

static char *in_dir(const char *name)
{
    return sxt_path_join(dir, name);
}

static void put(const char *name, const void *data, size_t n)
{
    char *path = in_dir(name);
    FILE *f = fopen(path, "w"); /* thousands of files: not synced */

    SXT_CHECK(f && fwrite(data, 1, n, f) == n && fclose(f) == 0);
    free(path);
}

static void drop(const char *name)
{
    char *path = in_dir(name);

    SXT_CHECK(sxt_file_remove(path, NULL) == 0);
    free(path);
}

/* Length, header, data_bytes of zeros. */
static void put_file(const char *name, uint64_t length, const char *header,
                     size_t header_bytes, size_t data_bytes)
{
    struct sxt_str s = SXT_STR_EMPTY;

    for (int i = 0; i < 8; i++)
        sxt_str_add_char(&s, (char)(length >> 8 * i & 0xff));
    sxt_str_add_bytes(&s, header, header_bytes);
    for (size_t i = 0; i < data_bytes; i++)
        sxt_str_add_char(&s, 0);
    put(name, s.data, s.len);
    sxt_str_free(&s);
}

static void put_header(const char *name, const char *header, size_t data_bytes)
{
    put_file(name, strlen(header), header, strlen(header), data_bytes);
}

static int try_open(const char *name, struct sxt_error *err)
{
    char *path = in_dir(name);
    struct sxt_st_in *in = sxt_st_open(path, err);

    free(path);
    sxt_st_close(in);
    return in ? 0 : -1;
}

static void refused(const char *name, const char *what, const char *message)
{
    struct sxt_error err = { 0 };
    int rc = try_open(name, &err);

    ok(rc == -1 && err.code == SXT_EXIT_DATA && strstr(err.text, message),
       "%s: %.200s", what, rc == 0 ? "accepted" : err.text);
}

/* ---- headers ---- */

#define ONE(dtype, shape, offsets)                 \
    "{\"a\":{\"dtype\":" dtype ",\"shape\":" shape \
    ",\"data_offsets\":" offsets "}}"
#define TWO(offsets_a, offsets_b)                                          \
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" offsets_a  \
    "},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" offsets_b \
    "}}"

static const struct {
    const char *what, *header;
    size_t data_bytes;
    const char *message; /* NULL: good */
} headers[] = {
    { "a good one", ONE("\"F32\"", "[2]", "[0,8]"), 8, NULL },
    { "a scalar", ONE("\"BF16\"", "[]", "[0,2]"), 2, NULL },
    { "F16", ONE("\"F16\"", "[2,2]", "[0,8]"), 8, NULL },
    { "spaces behind the header", ONE("\"F32\"", "[2]", "[0,8]") "      ", 8,
      NULL },
    { "unsorted but tiling", TWO("[8,16]", "[0,8]"), 16, NULL },
    { "no tensor", "{}", 0, "holds no tensor" },
    { "metadata only", "{\"__metadata__\":{\"format\":\"pt\"}}", 0,
      "holds no tensor" },
    { "metadata of numbers", "{\"__metadata__\":{\"a\":1}}", 0,
      "__metadata__ holds something that is no text" },
    { "metadata as a list", "{\"__metadata__\":[]}", 0,
      "__metadata__ is no object" },
    { "not an object", "[1,2,3]", 0, "byte 8: the header does not begin" },
    { "no JSON", "{\"a\":", 0, "1:5" },
    { "text behind the JSON", "{} {}", 0, "1:" },
    { "invalid UTF-8", "{\"\xff\":{}}", 0, "unable to decode byte 0xff" },
    { "lone surrogate", "{\"\\ud800\":{}}", 0, "1:" },
    { "NUL in a name", "{\"a\\u0000b\":{}}", 0, "1:" },
    { "escape sequence in a name", "{\"\\u001b[2J\":{}}", 0,
      "the name of tensor 1" },
    { "empty name", "{\"\":{}}", 0, "the name of tensor 1" },
    { "same tensor twice",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
      "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
      8, "duplicate object key" },
    { "same key twice",
      "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1]}}", 4,
      "duplicate object key" },
    { "a number for a tensor", "{\"a\":7}", 0,
      "not dtype, shape and data_offsets" },
    { "a fourth member",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],"
      "\"x\":1}}",
      4, "not dtype, shape and data_offsets" },
    { "unknown dtype", ONE("\"I4\"", "[2]", "[0,8]"), 8, "dtype I4" },
    { "dtype as a number", ONE("7", "[2]", "[0,8]"), 8, "dtype (no text)" },
    { "dtype and bytes do not match", ONE("\"BF16\"", "[2]", "[0,8]"), 8,
      "takes 4 bytes, its data_offsets give 8" },
    { "shape and bytes do not match", ONE("\"F32\"", "[3]", "[0,8]"), 8,
      "takes 12 bytes, its data_offsets give 8" },
    { "2^32 x 2^32", ONE("\"F32\"", "[4294967296,4294967296]", "[0,0]"), 0,
      "the product of its shape overflows" },
    { "2^61", ONE("\"F32\"", "[2305843009213693952]", "[0,0]"), 0,
      "the product of its shape overflows" },
    { "2^64", ONE("\"F32\"", "[18446744073709551616]", "[0,0]"), 0, "integer" },
    { "five dimensions", ONE("\"F32\"", "[1,1,1,1,1]", "[0,4]"), 4,
      "at most 4 sizes" },
    { "shape as text", ONE("\"F32\"", "\"2\"", "[0,8]"), 8, "shape is no" },
    { "size as text", ONE("\"F32\"", "[\"2\"]", "[0,8]"), 8,
      "no positive integer" },
    { "nothing inside", ONE("\"F32\"", "[0]", "[0,0]"), 0,
      "no positive integer" },
    { "negative size", ONE("\"F32\"", "[-2]", "[0,8]"), 8,
      "no positive integer" },
    { "size with a fraction", ONE("\"F32\"", "[2.0]", "[0,8]"), 8,
      "no positive integer" },
    { "negative offset", ONE("\"F32\"", "[2]", "[-8,0]"), 8,
      "data_offsets are not" },
    { "offset with a fraction", ONE("\"F32\"", "[2]", "[0,8.0]"), 8,
      "data_offsets are not" },
    { "offset as text", ONE("\"F32\"", "[2]", "[0,\"8\"]"), 8,
      "data_offsets are not" },
    { "offsets swapped", ONE("\"F32\"", "[2]", "[8,0]"), 8,
      "data_offsets are not" },
    { "three offsets", ONE("\"F32\"", "[2]", "[0,8,8]"), 8,
      "data_offsets are not" },
    { "offset behind the end", ONE("\"F32\"", "[4]", "[0,16]"), 8,
      "data_offsets are not" },
    { "overlap", TWO("[0,8]", "[4,12]"), 12, "they overlap" },
    { "the same place twice", TWO("[0,8]", "[0,8]"), 8, "they overlap" },
    { "hole", TWO("[0,8]", "[12,20]"), 20, "a hole" },
    { "hole before the first", ONE("\"F32\"", "[2]", "[4,12]"), 12, "a hole" },
    { "trailing bytes", ONE("\"F32\"", "[2]", "[0,8]"), 9,
      "1 bytes behind the last tensor" },
};

static void test_headers(void)
{
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct sxt_error err = { 0 };
        put_header("t.safetensors", headers[i].header, headers[i].data_bytes);
        if (headers[i].message)
            refused("t.safetensors", headers[i].what, headers[i].message);
        else
            ok(try_open("t.safetensors", &err) == 0, "%s: accepted %s",
               headers[i].what, err.text);
    }
    drop("t.safetensors");
}

static void test_lengths(void)
{
    static const struct {
        const char *what;
        uint64_t length;
    } lengths[] = {
        { "header length 0", 0 },
        { "header length 1", 1 },
        { "header longer than the file", 3 },
        { "header length 2^31", UINT64_C(1) << 31 },
        { "header length 2^63", UINT64_C(1) << 63 },
        { "header length 2^64 - 1", UINT64_MAX },
        { "header length 2^64 - 8", UINT64_MAX - 7 },
    };
    struct sxt_str deep = SXT_STR_EMPTY;
    struct sxt_error err = { 0 };
    char *path = in_dir("t.safetensors");

    put("t.safetensors", "", 0);
    refused("t.safetensors", "no byte", "too few");
    put("t.safetensors", "\2\0\0\0\0\0\0", 7);
    refused("t.safetensors", "7 bytes", "too few");
    put("t.safetensors", "\2\0\0\0\0\0\0\0", 8);
    refused("t.safetensors", "8 bytes", "header length 2 is not in");
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        put_file("t.safetensors", lengths[i].length, "{}", 2, 0);
        refused("t.safetensors", lengths[i].what, "header length");
    }
    /* A sparse file: the length fits, and would take 100 MB of JSON. */
    put_file("t.safetensors", 100000001, "{}", 2, 0);
    SXT_CHECK(truncate(path, 200000000) == 0);
    refused("t.safetensors", "header above 100 MB", "header length");
    drop("t.safetensors");
    free(path);

    for (size_t i = 0; i < 100000; i++)
        sxt_str_add(&deep, "{\"a\":");
    put_header("t.safetensors", deep.data, 0);
    refused("t.safetensors", "100,000 levels", "depth");
    sxt_str_free(&deep);
    drop("t.safetensors");
    ok(try_open("t.safetensors", &err) == -1 && err.code == SXT_EXIT_NOINPUT,
       "a missing file: %s", err.text);
}

/* ---- a whole small file, byte by byte ---- */

static char *golden(const char *name)
{
    const char *top = getenv("SRCDIR");
    char *folder = sxt_path_join(top ? top : ".", "validation/golden");
    char *path = sxt_path_join(folder, name);

    free(folder);
    return path;
}

static float element(const struct sxt_st_in *in, const char *name, uint64_t i)
{
    const struct sxt_st_tensor *t = sxt_st_find(in, name);
    uint16_t half;
    float x;

    SXT_CHECK(t != NULL);
    if (t->type == SXT_ST_F32) {
        SXT_CHECK(sxt_st_read(in, t, i, 1, &x, NULL) == 0);
        return x;
    }
    SXT_CHECK(sxt_st_read(in, t, i, 1, &half, NULL) == 0);
    return sxt_bf16_to_f32(half);
}

static void test_golden(const char *path)
{
    struct sxt_error err = { 0 };
    struct sxt_st_in *in = sxt_st_open(path, &err);
    const struct sxt_st_tensor *t;
    size_t n = 0;

    if (!ok(in != NULL, "Hugging Face's file opens %s", err.text))
        return;
    t = sxt_st_tensors(in, &n);
    ok(n == 4 && strcmp(t[0].name, "a.bias") == 0 &&
           strcmp(t[3].name, "z.weight") == 0,
       "its tensors, by name");
    t = sxt_st_find(in, "z.weight");
    ok(t && t->type == SXT_ST_BF16 && t->n_dims == 2 && t->dims[0] == 3 &&
           t->dims[1] == 5 && t->count == 15,
       "shape and type of one");
    ok(element(in, "z.weight", 14) == 8.0f &&
           element(in, "a.bias", 6) == 5.0f &&
           element(in, "b.weight", 1) == 3.5f &&
           element(in, "a.weight", 0) == 4,
       "its values");
    ok(!sxt_st_find(in, "b.bias"), "an unknown name is not found");
    sxt_st_close(in);
}

/* Read all there is, so that ASan sees every access. */
static int read_all(const char *name)
{
    char *path = in_dir(name);
    struct sxt_error err = { 0 };
    struct sxt_st_in *in = sxt_st_open(path, &err);
    int rc = in ? 0 : -1;
    size_t n = 0;

    free(path);
    if (!in)
        return err.code == SXT_EXIT_DATA ? -1 : -2;
    const struct sxt_st_tensor *t = sxt_st_tensors(in, &n);
    for (size_t i = 0; i < n; i++) {
        char *data = sxt_alloc(t[i].count, sxt_st_type_size(t[i].type));
        if (sxt_st_read(in, &t[i], 0, t[i].count, data, NULL) != 0)
            rc = -2;
        free(data);
    }
    sxt_st_close(in);
    return rc;
}

static void test_every_byte(const char *path)
{
    struct sxt_str file = SXT_STR_EMPTY;
    size_t accepted = 0, odd = 0, header;

    SXT_CHECK(sxt_file_read(path, &file, NULL) == 0);
    for (size_t n = 0; n < file.len; n++) {
        put("t.safetensors", file.data, n);
        accepted += read_all("t.safetensors") != -1;
    }
    ok(accepted == 0, "cut at any of %zu bytes: refused with exit 65",
       file.len);

    header = 8 + (unsigned char)file.data[0] +
             256 * (size_t)(unsigned char)file.data[1];
    for (size_t bit = 0; bit < 8 * header; bit++) {
        file.data[bit / 8] ^= (char)(1 << bit % 8);
        put("t.safetensors", file.data, file.len);
        int rc = read_all("t.safetensors");
        accepted += rc == 0;
        odd += rc == -2;
        file.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    ok(odd == 0, "any bit of the header flipped: refused, or a file as good");
    ok(accepted < 8 * header / 2,
       "of %zu flips %zu leave a valid file (names, metadata)", 8 * header,
       accepted);
    sxt_str_free(&file);
    drop("t.safetensors");
}

/* ---- writing ---- */

static struct sxt_st_tensor tensors[] = {
    { .name = (char[]){ "a.bias" },
      .type = SXT_ST_F32,
      .n_dims = 1,
      .dims = { 7 },
      .count = 7 },
    { .name = (char[]){ "z.weight" },
      .type = SXT_ST_BF16,
      .n_dims = 2,
      .dims = { 3, 5 },
      .count = 15 },
    { .name = (char[]){ "a.weight" },
      .type = SXT_ST_BF16,
      .n_dims = 1,
      .dims = { 4 },
      .count = 4 },
    { .name = (char[]){ "b.weight" },
      .type = SXT_ST_F32,
      .n_dims = 2,
      .dims = { 2, 3 },
      .count = 6 },
};
static const float starts[] = { 2, 1, 4, 3 };
enum { N_TENSORS = sizeof(tensors) / sizeof(tensors[0]) };

static int write_model(uint64_t shard_bytes, struct sxt_error *err)
{
    struct sxt_st_out *out = sxt_st_create(dir, sxt_comm_self(), tensors,
                                           N_TENSORS, shard_bytes, err);

    if (!out)
        return -1;
    for (size_t i = 0; i < N_TENSORS; i++) {
        for (uint64_t k = 0; k < tensors[i].count; k++) {
            float x = starts[i] + 0.5f * (float)k;
            uint16_t half = sxt_f32_to_bf16(x);
            const void *from =
                tensors[i].type == SXT_ST_F32 ? (void *)&x : (void *)&half;
            if (sxt_st_write(out, i, k, 1, from, err) != 0) {
                sxt_st_abandon(out);
                return -1;
            }
        }
    }
    return sxt_st_commit(out, err);
}

static void test_write_one(const char *path)
{
    struct sxt_error err = { 0 };
    struct sxt_str a = SXT_STR_EMPTY, b = SXT_STR_EMPTY;
    char *mine = in_dir("model.safetensors");

    ok(write_model(1 << 20, &err) == 0, "one file is written %s", err.text);
    ok(sxt_file_read(path, &a, NULL) == 0 &&
           sxt_file_read(mine, &b, NULL) == 0 && a.len == b.len &&
           memcmp(a.data, b.data, a.len) == 0,
       "the same bytes as Hugging Face's library writes");
    ok(write_model(1 << 20, &err) == -1 && strstr(err.text, "there already"),
       "a second model into the same directory is refused: %s", err.text);
    drop("model.safetensors");
    sxt_str_free(&a);
    sxt_str_free(&b);
    free(mine);
}

static const char index_name[] = "model.safetensors.index.json";

static void put_index(const char *text)
{
    put(index_name, text, strlen(text));
}

static void test_shards(void)
{
    struct sxt_error err = { 0 };
    struct sxt_st_in *in;
    size_t n;

    /* 28 | 30 + 8 | 24 bytes */
    ok(write_model(40, &err) == 0, "three shards are written %s", err.text);
    in = sxt_st_open(dir, &err);
    ok(in != NULL, "and open together %s", err.text);
    if (in) {
        const struct sxt_st_tensor *t = sxt_st_tensors(in, &n);
        bool same = n == N_TENSORS && t != NULL;
        for (size_t i = 0; i < N_TENSORS; i++)
            for (uint64_t k = 0; k < tensors[i].count; k++)
                same = same && element(in, tensors[i].name, k) ==
                                   starts[i] + 0.5f * (float)k;
        ok(same, "with the same values");
    }
    sxt_st_close(in);
    ok(write_model(40, &err) == -1, "again into the same directory: refused");
}

static const struct {
    const char *what, *map, *message;
} maps[] = {
    { "a path", "{\"a.bias\": \"../model-00001-of-00003.safetensors\"}",
      "not the plain name" },
    { "an absolute path", "{\"a.bias\": \"/etc/passwd\"}",
      "not the plain name" },
    { "the directory itself", "{\"a.bias\": \".\"}", "not the plain name" },
    { "another kind of file", "{\"a.bias\": \"config.json\"}",
      "not the plain name" },
    { "a number", "{\"a.bias\": 1}", "not the plain name" },
    { "a NUL", "{\"a.bias\": \"x\\u0000.safetensors\"}", "not the plain name" },
    { "a missing shard", "{\"a.bias\": \"none.safetensors\"}",
      "none.safetensors: No such file" },
    { "a missing tensor",
      "{\"a.bias\": \"model-00001-of-00003.safetensors\", \"x\": "
      "\"model-00001-of-00003.safetensors\"}",
      "names 2 tensors, the shards hold 1" },
    { "a tensor it does not name",
      "{\"a.bias\": \"model-00001-of-00003.safetensors\", \"a.weight\": "
      "\"model-00002-of-00003.safetensors\"}",
      "tensor z.weight is in model-00002-of-00003.safetensors, the map says "
      "no file" },
    { "the wrong shard",
      "{\"a.bias\": \"model-00003-of-00003.safetensors\", \"b.weight\": "
      "\"model-00001-of-00003.safetensors\"}",
      "the map says" },
    { "no map", "{}", "no weight_map" },
    { "a list", "[]", "no weight_map" },
};

static void test_index(void)
{
    struct sxt_error err = { 0 };

    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
        struct sxt_str text = SXT_STR_EMPTY;
        struct sxt_error e = { 0 };
        sxt_str_add(&text, "{\"weight_map\": %s}", maps[i].map);
        put_index(text.data);
        struct sxt_st_in *in = sxt_st_open(dir, &e);
        ok(!in && e.code == SXT_EXIT_DATA && strstr(e.text, maps[i].message),
           "index with %s: %s", maps[i].what, e.text);
        sxt_st_close(in);
        sxt_str_free(&text);
    }
    drop(index_name);
    ok(!sxt_st_open(dir, &err) && err.code == SXT_EXIT_NOINPUT &&
           strstr(err.text, "no model.safetensors"),
       "an empty directory: %s", err.text);
    put("pytorch_model.bin", "x", 1);
    ok(!sxt_st_open(dir, &err) && strstr(err.text, "runs code"),
       "a pickle file: %s", err.text);
    drop("pytorch_model.bin");
}

int main(int argc, char **argv)
{
    char *path = golden("tiny.safetensors");

    sxt_comm_init(&argc, &argv);
    SXT_CHECK(mkdtemp(dir) != NULL);
    test_headers();
    test_lengths();
    test_golden(path);
    test_every_byte(path);
    test_write_one(path);
    test_shards();
    test_index();
    for (int i = 1; i <= 3; i++) {
        char *name = sxt_printf("model-%05d-of-00003.safetensors", i);
        drop(name);
        free(name);
    }
    ok(rmdir(dir) == 0, "nothing else is left in the directory");
    free(path);
    sxt_comm_finalize();
    return done_testing();
}
