/* import.h - a record of a data set becomes a problem.
 *
 * What is in a record is only read and rearranged: nothing of it is run. */
#ifndef SXT_TASK_IMPORT_H
#define SXT_TASK_IMPORT_H

#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "task/dataset.h"

/* Texts of the columns of problems.h5 that a record decides; owned. */
struct sxt_problem {
    struct sxt_str id, difficulty, question, prompt, answer, choices, starter,
        fn_name, tests, solution;
    struct sxt_str shown; /* tests for the prompt: not a column */
};
void sxt_problem_free(struct sxt_problem *p);

/* Check what the table of parameters cannot: members that a rule needs. */
int sxt_import_check(const struct sxt_dataset *set, struct sxt_error *err);

/* Fill *p from a record.  place: the id of a record that has none of its own
 * ("test/17").  1: filled, 0: set->keep leaves it out, -1: unusable
 * (SXT_EXIT_DATA); the message names the member. */
int sxt_import_record(const struct sxt_dataset *set,
                      const struct sxt_json *record, const char *place,
                      struct sxt_problem *p, struct sxt_error *err);

/* ---- parts, for the files of this module and their tests */

/* The member at a path ("a.b.0"), NULL if there is none or if it is null. */
const struct sxt_json *sxt_import_member(const struct sxt_json *record,
                                         const char *path);
/* Append the text of a string, number, boolean, or an array of these with
 * ", " between; false if it is none of them. */
bool sxt_import_text(const struct sxt_json *value, struct sxt_str *out);

/* p->answer by the data set's rule; p->choices are filled (as JSON) and, for
 * "first", in their final order. */
int sxt_import_answer(const struct sxt_dataset *set,
                      const struct sxt_json *record, size_t n_choices,
                      size_t first_choice, struct sxt_problem *p,
                      struct sxt_error *err);
/* p->tests, p->fn_name, p->shown; p->starter is filled. */
int sxt_import_tests(const struct sxt_dataset *set,
                     const struct sxt_json *record, struct sxt_problem *p,
                     struct sxt_error *err);
/* The same for tests that are Python statements. */
int sxt_import_asserts(const struct sxt_dataset *set,
                       const struct sxt_json *record, struct sxt_problem *p,
                       struct sxt_error *err);
/* The tested function's name; nothing if the data set does not say it. */
int sxt_import_entry(const struct sxt_dataset *set,
                     const struct sxt_json *record, struct sxt_str *name,
                     struct sxt_error *err);
/* Append members, a comma behind each: the limits of a test and how outputs
 * are compared. */
void sxt_import_limits(const struct sxt_dataset *set,
                       const struct sxt_json *record, struct sxt_str *tests);
/* Append a text as a JSON string, which is also one of Python's. */
void sxt_import_quote(struct sxt_span text, struct sxt_str *out);
/* Append the JSON text in LiveCodeBench's compressed form, base64 (zlib (pickle
 * (text))), or {"input_output": text} in place of text. */
int sxt_import_unpack(struct sxt_span packed, struct sxt_str *out,
                      struct sxt_error *err);

#endif
