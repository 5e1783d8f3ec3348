/* coll.c - collectives on device buffers: chooses who moves the bytes, and
 * keeps the record. */
#include "dev/coll.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "dev/coll_impl.h"

enum {
    MOST_BYTES = 1 << 30, /* MPI counts are ints */
    SUM_DOUBLES = 1 << 16 /* of each rank, in one step of a sum */
};

struct sxt_coll *sxt_coll_create(struct sxt_dev *dev, struct sxt_comm comm)
{
    struct sxt_coll *coll = sxt_calloc(1, sizeof(*coll));
    struct sxt_error err = { 0 };
    MPI_Comm own;

    MPI_Comm_dup(comm.mpi, &own);
    coll->dev = dev;
    coll->comm = sxt_comm_from_mpi(own);
    coll->watch = sxt_watch_join(dev, coll->comm);
    coll->most = MOST_BYTES;
    coll->after = SXT_STREAM_MAIN;
    if (!dev->driver->apart) {
        sxt_coll_by_mpi(coll);
        snprintf(coll->about, sizeof(coll->about), "MPI");
    } else if (sxt_coll_by_link(coll, &err) != 0) {
        sxt_coll_by_mpi(coll);
        snprintf(coll->about, sizeof(coll->about),
                 "MPI, through host memory (%.160s)", err.text);
    }
    return coll;
}

void sxt_coll_destroy(struct sxt_coll *coll)
{
    if (!coll)
        return;
    sxt_coll_wait(coll);
    coll->way->close(coll);
    sxt_watch_leave(coll->dev);
    MPI_Comm_free(&coll->comm.mpi);
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

const char *sxt_coll_about(const struct sxt_coll *coll)
{
    return coll->about;
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

void sxt_coll_all_gather(struct sxt_coll *coll, void *to, const void *from,
                         size_t bytes)
{
    SXT_CHECK(sxt_dev_holds(coll->dev, from, bytes));
    SXT_CHECK(sxt_dev_holds(coll->dev, to, (size_t)coll->comm.size * bytes));
    record(coll, "all_gather", bytes);
    coll->way->all_gather(coll, to, from, bytes);
}

void sxt_coll_all_to_all(struct sxt_coll *coll, void *to, const void *from,
                         size_t bytes)
{
    size_t all = (size_t)coll->comm.size * bytes;

    SXT_CHECK(sxt_dev_holds(coll->dev, from, all));
    SXT_CHECK(sxt_dev_holds(coll->dev, to, all));
    record(coll, "all_to_all", bytes);
    coll->way->all_to_all(coll, to, from, bytes);
}

void sxt_coll_wait_for(struct sxt_coll *coll, uint64_t number)
{
    coll->way->wait_for(coll, number);
    if (number >= coll->last.number)
        coll->last.done = true;
}

void sxt_coll_wait(struct sxt_coll *coll)
{
    sxt_coll_wait_for(coll, coll->last.number);
}

void sxt_coll_poke(struct sxt_coll *coll)
{
    coll->way->poke(coll);
}

static bool is_complete(void *request)
{
    int flag;

    MPI_Test(request, &flag, MPI_STATUS_IGNORE);
    return flag;
}

void sxt_coll_share(struct sxt_coll *coll, void *data, size_t bytes)
{
    MPI_Request request;

    SXT_CHECK(bytes <= MOST_BYTES);
    record(coll, "share", bytes);
    uint64_t number = sxt_watch_begin(coll->watch, &coll->last);
    MPI_Ibcast(data, (int)bytes, MPI_BYTE, 0, coll->comm.mpi, &request);
    sxt_watch_wait(coll->watch, is_complete, &request, false);
    sxt_watch_end(coll->watch, number);
    coll->last.done = true;
}

void sxt_coll_sum_f64(struct sxt_coll *coll, double *x, size_t n)
{
    size_t size = (size_t)coll->comm.size;
    size_t most = n < SUM_DOUBLES ? n : SUM_DOUBLES;
    double *all = sxt_alloc(size * most, sizeof(*all));
    uint64_t number;

    record(coll, "sum_f64", n * sizeof(*x));
    number = sxt_watch_begin(coll->watch, &coll->last);
    for (size_t at = 0; at < n; at += most) {
        size_t count = n - at < most ? n - at : most;
        MPI_Request request;
        MPI_Iallgather(x + at, (int)count, MPI_DOUBLE, all, (int)count,
                       MPI_DOUBLE, coll->comm.mpi, &request);
        sxt_watch_wait(coll->watch, is_complete, &request, false);
        for (size_t i = 0; i < count; i++) {
            double sum = all[i];
            for (size_t r = 1; r < size; r++)
                sum += all[r * count + i];
            x[at + i] = sum;
        }
    }
    sxt_watch_end(coll->watch, number);
    coll->last.done = true;
    free(all);
}
