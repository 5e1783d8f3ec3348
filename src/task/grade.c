/* grade.c - a table of graders by domain. */
#include "task/grade.h"

#include <string.h>

#include "base/json.h"
#include "task/codeextract.h"
#include "task/codetest.h"
#include "task/extract.h"
#include "task/mathequal.h"
#include "task/upstream.h"

static const char *const names[SXT_VERDICT_KINDS] = {
    "pass",    "wrong",  "no_answer",    "no_code",      "crash",
    "timeout", "memory", "output_limit", "sandbox_error"
};

const char *sxt_grade_rules(void)
{
    return PACKAGE_VERSION " "
#include "task/rules.inc"
        ;
}

const char *sxt_verdict_name(enum sxt_verdict_kind kind)
{
    return names[kind];
}

int sxt_verdict_parse(struct sxt_span name)
{
    for (int i = 0; i < SXT_VERDICT_KINDS; i++)
        if (sxt_span_equal(name, names[i]))
            return i;
    return -1;
}

static int unusable(const struct sxt_question *q, const char *what,
                    struct sxt_error *err)
{
    return sxt_err(err, SXT_EXIT_DATA, "problem %.*s %s", (int)q->id.len,
                   q->id.data, what);
}

static struct sxt_span span_of(const struct sxt_str *s)
{
    return (struct sxt_span){ s->data ? s->data : "", s->len };
}

/* By SkyThought's rules: no answer is a wrong one there. */
static void grade_upstream(const struct sxt_question *q,
                           struct sxt_span response, bool choice,
                           struct sxt_verdict *v)
{
    struct sxt_span source = { q->source.data ? q->source.data : "",
                               q->source.len };
    enum sxt_upstream_scorer scorer = sxt_upstream_scorer(source, choice);
    bool right = sxt_upstream_score(scorer, q->answer, response, &v->answer);

    v->kind = right ? SXT_VERDICT_IS_PASS : SXT_VERDICT_IS_WRONG;
    v->rule = sxt_upstream_name(scorer);
}

/* ---- math ---- */

static int grade_math(const struct sxt_grader *grader,
                      const struct sxt_question *q, struct sxt_span response,
                      struct sxt_verdict *v, struct sxt_error *err)
{
    if (sxt_span_trim(q->answer).len == 0)
        return unusable(q, "has no reference answer", err);
    if (grader->profile == SXT_PROFILE_UPSTREAM) {
        grade_upstream(q, response, false, v);
        return 0;
    }
    enum sxt_extract_rule rule =
        sxt_extract_answer(response, grader->guess, &v->answer);
    if (rule == SXT_EXTRACT_NONE) {
        v->kind = SXT_VERDICT_IS_NO_ANSWER;
        v->rule = "none";
        return 0;
    }
    struct sxt_math_judgement j = sxt_mathequal(q->answer, span_of(&v->answer));
    v->kind = j.verdict == SXT_MATH_EQUAL ? SXT_VERDICT_IS_PASS
                                          : SXT_VERDICT_IS_WRONG;
    v->rule = j.verdict == SXT_MATH_UNDECIDED ? "undecided" : j.rule;
    return 0;
}

/* ---- choice ---- */

/* The letter whose text the box repeats, 0 if it is none or several. */
static char letter_by_text(const struct sxt_json *choices, struct sxt_span box)
{
    char letter = 0;

    for (size_t i = 0; i < sxt_json_count(choices) && i < 26; i++) {
        struct sxt_span text = sxt_json_text(sxt_json_item(choices, i));
        if (sxt_mathequal(text, box).verdict != SXT_MATH_EQUAL)
            continue;
        if (letter)
            return 0;
        letter = (char)('A' + i);
    }
    return letter;
}

static char chosen(const struct sxt_json *choices, struct sxt_span response,
                   const char **rule)
{
    int n = (int)sxt_json_count(choices);
    char letter = sxt_extract_choice(response, n > 0 && n < 26 ? n : 26);
    struct sxt_str box = SXT_STR_EMPTY;

    *rule = "letter";
    if (!letter && sxt_extract_boxed(sxt_extract_solution(response), &box)) {
        letter = letter_by_text(choices, span_of(&box));
        *rule = "choice text";
    }
    sxt_str_free(&box);
    return letter;
}

static int grade_choice(const struct sxt_grader *grader,
                        const struct sxt_question *q, struct sxt_span response,
                        struct sxt_verdict *v, struct sxt_error *err)
{
    struct sxt_span gold = sxt_span_trim(q->answer);
    struct sxt_json *choices = NULL;

    if (gold.len != 1 || gold.data[0] < 'A' || gold.data[0] > 'Z')
        return unusable(q, "has no letter as its reference answer", err);
    if (grader->profile == SXT_PROFILE_UPSTREAM) {
        grade_upstream(q, response, true, v);
        return 0;
    }
    if (q->choices.len > 0) {
        choices =
            sxt_json_parse(q->choices.data, q->choices.len, "choices", err);
        if (!choices)
            return sxt_err_prefix(err, "problem %.*s", (int)q->id.len,
                                  q->id.data);
    }
    char letter = chosen(choices, response, &v->rule);
    sxt_json_free(choices);
    if (!letter) {
        v->kind = SXT_VERDICT_IS_NO_ANSWER;
        v->rule = "none";
        return 0;
    }
    sxt_str_add_char(&v->answer, letter);
    v->kind =
        letter == gold.data[0] ? SXT_VERDICT_IS_PASS : SXT_VERDICT_IS_WRONG;
    return 0;
}

/* ---- code ---- */

static enum sxt_verdict_kind kind_of(enum sxt_code_verdict verdict)
{
    switch (verdict) {
    case SXT_CODE_PASS:
        return SXT_VERDICT_IS_PASS;
    case SXT_CODE_WRONG:
        return SXT_VERDICT_IS_WRONG;
    case SXT_CODE_NO_CODE:
        return SXT_VERDICT_IS_NO_CODE;
    case SXT_CODE_CRASH:
        return SXT_VERDICT_IS_CRASH;
    case SXT_CODE_TIMEOUT:
        return SXT_VERDICT_IS_TIMEOUT;
    case SXT_CODE_MEMORY:
        return SXT_VERDICT_IS_MEMORY;
    case SXT_CODE_OUTPUT_LIMIT:
        return SXT_VERDICT_IS_OUTPUT_LIMIT;
    case SXT_CODE_SANDBOX_ERROR:
        break;
    }
    return SXT_VERDICT_IS_SANDBOX_ERROR;
}

/* The program in a response, NULs and all; false if there is none. */
static bool find_program(const struct sxt_grader *grader,
                         const struct sxt_json *tests, struct sxt_span response,
                         struct sxt_str *out)
{
    const char *entry = sxt_json_string(sxt_json_get(tests, "fn_name"), NULL);

    if (grader->profile == SXT_PROFILE_UPSTREAM) {
        struct sxt_span block = sxt_code_upstream_extract(response);
        sxt_str_add_bytes(out, block.data, block.len);
        return block.data;
    }
    if (!entry)
        entry = sxt_json_string(sxt_json_get(tests, "entry"), "");
    return sxt_code_program(sxt_extract_solution(response), sxt_span(entry),
                            out);
}

static int run_program(const struct sxt_grader *grader,
                       const struct sxt_json *tests, struct sxt_verdict *v,
                       struct sxt_error *err)
{
    const struct sxt_code_options options = {
        .upstream = grader->profile == SXT_PROFILE_UPSTREAM,
        .tolerance = grader->tolerance,
        .watcher = grader->watcher,
    };
    struct sxt_code_result result;

    SXT_CHECK(grader->sandbox != NULL);
    if (sxt_code_test(grader->sandbox, tests, span_of(&v->answer), &options,
                      &result, err) != 0)
        return -1;
    v->kind = kind_of(result.verdict);
    v->rule = result.rule;
    v->tests = result.tests;
    v->tests_run = result.tests_run;
    v->tests_passed = result.tests_passed;
    v->first_failed = result.first_failed;
    v->cpu_s = result.cpu_s;
    v->peak_bytes = result.peak_bytes;
    v->sandbox = sxt_sandbox_tier_name(grader->sandbox);
    memcpy(v->detail, result.detail, sizeof(v->detail));
    return 0;
}

static int grade_code(const struct sxt_grader *grader,
                      const struct sxt_question *q, struct sxt_span response,
                      struct sxt_verdict *v, struct sxt_error *err)
{
    struct sxt_json *tests;
    int rc = 0;

    if (q->tests.len == 0)
        return unusable(q, "has no tests", err);
    tests = sxt_json_parse(q->tests.data, q->tests.len, "tests", err);
    if (!tests) {
        rc = -1;
    } else if (!find_program(grader, tests, response, &v->answer)) {
        v->kind = SXT_VERDICT_IS_NO_CODE;
        v->rule = "none";
    } else {
        rc = run_program(grader, tests, v, err);
    }
    sxt_json_free(tests);
    return rc == 0 ? 0
                   : sxt_err_prefix(err, "problem %.*s", (int)q->id.len,
                                    q->id.data);
}

static const struct domain {
    const char *name;
    bool sandbox;
    int (*grade)(const struct sxt_grader *grader, const struct sxt_question *q,
                 struct sxt_span response, struct sxt_verdict *v,
                 struct sxt_error *err);
} domains[] = {
    { "math", false, grade_math },
    { "choice", false, grade_choice },
    { "code", true, grade_code },
    { NULL, false, NULL },
};

static const struct domain *find_domain(struct sxt_span name)
{
    for (const struct domain *d = domains; d->name; d++)
        if (sxt_span_equal(name, d->name))
            return d;
    return NULL;
}

int sxt_grade(const struct sxt_grader *grader, const struct sxt_question *q,
              struct sxt_span response, struct sxt_verdict *verdict,
              struct sxt_error *err)
{
    const struct domain *d = find_domain(q->domain);

    *verdict =
        (struct sxt_verdict){ .rule = "", .first_failed = -1, .sandbox = "" };
    if (!d)
        return unusable(q, "has a domain that is not math, choice or code",
                        err);
    if (d->grade(grader, q, response, verdict, err) == 0)
        return 0;
    sxt_verdict_free(verdict);
    return -1;
}

void sxt_verdict_free(struct sxt_verdict *verdict)
{
    sxt_str_free(&verdict->answer);
}

bool sxt_grade_needs_sandbox(struct sxt_span domain)
{
    const struct domain *d = find_domain(domain);

    return d && d->sandbox;
}

bool sxt_grade_same_answer(struct sxt_span domain, struct sxt_span a,
                           struct sxt_span b)
{
    if (sxt_span_equal(domain, "math"))
        return sxt_mathequal(a, b).verdict == SXT_MATH_EQUAL;
    return sxt_span_equal(domain, "choice") && sxt_span_same(a, b);
}
