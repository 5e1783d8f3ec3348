/* memory.h - the emulated device's memory, for its own files and the tests.
 *
 * A block lies between pages that can never be touched, its unused end is
 * filled and looked at after every kernel, its new bytes are NaN of every
 * width, and the host cannot touch it outside of kernels and copies. */
#ifndef SXT_EMU_MEMORY_H
#define SXT_EMU_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Make device memory accessible, and not; they nest. */
void sxt_emu_open(void);
void sxt_emu_close(void);

/* A block inside of one that cudaMalloc gave, of which from now on nothing but
 * such parts can be touched; its end is the end of a page, to 64 bytes.  give:
 * it is none any more. */
void sxt_emu_take(void *p, size_t bytes);
void sxt_emu_give(void *p);

/* Whether the bytes lie in one block. */
bool sxt_emu_holds(const void *p, size_t bytes);
/* "0x…, 4 bytes behind a block of 100 bytes": for messages. */
void sxt_emu_describe(const void *p, char *text, size_t size);
/* Most bytes of dynamic shared memory that the kernel may have. */
size_t sxt_emu_shared_allowed(const void *function);

/* Run the threads of a block last first. */
void sxt_emu_reverse(bool reverse);

#ifdef __cplusplus
}
#endif
#endif
