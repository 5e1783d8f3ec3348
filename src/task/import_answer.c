/* import_answer.c - the reference answer, by the data set's rule. */
#include "task/import.h"

#include <stdlib.h>
#include <string.h>

/* From behind an opening brace to the one that closes it. */
static bool balanced(struct sxt_span text, struct sxt_span *inside)
{
    size_t depth = 1;

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\\')
            i++; /* \{ and \} are characters */
        else if (text.data[i] == '{')
            depth++;
        else if (text.data[i] == '}' && --depth == 0) {
            *inside = (struct sxt_span){ text.data, i };
            return true;
        }
    }
    return false;
}

static struct sxt_span behind(struct sxt_span text, size_t n)
{
    return (struct sxt_span){ text.data + n, text.len - n };
}

/* What the last \boxed{…} or \fbox{…} holds; also "\boxed 5", up to the end
 * of the formula, which the MATH data set has. */
static bool boxed(struct sxt_span text, struct sxt_span *inside)
{
    long box = sxt_span_find_last(text, "\\boxed");
    long frame = sxt_span_find_last(text, "\\fbox");
    size_t at = (size_t)(box > frame ? box : frame);

    if (box < 0 && frame < 0)
        return false;
    struct sxt_span rest =
        behind(text, at + strlen(box > frame ? "\\boxed" : "\\fbox"));
    if (rest.len > 0 && rest.data[0] == '{')
        return balanced(behind(rest, 1), inside);
    size_t n = 0;
    while (n < rest.len && rest.data[n] != '$')
        n++;
    *inside = sxt_span_trim((struct sxt_span){ rest.data, n });
    return inside->len > 0;
}

static int no_answer(const struct sxt_dataset *set, const char *why,
                     struct sxt_error *err)
{
    if (set->answer_optional)
        return 0;
    return sxt_err(err, SXT_EXIT_DATA, "member %s: %s", set->answer, why);
}

static int add_letter(size_t i, struct sxt_problem *p)
{
    sxt_str_add_char(&p->answer, (char)('A' + i));
    return 0;
}

/* "C", or the label "3" of the third choice. */
static int by_label(const struct sxt_dataset *set, struct sxt_span label,
                    size_t n, struct sxt_problem *p, struct sxt_error *err)
{
    if (label.len == 1) {
        char c = label.data[0];
        size_t i = c >= '1' && c <= '9'   ? (size_t)(c - '1')
                   : c >= 'A' && c <= 'Z' ? (size_t)(c - 'A')
                                          : n;
        if (i < n)
            return add_letter(i, p);
    }
    return no_answer(set, "no letter of a choice", err);
}

/* The answer out of the member's text. */
static int by_text(const struct sxt_dataset *set, struct sxt_span text,
                   struct sxt_problem *p, struct sxt_error *err)
{
    struct sxt_span found = text;

    if (strcmp(set->answer_rule, "after") == 0) {
        long at = sxt_span_find_last(text, set->answer_mark);
        if (at < 0)
            return no_answer(set, "no answer_mark in it", err);
        found = behind(text, (size_t)at + strlen(set->answer_mark));
    } else if (strcmp(set->answer_rule, "boxed") == 0 && !boxed(text, &found)) {
        return no_answer(set, "no \\boxed{} in it", err);
    }
    found = sxt_span_trim(found);
    for (size_t i = 0; i < found.len; i++)
        if (!found.data[i] || !strchr(set->answer_drop, found.data[i]))
            sxt_str_add_char(&p->answer, found.data[i]);
    return p->answer.len > 0 ? 0 : no_answer(set, "the answer is empty", err);
}

int sxt_import_answer(const struct sxt_dataset *set,
                      const struct sxt_json *record, size_t n_choices,
                      size_t first_choice, struct sxt_problem *p,
                      struct sxt_error *err)
{
    struct sxt_str text = SXT_STR_EMPTY;
    int rc;

    if (strcmp(set->answer_rule, "first") == 0)
        return add_letter(first_choice, p);
    if (!*set->answer)
        return 0;
    const struct sxt_json *v = sxt_import_member(record, set->answer);
    if (!v)
        return no_answer(set, "it is missing", err);
    if (strcmp(set->answer_rule, "index") == 0) {
        int64_t i = sxt_json_int(v, -1);
        return i >= 0 && (size_t)i < n_choices
                   ? add_letter((size_t)i, p)
                   : no_answer(set, "no number of a choice", err);
    }
    bool is_text = sxt_import_text(v, &text);
    struct sxt_span span = { text.data ? text.data : "", text.len };
    if (!is_text)
        rc = no_answer(set, "it is no text", err);
    else if (strcmp(set->answer_rule, "letter") == 0)
        rc = by_label(set, sxt_span_trim(span), n_choices, p, err);
    else
        rc = by_text(set, span, p, err);
    sxt_str_free(&text);
    return rc;
}
