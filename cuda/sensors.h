/* sensors.h - power, clock and temperature of a GPU, from NVML. */
#ifndef SXT_CUDA_SENSORS_H
#define SXT_CUDA_SENSORS_H

#include "cuda/sextant.h"

struct sxt_sensors; /* opaque */

/* The library (libnvidia-ml.so.1, of the driver) is looked for now.  NULL: it
 * is not there or does not know the GPU; runs do without. */
struct sxt_sensors *sxt_sensors_create(const char uuid[40]);
void sxt_sensors_destroy(struct sxt_sensors *s); /* NULL is legal */
/* What is not known stays as it is. */
void sxt_sensors_read(const struct sxt_sensors *s,
                      struct sxt_dev_reading *reading);

#endif
