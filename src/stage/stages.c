/* stages.c - the list of all commands, in the order of the pipeline. */
#include "stage/stages.h"

#include <string.h>

#include "base/mem.h"

const struct sxt_stage *const sxt_stages[] = {
    &sxt_stage_import,   &sxt_stage_generate,
    &sxt_stage_reformat, &sxt_stage_grade,
    &sxt_stage_select,   &sxt_stage_sft,
    &sxt_stage_evaluate, &sxt_stage_report,
    &sxt_stage_pipeline, &sxt_stage_status,
    &sxt_stage_solve,    &sxt_stage_equal,
    &sxt_stage_probe,    &sxt_stage_diff,
    &sxt_stage_convert,  &sxt_stage_quantize,
    &sxt_stage_info,     &sxt_stage_plan,
    &sxt_stage_doctor,   NULL
};

const struct sxt_stage *sxt_stage_find(const char *name)
{
    for (size_t i = 0; sxt_stages[i]; i++)
        if (strcmp(sxt_stages[i]->section.name, name) == 0)
            return sxt_stages[i];
    return NULL;
}

const struct sxt_cfg_section **sxt_stage_sections(void)
{
    size_t n = sizeof(sxt_stages) / sizeof(sxt_stages[0]) - 1;
    const struct sxt_cfg_section **all = sxt_calloc(n + 1, sizeof(*all));

    for (size_t i = 0; i < n; i++)
        all[i] = &sxt_stages[i]->section;
    return all;
}
