/* tokens.c - fuzz target: a tokenizer.json, and a text to encode with it.
 *
 * Input: TOKENIZER NUL TEXT; a small tokenizer of our own if there is none. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "text/tokenizer.h"

#define HEAD                                                           \
    "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null, " \
    "\"added_tokens\": [{\"id\": 9, \"content\": \"<|im_end|>\", "     \
    "\"single_word\": false, \"lstrip\": false, \"rstrip\": false, "   \
    "\"normalized\": false, \"special\": true}], \"normalizer\": "
#define MIDDLE ", \"pre_tokenizer\": "
#define TAIL                                                                 \
    ", \"post_processor\": null, \"decoder\": {\"type\": \"ByteLevel\", "    \
    "\"add_prefix_space\": false, \"trim_offsets\": false, \"use_regex\": "  \
    "false}, \"model\": {\"type\": \"BPE\", \"dropout\": null, "             \
    "\"unk_token\": null, \"continuing_subword_prefix\": null, "             \
    "\"end_of_word_suffix\": null, \"fuse_unk\": false, \"byte_fallback\": " \
    "false, \"ignore_merges\": false, \"vocab\": "
#define BYTE_LEVEL                                            \
    "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, " \
    "\"trim_offsets\": true, \"use_regex\": true}"
#define VOCAB                                                          \
    "{\"a\": 0, \"b\": 1, \"c\": 2, \"ab\": 3, \"abc\": 4, \"1\": 5, " \
    "\"\\u0120\": 6, \"\\u0120a\": 7, \"11\": 8}"
#define MERGES ", \"merges\": [\"a b\", \"ab c\", \"\\u0120 a\", \"1 1\"]}}"

static const char own[] =
    HEAD "{\"type\": \"NFC\"}" MIDDLE BYTE_LEVEL TAIL VOCAB MERGES;

static const char *const files[] = { HEAD "@z" MIDDLE "@p" TAIL "@v" MERGES
                                          "\1@t",
                                     "\1@t", NULL };
static const char *const normalizers[] = {
    "null",
    "{\"type\": \"NFC\"}",
    "{\"type\": \"NFKC\"}",
    "@j",
    "{\"type\": \"Sequence\", \"normalizers\": [@z]}",
    NULL
};
static const char *const splitters[] = {
    BYTE_LEVEL,
    "null",
    "{\"type\": \"Digits\", \"individual_digits\": true}",
    "{\"type\": \"Sequence\", \"pretokenizers\": [@p, @p]}",
    "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"@r\"}, \"behavior\": "
    "\"Isolated\", \"invert\": false}",
    "@j",
    NULL
};
static const char *const patterns[] = {
    "a",      "\\\\p{L}+", "\\\\s+(?!\\\\S)", "(a|b)*", "[^\\\\r\\\\n]",
    "(a*)*b", "",          "(?i:'s|'t)",      "(",      "\\\\d{1,3}",
    NULL
};
static const char *const vocabularies[] = {
    VOCAB, "{}", "{\"a\": 0}", "@j", "{\"a\": -1, \"b\": 4294967296}", NULL
};
static const char *const values[] = { "null",       "0",        "-1",
                                      "\"\"",       "[]",       "{}",
                                      "true",       "[@j, @j]", "{\"a\": @j}",
                                      "2147483648", "\"ab\"",   NULL };
static const char *const texts[] = {
    "abc",  "a b 11", "<|im_end|>", "\xC3\xA9", "e\xCC\x81",
    "\xFF", " a\n\n", "@t@t",       "it's",     "\xE0\xA4\xA8\xE0\xA4\xBC",
    NULL
};

const struct fuzz_grammar fuzz_grammar = {
    .rules = { ['f' - 'a'] = files,
               ['z' - 'a'] = normalizers,
               ['p' - 'a'] = splitters,
               ['r' - 'a'] = patterns,
               ['v' - 'a'] = vocabularies,
               ['j' - 'a'] = values,
               ['t' - 'a'] = texts },
    .start = "@f",
};

static void check_text(const struct sxt_tokenizer *tok, struct sxt_span text)
{
    for (int kind = SXT_ADDED_NONE; kind <= SXT_ADDED_ALL; kind++) {
        struct sxt_ids ids = { NULL, 0, 0 };
        struct sxt_str back = SXT_STR_EMPTY;
        sxt_tokenizer_encode(tok, text.data, text.len,
                             (enum sxt_added_kind)kind, &ids);
        for (size_t i = 0; i < ids.len; i++) {
            SXT_CHECK(ids.data[i] >= 0 &&
                      (size_t)ids.data[i] < sxt_tokenizer_size(tok));
            SXT_CHECK(kind == SXT_ADDED_ALL ||
                      !sxt_tokenizer_is_special(tok, ids.data[i]));
        }
        sxt_tokenizer_decode(tok, ids.data, ids.len, false, &back);
        sxt_ids_free(&ids);
        sxt_str_free(&back);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sxt_span rest = { (const char *)data, size };
    struct sxt_span json = fuzz_part(&rest);
    struct sxt_error err = { 0 };

    if (json.len == 0)
        json = sxt_span(own);
    fuzz_start();
    struct sxt_tokenizer *tok =
        sxt_tokenizer_parse(json.data, json.len, "tokenizer", &err);
    SXT_CHECK((tok != NULL) == (err.code == 0));
    SXT_CHECK(tok || json.data != own);
    if (tok)
        check_text(tok, rest);
    sxt_tokenizer_destroy(tok);
    fuzz_stop(FUZZ_BYTES);
    return 0;
}
