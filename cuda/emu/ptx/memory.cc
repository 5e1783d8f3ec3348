/* memory.cc - loads, stores, atomics and asynchronous copies.
 *
 * Every address must be a multiple of what is loaded or stored at once.  Global
 * memory faults outside of its blocks; of the other spaces the bounds are
 * looked at here. */
#include "cuda/emu/ptx/lanes.h"
#include "cuda/emu/ptx/report.h"

namespace ptx
{

enum space { GLOBAL, SHARED, LOCAL, PARAM };
static const char *const space_names[] = { "global", "shared", "local",
                                           "param" };

static void check(const warp &w, const insn &i, u32 lane, u64 at, u32 bytes,
                  u64 room, const char *space)
{
    if (at % bytes != 0)
        fail(w, i, lane, "%s address 0x%llx is not a multiple of %u", space,
             (unsigned long long)at, bytes);
    if (at > room || bytes > room - at)
        fail(w, i, lane, "%u bytes at 0x%llx of %llu bytes of %s memory", bytes,
             (unsigned long long)at, (unsigned long long)room, space);
}

static inline bool is_bad(u64 at, u32 bytes, u64 room)
{
    return (at & (bytes - 1)) != 0 || at > room || bytes > room - at;
}

char *shared_at(const warp &w, const insn &i, u32 lane, u64 at, u32 bytes)
{
    if (is_bad(at, bytes, w.in->shared_bytes))
        check(w, i, lane, at, bytes, w.in->shared_bytes, "shared");
    return w.in->shared + at;
}

/* A lane's `bytes` bytes. */
template <space S>
static inline char *reach(const warp &w, const insn &i, u32 lane, u32 bytes)
{
    u64 at = address(w, i.at[0], lane);
    const kernel *k = w.in->code;

    u64 room = S == SHARED  ? w.in->shared_bytes
               : S == LOCAL ? k->local_bytes
               : S == PARAM ? k->param_bytes
                            : UINT64_MAX;
    if (is_bad(at, bytes, room))
        check(w, i, lane, at, bytes, room, space_names[S]);
    if (S == SHARED)
        return w.in->shared + at;
    if (S == LOCAL)
        return w.local + (size_t)lane * k->local_bytes + at;
    if (S == PARAM)
        return w.in->params + at;
    here.lane = lane;
    return reinterpret_cast<char *>(at);
}

static request request_of(const warp &w, const pointer &p, u32 mask, u32 bytes)
{
    request r;

    r.mask = mask;
    r.bytes = bytes;
    for (u32 lane = 0; lane < LANES; lane++)
        r.at[lane] = address(w, p, lane);
    return r;
}

template <space S>
static inline void count(const warp &w, const insn &i, u32 mask, u32 bytes)
{
    if (!is_counting || (S != GLOBAL && S != SHARED))
        return;
    request r = request_of(w, i.at[0], mask, bytes);
    S == GLOBAL ? count_global(w, i, r) : count_shared(w, i, r);
}

/* N elements T into slots of R, sign or zero extended. */
template <space S, class T, class R, u32 N>
static void load_some(warp &w, const insn &i, u32 mask)
{
    for (; mask; mask &= mask - 1) {
        u32 lane = (u32)__builtin_ctz(mask);
        T x[N];
        memcpy(x, reach<S>(w, i, lane, sizeof(x)), sizeof(x));
        for (u32 k = 0; k < N; k++)
            put<R>(w, i.slot[k], lane, (R)x[k]);
    }
}

template <space S, class T, class R, u32 N>
static void store_some(warp &w, const insn &i, u32 mask)
{
    for (; mask; mask &= mask - 1) {
        u32 lane = (u32)__builtin_ctz(mask);
        T x[N];
        for (u32 k = 0; k < N; k++)
            x[k] = (T)get<R>(w, i.slot[k], lane);
        memcpy(reach<S>(w, i, lane, sizeof(x)), x, sizeof(x));
    }
}

template <space S, class T, class R>
static void load(warp &w, const insn &i, u32 mask)
{
    count<S>(w, i, mask, i.n * (u32)sizeof(T));
    if (i.n == 1)
        load_some<S, T, R, 1>(w, i, mask);
    else if (i.n == 2)
        load_some<S, T, R, 2>(w, i, mask);
    else
        load_some<S, T, R, 4>(w, i, mask);
}

template <space S, class T, class R>
static void store(warp &w, const insn &i, u32 mask)
{
    count<S>(w, i, mask, i.n * (u32)sizeof(T));
    if (i.n == 1)
        store_some<S, T, R, 1>(w, i, mask);
    else if (i.n == 2)
        store_some<S, T, R, 2>(w, i, mask);
    else
        store_some<S, T, R, 4>(w, i, mask);
}

/* ---- atomics: lane by lane ---- */

template <class T> static T exchange(T, T x)
{
    return x;
}

/* atom d, [a], x and, without d, red [a], x. */
template <space S, class T, T (*F)(T, T)>
static void atomic(warp &w, const insn &i, u32 mask)
{
    count<S>(w, i, mask, sizeof(T));
    for (u32 m = mask; m; m &= m - 1) {
        u32 lane = (u32)__builtin_ctz(m);
        T x = get<T>(w, i.slot[i.n - 1], lane), old;
        char *at = reach<S>(w, i, lane, sizeof(T));
        memcpy(&old, at, sizeof(T));
        x = F(old, x);
        memcpy(at, &x, sizeof(T));
        if (i.n == 2)
            put<T>(w, i.slot[0], lane, old);
    }
}

template <space S, class T>
static void compare_and_swap(warp &w, const insn &i, u32 mask)
{
    count<S>(w, i, mask, sizeof(T));
    for (u32 m = mask; m; m &= m - 1) {
        u32 lane = (u32)__builtin_ctz(m);
        T expected = get<T>(w, i.slot[1], lane), old;
        T x = get<T>(w, i.slot[2], lane);
        char *at = reach<S>(w, i, lane, sizeof(T));
        memcpy(&old, at, sizeof(T));
        if (old == expected)
            memcpy(at, &x, sizeof(T));
        put<T>(w, i.slot[0], lane, old);
    }
}

/* ---- asynchronous copies: late on purpose, their target unusable ---- */

static void count_copies(const warp &w, const insn &i, u32 mask, u32 bytes)
{
    u32 reading = 0;

    count_shared(w, i, request_of(w, i.at[0], mask, bytes));
    for (u32 m = mask; m; m &= m - 1) {
        u32 lane = (u32)__builtin_ctz(m);
        if (i.n == 1 || word(w, i.slot[1], lane) > 0)
            reading |= 1u << lane;
    }
    count_global(w, i, request_of(w, i.at[1], reading, bytes));
}

/* cp.async [shared], [global], 16, bytes that are read; the rest is nought. */
static void copy_async(warp &w, const insn &i, u32 mask)
{
    u32 bytes = word(w, i.slot[0], 0);

    if (is_counting)
        count_copies(w, i, mask, bytes);
    for (u32 m = mask; m; m &= m - 1) {
        u32 lane = (u32)__builtin_ctz(m);
        u32 from_bytes = i.n > 1 ? word(w, i.slot[1], lane) : bytes;
        u64 from = address(w, i.at[1], lane);
        char *to = shared_at(w, i, lane, address(w, i.at[0], lane), bytes);
        if (from_bytes > bytes)
            fail(w, i, lane, "reads %u bytes to copy %u", from_bytes, bytes);
        if (from_bytes > 0)
            check(w, i, lane, from, bytes, UINT64_MAX, "global");
        memset(to, 0xff, bytes);
        w.copies.push_back({ to, reinterpret_cast<const char *>(from), bytes,
                             from_bytes, lane, w.group[lane] });
    }
}

static void copy_commit(warp &w, const insn &, u32 mask)
{
    each(mask, [&](u32 lane) { w.group[lane]++; });
}

void finish_copies(warp &w, u32 mask, u32 left)
{
    size_t kept = 0;

    for (const later &c : w.copies) {
        if (!(mask >> c.lane & 1) || c.group + left >= w.group[c.lane]) {
            w.copies[kept++] = c;
            continue;
        }
        here.lane = c.lane;
        memcpy(c.to, c.from, c.from_bytes);
        memset(c.to + c.from_bytes, 0, c.bytes - c.from_bytes);
    }
    w.copies.resize(kept);
}

static void copy_wait(warp &w, const insn &i, u32 mask)
{
    finish_copies(w, mask, word(w, i.slot[0], 0));
}

static void copy_wait_all(warp &w, const insn &, u32 mask)
{
    copy_commit(w, *here.at, mask);
    finish_copies(w, mask, 0);
}

/* ---- the table ---- */

template <space S, class T, class R>
static void move_rows(std::vector<op> &t, const std::string &type)
{
    char r = letter<R>();

    t.push_back({ "ld." + type, { r, ADDRESS }, MEMORY, load<S, T, R>, NULL });
    t.push_back({ "st." + type, { ADDRESS, r }, MEMORY, store<S, T, R>, NULL });
}

template <space S, class T, T (*F)(T, T)>
static void atomic_rows(std::vector<op> &t, const std::string &type)
{
    char r = letter<T>();

    t.push_back(
        { "atom." + type, { r, ADDRESS, r }, MEMORY, atomic<S, T, F>, NULL });
    t.push_back(
        { "red." + type, { ADDRESS, r }, MEMORY, atomic<S, T, F>, NULL });
}

template <space S, class T, class I>
static void sized_atomics(std::vector<op> &t, const std::string &width)
{
    char r = letter<T>();

    atomic_rows<S, T, add<T>>(t, "add.u" + width);
    atomic_rows<S, T, add<T>>(t, "add.s" + width);
    atomic_rows<S, T, smaller<T>>(t, "min.u" + width);
    atomic_rows<S, T, larger<T>>(t, "max.u" + width);
    atomic_rows<S, I, smaller<I>>(t, "min.s" + width);
    atomic_rows<S, I, larger<I>>(t, "max.s" + width);
    atomic_rows<S, T, both<T>>(t, "and.b" + width);
    atomic_rows<S, T, either<T>>(t, "or.b" + width);
    atomic_rows<S, T, exchange<T>>(t, "exch.b" + width);
    t.push_back({ "atom.cas.b" + width,
                  { r, ADDRESS, r, r },
                  MEMORY,
                  compare_and_swap<S, T>,
                  NULL });
}

template <space S> static void space_rows(std::vector<op> &all)
{
    std::vector<op> t;

    move_rows<S, u8, u32>(t, "u8");
    move_rows<S, u8, u32>(t, "b8");
    move_rows<S, s8, u32>(t, "s8");
    move_rows<S, u16, u32>(t, "u16");
    move_rows<S, u16, u32>(t, "b16");
    move_rows<S, s16, u32>(t, "s16");
    move_rows<S, u32, u32>(t, "u32");
    move_rows<S, u32, u32>(t, "b32");
    move_rows<S, u32, u32>(t, "s32");
    move_rows<S, u32, u32>(t, "f32");
    move_rows<S, u32, u64>(t, "u32");
    move_rows<S, s32, u64>(t, "s32");
    move_rows<S, u64, u64>(t, "u64");
    move_rows<S, u64, u64>(t, "b64");
    move_rows<S, u64, u64>(t, "s64");
    move_rows<S, u64, u64>(t, "f64");
    if (S == GLOBAL || S == SHARED) {
        sized_atomics<S, u32, s32>(t, "32");
        sized_atomics<S, u64, s64>(t, "64");
        atomic_rows<S, float, add<float>>(t, "add.f32");
    }
    for (op &o : t) {
        o.name.insert(o.name.find('.'), std::string(".") + space_names[S]);
        all.push_back(o);
    }
}

std::vector<op> memory_ops()
{
    std::vector<op> t = {
        { "cp.async.cg.shared.global", "mmww", MEMORY, copy_async, NULL },
        { "cp.async.cg.shared.global", "mmw", MEMORY, copy_async, NULL },
        { "cp.async.ca.shared.global", "mmww", MEMORY, copy_async, NULL },
        { "cp.async.ca.shared.global", "mmw", MEMORY, copy_async, NULL },
        { "cp.async.commit_group", "", MEMORY, copy_commit, NULL },
        { "cp.async.wait_group", "w", MEMORY, copy_wait, NULL },
        { "cp.async.wait_all", "", MEMORY, copy_wait_all, NULL },
    };

    space_rows<GLOBAL>(t);
    space_rows<SHARED>(t);
    space_rows<LOCAL>(t);
    space_rows<PARAM>(t);
    return t;
}

} // namespace ptx
