/* comm.c - agreement and small collectives over MPI. */
#include "par/comm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

enum { PIECE = 1 << 30 }; /* bytes per MPI call: counts are ints */

struct sxt_comm sxt_comm_from_mpi(MPI_Comm mpi)
{
    struct sxt_comm comm = { mpi, 0, 1 };

    MPI_Comm_rank(mpi, &comm.rank);
    MPI_Comm_size(mpi, &comm.size);
    return comm;
}

struct sxt_comm sxt_comm_init(int *argc, char ***argv)
{
    int provided;

    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
    return sxt_comm_from_mpi(MPI_COMM_WORLD);
}

void sxt_comm_library(char *text, size_t size)
{
    char name[MPI_MAX_LIBRARY_VERSION_STRING];
    int n;

    MPI_Get_library_version(name, &n);
    snprintf(text, size, "%.*s", (int)strcspn(name, ",\n"), name);
}

const char *sxt_comm_threads(void)
{
    int level;

    MPI_Query_thread(&level);
    return level == MPI_THREAD_MULTIPLE     ? "multiple"
           : level == MPI_THREAD_SERIALIZED ? "serialized"
           : level == MPI_THREAD_FUNNELED   ? "funneled"
                                            : "single";
}

void sxt_comm_finalize(void)
{
    MPI_Finalize();
}

struct sxt_comm sxt_comm_self(void)
{
    return sxt_comm_from_mpi(MPI_COMM_SELF);
}

struct sxt_comm sxt_comm_groups(struct sxt_comm comm, int size)
{
    MPI_Comm mpi;

    SXT_CHECK(size > 0 && comm.size % size == 0);
    MPI_Comm_split(comm.mpi, comm.rank / size, comm.rank, &mpi);
    return sxt_comm_from_mpi(mpi);
}

void sxt_comm_free(struct sxt_comm *comm)
{
    MPI_Comm_free(&comm->mpi);
}

/* Rank and size among the ranks of this node; no communicator is kept. */
static struct sxt_comm node_of(struct sxt_comm comm)
{
    MPI_Comm mpi;

    MPI_Comm_split_type(comm.mpi, MPI_COMM_TYPE_SHARED, comm.rank,
                        MPI_INFO_NULL, &mpi);
    struct sxt_comm node = sxt_comm_from_mpi(mpi);
    MPI_Comm_free(&mpi);
    return node;
}

int sxt_comm_on_node(struct sxt_comm comm)
{
    return node_of(comm).size;
}

int sxt_comm_rank_on_node(struct sxt_comm comm)
{
    return node_of(comm).rank;
}

int sxt_comm_agree(struct sxt_comm comm, int local, struct sxt_error *err)
{
    struct sxt_error common = { 0 };
    int mine = local == 0 ? comm.size : comm.rank;
    int first;

    MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, comm.mpi);
    if (first == comm.size)
        return 0;
    if (first == comm.rank && err)
        common = *err;
    MPI_Bcast(&common, sizeof(common), MPI_BYTE, first, comm.mpi);
    if (!err)
        return -1;
    *err = common;
    if (comm.size > 1 && strncmp(common.text, "rank ", 5) != 0)
        sxt_err_prefix(err, "rank %d", first);
    return -1;
}

void sxt_comm_assert_same(struct sxt_comm comm, const void *data, size_t n)
{
#ifdef SXT_DEBUG
    uint64_t mine[2], low[2];
    mine[0] = sxt_hash64(data, n, 0);
    mine[1] = ~mine[0];
    MPI_Allreduce(mine, low, 2, MPI_UINT64_T, MPI_MIN, comm.mpi);
    SXT_CHECK(low[0] == ~low[1]);
#else
    (void)comm, (void)data, (void)n;
#endif
}

void sxt_comm_slice(struct sxt_comm comm, size_t n, size_t *first,
                    size_t *count)
{
    size_t size = (size_t)comm.size, rank = (size_t)comm.rank;
    size_t each = n / size, rest = n % size;

    *first = rank * each + (rank < rest ? rank : rest);
    *count = each + (rank < rest);
}

int64_t sxt_comm_sum(struct sxt_comm comm, int64_t x)
{
    int64_t y;

    MPI_Allreduce(&x, &y, 1, MPI_INT64_T, MPI_SUM, comm.mpi);
    return y;
}

int64_t sxt_comm_max(struct sxt_comm comm, int64_t x)
{
    int64_t y;

    MPI_Allreduce(&x, &y, 1, MPI_INT64_T, MPI_MAX, comm.mpi);
    return y;
}

int64_t sxt_comm_exscan(struct sxt_comm comm, int64_t x)
{
    int64_t y = 0;

    MPI_Exscan(&x, &y, 1, MPI_INT64_T, MPI_SUM, comm.mpi);
    return comm.rank == 0 ? 0 : y;
}

double sxt_comm_sum_f64(struct sxt_comm comm, double x)
{
    double *all = sxt_alloc((size_t)comm.size, sizeof(*all));
    double sum = 0;

    MPI_Allgather(&x, 1, MPI_DOUBLE, all, 1, MPI_DOUBLE, comm.mpi);
    for (int i = 0; i < comm.size; i++)
        sum += all[i];
    free(all);
    return sum;
}

void sxt_comm_barrier(struct sxt_comm comm)
{
    MPI_Barrier(comm.mpi);
}

void sxt_comm_broadcast(struct sxt_comm comm, void *data, size_t n, int root)
{
    for (size_t at = 0; at < n; at += PIECE) {
        size_t piece = n - at < PIECE ? n - at : PIECE;
        MPI_Bcast((char *)data + at, (int)piece, MPI_BYTE, root, comm.mpi);
    }
}

void sxt_comm_allgather_bytes(struct sxt_comm comm, const void *data, size_t n,
                              char **out, size_t **offsets)
{
    size_t size = (size_t)comm.size;
    uint64_t mine = n;
    uint64_t *counts = sxt_alloc(size, sizeof(*counts));

    MPI_Allgather(&mine, 1, MPI_UINT64_T, counts, 1, MPI_UINT64_T, comm.mpi);
    *offsets = sxt_alloc(size + 1, sizeof(**offsets));
    (*offsets)[0] = 0;
    for (size_t r = 0; r < size; r++)
        (*offsets)[r + 1] = (*offsets)[r] + counts[r];
    *out = sxt_alloc((*offsets)[size], 1);
    if (n > 0)
        memcpy(*out + (*offsets)[comm.rank], data, n);
    for (int r = 0; r < comm.size; r++)
        sxt_comm_broadcast(comm, *out + (*offsets)[r], counts[r], r);
    free(counts);
}
