/* hash.h - XXH3 for speed, SHA-256 for provenance. */
#ifndef SXT_BASE_HASH_H
#define SXT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* XXH3-64 of n bytes. */
uint64_t sxt_hash64(const void *data, size_t n, uint64_t seed);

/* Order-dependent combination of two hashes. */
uint64_t sxt_hash64_combine(uint64_t a, uint64_t b);

#define SXT_SHA256_TEXT 65 /* 64 hexadecimal digits and a NUL */

/* SHA-256 of memory, in lower-case hexadecimal. */
void sxt_sha256(const void *data, size_t n, char text[SXT_SHA256_TEXT]);

/* SHA-256 of a file's contents.  Fails if it cannot be read. */
int sxt_sha256_file(const char *path, char text[SXT_SHA256_TEXT],
                    struct sxt_error *err);

#endif
