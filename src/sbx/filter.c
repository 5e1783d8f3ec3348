/* filter.c - which system calls a program may make.
 *
 * A list of what is allowed, as Python and its libraries need it; all else
 * fails with EPERM, calls of another architecture kill.  Nothing here depends
 * on namespaces: where a site forbids one, the list still holds. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "sbx/jail.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const char *const always[] = {
    /* memory */
    "brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "mincore",
    "msync",
    /* files, by descriptor or path; what a path reaches is decided by the
     * mounts and by Landlock */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv",
    "pwritev", "preadv2", "pwritev2", "lseek", "_llseek", "open", "openat",
    "openat2", "creat", "close", "close_range", "dup", "dup2", "dup3", "stat",
    "fstat", "lstat", "newfstatat", "statx", "statfs", "fstatfs", "access",
    "faccessat", "faccessat2", "getcwd", "chdir", "fchdir", "getdents",
    "getdents64", "readlink", "readlinkat", "fsync", "fdatasync", "ftruncate",
    "truncate", "fallocate", "sendfile", "copy_file_range", "umask",
    "fadvise64",
    /* waiting */
    "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1",
    "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd",
    "eventfd2", "pipe", "pipe2", "timerfd_create", "timerfd_settime",
    "timerfd_gettime", "signalfd4",
    /* a stream pair without a name, for event loops */
    "sendto", "recvfrom", "shutdown", "getsockname", "getpeername",
    "getsockopt",
    /* threads and processes */
    "futex", "set_robust_list", "get_robust_list", "set_tid_address", "rseq",
    "membarrier", "sched_yield", "sched_getaffinity", "sched_getparam",
    "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min",
    "fork", "vfork", "execve", "exit", "exit_group", "wait4", "waitid",
    "getpid", "getppid", "gettid", "getpgid", "getpgrp", "getsid", "getuid",
    "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups",
    "getpriority", "getcpu", "restart_syscall", "arch_prctl",
    /* signals */
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending",
    "rt_sigtimedwait", "rt_sigsuspend", "sigaltstack", "pause", "alarm",
    "getitimer", "setitimer", "timer_create", "timer_settime", "timer_gettime",
    "timer_getoverrun", "timer_delete",
    /* time and numbers */
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep",
    "gettimeofday", "time", "times", "getrandom", "getrusage", "getrlimit",
    "sysinfo", "uname"
};

/* Harmless where names, processes and mounts are the jail's own. */
static const char *const in_namespaces[] = {
    "mkdir",     "mkdirat",   "rmdir",    "unlink", "unlinkat", "rename",
    "renameat",  "renameat2", "link",     "linkat", "symlink",  "symlinkat",
    "chmod",     "fchmod",    "fchmodat", "utime",  "utimes",   "utimensat",
    "futimesat", "kill",      "tkill",    "tgkill", "setsid",   "setpgid"
};

static const struct {
    const char *call;
    unsigned argument;
    uint64_t value;
} one_of[] = {
    { "ioctl", 1, TCGETS },       { "ioctl", 1, TIOCGWINSZ },
    { "ioctl", 1, FIONREAD },     { "ioctl", 1, FIONBIO },
    { "ioctl", 1, FIOCLEX },      { "ioctl", 1, FIONCLEX },
    { "prctl", 0, PR_SET_NAME },  { "prctl", 0, PR_GET_NAME },
    { "fcntl", 1, F_DUPFD },      { "fcntl", 1, F_DUPFD_CLOEXEC },
    { "fcntl", 1, F_GETFD },      { "fcntl", 1, F_SETFD },
    { "fcntl", 1, F_GETFL },      { "fcntl", 1, F_SETFL },
    { "fcntl", 1, F_GETPIPE_SZ },
};

/* Add a rule with up to two conditions; a call this kernel's architecture
 * does not have needs none. */
static int add(scmp_filter_ctx ctx, uint32_t action, const char *call,
               unsigned n, const struct scmp_arg_cmp *when)
{
    int number = seccomp_syscall_resolve_name(call);

    if (number < 0)
        return 0;
    return seccomp_rule_add_array(ctx, action, number, n, when);
}

static int add_all(scmp_filter_ctx ctx, const char *const *calls, size_t n)
{
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++)
        rc = add(ctx, SCMP_ACT_ALLOW, calls[i], 0, NULL);
    return rc;
}

/* Threads and processes, but no namespaces. */
static int add_clone(scmp_filter_ctx ctx)
{
    const uint64_t spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                            CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                            CLONE_NEWNET | CLONE_NEWTIME;
    const struct scmp_arg_cmp none = SCMP_A0(SCMP_CMP_MASKED_EQ, spaces, 0);
    int rc = add(ctx, SCMP_ACT_ALLOW, "clone", 1, &none);

    /* Its flags lie in memory, out of the filter's sight: the C library then
     * falls back to clone. */
    return rc ? rc : add(ctx, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
}

static int add_socketpair(scmp_filter_ctx ctx)
{
    /* Streams only: a datagram socket could send to a name. */
    const struct scmp_arg_cmp when[] = {
        SCMP_A0(SCMP_CMP_EQ, AF_UNIX),
        SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM),
    };

    return add(ctx, SCMP_ACT_ALLOW, "socketpair", 2, when);
}

/* Reading limits is allowed; setting them seems to work and does nothing, for
 * honest programs ask for more stack. */
static int add_rlimit(scmp_filter_ctx ctx)
{
    const struct scmp_arg_cmp get = SCMP_A2(SCMP_CMP_EQ, 0);
    const struct scmp_arg_cmp set[] = { SCMP_A0(SCMP_CMP_EQ, 0),
                                        SCMP_A2(SCMP_CMP_NE, 0) };
    int rc = add(ctx, SCMP_ACT_ALLOW, "prlimit64", 1, &get);

    if (rc == 0)
        rc = add(ctx, SCMP_ACT_ERRNO(0), "prlimit64", 2, set);
    return rc ? rc : add(ctx, SCMP_ACT_ERRNO(0), "setrlimit", 0, NULL);
}

/* Locks are always had: nobody shares a program's own files, and on those that
 * it shares with others a lock would be a message. */
static int add_locks(scmp_filter_ctx ctx)
{
    static const uint64_t set[] = { F_SETLK, F_SETLKW };
    int rc = add(ctx, SCMP_ACT_ERRNO(0), "flock", 0, NULL);

    for (int i = 0; i < 2 && rc == 0; i++) {
        const struct scmp_arg_cmp when =
            SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, set[i]);
        rc = add(ctx, SCMP_ACT_ERRNO(0), "fcntl", 1, &when);
    }
    return rc;
}

static int add_rules(scmp_filter_ctx ctx, enum sxt_sandbox_tier tier)
{
    int rc = add_all(ctx, always, sizeof(always) / sizeof(*always));

    if (rc == 0 && tier == SXT_SANDBOX_FULL)
        rc = add_all(ctx, in_namespaces,
                     sizeof(in_namespaces) / sizeof(*in_namespaces));
    for (size_t i = 0; i < sizeof(one_of) / sizeof(*one_of) && rc == 0; i++) {
        /* The kernel looks at the low half only. */
        const struct scmp_arg_cmp when =
            SCMP_CMP(one_of[i].argument, SCMP_CMP_MASKED_EQ, 0xffffffffu,
                     one_of[i].value);
        rc = add(ctx, SCMP_ACT_ALLOW, one_of[i].call, 1, &when);
    }
    if (rc == 0)
        rc = add_clone(ctx);
    if (rc == 0)
        rc = add_socketpair(ctx);
    if (rc == 0)
        rc = add_locks(ctx);
    return rc ? rc : add_rlimit(ctx);
}

/* The rules as a program for the kernel, which a child can load without
 * allocating. */
static int export(scmp_filter_ctx ctx, struct sxt_sandbox *sandbox)
{
    int file = memfd_create("filter", MFD_CLOEXEC);
    off_t size = -1;

    if (file < 0)
        return -errno;
    if (seccomp_export_bpf(ctx, file) == 0)
        size = lseek(file, 0, SEEK_END);
    if (size > 0) {
        sandbox->n_filter = (size_t)size / sizeof(*sandbox->filter);
        sandbox->filter = sxt_alloc((size_t)size, 1);
        if (pread(file, sandbox->filter, (size_t)size, 0) != size)
            size = -1;
    }
    close(file);
    return size > 0 ? 0 : -EIO;
}

int sxt_sbx_make_filter(struct sxt_sandbox *sandbox, struct sxt_error *err)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int rc = ctx ? 0 : -ENOMEM;

    if (rc == 0)
        rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
    if (rc == 0)
        rc = add_rules(ctx, sandbox->tier);
    if (rc == 0)
        rc = export(ctx, sandbox);
    seccomp_release(ctx);
    if (rc == 0)
        return 0;
    errno = -rc;
    return sxt_err_errno(err, SXT_EXIT_NOSANDBOX,
                         "no sandbox: cannot make the system call filter");
}
