/* blocks.c - pages have holders, and the banker refuses what could jam. */
#include "model/blocks.h"

#include "base/rng.h"
#include "base/test/tap.h"

static void test_pages(void)
{
    struct sxt_blocks *b = sxt_blocks_create(3);
    int32_t x = sxt_blocks_take(b), y = sxt_blocks_take(b);

    ok(x != y && sxt_blocks_free(b) == 1, "pages are taken once");
    sxt_blocks_share(b, x);
    sxt_blocks_give(b, x);
    ok(sxt_blocks_free(b) == 1, "a shared page stays with its other holder");
    sxt_blocks_give(b, x);
    ok(sxt_blocks_free(b) == 2, "the last holder frees it");
    sxt_blocks_give(b, y);
    ok(sxt_blocks_free(b) == 3, "all pages come back");
    sxt_blocks_destroy(b);
}

static void test_banker(void)
{
    static const struct {
        struct sxt_claim claim[3];
        size_t free_pages;
        bool safe;
        const char *what;
    } cases[] = {
        { { { 1, 4 }, { 4, 2 }, { 5, 3 } },
          2,
          true,
          "all can finish one after the other" },
        { { { 1, 4 }, { 4, 2 }, { 5, 3 } }, 1, false, "nobody can finish" },
        { { { 0, 9 }, { 1, 1 }, { 1, 2 } },
          1,
          false,
          "the last one can never finish" },
        { { { 0, 0 }, { 0, 0 }, { 0, 0 } },
          0,
          true,
          "who needs nothing is content" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sxt_claim claim[3];
        memcpy(claim, cases[i].claim, sizeof(claim));
        ok(sxt_blocks_safe(claim, 3, cases[i].free_pages) == cases[i].safe,
           "%s", cases[i].what);
    }
}

/* Greedy claimants under the banker: they never jam. */
static void test_no_jam(void)
{
    struct sxt_rng rng = { 3, 4 };
    size_t jams = 0, draw = 0, refused = 0;

    for (int game = 0; game < 200; game++) {
        struct sxt_claim c[5];
        size_t spare = 12, left = 5;
        for (int i = 0; i < 5; i++)
            c[i] = (struct sxt_claim){ 0, 1 + sxt_rng_below(rng, draw++, 12) };
        while (left > 0) {
            bool moved = false;
            for (int i = 0; i < 5; i++) {
                struct sxt_claim after[5];
                if (c[i].need == 0 || spare == 0)
                    continue;
                memcpy(after, c, sizeof(c));
                after[i].held++;
                after[i].need--;
                if (!sxt_blocks_safe(after, 5, spare - 1)) {
                    refused++;
                    continue;
                }
                c[i].held++;
                c[i].need--;
                spare--;
                moved = true;
                if (c[i].need > 0)
                    continue;
                spare += c[i].held;
                c[i].held = 0;
                left--;
            }
            if (!moved) {
                jams++;
                break;
            }
        }
    }
    ok(jams == 0 && refused > 0,
       "200 games of greedy claimants: %zu refusals, no jam", refused);
}

int main(void)
{
    test_pages();
    test_banker();
    test_no_jam();
    return done_testing();
}
