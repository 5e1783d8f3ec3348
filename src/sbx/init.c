/* init.c - first process of a jail: builds it, starts the program, ends it.
 *
 * Made by clone from a process that may have threads: only system calls here,
 * nothing that takes a lock or memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sbx/jail.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum { STACK_BYTES = 256 << 20, ADDRESS_SLACK = 1 << 30, MAX_FILES = 256 };

static const char *const environment[] = {
    "HOME=/tmp",
    "TMPDIR=/tmp",
    "PATH=/usr/bin:/bin",
    "LC_ALL=C.UTF-8",
    "TZ=UTC",
    "PYTHONUTF8=1",
    "PYTHONHASHSEED=0",
    "PYTHONDONTWRITEBYTECODE=1",
    "PYTHONINTMAXSTRDIGITS=0", /* judges' solutions print huge numbers */
    "MALLOC_ARENA_MAX=2",      /* an arena reserves 64 MiB of address space */
    "OMP_NUM_THREADS=1",
    "OPENBLAS_NUM_THREADS=1",
    "MKL_NUM_THREADS=1",
    NULL
};

/* Tell the caller and end. */
static _Noreturn void give_up(const char *step)
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

/* Put the files at their numbers and close all others: first out of each
 * other's way, then down. */
static int arrange_files(const int files[N_FILES])
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
static void reset_signals(void)
{
    sigset_t none;

    for (int s = 1; s < _NSIG; s++)
        signal(s, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int limit(int what, rlim_t soft, rlim_t hard)
{
    const struct rlimit r = { soft, hard };

    return setrlimit((__rlimit_resource_t)what, &r);
}

/* Limits of each process; the caller watches their sum. */
static int set_limits(const struct sxt_limits *l)
{
    rlim_t cpu = (rlim_t)ceil(l->cpu_s) + 1;
    rlim_t space = 2 * l->memory_bytes + ADDRESS_SLACK;

    if (limit(RLIMIT_CPU, cpu, cpu + 1) || limit(RLIMIT_AS, space, space) ||
        limit(RLIMIT_FSIZE, l->disk_bytes, l->disk_bytes) ||
        limit(RLIMIT_STACK, STACK_BYTES, STACK_BYTES))
        return -1;
    if (limit(RLIMIT_NOFILE, MAX_FILES, MAX_FILES) || limit(RLIMIT_CORE, 0, 0))
        return -1;
    if (limit(RLIMIT_MEMLOCK, 0, 0) || limit(RLIMIT_MSGQUEUE, 0, 0) ||
        limit(RLIMIT_SIGPENDING, 64, 64))
        return -1;
    return limit(RLIMIT_NPROC, (rlim_t)l->processes, (rlim_t)l->processes);
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

/* The program's process: from here to exec. */
static _Noreturn void become_program(const struct sxt_sandbox *sandbox,
                                     const struct sxt_limits *limits)
{
    char *const argv[] = { sandbox->python, (char *)"-s",  (char *)"-S",
                           (char *)"-c",    sandbox->boot, NULL };
    const struct sock_fprog filter = { (unsigned short)sandbox->n_filter,
                                       sandbox->filter };

    reset_signals(); /* init blocks some */
    if (drop_rights(sandbox) != 0)
        give_up("drop privileges");
    /* After the change of user, which clears it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        give_up("ask to die with init");
    if (sandbox->tier == SXT_SANDBOX_REDUCED && setpgid(0, 0) != 0)
        give_up("make a process group");
    if (set_limits(limits) != 0)
        give_up("set limits");
    if (sandbox->landlock && sxt_sbx_landlock(sandbox) != 0)
        give_up("apply Landlock");
    if (prctl(PR_SET_SECCOMP, 2 /* filter */, &filter) != 0)
        give_up("load the system call filter");
    execve(sandbox->python, argv, (char *const *)environment);
    give_up("execute the interpreter");
}

/* Wait for the program; then nothing may be left of it. */
static void end_all(const struct sxt_sandbox *sandbox, pid_t program,
                    int *status)
{
    pid_t done;

    /* It is not waited for yet here, so its group's number is still its own;
     * no process can leave the group. */
    if (sandbox->tier == SXT_SANDBOX_REDUCED)
        kill(-program, SIGKILL);
    do
        done = waitpid(-1, status, 0);
    while (done != program && (done > 0 || errno == EINTR));
    if (sandbox->tier == SXT_SANDBOX_FULL)
        kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
}

/* Without namespaces init is told of the caller's death by a signal, and has
 * to pass it on. */
static void wait_reduced(pid_t program, sigset_t *watched)
{
    const struct timespec tick = { 0, 100 * 1000 * 1000 };
    siginfo_t ended;

    for (;;) {
        if (sigtimedwait(watched, NULL, &tick) == SIGTERM) {
            kill(-program, SIGKILL);
            return;
        }
        ended.si_pid = 0;
        waitid(P_PID, (id_t)program, &ended, WEXITED | WNOHANG | WNOWAIT);
        if (ended.si_pid == program)
            return;
    }
}

static void supervise(const struct sxt_sandbox *sandbox, pid_t program,
                      sigset_t *watched)
{
    struct jail_report report = { 0 };
    struct rusage use;

    for (int i = 0; i < FILE_CONTROL; i++)
        close(i);
    if (sandbox->tier == SXT_SANDBOX_REDUCED) {
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

/* The caller's word that the identity maps are written.  If it died before
 * it could be asked to take us along, that shows here. */
static bool caller_is_ready(void)
{
    struct pollfd p = { .fd = FILE_CONTROL };
    char go;

    return recv(FILE_CONTROL, &go, 1, 0) == 1 && poll(&p, 1, 0) == 0;
}

static void prepare(const struct sxt_sandbox *sandbox, sigset_t *watched)
{
    sigemptyset(watched);
    if (sandbox->tier == SXT_SANDBOX_FULL) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
            give_up("ask to die with the caller");
        return;
    }
    /* SIGTERM says that the caller died, SIGCHLD that the program ended. */
    sigaddset(watched, SIGTERM);
    sigaddset(watched, SIGCHLD);
    sigprocmask(SIG_BLOCK, watched, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 ||
        prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        give_up("become a subreaper");
}

_Noreturn void sxt_sbx_init(const struct sxt_sandbox *sandbox,
                            const struct sxt_limits *limits,
                            const int files[N_FILES])
{
    const char *failed;
    sigset_t watched;
    pid_t program;

    reset_signals();
    if (arrange_files(files) != 0)
        _exit(127);
    prepare(sandbox, &watched);
    setsid();
    if (!caller_is_ready())
        _exit(127);
    if (sandbox->tier == SXT_SANDBOX_FULL) {
        failed = sxt_sbx_enter_root(sandbox, limits->disk_bytes);
        if (failed)
            give_up(failed);
        if ((sandbox->namespaces & CLONE_NEWUTS) && sethostname("jail", 4) != 0)
            give_up("set the host name");
    } else if (chdir("/") != 0) {
        give_up("enter /");
    }
    prctl(PR_SET_DUMPABLE, 0);
    program = sxt_sbx_clone(0);
    if (program < 0)
        give_up("start a process");
    if (program == 0)
        become_program(sandbox, limits);
    supervise(sandbox, program, &watched);
    _exit(0);
}
