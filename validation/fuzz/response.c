/* response.c - fuzz target: what is found in a model's response.
 *
 * Answer, letter, program, sections; and that a clear answer behind any
 * rambling is the one that counts. */
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "task/codeextract.h"
#include "task/explain.h"
#include "task/extract.h"
#include "task/restyle.h"

static const char *const responses[] = { "@p",     "@p\n\n@r", "@m@r",
                                         "@c\n@r", "@p@r",     NULL };
static const char *const paragraphs[] = { "So @b.",
                                          "The answer is @b.",
                                          "**Final Answer**\n\n@b",
                                          "#### @w",
                                          "Answer: @w",
                                          "the answer to the question is @w",
                                          "@b and @b",
                                          "@w @w",
                                          "\\[ @b \\]",
                                          "$@w$",
                                          "(@w)",
                                          "Option @w",
                                          "final answer: **@w**",
                                          NULL };
static const char *const boxes[] = { "\\boxed{@w}",
                                     "$\\boxed{@w}$",
                                     "\\boxed @w",
                                     "\\fbox{@w}",
                                     "\\boxed{@b}",
                                     "\\boxed{",
                                     "\\boxed{\\frac{@w}{@w}}",
                                     "\\boxed{\\{@w\\}}",
                                     NULL };
static const char *const words[] = { "42",    "A",
                                     "B",     "-1,234.5",
                                     "x",     "is",
                                     "1/2",   "\\frac{1}{2}",
                                     "a",     "C.",
                                     "or",    "\\text{D}",
                                     "3.14.", "\xE2\x88\x9E",
                                     NULL };
static const char *const markers[] = { "<|begin_of_thought|>",
                                       "<|end_of_thought|>",
                                       "<|begin_of_solution|>",
                                       "<|end_of_solution|>",
                                       "<think>",
                                       "</think>",
                                       "<thinking>",
                                       "</thinking>",
                                       "<|im_end|>",
                                       NULL };
static const char *const blocks[] = { "```python\nprint(@w)\n```",
                                      "```\n@w\n```",
                                      "````\n```\n@w\n````",
                                      "```py\n@w",
                                      "  ```\n@w\n  ```",
                                      "```",
                                      NULL };

const struct fuzz_grammar fuzz_grammar = {
    .rules = { ['r' - 'a'] = responses,
               ['p' - 'a'] = paragraphs,
               ['b' - 'a'] = boxes,
               ['w' - 'a'] = words,
               ['m' - 'a'] = markers,
               ['c' - 'a'] = blocks },
    .start = "@r",
};

static bool inside(struct sxt_span part, struct sxt_span whole)
{
    return part.len == 0 || (part.data >= whole.data &&
                             part.data + part.len <= whole.data + whole.len);
}

static void check_found(struct sxt_span s)
{
    struct sxt_span solution = sxt_extract_solution(s);
    struct sxt_str program = SXT_STR_EMPTY;

    SXT_CHECK(inside(solution, s));
    SXT_CHECK(inside(sxt_code_extract(solution), solution));
    SXT_CHECK(inside(sxt_code_upstream_extract(s), s));
    sxt_code_program(solution, sxt_span("f"), &program);
    SXT_CHECK(program.len <= solution.len + 1);
    sxt_str_free(&program);
    for (int guess = 0; guess < 2; guess++) {
        struct sxt_str answer = SXT_STR_EMPTY;
        enum sxt_extract_rule rule = sxt_extract_answer(s, guess, &answer);
        SXT_CHECK(sxt_extract_rule_name(rule)[0]);
        SXT_CHECK(rule != SXT_EXTRACT_NONE || answer.len == 0);
        SXT_CHECK(answer.len <= 2 * s.len); /* boxes joined by ", " */
        sxt_str_free(&answer);
    }
    for (int n = 1; n <= 26; n += 5) {
        char letter = sxt_extract_choice(s, n);
        SXT_CHECK(letter == 0 || (letter >= 'A' && letter < 'A' + n));
    }
}

static void check_sections(struct sxt_span s)
{
    static const char *const domains[] = { "math", "choice", "code" };
    struct sxt_sections sections;

    if (sxt_restyle_sections(s, &sections)) {
        SXT_CHECK(inside(sections.thought, s) && sections.thought.len > 0);
        SXT_CHECK(inside(sections.solution, s) && sections.solution.len > 0);
    }
    for (int i = 0; i < 3; i++) {
        struct sxt_span domain = sxt_span(domains[i]);
        struct sxt_str text = SXT_STR_EMPTY;
        const char *why;
        if (!sxt_restyle_split(s, domain, &sections))
            continue;
        SXT_CHECK(inside(sections.thought, s) && inside(sections.solution, s));
        sxt_restyle_render(&sections, SXT_STYLE_SKY, &text);
        bool valid = sxt_restyle_valid(
            s, (struct sxt_span){ text.data, text.len }, domain, &why);
        SXT_CHECK(valid == (why[0] == '\0'));
        sxt_str_free(&text);
    }
}

/* What is explained to people holds nothing that a terminal might obey. */
static void check_explained(struct sxt_span s)
{
    const struct sxt_question questions[] = {
        { .domain = sxt_span("math"), .answer = sxt_span("42") },
        { .domain = sxt_span("choice"),
          .answer = sxt_span("B"),
          .choices = sxt_span("[\"42\", \"x\"]") },
    };
    const struct sxt_grader grader = { .guess = true, .tolerance = -1 };

    for (int i = 0; i < 2; i++) {
        struct sxt_str text = SXT_STR_EMPTY;
        struct sxt_error err = { 0 };
        struct sxt_verdict v;
        SXT_CHECK(sxt_explain(&grader, &questions[i], s, &v, &text, &err) == 0);
        for (size_t k = 0; k < text.len; k++)
            SXT_CHECK((unsigned char)text.data[k] >= ' ' ||
                      text.data[k] == '\n');
        sxt_verdict_free(&v);
        sxt_str_free(&text);
    }
}

static bool has(struct sxt_span s, const char *what)
{
    return sxt_span_find(s, what) >= 0;
}

/* Behind whatever was said before, an own paragraph's answer counts. */
static void check_last_word(struct sxt_span s)
{
    struct sxt_str text = SXT_STR_EMPTY, answer = SXT_STR_EMPTY;

    if (has(s, "<|") || has(s, "think"))
        return;
    sxt_str_add_bytes(&text, s.data, s.len);
    sxt_str_add(&text, "\n\nThe answer is \\boxed{4217}.\n");
    struct sxt_span all = { text.data, text.len };
    SXT_CHECK(sxt_extract_answer(all, false, &answer) == SXT_EXTRACT_BOXED);
    SXT_CHECK(
        sxt_span_equal((struct sxt_span){ answer.data, answer.len }, "4217"));
    if (!has(s, "```") && !has(s, "~~~")) {
        sxt_str_add(&text, "```python\nprint(7)\n```\n");
        all = (struct sxt_span){ text.data, text.len };
        SXT_CHECK(sxt_span_equal(sxt_code_extract(all), "print(7)\n"));
    }
    sxt_str_free(&text);
    sxt_str_free(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sxt_span s = { (const char *)data, size };

    fuzz_start();
    check_found(s);
    check_sections(s);
    check_last_word(s);
    check_explained(s);
    fuzz_stop(FUZZ_BYTES);
    return 0;
}
