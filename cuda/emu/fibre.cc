/* fibre.cc - runs a kernel's threads as fibres, and watches them. */
#include "cuda/emu/fibre.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "cuda/emu/memory.h"
#include "cuda/emu/ptx/run.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;
char *sxt_emu_shared;

enum {
    MOST_THREADS = 1024,
    STACK = 128 << 10, /* bytes of a fibre, and one page that faults below */
    MOST_COPIES = 256, /* unfinished asynchronous copies of a thread */
    SHARED_BYTES = 227 << 10
};

enum fate { READY, AT_BARRIER, AT_WARP, DONE };

struct later {
    void *to;
    const void *from;
    unsigned bytes, from_bytes;
    unsigned group;
};

struct fibre {
#ifdef __x86_64__
    void *sp; /* where it goes on */
#else
    ucontext_t context;
#endif
    char *stack; /* owned */
    enum fate fate;
    const char *where; /* it waits */
    uint3 id;
    later copies[MOST_COPIES];
    unsigned n_copies, group;
};

struct warp {
    unsigned here; /* lanes that have arrived */
    unsigned mask[32];
    sxt_emu_warp_fn *fn[32];
    void *data[32];
};

/* The emulated multiprocessor: one per process, as the names of CUDA are. */
static struct {
    const char *kernel;
    fibre *fibres[MOST_THREADS]; /* made once, kept */
    warp warps[MOST_THREADS / 32];
    unsigned n, current;
    char *shared_end; /* of the memory that blocks share; faults behind it */
    size_t shared_bytes;
    unsigned at_barrier;
    int votes, result; /* of barriers that count */
    bool running, reverse, watches_faults;
#ifdef __x86_64__
    void *scheduler_sp;
#else
    ucontext_t scheduler;
#endif
    void (*call)(void *);
    void *arguments;
} sm;

void sxt_emu_fail(const char *format, ...)
{
    va_list args;

    fflush(stdout);
    fprintf(stderr, "emulated %s, block (%u, %u, %u), thread (%u, %u, %u): ",
            sm.kernel ? sm.kernel : "device", blockIdx.x, blockIdx.y,
            blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

void sxt_emu_reverse(bool reverse)
{
    sm.reverse = reverse;
}

/* ---- switching ---- */

#ifdef __x86_64__
/* Keep the callee's registers on this stack, go on on the other. */
extern "C" void sxt_emu_switch(void **from_sp, void *to_sp);
asm(".text\n"
    ".p2align 4\n"
    ".globl sxt_emu_switch\n"
    ".type sxt_emu_switch, @function\n"
    "sxt_emu_switch:\n"
    "    pushq %rbp\n"
    "    pushq %rbx\n"
    "    pushq %r12\n"
    "    pushq %r13\n"
    "    pushq %r14\n"
    "    pushq %r15\n"
    "    movq %rsp, (%rdi)\n"
    "    movq %rsi, %rsp\n"
    "    popq %r15\n"
    "    popq %r14\n"
    "    popq %r13\n"
    "    popq %r12\n"
    "    popq %rbx\n"
    "    popq %rbp\n"
    "    ret\n"
    ".size sxt_emu_switch, .-sxt_emu_switch\n");

static void to_fibre(fibre *f)
{
    sxt_emu_switch(&sm.scheduler_sp, f->sp);
}

static void to_scheduler(fibre *f)
{
    sxt_emu_switch(&f->sp, sm.scheduler_sp);
}
#else
static void to_fibre(fibre *f)
{
    swapcontext(&sm.scheduler, &f->context);
}

static void to_scheduler(fibre *f)
{
    swapcontext(&f->context, &sm.scheduler);
}
#endif

static void entry()
{
    fibre *f = sm.fibres[sm.current];

    sm.call(sm.arguments);
    if (f->n_copies > 0)
        sxt_emu_fail("ends with asynchronous copies that nobody waited for");
    f->fate = DONE;
    to_scheduler(f);
}

static void prepare(fibre *f)
{
#ifdef __x86_64__
    /* As if entry() had been called: the stack is 8 off a multiple of 16. */
    void **top = reinterpret_cast<void **>(f->stack + STACK) - 2;
    *top = reinterpret_cast<void *>(entry);
    memset(top - 6, 0, 6 * sizeof(*top));
    f->sp = top - 6;
#else
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = f->stack;
    f->context.uc_stack.ss_size = STACK;
    f->context.uc_link = NULL;
    makecontext(&f->context, entry, 0);
#endif
    f->fate = READY;
    f->n_copies = f->group = 0;
}

static fibre *make_fibre()
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    fibre *f = static_cast<fibre *>(calloc(1, sizeof(*f)));
    void *all = mmap(NULL, STACK + page, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (!f || all == MAP_FAILED || mprotect(all, page, PROT_NONE) != 0)
        sxt_emu_fail("no memory for its stack");
    f->stack = static_cast<char *>(all) + page;
    return f;
}

/* ---- waiting ---- */

static void wait(enum fate fate, const char *where)
{
    fibre *f = sm.fibres[sm.current];

    f->fate = fate;
    f->where = where;
    to_scheduler(f);
}

int sxt_emu_barrier_count(int predicate, const char *where)
{
    sm.votes += predicate != 0;
    sm.at_barrier++;
    wait(AT_BARRIER, where);
    return sm.result;
}

void sxt_emu_barrier(const char *where)
{
    sxt_emu_barrier_count(0, where);
}

unsigned sxt_emu_lane(void)
{
    return sm.current % 32;
}

unsigned sxt_emu_lanes(void)
{
    unsigned first = sm.current / 32 * 32, n = sm.n - first;

    return n >= 32 ? 0xffffffffu : (1u << n) - 1;
}

void sxt_emu_warp(unsigned mask, sxt_emu_warp_fn *fn, void *data,
                  const char *where)
{
    warp *w = &sm.warps[sm.current / 32];
    unsigned lane = sxt_emu_lane(), first = sm.current - lane;

    mask &= sxt_emu_lanes();
    if (!(mask >> lane & 1))
        sxt_emu_fail("%s: takes part in a warp operation whose mask %08x "
                     "lacks it",
                     where, mask);
    w->here |= 1u << lane;
    w->mask[lane] = mask;
    w->fn[lane] = fn;
    w->data[lane] = data;
    if ((w->here & mask) != mask) {
        wait(AT_WARP, where);
        return;
    }
    void *all[32];
    for (unsigned i = 0; i < 32; i++) {
        all[i] = mask >> i & 1 ? w->data[i] : NULL;
        if ((mask >> i & 1) && (w->mask[i] != mask || w->fn[i] != fn))
            sxt_emu_fail("%s: lane %u of the warp is in another operation, at "
                         "%s",
                         where, i, sm.fibres[first + i]->where);
    }
    if (fn)
        fn(all, mask);
    w->here &= ~mask;
    for (unsigned i = 0; i < 32; i++)
        if (mask >> i & 1)
            sm.fibres[first + i]->fate = READY;
}

/* ---- asynchronous copies: late on purpose, their target unusable ---- */

void sxt_emu_copy_later(void *to, const void *from, unsigned bytes,
                        unsigned from_bytes)
{
    fibre *f = sm.fibres[sm.current];

    if (f->n_copies == MOST_COPIES)
        sxt_emu_fail("more than %d unfinished asynchronous copies",
                     MOST_COPIES);
    memset(to, 0xff, bytes);
    f->copies[f->n_copies++] = { to, from, bytes, from_bytes, f->group };
}

void sxt_emu_copy_commit(void)
{
    sm.fibres[sm.current]->group++;
}

void sxt_emu_copy_wait(unsigned groups_left)
{
    fibre *f = sm.fibres[sm.current];
    unsigned kept = 0;

    for (unsigned i = 0; i < f->n_copies; i++) {
        later c = f->copies[i];
        if (c.group + groups_left >= f->group) {
            f->copies[kept++] = c;
            continue;
        }
        memcpy(c.to, c.from, c.from_bytes);
        memset(static_cast<char *>(c.to) + c.from_bytes, 0,
               c.bytes - c.from_bytes);
    }
    f->n_copies = kept;
}

/* ---- running ---- */

/* Everybody waits and nobody can go on: say who is where. */
static void stuck(void)
{
    fflush(stdout);
    fprintf(stderr,
            "emulated %s, block (%u, %u, %u): its threads wait for "
            "each other in vain\n",
            sm.kernel, blockIdx.x, blockIdx.y, blockIdx.z);
    for (unsigned i = 0, first = 0; i < sm.n; i++) {
        const fibre *f = sm.fibres[i], *next = sm.fibres[(i + 1) % sm.n];
        if (i + 1 < sm.n && next->fate == f->fate &&
            (f->fate == DONE || next->where == f->where))
            continue;
        fprintf(stderr, "  threads %u - %u: %s %s\n", first, i,
                f->fate == DONE         ? "have ended"
                : f->fate == AT_BARRIER ? "at the barrier"
                                        : "in the warp operation",
                f->fate == DONE ? "" : f->where);
        first = i + 1;
    }
    abort();
}

static void release_barrier()
{
    for (unsigned i = 1; i < sm.n; i++)
        if (strcmp(sm.fibres[i]->where, sm.fibres[0]->where) != 0)
            stuck();
    for (unsigned i = 0; i < sm.n; i++)
        sm.fibres[i]->fate = READY;
    sm.result = sm.votes;
    sm.votes = 0;
    sm.at_barrier = 0;
}

static void run_block(void)
{
    unsigned done = 0;

    for (unsigned i = 0; i < sm.n; i++)
        prepare(sm.fibres[i]);
    memset(sm.warps, 0, sizeof(sm.warps));
    sm.at_barrier = 0;
    sm.votes = 0;
    memset(sxt_emu_shared, 0xff, sm.shared_bytes);
    while (done < sm.n) {
        bool moved = false;
        for (unsigned k = 0; k < sm.n; k++) {
            unsigned i = sm.reverse ? sm.n - 1 - k : k;
            if (sm.fibres[i]->fate != READY)
                continue;
            sm.current = i;
            threadIdx = sm.fibres[i]->id;
            to_fibre(sm.fibres[i]);
            done += sm.fibres[i]->fate == DONE;
            moved = true;
        }
        if (sm.at_barrier == sm.n)
            release_barrier();
        else if (!moved)
            stuck();
    }
}

static void check_launch(const void *function, dim3 grid, dim3 block,
                         size_t shared_bytes)
{
    size_t threads = (size_t)block.x * block.y * block.z;

    if (sm.running)
        sxt_emu_fail("a kernel starts a kernel");
    if (threads == 0 || threads > MOST_THREADS || block.z > 64)
        sxt_emu_fail("a block of (%u, %u, %u) threads", block.x, block.y,
                     block.z);
    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7fffffff ||
        grid.y > 65535 || grid.z > 65535)
        sxt_emu_fail("a grid of (%u, %u, %u) blocks", grid.x, grid.y, grid.z);
    if (shared_bytes > sxt_emu_shared_allowed(function))
        sxt_emu_fail("%zu bytes of dynamic shared memory, allowed are %zu (see "
                     "cudaFuncSetAttribute)",
                     shared_bytes, sxt_emu_shared_allowed(function));
}

static void on_fault(int, siginfo_t *info, void *)
{
    char text[200];

    if (sm.running) {
        sxt_emu_describe(info->si_addr, text, sizeof(text));
        sxt_ptx_fault(text);
        sxt_emu_fail("touches %s", text);
    }
    signal(SIGSEGV, SIG_DFL); /* not ours: fault again */
}

static void set_up(size_t threads)
{
    if (!sm.shared_end) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        size_t bytes = (SHARED_BYTES + page - 1) / page * page;
        void *p = mmap(NULL, bytes + page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            sxt_emu_fail("no memory");
        sm.shared_end = static_cast<char *>(p) + bytes;
        mprotect(sm.shared_end, page, PROT_NONE);
    }
    for (unsigned i = 0; i < threads; i++)
        if (!sm.fibres[i])
            sm.fibres[i] = make_fibre();
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    if (!sm.watches_faults)
        sigaction(SIGSEGV, &action, NULL);
    sm.watches_faults = true;
}

static void run_grid(const sxt_emu_kernel &kernel, dim3 grid, dim3 block)
{
    sm.call = kernel.call;
    sm.arguments = kernel.arguments;
    for (unsigned i = 0; i < sm.n; i++)
        sm.fibres[i]->id = { i % block.x, i / block.x % block.y,
                             i / (block.x * block.y) };
    for (blockIdx.z = 0; blockIdx.z < grid.z; blockIdx.z++)
        for (blockIdx.y = 0; blockIdx.y < grid.y; blockIdx.y++)
            for (blockIdx.x = 0; blockIdx.x < grid.x; blockIdx.x++)
                run_block();
}

void sxt_emu_run(const sxt_emu_kernel &kernel, dim3 grid, dim3 block,
                 size_t shared_bytes)
{
    sm.kernel = kernel.name;
    threadIdx = blockIdx = uint3();
    check_launch(kernel.function, grid, block, shared_bytes);
    sm.n = block.x * block.y * block.z;
    set_up(sm.n);
    sm.shared_bytes = (shared_bytes + 1023) / 1024 * 1024;
    sxt_emu_shared = sm.shared_end - sm.shared_bytes;
    gridDim = grid;
    blockDim = block;
    sxt_emu_open();
    sm.running = true;
    if (sxt_ptx_wanted())
        sxt_ptx_run(kernel, shared_bytes, sm.reverse);
    else
        run_grid(kernel, grid, block);
    sm.running = false;
    sxt_emu_close();
    sm.kernel = NULL;
}
