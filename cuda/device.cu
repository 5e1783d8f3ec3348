/* device.cu - a GPU as a device: streams, memory, copies, events, graphs.
 *
 * Chunks come from cudaMalloc, before the work starts (dev/arena.h).
 * The same source runs on the emulated GPU. */
#include <cuda_runtime.h>

#include "cuda/check.h"
#include "cuda/device.h"
#include "cuda/sensors.h"
#include "cuda/sextant.h"

#ifdef SXT_EMU
#include "cuda/emu/memory.h"
#endif

struct gpu {
    cudaStream_t stream[SXT_STREAMS];
    struct sxt_sensors *sensors; /* NULL: none */
};

static cudaStream_t stream_of(const struct sxt_dev *dev, enum sxt_stream s)
{
    return static_cast<const gpu *>(dev->state)->stream[s];
}

cudaStream_t sxt_dev_cuda_stream(const struct sxt_dev *dev, enum sxt_stream s)
{
    return stream_of(dev, s);
}

/* Host and device can differ in age: say which is too old. */
static int no_gpu(cudaError_t error, struct sxt_error *err)
{
    int driver = 0, runtime = 0;

    if (error == cudaErrorInsufficientDriver) {
        cudaDriverGetVersion(&driver);
        cudaRuntimeGetVersion(&runtime);
    }
    cudaGetLastError(); /* it has been told */
    if (driver > 0)
        return sxt_err(err, SXT_EXIT_UNAVAILABLE,
                       "no usable GPU: this build needs a driver for CUDA "
                       "%d.%d, there is one for %d.%d",
                       runtime / 1000, runtime % 1000 / 10, driver / 1000,
                       driver % 1000 / 10);
    if (error == cudaErrorInsufficientDriver)
        return sxt_err(err, SXT_EXIT_UNAVAILABLE,
                       "no usable GPU: no NVIDIA driver (libcuda.so.1) here");
    return sxt_err(err, SXT_EXIT_UNAVAILABLE, "no usable GPU: %s",
                   cudaGetErrorString(error));
}

int sxt_dev_cuda_count(struct sxt_error *err)
{
    int count = 0;
    cudaError_t error = cudaGetDeviceCount(&count);

    if (error != cudaSuccess)
        return no_gpu(error, err);
    return count > 0 ? count : no_gpu(cudaErrorNoDevice, err);
}

void sxt_dev_cuda_uuid(int ordinal, char uuid[40])
{
    cudaDeviceProp p;
    char *at = uuid;

    SXT_CUDA(cudaGetDeviceProperties(&p, ordinal));
    for (int i = 0; i < 16; i++)
        at += snprintf(at, 4, "%s%02x",
                       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                       (unsigned)(unsigned char)p.uuid.bytes[i]);
}

static int open_gpu(struct sxt_dev *dev, int ordinal, struct sxt_error *err)
{
    int count = sxt_dev_cuda_count(err);
    cudaDeviceProp p;
    char name[200];

    if (count < 0)
        return -1;
    if (ordinal < 0 || ordinal >= count)
        return sxt_err(err, SXT_EXIT_UNAVAILABLE,
                       "GPU %d was asked for, this process sees %d", ordinal,
                       count);
    SXT_CUDA(cudaGetDeviceProperties(&p, ordinal));
    if (p.major < 8)
        return sxt_err(err, SXT_EXIT_UNAVAILABLE,
                       "GPU %d (%s) has compute capability %d.%d, 8.0 is "
                       "needed for bf16",
                       ordinal, p.name, p.major, p.minor);
    snprintf(name, sizeof(name), "GPU %d (%.100s)", ordinal, p.name);
    sxt_cuda_name(name);
    SXT_CUDA(cudaSetDevice(ordinal));
    snprintf(dev->about, sizeof(dev->about), "%.100s, %.1f GiB", p.name,
             (double)p.totalGlobalMem / (1 << 30));
    gpu *g = static_cast<gpu *>(sxt_calloc(1, sizeof(*g)));
    for (int s = 0; s < SXT_STREAMS; s++)
        SXT_CUDA(
            cudaStreamCreateWithFlags(&g->stream[s], cudaStreamNonBlocking));
    char uuid[40];
    sxt_dev_cuda_uuid(ordinal, uuid);
    g->sensors = sxt_sensors_create(uuid);
    dev->state = g;
    return 0;
}

static void close_gpu(struct sxt_dev *dev)
{
    for (int s = 0; s < SXT_STREAMS; s++)
        SXT_CUDA(cudaStreamDestroy(stream_of(dev, (enum sxt_stream)s)));
    sxt_sensors_destroy(static_cast<gpu *>(dev->state)->sensors);
    free(dev->state);
}

static bool map(struct sxt_dev *dev, struct sxt_dev_chunk *c)
{
    cudaStream_t stream = stream_of(dev, SXT_STREAM_MAIN);
    void *p = NULL;
    cudaError_t error = cudaMalloc(&p, c->bytes);

    if (error == cudaErrorMemoryAllocation) {
        cudaGetLastError(); /* dev.c tells it */
        return false;
    }
    SXT_CUDA(error);
    c->base = static_cast<char *>(p);
    SXT_CUDA(cudaMemsetAsync(p, 0, c->bytes, stream));
    SXT_CUDA(cudaStreamSynchronize(stream)); /* other streams may use it */
    return true;
}

static void unmap(struct sxt_dev *, const struct sxt_dev_chunk *c)
{
    SXT_CUDA(cudaFree(c->base));
}

/* The emulated GPU closes what of a chunk is in no block. */
static void take(struct sxt_dev *, const struct sxt_dev_block *b)
{
#ifdef SXT_EMU
    sxt_emu_take(b->base, b->bytes);
#else
    (void)b;
#endif
}

/* As cudaFree: streams of others, such as NCCL's, may be at work on it. */
static void give(struct sxt_dev *, const struct sxt_dev_block *b)
{
    SXT_CUDA(cudaDeviceSynchronize());
#ifdef SXT_EMU
    sxt_emu_give(b->base);
#else
    (void)b;
#endif
}

static size_t room(const struct sxt_dev *dev, int)
{
    size_t free_bytes, total;

    SXT_CUDA(cudaMemGetInfo(&free_bytes, &total));
    return free_bytes / (dev->sharers > 1 ? (size_t)dev->sharers : 1);
}

static bool read_sensors(const struct sxt_dev *dev,
                         struct sxt_dev_reading *reading)
{
    struct sxt_sensors *s = static_cast<const gpu *>(dev->state)->sensors;
    size_t free_bytes;

    SXT_CUDA(cudaMemGetInfo(&free_bytes, &reading->memory_total));
    reading->memory_used = reading->memory_total - free_bytes;
    if (s)
        sxt_sensors_read(s, reading);
    return true;
}

/* Only the emulated device's memory can be closed.  Whoever steps in for a
 * kernel comes behind those that were started. */
static void enter(struct sxt_dev *dev)
{
#ifdef SXT_EMU
    sxt_stream_finish(dev, SXT_STREAM_MAIN);
    sxt_emu_open();
#else
    (void)dev;
#endif
}

static void leave(struct sxt_dev *)
{
#ifdef SXT_EMU
    sxt_emu_close();
#endif
}

static void move(struct sxt_dev *dev, enum sxt_stream stream, void *to,
                 const void *from, size_t bytes, enum sxt_dev_way way)
{
    cudaMemcpyKind kind = way == SXT_DEV_PUT   ? cudaMemcpyHostToDevice
                          : way == SXT_DEV_GET ? cudaMemcpyDeviceToHost
                                               : cudaMemcpyDeviceToDevice;

    SXT_CUDA(cudaMemcpyAsync(to, from, bytes, kind, stream_of(dev, stream)));
}

static void zero(struct sxt_dev *dev, enum sxt_stream stream, void *to,
                 size_t bytes)
{
    SXT_CUDA(cudaMemsetAsync(to, 0, bytes, stream_of(dev, stream)));
}

static void finish(struct sxt_dev *dev, enum sxt_stream stream)
{
    SXT_CUDA(cudaStreamSynchronize(stream_of(dev, stream)));
}

/* ---- events: a cudaEvent_t under another name ---- */

static cudaEvent_t event_of(struct sxt_event *event)
{
    return reinterpret_cast<cudaEvent_t>(event);
}

static struct sxt_event *event_create(struct sxt_dev *)
{
    cudaEvent_t event;

    SXT_CUDA(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    return reinterpret_cast<struct sxt_event *>(event);
}

static void event_destroy(struct sxt_dev *, struct sxt_event *event)
{
    SXT_CUDA(cudaEventDestroy(event_of(event)));
}

static void event_record(struct sxt_dev *dev, struct sxt_event *event,
                         enum sxt_stream stream)
{
    SXT_CUDA(cudaEventRecord(event_of(event), stream_of(dev, stream)));
}

static void event_wait(struct sxt_dev *, struct sxt_event *event)
{
    SXT_CUDA(cudaEventSynchronize(event_of(event)));
}

static bool has_passed(cudaError_t error)
{
    if (error == cudaErrorNotReady)
        return false;
    SXT_CUDA(error);
    return true;
}

static bool idle(struct sxt_dev *dev, enum sxt_stream stream)
{
    return has_passed(cudaStreamQuery(stream_of(dev, stream)));
}

static bool event_passed(struct sxt_dev *, struct sxt_event *event)
{
    return has_passed(cudaEventQuery(event_of(event)));
}

static void stream_wait(struct sxt_dev *dev, enum sxt_stream stream,
                        struct sxt_event *event)
{
    SXT_CUDA(cudaStreamWaitEvent(stream_of(dev, stream), event_of(event), 0));
}

/* ---- recordings: a CUDA graph under another name ---- */

/* Threads beside this one may go on. */
static void record(struct sxt_dev *dev)
{
    SXT_CUDA(cudaStreamBeginCapture(stream_of(dev, SXT_STREAM_MAIN),
                                    cudaStreamCaptureModeThreadLocal));
}

static struct sxt_recording *recorded(struct sxt_dev *dev)
{
    cudaGraph_t graph;
    cudaGraphExec_t exec;

    SXT_CUDA(cudaStreamEndCapture(stream_of(dev, SXT_STREAM_MAIN), &graph));
    SXT_CUDA(cudaGraphInstantiate(&exec, graph, 0));
    SXT_CUDA(cudaGraphDestroy(graph));
    return reinterpret_cast<struct sxt_recording *>(exec);
}

static cudaGraphExec_t exec_of(struct sxt_recording *recording)
{
    return reinterpret_cast<cudaGraphExec_t>(recording);
}

static void replay(struct sxt_dev *dev, struct sxt_recording *recording)
{
    SXT_CUDA(cudaGraphLaunch(exec_of(recording),
                             stream_of(dev, SXT_STREAM_MAIN)));
}

static void forget(struct sxt_dev *, struct sxt_recording *recording)
{
    SXT_CUDA(cudaGraphExecDestroy(exec_of(recording)));
}

static void *pin(struct sxt_dev *, size_t bytes)
{
    void *p = NULL;

    if (cudaHostAlloc(&p, bytes > 0 ? bytes : 1, cudaHostAllocDefault) ==
        cudaSuccess)
        return p;
    cudaGetLastError(); /* stream.c tells it */
    return NULL;
}

static void unpin(struct sxt_dev *, void *p)
{
    SXT_CUDA(cudaFreeHost(p));
}

const struct sxt_dev_driver *sxt_dev_cuda(void)
{
    static struct sxt_dev_driver d;

    d.kind = "cuda";
#ifdef SXT_EMU
    d.exact = true;
#endif
    d.apart = true;
    d.open = open_gpu;
    d.close = close_gpu;
    d.map = map;
    d.unmap = unmap;
    d.take = take;
    d.give = give;
    d.room = room;
    d.read = read_sensors;
    d.enter = enter;
    d.leave = leave;
    d.move = move;
    d.zero = zero;
    d.finish = finish;
    d.event_create = event_create;
    d.event_destroy = event_destroy;
    d.event_record = event_record;
    d.event_wait = event_wait;
    d.idle = idle;
    d.event_passed = event_passed;
    d.stream_wait = stream_wait;
    d.record = record;
    d.recorded = recorded;
    d.replay = replay;
    d.forget = forget;
    d.pin = pin;
    d.unpin = unpin;
    return &d;
}
