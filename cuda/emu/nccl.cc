/* nccl.cc - collectives between processes that each have an emulated GPU.
 *
 * All ranks make the same operations in the same order; a group of sends and
 * receives is one.  Communicators are what NCCL calls non-blocking: an
 * operation joins its stream when ncclCommGetAsyncError says success. */
#include <nccl.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <memory>
#include <vector>

#include "cuda/emu/fibre.h"
#include "cuda/emu/memory.h"
#include "cuda/emu/stream.h"

enum {
    MOST_RANKS = 8,
    SLOTS = 4, /* operations of which a rank's bytes lie ready */
    FILL = 0xff
};
static const size_t PAYLOAD = 32 << 20; /* bytes of a slot, touched if used */

/* What a rank sends in one operation. */
struct slot {
    struct {
        uint64_t at, bytes;
    } to[MOST_RANKS];
    char payload[PAYLOAD];
};

struct outbox {
    std::atomic<uint64_t> posted;            /* operations */
    std::atomic<uint64_t> taken[MOST_RANKS]; /* of them, by each rank */
    struct slot slots[SLOTS];
};

/* What the ranks share. */
struct board {
    std::atomic<int> attached, aborted;
    struct outbox box[MOST_RANKS];
};

struct piece {
    int peer;
    char *at;
    size_t bytes;
};

struct operation {
    ncclComm_t comm;
    cudaStream_t stream;
    std::vector<piece> sends, receives;
    uint64_t number;
    bool posted;
};
typedef std::shared_ptr<operation> shared_operation;

struct sxt_emu_comm {
    board *all;
    int rank, ranks;
    uint64_t given;                        /* operations */
    std::deque<shared_operation> started;  /* not yet in their stream */
    std::deque<shared_operation> under_way; /* in it, not finished */
};

/* ---- communicators ---- */

ncclResult_t ncclGetVersion(int *version)
{
    *version = NCCL_VERSION_CODE;
    return ncclSuccess;
}

const char *ncclGetErrorString(ncclResult_t result)
{
    switch (result) {
    case ncclSuccess:
        return "no error";
    case ncclSystemError:
        return "unhandled system error";
    case ncclInternalError:
        return "internal error";
    case ncclInvalidArgument:
        return "invalid argument";
    case ncclInvalidUsage:
        return "invalid usage";
    case ncclRemoteError:
        return "remote process exited or there was a network error";
    case ncclInProgress:
        return "NCCL operation in progress";
    }
    return "unknown result code";
}

const char *ncclGetLastError(ncclComm_t)
{
    return "";
}

/* Memory without a name in any file system, so that nothing is left of it;
 * others find it through this process. */
ncclResult_t ncclGetUniqueId(ncclUniqueId *id)
{
    int fd = memfd_create("sextant-emulated-nccl", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, sizeof(board)) != 0)
        return ncclSystemError;
    snprintf(id->internal, sizeof(id->internal), "/proc/%ld/fd/%d",
             (long)getpid(), fd);
    return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t *comm, int ranks,
                                    ncclUniqueId id, int rank,
                                    ncclConfig_t *config)
{
    if (ranks < 1 || ranks > MOST_RANKS || rank < 0 || rank >= ranks ||
        config->blocking != 0)
        return ncclInvalidArgument;
    int fd = open(id.internal, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return ncclSystemError;
    void *all = mmap(NULL, sizeof(board), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_NORESERVE, fd, 0);
    close(fd);
    if (all == MAP_FAILED)
        return ncclSystemError;
    *comm = new sxt_emu_comm{};
    (*comm)->all = static_cast<board *>(all);
    (*comm)->rank = rank;
    (*comm)->ranks = ranks;
    (*comm)->all->attached++;
    return ncclInProgress;
}

/* The operations that were started join their stream now. */
static void join_stream(ncclComm_t comm);

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t *error)
{
    sxt_emu_pump();
    if (comm->all->aborted) {
        *error = ncclRemoteError;
    } else if (comm->all->attached < comm->ranks) {
        *error = ncclInProgress;
    } else {
        join_stream(comm);
        *error = ncclSuccess;
    }
    return ncclSuccess;
}

ncclResult_t ncclCommFinalize(ncclComm_t comm)
{
    for (const shared_operation &op : std::deque(comm->under_way))
        cudaStreamSynchronize(op->stream);
    return ncclSuccess;
}

/* Other ranks may still read what this one has sent: the memory stays theirs
 * until the last has left. */
ncclResult_t ncclCommDestroy(ncclComm_t comm)
{
    munmap(comm->all, sizeof(board));
    delete comm;
    return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t comm)
{
    comm->all->aborted = 1;
    return ncclSuccess; /* its work may still be in a stream: leave it */
}

/* ---- an operation's life: started, posted, finished ---- */

static bool overlap(const piece &a, const piece &b)
{
    return a.at < b.at + b.bytes && b.at < a.at + a.bytes;
}

/* Whether it sends what an operation before it has yet to receive. */
static bool needs_earlier(const operation &op)
{
    for (const shared_operation &before : op.comm->under_way) {
        if (before->number >= op.number)
            return false;
        for (const piece &r : before->receives)
            for (const piece &s : op.sends)
                if (overlap(r, s))
                    return true;
    }
    return false;
}

static struct slot *slot_of(const operation &op, int rank)
{
    return &op.comm->all->box[rank].slots[op.number % SLOTS];
}

/* Its bytes leave. */
static bool post(operation &op)
{
    struct outbox *mine = &op.comm->all->box[op.comm->rank];
    struct slot *slot = slot_of(op, op.comm->rank);
    uint64_t at = 0;

    if (op.posted)
        return true;
    for (int r = 0; r < op.comm->ranks; r++)
        if (mine->taken[r] + SLOTS <= op.number)
            return false;
    if (needs_earlier(op))
        return false;
    sxt_emu_open();
    memset(slot->to, 0, sizeof(slot->to));
    for (const piece &s : op.sends) {
        if (at + s.bytes > PAYLOAD)
            sxt_emu_fail("NCCL: more than %zu bytes in an operation", PAYLOAD);
        memcpy(slot->payload + at, s.at, s.bytes);
        slot->to[s.peer] = { at, s.bytes };
        at += s.bytes;
    }
    for (const piece &r : op.receives)
        memset(r.at, FILL, r.bytes);
    sxt_emu_close();
    op.posted = true;
    mine->posted = op.number + 1;
    return true;
}

/* Nobody has touched what it sends or where it receives. */
static void check_untouched(const operation &op)
{
    const struct slot *slot = slot_of(op, op.comm->rank);

    for (const piece &s : op.sends)
        if (memcmp(slot->payload + slot->to[s.peer].at, s.at, s.bytes) != 0)
            sxt_emu_fail("NCCL: %zu bytes changed while they were sent",
                         s.bytes);
    for (const piece &r : op.receives)
        for (size_t i = 0; i < r.bytes; i++)
            if ((unsigned char)r.at[i] != FILL)
                sxt_emu_fail("NCCL: somebody else wrote where %zu bytes are "
                             "received",
                             r.bytes);
}

/* What others sent arrives. */
static bool finish(operation &op)
{
    board *all = op.comm->all;

    if (!post(op))
        return false;
    for (int r = 0; r < op.comm->ranks; r++)
        if (all->box[r].posted <= op.number)
            return false;
    sxt_emu_open();
    check_untouched(op);
    for (const piece &r : op.receives) {
        const struct slot *slot = slot_of(op, r.peer);
        const auto &mine = slot->to[op.comm->rank];
        if (mine.bytes != r.bytes)
            sxt_emu_fail("NCCL: rank %d sends %zu bytes, rank %d receives %zu",
                         r.peer, (size_t)mine.bytes, op.comm->rank, r.bytes);
        memcpy(r.at, slot->payload + mine.at, r.bytes);
    }
    sxt_emu_close();
    for (int r = 0; r < op.comm->ranks; r++)
        all->box[r].taken[op.comm->rank] = op.number + 1;
    op.comm->under_way.pop_front();
    return true;
}

static void join_stream(ncclComm_t comm)
{
    while (!comm->started.empty()) {
        shared_operation op = comm->started.front();
        comm->started.pop_front();
        comm->under_way.push_back(op);
        sxt_emu_enqueue_shared(op->stream, { [op] { return finish(*op); },
                                             [op] { return post(*op); } });
    }
}

/* ---- what is asked for ---- */

/* The group being put together, and how deep. */
static shared_operation group;
static int depth;

static bool on_device(const void *p, size_t bytes)
{
    return bytes == 0 || sxt_emu_holds(p, bytes);
}

static ncclResult_t add(ncclComm_t comm, cudaStream_t stream, const piece *send,
                        const piece *receive)
{
    if (!comm->started.empty() || comm->all->attached < comm->ranks)
        return ncclInvalidUsage; /* it was not asked for its state */
    if ((send && !on_device(send->at, send->bytes)) ||
        (receive && !on_device(receive->at, receive->bytes)))
        return ncclInvalidArgument;
    if (!group)
        group = std::make_shared<operation>(operation{
            comm, stream, {}, {}, comm->given, false });
    if (group->comm != comm || group->stream != stream)
        return ncclInvalidUsage;
    if (send)
        group->sends.push_back(*send);
    if (receive)
        group->receives.push_back(*receive);
    return ncclInProgress;
}

ncclResult_t ncclGroupStart(void)
{
    depth++;
    return ncclSuccess;
}

ncclResult_t ncclGroupEnd(void)
{
    if (--depth > 0 || !group)
        return ncclSuccess;
    group->comm->given++;
    group->comm->started.push_back(group);
    group = nullptr;
    return ncclInProgress;
}

ncclResult_t ncclSend(const void *from, size_t count, ncclDataType_t, int peer,
                      ncclComm_t comm, cudaStream_t stream)
{
    piece send = { peer, static_cast<char *>(const_cast<void *>(from)), count };

    ncclGroupStart();
    ncclResult_t result = add(comm, stream, &send, NULL);
    ncclGroupEnd();
    return result;
}

ncclResult_t ncclRecv(void *to, size_t count, ncclDataType_t, int peer,
                      ncclComm_t comm, cudaStream_t stream)
{
    piece receive = { peer, static_cast<char *>(to), count };

    ncclGroupStart();
    ncclResult_t result = add(comm, stream, NULL, &receive);
    ncclGroupEnd();
    return result;
}

/* In place, this rank's own piece is not moved. */
ncclResult_t ncclAllGather(const void *from, void *to, size_t count,
                           ncclDataType_t, ncclComm_t comm, cudaStream_t stream)
{
    char *source = static_cast<char *>(const_cast<void *>(from));
    char *target = static_cast<char *>(to);
    ncclResult_t result = ncclInProgress;

    ncclGroupStart();
    for (int r = 0; r < comm->ranks && result == ncclInProgress; r++) {
        piece send = { r, source, count };
        piece receive = { r, target + (size_t)r * count, count };
        bool stays = r == comm->rank && receive.at == source;
        result = add(comm, stream, stays ? NULL : &send,
                     stays ? NULL : &receive);
    }
    ncclGroupEnd();
    return result;
}
