/* stream.c - streams, events, recordings and pinned memory; on a device where
 * everything is done when it is asked for, an event is nothing but an address.
 */
#include "dev/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dev/driver.h"
#include "dev/watch.h"

struct sxt_event *sxt_event_create(struct sxt_dev *dev)
{
    if (dev->driver->event_create)
        return dev->driver->event_create(dev);
    return sxt_calloc(1, 1);
}

void sxt_event_destroy(struct sxt_dev *dev, struct sxt_event *event)
{
    if (!event)
        return;
    if (dev->driver->event_create)
        dev->driver->event_destroy(dev, event);
    else
        free(event);
}

void sxt_event_record(struct sxt_dev *dev, struct sxt_event *event,
                      enum sxt_stream stream)
{
    if (dev->driver->event_create)
        dev->driver->event_record(dev, event, stream);
}

void sxt_stream_wait(struct sxt_dev *dev, enum sxt_stream stream,
                     struct sxt_event *event)
{
    if (dev->driver->event_create)
        dev->driver->stream_wait(dev, stream, event);
}

/* What the host waits for: an event or, if that is NULL, a stream. */
struct goal {
    struct sxt_dev *dev;
    struct sxt_event *event;
    enum sxt_stream stream;
};

static bool is_reached(void *arg)
{
    const struct goal *g = arg;

    return g->event ? g->dev->driver->event_passed(g->dev, g->event)
                    : g->dev->driver->idle(g->dev, g->stream);
}

/* What is there may wait for other ranks: look after them. */
static void wait_watching(struct sxt_dev *dev, struct goal goal)
{
    if (dev->watch && dev->driver->event_create)
        sxt_watch_wait(dev->watch, is_reached, &goal, true);
}

void sxt_event_wait(struct sxt_dev *dev, struct sxt_event *event)
{
    SXT_CHECK(!dev->recording);
    wait_watching(dev, (struct goal){ dev, event, SXT_STREAM_MAIN });
    if (dev->driver->event_create)
        dev->driver->event_wait(dev, event);
}

void sxt_stream_finish(struct sxt_dev *dev, enum sxt_stream stream)
{
    SXT_CHECK(!dev->recording);
    wait_watching(dev, (struct goal){ dev, NULL, stream });
    dev->driver->finish(dev, stream);
}

bool sxt_dev_records(const struct sxt_dev *dev)
{
    return dev->driver->record != NULL;
}

void sxt_dev_record(struct sxt_dev *dev)
{
    SXT_CHECK(dev->depth == 0 && !dev->recording);
    dev->driver->record(dev);
    dev->recording = true;
}

struct sxt_recording *sxt_dev_recorded(struct sxt_dev *dev)
{
    SXT_CHECK(dev->depth == 0 && dev->recording);
    dev->recording = false;
    return dev->driver->recorded(dev);
}

void sxt_dev_replay(struct sxt_dev *dev, struct sxt_recording *recording)
{
    SXT_CHECK(dev->depth == 0 && !dev->recording);
    dev->driver->replay(dev, recording);
}

void sxt_recording_destroy(struct sxt_dev *dev, struct sxt_recording *recording)
{
    if (recording)
        dev->driver->forget(dev, recording);
}

void *sxt_pinned_alloc(struct sxt_dev *dev, size_t bytes)
{
    void *p;

    /* to pin memory waits for the device */
    SXT_CHECK(!dev->sealed && !dev->recording);
    if (!dev->driver->pin) {
        p = sxt_alloc_aligned(bytes);
    } else if (!(p = dev->driver->pin(dev, bytes))) {
        fprintf(stderr,
                "sextant: error: no %zu bytes of pinned host memory; see "
                "ulimit -l and the job's memory limit\n",
                bytes);
        exit(SXT_EXIT_UNAVAILABLE);
    }
    memset(p, 0, bytes);
    dev->pins = sxt_grow(dev->pins, &dev->cap_pins, dev->n_pins + 1,
                         sizeof(*dev->pins));
    dev->pins[dev->n_pins++] = (struct sxt_dev_pin){ p, bytes };
    dev->pinned += bytes;
    if (dev->pinned > dev->pinned_peak)
        dev->pinned_peak = dev->pinned;
    return p;
}

void sxt_pinned_free(struct sxt_dev *dev, void *p)
{
    size_t i = 0;

    if (!p)
        return;
    while (i < dev->n_pins && dev->pins[i].base != p)
        i++;
    SXT_CHECK(i < dev->n_pins); /* not ours, or freed twice */
    dev->pinned -= dev->pins[i].bytes;
    dev->pins[i] = dev->pins[--dev->n_pins];
    if (dev->driver->pin)
        dev->driver->unpin(dev, p);
    else
        free(p);
}

size_t sxt_pinned_peak(const struct sxt_dev *dev)
{
    return dev->pinned_peak;
}
