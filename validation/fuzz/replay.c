/* replay.c - gives a target the inputs of its list, without a fuzzer.
 *
 *     NAME.t                    run $SRCDIR/validation/fuzz/NAME.in, say TAP
 *     NAME.t unpack DIRECTORY   write each input into a file of its own
 *     NAME.t pack FILE...       print the inputs in files as lines of the list
 *
 * An input is a line; bytes that are not printable ASCII, and '%', are %XX.
 * Lines that begin with '#', and blank ones, are comments. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "fuzz.h"

static int digit(char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

static void decode(struct sxt_span line, struct sxt_str *out)
{
    sxt_str_cut(out, 0);
    for (size_t i = 0; i < line.len; i++) {
        int high = i + 2 < line.len ? digit(line.data[i + 1]) : -1;
        int low = i + 2 < line.len ? digit(line.data[i + 2]) : -1;
        bool escape = line.data[i] == '%' && high >= 0 && low >= 0;
        sxt_str_add_char(out, escape ? (char)(16 * high + low) : line.data[i]);
        i += escape ? 2 : 0;
    }
}

static void encode(const struct sxt_str *text)
{
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->data[i];
        bool plain = isprint(c) && c != '%' && !(i == 0 && c == '#') &&
                     !(c == ' ' && (i == 0 || i + 1 == text->len));
        printf(plain ? "%c" : "%%%02X", c);
    }
    putchar('\n');
}

/* The next input; false at the end.  *line counts lines. */
static bool next_input(struct sxt_span *rest, size_t *line,
                       struct sxt_str *input)
{
    while (rest->len > 0) {
        const char *end = memchr(rest->data, '\n', rest->len);
        size_t n = end ? (size_t)(end - rest->data) : rest->len;
        struct sxt_span text =
            sxt_span_trim((struct sxt_span){ rest->data, n });
        rest->data += n + (end != NULL);
        rest->len -= n + (end != NULL);
        ++*line;
        if (text.len == 0 || text.data[0] == '#')
            continue;
        decode(text, input);
        return true;
    }
    return false;
}

/* The input alone in its memory, so that a sanitizer sees its borders. */
static void give(const struct sxt_str *input)
{
    uint8_t *copy = sxt_alloc(input->len, 1);

    if (input->len > 0)
        memcpy(copy, input->data, input->len);
    LLVMFuzzerTestOneInput(copy, input->len);
    free(copy);
}

static void write_file(const char *directory, size_t number,
                       const struct sxt_str *input)
{
    char *path = sxt_printf("%s/%zu", directory, number);
    FILE *f = fopen(path, "wb");

    SXT_CHECK(f && fwrite(input->data, 1, input->len, f) == input->len);
    SXT_CHECK(fclose(f) == 0);
    free(path);
}

static int pack(int n, char **paths)
{
    struct sxt_error err;

    for (int i = 0; i < n; i++) {
        struct sxt_str text = SXT_STR_EMPTY;
        if (sxt_file_read(paths[i], &text, &err) != 0) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        encode(&text);
        sxt_str_free(&text);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *name =
        strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    const char *tree = getenv("SRCDIR");
    struct sxt_str list = SXT_STR_EMPTY, input = SXT_STR_EMPTY;
    struct sxt_error err;
    size_t line = 0, n = 0;

    if (argc > 2 && strcmp(argv[1], "pack") == 0)
        return pack(argc - 2, argv + 2);
    char *path = sxt_printf("%s/validation/fuzz/%.*s.in", tree ? tree : ".",
                            (int)strcspn(name, "."), name);
    if (sxt_file_read(path, &list, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    struct sxt_span rest = { list.data, list.len };
    for (; next_input(&rest, &line, &input); n++) {
        if (argc > 2) {
            write_file(argv[2], n, &input);
            continue;
        }
        printf("# line %zu\n", line); /* the last one is the culprit */
        fflush(stdout);
        give(&input);
    }
    sxt_str_free(&list);
    sxt_str_free(&input);
    free(path);
    if (argc > 2)
        return 0;
    ok(n > 0, "%zu inputs hold the promises", n);
    return done_testing();
}
