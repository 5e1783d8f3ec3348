/* nccl.cu - a link between GPUs: NCCL's communicators that do not block.
 *
 * A call may go on after it has returned; until NCCL says that it is over, the
 * operation may not be in its stream, so the event behind it waits for that.
 * No variable of NCCL's is set here: they are the site's. */
#include <cuda_runtime.h>

#include <sched.h>

#include "cuda/check.h"
#include "cuda/device.h"
#include "cuda/nccl_api.h"
#include "cuda/sextant.h"

static_assert(sizeof(ncclUniqueId) == SXT_LINK_ID, "an id is an id");

struct sxt_link {
    struct sxt_nccl_api api;
    ncclComm_t comm;
    int ranks, rank;
    const struct sxt_dev *dev; /* borrowed */
    cudaStream_t stream;
    cudaEvent_t produced;               /* what is to be sent */
    cudaEvent_t behind[SXT_LINK_DEPTH]; /* the operations */
    uint64_t started, recorded, passed; /* operations; recorded: in `behind` */
};

#define CHECK(link, call) check(link, (call), #call, __FILE__, __LINE__)

/* Refused at once: a bug, or the end of the library. */
static void check(const struct sxt_link *link, ncclResult_t result,
                  const char *call, const char *file, int line)
{
    char text[400];

    if (result == ncclSuccess || result == ncclInProgress)
        return;
    snprintf(text, sizeof(text), "%s (%s)", link->api.GetErrorString(result),
             link->api.GetLastError(link->comm));
    sxt_cuda_fail(text, call, file, line);
}

/* ---- life ---- */

static int load(char about[80], struct sxt_error *err)
{
    struct sxt_nccl_api api;
    int v = 0;

    if (sxt_nccl_load(&api, err) != 0)
        return -1;
    api.GetVersion(&v);
    snprintf(about, 80, "NCCL %d.%d.%d", v / 10000, v / 100 % 100, v % 100);
    return 0;
}

static int make_id(char id[SXT_LINK_ID], struct sxt_error *err)
{
    struct sxt_nccl_api api;
    ncclUniqueId unique;

    if (sxt_nccl_load(&api, err) != 0)
        return -1;
    ncclResult_t result = api.GetUniqueId(&unique);
    if (result != ncclSuccess)
        return sxt_err(err, SXT_EXIT_UNAVAILABLE, "NCCL: %s (%s)",
                       api.GetErrorString(result), api.GetLastError(NULL));
    memcpy(id, &unique, SXT_LINK_ID);
    return 0;
}

static struct sxt_link *open_link(struct sxt_dev *dev,
                                  const char id[SXT_LINK_ID], int ranks,
                                  int rank, struct sxt_error *err)
{
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    struct sxt_nccl_api api;
    ncclUniqueId unique;
    ncclComm_t comm;

    if (sxt_nccl_load(&api, err) != 0)
        return NULL;
    config.blocking = 0;
    memcpy(&unique, id, SXT_LINK_ID);
    ncclResult_t result =
        api.CommInitRankConfig(&comm, ranks, unique, rank, &config);
    if (result != ncclSuccess && result != ncclInProgress) {
        sxt_err(err, SXT_EXIT_UNAVAILABLE, "NCCL: %s (%s)",
                api.GetErrorString(result), api.GetLastError(NULL));
        return NULL;
    }
    struct sxt_link *link =
        static_cast<struct sxt_link *>(sxt_calloc(1, sizeof(*link)));
    link->api = api;
    link->comm = comm;
    link->ranks = ranks;
    link->rank = rank;
    link->dev = dev;
    SXT_CUDA(cudaStreamCreateWithFlags(&link->stream, cudaStreamNonBlocking));
    SXT_CUDA(
        cudaEventCreateWithFlags(&link->produced, cudaEventDisableTiming));
    for (cudaEvent_t &event : link->behind)
        SXT_CUDA(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    return link;
}

static void close_link(struct sxt_link *link)
{
    ncclResult_t state = ncclInProgress;

    CHECK(link, link->api.CommFinalize(link->comm));
    while (state == ncclInProgress) {
        CHECK(link, link->api.CommGetAsyncError(link->comm, &state));
        sched_yield();
    }
    CHECK(link, link->api.CommDestroy(link->comm));
    SXT_CUDA(cudaStreamDestroy(link->stream));
    SXT_CUDA(cudaEventDestroy(link->produced));
    for (cudaEvent_t event : link->behind)
        SXT_CUDA(cudaEventDestroy(event));
    free(link);
}

static void abort_link(struct sxt_link *link)
{
    link->api.CommAbort(link->comm); /* whatever it says */
}

/* ---- operations ---- */

static enum sxt_link_state state(struct sxt_link *link, char why[200])
{
    ncclResult_t result;

    CHECK(link, link->api.CommGetAsyncError(link->comm, &result));
    if (result == ncclInProgress)
        return SXT_LINK_BUSY;
    if (result != ncclSuccess) {
        snprintf(why, 200, "NCCL: %.80s (%.100s)",
                 link->api.GetErrorString(result),
                 link->api.GetLastError(link->comm));
        return SXT_LINK_BROKEN;
    }
    for (; link->recorded < link->started; link->recorded++)
        SXT_CUDA(
            cudaEventRecord(link->behind[link->recorded % SXT_LINK_DEPTH],
                            link->stream));
    return SXT_LINK_READY;
}

/* The link's stream goes on behind what `after` was given. */
static void follow(struct sxt_link *link, enum sxt_stream after)
{
    SXT_CUDA(cudaEventRecord(link->produced,
                             sxt_dev_cuda_stream(link->dev, after)));
    SXT_CUDA(cudaStreamWaitEvent(link->stream, link->produced, 0));
}

static void all_gather(struct sxt_link *link, enum sxt_stream after, void *to,
                       const void *from, size_t bytes)
{
    follow(link, after);
    CHECK(link, link->api.AllGather(from, to, bytes, ncclInt8, link->comm,
                                    link->stream));
    link->started++;
}

static void all_to_all(struct sxt_link *link, enum sxt_stream after, void *to,
                       const void *from, size_t bytes)
{
    const char *out = static_cast<const char *>(from);
    char *in = static_cast<char *>(to);

    follow(link, after);
    CHECK(link, link->api.GroupStart());
    for (int r = 0; r < link->ranks; r++) {
        CHECK(link, link->api.Send(out + (size_t)r * bytes, bytes, ncclInt8, r,
                                   link->comm, link->stream));
        CHECK(link, link->api.Recv(in + (size_t)r * bytes, bytes, ncclInt8, r,
                                   link->comm, link->stream));
    }
    CHECK(link, link->api.GroupEnd());
    link->started++;
}

static uint64_t passed(struct sxt_link *link)
{
    while (link->passed < link->recorded) {
        cudaError_t error =
            cudaEventQuery(link->behind[link->passed % SXT_LINK_DEPTH]);
        if (error == cudaErrorNotReady)
            break;
        SXT_CUDA(error);
        link->passed++;
    }
    return link->passed;
}

static void order(struct sxt_link *link, uint64_t number)
{
    SXT_CUDA(
        cudaStreamWaitEvent(sxt_dev_cuda_stream(link->dev, SXT_STREAM_MAIN),
                            link->behind[(number - 1) % SXT_LINK_DEPTH], 0));
}

extern "C" const struct sxt_link_driver *sxt_link_nccl(void)
{
    static const struct sxt_link_driver driver = {
        load,       make_id, open_link, state,      all_gather,
        all_to_all, passed,  order,     close_link, abort_link
    };

    return &driver;
}
