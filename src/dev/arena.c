/* arena.c - blocks of device memory: gaps found, chunks mapped and unmapped. */
#include "dev/arena.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    ALIGN = 256,      /* of a block: what GPUs like */
    GRAIN = 2 << 20,  /* of a chunk: what a GPU's driver hands out */
    GUARD = 64 << 10, /* bytes behind a block that fault, if exact */
    LINE = 64         /* exact: a block ends so far before them at most */
};

static size_t round_up(size_t x, size_t unit)
{
    return (x + unit - 1) / unit * unit;
}

static size_t guard(const struct sxt_dev *dev)
{
    return dev->driver->exact ? GUARD : 0;
}

/* As a number: unrelated pointers have no order in C. */
static uintptr_t place(const void *p)
{
    return (uintptr_t)p;
}

/* How many blocks lie at `at` or below. */
static size_t count_to(const struct sxt_dev *dev, uintptr_t at)
{
    size_t first = 0, end = dev->n_blocks;

    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (place(dev->blocks[middle].pages) <= at)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

/* The lowest gap of a chunk that has `need` bytes; NULL: none has. */
static char *find_gap(const struct sxt_dev *dev, const struct sxt_dev_chunk *c,
                      size_t need)
{
    size_t at = 0;

    for (size_t i = count_to(dev, place(c->base) - 1); i < dev->n_blocks; i++) {
        const struct sxt_dev_block *b = &dev->blocks[i];
        size_t next = place(b->pages) - place(c->base);
        if (next >= c->bytes)
            break; /* another chunk's */
        if (next - at >= need)
            return c->base + at;
        at = next + b->pages_bytes + guard(dev);
    }
    return c->bytes - at >= need ? c->base + at : NULL;
}

static struct sxt_dev_chunk *add_chunk(struct sxt_dev *dev,
                                       enum sxt_dev_purpose purpose,
                                       size_t need)
{
    struct sxt_dev_chunk c = { .bytes = round_up(need, GRAIN),
                               .purpose = purpose };

    if (!dev->driver->map(dev, &c))
        return NULL;
    dev->chunks = sxt_grow(dev->chunks, &dev->cap_chunks, dev->n_chunks + 1,
                           sizeof(*dev->chunks));
    dev->chunks[dev->n_chunks++] = c;
    return &dev->chunks[dev->n_chunks - 1];
}

/* The chunk that gives `need` bytes, and where. */
static struct sxt_dev_chunk *find_room(struct sxt_dev *dev,
                                       enum sxt_dev_purpose purpose,
                                       size_t need, char **at)
{
    for (size_t i = 0; i < dev->n_chunks; i++) {
        struct sxt_dev_chunk *c = &dev->chunks[i];
        if (c->purpose == purpose && (*at = find_gap(dev, c, need)))
            return c;
    }
    struct sxt_dev_chunk *c = add_chunk(dev, purpose, need);
    *at = c ? c->base : NULL;
    return c;
}

/* A chunk is zeros from `used` on. */
static void clean(struct sxt_dev *dev, struct sxt_dev_chunk *c,
                  const struct sxt_dev_block *b)
{
    size_t at = place(b->pages) - place(c->base);

    if (at < c->used && b->bytes > 0) {
        dev->driver->zero(dev, SXT_STREAM_MAIN, b->base, b->bytes);
        dev->driver->finish(dev, SXT_STREAM_MAIN); /* for other streams */
    }
    if (at + b->pages_bytes > c->used)
        c->used = at + b->pages_bytes;
}

void *sxt_arena_take(struct sxt_dev *dev, enum sxt_dev_purpose purpose,
                     size_t bytes)
{
    bool exact = dev->driver->exact;
    size_t unit = exact ? (size_t)sysconf(_SC_PAGESIZE) : ALIGN;
    struct sxt_dev_block b = { .bytes = bytes, .purpose = purpose };

    if (bytes > SIZE_MAX / 2)
        return NULL;
    b.pages_bytes = round_up(bytes > 0 ? bytes : 1, unit);
    struct sxt_dev_chunk *c =
        find_room(dev, purpose, b.pages_bytes + guard(dev), &b.pages);
    if (!c)
        return NULL;
    b.base = b.pages;
    if (exact)
        b.base += b.pages_bytes - round_up(bytes, LINE);
    dev->blocks = sxt_grow(dev->blocks, &dev->cap, dev->n_blocks + 1,
                           sizeof(*dev->blocks));
    struct sxt_dev_block *to = dev->blocks + count_to(dev, place(b.pages));
    memmove(to + 1, to,
            (size_t)(dev->blocks + dev->n_blocks - to) * sizeof(*to));
    *to = b;
    dev->n_blocks++;
    if (dev->driver->take)
        dev->driver->take(dev, &b);
    clean(dev, c, &b);
    return b.base;
}

const struct sxt_dev_block *sxt_arena_find(const struct sxt_dev *dev,
                                           const void *p)
{
    size_t n = count_to(dev, place(p));
    const struct sxt_dev_block *b = n > 0 ? &dev->blocks[n - 1] : NULL;

    return b && place(p) - place(b->base) < b->bytes ? b : NULL;
}

struct sxt_dev_block sxt_arena_give(struct sxt_dev *dev, const void *p)
{
    size_t n = count_to(dev, place(p)), i = 0;

    SXT_CHECK(n > 0 && dev->blocks[n - 1].base == p); /* else freed twice */
    struct sxt_dev_block b = dev->blocks[n - 1];
    memmove(dev->blocks + n - 1, dev->blocks + n,
            (dev->n_blocks - n) * sizeof(b));
    dev->n_blocks--;
    if (dev->driver->give)
        dev->driver->give(dev, &b);
    while (place(b.pages) - place(dev->chunks[i].base) >= dev->chunks[i].bytes)
        i++;
    struct sxt_dev_chunk c = dev->chunks[i];
    size_t last = count_to(dev, place(c.base) + c.bytes - 1);
    if (last == count_to(dev, place(c.base) - 1)) { /* none is left in it */
        dev->chunks[i] = dev->chunks[--dev->n_chunks];
        dev->driver->unmap(dev, &c);
    }
    return b;
}
