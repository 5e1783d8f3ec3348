/* dev.c - what all devices have in common: the account, the checks of
 * arguments.  A device is used by one thread. */
#include "dev/dev.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dev/arena.h"

static const double PATIENCE_S = 1800; /* a checkpoint may be slow */

static const struct {
    const char *what, *advice; /* what would make it smaller */
} purposes[SXT_DEV_PURPOSES] = {
    [SXT_DEV_OTHER] = { "other", NULL },
    [SXT_DEV_WEIGHTS] = { "weights",
                          "dtype bf16 or quantised weights, a smaller model, "
                          "more ranks in training" },
    [SXT_DEV_CACHE] = { "key-value cache", "cache_mib, batch, context" },
    [SXT_DEV_ACTIVATIONS] = { "activations",
                              "chunk in generation, bin_tokens in training" },
    [SXT_DEV_LOGITS] = { "logits", "batch" },
    [SXT_DEV_GRADIENTS] = { "gradients", "more ranks" },
    [SXT_DEV_OPTIMISER] = { "optimiser", "more ranks" },
    [SXT_DEV_SCRATCH] = { "scratch", NULL },
};

static const struct sxt_dev_driver *find_driver(const char *kind)
{
    const struct sxt_dev_driver *const all[] = { &sxt_dev_host, &sxt_dev_fake,
                                                 sxt_dev_cuda() };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i] && strcmp(kind, all[i]->kind) == 0)
            return all[i];
    return NULL;
}

struct sxt_dev *sxt_dev_create_at(const char *kind, int ordinal,
                                  struct sxt_error *err)
{
    const struct sxt_dev_driver *driver = find_driver(kind);

    if (!driver) {
        sxt_err(err, SXT_EXIT_UNAVAILABLE,
                "device '%s' is not in this build; there are host%s and fake",
                kind, sxt_dev_cuda() ? ", cuda" : "");
        return NULL;
    }
    struct sxt_dev *dev = sxt_calloc(1, sizeof(*dev));
    dev->driver = driver;
    dev->patience = PATIENCE_S;
    if (driver->open(dev, ordinal, err) != 0) {
        free(dev);
        return NULL;
    }
    return dev;
}

struct sxt_dev *sxt_dev_create(const char *kind, struct sxt_error *err)
{
    return sxt_dev_create_at(kind, 0, err);
}

void sxt_dev_destroy(struct sxt_dev *dev)
{
    if (!dev)
        return;
    SXT_CHECK(dev->n_blocks == 0 && dev->n_pins == 0);
    SXT_CHECK(dev->depth == 0 && !dev->watch);
    dev->driver->close(dev);
    free(dev->blocks);
    free(dev->chunks);
    free(dev->pins);
    free(dev);
}

int sxt_dev_gpus(const struct sxt_dev *dev)
{
    if (strcmp(dev->driver->kind, "cuda") != 0)
        return 0;
    return dev->gpus > 0 ? dev->gpus : 1;
}

const char *sxt_dev_kind(const struct sxt_dev *dev)
{
    return dev->driver->kind;
}

const char *sxt_dev_about(const struct sxt_dev *dev)
{
    return dev->about;
}

/* ---- memory ---- */

/* The end, with the account of what is there and what would help. */
_Noreturn static void no_room(const struct sxt_dev *dev,
                              enum sxt_dev_purpose purpose, size_t bytes)
{
    enum { MIB = 1 << 20 };

    fflush(stdout);
    fprintf(stderr,
            "sextant: error: out of device memory%s%s: %.1f MiB more for %s, "
            "%.1f MiB in use\n",
            dev->about[0] ? " on " : "", dev->about, (double)bytes / MIB,
            purposes[purpose].what, (double)dev->in_use / MIB);
    for (size_t i = 0; i < SXT_DEV_PURPOSES; i++)
        if (dev->in_use_for[i] > 0 || i == purpose)
            fprintf(stderr, "sextant: error:   %s: %.1f MiB%s%s\n",
                    purposes[i].what, (double)dev->in_use_for[i] / MIB,
                    purposes[i].advice ? "; smaller with: " : "",
                    purposes[i].advice ? purposes[i].advice : "");
    exit(SXT_EXIT_UNAVAILABLE);
}

void *sxt_dev_alloc_for(struct sxt_dev *dev, enum sxt_dev_purpose purpose,
                        size_t bytes)
{
    /* Nothing is allocated after warm-up, nor by what is replayed. */
    SXT_CHECK(!dev->sealed && !dev->recording);
    void *p = sxt_arena_take(dev, purpose, bytes);
    if (!p)
        no_room(dev, purpose, bytes);
    dev->in_use += bytes;
    dev->in_use_for[purpose] += bytes;
    if (dev->in_use > dev->peak)
        dev->peak = dev->in_use;
    if (dev->in_use_for[purpose] > dev->peak_for[purpose])
        dev->peak_for[purpose] = dev->in_use_for[purpose];
    return p;
}

void *sxt_dev_alloc(struct sxt_dev *dev, size_t bytes)
{
    return sxt_dev_alloc_for(dev, SXT_DEV_OTHER, bytes);
}

void sxt_dev_free(struct sxt_dev *dev, void *p)
{
    if (!p)
        return;
    SXT_CHECK(!dev->recording);
    struct sxt_dev_block b = sxt_arena_give(dev, p);
    dev->in_use -= b.bytes;
    dev->in_use_for[b.purpose] -= b.bytes;
}

size_t sxt_dev_mapped(const struct sxt_dev *dev)
{
    size_t sum = 0;

    for (size_t i = 0; i < dev->n_chunks; i++)
        sum += dev->chunks[i].bytes;
    return sum;
}

size_t sxt_dev_in_use(const struct sxt_dev *dev)
{
    return dev->in_use;
}

size_t sxt_dev_in_use_for(const struct sxt_dev *dev,
                          enum sxt_dev_purpose purpose)
{
    return dev->in_use_for[purpose];
}

size_t sxt_dev_peak(const struct sxt_dev *dev)
{
    return dev->peak;
}

size_t sxt_dev_peak_for(const struct sxt_dev *dev, enum sxt_dev_purpose purpose)
{
    return dev->peak_for[purpose];
}

const char *sxt_dev_purpose_name(enum sxt_dev_purpose purpose)
{
    return purposes[purpose].what;
}

size_t sxt_dev_room(const struct sxt_dev *dev, int ranks)
{
    return dev->driver->room(dev, ranks);
}

void sxt_dev_seal(struct sxt_dev *dev, bool sealed)
{
    dev->sealed = sealed;
}

void sxt_dev_set_patience(struct sxt_dev *dev, double seconds)
{
    dev->patience = seconds;
}

bool sxt_dev_holds(const struct sxt_dev *dev, const void *p, size_t bytes)
{
    if (!dev->driver->exact || bytes == 0)
        return true;
    const struct sxt_dev_block *b = sxt_arena_find(dev, p);
    return b && bytes <= b->bytes - ((uintptr_t)p - (uintptr_t)b->base);
}

bool sxt_dev_read(const struct sxt_dev *dev, struct sxt_dev_reading *reading)
{
    *reading = (struct sxt_dev_reading){ 0 };
    return dev->driver->read && dev->driver->read(dev, reading);
}

void sxt_dev_enter(struct sxt_dev *dev)
{
    if (dev->depth++ == 0 && !dev->recording)
        dev->driver->enter(dev);
}

void sxt_dev_leave(struct sxt_dev *dev)
{
    SXT_CHECK(dev->depth > 0);
    if (--dev->depth == 0 && !dev->recording)
        dev->driver->leave(dev);
}

/* ---- copies ---- */

/* The other side of a put or get must not be device memory: on a GPU such a
 * copy would go wrong. */
static bool on_host(const struct sxt_dev *dev, const void *p)
{
    return !dev->driver->exact || !sxt_dev_holds(dev, p, 1);
}

void sxt_dev_put_on(struct sxt_dev *dev, enum sxt_stream stream, void *to,
                    const void *from_pinned, size_t bytes)
{
    SXT_CHECK(sxt_dev_holds(dev, to, bytes));
    SXT_CHECK(on_host(dev, from_pinned));
    if (bytes > 0)
        dev->driver->move(dev, stream, to, from_pinned, bytes, SXT_DEV_PUT);
}

void sxt_dev_get_on(struct sxt_dev *dev, enum sxt_stream stream,
                    void *to_pinned, const void *from, size_t bytes)
{
    SXT_CHECK(sxt_dev_holds(dev, from, bytes));
    SXT_CHECK(on_host(dev, to_pinned));
    if (bytes > 0)
        dev->driver->move(dev, stream, to_pinned, from, bytes, SXT_DEV_GET);
}

/* From memory that is not pinned a copy returns when it has read it: CUDA's
 * driver stages it, and does not wait for the device. */
void sxt_dev_put(struct sxt_dev *dev, void *to, const void *from_host,
                 size_t bytes)
{
    sxt_dev_put_on(dev, SXT_STREAM_MAIN, to, from_host, bytes);
}

/* To memory that is not pinned a copy waits inside of CUDA, where nobody looks
 * after other ranks: wait before. */
void sxt_dev_get(struct sxt_dev *dev, void *to_host, const void *from,
                 size_t bytes)
{
    SXT_CHECK(!dev->recording);
    if (bytes > 0 && dev->watch)
        sxt_stream_finish(dev, SXT_STREAM_MAIN);
    sxt_dev_get_on(dev, SXT_STREAM_MAIN, to_host, from, bytes);
    if (bytes > 0)
        dev->driver->finish(dev, SXT_STREAM_MAIN);
}

void sxt_dev_copy(struct sxt_dev *dev, void *to, const void *from, size_t bytes)
{
    SXT_CHECK(sxt_dev_holds(dev, to, bytes));
    SXT_CHECK(sxt_dev_holds(dev, from, bytes));
    if (bytes > 0)
        dev->driver->move(dev, SXT_STREAM_MAIN, to, from, bytes, SXT_DEV_COPY);
}

void sxt_dev_zero(struct sxt_dev *dev, void *to, size_t bytes)
{
    SXT_CHECK(sxt_dev_holds(dev, to, bytes));
    if (bytes > 0)
        dev->driver->zero(dev, SXT_STREAM_MAIN, to, bytes);
}
