/* dataset.h - how the records of a data set become problems: data, read from
 * inputs/datasets/NAME.cfg, section `dataset`.
 *
 * Members of a record are named by paths: "question", "choices.text",
 * "conversations.0.value". */
#ifndef SXT_TASK_DATASET_H
#define SXT_TASK_DATASET_H

#include <stdbool.h>

#include "cfg/cfg.h"

struct sxt_dataset {
    char *source, *domain, *split, *licence;
    struct sxt_cfg_strings keep;
    char *id, *question, *difficulty, *solution, *starter;
    char *answer, *answer_rule, *answer_mark, *answer_drop;
    bool answer_optional;
    struct sxt_cfg_strings choices;
    char *choice_item, *choice_join;
    char *tests, *entry, *setup, *examples;
    struct sxt_cfg_strings test_members, compare;
    double cpu_s, memory_mb, tolerance; /* 0, 0, -1: the grader's own */
    char *time_limit, *form, *upstream;
    bool fold_case;
    char *prompt, *prompt_call;
};

extern const struct sxt_cfg_section sxt_dataset_section;

#endif
