/* unpack.h - the bytes of a file, unpacked if it is gzip or Zstandard. */
#ifndef SXT_BASE_UNPACK_H
#define SXT_BASE_UNPACK_H

#include <stddef.h>

#include "base/error.h"

/* What a file is, its first bytes say, not its name.  Several compressed
 * streams in a row are read as one.  Memory is bounded whatever the file says:
 * a Zstandard window may have 128 MiB, what `zstd -19 --ultra -22` uses. */
struct sxt_unpack;
/* Fails with SXT_EXIT_NOINPUT where there is no readable regular file, with
 * SXT_EXIT_DATA where this build cannot unpack it. */
struct sxt_unpack *sxt_unpack_open(const char *path, struct sxt_error *err);
/* Up to `n` <= INT_MAX bytes: how many, 0 at the end, -1 on failure, which
 * names the file.  What comes before a missing end is given first; a failure
 * is told once, and then is the end, so that who skips bad lines stops. */
int sxt_unpack_read(struct sxt_unpack *u, void *to, size_t n,
                    struct sxt_error *err);
void sxt_unpack_close(struct sxt_unpack *u);

#endif
