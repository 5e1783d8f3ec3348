/* doctor_disk.c - the file system of the output: written, read, removed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "h5/in.h"
#include "stage/doctor.h"

static const struct {
    unsigned long magic; /* statfs(2) */
    const char *name;
} kinds[] = {
    { 0x6969, "NFS" },         { 0x0bd00bd3, "Lustre" },
    { 0x47504653, "GPFS" },    { 0x19830326, "BeeGFS" },
    { 0x00c36400, "CephFS" },  { 0x65735546, "FUSE" },
    { 0xef53, "ext4" },        { 0x58465342, "XFS" },
    { 0x9123683e, "Btrfs" },   { 0x01021994, "tmpfs" },
    { 0x794c7630, "overlay" }, { 0x2fc12fc1, "ZFS" },
};

static const char *kind_of(const char *dir)
{
    struct statfs fs;

    if (statfs(dir, &fs) == 0)
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
            if (kinds[i].magic == (unsigned long)(unsigned)fs.f_type)
                return kinds[i].name;
    return "an unknown file system";
}

/* Rank 0: how much room, and on what. */
static void check_room(struct sxt_doctor *d, const char *dir)
{
    struct statvfs fs;
    const char *kind = kind_of(dir);

    if (statvfs(dir, &fs) != 0) {
        sxt_doctor_note(d, SXT_PROBLEM, "name a directory with -o",
                        "disk: %s: %s", dir, strerror(errno));
        return;
    }
    double gb = (double)fs.f_bavail * (double)fs.f_frsize / 1e9;
    bool nodes = fs.f_files > 0 && fs.f_favail < 1000;
    if (gb < d->v->need_gb || nodes)
        sxt_doctor_note(d, SXT_WARNING,
                        "remove files, or work elsewhere with -o; sextant plan "
                        "says how much a run writes",
                        "disk: %s is on %s with %.1f GB%s free", dir, kind, gb,
                        nodes ? " and hardly a file" : "");
    else
        sxt_doctor_note(d, SXT_FINE, NULL,
                        "disk: %s is on %s with %.0f GB "
                        "free",
                        dir, kind, gb);
    if (strcmp(kind, "tmpfs") == 0)
        sxt_doctor_note(d, SXT_WARNING, "work on a real disk with -o",
                        "disk: what is written to %s is lost with the node",
                        dir);
}

static unsigned char expected(uint64_t at)
{
    return (unsigned char)(at * 2654435761u >> 13);
}

/* All ranks write their part of one file, as outputs are written. */
static int write_parts(struct sxt_doctor *d, const char *path, uint64_t each,
                       struct sxt_error *err)
{
    struct sxt_comm comm = d->run->comm;
    uint64_t total = each * (uint64_t)comm.size;
    uint64_t first = each * (uint64_t)comm.rank;
    unsigned char *bytes = sxt_alloc(each, 1);
    struct sxt_out *out = sxt_out_create(path, comm, "sextant/trial", 1,
                                         "Trial of a file system.", NULL, err);
    int rc = -1;

    for (uint64_t i = 0; i < each; i++)
        bytes[i] = expected(first + i);
    if (out) {
        sxt_out_tensor(out, "/bytes", SXT_H5_U8, 1, &total, "1", "Bytes.",
                       NULL);
        sxt_out_data(out, NULL);
        sxt_out_range(out, "/bytes", first, each, bytes, NULL);
        rc = sxt_out_commit(out, err);
    }
    free(bytes);
    return rc;
}

/* Each rank reads what the next one wrote. */
static int read_parts(struct sxt_doctor *d, const char *path, uint64_t each,
                      struct sxt_error *err)
{
    struct sxt_comm comm = d->run->comm;
    uint64_t first = each * (uint64_t)((comm.rank + 1) % comm.size);
    unsigned char *bytes = sxt_alloc(each, 1);
    struct sxt_in *in = sxt_in_open(path, "sextant/trial", err);
    int rc = in ? sxt_in_range(in, "/bytes", first, each, bytes, err) : -1;

    for (uint64_t i = 0; rc == 0 && i < each; i++)
        if (bytes[i] != expected(first + i))
            rc = sxt_err(err, SXT_EXIT_IO,
                         "%s: byte %llu is not what was "
                         "written",
                         path, (unsigned long long)(first + i));
    sxt_in_close(in);
    free(bytes);
    return rc;
}

static void check_write(struct sxt_doctor *d, const char *path)
{
    uint64_t each = (uint64_t)d->v->write_mib << 20;
    struct sxt_comm comm = d->run->comm;
    struct sxt_error err = { 0 };
    double begin = sxt_clock(), took;

    if (write_parts(d, path, each, &err) != 0) {
        if (comm.rank == 0)
            sxt_doctor_note(d, SXT_PROBLEM,
                            "name a directory with -o that all ranks may write "
                            "to, with room and quota",
                            "disk: parallel HDF5 cannot write: %s", err.text);
        return;
    }
    took = sxt_clock() - begin;
    if (read_parts(d, path, each, &err) != 0)
        sxt_doctor_note(d, SXT_PROBLEM,
                        "name a directory with -o that all nodes share",
                        "disk: what was written cannot be read: %s", err.text);
    else if (comm.rank == 0)
        sxt_doctor_note(d, SXT_FINE, NULL,
                        "disk: parallel HDF5 wrote, checked and read %d x %d "
                        "MiB (%.0f MB/s)",
                        comm.size, (int)d->v->write_mib,
                        (double)each * comm.size / took / 1e6);
    sxt_comm_barrier(comm);
}

/* POSIX and flock(2) locks, as HDF5 and others take them. */
static void check_locks(struct sxt_doctor *d, const char *path)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool posix, bsd;

    if (fd < 0)
        return; /* said before */
    posix = fcntl(fd, F_SETLK, &lock) == 0;
    bsd = flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    unlink(path);
    if (posix && bsd)
        sxt_doctor_note(d, SXT_FINE, NULL, "disk: files can be locked");
    else
        sxt_doctor_note(d, SXT_WARNING,
                        "export HDF5_USE_FILE_LOCKING=FALSE, or have the file "
                        "system mounted with locks",
                        "disk: files cannot be locked (%s)",
                        posix ? "flock" : "fcntl");
}

void sxt_doctor_disk(struct sxt_doctor *d)
{
    struct sxt_run *run = d->run;
    long id = getpid();
    char *name, *path, *lock;

    sxt_comm_broadcast(run->comm, &id, sizeof(id), 0);
    name = sxt_printf("doctor-%ld.h5", id);
    path = sxt_run_path(run, name);
    lock = sxt_printf("%s.lock", path);
    if (run->comm.rank == 0)
        check_room(d, run->out_dir);
    if (run->dry_run) {
        if (run->comm.rank == 0)
            sxt_doctor_note(d, SXT_FINE, NULL,
                            "disk: nothing was written, as "
                            "asked");
    } else {
        check_write(d, path);
        if (run->comm.rank == 0) {
            sxt_file_remove(path, NULL);
            check_locks(d, lock);
        }
    }
    free(lock);
    free(path);
    free(name);
}
