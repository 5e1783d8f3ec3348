/* host.c - the devices without a GPU: host and fake.
 *
 * Both hand out private anonymous mappings: zeroed, page aligned, and touched
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

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t round_up(size_t x, size_t unit)
{
    return (x + unit - 1) / unit * unit;
}

static int access_now(const struct sxt_dev *dev)
{
    return is_fake(dev) && dev->depth == 0 ? PROT_NONE : PROT_READ | PROT_WRITE;
}

static bool map(struct sxt_dev *dev, struct sxt_dev_block *b)
{
    size_t page = page_bytes(), guard = is_fake(dev) ? page : 0;

    b->pages_bytes = round_up(b->bytes > 0 ? b->bytes : 1, page);
    if (b->pages_bytes < b->bytes)
        return false;
    b->pages = mmap(NULL, b->pages_bytes + guard, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b->pages == MAP_FAILED ||
        mprotect(b->pages, b->pages_bytes, access_now(dev)) != 0)
        return false;
    if (b->bytes >= HUGE_FROM) /* a hint: may fail */
        madvise(b->pages, b->pages_bytes, MADV_HUGEPAGE);
    b->base = b->pages;
    if (is_fake(dev))
        b->base += b->pages_bytes - round_up(b->bytes, 64);
    return true;
}

static void unmap(struct sxt_dev *dev, const struct sxt_dev_block *b)
{
    size_t guard = is_fake(dev) ? page_bytes() : 0;

    SXT_CHECK(munmap(b->pages, b->pages_bytes + guard) == 0);
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
    .room = room,
    .enter = protect,
    .leave = protect,
    .move = move,
    .zero = zero,
    .finish = finish,
};
