/* nccl_api.h - NCCL's functions, found when they are needed, as in blas_api.h:
 * a program that runs without NCCL must not be linked to it. */
#ifndef SXT_CUDA_NCCL_API_H
#define SXT_CUDA_NCCL_API_H

#include <nccl.h>

#include "cuda/sextant.h"

/* Each member is the function nccl<Member>. */
struct sxt_nccl_api {
    decltype(&ncclGetVersion) GetVersion;
    decltype(&ncclGetErrorString) GetErrorString;
    decltype(&ncclGetLastError) GetLastError;
    decltype(&ncclGetUniqueId) GetUniqueId;
    decltype(&ncclCommInitRankConfig) CommInitRankConfig;
    decltype(&ncclCommGetAsyncError) CommGetAsyncError;
    decltype(&ncclCommFinalize) CommFinalize;
    decltype(&ncclCommDestroy) CommDestroy;
    decltype(&ncclCommAbort) CommAbort;
    decltype(&ncclAllGather) AllGather;
    decltype(&ncclSend) Send;
    decltype(&ncclRecv) Recv;
    decltype(&ncclGroupStart) GroupStart;
    decltype(&ncclGroupEnd) GroupEnd;
};

/* Load the library of this build's major version: from the usual places, then
 * from where configure found it.  It stays loaded until the process ends. */
int sxt_nccl_load(struct sxt_nccl_api *api, struct sxt_error *err);

#endif
