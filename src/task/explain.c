/* explain.c - how a verdict came about, in words for people.
 *
 * The verdict itself is sxt_grade()'s; this file only shows what the parts of
 * it see in the same response. */
#include "task/explain.h"

#include <string.h>

#include "task/codeextract.h"
#include "task/codetest.h"
#include "task/extract.h"
#include "task/mathexpr.h"

enum { SHOWN_LINES = 12, SHOWN_BYTES = 1000, SHOWN_TREE = 600 };

/* What each rule of mathequal.c says. */
static const struct {
    const char *rule, *meaning;
} meanings[] = {
    { "same", "both are the same tokens" },
    { "text", "words, compared whatever their case and blanks" },
    { "list", "items in any order, each with its equal" },
    { "set", "items in any order, however often" },
    { "elements", "the same brackets and shape, items in order" },
    { "interval", "bounds and brackets" },
    { "relation", "sides' differences up to a constant factor" },
    { "percent", "a percent sign on one side or both" },
    { "degrees", "a degree sign on one side or both" },
    { "base", "a number in a base" },
    { "rounded", "a decimal that the exact value rounds to" },
    { "identity", "values at random points, exact and floating" },
    { "closed form", "proved by FLINT in exact fields or by balls" },
    { "unit", "two units: converted, or not the same" },
    { "time", "times of day, or dates" },
    { "upstream MATH", "SkyThought's rule, both sides normalised" },
    { "upstream raw", "SkyThought's rule, the reference as it is" },
    { "upstream GSM", "SkyThought's rule, the last figure as a string" },
    { "upstream LETTER", "SkyThought's rule, the last lone A to D" },
    { "upstream MMLU-PRO", "SkyThought's rule, \"answer is X\"" },
    { "upstream ARC", "SkyThought's rule, the answer's first A to D" },
    { "union", "unions and intersections in any order" },
    { "infinity", "infinite, and its sign" },
    { "ratio", "a ratio against no ratio" },
    { "limit", "more items than are compared" },
    { "empty", "one side is empty" },
    { "unparsed", "not in the grammar, and not the same text" },
    { "undecided", "looks equal, is not proved: counts as wrong" },
    { "letter", "the letter chosen" },
    { "choice text", "the choice whose text the box repeats" },
    { "none", "nothing was found that could be judged" },
    { "stdin", "what the program printed" },
    { "call", "what its function returned" },
    { "assert", "assertions about it" },
    { NULL, NULL },
};

static const char *meaning_of(const char *rule)
{
    size_t i = 0;

    while (meanings[i].rule && strcmp(meanings[i].rule, rule) != 0)
        i++;
    return meanings[i].rule ? meanings[i].meaning : "see doc/grading.md";
}

static struct sxt_span span_of(const struct sxt_str *s)
{
    return (struct sxt_span){ s->data ? s->data : "", s->len };
}

/* ---- showing what strangers wrote ---- */

static void show_char(struct sxt_str *out, unsigned char c)
{
    if (c < ' ' || c == 127)
        sxt_str_add(out, "\\x%02X", c);
    else
        sxt_str_add_char(out, (char)c);
}

/* On one line. */
static void show(struct sxt_str *out, struct sxt_span s)
{
    size_t n = s.len < SHOWN_BYTES ? s.len : SHOWN_BYTES;

    for (size_t i = 0; i < n; i++)
        if (s.data[i] == '\n')
            sxt_str_add(out, "\\n");
        else
            show_char(out, (unsigned char)s.data[i]);
    if (n < s.len)
        sxt_str_add(out, " … (%zu bytes)", s.len);
}

static void line(struct sxt_str *out, const char *label, struct sxt_span s)
{
    sxt_str_add(out, "%-10s ", label);
    show(out, s);
    sxt_str_add_char(out, '\n');
}

/* The next line of *rest without its end. */
static struct sxt_span take_line(struct sxt_span *rest)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    size_t n = end ? (size_t)(end - rest->data) : rest->len;
    struct sxt_span first = { rest->data, n };

    rest->data += n + (end != NULL);
    rest->len -= n + (end != NULL);
    return first;
}

/* Line by line behind a mark; empty texts are said to be so. */
static void show_block(struct sxt_str *out, const char *label, char mark,
                       struct sxt_span s)
{
    if (s.len == 0)
        sxt_str_add(out, "%-10s (nothing)\n", label);
    else
        sxt_str_add(out, "%s\n", label);
    for (int i = 0; s.len > 0; i++) {
        if (i == SHOWN_LINES) {
            sxt_str_add(out, "    %c … %zu bytes more\n", mark, s.len);
            return;
        }
        sxt_str_add(out, "    %c ", mark);
        show(out, take_line(&s));
        sxt_str_add_char(out, '\n');
    }
}

/* ---- what is looked at ---- */

static void show_place(struct sxt_str *out, const char *label,
                       struct sxt_span place, struct sxt_span whole)
{
    size_t at = (size_t)(place.data - whole.data);

    sxt_str_add(out, "%-10s bytes %zu to %zu of %zu", label, at, at + place.len,
                whole.len);
}

static void explain_solution(struct sxt_span response, struct sxt_str *out)
{
    struct sxt_span solution = sxt_extract_solution(response);

    show_place(out, "looked at", solution, response);
    sxt_str_add(out, ": %s\n",
                solution.len == response.len ? "the whole response"
                : solution.len == 0 ? "the thoughts never end, so nothing"
                                    : "the solution section");
}

static void explain_tree(struct sxt_span text, struct sxt_str *out)
{
    struct sxt_math_tree tree;
    struct sxt_str printed = SXT_STR_EMPTY;

    sxt_mathexpr_parse(text, true, &tree);
    if (tree.root)
        sxt_mathexpr_print(tree.root, &printed);
    else
        sxt_str_add(&printed, "none: not in the grammar");
    struct sxt_span s = span_of(&printed);
    sxt_str_add(out, "  read as  ");
    show(out,
         (struct sxt_span){ s.data, s.len < SHOWN_TREE ? s.len : SHOWN_TREE });
    sxt_str_add(out, s.len > SHOWN_TREE ? " …\n" : "\n");
    sxt_str_free(&printed);
    sxt_mathexpr_free(&tree);
}

/* ---- domains ---- */

static void explain_math(const struct sxt_grader *grader,
                         const struct sxt_question *q, struct sxt_span response,
                         const struct sxt_verdict *v, struct sxt_str *out)
{
    struct sxt_str answer = SXT_STR_EMPTY;
    struct sxt_span place;
    enum sxt_extract_rule rule =
        sxt_extract_locate(response, grader->guess, &answer, &place);

    explain_solution(response, out);
    if (rule == SXT_EXTRACT_NONE) {
        sxt_str_add(out, "%-10s no answer is stated%s\n", "found",
                    grader->guess ? "" : " (grading.guess is off)");
    } else {
        show_place(out, "found", place, response);
        sxt_str_add(out, " (%s): ", sxt_extract_rule_name(rule));
        show(out, place);
        sxt_str_add_char(out, '\n');
        line(out, "answer", span_of(&v->answer));
        explain_tree(span_of(&v->answer), out);
    }
    line(out, "reference", q->answer);
    explain_tree(q->answer, out);
    sxt_str_free(&answer);
}

static void explain_choice(const struct sxt_question *q,
                           struct sxt_span response,
                           const struct sxt_verdict *v, struct sxt_str *out)
{
    explain_solution(response, out);
    if (q->choices.len > 0)
        line(out, "choices", q->choices);
    line(out, "answer",
         v->answer.len > 0 ? span_of(&v->answer) : sxt_span("no letter"));
    line(out, "reference", q->answer);
}

/* ---- programs ---- */

struct watcher {
    struct sxt_code_watcher base;
    struct sxt_str *out;
};

/* The first line in which two outputs differ, if they have several. */
static void explain_difference(struct sxt_span want, struct sxt_span got,
                               struct sxt_str *out)
{
    if (sxt_span_find(sxt_span_trim(want), "\n") < 0 &&
        sxt_span_find(sxt_span_trim(got), "\n") < 0)
        return;
    for (size_t n = 1; want.len > 0 || got.len > 0; n++) {
        bool more_want = want.len > 0, more_got = got.len > 0;
        struct sxt_span a = sxt_span_trim(take_line(&want));
        struct sxt_span b = sxt_span_trim(take_line(&got));
        if (more_want && more_got && sxt_span_same(a, b))
            continue;
        sxt_str_add(out, "  differ   first in line %zu\n    - ", n);
        show(out, more_want ? a : sxt_span("(no such line)"));
        sxt_str_add(out, "\n    + ");
        show(out, more_got ? b : sxt_span("(no such line)"));
        sxt_str_add_char(out, '\n');
        return;
    }
}

static void explain_failure(const struct sxt_code_seen *t, struct sxt_str *out)
{
    show_block(out, "  given", '|', t->given);
    if (t->want.len > 0) {
        show_block(out, "  expected", '-', t->want);
        show_block(out, "  got", '+', t->got);
        if (t->verdict == SXT_CODE_WRONG)
            explain_difference(t->want, t->got, out);
    }
    if (t->run && t->run->err.len > 0)
        show_block(out, "  stderr", '!', span_of(&t->run->err));
    sxt_str_add(out, "  limits   %g s of CPU time, %zu MiB, %zu MiB output\n",
                t->limits->cpu_s, t->limits->memory_bytes >> 20,
                t->limits->output_bytes >> 20);
}

static void saw(struct sxt_code_watcher *self, const struct sxt_code_seen *t)
{
    struct sxt_str *out = ((struct watcher *)self)->out;

    sxt_str_add(out, "test %-5d %s", t->index,
                sxt_code_verdict_name(t->verdict));
    if (t->run)
        sxt_str_add(out, "  %.3f s of CPU time  %zu MiB", t->run->cpu_s,
                    t->run->peak_bytes >> 20);
    sxt_str_add_char(out, '\n');
    if (t->verdict != SXT_CODE_PASS)
        explain_failure(t, out);
}

static void explain_code(struct sxt_span response, const struct sxt_verdict *v,
                         const struct sxt_str *tests, struct sxt_str *out)
{
    explain_solution(response, out);
    show_block(out, "program", '|', span_of(&v->answer));
    sxt_str_add_bytes(out, span_of(tests).data, tests->len);
    if (v->tests > 0)
        sxt_str_add(out,
                    "%-10s %d of %d passed, %d run  %.3f s of CPU time  "
                    "%zu MiB  sandbox %s\n",
                    "tests", v->tests_passed, v->tests, v->tests_run, v->cpu_s,
                    v->peak_bytes >> 20, v->sandbox);
    if (v->detail[0])
        line(out, "because", sxt_span(v->detail));
}

int sxt_explain(const struct sxt_grader *grader,
                const struct sxt_question *question, struct sxt_span response,
                struct sxt_verdict *verdict, struct sxt_str *out,
                struct sxt_error *err)
{
    struct sxt_str tests = SXT_STR_EMPTY;
    struct watcher watcher = { { saw }, &tests };
    struct sxt_grader watched = *grader;
    int rc;

    watched.watcher = &watcher.base;
    rc = sxt_grade(&watched, question, response, verdict, err);
    if (rc == 0) {
        if (sxt_span_equal(question->domain, "math"))
            explain_math(grader, question, response, verdict, out);
        else if (sxt_span_equal(question->domain, "choice"))
            explain_choice(question, response, verdict, out);
        else
            explain_code(response, verdict, &tests, out);
        sxt_str_add(out, "%-10s %s: %s\n%-10s %s\n", "rule", verdict->rule,
                    meaning_of(verdict->rule), "verdict",
                    sxt_verdict_name(verdict->kind));
    }
    sxt_str_free(&tests);
    return rc;
}
