/* stream.cc - streams, events and graphs of the emulated GPU. */
#include "cuda/emu/stream.h"

#include <stdint.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "cuda/emu/fibre.h"

enum {
    NAP_US = 50,
    LATE = 3 /* times that who only asks hears: not yet */
};

struct sxt_emu_graph {
    std::vector<sxt_emu_work> work;
};

struct sxt_emu_stream {
    std::deque<sxt_emu_work> queue;
    uint64_t given, done; /* pieces of work so far */
    bool running;         /* the front of the queue */
    bool shared;          /* other processes wait for its work */
    sxt_emu_graph *graph; /* being captured, or NULL */
};

/* Everything that `stream` had been given is before it. */
struct sxt_emu_event {
    cudaStream_t stream; /* NULL: passed */
    uint64_t at;
    int asked;
};

static std::vector<cudaStream_t> streams;

/* ---- doing the work ---- */

/* Do the stream's work up to piece number `until`; false: it waits for another
 * process. */
static bool advance(cudaStream_t stream, uint64_t until)
{
    while (stream->done < until) {
        if (stream->running)
            sxt_emu_fail("a stream waits for itself");
        stream->running = true;
        bool done = stream->queue.front().run();
        stream->running = false;
        if (!done)
            return false;
        stream->queue.pop_front();
        stream->done++;
    }
    return true;
}

static void pump(cudaStream_t stream)
{
    for (size_t i = 0; i < stream->queue.size(); i++)
        if (!stream->queue[i].early || !stream->queue[i].early())
            return;
}

void sxt_emu_pump(void)
{
    static bool pumping; /* early parts may do other streams' work */

    if (pumping)
        return;
    pumping = true;
    for (cudaStream_t s : streams)
        if (s->shared && !s->running)
            pump(s);
    pumping = false;
}

static void wait_for(cudaStream_t stream, uint64_t until)
{
    while (!advance(stream, until)) {
        sxt_emu_pump();
        usleep(NAP_US);
    }
}

void sxt_emu_drain(void)
{
    for (cudaStream_t s : streams)
        wait_for(s, s->given);
}

static void push(cudaStream_t stream, const sxt_emu_work &work)
{
    if (stream->graph) {
        stream->graph->work.push_back(work);
        return;
    }
    stream->queue.push_back(work);
    stream->given++;
    sxt_emu_pump();
}

void sxt_emu_enqueue(cudaStream_t stream, const std::function<void()> &run)
{
    auto done = [run] {
        run();
        return true;
    };

    if (stream)
        push(stream, { done, nullptr });
    else
        run();
}

void sxt_emu_enqueue_shared(cudaStream_t stream, const sxt_emu_work &work)
{
    stream->shared = true;
    push(stream, work);
}

/* ---- streams ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned)
{
    *stream = new sxt_emu_stream{};
    streams.push_back(*stream);
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    sxt_emu_drain(); /* others may have its events before them */
    streams.erase(std::find(streams.begin(), streams.end(), stream));
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    if (stream && stream->graph)
        return cudaErrorStreamCaptureUnsupported;
    if (stream)
        wait_for(stream, stream->given);
    return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t stream)
{
    sxt_emu_pump();
    return advance(stream, stream->given) ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize(void)
{
    if (sxt_emu_any_capturing())
        return cudaErrorStreamCaptureUnsupported;
    sxt_emu_drain();
    return cudaSuccess;
}

/* ---- events ---- */

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned)
{
    *event = new sxt_emu_event{};
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    event->stream = stream;
    event->at = stream ? stream->given : 0;
    event->asked = 0;
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    if (event->stream)
        wait_for(event->stream, event->at);
    return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event)
{
    sxt_emu_pump();
    if (!event->stream || event->stream->done >= event->at)
        return cudaSuccess;
    return event->asked++ >= LATE && advance(event->stream, event->at)
               ? cudaSuccess
               : cudaErrorNotReady;
}

/* The event is where it is now: to record it again does not move the wait. */
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event,
                                unsigned)
{
    cudaStream_t other = event->stream;
    uint64_t at = event->at;
    auto passed = [other, at] { return advance(other, at); };

    if (!other || other == stream)
        return cudaSuccess;
    if (stream->graph || other->graph)
        sxt_emu_fail("a capture that spans streams");
    push(stream, { passed, passed });
    return cudaSuccess;
}

/* ---- graphs ---- */

bool sxt_emu_capturing(cudaStream_t stream)
{
    return stream && stream->graph;
}

bool sxt_emu_any_capturing(void)
{
    return std::any_of(streams.begin(), streams.end(), sxt_emu_capturing);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode)
{
    if (!stream || stream->graph)
        return cudaErrorInvalidValue;
    stream->graph = new sxt_emu_graph{};
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    if (!stream->graph)
        return cudaErrorInvalidValue;
    *graph = stream->graph;
    stream->graph = NULL;
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph,
                                 unsigned long long)
{
    *exec = new sxt_emu_graph(*graph);
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    delete exec;
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
    for (const sxt_emu_work &work : exec->work)
        push(stream, work);
    return cudaSuccess;
}
