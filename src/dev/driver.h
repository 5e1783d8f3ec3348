/* driver.h - what a kind of device does; for dev.c and those who write one.
 *
 * dev.c counts and checks, arena.c lays blocks; a driver moves bytes.
 * Its functions cannot fail unless they have `err` or say so: a GPU that fails
 * ends the process. */
#ifndef SXT_DEV_DRIVER_H
#define SXT_DEV_DRIVER_H

#include "dev/stream.h"

/* Device memory as the driver gives it, for blocks of one purpose. */
struct sxt_dev_chunk {
    char *base;
    size_t bytes;
    size_t used; /* no block was ever behind so many: zeros */
    enum sxt_dev_purpose purpose;
};

/* A piece of a chunk. */
struct sxt_dev_block {
    char *base; /* what the caller has */
    size_t bytes;
    enum sxt_dev_purpose purpose;
    char *pages; /* what it takes up: if exact, whole pages; it is at their end,
                    and what comes behind them belongs to nobody */
    size_t pages_bytes;
};

/* A piece of pinned host memory. */
struct sxt_dev_pin {
    void *base;
    size_t bytes;
};

enum sxt_dev_way { SXT_DEV_PUT, SXT_DEV_GET, SXT_DEV_COPY };

struct sxt_dev_driver {
    const char *kind;
    /* Wrong addresses shall be found: sxt_dev_holds looks into the blocks. */
    bool exact;
    /* Memory of its own, which MPI cannot reach: coll.c goes through pinned
     * memory. */
    bool apart;
    /* Fill dev->state and dev->about. */
    int (*open)(struct sxt_dev *dev, int ordinal, struct sxt_error *err);
    void (*close)(struct sxt_dev *dev);
    /* c->bytes are given, zeroed; false: no memory. */
    bool (*map)(struct sxt_dev *dev, struct sxt_dev_chunk *c);
    void (*unmap)(struct sxt_dev *dev, const struct sxt_dev_chunk *c);
    /* Nothing of a chunk can be touched but blocks, from take to give, if the
     * driver is exact.  After give the device does not work on it any more.
     * NULL: nothing to do. */
    void (*take)(struct sxt_dev *dev, const struct sxt_dev_block *b);
    void (*give)(struct sxt_dev *dev, const struct sxt_dev_block *b);
    size_t (*room)(const struct sxt_dev *dev, int ranks);
    /* NULL: no sensors. */
    bool (*read)(const struct sxt_dev *dev, struct sxt_dev_reading *reading);
    /* The first enter and the last leave. */
    void (*enter)(struct sxt_dev *dev);
    void (*leave)(struct sxt_dev *dev);
    /* On a stream; bytes > 0. */
    void (*move)(struct sxt_dev *dev, enum sxt_stream stream, void *to,
                 const void *from, size_t bytes, enum sxt_dev_way way);
    void (*zero)(struct sxt_dev *dev, enum sxt_stream stream, void *to,
                 size_t bytes);
    void (*finish)(struct sxt_dev *dev, enum sxt_stream stream);
    /* NULL: no events and no pinned memory, for nothing runs beside. */
    struct sxt_event *(*event_create)(struct sxt_dev *dev);
    void (*event_destroy)(struct sxt_dev *dev, struct sxt_event *event);
    void (*event_record)(struct sxt_dev *dev, struct sxt_event *event,
                         enum sxt_stream stream);
    void (*event_wait)(struct sxt_dev *dev, struct sxt_event *event);
    /* Whether finish and event_wait would return at once. */
    bool (*idle)(struct sxt_dev *dev, enum sxt_stream stream);
    bool (*event_passed)(struct sxt_dev *dev, struct sxt_event *event);
    void (*stream_wait)(struct sxt_dev *dev, enum sxt_stream stream,
                        struct sxt_event *event);
    /* NULL: it cannot. */
    void (*record)(struct sxt_dev *dev);
    struct sxt_recording *(*recorded)(struct sxt_dev *dev);
    void (*replay)(struct sxt_dev *dev, struct sxt_recording *recording);
    void (*forget)(struct sxt_dev *dev, struct sxt_recording *recording);
    void *(*pin)(struct sxt_dev *dev, size_t bytes); /* NULL: no memory */
    void (*unpin)(struct sxt_dev *dev, void *p);
};

struct sxt_watch; /* watch.h */

struct sxt_dev {
    const struct sxt_dev_driver *driver;
    void *state; /* the driver's own */
    char about[160];
    int sharers; /* ranks that were given this GPU, 0: this one alone */
    int gpus;    /* of all ranks together, 0: not placed */
    int depth;   /* enters without their leave */
    bool sealed, recording;
    double patience;              /* seconds; 0: without end */
    struct sxt_watch *watch;      /* NULL: no other ranks to wait for */
    struct sxt_dev_block *blocks; /* by address; arena.c */
    size_t n_blocks, cap;
    struct sxt_dev_chunk *chunks;
    size_t n_chunks, cap_chunks;
    size_t in_use, peak;
    size_t in_use_for[SXT_DEV_PURPOSES], peak_for[SXT_DEV_PURPOSES];
    struct sxt_dev_pin *pins; /* pinned host memory */
    size_t n_pins, cap_pins, pinned, pinned_peak;
};

extern const struct sxt_dev_driver sxt_dev_host, sxt_dev_fake;

/* The GPUs.  The archive that is linked decides: cuda/ for a GPU, cuda/emu/ for
 * the emulated one; without CUDA cuda/none.c, where these say so. */

/* NULL: not in this build. */
const struct sxt_dev_driver *sxt_dev_cuda(void);
/* How many GPUs this process can use.  -1: none, and err says why. */
int sxt_dev_cuda_count(struct sxt_error *err);
/* A GPU's name that no other GPU of the world has. */
void sxt_dev_cuda_uuid(int ordinal, char uuid[40]);

#endif
