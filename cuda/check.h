/* check.h - every call of CUDA is looked at; a failed one ends the process with
 * call, place, rank, host and GPU, for nothing can be saved. */
#ifndef SXT_CUDA_CHECK_H
#define SXT_CUDA_CHECK_H

#include <cuda_runtime.h>

/* An error of an earlier kernel may show in any later call. */
#define SXT_CUDA(call) sxt_cuda_check((call), #call, __FILE__, __LINE__)

void sxt_cuda_check(cudaError_t error, const char *call, const char *file,
                    int line);
/* The same for another library: `error` in words. */
[[noreturn]] void sxt_cuda_fail(const char *error, const char *call,
                                const char *file, int line);
/* What messages say of this process: "GPU 0 (…)".  Once, when it is opened. */
void sxt_cuda_name(const char *gpu);

#endif
