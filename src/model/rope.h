/* rope.h - tables of rotary angles. */
#ifndef SXT_MODEL_ROPE_H
#define SXT_MODEL_ROPE_H

#include "model/config.h"

/* cos, sin: (positions, head_dim / 2), host memory, of the angles
 * p theta^(-2 i / d).  Su et al., arXiv:2104.09864, eq. 15.  Frequencies and
 * angles are rounded to f32 as in the implementation that published models
 * were trained with; more exact angles would be other angles. */
void sxt_rope_tables(const struct sxt_model_config *config, size_t positions,
                     float *cos_table, float *sin_table);

#endif
