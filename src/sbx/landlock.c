/* landlock.c - file system rules a process puts on itself, by system call.
 *
 * The C library has no wrappers and old headers lack the newer fields, so both
 * are spelt here (Documentation/userspace-api/landlock.rst of the kernel). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sbx/jail.h"

enum {
    SYS_CREATE_RULESET = 444,
    SYS_ADD_RULE = 445,
    SYS_RESTRICT_SELF = 446,
    RULE_PATH_BENEATH = 1,
    RULESET_VERSION = 1
};

/* Bits of access to files. */
enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    TRUNCATE = 1 << 14,
    READ = EXECUTE | READ_FILE | READ_DIR,
    DEVICE = READ_FILE | WRITE_FILE
};

struct ruleset {
    uint64_t files;
    uint64_t net;    /* ABI 4: TCP bind and connect */
    uint64_t scoped; /* ABI 6: abstract sockets, signals */
};

struct path_beneath {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

int sxt_sbx_landlock_abi(void)
{
    long abi = syscall(SYS_CREATE_RULESET, NULL, 0, RULESET_VERSION);

    return abi > 0 ? (int)abi : 0;
}

/* All rights over files that an ABI knows. */
static uint64_t all_files(int abi)
{
    if (abi >= 5)
        return (1 << 16) - 1; /* + device ioctl */
    if (abi >= 3)
        return (1 << 15) - 1; /* + truncate */
    return abi == 2 ? (1 << 14) - 1 : (1 << 13) - 1;
}

/* A path that is not there, or that this user cannot reach, needs no rule. */
static int allow(int rules, const char *path, uint64_t rights)
{
    int dir = open(path, O_PATH | O_CLOEXEC);
    struct path_beneath rule = { rights, dir };
    long rc;

    if (dir < 0)
        return errno == ENOENT || errno == EACCES ? 0 : -1;
    rc = syscall(SYS_ADD_RULE, rules, RULE_PATH_BENEATH, &rule, 0);
    close(dir);
    return rc == 0 ? 0 : -1;
}

/* The jail's own root: read everything, write /tmp. */
static int allow_jail(int rules, uint64_t all)
{
    if (allow(rules, "/", READ & all) != 0)
        return -1;
    if (allow(rules, "/tmp", all & ~(uint64_t)EXECUTE) != 0)
        return -1;
    return allow(rules, "/dev", (DEVICE | READ_DIR) & all);
}

/* The machine's root: read the interpreter, nothing else. */
static int allow_interpreter(const struct sxt_sandbox *sandbox, int rules,
                             uint64_t all)
{
    int rc = 0;

    for (size_t i = 0; i < sandbox->n_binds && rc == 0; i++) {
        const struct jail_bind *b = &sandbox->binds[i];
        uint64_t rights = READ & all;
        if (!b->directory)
            rights &= ~(uint64_t)READ_DIR;
        if (!b->target)
            rc = allow(rules, b->path, rights);
    }
    if (rc == 0)
        rc = allow(rules, "/dev/null", DEVICE & all);
    return rc == 0 ? allow(rules, "/dev/urandom", READ_FILE) : -1;
}

int sxt_sbx_landlock(const struct sxt_sandbox *sandbox)
{
    int abi = sandbox->landlock;
    struct ruleset all = { all_files(abi), abi >= 4 ? 3 : 0, abi >= 6 ? 3 : 0 };
    size_t size = abi >= 6   ? sizeof(all)
                  : abi >= 4 ? 2 * sizeof(uint64_t)
                             : sizeof(uint64_t);
    int rules = (int)syscall(SYS_CREATE_RULESET, &all, size, 0);
    int rc;

    if (rules < 0)
        return -1;
    if (sandbox->tier == SXT_SANDBOX_FULL)
        rc = allow_jail(rules, all.files);
    else
        rc = allow_interpreter(sandbox, rules, all.files);
    if (rc == 0)
        rc = (int)syscall(SYS_RESTRICT_SELF, rules, 0);
    close(rules);
    return rc;
}
