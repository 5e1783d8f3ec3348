/* restyle.h - a raw response as thought and solution.
 *
 * The text that is trained on:
 *
 *     <|begin_of_thought|>\n\n … <|end_of_thought|>\n\n
 *     <|begin_of_solution|>\n\n … <|end_of_solution|>
 *
 * (or <thinking>…</thinking> and the solution behind it).  Pure functions of
 * text: the splitter copies, word by word, and decides only where the solution
 * begins. */
#ifndef SXT_TASK_RESTYLE_H
#define SXT_TASK_RESTYLE_H

#include <stdbool.h>

#include "base/str.h"

enum sxt_style {
    SXT_STYLE_SKY,     /* the four markers */
    SXT_STYLE_THINKING /* <thinking>…</thinking> */
};

/* A response in two parts, borrowed from it. */
struct sxt_sections {
    struct sxt_span thought, solution; /* trimmed */
};

/* Find the sections of a text that has them: each marker once, in order, both
 * parts with something in them.  Knows both styles and <think>. */
bool sxt_restyle_sections(struct sxt_span text, struct sxt_sections *out);

/* Divide a raw response: the solution is its last code block (domain code) or
 * the paragraph that states the final answer, with its heading and what
 * follows.  False if no answer is stated. */
bool sxt_restyle_split(struct sxt_span response, struct sxt_span domain,
                       struct sxt_sections *out);

/* Append both parts in a style. */
void sxt_restyle_render(const struct sxt_sections *sections,
                        enum sxt_style style, struct sxt_str *out);

/* May `text` replace `response`?  Both sections are there, no marker or turn
 * token stands inside them, and the answer (or program) found in the text is
 * the one found in the response, byte for byte but for white space around.
 * *why is static, "" if all is well. */
bool sxt_restyle_valid(struct sxt_span response, struct sxt_span text,
                       struct sxt_span domain, const char **why);

#endif
