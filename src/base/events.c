/* events.c - event files, as TensorBoard reads them. */
#define _GNU_SOURCE
#include "base/events.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

enum { HEAD = 12, TAIL = 4 }; /* bytes around a payload */
enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static const char prefix[] = "events.out.tfevents.";

struct sxt_events {
    int fd;
    char *path;
};

uint32_t sxt_crc32c(const void *data, size_t n)
{
    const unsigned char *byte = data;
    uint32_t crc = ~(uint32_t)0;

    for (size_t i = 0; i < n; i++) {
        crc ^= byte[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

/* A CRC over bytes that hold CRCs is weak: TFRecord turns and shifts them. */
static uint32_t masked_crc(const void *data, size_t n)
{
    uint32_t crc = sxt_crc32c(data, n);

    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

/* ---- bytes ---- */

static void add_fixed(struct sxt_str *out, uint64_t x, int bytes)
{
    for (int i = 0; i < bytes; i++)
        sxt_str_add_char(out, (char)(x >> 8 * i & 0xff));
}

static uint64_t get_fixed(const char *at, int bytes)
{
    uint64_t x = 0;

    for (int i = 0; i < bytes; i++)
        x |= (uint64_t)(unsigned char)at[i] << 8 * i;
    return x;
}

static void add_varint(struct sxt_str *out, uint64_t x)
{
    for (; x >= 0x80; x >>= 7)
        sxt_str_add_char(out, (char)((x & 0x7f) | 0x80));
    sxt_str_add_char(out, (char)x);
}

static void add_key(struct sxt_str *out, unsigned field, unsigned type)
{
    add_varint(out, field << 3 | type);
}

static void add_bytes(struct sxt_str *out, unsigned field, const void *data,
                      size_t n)
{
    add_key(out, field, BYTES);
    add_varint(out, n);
    sxt_str_add_bytes(out, data, n);
}

static void add_double(struct sxt_str *out, unsigned field, double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof(bits));
    add_key(out, field, FIXED64);
    add_fixed(out, bits, 8);
}

static void add_float(struct sxt_str *out, unsigned field, double x)
{
    float narrow = (float)x;
    uint32_t bits;

    memcpy(&bits, &narrow, sizeof(bits));
    add_key(out, field, FIXED32);
    add_fixed(out, bits, 4);
}

/* A whole record around the payload, which is freed. */
static void add_record(struct sxt_str *out, struct sxt_str *payload)
{
    size_t at = out->len;

    add_fixed(out, payload->len, 8);
    add_fixed(out, masked_crc(out->data + at, 8), 4);
    sxt_str_add_bytes(out, payload->data, payload->len);
    add_fixed(out, masked_crc(payload->data, payload->len), 4);
    sxt_str_free(payload);
}

/* ---- events ---- */

static struct sxt_str begin_event(double time, int64_t step)
{
    struct sxt_str event = SXT_STR_EMPTY;

    add_double(&event, 1, time);
    if (step != 0) { /* 0 is the default, which is not written */
        add_key(&event, 2, VARINT);
        add_varint(&event, (uint64_t)step);
    }
    return event;
}

void sxt_events_encode(double time, int64_t step,
                       const struct sxt_event_value *values, size_t n,
                       struct sxt_str *out)
{
    struct sxt_str event = begin_event(time, step), summary = SXT_STR_EMPTY;

    for (size_t i = 0; i < n; i++) {
        struct sxt_str value = SXT_STR_EMPTY;
        if (!isfinite(values[i].value))
            continue;
        add_bytes(&value, 1, values[i].tag, strlen(values[i].tag));
        add_float(&value, 2, values[i].value);
        add_bytes(&summary, 1, value.data, value.len);
        sxt_str_free(&value);
    }
    add_bytes(&event, 5, summary.data ? summary.data : "", summary.len);
    add_record(out, &event);
    sxt_str_free(&summary);
}

/* What every file begins with; and, if steps were cut off, that they were. */
static void encode_begin(double time, int64_t step, struct sxt_str *out)
{
    static const char version[] = "brain.Event:2";
    static const char start[] = { 1 << 3 | VARINT, 1 };
    struct sxt_str event = begin_event(time, 0);

    add_bytes(&event, 3, version, sizeof(version) - 1);
    add_record(out, &event);
    if (step > 0) {
        event = begin_event(time, step + 1);
        add_bytes(&event, 7, start, sizeof(start));
        add_record(out, &event);
    }
}

/* ---- files of earlier runs ---- */

static bool get_varint(const char **at, const char *end, uint64_t *x)
{
    *x = 0;
    for (int shift = 0; *at < end && shift < 64; shift += 7) {
        unsigned char c = (unsigned char)*(*at)++;
        *x |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return true;
    }
    return false;
}

/* The step of an event, -1 if it is none of ours. */
static int64_t step_of(const char *at, const char *end)
{
    uint64_t key, x, step = 0;

    while (at < end) {
        if (!get_varint(&at, end, &key))
            return -1;
        if ((key & 7) == VARINT || (key & 7) == BYTES) {
            if (!get_varint(&at, end, &x))
                return -1;
            step = key == (2 << 3 | VARINT) ? x : step;
            x = (key & 7) == BYTES ? x : 0;
        } else {
            x = (key & 7) == FIXED64 ? 8 : 4;
        }
        if (x > (uint64_t)(end - at))
            return -1;
        at += x;
    }
    return (int64_t)step;
}

/* Bytes of whole records up to the first of a later step; *n of them. */
static size_t keep_until(const struct sxt_str *file, int64_t step, size_t *n)
{
    size_t at = 0;

    *n = 0;
    while (file->len - at >= HEAD + TAIL) {
        const char *p = file->data + at;
        uint64_t len = get_fixed(p, 8);
        if (get_fixed(p + 8, 4) != masked_crc(p, 8) ||
            len > file->len - at - HEAD - TAIL ||
            get_fixed(p + HEAD + len, 4) != masked_crc(p + HEAD, len))
            break;
        int64_t own = step_of(p + HEAD, p + HEAD + len);
        if (own < 0 || own > step)
            break;
        at += HEAD + len + TAIL;
        ++*n;
    }
    return at;
}

/* Cut a file behind the step; one that would only have its begin is removed. */
static int cut_file(const char *path, int64_t step, struct sxt_error *err)
{
    struct sxt_str file = SXT_STR_EMPTY;
    size_t records;

    if (sxt_file_read(path, &file, err) != 0)
        return -1;
    size_t keep = keep_until(&file, step, &records);
    bool whole = keep == file.len;
    sxt_str_free(&file);
    if (records > 1 && whole)
        return 0;
    if (records > 1 ? truncate(path, (off_t)keep) : remove(path))
        return sxt_err_errno(err, SXT_EXIT_IO, "%s", path);
    return 0;
}

/* Cut all files; *newest is the time in the last one's name. */
static int cut_files(const char *dir, int64_t step, long long *newest,
                     struct sxt_error *err)
{
    DIR *d = opendir(dir);
    struct dirent *entry;
    int rc = 0;

    if (!d)
        return sxt_err_errno(err, SXT_EXIT_IO, "%s", dir);
    while (rc == 0 && (entry = readdir(d)) != NULL) {
        long long time;
        if (!sxt_starts_with(entry->d_name, prefix) ||
            sscanf(entry->d_name + sizeof(prefix) - 1, "%lld", &time) != 1)
            continue;
        char *path = sxt_path_join(dir, entry->d_name);
        *newest = time > *newest ? time : *newest;
        rc = cut_file(path, step, err);
        free(path);
    }
    closedir(d);
    return rc;
}

/* ---- a file ---- */

static double wall_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int append(struct sxt_events *e, const struct sxt_str *bytes,
                  struct sxt_error *err)
{
    ssize_t n = write(e->fd, bytes->data, bytes->len);

    if (n == (ssize_t)bytes->len)
        return 0;
    if (n >= 0)
        errno = ENOSPC;
    return sxt_err_errno(err, SXT_EXIT_IO, "%s", e->path);
}

struct sxt_events *sxt_events_open(const char *dir, int64_t step,
                                   struct sxt_error *err)
{
    struct sxt_str begin = SXT_STR_EMPTY;
    long long newest = 0, now = (long long)time(NULL);
    char host[256] = "";

    if (sxt_file_mkdirs(dir, err) != 0 ||
        cut_files(dir, step, &newest, err) != 0)
        return NULL;
    struct sxt_events *e = sxt_calloc(1, sizeof(*e));
    gethostname(host, sizeof(host) - 1);
    /* Readers take files in the order of their names. */
    e->path = sxt_printf("%s/%s%010lld.%s", dir, prefix,
                         now > newest ? now : newest + 1, host);
    e->fd =
        open(e->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    encode_begin(wall_clock(), step, &begin);
    int rc = e->fd < 0 ? sxt_err_errno(err, SXT_EXIT_IO, "%s", e->path)
                       : append(e, &begin, err);
    sxt_str_free(&begin);
    if (rc == 0)
        return e;
    sxt_events_close(e);
    return NULL;
}

int sxt_events_add(struct sxt_events *e, int64_t step,
                   const struct sxt_event_value *values, size_t n,
                   struct sxt_error *err)
{
    struct sxt_str record = SXT_STR_EMPTY;

    sxt_events_encode(wall_clock(), step, values, n, &record);
    int rc = append(e, &record, err);
    sxt_str_free(&record);
    return rc;
}

void sxt_events_close(struct sxt_events *e)
{
    if (!e)
        return;
    if (e->fd >= 0)
        close(e->fd);
    free(e->path);
    free(e);
}
