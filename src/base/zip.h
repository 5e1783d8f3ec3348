/* zip.h - compressed bytes in memory, through zlib. */
#ifndef SXT_BASE_ZIP_H
#define SXT_BASE_ZIP_H

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

/* Append what a zlib or gzip stream holds; at most `limit` bytes, for a small
 * file can hold a large bomb.  Fails with SXT_EXIT_DATA. */
int sxt_zip_inflate(const void *data, size_t n, size_t limit,
                    struct sxt_str *out, struct sxt_error *err);

#endif
