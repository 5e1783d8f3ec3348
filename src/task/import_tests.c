/* import_tests.c - unit tests of the known shapes into one; see the section
 * "tests" of doc/formats.md. */
#include "task/import.h"

#include <string.h>

void sxt_import_quote(struct sxt_span text, struct sxt_str *out)
{
    struct sxt_json *v =
        sxt_json_new_text(text.data ? text.data : "", text.len);

    sxt_json_print(v, 0, out);
    sxt_json_free(v);
}

/* ---- limits and rules of comparison */

/* Seconds of a member that is a number, or {seconds, nanos} as protocol
 * buffers have it. */
static double seconds_of(const struct sxt_json *v)
{
    if (sxt_json_type(v) != SXT_JSON_OBJECT)
        return sxt_json_number(v, 0);
    return sxt_json_number(sxt_json_get(v, "seconds"), 0) +
           1e-9 * sxt_json_number(sxt_json_get(v, "nanos"), 0);
}

void sxt_import_limits(const struct sxt_dataset *set,
                       const struct sxt_json *record, struct sxt_str *tests)
{
    double cpu_s = *set->time_limit
                       ? seconds_of(sxt_import_member(record, set->time_limit))
                       : 0;

    if (cpu_s < set->cpu_s)
        cpu_s = set->cpu_s;
    if (cpu_s > 0)
        sxt_str_add(tests, "\"cpu_s\":%.6g,", cpu_s);
    if (set->memory_mb > 0)
        sxt_str_add(tests, "\"memory_mb\":%.6g,", set->memory_mb);
    if (set->tolerance >= 0)
        sxt_str_add(tests, "\"tolerance\":%.6g,", set->tolerance);
    if (strcmp(set->form, "lines") != 0)
        sxt_str_add(tests, "\"form\":\"%s\",", set->form);
    if (set->fold_case)
        sxt_str_add(tests, "\"fold_case\":true,");
    if (strcmp(set->upstream, "none") != 0)
        sxt_str_add(tests, "\"upstream\":\"%s\",", set->upstream);
}

/* ---- input and output pairs */

/* What the tests of a problem are collected in: the items of two arrays. */
struct pairs {
    struct sxt_str inputs, outputs;
    size_t n;
    size_t n_public; /* so many of them, the first, are in the statement */
    bool call;       /* values of a function rather than text */
    bool wrapped;    /* [x] may stand for x among the outputs */
    bool int_keys;   /* {"1": x} stands for {1: x} among the inputs */
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

static int pairs_finish(const struct sxt_dataset *set,
                        const struct sxt_json *record, struct pairs *pairs,
                        struct sxt_problem *p, struct sxt_error *err)
{
    if (pairs->n == 0)
        return sxt_err(err, SXT_EXIT_DATA, "there are no tests");
    sxt_str_add(&p->tests, "{\"kind\":\"%s\",", pairs->call ? "call" : "stdin");
    if (pairs->call) {
        sxt_str_add(&p->tests, "\"fn_name\":");
        sxt_import_quote((struct sxt_span){ p->fn_name.data, p->fn_name.len },
                         &p->tests);
        sxt_str_add(&p->tests, ",");
    }
    sxt_import_limits(set, record, &p->tests);
    if (pairs->n_public > 0)
        sxt_str_add(&p->tests, "\"public\":%zu,", pairs->n_public);
    if (pairs->wrapped)
        sxt_str_add(&p->tests, "\"wrapped\":true,");
    if (pairs->int_keys)
        sxt_str_add(&p->tests, "\"int_keys\":true,");
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
        sxt_import_quote((struct sxt_span){ text.data, text.len }, out);
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
                         struct pairs *pairs)
{
    pairs_next(pairs);
    if (!pairs->call)
        return add_lines(in, &pairs->inputs) == 0
                   ? add_lines(out, &pairs->outputs)
                   : -1;
    if (sxt_json_type(in) != SXT_JSON_ARRAY)
        return -1;
    sxt_json_print(in, 0, &pairs->inputs);
    sxt_json_print(out, 0, &pairs->outputs);
    for (size_t i = 0; i < sxt_json_count(in); i++)
        pairs->int_keys |=
            sxt_json_type(sxt_json_item(in, i)) == SXT_JSON_OBJECT;
    return 0;
}

static int read_apps(const struct sxt_json *io, struct pairs *pairs,
                     struct sxt_problem *p, struct sxt_error *err)
{
    const struct sxt_json *inputs = sxt_json_get(io, "inputs");
    const struct sxt_json *outputs = sxt_json_get(io, "outputs");

    if (sxt_json_type(inputs) != SXT_JSON_ARRAY ||
        sxt_json_type(outputs) != SXT_JSON_ARRAY ||
        sxt_json_count(inputs) != sxt_json_count(outputs))
        return sxt_err(err, SXT_EXIT_DATA,
                       "tests need as many outputs as inputs");
    sxt_import_text(sxt_json_get(io, "fn_name"), &p->fn_name);
    pairs->call = p->fn_name.len > 0;
    pairs->wrapped = pairs->call && all_wrapped(outputs);
    for (size_t i = 0; i < sxt_json_count(inputs); i++)
        if (add_apps_pair(sxt_json_item(inputs, i), sxt_json_item(outputs, i),
                          pairs) != 0)
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
        rc = pairs_finish(set, record, &pairs, p, err);
    pairs_free(&pairs);
    sxt_json_free(parsed);
    return rc;
}

/* ---- pairs: [{"input", "output", "testtype"}...] as LiveCodeBench has them,
 * {"input": [...], "output": [...]} as CodeContests, maybe packed */

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

static int add_pair(struct sxt_span in, struct sxt_span out,
                    struct pairs *pairs, struct sxt_error *err)
{
    if (!in.data || !out.data)
        return sxt_err(err, SXT_EXIT_DATA,
                       "test %zu: input or output is no text", pairs->n + 1);
    pairs_next(pairs);
    if (!pairs->call) {
        sxt_import_quote(in, &pairs->inputs);
        sxt_import_quote(out, &pairs->outputs);
        return 0;
    }
    struct sxt_json *value = sxt_json_parse(out.data, out.len, "output", err);
    int rc = value ? add_arguments(in, &pairs->inputs, err) : -1;
    if (value)
        sxt_json_print(value, 0, &pairs->outputs);
    sxt_json_free(value);
    return rc;
}

static const struct sxt_json *either(const struct sxt_json *v, const char *name,
                                     const char *other)
{
    const struct sxt_json *first = sxt_json_get(v, name);

    return first ? first : sxt_json_get(v, other);
}

/* The text of an input or output; some have it as {"stdin": text}. */
static struct sxt_span text_of(const struct sxt_json *v, const char *stream)
{
    return sxt_json_text(
        sxt_json_type(v) == SXT_JSON_OBJECT ? sxt_json_get(v, stream) : v);
}

/* An array of tests, or an object of two arrays of texts. */
static int read_pairs(const struct sxt_json *v, struct pairs *pairs,
                      struct sxt_problem *p, struct sxt_error *err)
{
    const struct sxt_json *inputs = either(v, "inputs", "input");
    const struct sxt_json *outputs = either(v, "outputs", "output");
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
        if (add_pair(text_of(in, "stdin"), text_of(out, "stdout"), pairs, err))
            return -1;
    }
    return 0;
}

/* A member with tests: JSON, JSON as text, or packed. */
static int read_pairs_member(const struct sxt_json *v, struct pairs *pairs,
                             struct sxt_problem *p, struct sxt_error *err)
{
    struct sxt_span text = sxt_json_text(v);
    struct sxt_str unpacked = SXT_STR_EMPTY;
    struct sxt_json *parsed = NULL;
    int rc = 0;

    if (!text.data)
        return read_pairs(v, pairs, p, err);
    text = sxt_span_trim(text);
    if (text.len > 0 && text.data[0] != '[' && text.data[0] != '{') {
        rc = sxt_import_unpack(text, &unpacked, err);
        text = (struct sxt_span){ unpacked.data, unpacked.len };
    }
    if (rc == 0) {
        parsed = sxt_json_parse(text.data, text.len, "tests", err);
        rc = parsed ? read_pairs(parsed, pairs, p, err) : -1;
    }
    sxt_json_free(parsed);
    sxt_str_free(&unpacked);
    return rc;
}

static int import_pairs(const struct sxt_dataset *set,
                        const struct sxt_json *record, struct sxt_problem *p,
                        struct sxt_error *err)
{
    struct pairs pairs = { .n = 0 };
    int rc = sxt_import_entry(set, record, &p->fn_name, err);

    for (size_t i = 0; rc == 0 && i < set->test_members.count; i++) {
        const struct sxt_json *v =
            sxt_import_member(record, set->test_members.items[i]);
        if (v)
            rc = read_pairs_member(v, &pairs, p, err);
        if (i == 0 && set->test_members.count > 1)
            pairs.n_public = pairs.n;
    }
    if (rc == 0)
        rc = pairs_finish(set, record, &pairs, p, err);
    pairs_free(&pairs);
    return rc;
}

int sxt_import_tests(const struct sxt_dataset *set,
                     const struct sxt_json *record, struct sxt_problem *p,
                     struct sxt_error *err)
{
    if (strcmp(set->tests, "none") == 0)
        return 0;
    if (strcmp(set->tests, "apps") == 0)
        return import_apps(set, record, p, err);
    if (strcmp(set->tests, "pairs") == 0)
        return import_pairs(set, record, p, err);
    return sxt_import_asserts(set, record, p, err);
}
