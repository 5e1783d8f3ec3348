/* coll_link.c - collectives by a library that moves device memory beside the
 * kernels: NCCL.
 *
 * Nothing waits on the host but for room among the operations under way; what
 * comes after sxt_coll_wait is behind them on the main stream. */
#include <stdlib.h>

#include "base/mem.h"
#include "dev/coll_impl.h"
#include "dev/link.h"

struct by_link {
    const struct sxt_link_driver *driver;
    struct sxt_link *link;            /* owned */
    uint64_t started, passed;         /* operations */
    uint64_t number[SXT_LINK_DEPTH];  /* of the collectives they are */
    uint64_t watched[SXT_LINK_DEPTH]; /* and their numbers in the watch */
};

/* ---- for the watch ---- */

static void end_passed(struct sxt_coll *coll)
{
    struct by_link *b = coll->state;
    uint64_t passed = b->driver->passed(b->link);

    for (; b->passed < passed; b->passed++)
        sxt_watch_end(coll->watch, b->watched[b->passed % SXT_LINK_DEPTH]);
}

static bool look(void *arg, char why[200])
{
    struct sxt_coll *coll = arg;
    struct by_link *b = coll->state;

    if (b->driver->state(b->link, why) == SXT_LINK_BROKEN)
        return false;
    end_passed(coll);
    return true;
}

static void abort_link(void *arg)
{
    struct by_link *b = ((struct sxt_coll *)arg)->state;

    b->driver->abort(b->link);
}

/* A link that breaks is never ready: the watch finds it. */
static bool is_ready(void *arg)
{
    struct by_link *b = ((struct sxt_coll *)arg)->state;
    char why[200];

    return b->driver->state(b->link, why) == SXT_LINK_READY;
}

static bool has_room(void *arg)
{
    struct sxt_coll *coll = arg;
    struct by_link *b = coll->state;

    end_passed(coll);
    return b->started - b->passed < SXT_LINK_DEPTH;
}

static bool is_idle(void *arg)
{
    struct sxt_coll *coll = arg;
    struct by_link *b = coll->state;

    end_passed(coll);
    return b->started == b->passed;
}

/* ---- collectives ---- */

typedef void start_fn(struct sxt_link *link, enum sxt_stream after, void *to,
                      const void *from, size_t bytes);

static void start(struct sxt_coll *coll, start_fn *fn, void *to,
                  const void *from, size_t bytes)
{
    struct by_link *b = coll->state;
    size_t i = b->started % SXT_LINK_DEPTH;

    sxt_watch_wait(coll->watch, has_room, coll, true);
    fn(b->link, coll->after, to, from, bytes);
    b->number[i] = coll->last.number;
    b->watched[i] = sxt_watch_begin(coll->watch, &coll->last);
    b->started++;
    sxt_watch_wait(coll->watch, is_ready, coll, true);
}

static void all_gather(struct sxt_coll *coll, void *to, const void *from,
                       size_t bytes)
{
    struct by_link *b = coll->state;

    start(coll, b->driver->all_gather, to, from, bytes);
}

static void all_to_all(struct sxt_coll *coll, void *to, const void *from,
                       size_t bytes)
{
    struct by_link *b = coll->state;

    start(coll, b->driver->all_to_all, to, from, bytes);
}

static void wait_for(struct sxt_coll *coll, uint64_t number)
{
    struct by_link *b = coll->state;
    uint64_t n = b->started;

    while (n > b->passed && b->number[(n - 1) % SXT_LINK_DEPTH] > number)
        n--;
    if (n > b->passed)
        b->driver->order(b->link, n);
}

static void poke(struct sxt_coll *coll)
{
    char why[200];

    look(coll, why); /* whoever waits next hears of what is broken */
}

static void close_link(struct sxt_coll *coll)
{
    struct by_link *b = coll->state;

    sxt_watch_wait(coll->watch, is_idle, coll, true);
    sxt_watch_remove(coll->watch, coll);
    b->driver->close(b->link);
    free(b);
}

/* ---- life ---- */

/* Whether this rank could; about says by what. */
static int could(const struct sxt_coll *coll,
                 const struct sxt_link_driver *driver, char about[80],
                 struct sxt_error *err)
{
    int sharers = coll->dev->sharers;

    if (!driver)
        return sxt_err(err, SXT_EXIT_UNAVAILABLE, "this build has no NCCL");
    /* On a device that was not placed, others may be as well. */
    if (sharers > 1 || (sharers == 0 && coll->comm.size > 1))
        return sxt_err(err, SXT_EXIT_UNAVAILABLE, "ranks share a GPU");
    return driver->load(about, err);
}

int sxt_coll_by_link(struct sxt_coll *coll, struct sxt_error *err)
{
    static const struct sxt_coll_way way = { all_gather, all_to_all, wait_for,
                                             poke, close_link };
    const struct sxt_link_driver *driver = sxt_link_nccl();
    char id[SXT_LINK_ID] = "";
    int rc = could(coll, driver, coll->about, err);

    if (sxt_comm_agree(coll->comm, rc, err) != 0)
        return -1;
    if (coll->comm.rank == 0)
        rc = driver->make_id(id, err);
    if (sxt_comm_agree(coll->comm, rc, err) != 0)
        return -1;
    sxt_comm_broadcast(coll->comm, id, sizeof(id), 0);
    struct sxt_link *link =
        driver->open(coll->dev, id, coll->comm.size, coll->comm.rank, err);
    if (sxt_comm_agree(coll->comm, link ? 0 : -1, err) != 0) {
        if (link)
            driver->abort(link);
        return -1;
    }
    struct by_link *b = sxt_calloc(1, sizeof(*b));
    b->driver = driver;
    b->link = link;
    coll->way = &way;
    coll->state = b;
    sxt_watch_add(coll->watch,
                  (struct sxt_watch_source){ look, abort_link, coll });
    sxt_watch_wait(coll->watch, is_ready, coll, true);
    return 0;
}
