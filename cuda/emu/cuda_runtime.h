/* cuda_runtime.h - what kernels and the device layer use of CUDA, for a host
 * compiler: the emulated GPU.
 *
 * A source that includes <cuda_runtime.h> and starts kernels by SXT_LAUNCH is
 * compiled by nvcc for a GPU, and, with this folder first among the include
 * paths, by any C++ compiler for the emulator.  SXT_EMU tells the two apart;
 * only the lowest headers ask for it.
 *
 * The subset grows with need.  What is here behaves as CUDA documents it, or
 * ends the process with a message; nothing is silently different. */
#ifndef SXT_EMU_CUDA_RUNTIME_H
#define SXT_EMU_CUDA_RUNTIME_H

#ifndef SXT_EMU
#error "compile with -DSXT_EMU, or remove cuda/emu from the include path"
#endif

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cuda/emu/api.h"
#include "cuda/emu/builtin.h"
#include "cuda/emu/fibre.h"

#endif
