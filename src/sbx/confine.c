/* confine.c - what every init does, and what is taken from every program.
 *
 * Runs in copies of processes that may have threads: only system calls here,
 * nothing that takes a lock or memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sbx/jail.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum { ADDRESS_SLACK = 1 << 30, MAX_FILES = 256 };

void sxt_sbx_give_up(const char *step)
{
    struct jail_report report = { .failed = errno ? errno : EPROTO };

    strncpy(report.step, step, sizeof(report.step) - 1);
    while (send(FILE_CONTROL, &report, sizeof(report), MSG_NOSIGNAL) < 0 &&
           errno == EINTR)
        ;
    _exit(127);
}

static void close_from(int first)
{
    if (syscall(SYS_close_range, first, ~0u, 0) == 0)
        return;
    struct rlimit files = { 0 };
    getrlimit(RLIMIT_NOFILE, &files);
    for (rlim_t i = (rlim_t)first; i < files.rlim_cur; i++)
        close((int)i);
}

/* First out of each other's way, then down. */
int sxt_sbx_take_files(const int files[N_FILES])
{
    int high[N_FILES];

    for (int i = 0; i < N_FILES; i++) {
        high[i] = files[i] < 0 ? -1 : fcntl(files[i], F_DUPFD_CLOEXEC, N_FILES);
        if (files[i] >= 0 && high[i] < 0)
            return -1;
    }
    for (int i = 0; i < N_FILES; i++) {
        if (high[i] < 0)
            close(i);
        else if (dup3(high[i], i, i >= FILE_GATE ? O_CLOEXEC : 0) < 0)
            return -1;
    }
    close_from(N_FILES);
    return 0;
}

/* The caller's handlers mean nothing here. */
void sxt_sbx_reset_signals(void)
{
    sigset_t none;

    for (int s = 1; s < _NSIG; s++)
        signal(s, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A namespace ends with its init; without one init has to pass it on. */
void sxt_sbx_follow_parent(const struct sxt_sandbox *sandbox, sigset_t *watched)
{
    sigemptyset(watched);
    if (sandbox->tier == SXT_SANDBOX_FULL) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
            sxt_sbx_give_up("ask to die with the caller");
        return;
    }
    /* SIGTERM says that the parent died, SIGCHLD that the program ended. */
    sigaddset(watched, SIGTERM);
    sigaddset(watched, SIGCHLD);
    sigprocmask(SIG_BLOCK, watched, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 ||
        prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        sxt_sbx_give_up("become a subreaper");
}

/* If the caller died before it could be asked to take us along, that shows
 * here. */
bool sxt_sbx_caller_is_ready(void)
{
    struct pollfd p = { .fd = FILE_CONTROL };
    char go;

    return recv(FILE_CONTROL, &go, 1, 0) == 1 && poll(&p, 1, 0) == 0;
}

int sxt_sbx_mount_tmp(const char *path, size_t bytes)
{
    char options[128];

    snprintf(options, sizeof(options),
             "size=%zu,nr_inodes=1024,mode=0700,uid=%d,gid=%d", bytes, JAIL_ID,
             JAIL_ID);
    return mount(JAIL_MOUNT, path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                 options);
}

static int limit(int what, rlim_t soft, rlim_t hard)
{
    const struct rlimit r = { soft, hard };

    return setrlimit((__rlimit_resource_t)what, &r);
}

/* Without a user namespace the kernel counts all tasks of the user's, other
 * ranks' among them.  All of the machine's are no fewer; what that leaves to a
 * fork bomb, the watch ends. */
static int tasks_of_all(void)
{
    struct sysinfo machine;

    return sysinfo(&machine) == 0 ? machine.procs : 0;
}

/* Limits of each process; the caller watches their sum. */
static int set_limits(const struct sxt_limits *l, int others)
{
    rlim_t cpu = (rlim_t)ceil(l->cpu_s) + 1;
    rlim_t space = 2 * l->memory_bytes + ADDRESS_SLACK;
    rlim_t processes = (rlim_t)(l->processes + others);

    if (limit(RLIMIT_CPU, cpu, cpu + 1) || limit(RLIMIT_AS, space, space) ||
        limit(RLIMIT_FSIZE, l->disk_bytes, l->disk_bytes) ||
        limit(RLIMIT_STACK, STACK_BYTES, STACK_BYTES))
        return -1;
    if (limit(RLIMIT_NOFILE, MAX_FILES, MAX_FILES) || limit(RLIMIT_CORE, 0, 0))
        return -1;
    if (limit(RLIMIT_MEMLOCK, 0, 0) || limit(RLIMIT_MSGQUEUE, 0, 0) ||
        limit(RLIMIT_SIGPENDING, 64, 64))
        return -1;
    return limit(RLIMIT_NPROC, processes, processes);
}

/* Become the jail's user, without a capability. */
static int drop_rights(const struct sxt_sandbox *sandbox)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct none[2] = { { 0 } };
    int id = sandbox->tier == SXT_SANDBOX_FULL ? JAIL_ID : NOBODY;

    if (sandbox->two_ids) {
        gid_t gid = (gid_t)id;
        uid_t uid = (uid_t)id;
        if (setgroups(0, NULL) || setresgid(gid, gid, gid) ||
            setresuid(uid, uid, uid))
            return -1;
    }
    if (syscall(SYS_capset, &head, none) != 0)
        return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void sxt_sbx_confine(const struct sxt_sandbox *sandbox,
                     const struct sxt_limits *limits, int others)
{
    const struct sock_fprog filter = { (unsigned short)sandbox->n_filter,
                                       sandbox->filter };

    if (drop_rights(sandbox) != 0)
        sxt_sbx_give_up("drop privileges");
    /* After the change of user, which clears it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        sxt_sbx_give_up("ask to die with init");
    if (sandbox->tier != SXT_SANDBOX_FULL && setpgid(0, 0) != 0)
        sxt_sbx_give_up("make a process group");
    if (sandbox->tier != SXT_SANDBOX_FULL)
        others = tasks_of_all();
    if (set_limits(limits, others) != 0)
        sxt_sbx_give_up("set limits");
    if (sandbox->landlock && sxt_sbx_landlock(sandbox) != 0)
        sxt_sbx_give_up("apply Landlock");
    if (prctl(PR_SET_SECCOMP, 2 /* filter */, &filter) != 0)
        sxt_sbx_give_up("load the system call filter");
}

/* Wait for the program; then nothing may be left of it. */
static void end_all(const struct sxt_sandbox *sandbox, pid_t program,
                    int *status)
{
    pid_t done;

    /* It is not waited for yet here, so its group's number is still its own;
     * no process can leave the group. */
    if (sandbox->tier != SXT_SANDBOX_FULL)
        kill(-program, SIGKILL);
    do
        done = waitpid(-1, status, 0);
    while (done != program && (done > 0 || errno == EINTR));
    if (sandbox->tier == SXT_SANDBOX_FULL)
        kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
}

/* Without namespaces init is told of its parent's death by a signal, and has
 * to pass it on.  The caller's own death shows at the socket: a wrapper may
 * stay alive. */
static void wait_reduced(pid_t program, sigset_t *watched)
{
    const struct timespec tick = { 0, 100 * 1000 * 1000 };
    struct pollfd caller = { .fd = FILE_CONTROL };
    siginfo_t ended;

    for (;;) {
        if (sigtimedwait(watched, NULL, &tick) == SIGTERM ||
            poll(&caller, 1, 0) != 0) {
            kill(-program, SIGKILL);
            return;
        }
        ended.si_pid = 0;
        waitid(P_PID, (id_t)program, &ended, WEXITED | WNOHANG | WNOWAIT);
        if (ended.si_pid == program)
            return;
    }
}

void sxt_sbx_supervise(const struct sxt_sandbox *sandbox, pid_t program,
                       sigset_t *watched)
{
    struct jail_report report = { 0 };
    struct rusage use;

    for (int i = 0; i < FILE_CONTROL; i++)
        close(i);
    if (sandbox->tier != SXT_SANDBOX_FULL) {
        setpgid(program, program); /* it does so too: who comes first */
        wait_reduced(program, watched);
    }
    end_all(sandbox, program, &report.wait);
    getrusage(RUSAGE_CHILDREN, &use);
    report.cpu_us =
        (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * (int64_t)1000000 +
        use.ru_utime.tv_usec + use.ru_stime.tv_usec;
    report.max_kb = use.ru_maxrss;
    send(FILE_CONTROL, &report, sizeof(report), MSG_NOSIGNAL);
}
