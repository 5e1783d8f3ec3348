/* dev.c - the host and the fake device keep their promises. */
#define _GNU_SOURCE
#include "dev/dev.h"

#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test/tap.h"

/* What happens to a child that does `deed` on memory at p: the signal that
 * ends it, 0 if it lives. */
static int fate(void (*deed)(struct sxt_dev *dev, void *p), struct sxt_dev *dev,
                void *p)
{
    struct rlimit no_core = { 0, 0 };
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        signal(SIGSEGV, SIG_DFL);
        deed(dev, p);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void touch(struct sxt_dev *dev, void *p)
{
    (void)dev;
    ++*(volatile char *)p;
}

static void touch_inside(struct sxt_dev *dev, void *p)
{
    sxt_dev_enter(dev);
    touch(dev, p);
    sxt_dev_leave(dev);
}

static void touch_nested(struct sxt_dev *dev, void *p)
{
    sxt_dev_enter(dev);
    sxt_dev_enter(dev);
    sxt_dev_leave(dev);
    touch(dev, p);
    sxt_dev_leave(dev);
}

static void touch_after(struct sxt_dev *dev, void *p)
{
    touch_nested(dev, p);
    touch(dev, p);
}

static void touch_new_inside(struct sxt_dev *dev, void *p)
{
    (void)p;
    sxt_dev_enter(dev);
    touch(dev, sxt_dev_alloc(dev, 10));
    sxt_dev_leave(dev);
}

static void run_over(struct sxt_dev *dev, void *p)
{
    touch_inside(dev, (char *)p + 1024);
}

static void free_other(struct sxt_dev *dev, void *p)
{
    sxt_dev_free(dev, (char *)p + 1);
}

static void leave_twice(struct sxt_dev *dev, void *p)
{
    (void)p;
    sxt_dev_leave(dev);
}

static void destroy_full(struct sxt_dev *dev, void *p)
{
    (void)p;
    sxt_dev_destroy(dev);
}

static void put_too_much(struct sxt_dev *dev, void *p)
{
    static char host[2000];

    sxt_dev_put(dev, p, host, 1025);
}

static void put_from_device(struct sxt_dev *dev, void *p)
{
    sxt_dev_put(dev, p, (char *)p + 512, 100);
}

static const struct {
    const char *claim;
    void (*deed)(struct sxt_dev *dev, void *p);
    int host, fake; /* fates */
} fates[] = {
    { "the host touches device memory", touch, 0, SIGSEGV },
    { "a kernel touches it", touch_inside, 0, 0 },
    { "a kernel around a kernel touches it", touch_nested, 0, 0 },
    { "the host touches it after the outer kernel", touch_after, 0, SIGSEGV },
    { "a kernel touches memory just allocated", touch_new_inside, 0, 0 },
    { "a kernel runs over the end of a block", run_over, 0, SIGSEGV },
    { "memory of another is freed", free_other, SIGABRT, SIGABRT },
    { "a leave lacks its enter", leave_twice, SIGABRT, SIGABRT },
    { "a device in use is destroyed", destroy_full, SIGABRT, SIGABRT },
    { "a put is larger than its block", put_too_much, 0, SIGABRT },
    { "the source of a put is device memory", put_from_device, 0, SIGABRT },
};

static void test_fates(const char *kind)
{
    struct sxt_dev *dev = sxt_dev_create(kind, NULL);
    bool fake = strcmp(kind, "fake") == 0;
    void *p = sxt_dev_alloc(dev, 1024);
    void *behind = sxt_dev_alloc(dev, 4096); /* where host runs over */

    for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
        int expected = fake ? fates[i].fake : fates[i].host;
        int got = fate(fates[i].deed, dev, p);
        ok(got == expected, "%s: %s: %s (signal %d)", kind, fates[i].claim,
           expected == 0         ? "nothing happens"
           : expected == SIGSEGV ? "fault"
                                 : "abort",
           got);
    }
    sxt_dev_free(dev, behind);
    sxt_dev_free(dev, p);
    sxt_dev_destroy(dev);
}

static void test_memory(const char *kind)
{
    static const size_t sizes[] = { 0, 1, 63, 64, 65, 4095, 4096, 5 << 20 };
    enum { N = sizeof(sizes) / sizeof(sizes[0]) };
    struct sxt_dev *dev = sxt_dev_create(kind, NULL);
    size_t total = 0, odd = 0, dirty = 0;
    void *p[N];
    char c;

    for (int i = 0; i < N; i++) {
        p[i] = sxt_dev_alloc(dev, sizes[i]);
        odd += (uintptr_t)p[i] % 64 != 0;
        total += sizes[i];
        for (size_t at = 0; at < sizes[i]; at += 1021) {
            sxt_dev_get(dev, &c, (char *)p[i] + at, 1);
            dirty += c != 0;
        }
    }
    is_text(sxt_dev_kind(dev), kind, "the device knows its kind");
    ok(odd == 0, "%s: memory is 64-byte aligned", kind);
    ok(dirty == 0, "%s: memory is zeroed", kind);
    ok(sxt_dev_in_use(dev) == total, "%s: in use are %zu bytes", kind, total);
    sxt_dev_free(dev, p[N - 1]);
    sxt_dev_free(dev, NULL);
    ok(sxt_dev_in_use(dev) == total - sizes[N - 1] &&
           sxt_dev_peak(dev) == total,
       "%s: freeing lowers the use, not the peak", kind);
    for (int i = 0; i < N - 1; i++)
        sxt_dev_free(dev, p[i]);
    ok(sxt_dev_in_use(dev) == 0, "%s: nothing is left", kind);
    sxt_dev_destroy(dev);
    sxt_dev_destroy(NULL);
}

static void test_copies(const char *kind)
{
    struct sxt_dev *dev = sxt_dev_create(kind, NULL);
    char *p = sxt_dev_alloc(dev, 8), got[8] = "";

    sxt_dev_put(dev, p, "abcdefg", 8);
    sxt_dev_get(dev, got, p, 8);
    is_text(got, "abcdefg", "what was put is got");
    sxt_dev_copy(dev, p + 1, p, 3);
    sxt_dev_get(dev, got, p, 8);
    is_text(got, "aabcefg", "a copy inside a block may overlap");
    sxt_dev_zero(dev, p + 4, 4);
    sxt_dev_get(dev, got, p, 8);
    ok(memcmp(got, "aabc\0\0\0", 8) == 0, "%s: zero clears its bytes", kind);
    ok(sxt_dev_holds(dev, p, 8), "%s: the device holds its block", kind);
    ok(sxt_dev_holds(dev, p, 9) == (strcmp(kind, "fake") != 0),
       "%s: only fake sees a byte too many", kind);
    sxt_dev_free(dev, p);
    sxt_dev_destroy(dev);
}

int main(void)
{
    struct sxt_error err = { 0 };

    ok(!sxt_dev_create("cuda9", &err) && err.code == SXT_EXIT_UNAVAILABLE,
       "an unknown device is an error: %s", err.text);
    test_memory("host");
    test_memory("fake");
    test_copies("host");
    test_copies("fake");
    test_fates("host");
    test_fates("fake");
    return done_testing();
}
