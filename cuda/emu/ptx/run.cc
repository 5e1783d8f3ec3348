/* run.cc - runs the blocks of a launch by their PTX: warps in turn from barrier
 * to barrier, a warp's lanes in lock step; or, with a seed, both by chance. */
#include "cuda/emu/ptx/run.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/emu/memory.h"
#include "cuda/emu/ptx/report.h"
#include "cuda/emu/ptx/warp.h"

namespace ptx
{

struct here here;

/* Of SXT_EMU_PTX_ORDER: xorshift64 (Marsaglia 2003); 0 without a seed. */
static u64 chance;

static u32 below(u32 n)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (u32)((chance >> 32) * n >> 32);
}

[[noreturn]] void fail(const warp &w, const insn &i, u32 lane,
                       const char *format, ...)
{
    char text[400];
    va_list args;
    u32 thread = w.first_thread + lane;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    threadIdx = { thread % blockDim.x, thread / blockDim.x % blockDim.y,
                  thread / (blockDim.x * blockDim.y) };
    sxt_emu_fail("%s:%u (%s): %s: %s", w.in->code->file.c_str(), i.line,
                 w.in->code->places[i.place].c_str(), i.is->name.c_str(), text);
}

/* ---- control flow ---- */

static void branch(warp &w, const insn &i, u32 mask)
{
    if (mask == w.active) {
        w.pc = i.target;
        return;
    }
    each(mask, [&](u32 lane) { w.at[lane] = i.target; });
    w.active &= ~mask;
    if (i.target < w.rejoin)
        w.rejoin = i.target;
}

static void leave(warp &w, const insn &i, u32 mask)
{
    for (const later &c : w.copies)
        if (mask >> c.lane & 1)
            fail(w, i, c.lane,
                 "ends with asynchronous copies that nobody waited for");
    w.live &= ~mask;
    w.active &= ~mask;
}

std::vector<op> flow_ops()
{
    return {
        { "bra", "", CONTROL, branch, NULL },
        { "bra.uni", "", CONTROL, branch, NULL },
        { "ret", "", CONTROL, leave, NULL },
        { "exit", "", CONTROL, leave, NULL },
    };
}

/* ---- a warp ---- */

/* Lanes wait for others that have left, or wait elsewhere. */
[[noreturn]] static void stuck(const warp &w)
{
    u32 lane = (u32)__builtin_ctz(w.waiting);

    fail(w, w.code[w.at[lane]], lane,
         "lanes %08x of the warp wait here or elsewhere for lanes that do not "
         "come; %08x have left",
         w.waiting, w.lanes & ~w.live);
}

/* The lane to go on with: the least pc or, by chance, any. */
static u32 find_leader(const warp &w, u32 going)
{
    u32 leader = (u32)__builtin_ctz(going);
    u32 skip = chance ? below((u32)__builtin_popcount(going)) : 0;

    for (u32 m = going; m && (!chance || skip-- > 0);) {
        m &= m - 1;
        u32 lane = m ? (u32)__builtin_ctz(m) : leader;
        if (chance || w.at[lane] < w.at[leader])
            leader = lane;
    }
    return leader;
}

/* Go on with the leader and those at its pc; by chance not with all of them. */
static void regroup(warp &w)
{
    u32 going, leader, behind = 0;

    each(w.active, [&](u32 lane) { w.at[lane] = w.pc; });
    w.active = 0;
    going = w.live & ~w.waiting;
    if (!going && w.waiting)
        stuck(w);
    if (!going) {
        w.now = DONE;
        return;
    }
    leader = find_leader(w, going);
    if (chance && below(4) == 0)
        behind = below(UINT32_MAX) & ~(1u << leader);
    w.pc = w.at[leader];
    w.rejoin = UINT32_MAX;
    for (u32 m = going; m; m &= m - 1) {
        u32 lane = (u32)__builtin_ctz(m);
        if (w.at[lane] > w.pc && w.at[lane] < w.rejoin)
            w.rejoin = w.at[lane];
        w.active |= (u32)(w.at[lane] == w.pc) << lane;
    }
    w.active &= ~behind;
}

/* Execute for the lanes of mask whose companions are here; the others wait. */
static void meet(warp &w, const insn &i, u32 mask)
{
    for (u32 rest = mask, same = 0; rest; rest &= ~same) {
        u32 lane = (u32)__builtin_ctz(rest);
        u32 need = i.is->meet(w, i, lane), here_too = 0;
        same = 0;
        for (u32 l = 0; l < LANES; l++) {
            if ((rest >> l & 1) && i.is->meet(w, i, l) == need)
                same |= 1u << l;
            if ((w.waiting >> l & 1) && w.at[l] == w.pc - 1)
                here_too |= 1u << l;
        }
        if (same & ~need)
            fail(w, i, lane, "the mask %08x lacks the lane itself", need);
        if (need & ~(same | here_too)) {
            each(same, [&](u32 l) { w.at[l] = w.pc - 1; });
            w.waiting |= same;
            w.active &= ~same;
            continue;
        }
        w.waiting &= ~need;
        w.active |= need;
        i.is->run(w, i, need);
    }
}

static void step(warp &w)
{
    const insn &i = w.code[w.pc];
    u32 mask = w.active;

    if (i.guard >= 0)
        mask &= i.unless ? ~bits(w, (u32)i.guard) : bits(w, (u32)i.guard);
    w.pc++;
    here.at = &i;
    if (is_counting)
        count_step(w, i, mask);
    if (!mask)
        return;
    if (i.is->meet)
        meet(w, i, mask);
    else
        i.is->run(w, i, mask);
}

/* Up to a barrier or its end, but not more than so many steps. */
static void run_warp(warp &w, u64 steps)
{
    here.in = &w;
    while (w.now == GOING && steps > 0) {
        if (!w.active || w.pc >= w.rejoin) {
            regroup(w);
        } else {
            step(w);
            steps--;
        }
    }
}

/* ---- a block ---- */

static void set_special(warp &w, special s, u32 value)
{
    u32 slot = w.in->code->special[s];

    if (slot)
        each(0xffffffffu, [&](u32 lane) { word(w, slot, lane) = value; });
}

static void set_specials(warp &w)
{
    const u32 *slot = w.in->code->special;

    for (u32 lane = 0; lane < LANES; lane++) {
        u32 t = w.first_thread + lane;
        u32 own[] = { t % blockDim.x, t / blockDim.x % blockDim.y,
                      t / (blockDim.x * blockDim.y) };
        for (int axis = 0; axis < 3; axis++)
            if (slot[TID_X + axis])
                word(w, slot[TID_X + axis], lane) = own[axis];
        if (slot[LANEID])
            word(w, slot[LANEID], lane) = lane;
    }
    set_special(w, NTID_X, blockDim.x);
    set_special(w, NTID_Y, blockDim.y);
    set_special(w, NTID_Z, blockDim.z);
    set_special(w, CTAID_X, blockIdx.x);
    set_special(w, CTAID_Y, blockIdx.y);
    set_special(w, CTAID_Z, blockIdx.z);
    set_special(w, NCTAID_X, gridDim.x);
    set_special(w, NCTAID_Y, gridDim.y);
    set_special(w, NCTAID_Z, gridDim.z);
}

static void start_warp(warp &w, u32 threads)
{
    const kernel *k = w.in->code;
    u32 n = threads - w.first_thread;

    memcpy(w.registers, k->image.data(), k->image.size());
    memset(w.local, 0xff, (size_t)k->local_bytes * LANES);
    w.lanes = w.live = w.active = n >= LANES ? 0xffffffffu : (1u << n) - 1;
    w.waiting = w.pc = 0;
    w.now = GOING;
    w.rejoin = UINT32_MAX;
    w.copies.clear();
    memset(w.group, 0, sizeof(w.group));
    set_specials(w);
}

/* All warps stand at a barrier: at the same one, if the kernel is right. */
static void release(std::vector<warp> &warps, u32 threads)
{
    const insn &i = warps[0].code[warps[0].pc - 1];
    u32 votes = 0;

    for (warp &w : warps) {
        if (w.now == DONE || w.pc != warps[0].pc)
            fail(w, w.code[w.pc - 1], 0,
                 "the block's first warp waits at line %u, another does not",
                 i.line);
        votes += w.vote;
        w.now = GOING;
    }
    for (warp &w : warps) {
        if (i.n == 3 && i.is->operands[0] == WORD)
            each(w.lanes, [&](u32 l) { word(w, i.slot[0], l) = votes; });
        else if (i.n == 3)
            bits(w, i.slot[0]) = (i.is->name.find(".and.") != std::string::npos
                                      ? votes == threads
                                      : votes > 0)
                                     ? 0xffffffffu
                                     : 0;
    }
}

/* All warps go until they stand: in slices, lanes of a warp apart. */
static void run_by_chance(std::vector<warp> &warps)
{
    for (size_t standing = 0; standing < warps.size();) {
        warp &w = warps[below((u32)warps.size())];
        if (w.now != GOING)
            continue;
        regroup(w);
        run_warp(w, 1 + below(64));
        standing += w.now != GOING;
    }
}

static void run_block(block &b, std::vector<warp> &warps, u32 threads,
                      bool reverse)
{
    size_t done = 0, n = warps.size();

    memset(b.shared, 0xff, b.shared_bytes);
    for (warp &w : warps)
        start_warp(w, threads);
    while (done < n) {
        if (chance)
            run_by_chance(warps);
        for (size_t i = 0; i < n; i++)
            run_warp(warps[reverse ? n - 1 - i : i], UINT64_MAX);
        done = 0;
        for (const warp &w : warps)
            done += w.now == DONE;
        if (done < n)
            release(warps, threads);
    }
}

/* ---- a launch ---- */

/* The kernel's parameters as the text lays them out. */
static std::vector<char> pack(const kernel &k, const sxt_emu_kernel &call)
{
    std::vector<char> all(k.param_bytes + 8);

    if (call.n_parameters != k.params.size())
        sxt_emu_fail("%s has %zu parameters, the host gives %u", k.name.c_str(),
                     k.params.size(), call.n_parameters);
    for (u32 i = 0; i < call.n_parameters; i++) {
        const sxt_emu_parameter &p = call.parameters[i];
        if (p.bytes != k.params[i].bytes || p.align != k.params[i].align)
            sxt_emu_fail("parameter %u of %s has %u bytes and alignment %u, "
                         "the host's %zu and %zu",
                         i, k.name.c_str(), k.params[i].bytes,
                         k.params[i].align, p.bytes, p.align);
        memcpy(all.data() + k.params[i].offset, p.at, p.bytes);
    }
    return all;
}

static const kernel *kernel_of(const sxt_emu_kernel &call)
{
    Dl_info info;

    if (!dladdr(call.function, &info) || !info.dli_sname)
        sxt_emu_fail("its symbol is not known: link with -rdynamic");
    const kernel *k = find_kernel(info.dli_sname);
    if (!k)
        sxt_emu_fail("no file of SXT_EMU_PTX has the entry %s", info.dli_sname);
    return k;
}

/* Blocks in turn; with a seed the last one first. */
static void run_grid(block &b, std::vector<warp> &warps, u32 threads,
                     bool reverse)
{
    u64 n = (u64)gridDim.x * gridDim.y * gridDim.z;

    for (u64 i = 0; i < n; i++) {
        u64 at = chance ? n - 1 - i : i;
        blockIdx.x = (u32)(at % gridDim.x);
        blockIdx.y = (u32)(at / gridDim.x % gridDim.y);
        blockIdx.z = (u32)(at / gridDim.x / gridDim.y);
        run_block(b, warps, threads, reverse);
    }
}

static void seed(void)
{
    const char *text = getenv("SXT_EMU_PTX_ORDER");

    if (text && !chance)
        chance = 0x9e3779b97f4a7c15u * (strtoull(text, NULL, 10) + 1);
}

} // namespace ptx

using namespace ptx;

bool sxt_ptx_wanted(void)
{
    return getenv("SXT_EMU_PTX") != NULL;
}

void sxt_ptx_fault(const char *what)
{
    if (ptx::here.in)
        fail(*ptx::here.in, *ptx::here.at, ptx::here.lane, "touches %s", what);
}

void sxt_ptx_run(const sxt_emu_kernel &call, size_t shared_bytes, bool reverse)
{
    const kernel *k = kernel_of(call);
    u32 threads = blockDim.x * blockDim.y * blockDim.z;
    u32 n = (threads + LANES - 1) / LANES;
    std::vector<char> params = pack(*k, call);
    std::vector<char> shared(k->shared_bytes + shared_bytes);
    std::vector<char> registers(n * k->image.size());
    std::vector<char> local((size_t)n * LANES * k->local_bytes);
    block b = { k, shared.data(), params.data(), (u32)shared.size() };
    std::vector<warp> warps(n);

    if (threads > k->most_threads)
        sxt_emu_fail("a block of %u threads, promised were %u", threads,
                     k->most_threads);
    for (u32 i = 0; i < n; i++) {
        warps[i].in = &b;
        warps[i].code = k->code.data();
        warps[i].registers = registers.data() + i * k->image.size();
        warps[i].local = local.data() + (size_t)i * LANES * k->local_bytes;
        warps[i].first_thread = i * LANES;
    }
    seed();
    count_launch(*k);
    run_grid(b, warps, threads, reverse);
    ptx::here.in = NULL;
}
