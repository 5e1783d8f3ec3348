/* runtime.cc - the emulated device: its memory, copies and errors. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <vector>

#include "cuda/emu/api.h"
#include "cuda/emu/fibre.h"
#include "cuda/emu/memory.h"
#include "cuda/emu/stream.h"

enum {
    FILL = 0xff,
    ROUND = 64,
    GUARD = 1 << 20, /* bytes on either side of a block that fault */
    SHARED_DEFAULT = 48 << 10
};

struct block {
    char *base;          /* what the caller has */
    size_t bytes, whole; /* asked for; rounded up, to the faulting page */
    char *pages;
    size_t pages_bytes; /* accessible ones, between faulting ones */
    bool part;          /* of another, which then is `divided` */
    bool divided;       /* it is nothing but its parts */
};

/* The machine: one per process. */
static struct {
    std::vector<block> blocks;
    std::map<const void *, size_t> shared_allowed;
    std::map<const char *, size_t> pinned; /* host memory, its bytes */
    size_t in_use;
    int device, depth;
    cudaError_t last;
} machine;

static cudaError_t fail(cudaError_t error)
{
    return machine.last = error;
}

static size_t number(const char *name, size_t usual)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : usual;
}

static size_t memory_bytes(void)
{
    return number("SXT_EMU_MEMORY_MIB", 1024) << 20;
}

/* ---- errors ---- */

const char *cudaGetErrorName(cudaError_t error)
{
    switch (error) {
    case cudaSuccess:
        return "cudaSuccess";
    case cudaErrorMemoryAllocation:
        return "cudaErrorMemoryAllocation";
    case cudaErrorNoDevice:
        return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
        return "cudaErrorInvalidDevice";
    default:
        return "cudaErrorInvalidValue";
    }
}

const char *cudaGetErrorString(cudaError_t error)
{
    switch (error) {
    case cudaSuccess:
        return "no error";
    case cudaErrorMemoryAllocation:
        return "out of memory";
    case cudaErrorNoDevice:
        return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice:
        return "invalid device ordinal";
    default:
        return "invalid argument";
    }
}

cudaError_t cudaGetLastError(void)
{
    cudaError_t last = machine.last;

    machine.last = cudaSuccess;
    return last;
}

/* ---- the device ---- */

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = (int)number("SXT_EMU_DEVICES", 8);
    return *count > 0 ? cudaSuccess : fail(cudaErrorNoDevice);
}

cudaError_t cudaSetDevice(int device)
{
    int count;

    if (cudaGetDeviceCount(&count) != cudaSuccess || device < 0 ||
        device >= count)
        return fail(cudaErrorInvalidDevice);
    machine.device = device;
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int *device)
{
    *device = machine.device;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *prop, int device)
{
    memset(prop, 0, sizeof(*prop));
    snprintf(prop->name, sizeof(prop->name), "emulated GPU");
    memcpy(prop->uuid.bytes, "sextant-emulated", 16);
    prop->uuid.bytes[15] = (char)device;
    prop->totalGlobalMem = memory_bytes();
    prop->sharedMemPerBlockOptin = 227 << 10;
    prop->multiProcessorCount = 4;
    prop->major = 9;
    prop->pciBusID = device + 1;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *free, size_t *total)
{
    *total = memory_bytes();
    *free = *total - machine.in_use;
    return cudaSuccess;
}

/* ---- memory ---- */

static size_t round_up(size_t x, size_t unit)
{
    return (x + unit - 1) / unit * unit;
}

/* The bytes between a block's end and the page that faults are as filled. */
static void check_end(const block &b)
{
    if (b.divided)
        return;
    for (size_t i = b.bytes; i < b.whole; i++)
        if ((unsigned char)b.base[i] != FILL)
            sxt_emu_fail("wrote %zu bytes behind a block of %zu bytes",
                         i - b.bytes, b.bytes);
}

static void protect(const block &b, int access)
{
    if (!b.divided && mprotect(b.pages, b.pages_bytes, access) != 0)
        sxt_emu_fail("mprotect failed");
}

void sxt_emu_open(void)
{
    if (machine.depth++ == 0)
        for (const block &b : machine.blocks)
            protect(b, PROT_READ | PROT_WRITE);
}

void sxt_emu_close(void)
{
    if (--machine.depth > 0)
        return;
    for (const block &b : machine.blocks) {
        check_end(b);
        protect(b, PROT_NONE);
    }
}

/* The block in which p lies or, if in none, the nearest. */
static const block *nearest(const void *p)
{
    const block *best = NULL;
    uintptr_t at = (uintptr_t)p, least = UINTPTR_MAX;

    for (const block &b : machine.blocks) {
        uintptr_t from = (uintptr_t)b.base, to = from + b.bytes;
        uintptr_t away = at < from ? from - at : at >= to ? at - to + 1 : 0;
        if (!b.divided && away < least) {
            least = away;
            best = &b;
        }
    }
    return best;
}

void sxt_emu_describe(const void *p, char *text, size_t size)
{
    const block *b = nearest(p);
    const char *at = (const char *)p;

    if (!b)
        snprintf(text, size, "%p; the device has no memory at all", p);
    else if (at < b->base)
        snprintf(text, size, "%p, %zu bytes before a block of %zu bytes", p,
                 (size_t)(b->base - at), b->bytes);
    else
        snprintf(text, size, "%p, %zu bytes behind the end of a block of %zu",
                 p, (size_t)(at - b->base) - b->bytes, b->bytes);
}

cudaError_t cudaMalloc(void **p, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    block b = {};

    if (sxt_emu_any_capturing())
        return fail(cudaErrorStreamCaptureUnsupported);
    if (bytes > memory_bytes() - machine.in_use)
        return fail(cudaErrorMemoryAllocation);
    b.bytes = bytes;
    b.whole = round_up(bytes, ROUND);
    b.pages_bytes = round_up(bytes > 0 ? bytes : 1, page);
    void *all = mmap(NULL, b.pages_bytes + 2 * GUARD, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return fail(cudaErrorMemoryAllocation);
    b.pages = (char *)all + GUARD;
    b.base = b.pages + b.pages_bytes - b.whole;
    protect(b, PROT_READ | PROT_WRITE);
    memset(b.pages, FILL, b.pages_bytes);
    if (machine.depth == 0)
        protect(b, PROT_NONE);
    machine.blocks.push_back(b);
    machine.in_use += bytes;
    *p = b.base;
    return cudaSuccess;
}

cudaError_t cudaFree(void *p)
{
    if (sxt_emu_any_capturing())
        return fail(cudaErrorStreamCaptureUnsupported);
    sxt_emu_drain();
    for (size_t i = 0; p && i < machine.blocks.size(); i++) {
        block b = machine.blocks[i];
        if (b.base != p || b.part)
            continue;
        munmap(b.pages - GUARD, b.pages_bytes + 2 * GUARD);
        machine.blocks.erase(machine.blocks.begin() + (long)i);
        machine.in_use -= b.bytes;
        return cudaSuccess;
    }
    return p ? fail(cudaErrorInvalidValue) : cudaSuccess;
}

void sxt_emu_take(void *p, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    block b = {};

    for (block &whole : machine.blocks) {
        uintptr_t at = (uintptr_t)p - (uintptr_t)whole.base;
        if (whole.part || at >= whole.bytes)
            continue;
        protect(whole, PROT_NONE);
        whole.divided = true;
    }
    b.part = true;
    b.base = (char *)p;
    b.bytes = bytes;
    b.whole = round_up(bytes, ROUND);
    b.pages_bytes = round_up(bytes > 0 ? bytes : 1, page);
    b.pages = b.base + b.whole - b.pages_bytes;
    protect(b, PROT_READ | PROT_WRITE);
    memset(b.base + bytes, FILL, b.whole - bytes);
    if (machine.depth == 0)
        protect(b, PROT_NONE);
    machine.blocks.push_back(b);
}

void sxt_emu_give(void *p)
{
    size_t i = 0;

    while (machine.blocks[i].base != p || !machine.blocks[i].part)
        i++;
    block b = machine.blocks[i];
    protect(b, PROT_NONE);
    machine.blocks.erase(machine.blocks.begin() + (long)i);
}

cudaError_t cudaHostAlloc(void **p, size_t bytes, unsigned)
{
    if (sxt_emu_any_capturing())
        return fail(cudaErrorStreamCaptureUnsupported);
    *p = malloc(bytes > 0 ? bytes : 1);
    if (!*p)
        return fail(cudaErrorMemoryAllocation);
    machine.pinned[(char *)*p] = bytes;
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void *p)
{
    sxt_emu_drain();
    machine.pinned.erase((char *)p);
    free(p);
    return cudaSuccess;
}

static bool is_pinned(const void *p)
{
    auto next = machine.pinned.upper_bound((const char *)p);

    if (next == machine.pinned.begin())
        return false;
    --next;
    return (size_t)((const char *)p - next->first) < next->second;
}

bool sxt_emu_holds(const void *p, size_t bytes)
{
    const block *b = nearest(p);
    size_t at = b ? (uintptr_t)p - (uintptr_t)b->base : 0;

    return b && at < b->bytes && bytes <= b->bytes - at;
}

/* Whether a copy of this kind may have this side: device memory wholly inside
 * one block, host memory outside of all. */
static bool fits(const void *p, size_t bytes, bool on_device)
{
    return sxt_emu_holds(p, on_device ? bytes : 1) == on_device;
}

static void copy_now(void *to, const void *from, size_t bytes)
{
    sxt_emu_open();
    memcpy(to, from, bytes);
    sxt_emu_close();
}

/* Host memory that is not pinned is read when the copy is asked for, and
 * written before it returns. */
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes,
                            cudaMemcpyKind kind, cudaStream_t stream)
{
    bool to_device =
        kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    bool from_device =
        kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;

    if (bytes == 0)
        return cudaSuccess;
    if (kind == cudaMemcpyDefault || !fits(to, bytes, to_device) ||
        !fits(from, bytes, from_device))
        return fail(cudaErrorInvalidValue);
    if ((uintptr_t)to - (uintptr_t)from < bytes ||
        (uintptr_t)from - (uintptr_t)to < bytes)
        sxt_emu_fail("a copy of %zu bytes whose sides overlap", bytes);
    if (!from_device && !is_pinned(from) && !sxt_emu_capturing(stream)) {
        const char *first = static_cast<const char *>(from);
        auto staged =
            std::make_shared<std::vector<char>>(first, first + bytes);
        sxt_emu_enqueue(stream, [to, staged] {
            copy_now(to, staged->data(), staged->size());
        });
        return cudaSuccess;
    }
    sxt_emu_enqueue(stream, [=] { copy_now(to, from, bytes); });
    if (!to_device && !is_pinned(to))
        return cudaStreamSynchronize(stream);
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes,
                            cudaStream_t stream)
{
    if (bytes == 0)
        return cudaSuccess;
    if (!fits(to, bytes, true))
        return fail(cudaErrorInvalidValue);
    sxt_emu_enqueue(stream, [=] {
        sxt_emu_open();
        memset(to, value, bytes);
        sxt_emu_close();
    });
    return cudaSuccess;
}

/* ---- kernels' attributes ---- */

cudaError_t sxt_emu_set_attribute(const void *function,
                                  cudaFuncAttribute attribute, int value)
{
    if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout)
        return cudaSuccess;
    if (value < 0 || value > 227 << 10)
        return fail(cudaErrorInvalidValue);
    machine.shared_allowed[function] = (size_t)value;
    return cudaSuccess;
}

size_t sxt_emu_shared_allowed(const void *function)
{
    auto found = machine.shared_allowed.find(function);

    return found == machine.shared_allowed.end() ? (size_t)SHARED_DEFAULT
                                                 : found->second;
}
