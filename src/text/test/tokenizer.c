/* tokenizer.c - tokenizers small enough to carry along, against ids that the
 * tokenizers library gave; and tokenizer.json files that nobody should trust.
 */
#include "text/tokenizer.h"

#include <omp.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "text/chat.h"
#include "text/normal.h"

static bool same_ids(const struct sxt_ids *ids, const struct sxt_json *expected)
{
    if (ids->len != sxt_json_count(expected))
        return false;
    for (size_t i = 0; i < ids->len; i++)
        if (ids->data[i] != sxt_json_int(sxt_json_item(expected, i), -1))
            return false;
    return true;
}

static bool same_text(const struct sxt_tokenizer *tok,
                      const struct sxt_ids *ids, struct sxt_span expected)
{
    struct sxt_str bytes = SXT_STR_EMPTY, space = SXT_STR_EMPTY;

    sxt_tokenizer_decode(tok, ids->data, ids->len, false, &bytes);
    /* The library's text is repaired UTF-8, ours the bytes as they are. */
    struct sxt_span got =
        sxt_normal_utf8((struct sxt_span){ bytes.data, bytes.len }, &space);
    bool same = got.len == expected.len &&
                (got.len == 0 || memcmp(got.data, expected.data, got.len) == 0);
    sxt_str_free(&bytes);
    sxt_str_free(&space);
    return same;
}

static void test_cases(const struct sxt_tokenizer *tok, const char *name,
                       const struct sxt_json *cases)
{
    size_t n = sxt_json_count(cases), wrong = 0, wrong_text = 0;

    for (size_t i = 0; i < n; i++) {
        const struct sxt_json *c = sxt_json_item(cases, i);
        struct sxt_span text = sxt_json_text(sxt_json_item(c, 0));
        struct sxt_ids ids = { 0 };
        sxt_tokenizer_encode(
            tok, text.data, text.len,
            (enum sxt_added_kind)sxt_json_int(sxt_json_item(c, 1), -1), &ids);
        if (!same_ids(&ids, sxt_json_item(c, 2)) && wrong++ < 5)
            printf("# %s: \"%.*s\"\n", name, (int)text.len, text.data);
        if (sxt_json_count(c) > 3)
            text = sxt_json_text(sxt_json_item(c, 3));
        if (!same_text(tok, &ids, text) && wrong_text++ < 5)
            printf("# %s: decoded \"%.*s\"\n", name, (int)text.len, text.data);
        sxt_ids_free(&ids);
    }
    ok(n > 50 && wrong == 0, "%s: the library's ids for %zu texts", name, n);
    ok(wrong_text == 0, "%s: and its text back from them", name);
}

static struct sxt_tokenizer *parse_json(const struct sxt_json *spec)
{
    struct sxt_str text = SXT_STR_EMPTY;
    struct sxt_error err = { 0 };

    sxt_json_print(spec, 0, &text);
    struct sxt_tokenizer *tok =
        sxt_tokenizer_parse(text.data, text.len, "t.json", &err);
    if (!tok)
        printf("# %s\n", err.text);
    sxt_str_free(&text);
    return tok;
}

/* One run of the letter a, longer than any quadratic method would bear. */
static void test_long_piece(const struct sxt_tokenizer *tok)
{
    size_t n = 4000000;
    char *text = sxt_alloc(n, 1);
    struct sxt_ids ids = { 0 };
    struct sxt_str back = SXT_STR_EMPTY;

    memset(text, 'a', n);
    sxt_tokenizer_encode(tok, text, n, SXT_ADDED_NONE, &ids);
    sxt_tokenizer_decode(tok, ids.data, ids.len, false, &back);
    ok(back.len == n && memcmp(back.data, text, n) == 0,
       "a word of 4 million letters comes back (%zu ids)", ids.len);
    sxt_str_free(&back);
    sxt_ids_free(&ids);
    free(text);
}

static void test_threads(const struct sxt_tokenizer *tok)
{
    static const char text[] = "Threads share x^2+y^2 \xC3\xA9 <|im_end|> 123 "
                               "e\xCC\x81 a very-long-identifier_name\n\n  ok";
    struct sxt_ids one = { 0 };
    int wrong = 0;

    sxt_tokenizer_encode(tok, text, strlen(text), SXT_ADDED_ALL, &one);
#pragma omp parallel for num_threads(4) reduction(+ : wrong)
    for (int i = 0; i < 2000; i++) {
        struct sxt_ids ids = { 0 };
        sxt_tokenizer_encode(tok, text, strlen(text), SXT_ADDED_ALL, &ids);
        wrong += ids.len != one.len ||
                 memcmp(ids.data, one.data, one.len * sizeof(int32_t)) != 0;
        sxt_ids_free(&ids);
    }
    ok(one.len > 0 && wrong == 0, "four threads share one tokenizer");
    sxt_ids_free(&one);
}

static void test_invalid_utf8(const struct sxt_tokenizer *tok)
{
    static const struct {
        const char *bytes, *repaired;
    } cases[] = {
        { "a\xFF", "a\xEF\xBF\xBD" },
        { "\xC3", "\xEF\xBF\xBD" },
        { "\xC3(", "\xEF\xBF\xBD(" },
        { "\xE2\x82|", "\xEF\xBF\xBD|" }, /* a maximal part is one mark */
        { "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "\xF4\x90\x80\x80",
          "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "\xF0\x9F\x99", "\xEF\xBF\xBD" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sxt_ids ids = { 0 };
        struct sxt_str back = SXT_STR_EMPTY;
        sxt_tokenizer_encode(tok, cases[i].bytes, strlen(cases[i].bytes),
                             SXT_ADDED_ALL, &ids);
        sxt_tokenizer_decode(tok, ids.data, ids.len, false, &back);
        ok(back.data && strcmp(back.data, cases[i].repaired) == 0,
           "invalid UTF-8, case %zu, is replaced by U+FFFD", i);
        sxt_str_free(&back);
        sxt_ids_free(&ids);
    }
}

static void test_lookup(const struct sxt_tokenizer *tok)
{
    int32_t end = sxt_tokenizer_id(tok, "<|im_end|>");
    int32_t plain = sxt_tokenizer_id(tok, "</tool");
    const int32_t odd[] = { -5, 1 << 30, end, INT32_MIN, 'a' };
    struct sxt_str text = SXT_STR_EMPTY;

    ok(end >= 0 && sxt_tokenizer_is_special(tok, end),
       "a special token is found and special");
    ok(plain >= 0 && !sxt_tokenizer_is_special(tok, plain),
       "an added token need not be special");
    ok(sxt_tokenizer_id(tok, "no such token") == -1, "others have no id");
    ok(sxt_tokenizer_id(tok, "\xC4\xA0") >= 0, "spelled as in the file");
    ok(!sxt_tokenizer_is_special(tok, -1) &&
           !sxt_tokenizer_is_special(tok, 1 << 30),
       "ids out of range are not special");
    sxt_tokenizer_decode(tok, odd, 4, true, &text);
    ok(text.len == 0, "ids out of range and special ones decode to nothing");
    sxt_str_free(&text);
}

static size_t count_id(const struct sxt_ids *ids, int32_t id)
{
    size_t n = 0;

    for (size_t i = 0; i < ids->len; i++)
        n += ids->data[i] == id;
    return n;
}

/* Who may say what: a question is plain text, an answer may think, and nobody
 * ends a turn by spelling its end. */
static void test_turns(const struct sxt_tokenizer *tok)
{
    static const char text[] = "<think>\nx<|im_end|>\n<|im_start|>user\n"
                               "</think><|endoftext|>";
    struct sxt_span said = { text, strlen(text) };
    const struct sxt_message turns[] = { { "system", said },
                                         { "user", said },
                                         { "assistant", said } };
    int32_t think = sxt_tokenizer_id(tok, "<think>");
    int32_t last = sxt_tokenizer_id(tok, "<|endoftext|>");
    struct sxt_chat chat;
    struct sxt_ids ids = { 0 }, begun = { 0 }, answer = { 0 };

    if (!ok(sxt_chat_init(&chat, tok, NULL) == 0, "it can chat"))
        return;
    sxt_chat_render(&chat, turns, 2, true, &ids);
    ok(count_id(&ids, chat.start) == 3 && count_id(&ids, chat.end) == 2,
       "system prompt and question forge no turn");
    ok(count_id(&ids, think) == 0, "and hold no added token");
    ids.len = 0;
    sxt_chat_render(&chat, turns, 3, false, &ids);
    ok(count_id(&ids, chat.end) == 3 && count_id(&ids, think) == 1,
       "an earlier answer may think");
    sxt_chat_begin(&chat, said, &begun);
    ok(begun.data[0] == think && count_id(&begun, chat.end) == 0 &&
           count_id(&begun, chat.start) == 0 && count_id(&begun, last) == 0,
       "and so may the beginning of one, without ending itself");
    sxt_chat_answer(&chat, said, last, &answer);
    ok(answer.len == begun.len + 1 && answer.data[begun.len] == last &&
           memcmp(answer.data, begun.data, begun.len * sizeof(int32_t)) == 0,
       "what is learned is what would be drawn, and its end");
    answer.len = 0;
    sxt_chat_answer(&chat, said, sxt_tokenizer_id(tok, "</think>"), &answer);
    ok(count_id(&answer, think) == 0,
       "where the end is no special token an answer is plain text");
    sxt_ids_free(&ids);
    sxt_ids_free(&begun);
    sxt_ids_free(&answer);
}

static void test_small(void)
{
    struct sxt_error err = { 0 };
    char *path = sxt_printf("%s/validation/golden/tokenizer-small.jsonl",
                            getenv("SRCDIR") ? getenv("SRCDIR") : ".");
    struct sxt_jsonl *in = sxt_jsonl_open(path, &err);
    struct sxt_json *line = NULL;
    size_t number, n = 0;

    while (in && sxt_jsonl_next(in, &line, &number, &err) == 1) {
        const char *name = sxt_json_string(sxt_json_get(line, "name"), "?");
        struct sxt_tokenizer *tok = parse_json(sxt_json_get(line, "tokenizer"));
        if (ok(tok != NULL, "%s: parses", name))
            test_cases(tok, name, sxt_json_get(line, "cases"));
        if (tok && n++ == 0) {
            test_long_piece(tok);
            test_threads(tok);
            test_invalid_utf8(tok);
            test_lookup(tok);
            test_turns(tok);
        }
        sxt_tokenizer_destroy(tok);
        sxt_json_free(line);
    }
    ok(n == 8, "all of %s was read %s", path, err.text);
    sxt_jsonl_close(in);
    free(path);
}

/* ---- refusals */

#define VOCAB "\"vocab\":{\"a\":0,\"b\":1,\"ab\":2}"
#define MODEL "{\"type\":\"BPE\"," VOCAB ",\"merges\":[\"a b\"]}"
#define PRE \
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}"
#define FILE_WITH(pre, model, more)                              \
    "{\"version\":\"1.0\",\"decoder\":{\"type\":\"ByteLevel\"}," \
    "\"pre_tokenizer\":" pre ",\"model\":" model more "}"
#define ADDED(members) \
    FILE_WITH(PRE, MODEL, ",\"added_tokens\":[{" members "}]")
#define SPLIT(regex)                                                           \
    FILE_WITH("{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\"," \
              "\"pattern\":{\"Regex\":\"" regex "\"},"                         \
              "\"behavior\":\"Isolated\"}," PRE "]}",                          \
              MODEL, "")

static const struct {
    const char *what, *json, *message;
} bad[] = {
    { "no JSON", "{", "t.json:1" },
    { "another version", "{\"version\":\"2.0\"}", "version 2.0" },
    { "no decoder", "{\"version\":\"1.0\"}", "decoder: type (none)" },
    { "a foreign normalizer",
      FILE_WITH(PRE, MODEL, ",\"normalizer\":{\"type\":\"Lowercase\"}"),
      "normalizer: type Lowercase is not supported" },
    { "a foreign pre-tokenizer",
      FILE_WITH("{\"type\":\"Metaspace\"}", MODEL, ""),
      "last stage is Metaspace, not ByteLevel" },
    { "a foreign stage",
      FILE_WITH("{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":"
                "\"Whitespace\"}," PRE "]}",
                MODEL, ""),
      "type Whitespace is not supported" },
    { "no pre-tokenizer", FILE_WITH("null", MODEL, ""), "pre_tokenizer" },
    { "an empty sequence", FILE_WITH("{\"type\":\"Sequence\"}", MODEL, ""),
      "an empty Sequence" },
    { "another behavior",
      FILE_WITH("{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":"
                "\"Split\",\"pattern\":{\"Regex\":\"a\"},\"behavior\":"
                "\"MergedWithNext\"}," PRE "]}",
                MODEL, ""),
      "behavior \"MergedWithNext\"" },
    { "a post-processor that adds text",
      FILE_WITH(PRE, MODEL,
                ",\"post_processor\":{\"type\":"
                "\"RobertaProcessing\"}"),
      "post_processor: type RobertaProcessing" },
    { "another model", FILE_WITH(PRE, "{\"type\":\"Unigram\"}", ""),
      "model: type Unigram" },
    { "no vocabulary", FILE_WITH(PRE, "{\"type\":\"BPE\",\"merges\":[]}", ""),
      "model.vocab is missing" },
    { "no merges", FILE_WITH(PRE, "{\"type\":\"BPE\"," VOCAB "}", ""),
      "model.merges is missing" },
    { "merges of unknown tokens",
      FILE_WITH(PRE, "{" VOCAB ",\"merges\":[\"a b\",\"a c\"]}", ""),
      "model.merges[1]: \"c\" is not in the vocabulary" },
    { "merges to unknown tokens",
      FILE_WITH(PRE, "{" VOCAB ",\"merges\":[[\"b\",\"a\"]]}", ""),
      "model.merges[0]: \"ba\" is not in the vocabulary" },
    { "a merge of three",
      FILE_WITH(PRE, "{" VOCAB ",\"merges\":[\"a b a\"]}", ""),
      "model.merges[0] is no pair" },
    { "a merge of numbers",
      FILE_WITH(PRE, "{" VOCAB ",\"merges\":[[1,2]]}", ""),
      "model.merges[0] is no pair" },
    { "an id that is no number",
      FILE_WITH(PRE, "{\"vocab\":{\"a\":\"0\"},\"merges\":[]}", ""),
      "token \"a\": the id must be a number" },
    { "a negative id",
      FILE_WITH(PRE, "{\"vocab\":{\"a\":-1},\"merges\":[]}", ""),
      "the id must be a number" },
    { "an id of 2^40",
      FILE_WITH(PRE, "{\"vocab\":{\"a\":1099511627776},\"merges\":[]}", ""),
      "the id must be a number" },
    { "two tokens with one id",
      FILE_WITH(PRE, "{\"vocab\":{\"a\":0,\"b\":0},\"merges\":[]}", ""),
      "id 0 has two tokens" },
    { "one token with two ids",
      FILE_WITH(PRE, "{\"vocab\":{\"a\":0,\"a\":1},\"merges\":[]}", ""),
      "duplicate" },
    { "dropout",
      FILE_WITH(PRE, "{\"dropout\":0.1," VOCAB ",\"merges\":[]}", ""),
      "dropout is not supported" },
    { "a word suffix",
      FILE_WITH(
          PRE, "{\"end_of_word_suffix\":\"</w>\"," VOCAB ",\"merges\":[]}", ""),
      "end_of_word_suffix is not supported" },
    { "byte_fallback without all bytes",
      FILE_WITH(PRE, "{\"byte_fallback\":true," VOCAB ",\"merges\":[]}", ""),
      "byte 00 has no token" },
    { "an added token that strips",
      ADDED("\"id\":9,\"content\":\"<m>\",\"lstrip\":true"),
      "added token \"<m>\": lstrip is not supported" },
    { "an added token without content", ADDED("\"id\":9"),
      "added token without content" },
    { "an added token with a taken id", ADDED("\"id\":1,\"content\":\"<m>\""),
      "id 1 has two tokens" },
    { "an added token without id", ADDED("\"content\":\"<m>\""),
      "the id must be a number" },
    { "an added token that contradicts the vocabulary",
      ADDED("\"id\":7,\"content\":\"a\""), "has id 7 here and 0" },
    { "an added token twice",
      ADDED("\"id\":7,\"content\":\"x\"},{\"id\":8,\"content\":\"x\""),
      "is there twice" },
    { "a special token that text can forge",
      ADDED("\"id\":2,\"content\":\"ab\",\"special\":true"),
      "plain text could forge it" },
    { "a regex with a word border", SPLIT("\\\\bx"), "\"\\b\" at byte 0" },
    { "a regex with anchors", SPLIT("^x"), "\"^\" at byte 0" },
    { "a regex with a nested class", SPLIT("[a[b]]"), "\"[b\" at byte 2" },
    { "a regex with an intersection", SPLIT("[a&&b]"), "\"&&\" at byte 2" },
    { "a regex with a named group", SPLIT("(?<n>x)"), "\"(?<n\" at byte 0" },
    { "a regex with \\\\S in a class", SPLIT("[\\\\Sx]"), "\"\\S\" at byte 1" },
    { "a regex with an unknown property", SPLIT("\\\\p{Nonsense}"),
      "unknown property" },
    { "an unclosed class", SPLIT("[ab"), "missing terminating ]" },
    { "an unclosed group", SPLIT("(ab"), "missing closing parenthesis" },
    { "a lone brace", SPLIT("a{,3}"), "at byte 1 is not supported" },
    { "a backslash at the end", SPLIT("a\\\\"), "at byte 1 is not supported" },
};

static void test_refusals(void)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct sxt_error err = { 0 };
        struct sxt_tokenizer *tok = sxt_tokenizer_parse(
            bad[i].json, strlen(bad[i].json), "t.json", &err);
        bool named = !tok && err.code == SXT_EXIT_DATA &&
                     sxt_starts_with(err.text, "t.json") &&
                     strstr(err.text, bad[i].message);
        ok(named, "%s is refused by name", bad[i].what);
        if (!named)
            printf("#   got '%s'\n", tok ? "a tokenizer" : err.text);
        sxt_tokenizer_destroy(tok);
    }
}

/* Exponential for backtracking: (a*)*b on a run of a. */
static void test_catastrophe(void)
{
    static const char json[] = SPLIT("(?:a*a*)*b");
    struct sxt_error err = { 0 };
    struct sxt_tokenizer *tok =
        sxt_tokenizer_parse(json, strlen(json), "t.json", &err);
    char text[61];
    struct sxt_ids ids = { 0 };
    struct sxt_str back = SXT_STR_EMPTY;

    memset(text, 'a', 60);
    text[60] = '\0';
    if (!ok(tok != NULL, "an exponential pattern parses"))
        return;
    sxt_tokenizer_encode(tok, text, 60, SXT_ADDED_NONE, &ids);
    sxt_tokenizer_decode(tok, ids.data, ids.len, false, &back);
    is_text(back.data, text, "it gives up in time, and no text is lost");
    sxt_str_free(&back);
    sxt_ids_free(&ids);
    sxt_tokenizer_destroy(tok);
}

/* Tokens of 10 MB: no merge of their own, no crash. */
static void test_giant_token(void)
{
    size_t n = 10000000;
    struct sxt_str json = SXT_STR_EMPTY;
    struct sxt_error err = { 0 };
    char *a = sxt_alloc(n, 1);

    memset(a, 'a', n);
    sxt_str_add(&json, "{\"version\":\"1.0\",\"decoder\":{\"type\":"
                       "\"ByteLevel\"},\"pre_tokenizer\":" PRE
                       ",\"model\":{\"vocab\":{\"a\":0,\"");
    sxt_str_add_bytes(&json, a, n);
    sxt_str_add(&json, "\":1},\"merges\":[]},\"added_tokens\":[{\"id\":2,"
                       "\"content\":\"");
    sxt_str_add_bytes(&json, a, n);
    sxt_str_add(&json, "b\"}]}");
    struct sxt_tokenizer *tok =
        sxt_tokenizer_parse(json.data, json.len, "t.json", &err);
    struct sxt_ids ids = { 0 };
    if (ok(tok != NULL, "tokens of 10 MB are accepted"))
        sxt_tokenizer_encode(tok, "aaa", 3, SXT_ADDED_ALL, &ids);
    ok(ids.len == 3, "and do no harm");
    sxt_ids_free(&ids);
    sxt_tokenizer_destroy(tok);
    sxt_str_free(&json);
    free(a);
}

/* Every beginning of a good file is refused, none crashes. */
static void test_truncation(void)
{
    static const char json[] = ADDED("\"id\":7,\"content\":\"x\"");
    size_t n = strlen(json), accepted = 0;

    for (size_t i = 0; i < n; i++) {
        struct sxt_tokenizer *tok = sxt_tokenizer_parse(json, i, "t", NULL);
        accepted += tok != NULL;
        sxt_tokenizer_destroy(tok);
    }
    ok(accepted == 0, "none of %zu truncated files is accepted", n);
}

int main(void)
{
    test_small();
    test_refusals();
    test_catastrophe();
    test_giant_token();
    test_truncation();
    return done_testing();
}
