/* map.c - open addressing over a vector of entries. */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

struct entry {
    uint64_t hash, value;
    size_t at, n; /* the key's bytes in the pool */
};

struct sxt_map {
    struct entry *entries;
    size_t count, cap;
    char *pool;
    size_t pool_len, pool_cap;
    uint32_t *slots; /* entry number + 1, 0 free; a power of two of them */
    size_t n_slots;
};

struct sxt_map *sxt_map_create(void)
{
    struct sxt_map *map = sxt_calloc(1, sizeof(*map));

    map->n_slots = 64;
    map->slots = sxt_calloc(map->n_slots, sizeof(*map->slots));
    return map;
}

void sxt_map_destroy(struct sxt_map *map)
{
    if (!map)
        return;
    free(map->entries);
    free(map->pool);
    free(map->slots);
    free(map);
}

/* The slot that holds the key, or the free one where it would go. */
static uint32_t *find(const struct sxt_map *map, const void *key, size_t n,
                      uint64_t hash)
{
    for (size_t i = hash & (map->n_slots - 1);;
         i = (i + 1) & (map->n_slots - 1)) {
        uint32_t *slot = &map->slots[i];
        if (*slot == 0)
            return slot;
        const struct entry *e = &map->entries[*slot - 1];
        if (e->hash == hash && e->n == n &&
            (n == 0 || memcmp(map->pool + e->at, key, n) == 0))
            return slot;
    }
}

static void rehash(struct sxt_map *map)
{
    free(map->slots);
    map->n_slots *= 2;
    map->slots = sxt_calloc(map->n_slots, sizeof(*map->slots));
    for (size_t i = 0; i < map->count; i++) {
        const struct entry *e = &map->entries[i];
        *find(map, map->pool + e->at, e->n, e->hash) = (uint32_t)i + 1;
    }
}

bool sxt_map_put(struct sxt_map *map, const void *key, size_t n, uint64_t value)
{
    uint64_t hash = sxt_hash64(key, n, 0);
    uint32_t *slot = find(map, key, n, hash);

    if (*slot != 0)
        return false;
    map->entries = sxt_grow(map->entries, &map->cap, map->count + 1,
                            sizeof(*map->entries));
    map->pool = sxt_grow(map->pool, &map->pool_cap, map->pool_len + n + 1, 1);
    if (n > 0)
        memcpy(map->pool + map->pool_len, key, n);
    map->entries[map->count++] =
        (struct entry){ hash, value, map->pool_len, n };
    map->pool_len += n;
    *slot = (uint32_t)map->count;
    if (map->count * 2 > map->n_slots)
        rehash(map);
    return true;
}

uint64_t *sxt_map_get(const struct sxt_map *map, const void *key, size_t n)
{
    uint32_t slot = *find(map, key, n, sxt_hash64(key, n, 0));

    return slot == 0 ? NULL : &map->entries[slot - 1].value;
}

size_t sxt_map_count(const struct sxt_map *map)
{
    return map->count;
}
