/* map.c - the map against what was put into it. */
#include "base/map.h"

#include "base/test/tap.h"

enum { N = 20000 };

int main(void)
{
    struct sxt_map *map = sxt_map_create();
    size_t wrong = 0;
    char key[32];

    ok(!sxt_map_get(map, "", 0) && sxt_map_count(map) == 0,
       "an empty map has nothing");
    for (uint64_t i = 0; i < N; i++) {
        int n = snprintf(key, sizeof(key), "%llu", (unsigned long long)i);
        wrong += !sxt_map_put(map, key, (size_t)n, i * i);
    }
    ok(wrong == 0 && sxt_map_count(map) == N, "%d new keys go in", N);
    for (uint64_t i = 0; i < N; i++) {
        int n = snprintf(key, sizeof(key), "%llu", (unsigned long long)i);
        uint64_t *value = sxt_map_get(map, key, (size_t)n);
        wrong += !value || *value != i * i;
        wrong += sxt_map_put(map, key, (size_t)n, 0);
    }
    ok(wrong == 0, "each gives its value and cannot go in twice");
    ok(!sxt_map_get(map, "20000", 5) && !sxt_map_get(map, "1999", 3) == false,
       "only whole keys count");
    ok(sxt_map_put(map, NULL, 0, 7) && *sxt_map_get(map, "", 0) == 7,
       "an empty key is a key");
    ok(sxt_map_put(map, "a\0b", 3, 1) && sxt_map_put(map, "a\0c", 3, 2) &&
           *sxt_map_get(map, "a\0b", 3) == 1,
       "keys are bytes, NULs included");
    *sxt_map_get(map, "", 0) = 8;
    ok(*sxt_map_get(map, "", 0) == 8, "a value can be changed in place");
    sxt_map_destroy(map);
    sxt_map_destroy(NULL);
    return done_testing();
}
