/* fibre.h - the threads of a block as fibres of one host thread.
 *
 * Blocks run one after the other; a fibre runs until it waits for others.  So
 * a run is repeatable, and two orders of the fibres (sxt_emu_reverse) show
 * most kernels that lack a barrier: they give different results.
 *
 * Found, told with kernel, block and thread, and fatal: barriers and warp
 * operations that not all named threads reach (or reach elsewhere), shuffles
 * from lanes that take no part, memory outside of every allocation, launches
 * that no GPU would accept. */
#ifndef SXT_EMU_FIBRE_H
#define SXT_EMU_FIBRE_H

#include <tuple>

#include "cuda/emu/stream.h"
#include "cuda/emu/types.h"

/* Where the running fibre is.  CUDA names these; a process runs one kernel at
 * a time. */
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
enum { warpSize = 32 };

/* The block's dynamic shared memory, 1024-byte aligned. */
extern char *sxt_emu_shared;

/* End the process: "emulated KERNEL, block (…), thread (…): …". */
[[noreturn]] void sxt_emu_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* All threads of the block; what and where name the barrier. */
void sxt_emu_barrier(const char *where);
/* The same, and sums of a predicate over the block: how many are true. */
int sxt_emu_barrier_count(int predicate, const char *where);

/* The lanes in mask meet at `where`; the last one runs fn on the data of all
 * (NULL for lanes outside), then all go on.  A lane's data may be on its
 * stack. */
typedef void sxt_emu_warp_fn(void *const data[32], unsigned mask);
void sxt_emu_warp(unsigned mask, sxt_emu_warp_fn *fn, void *data,
                  const char *where);
/* The lane of the running fibre; the lanes of its warp that exist. */
unsigned sxt_emu_lane(void);
unsigned sxt_emu_lanes(void);

/* Copies that a thread has started and not yet waited for; see mma.cuh. */
void sxt_emu_copy_later(void *to, const void *from, unsigned bytes,
                        unsigned from_bytes);
void sxt_emu_copy_commit(void);
void sxt_emu_copy_wait(unsigned groups_left);

/* A kernel with its arguments. */
struct sxt_emu_parameter {
    const void *at;
    size_t bytes, align;
};

struct sxt_emu_kernel {
    const char *name;
    const void *function;
    void (*call)(void *arguments); /* by one thread */
    void *arguments;
    const sxt_emu_parameter *parameters; /* the arguments one by one */
    unsigned n_parameters;
};

/* Run a kernel now: its function once per thread or, if SXT_EMU_PTX is set, by
 * its PTX (ptx/run.h). */
void sxt_emu_run(const sxt_emu_kernel &kernel, dim3 grid, dim3 block,
                 size_t shared_bytes);

/* Give a stream a kernel and its arguments, which are copied now.
 *
 * Only where a kernel's file is included twice with different types would two
 * kernels share an address; templates give each its own. */
template <class... P, class... A>
void sxt_emu_launch(cudaStream_t stream, const char *kernel, dim3 grid,
                    dim3 block, size_t shared_bytes, void (*function)(P...),
                    A... a)
{
    struct bound {
        void (*function)(P...);
        std::tuple<P...> a;
    } b = { function, std::tuple<P...>(static_cast<P>(a)...) };

    sxt_emu_enqueue(stream, [=]() mutable {
        std::apply(
            [&](const P &...p) {
                const sxt_emu_parameter all[] = { { &p, sizeof(P),
                                                    alignof(P) }... };
                sxt_emu_run({ kernel, reinterpret_cast<const void *>(function),
                              [](void *arguments) {
                                  bound *x = static_cast<bound *>(arguments);
                                  std::apply(x->function, x->a);
                              },
                              &b, all, sizeof...(P) },
                            grid, block, shared_bytes);
            },
            b.a);
    });
}

#define SXT_EMU_TEXT_(x) #x
#define SXT_EMU_TEXT(x) SXT_EMU_TEXT_(x)
#define SXT_EMU_HERE __FILE__ ":" SXT_EMU_TEXT(__LINE__)

#endif
