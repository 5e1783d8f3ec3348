/* dev.h - where numbers live: device memory and copies.
 *
 * Implementations: "host" (plain memory) and "fake" (host memory that is
 * readable only while a kernel or a copy runs, so that host code that touches
 * device memory faults at once).  A GPU is a third. */
#ifndef SXT_DEV_DEV_H
#define SXT_DEV_DEV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct sxt_dev; /* opaque */

struct sxt_dev *sxt_dev_create(const char *kind, struct sxt_error *err);
void sxt_dev_destroy(struct sxt_dev *dev); /* everything must be freed */
const char *sxt_dev_kind(const struct sxt_dev *dev);

/* Device memory, 64-byte aligned, zeroed; out of memory ends the process. */
void *sxt_dev_alloc(struct sxt_dev *dev, size_t bytes);
void sxt_dev_free(struct sxt_dev *dev, void *p);  /* NULL is legal */
size_t sxt_dev_in_use(const struct sxt_dev *dev); /* bytes now */
size_t sxt_dev_peak(const struct sxt_dev *dev);   /* bytes at most so far */
/* Bytes that this rank could still allocate if `ranks` of them on the node take
 * equal parts; another moment, another answer.  Huge if nothing tells. */
size_t sxt_dev_room(const struct sxt_dev *dev, int ranks);

/* False if the bytes at p are known to lie outside one piece of device memory.
 * Only "fake" knows; the num layer asks for every argument of a kernel. */
bool sxt_dev_holds(const struct sxt_dev *dev, const void *p, size_t bytes);

/* Copies between host and device, and inside the device. */
void sxt_dev_put(struct sxt_dev *dev, void *to, const void *from_host,
                 size_t bytes);
void sxt_dev_get(struct sxt_dev *dev, void *to_host, const void *from,
                 size_t bytes);
void sxt_dev_copy(struct sxt_dev *dev, void *to, const void *from,
                  size_t bytes);
void sxt_dev_zero(struct sxt_dev *dev, void *to, size_t bytes);

/* Around every kernel; nesting is legal.  Called by the num layer and by
 * collectives, not by anybody above. */
void sxt_dev_enter(struct sxt_dev *dev);
void sxt_dev_leave(struct sxt_dev *dev);

#endif
