/* stages.c - the list of all commands, in the order of the pipeline. */
#include "stage/stages.h"

const struct sxt_stage *const sxt_stages[] = {
    &sxt_stage_import,
    &sxt_stage_generate,
    &sxt_stage_reformat,
    &sxt_stage_grade,
    &sxt_stage_select,
    &sxt_stage_sft,
    &sxt_stage_evaluate,
    &sxt_stage_report,
    &sxt_stage_pipeline,
    &sxt_stage_solve,
    &sxt_stage_equal,
    &sxt_stage_diff,
    &sxt_stage_convert,
    &sxt_stage_info,
    &sxt_stage_plan,
    &sxt_stage_doctor,
    NULL
};
