/* arena.c - memory comes from its purpose's chunks, gaps are used again, and
 * what nobody needs goes back. */
#include <stdint.h>
#include <string.h>

#include "base/rng.h"
#include "base/test/tap.h"
#include "dev/dev.h"

enum { MIB = 1 << 20, SLOTS = 200, STEPS = 3000, CHUNK = 2 * MIB };

static const char *const kinds[] = {
#ifdef DEVICE
    DEVICE
#else
    "host", "fake"
#endif
};

/* A unit in training: what comes and goes with a trainer, in its order. */
static const struct {
    enum sxt_dev_purpose purpose;
    size_t bytes;
} unit[] = {
    { SXT_DEV_WEIGHTS, 3 * MIB + 100 }, { SXT_DEV_WEIGHTS, 5000 },
    { SXT_DEV_GRADIENTS, 6 * MIB + 3 }, { SXT_DEV_OPTIMISER, 700 * 1000 },
    { SXT_DEV_OPTIMISER, 1400 * 1000 }, { SXT_DEV_OPTIMISER, 1400 * 1000 },
    { SXT_DEV_ACTIVATIONS, 70 },        { SXT_DEV_ACTIVATIONS, 0 },
};
enum { UNIT = sizeof(unit) / sizeof(*unit), UNITS = 8 };

static void make(struct sxt_dev *dev, void *p[UNIT])
{
    for (int i = 0; i < UNIT; i++)
        p[i] = sxt_dev_alloc_for(dev, unit[i].purpose, unit[i].bytes);
}

static void drop(struct sxt_dev *dev, void *const p[UNIT])
{
    for (int i = 0; i < UNIT; i++)
        sxt_dev_free(dev, p[i]);
}

/* Every second unit leaves the device and comes back, as offloading does. */
static void test_trainer(const char *kind)
{
    struct sxt_dev *dev = sxt_dev_create(kind, NULL);
    void *p[UNITS][UNIT];
    bool same = true;

    for (int u = 0; u < UNITS; u++)
        make(dev, p[u]);
    size_t all = sxt_dev_mapped(dev), used = sxt_dev_in_use(dev);
    ok(all >= used && all % CHUNK == 0,
       "arena: %s: %zu bytes in use are in chunks of %zu", kind, used, all);
    for (int round = 0; round < 4; round++) {
        for (int u = round % 2; u < UNITS; u += 2)
            drop(dev, p[u]);
        for (int u = UNITS - 1; u >= 0; u--)
            if (u % 2 == round % 2)
                make(dev, p[u]);
        same = same && sxt_dev_mapped(dev) <= all;
    }
    ok(same && sxt_dev_in_use(dev) == used,
       "arena: %s: units that go and come back need no more", kind);
    for (int u = 0; u < UNITS; u++)
        drop(dev, p[u]);
    ok(sxt_dev_mapped(dev) == 0, "arena: %s: all of it goes back", kind);
    sxt_dev_destroy(dev);
}

static void test_purposes(const char *kind)
{
    struct sxt_dev *dev = sxt_dev_create(kind, NULL);
    void *w = sxt_dev_alloc_for(dev, SXT_DEV_WEIGHTS, 1000);
    void *w2 = sxt_dev_alloc_for(dev, SXT_DEV_WEIGHTS, 1000);
    void *g = sxt_dev_alloc_for(dev, SXT_DEV_GRADIENTS, 1000);

    ok(sxt_dev_mapped(dev) == 2 * CHUNK,
       "arena: %s: small blocks of a purpose share a chunk, others have theirs",
       kind);
    sxt_dev_free(dev, w);
    sxt_dev_free(dev, w2);
    ok(sxt_dev_mapped(dev) == CHUNK,
       "arena: %s: a chunk goes back with its last block", kind);
    sxt_dev_free(dev, g);
    sxt_dev_destroy(dev);
}

/* Two freed neighbours make room for one block of their sizes. */
static void test_neighbours(const char *kind)
{
    enum { EACH = 200 << 10, N = 7 };
    struct sxt_dev *dev = sxt_dev_create(kind, NULL);
    void *p[N];

    for (int i = 0; i < N; i++)
        p[i] = sxt_dev_alloc(dev, EACH);
    size_t before = sxt_dev_mapped(dev);
    sxt_dev_free(dev, p[4]);
    sxt_dev_free(dev, p[3]);
    p[3] = sxt_dev_alloc(dev, 2 * EACH);
    ok(sxt_dev_mapped(dev) == before, "arena: %s: two gaps that touch are one",
       kind);
    for (int i = 0; i < N; i++)
        if (i != 4)
            sxt_dev_free(dev, p[i]);
    sxt_dev_destroy(dev);
}

struct piece {
    char *p;
    size_t bytes;
    unsigned char mark;
};

/* All bytes of the piece, if it is there, are x. */
static bool is_all(struct sxt_dev *dev, const struct piece *b, unsigned char x)
{
    static unsigned char host[100 << 10];

    sxt_dev_get(dev, host, b->p, b->bytes);
    for (size_t i = 0; i < b->bytes; i++)
        if (host[i] != x)
            return false;
    return true;
}

/* Blocks of any size come and go: each keeps what was written to it, and is
 * zeros at first. */
static void test_any(const char *kind)
{
    static unsigned char ink[100 << 10];
    struct sxt_dev *dev = sxt_dev_create(kind, NULL);
    struct sxt_rng rng = { 1, 2 };
    struct piece b[SLOTS] = { { 0 } };
    bool zeroed = true, kept = true, held = true;

    for (uint64_t i = 0; i < STEPS; i++) {
        uint64_t x = sxt_rng_u64(rng, i);
        struct piece *s = &b[x % SLOTS];
        if (s->p) {
            kept = kept && is_all(dev, s, s->mark);
            sxt_dev_free(dev, s->p);
            s->p = NULL;
            continue;
        }
        s->bytes = (x >> 8) % (x >> 40 & 1 ? 300 : sizeof(ink));
        s->p = sxt_dev_alloc_for(dev, (x >> 32) % SXT_DEV_PURPOSES, s->bytes);
        s->mark = (unsigned char)(x >> 50 | 1);
        zeroed = zeroed && is_all(dev, s, 0);
        memset(ink, s->mark, s->bytes);
        sxt_dev_put(dev, s->p, ink, s->bytes);
        held = held && (uintptr_t)s->p % 64 == 0 &&
               sxt_dev_holds(dev, s->p, s->bytes) &&
               (strcmp(kind, "host") == 0 ||
                !sxt_dev_holds(dev, s->p, s->bytes + 1));
    }
    ok(zeroed, "arena: %s: blocks of any size are zeros at first", kind);
    ok(kept, "arena: %s: and keep what is written to them", kind);
    ok(held, "arena: %s: the device knows where each one ends", kind);
    for (int i = 0; i < SLOTS; i++)
        sxt_dev_free(dev, b[i].p);
    ok(sxt_dev_mapped(dev) == 0 && sxt_dev_in_use(dev) == 0,
       "arena: %s: in the end nothing is left", kind);
    sxt_dev_destroy(dev);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        test_purposes(kinds[i]);
        test_neighbours(kinds[i]);
        test_trainer(kinds[i]);
        test_any(kinds[i]);
    }
    return done_testing();
}
