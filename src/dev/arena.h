/* arena.h - where blocks lie in the chunks that a driver gives; for dev.c.
 *
 * Every purpose has an arena: chunks that hold its blocks only, so that what
 * comes and goes together leaves whole chunks behind.  A chunk is mapped when
 * no gap of its arena is large enough, as large as the block and a multiple of
 * what a GPU's driver hands out, and goes back with its last block: memory is
 * nowhere kept that another purpose or another process could use.  Blocks are
 * made before the work starts (sxt_dev_seal), so neither happens in a loop;
 * that is why there is no stream-ordered pool (cudaMallocAsync), whose use and
 * peak a plan could not tell, and no remapping of pages.
 *
 * Gaps are what lies between the blocks, which are kept in the order of their
 * addresses: neighbours that are freed are one gap without further work. */
#ifndef SXT_DEV_ARENA_H
#define SXT_DEV_ARENA_H

#include "dev/driver.h"

/* A zeroed block; NULL: no memory. */
void *sxt_arena_take(struct sxt_dev *dev, enum sxt_dev_purpose purpose,
                     size_t bytes);
/* The block in which p lies, or NULL; one that is empty has no inside. */
const struct sxt_dev_block *sxt_arena_find(const struct sxt_dev *dev,
                                           const void *p);
/* The block at p, which is gone; aborts if there is none. */
struct sxt_dev_block sxt_arena_give(struct sxt_dev *dev, const void *p);

#endif
