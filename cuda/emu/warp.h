/* warp.h - barriers, votes and shuffles by CUDA's names. */
#ifndef SXT_EMU_WARP_H
#define SXT_EMU_WARP_H

#include <string.h>

#include "cuda/emu/fibre.h"

/* ---- barriers ---- */

#define __syncthreads() sxt_emu_barrier(SXT_EMU_HERE)
#define __syncthreads_count(p) sxt_emu_barrier_count((p) != 0, SXT_EMU_HERE)
#define __syncthreads_or(p) (sxt_emu_barrier_count((p) != 0, SXT_EMU_HERE) > 0)
#define __syncthreads_and(p) \
    (sxt_emu_barrier_count((p) == 0, SXT_EMU_HERE) == 0)
#define __syncwarp(...) \
    sxt_emu_warp(sxt_emu_mask(__VA_ARGS__), NULL, NULL, SXT_EMU_HERE)

static inline unsigned sxt_emu_mask(unsigned mask = 0xffffffffu)
{
    return mask;
}

static inline void __threadfence_block(void)
{
}
static inline void __threadfence(void)
{
}
static inline unsigned __activemask(void)
{
    return sxt_emu_lanes();
}

/* ---- votes ---- */

struct sxt_emu_vote {
    unsigned in, out; /* predicate; the lanes where it is true */
};

static inline void sxt_emu_count_votes(void *const data[32], unsigned mask)
{
    unsigned yes = 0;

    for (int i = 0; i < 32; i++)
        if ((mask >> i & 1) && static_cast<sxt_emu_vote *>(data[i])->in)
            yes |= 1u << i;
    for (int i = 0; i < 32; i++)
        if (mask >> i & 1)
            static_cast<sxt_emu_vote *>(data[i])->out = yes;
}

static inline unsigned sxt_emu_ballot(unsigned mask, bool p, const char *where)
{
    sxt_emu_vote v = { p, 0 };

    sxt_emu_warp(mask, sxt_emu_count_votes, &v, where);
    return v.out;
}

#define __ballot_sync(mask, p) sxt_emu_ballot(mask, (p) != 0, SXT_EMU_HERE)
#define __any_sync(mask, p) (sxt_emu_ballot(mask, (p) != 0, SXT_EMU_HERE) != 0)
#define __all_sync(mask, p) (sxt_emu_ballot(mask, (p) == 0, SXT_EMU_HERE) == 0)

/* ---- shuffles ---- */

struct sxt_emu_swap {
    unsigned long long in, out;
    int from; /* lane; -1: itself */
};

static inline void sxt_emu_swap_all(void *const data[32], unsigned mask)
{
    for (int i = 0; i < 32; i++) {
        if (!(mask >> i & 1))
            continue;
        sxt_emu_swap *s = static_cast<sxt_emu_swap *>(data[i]);
        int from = s->from < 0 ? i : s->from;
        if (!(mask >> from & 1))
            sxt_emu_fail("lane %d takes a value from lane %d, which takes no "
                         "part",
                         i, from);
        s->out = static_cast<sxt_emu_swap *>(data[from])->in;
    }
}

template <class T>
static inline T sxt_emu_shuffle(unsigned mask, T x, int from, const char *where)
{
    static_assert(sizeof(T) <= 8, "a shuffle moves 8 bytes at most");
    sxt_emu_swap s = { 0, 0, from };
    T y;

    memcpy(&s.in, &x, sizeof(x));
    sxt_emu_warp(mask, sxt_emu_swap_all, &s, where);
    memcpy(&y, &s.out, sizeof(y));
    return y;
}

/* The lane to take from; segments of `width` lanes. */
static inline int sxt_emu_from(int lane, int width = 32)
{
    int self = (int)sxt_emu_lane();

    return (self & ~(width - 1)) | (lane & (width - 1));
}
static inline int sxt_emu_from_up(int delta, int width = 32)
{
    int self = (int)sxt_emu_lane();

    return (self & (width - 1)) < delta ? -1 : self - delta;
}
static inline int sxt_emu_from_down(int delta, int width = 32)
{
    int self = (int)sxt_emu_lane();

    return (self & (width - 1)) + delta >= width ? -1 : self + delta;
}
static inline int sxt_emu_from_xor(int with, int width = 32)
{
    int self = (int)sxt_emu_lane(), from = self ^ with;

    return from >= (self & ~(width - 1)) + width ? -1 : from;
}

#define __shfl_sync(mask, x, ...) \
    sxt_emu_shuffle(mask, x, sxt_emu_from(__VA_ARGS__), SXT_EMU_HERE)
#define __shfl_up_sync(mask, x, ...) \
    sxt_emu_shuffle(mask, x, sxt_emu_from_up(__VA_ARGS__), SXT_EMU_HERE)
#define __shfl_down_sync(mask, x, ...) \
    sxt_emu_shuffle(mask, x, sxt_emu_from_down(__VA_ARGS__), SXT_EMU_HERE)
#define __shfl_xor_sync(mask, x, ...) \
    sxt_emu_shuffle(mask, x, sxt_emu_from_xor(__VA_ARGS__), SXT_EMU_HERE)

#endif
