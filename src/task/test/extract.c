/* extract.c (test) - final answers, letters and solution sections. */
#include "task/extract.h"

#include "base/test/tap.h"

static const struct {
    const char *rule, *response, *answer;
} answers[] = {
    { "boxed", "so \\boxed{1} … no, \\boxed{\\frac{a}{b}}.", "\\frac{a}{b}" },
    { "boxed", "the box \\boxed{5} must be boxed", "5" },
    { "boxed", "\\boxed{5} and then \\boxed{unclosed", "5" },
    { "boxed", "\\boxed{\\{1,2\\}}", "\\{1,2\\}" },
    { "boxed", "$\\boxed 7$", "7" },
    { "boxed", "\\(\\boxed{1}\\) and \\(\\boxed{-2}\\).", "1, -2" },
    { "boxed", "\\boxed{3}, that is \\boxed{3}", "3" },
    { "boxed", "$x = \\boxed{2}$ and $y = \\boxed{5}$", "2, 5" },
    { "boxed", "$x = \\boxed{2}$, so $y = \\boxed{5}$", "5" },
    { "boxed", "\\boxed{4} pens and \\boxed{9} books", "4, 9" },
    { "boxed", "\\boxed{4}. This final answer is right.", "4" },
    { "final answer", "We get \\boxed{4}. The final answer is $6$.", "6" },
    { "boxed",
      "<|begin_of_thought|>\\boxed{1}<|end_of_thought|>\n"
      "<|begin_of_solution|>\\boxed{2}<|end_of_solution|>\\boxed{3}",
      "2" },
    { "boxed", "<think>\\boxed{1}</think>\\boxed{2}", "2" },
    { "none", "<think>\\boxed{1} and so on", "" },
    { "final answer", "The final answer is $42$. I hope it is correct.", "42" },
    { "final answer", "**Answer:** 3.5 apples. Done", "3.5 apples" },
    { "final answer", "Thus the answer is 12.", "12" },
    { "final answer", "The answer to the given problem is 50.", "50" },
    { "final answer", "The final answer to the problem is 20.\n\nDone.", "20" },
    { "final answer", "Final Answer: The answer is 2.", "2" },
    { "final answer", "The answer to it is 7. So the answer is 8.", "8" },
    { "none", "The answer to that. It is odd.", "" },
    { "hashes", "2+2=4\n#### 1,234\n", "1,234" },
    { "formula", "It follows that $x = 3$ and we stop", "x = 3" },
    { "last number", "she has 12 apples and -3.5 pears", "-3.5" },
    { "last number", "about 1,200", "1,200" },
    { "last number", "so it is .5 of it", ".5" },
    { "last number", "As $d = 7$ there are 12 of them", "12" },
    { "last number", "12 letters AB3C", "12" },
    { "formula", "$$(1,\n2)$$", "(1,\n2)" },
    { "formula", "\\frac{2}{3}", "\\frac{2}{3}" },
    { "none", "no idea", "" },
    { "none", "", "" },
};

static const struct {
    const char *response;
    int choices;
    char letter;
} choices[] = {
    { "\\boxed{B}", 4, 'B' },
    { "\\boxed{b}", 4, 'B' },
    { "\\boxed{B}. This is a common result, see A.", 4, 'B' },
    { "\\boxed{\\text{(C) } 12}", 4, 'C' },
    { "\\boxed{\\textbf{D}}", 4, 'D' },
    { "\\boxed{12}", 4, 0 },
    { "The answer is (B).", 4, 'B' },
    { "The answer is **C**", 4, 'C' },
    { "Answer: D", 4, 'D' },
    { "The answer is A common mistake … The best answer is B", 4, 'B' },
    { "The answer is a long story", 4, 0 },
    { "The answer is A long story", 4, 0 },
    { "Reasons.\n\nC", 4, 'C' },
    { "The answer is E", 4, 0 },
    { "The answer is J", 10, 'J' },
    { "Because", 4, 0 },
};

int main(void)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct sxt_str out = SXT_STR_EMPTY;
        enum sxt_extract_rule rule =
            sxt_extract_answer(sxt_span(answers[i].response), true, &out);
        ok(strcmp(out.data ? out.data : "", answers[i].answer) == 0 &&
               strcmp(sxt_extract_rule_name(rule), answers[i].rule) == 0,
           "response %zu holds '%s' by rule %s ('%s' by %s)", i,
           answers[i].answer, answers[i].rule, out.data ? out.data : "",
           sxt_extract_rule_name(rule));
        sxt_str_free(&out);
    }
    struct sxt_str out = SXT_STR_EMPTY;
    ok(sxt_extract_answer(sxt_span("just 12"), false, &out) == SXT_EXTRACT_NONE,
       "numbers are not guessed at unless asked for");
    sxt_str_free(&out);
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        char letter = sxt_extract_choice(sxt_span(choices[i].response),
                                         choices[i].choices);
        ok(letter == choices[i].letter, "choice %zu is %c (%c)", i,
           choices[i].letter ? choices[i].letter : '-', letter ? letter : '-');
    }
    return done_testing();
}
