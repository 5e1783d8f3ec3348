/* stream.h - the emulated GPU's streams: queues whose work is done as late as
 * CUDA allows, so that whoever does not wait for it sees that it is missing.
 *
 * Work is done when somebody waits for it: the host for a stream or an event,
 * or work of another stream for an event.  The NULL stream is done at once.
 * Host memory that is not pinned is copied when it is asked for, as CUDA does.
 * A captured stream's work goes into a graph instead, and is done again with
 * the same arguments whenever the graph is launched; meanwhile nothing can be
 * allocated, freed or waited for. */
#ifndef SXT_EMU_STREAM_H
#define SXT_EMU_STREAM_H

#include <functional>

#include "cuda/emu/api.h"

/* Work that waits for nobody. */
void sxt_emu_enqueue(cudaStream_t stream, const std::function<void()> &run);

/* Work that other processes wait for, or that waits for them.  Both functions
 * may be called again and again. */
struct sxt_emu_work {
    /* Do it; false: not yet. */
    std::function<bool()> run;
    /* What of it may be done while the work before it is not; true: done, and
     * so may be the work behind it.  Empty: nothing. */
    std::function<bool()> early;
};
void sxt_emu_enqueue_shared(cudaStream_t stream, const sxt_emu_work &work);
/* Do the early part of all work. */
void sxt_emu_pump(void);
/* The host waits for all streams. */
void sxt_emu_drain(void);
bool sxt_emu_capturing(cudaStream_t stream);
bool sxt_emu_any_capturing(void);

#endif
