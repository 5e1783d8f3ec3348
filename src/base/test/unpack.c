/* unpack.c - streams of every kind, whole, cut, damaged and malicious. */
#include "base/unpack.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/test/tap.h"

static char *path;

struct reading {
    size_t n; /* bytes */
    char first, last;
    int failed;
    struct sxt_error err;
};

/* Read the file in pieces of `piece` bytes. */
static struct reading read_all(size_t piece)
{
    struct reading r = { 0 };
    struct sxt_unpack *u = sxt_unpack_open(path, &r.err);
    char *to = sxt_alloc(piece, 1);
    int n = 0;

    while (u && (n = sxt_unpack_read(u, to, piece, &r.err)) != 0) {
        if (n < 0) {
            r.failed++;
            continue;
        }
        if (r.n == 0)
            r.first = to[0];
        r.last = to[n - 1];
        r.n += (size_t)n;
    }
    r.failed += !u;
    sxt_unpack_close(u);
    free(to);
    return r;
}

static void put(const void *data, size_t n)
{
    struct sxt_error err = { 0 };

    if (sxt_file_write(path, data, n, &err) != 0)
        printf("Bail out! %s\n", err.text);
}

/* Frames written by hand, by RFC 8878: magic, descriptor 0, the window, and
 * blocks of a size, a kind (0 raw, 1 one byte repeated) and "is last". */
#define MAGIC "\x28\xB5\x2F\xFD"
#define FRAME MAGIC "\0"
#define WINDOW_1K "\x00"
#define WINDOW_128M "\x88"
#define WINDOW_256M "\x90"
#define LAST_AB "\x11\0\0ab"
#define SKIPPED "\x53\x2A\x4D\x18\x03\0\0\0xyz"

#define TEXT(t) t, sizeof(t) - 1
static const struct {
    const char *what, *data;
    size_t len, n; /* the file's, what is in it */
    int failed;
    const char *says; /* behind the name of the file */
} frames[] = {
    { "a frame", TEXT(FRAME WINDOW_1K LAST_AB), 2, 0, "" },
    { "two frames", TEXT(FRAME WINDOW_1K LAST_AB FRAME WINDOW_1K "\x09\0\0b"),
      3, 0, "" },
    { "a frame to be skipped before one", TEXT(SKIPPED FRAME WINDOW_1K LAST_AB),
      2, 0, "" },
    { "one behind", TEXT(FRAME WINDOW_1K LAST_AB SKIPPED), 2, 0, "" },
    { "only one to be skipped", TEXT(SKIPPED), 0, 0, "" },
    { "a window of 128 MiB", TEXT(FRAME WINDOW_128M LAST_AB), 2, 0, "" },
    { "a window of 256 MiB", TEXT(FRAME WINDOW_256M LAST_AB), 0, 1,
      "cannot be unpacked: Frame requires too much memory" },
    { "a magic number alone", TEXT(MAGIC), 0, 1, "its end is missing" },
    { "no last block", TEXT(FRAME WINDOW_1K "\x10\0\0ab"), 2, 1,
      "its end is missing" },
    { "half a block", TEXT(FRAME WINDOW_1K "\x11\0\0a"), 1, 1,
      "its end is missing" },
    { "a reserved kind of block", TEXT(FRAME WINDOW_1K "\x17\0\0ab"), 0, 1,
      "cannot be unpacked" },
    { "a block larger than the window", TEXT(FRAME WINDOW_1K "\x0B\x20\0a"), 0,
      1, "cannot be unpacked" },
    { "text behind a frame", TEXT(FRAME WINDOW_1K LAST_AB "more text"), 2, 1,
      "cannot be unpacked" },
};

static void test_frames(void)
{
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        put(frames[i].data, frames[i].len);
        struct reading r = read_all(100);
#ifdef HAVE_ZSTD
        ok(r.n == frames[i].n && r.failed == frames[i].failed &&
               (!r.failed ||
                (r.err.code == SXT_EXIT_DATA && strstr(r.err.text, path) &&
                 strstr(r.err.text, frames[i].says))),
           "%s: %zu bytes %s", frames[i].what, r.n, r.err.text);
#else
        ok(r.failed == 1 && r.err.code == SXT_EXIT_DATA &&
               strstr(r.err.text, path) && strstr(r.err.text, "libzstd"),
           "%s is refused: %s", frames[i].what, r.err.text);
#endif
    }
}

/* `data` packed, as gzip or Zstandard. */
static void put_packed(const char *data, size_t n, bool zstd)
{
#ifdef HAVE_ZSTD
    if (zstd) {
        size_t room = ZSTD_compressBound(n);
        char *to = sxt_alloc(room, 1);
        put(to, ZSTD_compress(to, room, data, n, 1));
        free(to);
        return;
    }
#endif
    (void)zstd;
    gzFile z = gzopen(path, "wb");
    gzwrite(z, data, (unsigned)n);
    gzclose(z);
}

enum { LONG = 300000 };

static void test_kind(const char *data, const char *kind, bool zstd)
{
    static const size_t pieces[] = { 1000, 1 << 20 };
    struct sxt_str file = SXT_STR_EMPTY;
    struct sxt_error err = { 0 };

    for (size_t i = 0; i < 2; i++) {
        put_packed(data, LONG, zstd);
        struct reading r = read_all(pieces[i]);
        ok(r.n == LONG && !r.failed && r.first == data[0] &&
               r.last == data[LONG - 1],
           "%s in pieces of %zu bytes", kind, pieces[i]);
    }
    sxt_file_read(path, &file, &err);
    put(file.data, file.len / 2);
    struct reading r = read_all(1000);
    ok(r.failed == 1 && r.n > LONG / 10 && r.n < LONG &&
           strstr(r.err.text, "its end is missing"),
       "half of %s gives %zu bytes, then: %s", kind, r.n, r.err.text);

    put_packed(data, 200, zstd);
    file.len = 0;
    sxt_file_read(path, &file, &err);
    size_t wrong = 0;
    for (size_t cut = 4; cut < file.len; cut++) {
        put(file.data, cut);
        r = read_all(50);
        wrong += r.failed != 1 || r.err.code != SXT_EXIT_DATA;
    }
    ok(wrong == 0 && file.len > 20, "%s cut behind any byte fails once", kind);
    for (size_t i = 4; i < file.len; i++) {
        file.data[i] ^= 0x55;
        put(file.data, file.len);
        r = read_all(50);
        wrong += r.failed > 1;
        file.data[i] ^= 0x55;
    }
    ok(wrong == 0, "... and comes to an end with any byte wrong");
    sxt_str_free(&file);
}

static void test_kinds(void)
{
    char *data = sxt_alloc(LONG, 1);
    uint32_t x = 1;

    for (size_t i = 0; i < LONG; i++) {
        x = x * 1664525 + 1013904223;
        data[i] = (char)('a' + (x >> 28));
    }
    put(data, LONG);
    struct reading r = read_all(1000);
    ok(r.n == LONG && !r.failed && r.last == data[LONG - 1], "a plain file");
    put("", 0);
    r = read_all(10);
    ok(r.n == 0 && !r.failed, "an empty one");
    test_kind(data, "gzip", false);
#ifdef HAVE_ZSTD
    test_kind(data, "Zstandard", true);
#else
    ok(true, "Zstandard # SKIP this build has no libzstd");
#endif
    free(data);
}

#ifdef HAVE_ZSTD
static long peak_kb(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

/* Blocks of 4 bytes that hold 128 KiB each. */
static void test_bomb(void)
{
    enum { BLOCKS = 8000, BLOCK = 131072 };
    struct sxt_str bomb = SXT_STR_EMPTY;

    sxt_str_add_bytes(&bomb, FRAME "\x38", 6); /* a window of 128 KiB */
    for (int i = 0; i < BLOCKS; i++)
        sxt_str_add_bytes(&bomb, i < BLOCKS - 1 ? "\x02\0\x10 " : "\x03\0\x10 ",
                          4);
    put(bomb.data, bomb.len);
    sxt_str_free(&bomb);
    long before = peak_kb();
    struct reading r = read_all(65536);
    long more = peak_kb() - before;
    ok(r.n == (size_t)BLOCKS * BLOCK && !r.failed && more < 16384,
       "%zu MiB out of 32 KB need little memory (%ld KiB more)", r.n >> 20,
       more);
}
#endif

int main(void)
{
    char dir[] = "unpack-XXXXXX";

    if (!mkdtemp(dir)) {
        printf("Bail out! no folder for files\n");
        return 1;
    }
    path = sxt_path_join(dir, "f");
    test_frames();
    test_kinds();
#ifdef HAVE_ZSTD
    test_bomb();
#endif
    unlink(path);
    struct reading r = read_all(10);
    ok(r.failed == 1 && r.err.code == SXT_EXIT_NOINPUT, "no file: %s",
       r.err.text);
    mkdir(path, 0700);
    r = read_all(10);
    ok(r.failed == 1 && r.err.code == SXT_EXIT_NOINPUT, "a folder: %s",
       r.err.text);
    rmdir(path);
    mkfifo(path, 0600);
    r = read_all(10);
    ok(r.failed == 1 && r.err.code == SXT_EXIT_NOINPUT,
       "a pipe without a writer does not hang: %s", r.err.text);
    unlink(path);
    rmdir(dir);
    free(path);
    return done_testing();
}
