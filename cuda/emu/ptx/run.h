/* run.h - the kernels by their PTX, as nvcc made it, in place of the host's
 * functions: what fibre.cc needs to know of the interpreter. */
#ifndef SXT_EMU_PTX_RUN_H
#define SXT_EMU_PTX_RUN_H

#include "cuda/emu/fibre.h"

/* SXT_EMU_PTX names a folder of NAME.ptx, or one. */
bool sxt_ptx_wanted(void);

/* Run the grid (gridDim, blockDim) over the open device memory; a kernel that
 * the files lack, or that has other parameters, ends the process. */
void sxt_ptx_run(const sxt_emu_kernel &kernel, size_t shared_bytes,
                 bool reverse);

/* End the process if PTX touched memory that `what` describes. */
void sxt_ptx_fault(const char *what);

#endif
