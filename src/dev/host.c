/* host.c - the devices without a GPU: host and fake.
 *
 * Chunks are private anonymous mappings: zeroed, page aligned, and touched
 * first by the thread that works on them.  The pages of "fake" cannot be
 * accessed outside enter and leave, and a block of it ends at a page that can
 * never be, so that a kernel that runs over the end faults. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "dev/driver.h"
#include "dev/room.h"

enum { HUGE_FROM = 4 << 20 }; /* bytes from which huge pages pay */

static bool is_fake(const struct sxt_dev *dev)
{
    return dev->driver->exact;
}

static int open_host(struct sxt_dev *dev, int ordinal, struct sxt_error *err)
{
    (void)dev, (void)ordinal, (void)err;
    return 0;
}

static void close_host(struct sxt_dev *dev)
{
    (void)dev;
}

static int access_now(const struct sxt_dev *dev)
{
    return dev->depth == 0 ? PROT_NONE : PROT_READ | PROT_WRITE;
}

static bool map(struct sxt_dev *dev, struct sxt_dev_chunk *c)
{
    int access = is_fake(dev) ? PROT_NONE : PROT_READ | PROT_WRITE;

    c->base = mmap(NULL, c->bytes, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (c->base == MAP_FAILED)
        return false;
    if (c->bytes >= HUGE_FROM) /* a hint: may fail */
        madvise(c->base, c->bytes, MADV_HUGEPAGE);
    return true;
}

static void unmap(struct sxt_dev *dev, const struct sxt_dev_chunk *c)
{
    (void)dev;
    SXT_CHECK(munmap(c->base, c->bytes) == 0);
}

static void take(struct sxt_dev *dev, const struct sxt_dev_block *b)
{
    SXT_CHECK(mprotect(b->pages, b->pages_bytes, access_now(dev)) == 0);
}

static void give(struct sxt_dev *dev, const struct sxt_dev_block *b)
{
    (void)dev;
    SXT_CHECK(mprotect(b->pages, b->pages_bytes, PROT_NONE) == 0);
}

static size_t room(const struct sxt_dev *dev, int ranks)
{
    (void)dev;
    return sxt_host_room("") / (size_t)ranks;
}

/* Give the pages of fake the access that the depth asks for. */
static void protect(struct sxt_dev *dev)
{
    int access = access_now(dev);

    for (size_t i = 0; is_fake(dev) && i < dev->n_blocks; i++)
        SXT_CHECK(mprotect(dev->blocks[i].pages, dev->blocks[i].pages_bytes,
                           access) == 0);
}

static void move(struct sxt_dev *dev, enum sxt_stream stream, void *to,
                 const void *from, size_t bytes, enum sxt_dev_way way)
{
    (void)stream, (void)way;
    sxt_dev_enter(dev);
    memmove(to, from, bytes);
    sxt_dev_leave(dev);
}

static void zero(struct sxt_dev *dev, enum sxt_stream stream, void *to,
                 size_t bytes)
{
    (void)stream;
    sxt_dev_enter(dev);
    memset(to, 0, bytes);
    sxt_dev_leave(dev);
}

static void finish(struct sxt_dev *dev, enum sxt_stream stream)
{
    (void)dev, (void)stream;
}

const struct sxt_dev_driver sxt_dev_host = {
    .kind = "host",
    .open = open_host,
    .close = close_host,
    .map = map,
    .unmap = unmap,
    .room = room,
    .enter = protect,
    .leave = protect,
    .move = move,
    .zero = zero,
    .finish = finish,
};

const struct sxt_dev_driver sxt_dev_fake = {
    .kind = "fake",
    .exact = true,
    .open = open_host,
    .close = close_host,
    .map = map,
    .unmap = unmap,
    .take = take,
    .give = give,
    .room = room,
    .enter = protect,
    .leave = protect,
    .move = move,
    .zero = zero,
    .finish = finish,
};
