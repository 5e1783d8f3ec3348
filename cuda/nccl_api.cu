/* nccl_api.cu - finds NCCL. */
#include "cuda/nccl_api.h"

#include "cuda/library.h"

#ifdef SXT_EMU

int sxt_nccl_load(struct sxt_nccl_api *api, struct sxt_error *err)
{
    if (getenv("SXT_EMU_NO_NCCL"))
        return sxt_err(err, SXT_EXIT_UNAVAILABLE, "this machine has no NCCL");
    *api = { ncclGetVersion,         ncclGetErrorString,
             ncclGetLastError,       ncclGetUniqueId,
             ncclCommInitRankConfig, ncclCommGetAsyncError,
             ncclCommFinalize,       ncclCommDestroy,
             ncclCommAbort,          ncclAllGather,
             ncclSend,               ncclRecv,
             ncclGroupStart,         ncclGroupEnd };
    return 0;
}

#else

#define LIBRARY "libnccl.so." SXT_TEXT(NCCL_MAJOR)

static void *open_library(struct sxt_error *err)
{
    static const char *const places[] = { LIBRARY,
                                          SXT_NCCL_LIBDIR "/" LIBRARY };
    char why[300];
    void *library = sxt_library_open(places, why);

    if (library)
        return library;
    sxt_err(err, SXT_EXIT_UNAVAILABLE, "no NCCL: %s", why);
    return NULL;
}

int sxt_nccl_load(struct sxt_nccl_api *api, struct sxt_error *err)
{
    void *library = open_library(err);
    bool all = true;

    if (!library)
        return -1;
#define FIND(name) \
    all &= sxt_library_find(library, "nccl" #name, &api->name)
    FIND(GetVersion);
    FIND(GetErrorString);
    FIND(GetLastError);
    FIND(GetUniqueId);
    FIND(CommInitRankConfig);
    FIND(CommGetAsyncError);
    FIND(CommFinalize);
    FIND(CommDestroy);
    FIND(CommAbort);
    FIND(AllGather);
    FIND(Send);
    FIND(Recv);
    FIND(GroupStart);
    FIND(GroupEnd);
#undef FIND
    return all ? 0
               : sxt_err(err, SXT_EXIT_UNAVAILABLE,
                         LIBRARY " is too old: 2.18 is needed");
}

#endif
