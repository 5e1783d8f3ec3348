/* fuzz.h - what fuzz targets share.
 *
 * A target is a program that is given any bytes and must hold its promises.
 * `make check` gives it the inputs of NAME.in (replay.c): seeds, and every
 * input that once broke something.  `make check-fuzz` builds it with clang's
 * libFuzzer and sanitizers and lets it look for more (run.sh, mutate.c). */
#ifndef SXT_VALIDATION_FUZZ_H
#define SXT_VALIDATION_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* The names and types are libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How inputs look, so that mutations stay close to what is meant.
 * rules[k] are the alternatives for letter 'a' + k, ends with NULL; in them
 * "@e" stands for any alternative of rule e. */
struct fuzz_grammar {
    const char *const *rules[26];
    const char *start; /* a whole input: "@g" */
};
extern const struct fuzz_grammar fuzz_grammar;

/* The last byte of a region: '\0' divides an input into parts.  Takes the
 * first part off *rest. */
struct sxt_span fuzz_part(struct sxt_span *rest);

/* Between start and stop at most this CPU time may pass, and, where a
 * sanitizer counts, at most so much memory be held at once; else abort. */
#define FUZZ_CPU_S 1.0
#define FUZZ_BYTES ((size_t)64 << 20) /* the most of what is not packed */
void fuzz_start(void);
void fuzz_stop(size_t most);

/* A regular file with these bytes, in memory; close (*fd) removes it. */
const char *fuzz_file(struct sxt_span bytes, int *fd, char path[32]);

#endif
