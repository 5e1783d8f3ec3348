/* codeanswer.h - is what a program gave what was expected? */
#ifndef SXT_TASK_CODEANSWER_H
#define SXT_TASK_CODEANSWER_H

#include <stdbool.h>

#include "base/json.h"
#include "base/str.h"

/* What of a printed text's form counts. */
enum sxt_code_form {
    SXT_CODE_LINES,  /* every line, those at the end apart if empty */
    SXT_CODE_FILLED, /* lines that are not empty */
    SXT_CODE_WORDS   /* words, however divided into lines */
};

/* How strictly outputs and values are compared. */
struct sxt_code_rule {
    double tolerance; /* of numbers not both written as integers */
    enum sxt_code_form form;
    bool fold_case;       /* ASCII letters of either case are the same */
    const char *upstream; /* static: SkyThought's rule for a data set, "apps",
                             "taco", "livecodebench"; NULL: ours */
};

/* Printed text.  White space at the ends of lines, and how much of it stands
 * between words, does not count.  Two words are the same if they have the same
 * bytes, or are decimal numbers of the same exact value (1.50 and 15e-1), or
 * |got - want| <= tolerance max (1, |want|), unless both are integers. */
bool sxt_code_same_output(struct sxt_span got, struct sxt_span want,
                          const struct sxt_code_rule *rule);

/* A value as runner/codec.py writes it, against plain JSON.  A tuple is a
 * list; a dictionary's keys are compared by their text; bool is no number;
 * int and int must be equal; with a float on either side the tolerance holds
 * as above, infinities equal themselves, NaN nothing. */
bool sxt_code_same_value(const struct sxt_json *got,
                         const struct sxt_json *want, double tolerance);

/* SkyThought's comparison of printed text (skythought/evals/scoring): see
 * doc/grading.md for what it lets through. */
bool sxt_code_upstream_output(const char *dataset, struct sxt_span got,
                              struct sxt_span want);

#endif
