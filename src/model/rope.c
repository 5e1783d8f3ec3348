/* rope.c - tables of rotary angles. */
#include "model/rope.h"

#include <math.h>

void sxt_rope_tables(const struct sxt_model_config *config, size_t positions,
                     float *cos_table, float *sin_table)
{
    size_t half = config->head_dim / 2;

    for (size_t i = 0; i < half; i++) {
        float power = (float)(2 * i) / (float)config->head_dim;
        float freq = 1.0f / (float)pow(config->rope_theta, power);
        for (size_t p = 0; p < positions; p++) {
            float angle = (float)p * freq;
            cos_table[p * half + i] = (float)cos(angle);
            sin_table[p * half + i] = (float)sin(angle);
        }
    }
}
