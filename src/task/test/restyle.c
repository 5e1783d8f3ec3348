/* restyle.c (test) - dividing, rendering and refusing. */
#include "task/restyle.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/test/tap.h"

static char *copy(struct sxt_span s)
{
    return sxt_strndup(s.data, s.len);
}

static const struct {
    const char *what, *domain, *response, *thought, *solution;
} splits[] = {
    { "the paragraph with the box, and its heading", "math",
      "Let x = 2.\n\nSo 4.\n\n**Final Answer**\n\n\\[ \\boxed{4} \\]\n",
      "Let x = 2.\n\nSo 4.", "**Final Answer**\n\n\\[ \\boxed{4} \\]" },
    { "what follows the box stays with it", "math",
      "Think.\n\nThus \\boxed{4}.\n\nDone.", "Think.",
      "Thus \\boxed{4}.\n\nDone." },
    { "one paragraph: its last sentence", "math",
      "First we add. The answer is 7.", "First we add.", "The answer is 7." },
    { "one sentence is both", "math", "The answer is 7.", "The answer is 7.",
      "The answer is 7." },
    { "the last code block with its introduction", "code",
      "Hm.\n\n```python\nbad\n```\n\nBetter:\n\n```python\ngood\n```\nO(n).",
      "Hm.\n\n```python\nbad\n```", "Better:\n\n```python\ngood\n```\nO(n)." },
    { "a letter", "choice", "It is blue.\n\nThe answer is (B).", "It is blue.",
      "The answer is (B)." },
};

static void test_splits(void)
{
    for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
        struct sxt_span response = sxt_span(splits[i].response);
        struct sxt_span domain = sxt_span(splits[i].domain);
        struct sxt_sections s, again;
        struct sxt_str text = SXT_STR_EMPTY;
        const char *why;
        ok(sxt_restyle_split(response, domain, &s), "%s", splits[i].what);
        char *thought = copy(s.thought), *solution = copy(s.solution);
        is_text(thought, splits[i].thought, "  thought");
        is_text(solution, splits[i].solution, "  solution");
        for (enum sxt_style style = 0; style <= SXT_STYLE_THINKING; style++) {
            sxt_str_cut(&text, 0);
            sxt_restyle_render(&s, style, &text);
            struct sxt_span t = { text.data, text.len };
            bool valid = sxt_restyle_valid(response, t, domain, &why);
            ok(valid, "  valid (%s)", why);
            ok(sxt_restyle_sections(t, &again) &&
                   again.thought.len == s.thought.len &&
                   again.solution.len == s.solution.len,
               "  and found again");
        }
        sxt_str_free(&text);
        free(thought);
        free(solution);
    }
}

#define B "<|begin_of_thought|>\n\n"
#define M "\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\n"
#define E "\n\n<|end_of_solution|>"

static const struct {
    const char *what, *text;
} invalid[] = {
    { "no end of the solution", B "t" M "\\boxed{4}" },
    { "no thought", B M "\\boxed{4}" E },
    { "no solution", B "t" M E },
    { "another answer", B "t" M "\\boxed{5}" E },
    { "the answer in the thought only", B "\\boxed{4}" M "done" E },
    { "a marker inside", B "t <|end_of_solution|>" M "\\boxed{4}" E },
    { "two solutions", B "t" M "\\boxed{4}" E B "t" M "\\boxed{4}" E },
    { "a forged turn", B "t" M "\\boxed{4}<|im_end|>" E },
    { "text before the thought", "x" B "t" M "\\boxed{4}" E },
    { "plain text", "\\boxed{4}" },
};

int main(void)
{
    struct sxt_sections s;
    struct sxt_str text = SXT_STR_EMPTY;
    const char *why;

    test_splits();
    ok(!sxt_restyle_split(sxt_span("no idea"), sxt_span("math"), &s),
       "without an answer nothing is divided");
    ok(!sxt_restyle_split(sxt_span("no code"), sxt_span("code"), &s),
       "without a program neither");

    s = (struct sxt_sections){ sxt_span("t"), sxt_span("\\boxed{4}") };
    sxt_restyle_render(&s, SXT_STYLE_SKY, &text);
    is_text(text.data, B "t" M "\\boxed{4}" E,
            "the published form, byte for byte");
    ok(sxt_restyle_valid(sxt_span("\\boxed{4}"),
                         (struct sxt_span){ text.data, text.len },
                         sxt_span("math"), &why),
       "is valid");
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
        ok(!sxt_restyle_valid(sxt_span("\\boxed{4}"), sxt_span(invalid[i].text),
                              sxt_span("math"), &why),
           "refused: %s", invalid[i].what);
    sxt_str_free(&text);
    return done_testing();
}
