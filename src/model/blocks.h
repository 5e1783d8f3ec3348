/* blocks.h - who holds which pages of the key-value cache.
 *
 * A page (block) holds the keys and values of a fixed number of positions, in
 * every layer.  Sequences with the same prompt share its full pages. */
#ifndef SXT_MODEL_BLOCKS_H
#define SXT_MODEL_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sxt_blocks; /* opaque */

struct sxt_blocks *sxt_blocks_create(size_t n);
void sxt_blocks_destroy(struct sxt_blocks *b);
size_t sxt_blocks_free(const struct sxt_blocks *b); /* pages nobody holds */

/* A free page, lowest number first after a fresh start; there must be one. */
int32_t sxt_blocks_take(struct sxt_blocks *b);
/* One more holder of a page that is held. */
void sxt_blocks_share(struct sxt_blocks *b, int32_t page);
/* One holder less; the last one frees the page. */
void sxt_blocks_give(struct sxt_blocks *b, int32_t page);
size_t sxt_blocks_holders(const struct sxt_blocks *b, int32_t page);

/* What a sequence holds alone, and may still ask for at worst. */
struct sxt_claim {
    size_t held, need;
};
/* Dijkstra's banker: true if, with `free` pages, the claimants can all finish
 * in some order, each returning what it holds when it is done.  claims is
 * sorted in place by need. */
bool sxt_blocks_safe(struct sxt_claim *claims, size_t n, size_t free_pages);

#endif
