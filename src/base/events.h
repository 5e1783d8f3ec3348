/* events.h - event files, as TensorBoard reads them.
 *
 * A file is a sequence of records (TFRecord)
 *
 *   length u64 · masked CRC-32C of the length u32 · payload · masked CRC-32C of
 *   the payload u32
 *
 * little-endian; a payload is a protocol buffer `Event`.  All that is used of
 * it: wall_time = 1 (double), step = 2 (int64), file_version = 3 (string),
 * summary = 5 with value = 1 { tag = 1, simple_value = 2 (float) }, and
 * session_log = 7 with status = 1 (1: start), at which a reader forgets what it
 * has seen of later steps. */
#ifndef SXT_BASE_EVENTS_H
#define SXT_BASE_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* CRC-32C (Castagnoli), RFC 3720. */
uint32_t sxt_crc32c(const void *data, size_t n);

/* A number under a name; what is not finite is left out. */
struct sxt_event_value {
    const char *tag;
    double value;
};

/* Append the record of a step's values; time in seconds since 1970. */
void sxt_events_encode(double time, int64_t step,
                       const struct sxt_event_value *values, size_t n,
                       struct sxt_str *out);

struct sxt_events; /* opaque */

/* Go on behind `step` in a directory, which is made if need be: what earlier
 * files hold of later steps is cut off, and a new file begun.  NULL on
 * failure. */
struct sxt_events *sxt_events_open(const char *dir, int64_t step,
                                   struct sxt_error *err);
/* Add a step's values; a reader sees them at once. */
int sxt_events_add(struct sxt_events *e, int64_t step,
                   const struct sxt_event_value *values, size_t n,
                   struct sxt_error *err);
void sxt_events_close(struct sxt_events *e); /* NULL is legal */

#endif
