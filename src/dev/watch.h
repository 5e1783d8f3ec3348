/* watch.h - waiting for other ranks with an end: if nothing moves for too long,
 * the missing rank is named, and all ranks end.
 *
 * A device has one watch, made with its first sxt_coll.  Every rank counts the
 * collectives of all its sxt_colls in one sequence, which is the same on all.
 * A rank whose patience is over calls the roll: the others, who wait too,
 * answer with the number of the last collective that they began.  Who does not
 * answer, or is behind, is the culprit.  One thread does all this, in its own
 * waits: MPI needs no more than that, and the network may be down but for it.
 */
#ifndef SXT_DEV_WATCH_H
#define SXT_DEV_WATCH_H

#include "dev/coll.h"

struct sxt_watch; /* opaque */

/* The device's watch, one more time in use.  comm is that of the first; all
 * who join later have the same ranks.  Collective. */
struct sxt_watch *sxt_watch_join(struct sxt_dev *dev, struct sxt_comm comm);
void sxt_watch_leave(struct sxt_dev *dev);

/* A collective begins: its number, from 1.  It ends once, in any order. */
uint64_t sxt_watch_begin(struct sxt_watch *watch,
                         const struct sxt_coll_record *record);
void sxt_watch_end(struct sxt_watch *watch, uint64_t number);

/* Where this rank is about to wait without asking the watch: in MPI's blocking
 * collectives, in HDF5's.  All ranks meet first: one that does not come is
 * named as ever.  What stops behind that, a thread notices (guard.h).
 * Collective; nothing happens without a watch, or alone. */
void sxt_watch_enter(struct sxt_dev *dev, const char *what);
void sxt_watch_back(struct sxt_dev *dev);
/* The two halves of enter. */
void sxt_watch_meet(struct sxt_dev *dev, const char *what);
void sxt_watch_guard(struct sxt_dev *dev, const char *what);

/* A library that has news without being waited for. */
struct sxt_watch_source {
    /* False: it is broken, and why tells. */
    bool (*look)(void *arg, char why[200]);
    void (*abort)(void *arg);
    void *arg;
};
void sxt_watch_add(struct sxt_watch *watch, struct sxt_watch_source source);
void sxt_watch_remove(struct sxt_watch *watch, void *arg);

/* Return when passed(arg), which is asked again and again.  Ends the process
 * if a source breaks, or if for dev's patience no collective ends while some
 * are under way.  nap: sleep a little in between. */
void sxt_watch_wait(struct sxt_watch *watch, bool (*passed)(void *arg),
                    void *arg, bool nap);

#endif
