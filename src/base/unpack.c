/* unpack.c - a file as a stream, through zlib or libzstd. */
#include "base/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/mem.h"

enum { CHUNK = 65536 };       /* bytes read from a Zstandard file at once */
enum { WINDOW_LOG_MAX = 27 }; /* 128 MiB to look back into: `zstd --ultra` */

struct sxt_unpack {
    char *path;
    bool ended; /* by damage that was told */
    gzFile gz;  /* reads plain files as well; NULL for Zstandard */
#ifdef HAVE_ZSTD
    int fd;
    ZSTD_DStream *zstd;
    ZSTD_inBuffer in;
    bool midway; /* in a frame, the end of which is to come */
    char chunk[CHUNK];
#endif
};

static int damaged(struct sxt_unpack *u, const char *why, struct sxt_error *err)
{
    u->ended = true;
    return sxt_err(err, SXT_EXIT_DATA, "%s: cannot be unpacked: %s", u->path,
                   why);
}

static int unreadable(struct sxt_unpack *u, struct sxt_error *err)
{
    u->ended = true;
    return sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s", u->path);
}

static int read_gz(struct sxt_unpack *u, void *to, size_t n,
                   struct sxt_error *err)
{
    int code = Z_OK, got = gzread(u->gz, to, (unsigned)n);

    if (got > 0)
        return got;
    /* A file that ends too early gives its bytes first. */
    const char *why = gzerror(u->gz, &code);
    if (got == 0 && code != Z_BUF_ERROR)
        return 0;
    if (code == Z_ERRNO)
        return unreadable(u, err);
    return damaged(u, code == Z_BUF_ERROR ? "its end is missing" : why, err);
}

/* A frame's first bytes, or those of a frame to be skipped (RFC 8878). */
static bool is_zstd(const unsigned char b[4])
{
    return memcmp(b, "\x28\xB5\x2F\xFD", 4) == 0 ||
           (b[0] >> 4 == 5 && memcmp(b + 1, "\x2A\x4D\x18", 3) == 0);
}

#ifdef HAVE_ZSTD
static void open_zstd(struct sxt_unpack *u, int fd)
{
    u->fd = fd;
    u->zstd = ZSTD_createDStream();
    SXT_CHECK(u->zstd);
    SXT_CHECK(!ZSTD_isError(
        ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)));
}

/* 1 with bytes to unpack, 0 at the end of the file, -1 on failure. */
static int refill(struct sxt_unpack *u, struct sxt_error *err)
{
    ssize_t got;

    if (u->in.pos < u->in.size)
        return 1;
    do
        got = read(u->fd, u->chunk, CHUNK);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return unreadable(u, err);
    u->in = (ZSTD_inBuffer){ u->chunk, (size_t)got, 0 };
    return got > 0;
}

static int read_zstd(struct sxt_unpack *u, void *to, size_t n,
                     struct sxt_error *err)
{
    ZSTD_outBuffer out = { to, n, 0 };

    while (out.pos == 0) {
        int rc = refill(u, err);
        if (rc < 0)
            return -1;
        if (rc == 0 && !u->midway)
            return 0;
        /* Without input it gives what it still holds. */
        size_t hint = ZSTD_decompressStream(u->zstd, &out, &u->in);
        if (ZSTD_isError(hint))
            return damaged(u, ZSTD_getErrorName(hint), err);
        u->midway = hint != 0;
        if (rc == 0 && out.pos == 0 && u->midway)
            return damaged(u, "its end is missing", err);
    }
    return (int)out.pos;
}

#endif

struct sxt_unpack *sxt_unpack_open(const char *path, struct sxt_error *err)
{
    unsigned char first[4];
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s", path);
        return NULL;
    }
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        sxt_err(err, SXT_EXIT_NOINPUT, "%s: not a regular file", path);
        close(fd);
        return NULL;
    }
    struct sxt_unpack *u = sxt_calloc(1, sizeof(*u));
    u->path = sxt_strdup(path);
    ssize_t n = pread(fd, first, sizeof(first), 0);
    if (n == sizeof(first) && is_zstd(first)) {
#ifdef HAVE_ZSTD
        open_zstd(u, fd);
        return u;
#else
        sxt_err(err, SXT_EXIT_DATA,
                "%s: Zstandard data, which this build cannot read: unpack it "
                "with zstd -d, or build again with libzstd (Debian: "
                "libzstd-dev)",
                path);
        close(fd);
        sxt_unpack_close(u);
        return NULL;
#endif
    }
    u->gz = gzdopen(fd, "rb");
    SXT_CHECK(u->gz);
    return u;
}

int sxt_unpack_read(struct sxt_unpack *u, void *to, size_t n,
                    struct sxt_error *err)
{
    SXT_CHECK(n <= INT_MAX);
    if (u->ended)
        return 0;
#ifdef HAVE_ZSTD
    if (u->zstd)
        return read_zstd(u, to, n, err);
#endif
    return read_gz(u, to, n, err);
}

void sxt_unpack_close(struct sxt_unpack *u)
{
    if (!u)
        return;
#ifdef HAVE_ZSTD
    if (u->zstd) {
        ZSTD_freeDStream(u->zstd);
        close(u->fd);
    }
#endif
    if (u->gz)
        gzclose(u->gz);
    free(u->path);
    free(u);
}
