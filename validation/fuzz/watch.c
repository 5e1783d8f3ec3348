/* watch.c - limits on time and memory, and other small things of targets. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "fuzz.h"

/* Of compiler-rt; absent in ordinary builds. */
int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void *, size_t),
    void (*on_free)(const volatile void *)) __attribute__((weak));
size_t __sanitizer_get_allocated_size(const volatile void *)
    __attribute__((weak));

static struct {
    bool installed, on;
    size_t held, most;
    double start;
} state;

static void on_malloc(const volatile void *p, size_t n)
{
    (void)p;
    if (!state.on)
        return;
    state.held += n;
    if (state.held > state.most)
        state.most = state.held;
}

static void on_free(const volatile void *p)
{
    size_t n = state.on && p ? __sanitizer_get_allocated_size(p) : 0;

    /* What was there before the start may go. */
    state.held -= n < state.held ? n : state.held;
}

/* Of this thread, and of processes that it started and that have ended. */
static double cpu(void)
{
    struct timespec t;
    struct rusage r;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    getrusage(RUSAGE_CHILDREN, &r);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec +
           (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

void fuzz_start(void)
{
    if (!state.installed && __sanitizer_install_malloc_and_free_hooks)
        __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
    state.installed = true;
    state.held = state.most = 0;
    state.on = true;
    state.start = cpu();
}

void fuzz_stop(size_t most)
{
    double s = cpu() - state.start;

    state.on = false;
    if (s > FUZZ_CPU_S || state.most > most)
        fprintf(stderr, "took %.2f s and %zu MiB\n", s, state.most >> 20);
    SXT_CHECK(s <= FUZZ_CPU_S);
    SXT_CHECK(state.most <= most);
}

struct sxt_span fuzz_part(struct sxt_span *rest)
{
    const char *end =
        rest->len > 0 ? memchr(rest->data, '\0', rest->len) : NULL;
    size_t n = end ? (size_t)(end - rest->data) : rest->len;
    struct sxt_span part = { rest->data, n };

    rest->data += n + (end != NULL);
    rest->len -= n + (end != NULL);
    return part;
}

const char *fuzz_file(struct sxt_span bytes, int *fd, char path[32])
{
    *fd = memfd_create("fuzz", MFD_CLOEXEC);
    SXT_CHECK(*fd >= 0);
    SXT_CHECK(write(*fd, bytes.data, bytes.len) == (ssize_t)bytes.len);
    snprintf(path, 32, "/proc/self/fd/%d", *fd);
    return path;
}
