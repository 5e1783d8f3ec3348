/* warp.h - a warp that executes PTX in lock step, and its block.
 *
 * The lanes with the smallest pc go first; so lanes that took different ways
 * meet again where the ways meet.  Lanes that stand at a warp operation or a
 * barrier wait there until the others that it names have come. */
#ifndef SXT_EMU_PTX_WARP_H
#define SXT_EMU_PTX_WARP_H

#include "cuda/emu/fibre.h"
#include "cuda/emu/ptx/code.h"

namespace ptx
{

/* An asynchronous copy that a lane has started and not waited for. */
struct later {
    char *to;
    const char *from;
    u32 bytes, from_bytes, lane, group;
};

struct block {
    const kernel *code;
    char *shared, *params;
    u32 shared_bytes;
};

enum fate { GOING, AT_BARRIER, DONE };

struct warp {
    block *in;
    const insn *code;
    char *registers, *local;
    u32 first_thread, lanes; /* those that exist */
    u32 live, active, waiting;
    u32 pc, rejoin; /* the least pc of lanes that go on and are not active */
    u32 at[LANES];  /* pc of lanes that are not active */
    fate now;
    std::vector<later> copies;
    u32 group[LANES];
    u32 vote, votes, voters; /* at a barrier that counts: its slot */
};

/* Where the interpreter is, for faults: the lane is set before it touches
 * global memory. */
extern struct here {
    const warp *in;
    const insn *at;
    volatile u32 lane;
} here;

[[noreturn]] void fail(const warp &w, const insn &i, u32 lane,
                       const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- lanes of a slot ---- */

template <class F> static inline void each(u32 mask, F f)
{
    if (mask == 0xffffffffu) {
#pragma GCC ivdep
        for (u32 lane = 0; lane < LANES; lane++)
            f(lane);
    } else {
        for (; mask; mask &= mask - 1)
            f((u32)__builtin_ctz(mask));
    }
}

static inline u32 &word(const warp &w, u32 slot, u32 lane)
{
    return reinterpret_cast<u32 *>(w.registers + slot)[lane];
}
static inline u64 &longword(const warp &w, u32 slot, u32 lane)
{
    return reinterpret_cast<u64 *>(w.registers + slot)[lane];
}
static inline u32 &bits(const warp &w, u32 slot)
{
    return *reinterpret_cast<u32 *>(w.registers + slot);
}

static inline u64 address(const warp &w, const pointer &p, u32 lane)
{
    return (p.is_long ? longword(w, p.slot, lane) : word(w, p.slot, lane)) +
           (u64)p.offset;
}

/* Shared memory at the lane's address, which is aligned and inside. */
char *shared_at(const warp &w, const insn &i, u32 lane, u64 at, u32 bytes);

/* Finish those copies of the lanes that only `left` groups follow. */
void finish_copies(warp &w, u32 mask, u32 left);

} // namespace ptx

#endif
