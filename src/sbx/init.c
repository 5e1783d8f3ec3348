/* init.c - first process of a jail whose interpreter starts anew.
 *
 * Made by clone from a process that may have threads: only system calls here,
 * nothing that takes a lock or memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sbx/jail.h"

enum { ZYGOTE_TMP_BYTES = 4096 };

#define ENVIRONMENT                                                            \
    "HOME=/tmp", "TMPDIR=/tmp", "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8",        \
        "TZ=UTC", "PYTHONUTF8=1", "PYTHONHASHSEED=0",                          \
        "PYTHONDONTWRITEBYTECODE=1",                                           \
        "PYTHONINTMAXSTRDIGITS=0", /* judges' solutions print huge ints */     \
        "MALLOC_ARENA_MAX=2",      /* an arena reserves 64 MiB of addresses */ \
        "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "MKL_NUM_THREADS=1"

const char *const sxt_sbx_environment[] = { ENVIRONMENT, NULL };
/* zygote.c takes the last out before the interpreter sees it. */
static const char *const zygote_environment[] = { ENVIRONMENT,
                                                  "LD_PRELOAD=" ZYGOTE_PATH,
                                                  NULL };
static const char *const unjailed_environment[] = {
    ENVIRONMENT, "LD_PRELOAD=" ZYGOTE_FILE_PATH, NULL
};

static _Noreturn void execute(const struct sxt_sandbox *sandbox, char *boot,
                              const char *const *environment)
{
    char *const argv[] = { sandbox->python, (char *)"-s", (char *)"-S",
                           (char *)"-c",    boot,         NULL };

    execve(sandbox->python, argv, (char *const *)environment);
    sxt_sbx_give_up("execute the interpreter");
}

/* Keep the right to make namespaces and mounts over exec; root of a namespace
 * keeps all it has. */
static int keep_rights(void)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct caps[2];

    if (syscall(SYS_capget, &head, caps) != 0)
        return -1;
    caps[0].inheritable |= 1u << CAP_SYS_ADMIN;
    if (syscall(SYS_capset, &head, caps) != 0)
        return -1;
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0);
}

/* The stack's limit at exec decides where all else is mapped. */
static _Noreturn void become_zygote(const struct sxt_sandbox *sandbox)
{
    const struct rlimit stack = { STACK_BYTES, STACK_BYTES };
    bool full = sandbox->tier == SXT_SANDBOX_FULL;

    if (full && !sandbox->two_ids && keep_rights() != 0)
        sxt_sbx_give_up("keep the right to make namespaces");
    if (setrlimit(RLIMIT_STACK, &stack) != 0)
        sxt_sbx_give_up("limit the stack");
    if (fcntl(FILE_CONTROL, F_SETFD, 0) != 0)
        sxt_sbx_give_up("keep the caller's socket");
    if (sandbox->tier == SXT_SANDBOX_EXTERNAL) {
        execvpe(sandbox->wrapped[0], sandbox->wrapped,
                (char *const *)(uintptr_t)sxt_sbx_environment);
        sxt_sbx_give_up("execute the wrapper");
    }
    execute(sandbox, sandbox->zygote_boot,
            full ? zygote_environment : unjailed_environment);
}

/* The program's user is init's, unless there are two. */
static _Noreturn void become_program(const struct sxt_sandbox *sandbox,
                                     const struct sxt_limits *limits)
{
    sxt_sbx_reset_signals(); /* init blocks some */
    sxt_sbx_confine(sandbox, limits, sandbox->two_ids ? 0 : 1);
    execute(sandbox, sandbox->boot, sxt_sbx_environment);
}

static void build(const struct sxt_sandbox *sandbox, size_t disk_bytes)
{
    const char *failed = NULL;

    if (sandbox->tier == SXT_SANDBOX_FULL)
        failed = sxt_sbx_enter_root(sandbox, disk_bytes);
    else if (chdir("/") != 0)
        failed = "enter /";
    if (failed)
        sxt_sbx_give_up(failed);
    if ((sandbox->namespaces & CLONE_NEWUTS) && sethostname("jail", 4) != 0)
        sxt_sbx_give_up("set the host name");
}

_Noreturn void sxt_sbx_init(const struct sxt_sandbox *sandbox,
                            const struct sxt_limits *limits,
                            const int files[N_FILES])
{
    sigset_t watched;
    pid_t program;

    sxt_sbx_reset_signals();
    if (sxt_sbx_take_files(files) != 0)
        _exit(127);
    if (limits)
        sxt_sbx_follow_parent(sandbox, &watched);
    else if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        sxt_sbx_give_up("ask to die with the caller");
    setsid();
    if (!sxt_sbx_caller_is_ready())
        _exit(127);
    build(sandbox, limits ? limits->disk_bytes : ZYGOTE_TMP_BYTES);
    if (!limits)
        become_zygote(sandbox);
    prctl(PR_SET_DUMPABLE, 0);
    program = sxt_sbx_clone(0);
    if (program < 0)
        sxt_sbx_give_up("start a process");
    if (program == 0)
        become_program(sandbox, limits);
    sxt_sbx_supervise(sandbox, program, &watched);
    _exit(0);
}
