/* root.c - the file system of a jail: the interpreter, read only, and /tmp.
 *
 * Runs in init, in a new mount namespace: nothing here is seen outside. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sbx/jail.h"

enum { SYS_MOUNT_SETATTR = 442, ATTR_RECURSIVE = 0x8000 };
enum { ATTR_RDONLY = 1, ATTR_NOSUID = 2, ATTR_NODEV = 4 };

static const char *const devices[] = { "dev/null", "dev/zero", "dev/random",
                                       "dev/urandom" };

/* Directories above a relative path, and the path itself if it is one. */
static int make_path(const char *path, bool directory)
{
    char part[PATH_MAX];

    if (strlen(path) >= sizeof(part))
        return -1;
    for (size_t i = 0;; i++) {
        part[i] = '\0';
        if (i > 0 && (path[i] == '/' || (path[i] == '\0' && directory)) &&
            mkdir(part, 0755) != 0 && errno != EEXIST)
            return -1;
        if (path[i] == '\0')
            break;
        part[i] = path[i];
    }
    if (directory)
        return 0;
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    return file < 0 ? -1 : close(file);
}

/* Kernels before 5.12 change one mount at a time, and want the flags that it
 * already has. */
static int read_only_old(const char *path, bool devices_work)
{
    unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID;
    struct statvfs v;

    if (statvfs(path, &v) != 0)
        return -1;
    flags |= (v.f_flag & ST_NOEXEC) ? MS_NOEXEC : 0;
    flags |= (v.f_flag & ST_NOATIME) ? MS_NOATIME : 0;
    flags |= (v.f_flag & ST_NODIRATIME) ? MS_NODIRATIME : 0;
    flags |= (v.f_flag & ST_RELATIME) ? MS_RELATIME : 0;
    flags |= devices_work && !(v.f_flag & ST_NODEV) ? 0 : MS_NODEV;
    return mount(NULL, path, NULL, flags, NULL);
}

static int read_only(const char *path, bool devices_work)
{
    struct {
        uint64_t set, clear, propagation, userns;
    } attr = { ATTR_RDONLY | ATTR_NOSUID | (devices_work ? 0 : ATTR_NODEV), 0,
               0, 0 };

    if (syscall(SYS_MOUNT_SETATTR, AT_FDCWD, path, ATTR_RECURSIVE, &attr,
                sizeof(attr)) == 0)
        return 0;
    return errno == ENOSYS ? read_only_old(path, devices_work) : -1;
}

/* `inside` is relative to the new root, which is the working directory. */
static int bind(const char *outside, const char *inside, bool directory,
                bool devices_work)
{
    if (make_path(inside, directory) != 0)
        return -1;
    if (mount(outside, inside, NULL, MS_BIND | MS_REC, NULL) != 0)
        return -1;
    return read_only(inside, devices_work);
}

static int bind_interpreter(const struct sxt_sandbox *sandbox)
{
    int rc = 0;

    for (size_t i = 0; i < sandbox->n_binds && rc == 0; i++) {
        const struct jail_bind *b = &sandbox->binds[i];
        if (b->target)
            rc = symlink(b->target, b->path + 1);
        else
            rc = bind(b->path, b->path + 1, b->directory, false);
    }
    return rc;
}

static int bind_devices(void)
{
    int rc = 0;

    for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++) {
        char outside[32];
        snprintf(outside, sizeof(outside), "/%s", devices[i]);
        if (rc == 0)
            rc = bind(outside, devices[i], false, true);
    }
    return rc;
}

/* The library is read by the loader of the outer jail's interpreter only. */
static int write_image(const char *path)
{
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    ssize_t n = write(file, sxt_sbx_zygote_image, sxt_sbx_zygote_bytes);

    if (file < 0)
        return -1;
    return close(file) == 0 && n == (ssize_t)sxt_sbx_zygote_bytes ? 0 : -1;
}

/* Make the working directory the root and let go of the old one, which
 * pivot_root stacks on top of it. */
static int pivot(void)
{
    if (syscall(SYS_pivot_root, ".", ".") != 0)
        return -1;
    if (umount2(".", MNT_DETACH) != 0)
        return -1;
    return mount(NULL, "/", NULL,
                 MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL);
}

const char *sxt_sbx_enter_root(const struct sxt_sandbox *sandbox,
                               size_t disk_bytes)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return "make the mounts private";
    if (mount(JAIL_MOUNT, sandbox->base, "tmpfs", MS_NOSUID | MS_NODEV,
              "size=256k,nr_inodes=512,mode=0755") != 0)
        return "mount a tmpfs";
    if (chdir(sandbox->base) != 0)
        return "enter the new root";
    if (bind_interpreter(sandbox) != 0)
        return "bind the interpreter read only";
    if (bind_devices() != 0)
        return "bind the devices";
    if (mkdir("tmp", 0755) != 0 || sxt_sbx_mount_tmp("tmp", disk_bytes) != 0)
        return "mount the jail's /tmp";
    if (!sandbox->anew && write_image(&ZYGOTE_PATH[1]) != 0)
        return "write the zygote's library";
    if (pivot() != 0)
        return "change the root";
    return chdir("/tmp") == 0 ? NULL : "enter the jail's /tmp";
}
