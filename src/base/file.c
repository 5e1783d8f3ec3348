/* file.c - paths and whole files. */
#define _GNU_SOURCE
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"

bool sxt_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool sxt_file_is_directory(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool sxt_file_is_same(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

char *sxt_file_data(const char *name)
{
    const char *dir = getenv("SEXTANT_DATADIR");

    return sxt_path_join(dir && dir[0] ? dir : SXT_PKGDATADIR, name);
}

static int sync_path(const char *path, int flags, struct sxt_error *err)
{
    int fd = open(path, flags | O_CLOEXEC);

    if (fd < 0)
        return sxt_err_errno(err, SXT_EXIT_IO, "%s", path);
    if (fsync(fd) != 0 && errno != EINVAL) {
        sxt_err_errno(err, SXT_EXIT_IO, "%s: fsync", path);
        close(fd);
        return -1;
    }
    close(fd);
    return 0;
}

int sxt_file_sync(const char *path, struct sxt_error *err)
{
    return sync_path(path, O_RDWR, err);
}

void sxt_file_sync_name(const char *path)
{
    char *dir = sxt_path_dir(path);

    sync_path(dir, O_RDONLY | O_DIRECTORY, NULL);
    free(dir);
}

double sxt_file_room(const char *path)
{
    char *at = sxt_strdup(path);
    struct statvfs fs;
    bool known;

    while (!(known = statvfs(at, &fs) == 0)) {
        char *up = sxt_path_dir(at);
        bool top = strcmp(up, at) == 0;
        free(at);
        at = up;
        if (top)
            break;
    }
    free(at);
    return known ? (double)fs.f_bavail * (double)fs.f_frsize : -1;
}

int sxt_file_mkdirs(const char *path, struct sxt_error *err)
{
    char *copy = sxt_strdup(path);
    int rc = 0;

    for (char *p = copy + (path[0] == '/'); rc == 0; p++) {
        char c = *p;
        if (c != '/' && c != '\0')
            continue;
        *p = '\0';
        if (mkdir(copy, 0777) == 0)
            sxt_file_sync_name(copy);
        else if (sxt_file_is_directory(copy))
            ;
        else if (errno == EEXIST)
            rc = sxt_err(err, SXT_EXIT_IO, "%s: is not a directory", copy);
        else
            rc = sxt_err_errno(err, SXT_EXIT_IO, "directory '%s'", copy);
        *p = c;
        if (c == '\0')
            break;
    }
    free(copy);
    return rc;
}

int sxt_file_read(const char *path, struct sxt_str *out, struct sxt_error *err)
{
    char chunk[65536];
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s", path);
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return sxt_err(err, SXT_EXIT_NOINPUT, "%s: not a regular file", path);
    }
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s: read", path);
            close(fd);
            return -1;
        }
        sxt_str_add_bytes(out, chunk, (size_t)n);
        if (n == 0)
            break;
    }
    close(fd);
    return 0;
}

static int write_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, data, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        data += done;
        n -= (size_t)done;
    }
    return 0;
}

int sxt_file_write(const char *path, const void *data, size_t n,
                   struct sxt_error *err)
{
    char *part = sxt_printf("%s.part", path);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int rc = 0;

    if (fd < 0)
        rc = sxt_err_errno(err, SXT_EXIT_IO, "%s", part);
    else if (write_all(fd, data, n) != 0)
        rc = sxt_err_errno(err, SXT_EXIT_IO, "%s: write", part);
    if (fd >= 0 && close(fd) != 0 && rc == 0)
        rc = sxt_err_errno(err, SXT_EXIT_IO, "%s: close", part);
    if (rc == 0)
        rc = sxt_file_publish(part, path, err);
    if (rc != 0 && fd >= 0)
        unlink(part);
    free(part);
    return rc;
}

int sxt_file_publish(const char *part, const char *path, struct sxt_error *err)
{
    char *dir = sxt_path_dir(path);
    int rc = sxt_file_sync(part, err);

    if (rc == 0 && rename(part, path) != 0)
        rc = sxt_err_errno(err, SXT_EXIT_IO, "rename %s to %s", part, path);
    if (rc == 0)
        rc = sync_path(dir, O_RDONLY | O_DIRECTORY, err);
    free(dir);
    return rc;
}

int sxt_file_remove(const char *path, struct sxt_error *err)
{
    if (remove(path) != 0 && errno != ENOENT)
        return sxt_err_errno(err, SXT_EXIT_IO, "remove %s", path);
    return 0;
}

char *sxt_path_join(const char *dir, const char *name)
{
    if (name[0] == '/' || !dir || dir[0] == '\0')
        return sxt_strdup(name);
    return sxt_printf(sxt_ends_with(dir, "/") ? "%s%s" : "%s/%s", dir, name);
}

char *sxt_path_home(const char *path)
{
    char *dir = sxt_path_dir(path);
    char *home = realpath(dir, NULL);

    if (!home)
        return dir;
    free(dir);
    return home;
}

char *sxt_path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return sxt_strdup(".");
    return sxt_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

const char *sxt_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}
