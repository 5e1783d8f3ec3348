/* dev.c - the devices without a GPU: host and fake.
 *
 * Both hand out private anonymous mappings: zeroed, page aligned, and touched
 * first by the thread that works on them.  The pages of "fake" cannot be
 * accessed outside enter and leave, and a block of it ends at a page that can
 * never be, so that a kernel that runs over the end faults.  The list of
 * blocks is ordinary memory.  A device is used by one thread. */
#define _GNU_SOURCE
#include "dev/dev.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

enum { HUGE_FROM = 4 << 20 }; /* bytes from which huge pages pay */

struct block {
    char *base; /* what the caller has */
    size_t bytes;
    char *pages; /* the mapping; fake: one guard page more follows it */
    size_t pages_bytes;
};

struct sxt_dev {
    bool fake;
    int depth; /* enters without their leave */
    struct block *blocks;
    size_t n_blocks, cap;
    size_t in_use, peak;
    size_t page; /* bytes */
};

struct sxt_dev *sxt_dev_create(const char *kind, struct sxt_error *err)
{
    bool fake = strcmp(kind, "fake") == 0;

    if (!fake && strcmp(kind, "host") != 0) {
        sxt_err(err, SXT_EXIT_UNAVAILABLE,
                "device '%s' is not in this build; there are host and fake",
                kind);
        return NULL;
    }
    struct sxt_dev *dev = sxt_calloc(1, sizeof(*dev));
    dev->fake = fake;
    dev->page = (size_t)sysconf(_SC_PAGESIZE);
    return dev;
}

void sxt_dev_destroy(struct sxt_dev *dev)
{
    if (!dev)
        return;
    SXT_CHECK(dev->n_blocks == 0);
    SXT_CHECK(dev->depth == 0);
    free(dev->blocks);
    free(dev);
}

const char *sxt_dev_kind(const struct sxt_dev *dev)
{
    return dev->fake ? "fake" : "host";
}

static size_t round_up(size_t x, size_t unit)
{
    return (x + unit - 1) / unit * unit;
}

static int access_now(const struct sxt_dev *dev)
{
    return dev->fake && dev->depth == 0 ? PROT_NONE : PROT_READ | PROT_WRITE;
}

/* Map a block; false if there is no memory. */
static bool map_block(const struct sxt_dev *dev, size_t bytes, struct block *b)
{
    size_t guard = dev->fake ? dev->page : 0;

    b->bytes = bytes;
    b->pages_bytes = round_up(bytes > 0 ? bytes : 1, dev->page);
    if (b->pages_bytes < bytes)
        return false;
    b->pages = mmap(NULL, b->pages_bytes + guard, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b->pages == MAP_FAILED ||
        mprotect(b->pages, b->pages_bytes, access_now(dev)) != 0)
        return false;
    b->base = b->pages;
    if (dev->fake)
        b->base += b->pages_bytes - round_up(bytes, 64);
    return true;
}

void *sxt_dev_alloc(struct sxt_dev *dev, size_t bytes)
{
    struct block b;

    if (!map_block(dev, bytes, &b)) {
        fprintf(stderr,
                "sextant: out of device memory asking for %zu bytes, %zu in "
                "use\n",
                bytes, dev->in_use);
        exit(SXT_EXIT_UNAVAILABLE);
    }
    if (bytes >= HUGE_FROM)
        madvise(b.pages, b.pages_bytes, MADV_HUGEPAGE); /* a hint: may fail */
    dev->blocks = sxt_grow(dev->blocks, &dev->cap, dev->n_blocks + 1,
                           sizeof(*dev->blocks));
    dev->blocks[dev->n_blocks++] = b;
    dev->in_use += bytes;
    if (dev->in_use > dev->peak)
        dev->peak = dev->in_use;
    return b.base;
}

void sxt_dev_free(struct sxt_dev *dev, void *p)
{
    size_t i = 0;

    if (!p)
        return;
    while (i < dev->n_blocks && dev->blocks[i].base != p)
        i++;
    SXT_CHECK(i < dev->n_blocks); /* not ours, or freed twice */
    const struct block *b = &dev->blocks[i];
    SXT_CHECK(munmap(b->pages, b->pages_bytes + (dev->fake ? dev->page : 0)) ==
              0);
    dev->in_use -= b->bytes;
    dev->blocks[i] = dev->blocks[--dev->n_blocks];
}

size_t sxt_dev_in_use(const struct sxt_dev *dev)
{
    return dev->in_use;
}

size_t sxt_dev_peak(const struct sxt_dev *dev)
{
    return dev->peak;
}

bool sxt_dev_holds(const struct sxt_dev *dev, const void *p, size_t bytes)
{
    if (!dev->fake || bytes == 0)
        return true;
    for (size_t i = 0; i < dev->n_blocks; i++) {
        /* As numbers: unrelated pointers have no order in C. */
        uintptr_t at = (uintptr_t)p - (uintptr_t)dev->blocks[i].base;
        if (at < dev->blocks[i].bytes && bytes <= dev->blocks[i].bytes - at)
            return true;
    }
    return false;
}

/* Give the pages the access that the depth asks for. */
static void protect(struct sxt_dev *dev)
{
    int access = access_now(dev);

    for (size_t i = 0; i < dev->n_blocks; i++)
        SXT_CHECK(mprotect(dev->blocks[i].pages, dev->blocks[i].pages_bytes,
                           access) == 0);
}

void sxt_dev_enter(struct sxt_dev *dev)
{
    if (dev->depth++ == 0 && dev->fake)
        protect(dev);
}

void sxt_dev_leave(struct sxt_dev *dev)
{
    SXT_CHECK(dev->depth > 0);
    if (--dev->depth == 0 && dev->fake)
        protect(dev);
}

/* The other side of a put or get must not be device memory: on a GPU such a
 * copy would go wrong. */
static bool on_host(const struct sxt_dev *dev, const void *p)
{
    return !dev->fake || !sxt_dev_holds(dev, p, 1);
}

void sxt_dev_put(struct sxt_dev *dev, void *to, const void *from_host,
                 size_t bytes)
{
    SXT_CHECK(sxt_dev_holds(dev, to, bytes));
    SXT_CHECK(on_host(dev, from_host));
    if (bytes == 0)
        return;
    sxt_dev_enter(dev);
    memcpy(to, from_host, bytes);
    sxt_dev_leave(dev);
}

void sxt_dev_get(struct sxt_dev *dev, void *to_host, const void *from,
                 size_t bytes)
{
    SXT_CHECK(sxt_dev_holds(dev, from, bytes));
    SXT_CHECK(on_host(dev, to_host));
    if (bytes == 0)
        return;
    sxt_dev_enter(dev);
    memcpy(to_host, from, bytes);
    sxt_dev_leave(dev);
}

void sxt_dev_copy(struct sxt_dev *dev, void *to, const void *from, size_t bytes)
{
    SXT_CHECK(sxt_dev_holds(dev, to, bytes));
    SXT_CHECK(sxt_dev_holds(dev, from, bytes));
    if (bytes == 0)
        return;
    sxt_dev_enter(dev);
    memmove(to, from, bytes);
    sxt_dev_leave(dev);
}

void sxt_dev_zero(struct sxt_dev *dev, void *to, size_t bytes)
{
    SXT_CHECK(sxt_dev_holds(dev, to, bytes));
    if (bytes == 0)
        return;
    sxt_dev_enter(dev);
    memset(to, 0, bytes);
    sxt_dev_leave(dev);
}
