/* import_tests.c - unit tests of the known shapes into one; see the section
 * "tests" of doc/formats.md. */
#include "task/import.h"

#include <string.h>

static void add_text(struct sxt_str *out, struct sxt_span text)
{
    struct sxt_json *v =
        sxt_json_new_text(text.data ? text.data : "", text.len);

    sxt_json_print(v, 0, out);
    sxt_json_free(v);
}

/* ---- input and output pairs */

/* What the tests of a problem are collected in: the items of two arrays. */
struct pairs {
    struct sxt_str inputs, outputs;
    size_t n;
    bool call; /* values of a function rather than text */
};

static void pairs_free(struct pairs *pairs)
{
    sxt_str_free(&pairs->inputs);
    sxt_str_free(&pairs->outputs);
}

static void pairs_next(struct pairs *pairs)
{
    if (pairs->n++ > 0) {
        sxt_str_add_char(&pairs->inputs, ',');
        sxt_str_add_char(&pairs->outputs, ',');
    }
}

static int pairs_finish(struct pairs *pairs, struct sxt_problem *p,
                        struct sxt_error *err)
{
    if (pairs->n == 0)
        return sxt_err(err, SXT_EXIT_DATA, "there are no tests");
    sxt_str_add(&p->tests, "{\"kind\":\"%s\",", pairs->call ? "call" : "stdin");
    if (pairs->call) {
        sxt_str_add(&p->tests, "\"fn_name\":");
        add_text(&p->tests,
                 (struct sxt_span){ p->fn_name.data, p->fn_name.len });
        sxt_str_add(&p->tests, ",");
    }
    sxt_str_add(&p->tests, "\"inputs\":[");
    sxt_str_add_bytes(&p->tests, pairs->inputs.data, pairs->inputs.len);
    sxt_str_add(&p->tests, "],\"outputs\":[");
    sxt_str_add_bytes(&p->tests, pairs->outputs.data, pairs->outputs.len);
    sxt_str_add(&p->tests, "]}");
    return 0;
}

/* A text, also given as an array of its lines. */
static int add_lines(const struct sxt_json *v, struct sxt_str *out)
{
    struct sxt_str text = SXT_STR_EMPTY;
    bool good = sxt_json_type(v) == SXT_JSON_STRING ||
                sxt_json_type(v) == SXT_JSON_ARRAY;

    if (sxt_json_type(v) == SXT_JSON_STRING)
        sxt_import_text(v, &text);
    for (size_t i = 0; good && i < sxt_json_count(v); i++) {
        sxt_str_add(&text, i > 0 ? "\n" : "");
        good = sxt_json_type(sxt_json_item(v, i)) == SXT_JSON_STRING &&
               sxt_import_text(sxt_json_item(v, i), &text);
    }
    if (good)
        add_text(out, (struct sxt_span){ text.data, text.len });
    sxt_str_free(&text);
    return good ? 0 : -1;
}

/* ---- APPS and TACO: {"inputs": [...], "outputs": [...], "fn_name"} */

/* APPS writes the value of a call as [value], in most of its problems. */
static bool all_wrapped(const struct sxt_json *outputs)
{
    for (size_t i = 0; i < sxt_json_count(outputs); i++) {
        const struct sxt_json *v = sxt_json_item(outputs, i);
        if (sxt_json_type(v) != SXT_JSON_ARRAY || sxt_json_count(v) != 1)
            return false;
    }
    return true;
}

static int add_apps_pair(const struct sxt_json *in, const struct sxt_json *out,
                         bool unwrap, struct pairs *pairs)
{
    pairs_next(pairs);
    if (!pairs->call)
        return add_lines(in, &pairs->inputs) == 0
                   ? add_lines(out, &pairs->outputs)
                   : -1;
    if (sxt_json_type(in) != SXT_JSON_ARRAY)
        return -1;
    sxt_json_print(in, 0, &pairs->inputs);
    sxt_json_print(unwrap ? sxt_json_item(out, 0) : out, 0, &pairs->outputs);
    return 0;
}

static int read_apps(const struct sxt_json *io, struct pairs *pairs,
                     struct sxt_problem *p, struct sxt_error *err)
{
    const struct sxt_json *inputs = sxt_json_get(io, "inputs");
    const struct sxt_json *outputs = sxt_json_get(io, "outputs");
    bool unwrap = all_wrapped(outputs);

    if (sxt_json_type(inputs) != SXT_JSON_ARRAY ||
        sxt_json_type(outputs) != SXT_JSON_ARRAY ||
        sxt_json_count(inputs) != sxt_json_count(outputs))
        return sxt_err(err, SXT_EXIT_DATA,
                       "tests need as many outputs as inputs");
    sxt_import_text(sxt_json_get(io, "fn_name"), &p->fn_name);
    pairs->call = p->fn_name.len > 0;
    for (size_t i = 0; i < sxt_json_count(inputs); i++)
        if (add_apps_pair(sxt_json_item(inputs, i), sxt_json_item(outputs, i),
                          unwrap, pairs) != 0)
            return sxt_err(err, SXT_EXIT_DATA,
                           "test %zu: input or output is of the wrong type",
                           i + 1);
    return 0;
}

static int import_apps(const struct sxt_dataset *set,
                       const struct sxt_json *record, struct sxt_problem *p,
                       struct sxt_error *err)
{
    const char *member = set->test_members.items[0];
    const struct sxt_json *v = sxt_import_member(record, member);
    struct sxt_span text = sxt_json_text(v);
    struct sxt_json *parsed = NULL;
    struct pairs pairs = { .n = 0 };
    int rc = 0;

    if (text.data) { /* JSON within JSON */
        parsed = sxt_json_parse(text.data, text.len, member, err);
        v = parsed;
        rc = parsed ? 0 : -1;
    }
    if (rc == 0)
        rc = read_apps(v, &pairs, p, err);
    if (rc == 0)
        rc = pairs_finish(&pairs, p, err);
    pairs_free(&pairs);
    sxt_json_free(parsed);
    return rc;
}

/* ---- LiveCodeBench: [{"input", "output", "testtype"}...], maybe packed */

/* Arguments are one line of JSON each. */
static int add_arguments(struct sxt_span text, struct sxt_str *out,
                         struct sxt_error *err)
{
    bool some = false;

    sxt_str_add_char(out, '[');
    while (text.len > 0) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t n = end ? (size_t)(end - text.data) : text.len;
        struct sxt_span line = sxt_span_trim((struct sxt_span){ text.data, n });
        text.data += n + (end != NULL);
        text.len -= n + (end != NULL);
        if (line.len == 0)
            continue;
        struct sxt_json *v =
            sxt_json_parse(line.data, line.len, "argument", err);
        if (!v)
            return -1;
        sxt_str_add(out, some ? "," : "");
        sxt_json_print(v, 0, out);
        sxt_json_free(v);
        some = true;
    }
    sxt_str_add_char(out, ']');
    return 0;
}

static int add_lcb_pair(struct sxt_span in, struct sxt_span out,
                        struct pairs *pairs, struct sxt_error *err)
{
    if (!in.data || !out.data)
        return sxt_err(err, SXT_EXIT_DATA,
                       "test %zu: input or output is no text", pairs->n + 1);
    pairs_next(pairs);
    if (!pairs->call) {
        add_text(&pairs->inputs, in);
        add_text(&pairs->outputs, out);
        return 0;
    }
    struct sxt_json *value = sxt_json_parse(out.data, out.len, "output", err);
    int rc = value ? add_arguments(in, &pairs->inputs, err) : -1;
    if (value)
        sxt_json_print(value, 0, &pairs->outputs);
    sxt_json_free(value);
    return rc;
}

/* An array of tests, or an object of two arrays of texts. */
static int read_lcb(const struct sxt_json *v, struct pairs *pairs,
                    struct sxt_problem *p, struct sxt_error *err)
{
    const struct sxt_json *inputs = sxt_json_get(v, "inputs");
    const struct sxt_json *outputs = sxt_json_get(v, "outputs");
    bool is_list = sxt_json_type(v) == SXT_JSON_ARRAY;
    size_t n = sxt_json_count(is_list ? v : inputs);

    if (!is_list && n != sxt_json_count(outputs))
        return sxt_err(err, SXT_EXIT_DATA,
                       "tests need as many outputs as inputs");
    if (p->fn_name.len == 0)
        sxt_import_text(sxt_json_get(v, "fn_name"), &p->fn_name);
    pairs->call = p->fn_name.len > 0;
    for (size_t i = 0; i < n; i++) {
        const struct sxt_json *t = is_list ? sxt_json_item(v, i) : NULL;
        const struct sxt_json *in =
            t ? sxt_json_get(t, "input") : sxt_json_item(inputs, i);
        const struct sxt_json *out =
            t ? sxt_json_get(t, "output") : sxt_json_item(outputs, i);
        const char *type = sxt_json_string(sxt_json_get(t, "testtype"), "");
        if (strcmp(type, "functional") == 0 && !pairs->call)
            return sxt_err(err, SXT_EXIT_DATA,
                           "a functional test without a function's name");
        if (add_lcb_pair(sxt_json_text(in), sxt_json_text(out), pairs, err))
            return -1;
    }
    return 0;
}

/* A member with tests: JSON, JSON as text, or packed. */
static int read_lcb_member(const struct sxt_json *v, struct pairs *pairs,
                           struct sxt_problem *p, struct sxt_error *err)
{
    struct sxt_span text = sxt_json_text(v);
    struct sxt_str unpacked = SXT_STR_EMPTY;
    struct sxt_json *parsed = NULL;
    int rc = 0;

    if (!text.data)
        return read_lcb(v, pairs, p, err);
    text = sxt_span_trim(text);
    if (text.len > 0 && text.data[0] != '[' && text.data[0] != '{') {
        rc = sxt_import_unpack(text, &unpacked, err);
        text = (struct sxt_span){ unpacked.data, unpacked.len };
    }
    if (rc == 0) {
        parsed = sxt_json_parse(text.data, text.len, "tests", err);
        rc = parsed ? read_lcb(parsed, pairs, p, err) : -1;
    }
    sxt_json_free(parsed);
    sxt_str_free(&unpacked);
    return rc;
}

/* The function's name: the member itself, or "func_name" in JSON text. */
static int read_entry(const struct sxt_dataset *set,
                      const struct sxt_json *record, struct sxt_str *out,
                      struct sxt_error *err)
{
    const struct sxt_json *v =
        *set->entry ? sxt_import_member(record, set->entry) : NULL;
    struct sxt_span text = sxt_span_trim(sxt_json_text(v));

    if (text.len == 0 || text.data[0] != '{') {
        if (v)
            sxt_import_text(v, out);
        return 0;
    }
    struct sxt_json *parsed =
        sxt_json_parse(text.data, text.len, set->entry, err);
    const struct sxt_json *name = sxt_json_get(parsed, "func_name");
    if (name)
        sxt_import_text(name, out);
    sxt_json_free(parsed);
    return parsed ? 0 : -1;
}

static int import_lcb(const struct sxt_dataset *set,
                      const struct sxt_json *record, struct sxt_problem *p,
                      struct sxt_error *err)
{
    struct pairs pairs = { .n = 0 };
    int rc = read_entry(set, record, &p->fn_name, err);

    for (size_t i = 0; rc == 0 && i < set->test_members.count; i++) {
        const struct sxt_json *v =
            sxt_import_member(record, set->test_members.items[i]);
        if (v)
            rc = read_lcb_member(v, &pairs, p, err);
    }
    if (rc == 0)
        rc = pairs_finish(&pairs, p, err);
    pairs_free(&pairs);
    return rc;
}

/* ---- Python statements: MBPP's asserts, HumanEval's check() */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

/* Is `name(` called in the text? */
static bool calls(struct sxt_span text, struct sxt_span name)
{
    for (size_t i = 0; i + name.len < text.len; i++)
        if (text.data[i + name.len] == '(' &&
            memcmp(text.data + i, name.data, name.len) == 0 &&
            (i == 0 || !is_word(text.data[i - 1])))
            return true;
    return false;
}

/* The function of the worked solution that the first test calls. */
static void guess_entry(const struct sxt_problem *p, struct sxt_span test,
                        struct sxt_str *out)
{
    struct sxt_span code = { p->solution.data, p->solution.len };
    long at;

    while ((at = sxt_span_find(code, "def ")) >= 0) {
        struct sxt_span name = { code.data + at + 4, 0 };
        size_t left = code.len - (size_t)at - 4;
        while (name.len < left && is_word(name.data[name.len]))
            name.len++;
        if (name.len > 0 && calls(test, name)) {
            sxt_str_add_bytes(out, name.data, name.len);
            return;
        }
        code = (struct sxt_span){ name.data, left };
    }
}

/* Setup code: a member (lines, if it is an array), or "^" for what stands in
 * the starter before the function: imports and helpers. */
static void read_setup(const struct sxt_dataset *set,
                       const struct sxt_json *record,
                       const struct sxt_problem *p, struct sxt_str *out)
{
    struct sxt_str head = SXT_STR_EMPTY;

    if (strcmp(set->setup, "^") == 0) {
        struct sxt_span starter = { p->starter.data, p->starter.len };
        sxt_str_add(&head, "\ndef %s(", p->fn_name.data ? p->fn_name.data : "");
        long at = sxt_span_find(starter, head.data);
        if (at > 0)
            sxt_str_add_bytes(out, starter.data, (size_t)at + 1);
        sxt_str_free(&head);
        return;
    }
    const struct sxt_json *v =
        *set->setup ? sxt_import_member(record, set->setup) : NULL;
    if (sxt_json_type(v) != SXT_JSON_ARRAY) {
        sxt_import_text(v, out);
        return;
    }
    for (size_t i = 0; i < sxt_json_count(v); i++) {
        sxt_import_text(sxt_json_item(v, i), out);
        sxt_str_add_char(out, '\n');
    }
}

static int finish_asserts(const struct sxt_dataset *set,
                          const struct sxt_json *record,
                          const struct sxt_str *items, struct sxt_problem *p,
                          struct sxt_error *err)
{
    struct sxt_str setup = SXT_STR_EMPTY;

    if (items->len == 0)
        return sxt_err(err, SXT_EXIT_DATA, "there are no tests");
    if (p->fn_name.len == 0)
        return sxt_err(err, SXT_EXIT_DATA,
                       "the name of the tested function is not known");
    read_setup(set, record, p, &setup);
    sxt_str_add(&p->tests, "{\"kind\":\"assert\",\"setup\":");
    add_text(&p->tests, (struct sxt_span){ setup.data, setup.len });
    sxt_str_add(&p->tests, ",\"entry\":");
    add_text(&p->tests, (struct sxt_span){ p->fn_name.data, p->fn_name.len });
    sxt_str_add(&p->tests, ",\"tests\":[");
    sxt_str_add_bytes(&p->tests, items->data, items->len);
    sxt_str_add(&p->tests, "]}");
    sxt_str_free(&setup);
    return 0;
}

/* Arrays of assert statements. */
static int import_asserts(const struct sxt_dataset *set,
                          const struct sxt_json *record, struct sxt_problem *p,
                          struct sxt_error *err)
{
    struct sxt_str items = SXT_STR_EMPTY;
    int rc = read_entry(set, record, &p->fn_name, err);

    for (size_t m = 0; rc == 0 && m < set->test_members.count; m++) {
        const struct sxt_json *list =
            sxt_import_member(record, set->test_members.items[m]);
        for (size_t i = 0; rc == 0 && i < sxt_json_count(list); i++) {
            struct sxt_span test = sxt_json_text(sxt_json_item(list, i));
            if (!test.data)
                rc = sxt_err(err, SXT_EXIT_DATA, "test %zu is no text", i + 1);
            else if (p->fn_name.len == 0)
                guess_entry(p, test, &p->fn_name);
            sxt_str_add(&items, items.len > 0 ? "," : "");
            add_text(&items, test);
            sxt_str_add(&p->shown, p->shown.len > 0 ? "\n" : "");
            sxt_str_add_bytes(&p->shown, test.data, test.len);
        }
    }
    if (rc == 0)
        rc = finish_asserts(set, record, &items, p, err);
    sxt_str_free(&items);
    return rc;
}

/* One text of test code; `check`: it defines check (candidate), to be called
 * with the function. */
static int import_code(const struct sxt_dataset *set,
                       const struct sxt_json *record, bool check,
                       struct sxt_problem *p, struct sxt_error *err)
{
    const char *member = set->test_members.items[0];
    struct sxt_span code = sxt_json_text(sxt_import_member(record, member));
    struct sxt_str text = SXT_STR_EMPTY, items = SXT_STR_EMPTY;

    if (sxt_span_trim(code).len == 0)
        return sxt_err(err, SXT_EXIT_DATA, "member %s holds no test code",
                       member);
    if (read_entry(set, record, &p->fn_name, err) != 0)
        return -1;
    sxt_str_add_bytes(&text, code.data, code.len);
    if (check)
        sxt_str_add(&text, "\n\ncheck(%s)\n",
                    p->fn_name.data ? p->fn_name.data : "");
    add_text(&items, (struct sxt_span){ text.data, text.len });
    int rc = finish_asserts(set, record, &items, p, err);
    sxt_str_free(&text);
    sxt_str_free(&items);
    return rc;
}

int sxt_import_tests(const struct sxt_dataset *set,
                     const struct sxt_json *record, struct sxt_problem *p,
                     struct sxt_error *err)
{
    if (strcmp(set->tests, "apps") == 0)
        return import_apps(set, record, p, err);
    if (strcmp(set->tests, "livecodebench") == 0)
        return import_lcb(set, record, p, err);
    if (strcmp(set->tests, "asserts") == 0)
        return import_asserts(set, record, p, err);
    if (strcmp(set->tests, "none") == 0)
        return 0;
    return import_code(set, record, strcmp(set->tests, "check") == 0, p, err);
}
