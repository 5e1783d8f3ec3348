/* emu-device.c - the GPU's driver, on the emulated GPU: memory by purpose, its
 * end, what is sealed, pinned memory, recordings, copies beside kernels. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test/tap.h"
#include "dev/stream.h"

enum { MIB = 1 << 20 };

/* What a child says that does this, and its exit status; a signal is 256 and
 * more. */
static int told(void (*deed)(struct sxt_dev *dev), struct sxt_dev *dev,
                char text[2000])
{
    int ends[2], status = 0;
    size_t used = 0;
    ssize_t n;

    fflush(stdout);
    if (pipe(ends) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        deed(dev);
        _exit(0);
    }
    close(ends[1]);
    while ((n = read(ends[0], text + used, 1999 - used)) > 0)
        used += (size_t)n;
    text[used] = '\0';
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void want_cache(struct sxt_dev *dev)
{
    sxt_dev_alloc_for(dev, SXT_DEV_CACHE, 12 * MIB);
}

static void want_logits(struct sxt_dev *dev)
{
    sxt_dev_alloc_for(dev, SXT_DEV_LOGITS, 12 * MIB);
}

static void alloc_sealed(struct sxt_dev *dev)
{
    sxt_dev_seal(dev, true);
    sxt_dev_alloc(dev, 1);
}

static void pin_sealed(struct sxt_dev *dev)
{
    sxt_dev_seal(dev, true);
    sxt_pinned_alloc(dev, 1);
}

static void alloc_recording(struct sxt_dev *dev)
{
    sxt_dev_record(dev);
    sxt_dev_alloc(dev, 1);
}

static void wait_recording(struct sxt_dev *dev)
{
    sxt_dev_record(dev);
    sxt_stream_finish(dev, SXT_STREAM_MAIN);
}

static void free_recording(struct sxt_dev *dev)
{
    void *p = sxt_dev_alloc(dev, 1);

    sxt_dev_record(dev);
    sxt_dev_free(dev, p);
}

/* A GPU of 16 MiB that holds 3 MiB of weights and 2 MiB of cache. */
static void test_room(void)
{
    static const struct {
        void (*deed)(struct sxt_dev *dev);
        const char *what, *says[3];
    } ends[] = {
        { want_cache,
          "the cache",
          { "12.0 MiB more for key-value cache, 5.0 MiB in use",
            "weights: 3.0 MiB; smaller with: dtype bf16",
            "key-value cache: 2.0 MiB; smaller with: cache_mib" } },
        { want_logits,
          "logits",
          { "12.0 MiB more for logits, 5.0 MiB in use",
            "logits: 0.0 MiB; smaller with: batch", "on emulated GPU" } },
    };
    char text[2000];

    setenv("SXT_EMU_MEMORY_MIB", "16", 1);
    struct sxt_dev *dev = sxt_dev_create("cuda", NULL);
    void *w = sxt_dev_alloc_for(dev, SXT_DEV_WEIGHTS, 3 * MIB);
    void *c = sxt_dev_alloc_for(dev, SXT_DEV_CACHE, 2 * MIB);
    ok(sxt_dev_in_use_for(dev, SXT_DEV_WEIGHTS) == 3 * MIB &&
           sxt_dev_in_use_for(dev, SXT_DEV_CACHE) == 2 * MIB &&
           sxt_dev_in_use(dev) == 5 * MIB,
       "emu-device: memory is accounted for by purpose");
    size_t left = 16 * MIB - sxt_dev_mapped(dev);
    ok(left >= 8 * MIB && left <= 11 * MIB && sxt_dev_room(dev, 1) == left &&
           sxt_dev_room(dev, 3) == left,
       "emu-device: room is what the GPU has left, whoever is on the node");
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        int status = told(ends[i].deed, dev, text);
        ok(status == SXT_EXIT_UNAVAILABLE,
           "emu-device: no room for %s ends with status %d (%d)", ends[i].what,
           SXT_EXIT_UNAVAILABLE, status);
        for (int k = 0; k < 3; k++)
            ok(strstr(text, ends[i].says[k]), "emu-device:   and says '%s'",
               ends[i].says[k]);
    }
    sxt_dev_free(dev, w);
    sxt_dev_free(dev, c);
    sxt_dev_destroy(dev);
    unsetenv("SXT_EMU_MEMORY_MIB");
}

static void test_seal(void)
{
    struct sxt_dev *dev = sxt_dev_create("cuda", NULL);
    char text[2000];

    ok(told(alloc_sealed, dev, text) >= 256 && strstr(text, "sealed"),
       "emu-device: to allocate on a sealed device is a bug");
    ok(told(pin_sealed, dev, text) >= 256 && strstr(text, "sealed"),
       "emu-device: and so is to pin memory");
    sxt_dev_seal(dev, true);
    sxt_dev_seal(dev, false);
    sxt_dev_free(dev, sxt_dev_alloc(dev, 1));
    ok(true, "emu-device: unsealed, it gives memory again");
    sxt_dev_destroy(dev);
}

/* A recording copies what is there when it is replayed. */
static void test_recording(void)
{
    static const struct {
        void (*deed)(struct sxt_dev *dev);
        const char *what;
    } bugs[] = { { alloc_recording, "to allocate" },
                 { free_recording, "to free" },
                 { wait_recording, "to wait" } };
    struct sxt_dev *dev = sxt_dev_create("cuda", NULL);
    char *a = sxt_dev_alloc(dev, 8), *b = sxt_dev_alloc(dev, 8), got[8];
    char text[2000];

    sxt_dev_put(dev, a, "recordd", 8);
    sxt_dev_record(dev);
    sxt_dev_copy(dev, b, a, 8);
    struct sxt_recording *r = sxt_dev_recorded(dev);
    sxt_dev_get(dev, got, b, 8);
    ok(got[0] == '\0', "emu-device: what is recorded is not done");
    sxt_dev_put(dev, a, "replayd", 8);
    sxt_dev_replay(dev, r);
    sxt_dev_get(dev, got, b, 8);
    is_text(got, "replayd", "emu-device: a replay works on what is there now");
    sxt_recording_destroy(dev, r);
    for (size_t i = 0; i < sizeof(bugs) / sizeof(*bugs); i++)
        ok(told(bugs[i].deed, dev, text) >= 256 && strstr(text, "recording"),
           "emu-device: %s while recording is a bug", bugs[i].what);
    sxt_dev_free(dev, a);
    sxt_dev_free(dev, b);
    sxt_dev_destroy(dev);
}

/* In through one stream, on the device in a second, out through a third. */
static void test_streams(void)
{
    enum { N = 1000 };
    struct sxt_dev *dev = sxt_dev_create("cuda", NULL);
    struct sxt_event *in = sxt_event_create(dev), *copied;
    char *host = sxt_pinned_alloc(dev, 2 * N), *a = sxt_dev_alloc(dev, N);
    char *b = sxt_dev_alloc(dev, N);
    bool zeroed = true, same = true;

    copied = sxt_event_create(dev);
    for (int i = 0; i < N; i++) {
        zeroed = zeroed && host[i] == 0 && host[N + i] == 0;
        host[i] = (char)(i * 7);
    }
    ok(zeroed, "emu-device: pinned memory is zeroed");
    sxt_event_wait(dev, in); /* never recorded: passed */
    sxt_dev_put_on(dev, SXT_STREAM_IN, a, host, N);
    sxt_event_record(dev, in, SXT_STREAM_IN);
    sxt_stream_wait(dev, SXT_STREAM_MAIN, in);
    sxt_dev_copy(dev, b, a, N);
    sxt_event_record(dev, copied, SXT_STREAM_MAIN);
    sxt_stream_wait(dev, SXT_STREAM_OUT, copied);
    sxt_dev_get_on(dev, SXT_STREAM_OUT, host + N, b, N);
    sxt_stream_finish(dev, SXT_STREAM_OUT);
    for (int i = 0; i < N; i++)
        same = same && host[N + i] == (char)(i * 7);
    ok(same, "emu-device: bytes pass through three streams");
    sxt_event_destroy(dev, in);
    sxt_event_destroy(dev, copied);
    sxt_pinned_free(dev, host);
    sxt_dev_free(dev, a);
    sxt_dev_free(dev, b);
    sxt_dev_destroy(dev);
}

int main(void)
{
    struct sxt_error err = { 0 };

    setenv("SXT_EMU_DEVICES", "2", 1);
    ok(!sxt_dev_create_at("cuda", 2, &err) && strstr(err.text, "sees 2"),
       "emu-device: a third of two GPUs is refused (%s)", err.text);
    test_room();
    test_seal();
    test_recording();
    test_streams();
    return done_testing();
}
