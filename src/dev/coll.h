/* coll.h - collectives on device buffers: over NCCL between GPUs, over MPI
 * between processors.
 *
 * MPI never sees a GPU's memory: where there is no NCCL, or ranks share a GPU,
 * the bytes go through pinned host memory.  Collectives start when the kernels
 * before them have passed; kernels behind sxt_coll_wait see what arrived.  All
 * are collective over the communicator given at create.
 *
 * A rank that waits too long for another (sxt_dev_set_patience) tells which is
 * missing and in what, and ends all of them. */
#ifndef SXT_DEV_COLL_H
#define SXT_DEV_COLL_H

#include <stddef.h>
#include <stdint.h>

#include "dev/stream.h"
#include "par/comm.h"

struct sxt_coll; /* opaque */

/* dev is borrowed; comm is duplicated, so that two sxt_coll never mix.
 * Collective, as is destroy, which waits first. */
struct sxt_coll *sxt_coll_create(struct sxt_dev *dev, struct sxt_comm comm);
void sxt_coll_destroy(struct sxt_coll *coll);
/* "NCCL 2.28.9" or "MPI, through host memory (why)": for logs. */
const char *sxt_coll_about(const struct sxt_coll *coll);
int sxt_coll_size(const struct sxt_coll *coll);
int sxt_coll_rank(const struct sxt_coll *coll);

/* Most bytes per rank in one call of MPI; larger pieces are split.  The default
 * suits its int counts; tests set a few bytes. */
void sxt_coll_split_at(struct sxt_coll *coll, size_t bytes);

/* Collectives start when the work of this stream has passed, from now on;
 * SXT_STREAM_MAIN at first. */
void sxt_coll_after(struct sxt_coll *coll, enum sxt_stream stream);

/* Every rank's `bytes` at from, in rank order, to every rank's `to`
 * (size * bytes).  Starts; sxt_coll_wait completes.  In place if from is its
 * own place in to. */
void sxt_coll_all_gather(struct sxt_coll *coll, void *to, const void *from,
                         size_t bytes);
/* Piece r of `from` (size pieces of `bytes`) goes to rank r; `to` receives
 * piece rank of every rank, in rank order.  Starts. */
void sxt_coll_all_to_all(struct sxt_coll *coll, void *to, const void *from,
                         size_t bytes);
/* Finish what was started, in order: for the kernels that come, the host may
 * go on before. */
void sxt_coll_wait(struct sxt_coll *coll);
/* The same for the collectives up to this number (of sxt_coll_last) only. */
void sxt_coll_wait_for(struct sxt_coll *coll, uint64_t number);
/* Let what was started move on, and return at once: MPI moves bytes only while
 * it is called.  Nothing arrives before sxt_coll_wait.  Not collective. */
void sxt_coll_poke(struct sxt_coll *coll);

/* The newest collective of this rank, for whoever asks what it waits for. */
struct sxt_coll_record {
    const char *operation; /* "all_gather", "all_to_all"; NULL: none yet */
    const char *what;      /* it was for this … */
    size_t unit;           /* … of this unit */
    size_t bytes;          /* of each rank's piece */
    uint64_t number;       /* counts this sxt_coll's collectives, from 1 */
    bool done;             /* it was waited for */
};
/* What the next collectives are for.  what lives as long as coll. */
void sxt_coll_label(struct sxt_coll *coll, const char *what, size_t unit);
struct sxt_coll_record sxt_coll_last(const struct sxt_coll *coll);

/* Rank 0's bytes in host memory to every rank's. */
void sxt_coll_share(struct sxt_coll *coll, void *data, size_t bytes);
/* Sum of doubles in host memory, in rank order: the same bits on every rank. */
void sxt_coll_sum_f64(struct sxt_coll *coll, double *x, size_t n);

#endif
