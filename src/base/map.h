/* map.h - byte strings to 64-bit values, in order of insertion.  An empty key
 * may be NULL. */
#ifndef SXT_BASE_MAP_H
#define SXT_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sxt_map;

struct sxt_map *sxt_map_create(void);
void sxt_map_destroy(struct sxt_map *map);
/* Insert a copy of the key; false (and nothing changes) if it is there. */
bool sxt_map_put(struct sxt_map *map, const void *key, size_t n,
                 uint64_t value);
/* Address of the key's value, valid until the next put, or NULL. */
uint64_t *sxt_map_get(const struct sxt_map *map, const void *key, size_t n);
size_t sxt_map_count(const struct sxt_map *map);

#endif
