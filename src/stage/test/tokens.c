/* tokens.c - what is read and what is learned of a sample. */
#include "stage/tokens.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/test/tap.h"
#include "fixture.h"
#include "stage/asking.h"
#include "stage/formats.h"

static void add_row(struct sxt_frame *f, const char *system, const char *user,
                    const char *assistant)
{
    sxt_frame_add(f);
    sxt_frame_set_string(f, SXT_TRAIN_ID, "row");
    sxt_frame_set_string(f, SXT_TRAIN_SYSTEM, system);
    sxt_frame_set_string(f, SXT_TRAIN_USER, user);
    sxt_frame_set_string(f, SXT_TRAIN_ASSISTANT, assistant);
}

/* Ids of a text where S and E stand for the start and end token. */
static bool same_ids(const int32_t *ids, size_t n, const char *text)
{
    if (n != strlen(text))
        return false;
    for (size_t i = 0; i < n; i++) {
        int32_t id = text[i] == '{'   ? FIXTURE_START
                     : text[i] == '}' ? FIXTURE_END
                                      : (unsigned char)text[i];
        if (ids[i] != id)
            return false;
    }
    return true;
}

static void masks(const struct sxt_tokens_rule *rule)
{
    static const char whole[] =
        "{system\nbe good}\n{user\n1+1}\n{assistant\n2}";
    enum { PROMPT = sizeof(whole) - 1 - 2, N = sizeof(whole) - 2 };
    struct sxt_frame *f = sxt_frame_create(sxt_train_columns);
    int32_t ids[N], target[N];
    struct sxt_tokens t;
    bool masked = true;

    add_row(f, "be good", "1+1", "2");
    add_row(f, "", "{hi", "x}");
    ok(sxt_tokens_make(&t, f, rule, NULL) == 0 && t.n == 2, "two samples");
    ok(same_ids(t.ids, t.first[1], whole),
       "a sample is system, user and answer, closed by the end token");
    sxt_tokens_fill(&t, 0, ids, target);
    for (size_t i = 0; i < N; i++)
        masked = masked && (target[i] == -1) == (i + 1 < PROMPT);
    ok(t.length[0] == N && masked && target[N - 1] == FIXTURE_END &&
           target[N - 2] == '2',
       "exactly the answer and its end token are learned");
    ok(!memcmp(ids, t.ids, sizeof(ids)),
       "the end token itself is no input of the network");
    ok(sxt_tokens_learned(&t, 0) == 2 && sxt_tokens_learned(&t, 1) == 3,
       "learned tokens are counted");
    ok(same_ids(t.ids + t.first[1], 6, "{user\n") && t.n_ended == 2,
       "an empty system message is none");
    sxt_tokens_free(&t);
    sxt_frame_destroy(f);
}

/* Numbers by the rule as published, worked out by hand. */
static void truncation(void)
{
    static const struct {
        size_t cutoff, p, a, p_out, a_out;
    } table[] = {
        { 100, 40, 60, 40, 60 },           { 100, 90, 30, 70, 30 },
        { 100, 30, 90, 30, 70 },           { 100, 60, 60, 50, 50 },
        { 100, 150, 50, 75, 25 },          { 100, 50, 200, 20, 80 },
        { 16384, 500, 20000, 500, 15884 },
    };
    bool good = true;

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        size_t p = table[i].p, a = table[i].a;
        sxt_tokens_truncate(table[i].cutoff, &p, &a);
        good = good && p == table[i].p_out && a == table[i].a_out;
    }
    ok(good, "prompt and answer are cut by LLaMA-Factory's rule");
}

static void too_long(struct sxt_tokens_rule rule)
{
    struct sxt_frame *f = sxt_frame_create(sxt_train_columns);
    struct sxt_error err = { 0 };
    struct sxt_tokens t;

    add_row(f, "", "1", "a long answer that does not fit into the cutoff");
    add_row(f, "", "1", "a");
    add_row(f, "", "1", "");
    rule.cutoff = 50;
    ok(sxt_tokens_make(&t, f, &rule, NULL) == 0 && t.n == 2 && t.n_cut == 1 &&
           t.length[0] == 49 && t.n_ended == 1 && t.n_dropped == 1,
       "a long answer is cut, loses its end token, and is counted; an empty "
       "one is dropped");
    ok(same_ids(t.ids, 20, "{user\n1}\n{assistant\n"),
       "… its prompt stays whole");
    sxt_tokens_free(&t);
    rule.too_long = SXT_TOO_LONG_DROP;
    ok(sxt_tokens_make(&t, f, &rule, NULL) == 0 && t.n == 1 && t.n_dropped == 2,
       "… or is dropped");
    sxt_tokens_free(&t);
    rule.too_long = SXT_TOO_LONG_REFUSE;
    ok(sxt_tokens_make(&t, f, &rule, &err) != 0 && err.code == SXT_EXIT_DATA &&
           strstr(err.text, "sample row has 68 tokens"),
       "… or refused by name and length");
    sxt_frame_destroy(f);
}

static void write_endless(const char *path)
{
    struct sxt_out *out =
        sxt_out_create(path, sxt_comm_self(), SXT_TRAIN_FORMAT, 1,
                       "One long row.", NULL, NULL);
    struct sxt_frame *f = sxt_frame_create(sxt_train_columns);

    add_row(f, "", "1", "an answer that is longer than what it is cut to");
    SXT_CHECK(sxt_out_frame(out, "train", f, NULL) == 0);
    SXT_CHECK(sxt_out_commit(out, NULL) == 0);
    sxt_frame_destroy(f);
}

static void whole_files(const struct sxt_tokens_rule *rule)
{
    struct sxt_tokens_rule tight = *rule;
    struct sxt_error err = { 0 };
    struct sxt_tokens t, part;
    uint64_t list[2] = { 5, 3 };
    struct sxt_in *in;
    uint64_t hash;

    fixture_train("tokens-t.h5", 20);
    in = sxt_in_open("tokens-t.h5", SXT_TRAIN_FORMAT, NULL);
    ok(sxt_tokens_read(&t, sxt_comm_self(), in, rule, NULL) == 0 && t.n == 20,
       "a file is read");
    hash = sxt_tokens_hash(&t);
    sxt_tokens_pick(&t, list, 2, &part);
    ok(part.n == 2 && part.length[1] == t.length[3] &&
           part.prompt[0] == t.prompt[5] &&
           !memcmp(part.ids + part.first[1], t.ids + t.first[3],
                   (t.length[3] + 1) * sizeof(*t.ids)),
       "samples can be picked");
    t.prompt[4]++;
    ok(sxt_tokens_hash(&t) != hash, "the hash sees the mask");
    sxt_tokens_free(&part);
    sxt_tokens_free(&t);
    sxt_in_close(in);
    write_endless("tokens-t.h5");
    in = sxt_in_open("tokens-t.h5", SXT_TRAIN_FORMAT, NULL);
    tight.cutoff = 50;
    ok(sxt_tokens_read(&t, sxt_comm_self(), in, &tight, &err) != 0 &&
           err.code == SXT_EXIT_DATA && strstr(err.text, "never stop"),
       "refused if no answer keeps its end token");
    tight.too_long = SXT_TOO_LONG_DROP;
    ok(sxt_tokens_read(&t, sxt_comm_self(), in, &tight, &err) != 0 &&
           strstr(err.text, "no sample"),
       "refused if no sample is left");
    sxt_in_close(in);
    remove("tokens-t.h5");
}

static void prompts(const struct sxt_chat *chat)
{
    static const struct {
        const char *system, *prefill, *prompt;
    } cases[] = {
        { "", "", "{user\nhi}\n{assistant\n" },
        { "be good", "", "{system\nbe good}\n{user\nhi}\n{assistant\n" },
        { "", "Sum", "{user\nhi}\n{assistant\nSum" },
    };
    struct sxt_ids ids = { 0 };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ids.len = 0;
        sxt_asking_render(chat, sxt_span(cases[i].system), sxt_span("hi"),
                          sxt_span(cases[i].prefill), &ids);
        ok(same_ids(ids.data, ids.len, cases[i].prompt),
           "asked with system message '%s' and begin '%s'", cases[i].system,
           cases[i].prefill);
    }
    free(ids.data);
}

int main(int argc, char **argv)
{
    struct sxt_str json = SXT_STR_EMPTY;
    struct sxt_error err = { 0 };
    struct sxt_tokenizer *tok;
    struct sxt_chat chat;

    sxt_comm_init(&argc, &argv);
    fixture_tokenizer(&json);
    tok = sxt_tokenizer_parse(json.data, json.len, "test", &err);
    if (!ok(tok && sxt_chat_init(&chat, tok, &err) == 0, "a tokenizer %s",
            err.text))
        return 1;
    struct sxt_tokens_rule rule = { &chat, FIXTURE_END, 200,
                                    SXT_TOO_LONG_TRUNCATE };
    prompts(&chat);
    masks(&rule);
    truncation();
    too_long(rule);
    whole_files(&rule);
    sxt_tokenizer_destroy(tok);
    sxt_str_free(&json);
    int rc = done_testing();
    sxt_comm_finalize();
    return rc;
}
