/* extract.h - the final answer in a model's response.
 *
 * The solution section counts where there is one: what is tried out in the
 * thoughts is no answer. */
#ifndef SXT_TASK_EXTRACT_H
#define SXT_TASK_EXTRACT_H

#include <stdbool.h>

#include "base/str.h"

enum sxt_extract_rule {
    SXT_EXTRACT_NONE,
    SXT_EXTRACT_BOXED,      /* the last \boxed{…}; neighbours are joined */
    SXT_EXTRACT_FINAL,      /* "the final answer is …" */
    SXT_EXTRACT_HASHES,     /* "#### …" */
    SXT_EXTRACT_FORMULA,    /* the last $…$; only where asked for */
    SXT_EXTRACT_LAST_NUMBER /* behind it; only where asked for */
};

/* Name of a rule, static. */
const char *sxt_extract_rule_name(enum sxt_extract_rule rule);

/* The part of a response between <|begin_of_solution|> and its end, behind
 * </think> or </thinking>, or all of it. */
struct sxt_span sxt_extract_solution(struct sxt_span response);

/* Contents of the last \boxed{…} (or \fbox) with balanced braces, appended to
 * *out; boxes that stand in one sentence with it are joined by commas.  False
 * if there is none. */
bool sxt_extract_boxed(struct sxt_span text, struct sxt_str *out);

/* The final answer of a response to a maths problem, appended to *out.
 * guess: take the last formula or number where no answer is stated. */
enum sxt_extract_rule sxt_extract_answer(struct sxt_span response, bool guess,
                                         struct sxt_str *out);
/* The same, and *place: the part of the response it was taken from, boxes and
 * all; .data NULL if there is none. */
enum sxt_extract_rule sxt_extract_locate(struct sxt_span response, bool guess,
                                         struct sxt_str *out,
                                         struct sxt_span *place);

/* The letter chosen ('A' …), up to n_choices; 0 if none is stated: in a box,
 * or "the answer is (B)", "Answer: B", a line that is only a letter. */
char sxt_extract_choice(struct sxt_span response, int n_choices);

#endif
