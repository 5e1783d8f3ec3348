/* dataset.c - the parameters of a data set. */
#include "task/dataset.h"

#include <stddef.h>

#define AT(member) offsetof(struct sxt_dataset, member)
#define STRING(name, value, doc)                                           \
    {                                                                      \
#name, SXT_CFG_STRING, value, 0, 0, "1", doc, AT(name), NULL, NULL \
    }
#define STRINGS(name, doc)                                               \
    {                                                                    \
#name, SXT_CFG_STRINGS, "", 0, 0, "1", doc, AT(name), NULL, NULL \
    }
#define REAL(name, value, low, high, unit, doc)                                \
    {                                                                          \
#name, SXT_CFG_REAL, value, low, high, unit, doc, AT(name), NULL, NULL \
    }
#define CHOICE(name, value, choices, doc)                                     \
    {                                                                         \
#name, SXT_CFG_CHOICE, value, 0, 0, "1", doc, AT(name), choices, NULL \
    }

static const struct sxt_cfg_param params[] = {
    STRING(source, "", "Name of the data set; ids begin with it."),
    CHOICE(domain, "math", "math|code|choice", "How answers are graded."),
    CHOICE(split, "train", "train|test", "Part of the data set."),
    STRING(licence, "unknown", "Licence of the data."),
    STRINGS(keep, "Keep a record only if all of these hold: MEMBER (is there "
                  "and not empty), MEMBER=TEXT, MEMBER~PART, MEMBER<NUMBER, "
                  "MEMBER>NUMBER."),
    STRING(id, "", "Member that names the record; empty: file and line."),
    STRING(question, "question", "Member with the problem's text."),
    STRING(difficulty, "", "Member with the difficulty."),
    STRING(solution, "", "Member with a worked solution."),
    STRING(starter, "", "Member with code the solution starts from."),
    STRING(answer, "", "Member with the reference answer; empty: none."),
    CHOICE(answer_rule, "whole", "whole|after|boxed|letter|index|first",
           "Where the answer lies: the whole member, after the last "
           "answer_mark, in the last \\boxed{}; for choices: their letter or "
           "label, their number from 0, or always the first listed, which is "
           "then shuffled."),
    STRING(answer_mark, "####", "What answer_rule = \"after\" looks for."),
    STRING(answer_drop, "", "Characters taken out of the answer."),
    { "answer_optional", SXT_CFG_BOOL, "false", 0, 0, "1",
      "Accept records without an answer.", AT(answer_optional), NULL, NULL },
    STRINGS(choices, "Member with an array of choices, or a member each."),
    STRING(choice_item, "{letter}) {text}", "How a choice is shown."),
    STRING(choice_join, ", ", "What stands between choices."),
    CHOICE(tests, "none", "none|apps|pairs|asserts|check|code|evalplus",
           "Form of the unit tests; see doc/formats.md."),
    STRINGS(test_members,
            "Members with the tests; of several pairs, the first has those "
            "that the problem's statement shows."),
    STRING(entry, "", "Member with the tested function's name."),
    STRING(setup, "",
           "Member with code to run before the tests, or \"^\": "
           "what stands before the function in the starter."),
    STRING(examples, "",
           "For evalplus, member with calls as Python writes them: they tell "
           "which lists are tuples or sets."),
    STRINGS(compare,
            "For evalplus, NAME=HOW: how the values of a function are "
            "compared: as a set, as found (not None), as a root of the "
            "polynomial that is its argument."),
    REAL(cpu_s, "0", 0, 600, "s",
         "CPU time of one test, of all for asserts; 0: the grader's 6 s."),
    REAL(memory_mb, "0", 0, 65536, "MiB",
         "Memory of one test; 0: the grader's 1024 MiB."),
    STRING(time_limit, "",
           "Member with a problem's own time limit, in seconds or as "
           "{seconds, nanos}; the larger of the two holds."),
    REAL(tolerance, "-1", -1, 1, "1",
         "Largest error of numbers that are not integers, relative to max (1, "
         "|x|); -1: none for text, 1e-9 for values."),
    CHOICE(form, "lines", "lines|filled|words",
           "What of printed text counts: every line, those that are not "
           "empty, or words only."),
    { "fold_case", SXT_CFG_BOOL, "false", 0, 0, "1",
      "Printed letters of either case are the same.", AT(fold_case), NULL,
      NULL },
    CHOICE(upstream, "none", "none|apps|taco|livecodebench",
           "Whose rules grading.profile = \"upstream\" takes for it."),
    STRING(prompt, "{question}",
           "User message; {question}, {choices}, {starter}, {tests} are "
           "filled in."),
    STRING(prompt_call, "",
           "The same where tests call a function; empty: "
           "prompt."),
    { .name = NULL }
};

const struct sxt_cfg_section sxt_dataset_section = {
    .name = "dataset",
    .doc = "How the records of a data set become problems.",
    .params = params,
    .size = sizeof(struct sxt_dataset)
};
