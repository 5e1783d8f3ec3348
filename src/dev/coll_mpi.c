/* coll_mpi.c - collectives over MPI's non-blocking calls. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dev/coll_impl.h"

/* Pinned memory between a GPU and MPI; kept for the next collective. */
struct stage {
    char *host; /* owned */
    size_t bytes;
    void *to; /* where the first `arriving` bytes go at wait; NULL: idle or
                 they only leave */
    size_t arriving;
    uint64_t number; /* of the collective that uses it; 0: idle */
};

/* A call of MPI: a collective or, of a large one, a part. */
struct part {
    uint64_t number;  /* of the collective */
    uint64_t watched; /* by the watch, under this number; 0: not the last */
};

struct by_mpi {
    MPI_Request *pending; /* owned, oldest first */
    struct part *part;    /* owned: what each belongs to */
    size_t n_pending, cap, cap_part;
    int *poked; /* owned: those that MPI_Testsome found complete */
    size_t cap_poked;
    struct stage *stages; /* owned */
    size_t n_stages, cap_stages;
    struct sxt_event *produced; /* what is to be sent */
};

static void close_mpi(struct sxt_coll *coll)
{
    struct by_mpi *m = coll->state;

    for (size_t i = 0; i < m->n_stages; i++)
        sxt_pinned_free(coll->dev, m->stages[i].host);
    free(m->stages);
    sxt_event_destroy(coll->dev, m->produced);
    free(m->pending);
    free(m->part);
    free(m->poked);
    free(m);
}

/* ---- between a GPU and MPI ---- */

/* An idle stage of at least so many bytes: the smallest, or a new one. */
static struct stage *take_stage(struct sxt_coll *coll, size_t bytes)
{
    struct by_mpi *m = coll->state;
    struct stage *best = NULL;

    for (size_t i = 0; i < m->n_stages; i++) {
        struct stage *s = &m->stages[i];
        if (s->number == 0 && s->bytes >= bytes &&
            (!best || s->bytes < best->bytes))
            best = s;
    }
    if (!best) {
        m->stages = sxt_grow(m->stages, &m->cap_stages, m->n_stages + 1,
                             sizeof(*m->stages));
        best = &m->stages[m->n_stages++];
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
    struct by_mpi *m = coll->state;

    if (!coll->dev->driver->apart)
        return from;
    struct stage *s = take_stage(coll, bytes);
    sxt_event_record(coll->dev, m->produced, coll->after);
    sxt_stream_wait(coll->dev, SXT_STREAM_COLL, m->produced);
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
    struct by_mpi *m = coll->state;
    bool any = false;

    for (size_t i = 0; i < m->n_stages; i++) {
        struct stage *s = &m->stages[i];
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

/* ---- collectives ---- */

/* Room for one more request.  A device whose memory MPI reaches stays open
 * while one is in flight: MPI may move data in any of its calls, and a
 * neighbour on the same node may read this memory directly. */
static MPI_Request *add_request(struct sxt_coll *coll, bool last)
{
    struct by_mpi *m = coll->state;
    struct part part = { .number = coll->last.number };

    m->pending =
        sxt_grow(m->pending, &m->cap, m->n_pending + 1, sizeof(*m->pending));
    m->part =
        sxt_grow(m->part, &m->cap_part, m->n_pending + 1, sizeof(*m->part));
    if (last)
        part.watched = sxt_watch_begin(coll->watch, &coll->last);
    m->part[m->n_pending] = part;
    if (!coll->dev->driver->apart)
        sxt_dev_enter(coll->dev);
    return &m->pending[m->n_pending++];
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

static void all_gather(struct sxt_coll *coll, void *to, const void *from,
                       size_t bytes)
{
    const char *in = stage_out(coll, from, bytes);
    char *out = stage_in(coll, to, (size_t)coll->comm.size * bytes);
    /* Never on a GPU: there they are two pieces of pinned memory. */
    bool in_place = in == out + (size_t)coll->comm.rank * bytes;

    for (size_t at = 0; at < bytes; at += coll->most) {
        size_t n = bytes - at < coll->most ? bytes - at : coll->most;
        MPI_Datatype piece = strided_bytes(n, bytes);
        MPI_Request *request = add_request(coll, at + n == bytes);
        MPI_Iallgather(in_place ? MPI_IN_PLACE : in + at, 1, piece, out + at, 1,
                       piece, coll->comm.mpi, request);
        MPI_Type_free(&piece); /* lives until the request is complete */
    }
}

static void all_to_all(struct sxt_coll *coll, void *to, const void *from,
                       size_t bytes)
{
    size_t all = (size_t)coll->comm.size * bytes;
    const char *in = stage_out(coll, from, all);
    char *out = stage_in(coll, to, all);

    for (size_t at = 0; at < bytes; at += coll->most) {
        size_t n = bytes - at < coll->most ? bytes - at : coll->most;
        MPI_Datatype piece = strided_bytes(n, bytes);
        MPI_Request *request = add_request(coll, at + n == bytes);
        MPI_Ialltoall(in + at, 1, piece, out + at, 1, piece, coll->comm.mpi,
                      request);
        MPI_Type_free(&piece);
    }
}

static bool is_complete(void *request)
{
    int flag;

    MPI_Test(request, &flag, MPI_STATUS_IGNORE);
    return flag;
}

static void wait_for(struct sxt_coll *coll, uint64_t number)
{
    struct by_mpi *m = coll->state;
    size_t n = 0;

    for (; n < m->n_pending && m->part[n].number <= number; n++) {
        sxt_watch_wait(coll->watch, is_complete, &m->pending[n], false);
        if (m->part[n].watched > 0)
            sxt_watch_end(coll->watch, m->part[n].watched);
        if (!coll->dev->driver->apart)
            sxt_dev_leave(coll->dev);
    }
    m->n_pending -= n;
    if (n > 0) {
        memmove(m->pending, m->pending + n, m->n_pending * sizeof(*m->pending));
        memmove(m->part, m->part + n, m->n_pending * sizeof(*m->part));
    }
    deliver(coll, number);
}

/* What is complete becomes MPI_REQUEST_NULL, for which nobody waits. */
static void poke(struct sxt_coll *coll)
{
    struct by_mpi *m = coll->state;
    int n;

    if (m->n_pending == 0)
        return;
    m->poked =
        sxt_grow(m->poked, &m->cap_poked, m->n_pending, sizeof(*m->poked));
    MPI_Testsome((int)m->n_pending, m->pending, &n, m->poked,
                 MPI_STATUSES_IGNORE);
}

void sxt_coll_by_mpi(struct sxt_coll *coll)
{
    static const struct sxt_coll_way way = { all_gather, all_to_all, wait_for,
                                             poke, close_mpi };
    struct by_mpi *m = sxt_calloc(1, sizeof(*m));

    m->produced = sxt_event_create(coll->dev);
    coll->way = &way;
    coll->state = m;
}
