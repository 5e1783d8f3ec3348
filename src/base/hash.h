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

/* What tells a file from all others: SHA-256 of its bytes or, of one longer
 * than a slice, SHA-256 of the binary SHA-256 of its slices one behind the
 * other, so that many can take part.  Fails if it cannot be read. */
enum { SXT_DIGEST_BYTES = 32, SXT_DIGEST_SLICE = 1 << 26 };
int sxt_digest_file(const char *path, char text[SXT_SHA256_TEXT],
                    struct sxt_error *err);

/* The same in parts.  Slices of a file; 0 if it fails. */
size_t sxt_digest_count(const char *path, struct sxt_error *err);
/* Those of slices first, first + step, … below n, one behind the other, by all
 * threads. */
int sxt_digest_slices(const char *path, size_t n, size_t first, size_t step,
                      unsigned char *digests, struct sxt_error *err);
/* From all n of them in order. */
void sxt_digest_join(const unsigned char *digests, size_t n,
                     char text[SXT_SHA256_TEXT]);

#endif
