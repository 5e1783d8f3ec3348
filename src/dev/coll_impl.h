/* coll_impl.h - what the ways to move bytes have in common; for coll*.c. */
#ifndef SXT_DEV_COLL_IMPL_H
#define SXT_DEV_COLL_IMPL_H

#include "dev/coll.h"
#include "dev/driver.h"
#include "dev/watch.h"

/* coll.h says what these do. */
struct sxt_coll_way {
    void (*all_gather)(struct sxt_coll *coll, void *to, const void *from,
                       size_t bytes);
    void (*all_to_all)(struct sxt_coll *coll, void *to, const void *from,
                       size_t bytes);
    void (*wait_for)(struct sxt_coll *coll, uint64_t number);
    void (*poke)(struct sxt_coll *coll);
    void (*close)(struct sxt_coll *coll); /* nothing is under way */
};

struct sxt_coll {
    const struct sxt_coll_way *way;
    void *state; /* the way's own */
    char about[200];
    struct sxt_dev *dev;  /* borrowed */
    struct sxt_comm comm; /* owned */
    struct sxt_watch *watch;
    size_t most;
    enum sxt_stream after;
    struct sxt_coll_record last;
};

/* MPI, from pinned memory if the device's own is apart. */
void sxt_coll_by_mpi(struct sxt_coll *coll);
/* A library of the device; -1 on all ranks: not here, err says why. */
int sxt_coll_by_link(struct sxt_coll *coll, struct sxt_error *err);

#endif
