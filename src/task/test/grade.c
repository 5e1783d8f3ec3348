/* grade.c (test) - verdicts by domain; programs are codetest's matter. */
#include "task/grade.h"

#include "base/test/tap.h"

static const struct {
    const char *domain, *answer, *choices, *response, *verdict, *found;
} cases[] = {
    { "math", "\\frac12", "", "It is \\boxed{0.5}", "pass", "0.5" },
    { "math", "4", "", "#### 5", "wrong", "5" },
    { "math", "4", "", "I give up after 4 tries", "no_answer", "" },
    { "choice", "B", "", "The answer is (B).", "pass", "B" },
    { "choice", "B", "", "\\boxed{C}", "wrong", "C" },
    { "choice", "B", "[\"1\", \"\\\\frac12\"]", "\\boxed{0.5}", "pass", "B" },
    { "choice", "B", "[\"1\", \"1\"]", "\\boxed{1}", "no_answer", "" },
    { "choice", "B", "", "no", "no_answer", "" },
    { "code", "", "", "There is no program here", "no_code", "" },
    { "code", "", "",
      "<|begin_of_thought|>```python\nx\n```<|end_of_thought|>"
      "<|begin_of_solution|>none<|end_of_solution|>",
      "no_code", "" },
};

static const struct {
    const char *what, *domain, *answer, *tests, *message;
} broken[] = {
    { "an unknown domain", "music", "4", "",
      "problem p has a domain that is not math, choice or code" },
    { "no reference", "math", " ", "", "problem p has no reference answer" },
    { "no letter", "choice", "12", "",
      "problem p has no letter as its reference answer" },
    { "no tests", "code", "", "", "problem p has no tests" },
};

int main(void)
{
    struct sxt_grader grader = { .sandbox = NULL };
    struct sxt_verdict v;
    struct sxt_error err = { 0 };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sxt_question q = { .id = sxt_span("p"),
                                  .domain = sxt_span(cases[i].domain),
                                  .answer = sxt_span(cases[i].answer),
                                  .choices = sxt_span(cases[i].choices),
                                  .tests = sxt_span("{}") };
        int rc = sxt_grade(&grader, &q, sxt_span(cases[i].response), &v, &err);
        ok(rc == 0 && strcmp(sxt_verdict_name(v.kind), cases[i].verdict) == 0,
           "case %zu, %s, is %s", i, cases[i].domain, cases[i].verdict);
        is_text(v.answer.data ? v.answer.data : "", cases[i].found,
                "  with what was found");
        sxt_verdict_free(&v);
    }
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct sxt_question q = { .id = sxt_span("p"),
                                  .domain = sxt_span(broken[i].domain),
                                  .answer = sxt_span(broken[i].answer),
                                  .tests = sxt_span(broken[i].tests) };
        ok(sxt_grade(&grader, &q, sxt_span("x"), &v, &err) == -1 &&
               err.code == SXT_EXIT_DATA,
           "%s cannot be graded", broken[i].what);
        is_text(err.text, broken[i].message, "  and says so");
    }
    for (int k = 0; k < SXT_VERDICT_KINDS; k++)
        ok(sxt_verdict_parse(sxt_span(sxt_verdict_name(k))) == k,
           "%s is read as written", sxt_verdict_name(k));
    ok(sxt_verdict_parse(sxt_span("passed")) == -1, "other words are not");
    ok(sxt_grade_same_answer(sxt_span("math"), sxt_span("1/2"),
                             sxt_span("0.5")) &&
           !sxt_grade_same_answer(sxt_span("code"), sxt_span("x"),
                                  sxt_span("x")),
       "answers vote together if they say the same, programs never");
    return done_testing();
}
