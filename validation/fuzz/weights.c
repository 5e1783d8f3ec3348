/* weights.c - fuzz target: the header of a safetensors file.
 *
 * Input: HEADER NUL DATA; the length before the header is put there. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "fuzz.h"
#include "model/safetensors.h"

static const char *const files[] = { "{@t}\1@d", "{@t, @t}\1@d",
                                     "{\"__metadata__\": {\"format\": \"pt\"}, "
                                     "@t}\1@d",
                                     NULL };
static const char *const tensors[] = {
    "\"@k\": {\"dtype\": \"@y\", \"shape\": [@n], \"data_offsets\": [@n, @n]}",
    "\"@k\": {\"dtype\": \"BF16\", \"shape\": [2, 2], \"data_offsets\": [0, "
    "8]}",
    "\"@k\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [8, 12]}",
    "\"@k\": {\"dtype\": \"F32\", \"shape\": [], \"data_offsets\": [0, 4]}",
    NULL
};
static const char *const names[] = { "a",       "model.embed_tokens.weight",
                                     "b",       "",
                                     "\\u0000", "__metadata__",
                                     "a b",     NULL };
static const char *const types[] = { "BF16", "F16", "F32", "F64",
                                     "I64",  "",    NULL };
static const char *const numbers[] = { "0",
                                       "1",
                                       "2",
                                       "4",
                                       "8",
                                       "12",
                                       "-1",
                                       "1.5",
                                       "9223372036854775807",
                                       "4611686018427387904",
                                       "4294967296",
                                       NULL };
static const char *const bytes[] = { "",     "0123", "01234567", "0123456789AB",
                                     "@d@d", NULL };

const struct fuzz_grammar fuzz_grammar = {
    .rules = { ['f' - 'a'] = files,
               ['t' - 'a'] = tensors,
               ['k' - 'a'] = names,
               ['y' - 'a'] = types,
               ['n' - 'a'] = numbers,
               ['d' - 'a'] = bytes },
    .start = "@f",
};

/* Every byte of the data is in exactly one tensor, and can be read. */
static void check_tensors(const struct sxt_st_in *in, size_t data_bytes)
{
    size_t n, total = 0;
    const struct sxt_st_tensor *t = sxt_st_tensors(in, &n);
    struct sxt_error err = { 0 };

    for (size_t i = 0; i < n; i++) {
        size_t size = sxt_st_type_size(t[i].type) * t[i].count;
        total += size;
        SXT_CHECK(total <= data_bytes);
        SXT_CHECK(sxt_st_find(in, t[i].name) == &t[i]);
        void *to = sxt_alloc(size, 1);
        SXT_CHECK(sxt_st_read(in, &t[i], 0, t[i].count, to, &err) == 0);
        free(to);
    }
    SXT_CHECK(total == data_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sxt_span rest = { (const char *)data, size };
    struct sxt_span header = fuzz_part(&rest);
    struct sxt_str file = SXT_STR_EMPTY;
    struct sxt_error err = { 0 };
    char path[32];
    int fd;

    for (int i = 0; i < 8; i++)
        sxt_str_add_char(&file, (char)(header.len >> (8 * i)));
    sxt_str_add_bytes(&file, header.data, header.len);
    sxt_str_add_bytes(&file, rest.data, rest.len);

    fuzz_start();
    fuzz_file((struct sxt_span){ file.data, file.len }, &fd, path);
    struct sxt_st_in *in = sxt_st_open(path, &err);
    SXT_CHECK((in != NULL) == (err.code == 0));
    if (in) {
        check_tensors(in, rest.len);
        sxt_st_close(in);
    }
    close(fd);
    fuzz_stop(FUZZ_BYTES);
    sxt_str_free(&file);
    return 0;
}
