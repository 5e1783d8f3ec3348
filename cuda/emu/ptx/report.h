/* report.h - what the interpreter counts when SXT_EMU_PTX_REPORT names a file:
 * of every kernel its warp instructions, and what each of its requests moves.
 *
 * Global memory moves in sectors of 32 bytes; the fewest that hold the bytes
 * that a request touches are its ideal.  Shared memory has 32 banks of 4 bytes;
 * a request of 8 or 16 bytes per lane goes by halves or quarters of the warp,
 * and each takes as many wavefronts as its fullest bank has different words. */
#ifndef SXT_EMU_PTX_REPORT_H
#define SXT_EMU_PTX_REPORT_H

#include "cuda/emu/ptx/warp.h"

namespace ptx
{

/* What a warp asks of memory at once: so many bytes by each lane of mask. */
struct request {
    u32 mask, bytes;
    u64 at[LANES];
};

extern bool is_counting;

/* A launch begins: sets is_counting. */
void count_launch(const kernel &k);
/* An instruction is executed for the lanes of mask, or for none. */
void count_step(const warp &w, const insn &i, u32 mask);
void count_global(const warp &w, const insn &i, const request &r);
void count_shared(const warp &w, const insn &i, const request &r);

} // namespace ptx

#endif
