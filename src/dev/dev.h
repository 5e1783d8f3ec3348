/* dev.h - where numbers live: device memory and copies.
 *
 * Implementations: "host" (plain memory), "fake" (host memory that is readable
 * only while a kernel or a copy runs, so that host code that touches device
 * memory faults at once) and "cuda" (a GPU).  place.h chooses among them;
 * stream.h has what overlaps: streams, events, pinned memory. */
#ifndef SXT_DEV_DEV_H
#define SXT_DEV_DEV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct sxt_dev; /* opaque */

/* What memory is for: in the account, and in the advice when there is none
 * left. */
enum sxt_dev_purpose {
    SXT_DEV_OTHER,
    SXT_DEV_WEIGHTS,
    SXT_DEV_CACHE, /* keys and values */
    SXT_DEV_ACTIVATIONS,
    SXT_DEV_LOGITS,
    SXT_DEV_GRADIENTS,
    SXT_DEV_OPTIMISER,
    SXT_DEV_SCRATCH,
    SXT_DEV_PURPOSES
};

/* kind: "host", "fake" or "cuda"; the last is the first GPU. */
struct sxt_dev *sxt_dev_create(const char *kind, struct sxt_error *err);
/* The same, for GPU number `ordinal` of this node. */
struct sxt_dev *sxt_dev_create_at(const char *kind, int ordinal,
                                  struct sxt_error *err);
void sxt_dev_destroy(struct sxt_dev *dev); /* everything must be freed */
const char *sxt_dev_kind(const struct sxt_dev *dev);
/* How many GPUs the ranks have together; 0 if they have none, 1 if the device
 * was not placed (place.h). */
int sxt_dev_gpus(const struct sxt_dev *dev);
/* "NVIDIA H100 80GB HBM3, 79.1 GiB": for logs. */
const char *sxt_dev_about(const struct sxt_dev *dev);

/* Device memory, 64-byte aligned, zeroed, from its purpose's arena (arena.h);
 * out of memory ends the process, and says what holds how much and what could
 * be smaller.  free waits for the device. */
void *sxt_dev_alloc(struct sxt_dev *dev, size_t bytes); /* SXT_DEV_OTHER */
void *sxt_dev_alloc_for(struct sxt_dev *dev, enum sxt_dev_purpose purpose,
                        size_t bytes);
void sxt_dev_free(struct sxt_dev *dev, void *p);  /* NULL is legal */
size_t sxt_dev_in_use(const struct sxt_dev *dev); /* bytes now */
size_t sxt_dev_in_use_for(const struct sxt_dev *dev,
                          enum sxt_dev_purpose purpose);
size_t sxt_dev_mapped(const struct sxt_dev *dev); /* bytes of all chunks now */
size_t sxt_dev_peak(const struct sxt_dev *dev);   /* bytes at most so far */
size_t sxt_dev_peak_for(const struct sxt_dev *dev,
                        enum sxt_dev_purpose purpose);
const char *sxt_dev_purpose_name(enum sxt_dev_purpose purpose);
/* Bytes that this rank could still allocate if `ranks` of them on the node take
 * equal parts (of the machine's memory; of a GPU's those who share it do);
 * another moment, another answer.  Huge if nothing tells. */
size_t sxt_dev_room(const struct sxt_dev *dev, int ranks);
/* Warm-up is over: to allocate is a bug from now on (or no longer). */
void sxt_dev_seal(struct sxt_dev *dev, bool sealed);

/* Seconds without any progress that a wait for other ranks may last; 0: no end;
 * 1800 at first.  Then the missing rank is named, and all ranks end. */
void sxt_dev_set_patience(struct sxt_dev *dev, double seconds);

/* False if the bytes at p are known to lie outside one piece of device memory.
 * Only "fake" and an emulated GPU know; the num layer asks for every argument
 * of a kernel. */
bool sxt_dev_holds(const struct sxt_dev *dev, const void *p, size_t bytes);

/* Copies between host and device, and inside the device, in order with the
 * kernels.  After put the source, which is not pinned memory, may change; after
 * get the bytes are there.  copy: the two do not overlap. */
void sxt_dev_put(struct sxt_dev *dev, void *to, const void *from_host,
                 size_t bytes);
void sxt_dev_get(struct sxt_dev *dev, void *to_host, const void *from,
                 size_t bytes);
void sxt_dev_copy(struct sxt_dev *dev, void *to, const void *from,
                  size_t bytes);
void sxt_dev_zero(struct sxt_dev *dev, void *to, size_t bytes);

/* What a GPU's sensors say now; 0: it does not tell. */
struct sxt_dev_reading {
    double power_w, energy_j;         /* energy since the driver started */
    double clock_mhz, clock_most_mhz; /* of the multiprocessors */
    double temperature_c;
    size_t memory_used, memory_total; /* bytes, of all processes */
};
/* False if the device has no sensors or nothing that reads them. */
bool sxt_dev_read(const struct sxt_dev *dev, struct sxt_dev_reading *reading);

/* Around every kernel; nesting is legal.  Called by the num layer and by
 * collectives, not by anybody above. */
void sxt_dev_enter(struct sxt_dev *dev);
void sxt_dev_leave(struct sxt_dev *dev);

#endif
