/* worker.h - a thread that works through numbered items in order while its
 * owner goes on. */
#ifndef SXT_BASE_WORKER_H
#define SXT_BASE_WORKER_H

#include <stddef.h>

struct sxt_worker; /* opaque; one owner, one thread */

/* work(arg, item) runs on the worker's thread. */
struct sxt_worker *sxt_worker_create(void (*work)(void *arg, size_t item),
                                     void *arg);
/* Waits for all items first.  NULL is legal. */
void sxt_worker_destroy(struct sxt_worker *w);
/* Items first … end - 1, one after the other.  Waits for those of the last
 * start; what the owner wrote before, the worker sees. */
void sxt_worker_start(struct sxt_worker *w, size_t first, size_t end);
/* Returns when the item is done, or is none of those started: what the worker
 * wrote for it, the caller sees. */
void sxt_worker_wait(struct sxt_worker *w, size_t item);

#endif
