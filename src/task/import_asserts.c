/* import_asserts.c - tests that are Python statements: MBPP's asserts,
 * HumanEval's check (), EvalPlus's inputs with a reference solution. */
#include "task/import.h"

#include <string.h>

/* The function's name: the member itself, or "func_name" in JSON text. */
int sxt_import_entry(const struct sxt_dataset *set,
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

static const struct sxt_span no_judge = { NULL, 0 };

static int finish_asserts(const struct sxt_dataset *set,
                          const struct sxt_json *record,
                          const struct sxt_str *items, struct sxt_span judge,
                          struct sxt_problem *p, struct sxt_error *err)
{
    struct sxt_str setup = SXT_STR_EMPTY;

    if (items->len == 0)
        return sxt_err(err, SXT_EXIT_DATA, "there are no tests");
    if (p->fn_name.len == 0)
        return sxt_err(err, SXT_EXIT_DATA,
                       "the name of the tested function is not known");
    read_setup(set, record, p, &setup);
    sxt_str_add(&p->tests, "{\"kind\":\"assert\",");
    sxt_import_limits(set, record, &p->tests);
    if (judge.len > 0) {
        sxt_str_add(&p->tests, "\"judge\":");
        sxt_import_quote(judge, &p->tests);
        sxt_str_add_char(&p->tests, ',');
    }
    sxt_str_add(&p->tests, "\"setup\":");
    sxt_import_quote((struct sxt_span){ setup.data, setup.len }, &p->tests);
    sxt_str_add(&p->tests, ",\"entry\":");
    sxt_import_quote((struct sxt_span){ p->fn_name.data, p->fn_name.len },
                     &p->tests);
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
    int rc = sxt_import_entry(set, record, &p->fn_name, err);

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
            sxt_import_quote(test, &items);
            sxt_str_add(&p->shown, p->shown.len > 0 ? "\n" : "");
            sxt_str_add_bytes(&p->shown, test.data, test.len);
        }
    }
    if (rc == 0)
        rc = finish_asserts(set, record, &items, no_judge, p, err);
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
    if (sxt_import_entry(set, record, &p->fn_name, err) != 0)
        return -1;
    sxt_str_add_bytes(&text, code.data, code.len);
    if (check)
        sxt_str_add(&text, "\n\ncheck(%s)\n",
                    p->fn_name.data ? p->fn_name.data : "");
    sxt_import_quote((struct sxt_span){ text.data, text.len }, &items);
    int rc = finish_asserts(set, record, &items, no_judge, p, err);
    sxt_str_free(&text);
    sxt_str_free(&items);
    return rc;
}

/* ---- EvalPlus: inputs only; the reference solution gives the outputs */

/* Runs in the judge's jail, never in the program's. */
static const char evalplus[] =
#include "task/runner/evalplus.inc"
    ;

/* "set" for "similar_elements=set", "" if the function is not named. */
static struct sxt_span how_compared(const struct sxt_dataset *set,
                                    const struct sxt_str *name)
{
    for (size_t i = 0; name->len > 0 && i < set->compare.count; i++) {
        const char *item = set->compare.items[i];
        if (strcspn(item, "=") == name->len && item[name->len] == '=' &&
            memcmp(item, name->data, name->len) == 0)
            return sxt_span(item + name->len + 1);
    }
    return sxt_span("");
}

/* evalplus.py, told about the problem. */
static void write_judge(const struct sxt_dataset *set,
                        const struct sxt_json *record,
                        const struct sxt_problem *p, struct sxt_str *out)
{
    const struct sxt_json *examples =
        *set->examples ? sxt_import_member(record, set->examples) : NULL;
    const struct sxt_json *atol = sxt_import_member(record, "atol");
    struct sxt_str solution = SXT_STR_EMPTY;

    /* HumanEval's solution continues its starter. */
    sxt_str_add_bytes(&solution, p->starter.data, p->starter.len);
    sxt_str_add_bytes(&solution, p->solution.data, p->solution.len);
    sxt_str_add(out, "evalplus_problem = {'entry': ");
    sxt_import_quote((struct sxt_span){ p->fn_name.data, p->fn_name.len }, out);
    sxt_str_add(out, ", 'reference': ");
    sxt_import_quote((struct sxt_span){ solution.data, solution.len }, out);
    sxt_str_add(out, ", 'examples': ");
    sxt_import_quote(sxt_json_text(examples), out);
    sxt_str_add(out, ", 'how': ");
    sxt_import_quote(how_compared(set, &p->fn_name), out);
    sxt_str_add(out, ", 'atol': %.17g}\n", sxt_json_number(atol, 0));
    sxt_str_add(out, "%sevalplus = EvalPlus(evalplus_problem)\n", evalplus);
    sxt_str_free(&solution);
}

static void add_input(const struct sxt_json *input, struct sxt_str *items)
{
    struct sxt_str json = SXT_STR_EMPTY, call = SXT_STR_EMPTY;

    sxt_json_print(input, 0, &json);
    sxt_str_add(&call, "evalplus.check(");
    sxt_import_quote((struct sxt_span){ json.data, json.len }, &call);
    sxt_str_add_char(&call, ')');
    sxt_str_add(items, items->len > 0 ? "," : "");
    sxt_import_quote((struct sxt_span){ call.data, call.len }, items);
    sxt_str_free(&json);
    sxt_str_free(&call);
}

static int import_evalplus(const struct sxt_dataset *set,
                           const struct sxt_json *record, struct sxt_problem *p,
                           struct sxt_error *err)
{
    struct sxt_str items = SXT_STR_EMPTY, judge = SXT_STR_EMPTY;
    int rc = sxt_import_entry(set, record, &p->fn_name, err);

    for (size_t m = 0; rc == 0 && m < set->test_members.count; m++) {
        const struct sxt_json *list =
            sxt_import_member(record, set->test_members.items[m]);
        for (size_t i = 0; rc == 0 && i < sxt_json_count(list); i++) {
            const struct sxt_json *input = sxt_json_item(list, i);
            if (sxt_json_type(input) != SXT_JSON_ARRAY)
                rc = sxt_err(err, SXT_EXIT_DATA, "%s.%zu is no list",
                             set->test_members.items[m], i);
            add_input(input, &items);
        }
    }
    if (rc == 0 && p->solution.len == 0)
        rc = sxt_err(err, SXT_EXIT_DATA, "there is no reference solution");
    if (rc == 0) {
        write_judge(set, record, p, &judge);
        rc = finish_asserts(set, record, &items,
                            (struct sxt_span){ judge.data, judge.len }, p, err);
    }
    sxt_str_free(&items);
    sxt_str_free(&judge);
    return rc;
}

int sxt_import_asserts(const struct sxt_dataset *set,
                       const struct sxt_json *record, struct sxt_problem *p,
                       struct sxt_error *err)
{
    if (strcmp(set->tests, "asserts") == 0)
        return import_asserts(set, record, p, err);
    if (strcmp(set->tests, "evalplus") == 0)
        return import_evalplus(set, record, p, err);
    return import_code(set, record, strcmp(set->tests, "check") == 0, p, err);
}
