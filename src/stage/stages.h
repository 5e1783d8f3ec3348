/* stages.h - every command; each is defined in its own file. */
#ifndef SXT_STAGE_STAGES_H
#define SXT_STAGE_STAGES_H

#include "stage/stage.h"

/* A command by name, or NULL. */
const struct sxt_stage *sxt_stage_find(const char *name);
/* The sections of all commands, ends with NULL; caller frees the array. */
const struct sxt_cfg_section **sxt_stage_sections(void);

extern const struct sxt_stage sxt_stage_diff;
extern const struct sxt_stage sxt_stage_convert;
extern const struct sxt_stage sxt_stage_import;
extern const struct sxt_stage sxt_stage_generate;
extern const struct sxt_stage sxt_stage_doctor;
extern const struct sxt_stage sxt_stage_equal;
extern const struct sxt_stage sxt_stage_evaluate;
extern const struct sxt_stage sxt_stage_grade;
extern const struct sxt_stage sxt_stage_reformat;
extern const struct sxt_stage sxt_stage_select;
extern const struct sxt_stage sxt_stage_info;
extern const struct sxt_stage sxt_stage_pipeline;
extern const struct sxt_stage sxt_stage_plan;
extern const struct sxt_stage sxt_stage_probe;
extern const struct sxt_stage sxt_stage_quantize;
extern const struct sxt_stage sxt_stage_report;
extern const struct sxt_stage sxt_stage_sft;
extern const struct sxt_stage sxt_stage_solve;
extern const struct sxt_stage sxt_stage_status;

#endif
