/* comm.h - the ranks of a run and how they agree.  The only header that
 * shows MPI. */
#ifndef SXT_PAR_COMM_H
#define SXT_PAR_COMM_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A communicator with the two numbers everybody asks for; a value. */
struct sxt_comm {
    MPI_Comm mpi; /* borrowed */
    int rank, size;
};

/* Start MPI (funneled threads) and return the world, with errors fatal. */
struct sxt_comm sxt_comm_init(int *argc, char ***argv);
/* Name and version of the MPI library; works before sxt_comm_init. */
void sxt_comm_library(char *text, size_t size);
/* What the library grants threads: "single", "funneled", "serialized" or
 * "multiple". */
const char *sxt_comm_threads(void);
/* End MPI.  Collective. */
void sxt_comm_finalize(void);
struct sxt_comm sxt_comm_from_mpi(MPI_Comm mpi);
/* This process alone; needs MPI started. */
struct sxt_comm sxt_comm_self(void);

/* Neighbours by groups of `size`, which divides comm.size.  Collective. */
struct sxt_comm sxt_comm_groups(struct sxt_comm comm, int size);
void sxt_comm_free(struct sxt_comm *comm); /* such a group; collective in it */

/* How many of the ranks run on this rank's node.  Collective. */
int sxt_comm_on_node(struct sxt_comm comm);
/* This rank's number among them, in the order of comm.  Collective. */
int sxt_comm_rank_on_node(struct sxt_comm comm);

/* Make a local outcome a common one.  Collective.
 *
 * Every rank passes what its own last step returned (0 or -1).  If any failed,
 * all return -1, and *err on every rank holds code and message of the lowest
 * failing rank, after "rank N: " if there are several ranks.  Call it after any
 * step that can fail on some ranks only, before the next collective call:
 * otherwise the ranks that went on wait for ever for those that returned. */
int sxt_comm_agree(struct sxt_comm comm, int local, struct sxt_error *err);

/* Abort if the n bytes differ between ranks (builds with --enable-debug). */
void sxt_comm_assert_same(struct sxt_comm comm, const void *data, size_t n);

/* Rank's contiguous share of n items: [*first, *first + *count).  The shares
 * of ranks 0, 1, … are in order, and differ by at most one item. */
void sxt_comm_slice(struct sxt_comm comm, size_t n, size_t *first,
                    size_t *count);

/* Sums over all ranks, and over the ranks below this one.  Collective. */
int64_t sxt_comm_sum(struct sxt_comm comm, int64_t x);
int64_t sxt_comm_exscan(struct sxt_comm comm, int64_t x);
int64_t sxt_comm_max(struct sxt_comm comm, int64_t x);
double sxt_comm_sum_f64(struct sxt_comm comm, double x); /* in rank order */
void sxt_comm_barrier(struct sxt_comm comm);
/* Root's n bytes to everybody; any n (more than 2 GiB too).  Collective. */
void sxt_comm_broadcast(struct sxt_comm comm, void *data, size_t n, int root);

/* Give every rank's bytes to every rank, in rank order.  Collective.
 * *out (owned by the caller) holds all of them; offsets[size + 1] too. */
void sxt_comm_allgather_bytes(struct sxt_comm comm, const void *data, size_t n,
                              char **out, size_t **offsets);

#endif
