/* coll.c - collectives over MPI's non-blocking calls. */
#include "dev/coll.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
    MOST_BYTES = 1 << 30, /* MPI counts are ints */
    SUM_DOUBLES = 1 << 16 /* of each rank, in one step of a sum */
};

struct sxt_coll {
    struct sxt_dev *dev;  /* borrowed */
    struct sxt_comm comm; /* owned */
    size_t most;
    MPI_Request *pending; /* owned */
    size_t n_pending, cap;
};

struct sxt_coll *sxt_coll_create(struct sxt_dev *dev, struct sxt_comm comm)
{
    struct sxt_coll *coll = sxt_calloc(1, sizeof(*coll));
    MPI_Comm own;

    MPI_Comm_dup(comm.mpi, &own);
    coll->dev = dev;
    coll->comm = sxt_comm_from_mpi(own);
    coll->most = MOST_BYTES;
    return coll;
}

void sxt_coll_destroy(struct sxt_coll *coll)
{
    if (!coll)
        return;
    sxt_coll_wait(coll);
    MPI_Comm_free(&coll->comm.mpi);
    free(coll->pending);
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

/* Room for one more request.  The device stays open while one is in flight:
 * MPI may move data in any of its calls, and a neighbour on the same node may
 * read this memory directly. */
static MPI_Request *add_request(struct sxt_coll *coll)
{
    coll->pending = sxt_grow(coll->pending, &coll->cap, coll->n_pending + 1,
                             sizeof(*coll->pending));
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
    char *out = to;
    const char *in = from;
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
    char *out = to;
    const char *in = from;

    for (size_t at = 0; at < bytes; at += coll->most) {
        size_t n = bytes - at < coll->most ? bytes - at : coll->most;
        MPI_Datatype piece = strided_bytes(n, bytes);
        MPI_Request *request = add_request(coll);
        MPI_Ialltoall(in + at, 1, piece, out + at, 1, piece, coll->comm.mpi,
                      request);
        MPI_Type_free(&piece);
    }
}

void sxt_coll_wait(struct sxt_coll *coll)
{
    for (size_t i = 0; i < coll->n_pending; i++) {
        MPI_Wait(&coll->pending[i], MPI_STATUS_IGNORE);
        sxt_dev_leave(coll->dev);
    }
    coll->n_pending = 0;
}

void sxt_coll_sum_f64(struct sxt_coll *coll, double *x, size_t n)
{
    size_t size = (size_t)coll->comm.size;
    size_t most = n < SUM_DOUBLES ? n : SUM_DOUBLES;
    double *all = sxt_alloc(size * most, sizeof(*all));

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
    free(all);
}
