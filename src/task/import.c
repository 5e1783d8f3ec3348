/* import.c - members of a record into the fields of a problem. */
#include "task/import.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/rng.h"

enum { MAX_CHOICES = 26 }; /* letters */

void sxt_problem_free(struct sxt_problem *p)
{
    struct sxt_str *all[] = { &p->id,       &p->difficulty, &p->question,
                              &p->prompt,   &p->answer,     &p->choices,
                              &p->starter,  &p->fn_name,    &p->tests,
                              &p->solution, &p->shown };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        sxt_str_free(all[i]);
}

/* ---- looking into records */

const struct sxt_json *sxt_import_member(const struct sxt_json *record,
                                         const char *path)
{
    struct sxt_str name = SXT_STR_EMPTY;
    const struct sxt_json *v = record;

    while (v && *path) {
        size_t n = strcspn(path, ".");
        sxt_str_cut(&name, 0);
        sxt_str_add_bytes(&name, path, n);
        v = sxt_json_type(v) == SXT_JSON_ARRAY
                ? sxt_json_item(v, strtoul(name.data, NULL, 10))
                : sxt_json_get(v, name.data);
        path += n + (path[n] == '.');
    }
    sxt_str_free(&name);
    return sxt_json_type(v) == SXT_JSON_NULL ? NULL : v;
}

bool sxt_import_text(const struct sxt_json *value, struct sxt_str *out)
{
    struct sxt_span text = sxt_json_text(value);

    switch (sxt_json_type(value)) {
    case SXT_JSON_STRING:
        sxt_str_add_bytes(out, text.data, text.len);
        return true;
    case SXT_JSON_INT:
    case SXT_JSON_REAL:
    case SXT_JSON_BIG:
    case SXT_JSON_BOOL:
        sxt_json_print(value, 0, out);
        return true;
    case SXT_JSON_ARRAY:
        for (size_t i = 0; i < sxt_json_count(value); i++) {
            sxt_str_add(out, i > 0 ? ", " : "");
            if (sxt_json_type(sxt_json_item(value, i)) == SXT_JSON_ARRAY ||
                !sxt_import_text(sxt_json_item(value, i), out))
                return false;
        }
        return true;
    default:
        return false;
    }
}

/* Fill a field from a member that may be missing. */
static int optional(const struct sxt_json *record, const char *path,
                    struct sxt_str *out, struct sxt_error *err)
{
    const struct sxt_json *v = *path ? sxt_import_member(record, path) : NULL;

    if (v && !sxt_import_text(v, out))
        return sxt_err(err, SXT_EXIT_DATA, "member %s is no text", path);
    return 0;
}

static int required(const struct sxt_json *record, const char *path,
                    struct sxt_str *out, struct sxt_error *err)
{
    if (!sxt_import_member(record, path))
        return sxt_err(err, SXT_EXIT_DATA, "member %s is missing", path);
    if (optional(record, path, out, err) != 0)
        return -1;
    struct sxt_span text = { out->data, out->len };
    return sxt_span_trim(text).len > 0
               ? 0
               : sxt_err(err, SXT_EXIT_DATA, "member %s is empty", path);
}

/* ---- which records */

/* Is text one of the words "a|b|c"? */
static bool is_one_of(const char *text, const char *words)
{
    size_t n = strlen(text);

    for (;; words++) {
        size_t len = strcspn(words, "|");
        if (len == n && memcmp(words, text, n) == 0)
            return true;
        words += len;
        if (!*words)
            return false;
    }
}

/* Does a rule such as "source=amc" hold? */
static bool holds(const struct sxt_json *record, const char *rule)
{
    size_t n = strcspn(rule, "=~<>");
    char op = rule[n];
    struct sxt_str path = SXT_STR_EMPTY, text = SXT_STR_EMPTY;
    bool yes;

    sxt_str_add_bytes(&path, rule, n);
    const struct sxt_json *v = sxt_import_member(record, path.data);
    bool is_text = v && sxt_import_text(v, &text);
    const char *value = text.data ? text.data : "", *end = value;
    double x = is_text ? strtod(value, (char **)&end) : 0;
    if (op == '\0')
        yes = v && (!is_text || text.len > 0);
    else if (op == '=')
        yes = is_text && is_one_of(value, rule + n + 1);
    else if (op == '~')
        yes = is_text && strstr(value, rule + n + 1);
    else
        yes = end > value && (op == '<' ? x < strtod(rule + n + 1, NULL)
                                        : x > strtod(rule + n + 1, NULL));
    sxt_str_free(&path);
    sxt_str_free(&text);
    return yes;
}

static bool is_kept(const struct sxt_dataset *set,
                    const struct sxt_json *record)
{
    for (size_t i = 0; i < set->keep.count; i++)
        if (!holds(record, set->keep.items[i]))
            return false;
    return true;
}

/* ---- choices */

/* The i-th choice as the source orders them. */
static const struct sxt_json *choice(const struct sxt_dataset *set,
                                     const struct sxt_json *record, size_t i)
{
    if (set->choices.count > 1)
        return sxt_import_member(record, set->choices.items[i]);
    return sxt_json_item(sxt_import_member(record, set->choices.items[0]), i);
}

/* Append a choice as the prompt shows it. */
static void show_choice(const struct sxt_dataset *set, size_t i,
                        struct sxt_span text, struct sxt_str *shown)
{
    const char *at = set->choice_item;

    sxt_str_add(shown, "%s", i > 0 ? set->choice_join : "");
    while (*at) {
        if (sxt_starts_with(at, "{letter}")) {
            sxt_str_add_char(shown, (char)('A' + i));
            at += strlen("{letter}");
        } else if (sxt_starts_with(at, "{text}")) {
            sxt_str_add_bytes(shown, text.data, text.len);
            at += strlen("{text}");
        } else {
            sxt_str_add_char(shown, *at++);
        }
    }
}

/* Fill p->choices in the order in which they are shown; *shown: the same for
 * the prompt.  order[i]: the source's number of the i-th. */
static int fill_choices(const struct sxt_dataset *set,
                        const struct sxt_json *record, const uint64_t *order,
                        size_t n, struct sxt_problem *p, struct sxt_str *shown,
                        struct sxt_error *err)
{
    struct sxt_json *list = sxt_json_array();
    struct sxt_str text = SXT_STR_EMPTY;
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        sxt_str_cut(&text, 0);
        if (!sxt_import_text(choice(set, record, order[i]), &text) ||
            text.len == 0)
            rc = sxt_err(err, SXT_EXIT_DATA, "choice %zu is no text",
                         (size_t)order[i] + 1);
        struct sxt_span span = { text.data ? text.data : "", text.len };
        sxt_json_append(list, sxt_json_new_text(span.data, span.len));
        show_choice(set, i, span, shown);
    }
    sxt_json_print(list, 0, &p->choices);
    sxt_json_free(list);
    sxt_str_free(&text);
    return rc;
}

/* Choices and answer.  A data set whose first choice is always the right one
 * is shuffled by the problem's id: the same on every machine. */
static int fill_answer(const struct sxt_dataset *set,
                       const struct sxt_json *record, struct sxt_problem *p,
                       struct sxt_str *shown, struct sxt_error *err)
{
    uint64_t order[MAX_CHOICES];
    size_t n = set->choices.count, first = 0;

    if (n == 1)
        n = sxt_json_count(sxt_import_member(record, set->choices.items[0]));
    if (n > MAX_CHOICES || (set->choices.count > 0 && n < 2))
        return sxt_err(err, SXT_EXIT_DATA, "%zu choices, not 2 to %d", n,
                       MAX_CHOICES);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    if (strcmp(set->answer_rule, "first") == 0) {
        uint64_t key = sxt_hash64(p->id.data, p->id.len, 0);
        sxt_rng_permutation(
            (struct sxt_rng){ 0, sxt_rng_stream("choices", key, 0) }, order, n);
        while (order[first] != 0)
            first++;
    }
    if (n > 0 && fill_choices(set, record, order, n, p, shown, err) != 0)
        return -1;
    return sxt_import_answer(set, record, n, first, p, err);
}

/* ---- the prompt */

static void fill_prompt(const struct sxt_dataset *set, struct sxt_problem *p,
                        const struct sxt_str *choices)
{
    bool call = p->fn_name.len > 0 && *set->prompt_call;
    const char *at = call ? set->prompt_call : set->prompt;
    const struct {
        const char *name;
        const struct sxt_str *text;
    } fields[] = { { "{question}", &p->question },
                   { "{choices}", choices },
                   { "{starter}", &p->starter },
                   { "{tests}", &p->shown } };

    while (*at) {
        size_t i = 0, n = sizeof(fields) / sizeof(fields[0]);
        while (i < n && !sxt_starts_with(at, fields[i].name))
            i++;
        if (i == n) {
            sxt_str_add_char(&p->prompt, *at++);
            continue;
        }
        sxt_str_add_bytes(&p->prompt, fields[i].text->data,
                          fields[i].text->len);
        at += strlen(fields[i].name);
    }
}

/* ---- the whole */

int sxt_import_check(const struct sxt_dataset *set, struct sxt_error *err)
{
    bool by_choice = strcmp(set->answer_rule, "letter") == 0 ||
                     strcmp(set->answer_rule, "index") == 0 ||
                     strcmp(set->answer_rule, "first") == 0;

    if (!*set->source || strpbrk(set->source, "/ \t\n"))
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "dataset.source must be a name without slash or "
                       "space, not \"%s\"",
                       set->source);
    if (by_choice && set->choices.count == 0)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "dataset.answer_rule = \"%s\" needs dataset.choices",
                       set->answer_rule);
    if (strcmp(set->tests, "none") != 0 && set->test_members.count == 0)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "dataset.tests = \"%s\" needs dataset.test_members",
                       set->tests);
    if (strcmp(set->domain, "code") == 0 && strcmp(set->tests, "none") == 0)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "dataset.domain = \"code\" needs dataset.tests");
    return 0;
}

static int fill_id(const struct sxt_dataset *set, const struct sxt_json *record,
                   const char *place, struct sxt_problem *p,
                   struct sxt_error *err)
{
    sxt_str_add(&p->id, "%s/", set->source);
    if (!*set->id)
        sxt_str_add(&p->id, "%s", place);
    else if (required(record, set->id, &p->id, err) != 0)
        return -1;
    for (size_t i = 0; i < p->id.len; i++)
        if (iscntrl((unsigned char)p->id.data[i]))
            return sxt_err(err, SXT_EXIT_DATA,
                           "the id has a control character (byte %d)",
                           p->id.data[i]);
    return 0;
}

int sxt_import_record(const struct sxt_dataset *set,
                      const struct sxt_json *record, const char *place,
                      struct sxt_problem *p, struct sxt_error *err)
{
    struct sxt_str choices = SXT_STR_EMPTY;
    int rc;

    if (sxt_json_type(record) != SXT_JSON_OBJECT)
        return sxt_err(err, SXT_EXIT_DATA, "the record is no object");
    if (!is_kept(set, record))
        return 0;
    if (fill_id(set, record, place, p, err) != 0 ||
        required(record, set->question, &p->question, err) != 0 ||
        optional(record, set->difficulty, &p->difficulty, err) != 0 ||
        optional(record, set->solution, &p->solution, err) != 0 ||
        optional(record, set->starter, &p->starter, err) != 0)
        return -1;
    rc = fill_answer(set, record, p, &choices, err);
    if (rc == 0)
        rc = sxt_import_tests(set, record, p, err);
    if (rc == 0)
        fill_prompt(set, p, &choices);
    sxt_str_free(&choices);
    return rc == 0 ? 1 : -1;
}
