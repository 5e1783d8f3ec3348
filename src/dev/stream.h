/* stream.h - what runs beside what: streams, events, pinned memory, copies
 * that return at once, work that is replayed.
 *
 * A device has a fixed set of streams; the work of one is in order, that of two
 * is not, unless an event orders it.  Kernels run on SXT_STREAM_MAIN.  On
 * devices without streams everything is done when it is asked for, which is one
 * of the orders that a program must be right under. */
#ifndef SXT_DEV_STREAM_H
#define SXT_DEV_STREAM_H

#include "dev/dev.h"

enum sxt_stream {
    SXT_STREAM_MAIN, /* kernels, and all of dev.h */
    SXT_STREAM_IN,   /* host to device */
    SXT_STREAM_OUT,  /* device to host */
    SXT_STREAM_COLL, /* collectives */
    SXT_STREAMS
};

struct sxt_event; /* opaque: a place in a stream */

struct sxt_event *sxt_event_create(struct sxt_dev *dev);
void sxt_event_destroy(struct sxt_dev *dev, struct sxt_event *event);
/* The place behind everything that the stream was given so far. */
void sxt_event_record(struct sxt_dev *dev, struct sxt_event *event,
                      enum sxt_stream stream);
/* What the stream is given from now on starts after the event. */
void sxt_stream_wait(struct sxt_dev *dev, enum sxt_stream stream,
                     struct sxt_event *event);
/* The host waits; an event that was never recorded has passed. */
void sxt_event_wait(struct sxt_dev *dev, struct sxt_event *event);
void sxt_stream_finish(struct sxt_dev *dev, enum sxt_stream stream);

/* Host memory that the device copies from and to at full speed; zeroed. */
void *sxt_pinned_alloc(struct sxt_dev *dev, size_t bytes);
void sxt_pinned_free(struct sxt_dev *dev, void *p); /* NULL is legal */
size_t sxt_pinned_peak(const struct sxt_dev *dev);  /* bytes at most so far */

/* Copies on a stream; the host side is pinned and stays as it is until the
 * copy has passed. */
void sxt_dev_put_on(struct sxt_dev *dev, enum sxt_stream stream, void *to,
                    const void *from_pinned, size_t bytes);
void sxt_dev_get_on(struct sxt_dev *dev, enum sxt_stream stream,
                    void *to_pinned, const void *from, size_t bytes);

/* Work of SXT_STREAM_MAIN that is given to the device again as a whole, with
 * the addresses and sizes it had: what changes must be in device memory. */
struct sxt_recording; /* opaque */

/* Whether this device can do that. */
bool sxt_dev_records(const struct sxt_dev *dev);
/* From now on the work is written down instead of done: kernels, and copies
 * inside the device.  Nothing may be waited for, allocated or freed meanwhile.
 */
void sxt_dev_record(struct sxt_dev *dev);
struct sxt_recording *sxt_dev_recorded(struct sxt_dev *dev);
void sxt_dev_replay(struct sxt_dev *dev, struct sxt_recording *recording);
void sxt_recording_destroy(struct sxt_dev *dev,
                           struct sxt_recording *recording); /* NULL is legal */

#endif
