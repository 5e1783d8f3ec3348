/* device.h - the GPU's streams, for those who start kernels on them. */
#ifndef SXT_CUDA_DEVICE_H
#define SXT_CUDA_DEVICE_H

#include <cuda_runtime.h>

#include "cuda/sextant.h"

/* dev is of kind "cuda". */
cudaStream_t sxt_dev_cuda_stream(const struct sxt_dev *dev,
                                 enum sxt_stream stream);

#endif
