/* mem.h - allocation that cannot fail: out of memory ends the process.
 *
 * Nothing useful can be saved once memory is gone, so no caller checks.  All
 * results are freed with free(). */
#ifndef SXT_BASE_MEM_H
#define SXT_BASE_MEM_H

#include <stddef.h>

/* count * size bytes, uninitialised; an overflowing product is out of memory.
 * A zero product gives a valid pointer. */
void *sxt_alloc(size_t count, size_t size) __attribute__((malloc));
/* The same, zeroed. */
void *sxt_calloc(size_t count, size_t size) __attribute__((malloc));
void *sxt_realloc(void *old, size_t count, size_t size);
/* 64-byte aligned (a cache line, an AVX-512 register), uninitialised. */
void *sxt_alloc_aligned(size_t bytes) __attribute__((malloc));
char *sxt_strdup(const char *text) __attribute__((malloc));
char *sxt_strndup(const char *text, size_t n) __attribute__((malloc));
/* printf into new memory. */
char *sxt_printf(const char *format, ...)
    __attribute__((malloc, format(printf, 1, 2)));

/* Grow an array so that it holds at least `need` items of `size` bytes; its
 * capacity *cap at least doubles. */
void *sxt_grow(void *array, size_t *cap, size_t need, size_t size);

#endif
