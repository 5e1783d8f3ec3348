/* journal.c - framing, syncing, and reading past damage. */
#define _GNU_SOURCE /* memmem */
#include "base/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

enum { MAGIC = 0x4a545853, HASHED = 32 }; /* "SXTJ" */

struct sxt_journal {
    char *path;
    int fd;
    uint64_t salt, end, number;
    bool unsynced;
    double since; /* clock of the oldest unsynced record */
    bool broken;
};

struct sxt_journal_reader {
    char *path;
    int fd;
    uint64_t salt, length, at, good, damaged;
};

struct head {
    uint32_t magic, n;
    uint64_t key, number, payload_hash;
};

static void put_le(unsigned char *to, uint64_t x, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(x >> 8 * i);
}

static uint64_t get_le(const unsigned char *from, int bytes)
{
    uint64_t x = 0;

    for (int i = 0; i < bytes; i++)
        x |= (uint64_t)from[i] << 8 * i;
    return x;
}

static void pack(unsigned char to[SXT_JOURNAL_HEAD], const struct head *h,
                 uint64_t salt)
{
    put_le(to, h->magic, 4);
    put_le(to + 4, h->n, 4);
    put_le(to + 8, h->key, 8);
    put_le(to + 16, h->number, 8);
    put_le(to + 24, h->payload_hash, 8);
    put_le(to + HASHED, sxt_hash64(to, HASHED, salt), 8);
}

static bool unpack(struct head *h, const unsigned char *from, uint64_t salt)
{
    if (get_le(from, 4) != MAGIC ||
        get_le(from + HASHED, 8) != sxt_hash64(from, HASHED, salt))
        return false;
    h->n = (uint32_t)get_le(from + 4, 4);
    h->key = get_le(from + 8, 8);
    h->number = get_le(from + 16, 8);
    h->payload_hash = get_le(from + 24, 8);
    return true;
}

static uint64_t salt_of(const char *path)
{
    const char *base = sxt_path_base(path);

    return sxt_hash64(base, strlen(base), MAGIC);
}

struct sxt_journal *sxt_journal_create(const char *path, struct sxt_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0) {
        sxt_err_errno(err, SXT_EXIT_IO, "%s", path);
        return NULL;
    }
    sxt_file_sync_name(path);
    struct sxt_journal *j = sxt_calloc(1, sizeof(*j));
    j->path = sxt_strdup(path);
    j->fd = fd;
    j->salt = salt_of(path);
    return j;
}

/* Write both pieces wholly at the end of the file. */
static int write_record(int fd, uint64_t at, struct iovec part[2])
{
    while (part[0].iov_len + part[1].iov_len > 0) {
        ssize_t done = pwritev(fd, part, 2, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        at += (uint64_t)done;
        for (int i = 0; i < 2; i++) {
            size_t used =
                (size_t)done < part[i].iov_len ? (size_t)done : part[i].iov_len;
            part[i].iov_base = (char *)part[i].iov_base + used;
            part[i].iov_len -= used;
            done -= (ssize_t)used;
        }
    }
    return 0;
}

int sxt_journal_append(struct sxt_journal *j, uint64_t key, const void *data,
                       size_t n, struct sxt_error *err)
{
    unsigned char bytes[SXT_JOURNAL_HEAD];
    struct head h = { MAGIC, (uint32_t)n, key, j->number,
                      sxt_hash64(data, n, j->salt) };
    struct iovec part[2] = { { bytes, sizeof(bytes) }, { (void *)data, n } };

    SXT_CHECK(n < (size_t)1 << 31);
    if (j->broken)
        return sxt_err(err, SXT_EXIT_IO, "%s: an earlier write failed",
                       j->path);
    pack(bytes, &h, j->salt);
    if (write_record(j->fd, j->end, part) != 0) {
        sxt_err_errno(err, SXT_EXIT_IO, "%s: write", j->path);
        j->broken = true;
        /* Best effort: a reader skips the torn record in any case. */
        if (ftruncate(j->fd, (off_t)j->end) != 0)
            return -1;
        return -1;
    }
    j->end += sizeof(bytes) + n;
    j->number++;
    if (!j->unsynced)
        j->since = sxt_clock();
    j->unsynced = true;
    return sxt_journal_tick(j, err);
}

int sxt_journal_tick(struct sxt_journal *j, struct sxt_error *err)
{
    if (!j->unsynced || sxt_clock() - j->since < SXT_JOURNAL_SECONDS)
        return 0;
    return sxt_journal_sync(j, err);
}

/* A failed sync is final: the kernel reports it once and drops the pages. */
int sxt_journal_sync(struct sxt_journal *j, struct sxt_error *err)
{
    if (j->broken)
        return sxt_err(err, SXT_EXIT_IO, "%s: an earlier write failed",
                       j->path);
    if (j->unsynced && fdatasync(j->fd) != 0) {
        j->broken = true;
        return sxt_err_errno(err, SXT_EXIT_IO, "%s: fdatasync", j->path);
    }
    j->unsynced = false;
    return 0;
}

int sxt_journal_close(struct sxt_journal *j, struct sxt_error *err)
{
    int rc;

    if (!j)
        return 0;
    rc = j->broken ? 0 : sxt_journal_sync(j, err);
    if (close(j->fd) != 0 && rc == 0)
        rc = sxt_err_errno(err, SXT_EXIT_IO, "%s: close", j->path);
    free(j->path);
    free(j);
    return rc;
}

struct sxt_journal_reader *sxt_journal_open(const char *path, uint64_t length,
                                            struct sxt_error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0) {
        sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s", path);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct sxt_journal_reader *r = sxt_calloc(1, sizeof(*r));
    r->path = sxt_strdup(path);
    r->fd = fd;
    r->salt = salt_of(path);
    r->length = length < (uint64_t)st.st_size ? length : (uint64_t)st.st_size;
    return r;
}

/* Up to n bytes at an offset; returns how many there are, -1 on failure. */
static ssize_t read_at(struct sxt_journal_reader *r, void *to, size_t n,
                       uint64_t at, struct sxt_error *err)
{
    size_t have = 0;

    if (at >= r->length)
        return 0;
    if (n > r->length - at)
        n = (size_t)(r->length - at);
    while (have < n) {
        ssize_t got =
            pread(r->fd, (char *)to + have, n - have, (off_t)(at + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sxt_err_errno(err, SXT_EXIT_IO, "%s: read", r->path);
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

/* The record whose head begins at `at`: 1, 0 if none checks there, -1. */
static int read_record(struct sxt_journal_reader *r, uint64_t at,
                       struct sxt_record *record, struct sxt_str *payload,
                       struct sxt_error *err)
{
    unsigned char bytes[SXT_JOURNAL_HEAD];
    struct head h;
    ssize_t got = read_at(r, bytes, sizeof(bytes), at, err);

    if (got < 0)
        return -1;
    if ((size_t)got < sizeof(bytes) || !unpack(&h, bytes, r->salt) ||
        h.n > r->length - at - sizeof(bytes))
        return 0;
    payload->data = sxt_grow(payload->data, &payload->cap, h.n + 1, 1);
    got = read_at(r, payload->data, h.n, at + sizeof(bytes), err);
    if (got < 0)
        return -1;
    if ((size_t)got < h.n ||
        sxt_hash64(payload->data, h.n, r->salt) != h.payload_hash)
        return 0;
    payload->data[h.n] = '\0';
    payload->len = h.n;
    *record = (struct sxt_record){ h.key, h.number, at + sizeof(bytes), h.n };
    return 1;
}

/* Move r->at to the next place behind it that looks like a head; to the end
 * if there is none. */
static int seek_magic(struct sxt_journal_reader *r, struct sxt_error *err)
{
    unsigned char window[65536], magic[4];
    uint64_t at = r->at + 1;

    put_le(magic, MAGIC, 4);
    for (;;) {
        ssize_t got = read_at(r, window, sizeof(window), at, err);
        if (got < 0)
            return -1;
        const unsigned char *hit = memmem(window, (size_t)got, magic, 4);
        if (hit) {
            r->at = at + (uint64_t)(hit - window);
            return 0;
        }
        if ((size_t)got < sizeof(window)) {
            r->at = r->length;
            return 0;
        }
        at += (uint64_t)got - 3;
    }
}

int sxt_journal_next(struct sxt_journal_reader *r, struct sxt_record *record,
                     struct sxt_str *payload, struct sxt_error *err)
{
    while (r->at < r->length) {
        int rc = read_record(r, r->at, record, payload, err);
        if (rc < 0)
            return -1;
        if (rc == 1) {
            r->damaged += r->at - r->good;
            r->at += SXT_JOURNAL_HEAD + record->n;
            r->good = r->at;
            return 1;
        }
        if (seek_magic(r, err) != 0)
            return -1;
    }
    return 0;
}

int sxt_journal_fetch(struct sxt_journal_reader *r,
                      const struct sxt_record *record, struct sxt_str *payload,
                      struct sxt_error *err)
{
    struct sxt_record found;
    int rc =
        read_record(r, record->offset - SXT_JOURNAL_HEAD, &found, payload, err);

    if (rc < 0)
        return -1;
    if (rc == 0 || found.key != record->key || found.number != record->number)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: the record at byte %llu changed since it was "
                       "checked; run again to draw it anew",
                       r->path, (unsigned long long)record->offset);
    return 0;
}

uint64_t sxt_journal_end(const struct sxt_journal_reader *r)
{
    return r->good;
}

uint64_t sxt_journal_damaged(const struct sxt_journal_reader *r)
{
    return r->damaged;
}

void sxt_journal_reader_close(struct sxt_journal_reader *r)
{
    if (!r)
        return;
    close(r->fd);
    free(r->path);
    free(r);
}
