/* queue.h - one list of items that all ranks draw from, and a few totals.
 *
 * A counter on rank 0, raised by one-sided atomics (the NXTVAL pattern of
 * Global Arrays): who is free takes the next item, no rank waits for another.
 * Nothing here depends on rank 0 entering MPI where the network or shared
 * memory has atomics of its own; where it has none, rank 0 serves the others
 * whenever it calls any function below, and asking never waits: a rank goes on
 * with what it has until the answer is there. */
#ifndef SXT_PAR_QUEUE_H
#define SXT_PAR_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "par/comm.h"

enum { SXT_QUEUE_TOTALS = 7 };

struct sxt_queue; /* opaque */

/* Items 0 … n-1.  Collective. */
struct sxt_queue *sxt_queue_create(struct sxt_comm comm, uint64_t n);
/* Waits until every rank is here.  Collective. */
void sxt_queue_destroy(struct sxt_queue *q);

/* Ask for an item: 1 and *item; 0 if the answer is still on its way (ask
 * again); -1 if none is left or the queue was stopped. */
int sxt_queue_poll(struct sxt_queue *q, uint64_t *item);

/* Hand out nothing more, to nobody. */
void sxt_queue_stop(struct sxt_queue *q);
/* True if anybody stopped the queue; asks rank 0 a few times a second and
 * never waits for it. */
bool sxt_queue_stopped(struct sxt_queue *q);

/* Add to the totals of all ranks; read them (rank 0 only). */
void sxt_queue_add(struct sxt_queue *q, const int64_t amount[SXT_QUEUE_TOTALS]);
void sxt_queue_totals(struct sxt_queue *q, int64_t total[SXT_QUEUE_TOTALS]);

#endif
