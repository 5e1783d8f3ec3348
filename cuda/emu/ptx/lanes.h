/* lanes.h - rows of the tables for instructions whose lanes know nothing of
 * each other: a function of one lane's values makes the instruction. */
#ifndef SXT_EMU_PTX_LANES_H
#define SXT_EMU_PTX_LANES_H

#include <string.h>

#include <type_traits>
#include <utility>

#include "cuda/emu/ptx/warp.h"

namespace ptx
{

template <class T> constexpr char letter()
{
    return std::is_same<T, bool>::value ? BITS : sizeof(T) == 8 ? LONG : WORD;
}

/* A lane of a slot as the type that the instruction gives it. */
template <class T> static inline T get(const warp &w, u32 slot, u32 lane)
{
    T x;

    if constexpr (std::is_same<T, bool>::value) {
        return bits(w, slot) >> lane & 1;
    } else if constexpr (sizeof(T) == 8) {
        memcpy(&x, &longword(w, slot, lane), 8);
    } else if constexpr (std::is_same<T, float>::value) {
        memcpy(&x, &word(w, slot, lane), 4);
    } else {
        x = (T)word(w, slot, lane);
    }
    return x;
}

template <class T> static inline void put(warp &w, u32 slot, u32 lane, T x)
{
    if constexpr (sizeof(T) == 8)
        memcpy(&longword(w, slot, lane), &x, 8);
    else if constexpr (std::is_same<T, float>::value)
        memcpy(&word(w, slot, lane), &x, 4);
    else
        word(w, slot, lane) = (u32)x;
}

template <auto F, class D, class... A, size_t... I>
static inline void run_lanes(warp &w, const insn &i, u32 mask,
                             std::index_sequence<I...>)
{
    u32 d = i.slot[0];

    if constexpr (std::is_same<D, bool>::value) {
        u32 yes = 0;
        each(mask, [&](u32 lane) {
            yes |= (u32)F(get<A>(w, i.slot[I + 1], lane)...) << lane;
        });
        bits(w, d) = (bits(w, d) & ~mask) | yes;
    } else {
        u32 s[] = { i.slot[I + 1]... };
        each(mask, [&](u32 lane) {
            put<D>(w, d, lane, F(get<A>(w, s[I], lane)...));
        });
    }
}

template <auto F, class D, class... A>
static void run_each(warp &w, const insn &i, u32 mask)
{
    run_lanes<F, D, A...>(w, i, mask, std::index_sequence_for<A...>());
}

template <auto F, class D, class... A>
static op row_of(const char *name, kind what, D (*)(A...))
{
    return {
        name, { letter<D>(), letter<A>()... }, what, run_each<F, D, A...>, NULL
    };
}

/* The instruction `name` is F in every lane; F's types say its operands. */
template <auto F> static op row(const char *name, kind what)
{
    return row_of<F>(name, what, F);
}

/* ---- functions of more than one table ---- */

template <class T> static inline T add(T a, T b)
{
    return (T)(a + b);
}
template <class T> static inline T smaller(T a, T b)
{
    return a < b ? a : b;
}
template <class T> static inline T larger(T a, T b)
{
    return a > b ? a : b;
}
template <class T> static inline T both(T a, T b)
{
    return a & b;
}
template <class T> static inline T either(T a, T b)
{
    return a | b;
}
template <class T> static inline bool eq(T a, T b)
{
    return a == b;
}
template <class T> static inline bool lt(T a, T b)
{
    return a < b;
}
template <class T> static inline bool le(T a, T b)
{
    return a <= b;
}
template <class T> static inline bool gt(T a, T b)
{
    return a > b;
}
template <class T> static inline bool ge(T a, T b)
{
    return a >= b;
}

} // namespace ptx

#endif
