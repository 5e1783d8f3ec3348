/* nvml.h - the GPUs that this node's driver knows, in any build. */
#ifndef SXT_DEV_NVML_H
#define SXT_DEV_NVML_H

#include "base/str.h"

/* Append a line "NVIDIA H100 80GB HBM3, 79.6 GiB" for each GPU; returns how
 * many there are, or -1 if there is no driver.  NVML is opened only for this:
 * a build without CUDA can tell what it leaves idle. */
int sxt_nvml_list(struct sxt_str *lines);

#endif
