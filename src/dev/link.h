/* link.h - a library that moves device memory between ranks, beside kernels;
 * for coll_link.c and those who write one.
 *
 * None of these functions waits for another rank: whoever waits asks for the
 * state again and again, looks after the other ranks meanwhile, and may give
 * up.  A call that the library refuses at once ends the process. */
#ifndef SXT_DEV_LINK_H
#define SXT_DEV_LINK_H

#include <stdint.h>

#include "dev/stream.h"

struct sxt_link; /* opaque: a communicator and a stream of its own */

enum {
    SXT_LINK_ID = 128,  /* bytes of what the ranks of a link have in common */
    SXT_LINK_DEPTH = 64 /* operations at most that have not passed */
};

enum sxt_link_state {
    SXT_LINK_READY,
    SXT_LINK_BUSY, /* ask again, and nothing else */
    SXT_LINK_BROKEN
};

struct sxt_link_driver {
    /* Find the library; about: "NCCL 2.28.9". */
    int (*load)(char about[80], struct sxt_error *err);
    int (*make_id)(char id[SXT_LINK_ID], struct sxt_error *err);
    /* Every rank with the same id. */
    struct sxt_link *(*open)(struct sxt_dev *dev, const char id[SXT_LINK_ID],
                             int ranks, int rank, struct sxt_error *err);
    enum sxt_link_state (*state)(struct sxt_link *link, char why[200]);
    /* Of a link that is ready.  They start when the work that `after` has now
     * is done; afterwards the link is busy.  In place as in coll.h. */
    void (*all_gather)(struct sxt_link *link, enum sxt_stream after, void *to,
                       const void *from, size_t bytes);
    void (*all_to_all)(struct sxt_link *link, enum sxt_stream after, void *to,
                       const void *from, size_t bytes);
    /* How many of the operations, from the first on, have passed. */
    uint64_t (*passed)(struct sxt_link *link);
    /* The main stream goes on behind operation `number`, from 1. */
    void (*order)(struct sxt_link *link, uint64_t number);
    void (*close)(struct sxt_link *link); /* when everything has passed */
    void (*abort)(struct sxt_link *link); /* to be followed by the end */
};

/* NCCL; NULL: not in this build. */
const struct sxt_link_driver *sxt_link_nccl(void);

#endif
