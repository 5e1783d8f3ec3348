/* coll.c - collectives over MPI's non-blocking calls. */
#include "dev/coll.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dev/driver.h"

enum {
    MOST_BYTES = 1 << 30, /* MPI counts are ints */
    SUM_DOUBLES = 1 << 16 /* of each rank, in one step of a sum */
};

/* Pinned memory between a GPU and MPI; kept for the next collective. */
struct stage {
    char *host; /* owned */
    size_t bytes;
    void *to; /* where the first `arriving` bytes go at wait; NULL: idle or
                 they only leave */
    size_t arriving;
    uint64_t number; /* of the collective that uses it; 0: idle */
};

struct sxt_coll {
    struct sxt_dev *dev;  /* borrowed */
    struct sxt_comm comm; /* owned */
    size_t most;
    MPI_Request *pending; /* owned, oldest first */
    uint64_t *number;     /* owned: the collective that each belongs to */
    size_t n_pending, cap, cap_number;
    int *poked; /* owned: those that MPI_Testsome found complete */
    size_t cap_poked;
    struct stage *stages; /* owned */
    size_t n_stages, cap_stages;
    enum sxt_stream after;
    struct sxt_event *produced; /* by that stream, to be sent */
    struct sxt_coll_record last;
};

struct sxt_coll *sxt_coll_create(struct sxt_dev *dev, struct sxt_comm comm)
{
    struct sxt_coll *coll = sxt_calloc(1, sizeof(*coll));
    MPI_Comm own;

    MPI_Comm_dup(comm.mpi, &own);
    coll->dev = dev;
    coll->comm = sxt_comm_from_mpi(own);
    coll->most = MOST_BYTES;
    coll->after = SXT_STREAM_MAIN;
    coll->produced = sxt_event_create(dev);
    return coll;
}

void sxt_coll_destroy(struct sxt_coll *coll)
{
    if (!coll)
        return;
    sxt_coll_wait(coll);
    MPI_Comm_free(&coll->comm.mpi);
    for (size_t i = 0; i < coll->n_stages; i++)
        sxt_pinned_free(coll->dev, coll->stages[i].host);
    free(coll->stages);
    sxt_event_destroy(coll->dev, coll->produced);
    free(coll->pending);
    free(coll->number);
    free(coll->poked);
    free(coll);
}

int sxt_coll_size(const struct sxt_coll *coll)
{
    return coll->comm.size;
}

int sxt_coll_rank(const struct sxt_coll *coll)
{
    return coll->comm.rank;
}

void sxt_coll_split_at(struct sxt_coll *coll, size_t bytes)
{
    SXT_CHECK(bytes > 0 && bytes <= MOST_BYTES);
    coll->most = bytes;
}

void sxt_coll_after(struct sxt_coll *coll, enum sxt_stream stream)
{
    coll->after = stream;
}

/* ---- between a GPU and MPI ---- */

/* An idle stage of at least so many bytes: the smallest, or a new one. */
static struct stage *take_stage(struct sxt_coll *coll, size_t bytes)
{
    struct stage *best = NULL;

    for (size_t i = 0; i < coll->n_stages; i++) {
        struct stage *s = &coll->stages[i];
        if (s->number == 0 && s->bytes >= bytes && (!best || s->bytes < best->bytes))
            best = s;
    }
    if (!best) {
        coll->stages = sxt_grow(coll->stages, &coll->cap_stages,
                                coll->n_stages + 1, sizeof(*coll->stages));
        best = &coll->stages[coll->n_stages++];
        *best = (struct stage){ .host = sxt_pinned_alloc(coll->dev, bytes),
                                .bytes = bytes };
    }
    best->to = NULL;
    best->number = coll->last.number;
    return best;
}

/* Host memory with what is at `from`, once the kernels that make it have
 * passed. */
static const void *stage_out(struct sxt_coll *coll, const void *from,
                             size_t bytes)
{
    if (!coll->dev->driver->apart)
        return from;
    struct stage *s = take_stage(coll, bytes);
    sxt_event_record(coll->dev, coll->produced, coll->after);
    sxt_stream_wait(coll->dev, SXT_STREAM_COLL, coll->produced);
    sxt_dev_get_on(coll->dev, SXT_STREAM_COLL, s->host, from, bytes);
    sxt_stream_finish(coll->dev, SXT_STREAM_COLL);
    return s->host;
}

/* Host memory whose bytes will be at `to` after the wait. */
static void *stage_in(struct sxt_coll *coll, void *to, size_t bytes)
{
    if (!coll->dev->driver->apart)
        return to;
    struct stage *s = take_stage(coll, bytes);
    s->to = to;
    s->arriving = bytes;
    return s->host;
}

/* The requests up to this number are complete: what came goes to the device,
 * behind the kernels that may still read what is there. */
static void deliver(struct sxt_coll *coll, uint64_t number)
{
    bool any = false;

    for (size_t i = 0; i < coll->n_stages; i++) {
        struct stage *s = &coll->stages[i];
        if (s->number == 0 || s->number > number)
            continue;
        if (s->to) {
            sxt_dev_put_on(coll->dev, SXT_STREAM_MAIN, s->to, s->host,
                           s->arriving);
            any = true;
        }
        s->number = 0;
    }
    if (any) /* the stages are free again when they have been read */
        sxt_stream_finish(coll->dev, SXT_STREAM_MAIN);
}

/* ---- the record ---- */

void sxt_coll_label(struct sxt_coll *coll, const char *what, size_t unit)
{
    coll->last.what = what;
    coll->last.unit = unit;
}

static void record(struct sxt_coll *coll, const char *operation, size_t bytes)
{
    coll->last.operation = operation;
    coll->last.bytes = bytes;
    coll->last.number++;
    coll->last.done = false;
}

struct sxt_coll_record sxt_coll_last(const struct sxt_coll *coll)
{
    return coll->last;
}

/* ---- collectives ---- */

/* Room for one more request.  A device whose memory MPI reaches stays open
 * while one is in flight: MPI may move data in any of its calls, and a
 * neighbour on the same node may read this memory directly. */
static MPI_Request *add_request(struct sxt_coll *coll)
{
    coll->pending = sxt_grow(coll->pending, &coll->cap, coll->n_pending + 1,
                             sizeof(*coll->pending));
    coll->number = sxt_grow(coll->number, &coll->cap_number,
                            coll->n_pending + 1, sizeof(*coll->number));
    coll->number[coll->n_pending] = coll->last.number;
    if (!coll->dev->driver->apart)
        sxt_dev_enter(coll->dev);
    return &coll->pending[coll->n_pending++];
}

/* A type of n bytes whose next item begins `stride` bytes further, so that a
 * split piece lands in its place whatever the displacement. */
static MPI_Datatype strided_bytes(size_t n, size_t stride)
{
    MPI_Datatype run, type;

    MPI_Type_contiguous((int)n, MPI_BYTE, &run);
    MPI_Type_create_resized(run, 0, (MPI_Aint)stride, &type);
    MPI_Type_commit(&type);
    MPI_Type_free(&run);
    return type;
}

void sxt_coll_all_gather(struct sxt_coll *coll, void *to, const void *from,
                         size_t bytes)
{
    size_t all = (size_t)coll->comm.size * bytes;

    record(coll, "all_gather", bytes);
    const char *in = stage_out(coll, from, bytes);
    char *out = stage_in(coll, to, all);
    /* Never on a GPU: there they are two pieces of pinned memory. */
    bool in_place = in == out + (size_t)coll->comm.rank * bytes;
    for (size_t at = 0; at < bytes; at += coll->most) {
        size_t n = bytes - at < coll->most ? bytes - at : coll->most;
        MPI_Datatype piece = strided_bytes(n, bytes);
        MPI_Request *request = add_request(coll);
        MPI_Iallgather(in_place ? MPI_IN_PLACE : in + at, 1, piece, out + at, 1,
                       piece, coll->comm.mpi, request);
        MPI_Type_free(&piece); /* lives until the request is complete */
    }
}

void sxt_coll_all_to_all(struct sxt_coll *coll, void *to, const void *from,
                         size_t bytes)
{
    size_t all = (size_t)coll->comm.size * bytes;

    record(coll, "all_to_all", bytes);
    const char *in = stage_out(coll, from, all);
    char *out = stage_in(coll, to, all);
    for (size_t at = 0; at < bytes; at += coll->most) {
        size_t n = bytes - at < coll->most ? bytes - at : coll->most;
        MPI_Datatype piece = strided_bytes(n, bytes);
        MPI_Request *request = add_request(coll);
        MPI_Ialltoall(in + at, 1, piece, out + at, 1, piece, coll->comm.mpi,
                      request);
        MPI_Type_free(&piece);
    }
}

void sxt_coll_wait_for(struct sxt_coll *coll, uint64_t number)
{
    size_t n = 0;

    for (; n < coll->n_pending && coll->number[n] <= number; n++) {
        MPI_Wait(&coll->pending[n], MPI_STATUS_IGNORE);
        if (!coll->dev->driver->apart)
            sxt_dev_leave(coll->dev);
    }
    coll->n_pending -= n;
    if (n > 0) {
        memmove(coll->pending, coll->pending + n,
                coll->n_pending * sizeof(*coll->pending));
        memmove(coll->number, coll->number + n,
                coll->n_pending * sizeof(*coll->number));
    }
    if (number >= coll->last.number)
        coll->last.done = true;
    deliver(coll, number);
}

void sxt_coll_wait(struct sxt_coll *coll)
{
    sxt_coll_wait_for(coll, coll->last.number);
}

/* What is complete becomes MPI_REQUEST_NULL, for which nobody waits. */
void sxt_coll_poke(struct sxt_coll *coll)
{
    int n;

    if (coll->n_pending == 0)
        return;
    coll->poked = sxt_grow(coll->poked, &coll->cap_poked, coll->n_pending,
                           sizeof(*coll->poked));
    MPI_Testsome((int)coll->n_pending, coll->pending, &n, coll->poked,
                 MPI_STATUSES_IGNORE);
}

void sxt_coll_sum_f64(struct sxt_coll *coll, double *x, size_t n)
{
    size_t size = (size_t)coll->comm.size;
    size_t most = n < SUM_DOUBLES ? n : SUM_DOUBLES;
    double *all = sxt_alloc(size * most, sizeof(*all));

    record(coll, "sum_f64", n * sizeof(*x));
    for (size_t at = 0; at < n; at += most) {
        size_t count = n - at < most ? n - at : most;
        MPI_Allgather(x + at, (int)count, MPI_DOUBLE, all, (int)count,
                      MPI_DOUBLE, coll->comm.mpi);
        for (size_t i = 0; i < count; i++) {
            double sum = all[i];
            for (size_t r = 1; r < size; r++)
                sum += all[r * count + i];
            x[at + i] = sum;
        }
    }
    coll->last.done = true;
    free(all);
}
