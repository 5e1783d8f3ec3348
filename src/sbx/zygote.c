/* zygote.c - copies of an interpreter that is ready to run, each in a jail.
 *
 * Loaded into the interpreter (LD_PRELOAD), it stands in for fork() once.  The
 * interpreter, started in an outer jail, has done all that programs have in
 * common, and calls os.fork(); that call never returns in the zygote, but once
 * in every program, as in a child.  So the interpreter keeps its own books
 * about forks, and nothing of it is known here.
 *
 * No program ever runs in the zygote itself: each is a fresh copy of the same
 * state.  Its init is a copy, too, in new process, mount and IPC namespaces
 * within the zygote's, where neither the zygote nor other programs exist; in
 * the reduced tier without, held by what every program is held by there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sbx/jail.h"

pid_t fork(void);

static pid_t (*real_fork)(void);
static bool waiting; /* for the interpreter to call fork */

/* Before the interpreter's main. */
__attribute__((constructor)) static void arm(void)
{
    void *found = dlsym(RTLD_NEXT, "fork");

    memcpy(&real_fork, &found, sizeof(found));
    unsetenv("LD_PRELOAD");
    waiting = true;
    prctl(PR_SET_DUMPABLE, 0);
    /* exec may have cleared it; who died before is found by recv. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        _exit(127);
}

/* The paths that programs may read, where Landlock alone decides. */
static void read_binds(struct sxt_sandbox *sandbox, char *at)
{
    sandbox->binds = calloc(sandbox->n_binds + 1, sizeof(*sandbox->binds));
    if (!sandbox->binds)
        sxt_sbx_give_up("read the zygote's orders");
    for (size_t i = 0; i < sandbox->n_binds; i++) {
        sandbox->binds[i].directory = *at == 'd';
        sandbox->binds[i].path = at + 1;
        at += strlen(at) + 1;
    }
}

static void read_config(struct sxt_sandbox *sandbox)
{
    struct zygote_config *config;
    struct stat st;

    if (fstat(FILE_PROGRAM, &st) != 0)
        sxt_sbx_give_up("read the zygote's orders");
    config =
        mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, FILE_PROGRAM, 0);
    if (config == MAP_FAILED)
        sxt_sbx_give_up("read the zygote's orders");
    *sandbox = (struct sxt_sandbox){
        .tier = config->tier,
        .two_ids = config->two_ids,
        .landlock = config->landlock,
        .n_filter = config->n_filter,
        .filter = (struct sock_filter *)(uintptr_t)(config + 1),
        .n_binds = config->n_binds,
    };
    read_binds(sandbox, (char *)(sandbox->filter + sandbox->n_filter));
}

/* The caller's next wish and its files; false when the caller is gone. */
static bool receive(struct zygote_request *request, int files[N_FILES])
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(N_FILES * sizeof(int))];
    } control;
    struct iovec text = { request, sizeof(*request) };
    struct msghdr m = { .msg_iov = &text,
                        .msg_iovlen = 1,
                        .msg_control = &control,
                        .msg_controllen = sizeof(control) };
    struct cmsghdr *c;
    ssize_t n;

    do
        n = recvmsg(FILE_CONTROL, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    c = CMSG_FIRSTHDR(&m);
    if (n != (ssize_t)sizeof(*request) || !c || c->cmsg_type != SCM_RIGHTS ||
        (m.msg_flags & MSG_CTRUNC))
        return false;
    const unsigned char *at = CMSG_DATA(c);
    for (int i = 0; i < N_FILES; i++) {
        files[i] = -1;
        if (request->has[i]) {
            memcpy(&files[i], at, sizeof(int));
            at += sizeof(int);
        }
    }
    return true;
}

/* The program's working directory; in the reduced tier it may write none. */
static void enter(const struct sxt_sandbox *sandbox,
                  const struct zygote_request *request)
{
    bool full = sandbox->tier == SXT_SANDBOX_FULL;

    if (full && sxt_sbx_mount_tmp("/tmp", request->limits.disk_bytes) != 0)
        sxt_sbx_give_up("mount the jail's /tmp");
    if (chdir(full ? "/tmp" : "/") != 0)
        sxt_sbx_give_up("enter the working directory");
}

/* First process of the new namespaces.  Returns in the program's process. */
static void init(const struct sxt_sandbox *sandbox,
                 const struct zygote_request *request, const int files[N_FILES])
{
    sigset_t watched;
    pid_t program;

    if (sxt_sbx_take_files(files) != 0)
        _exit(127);
    sxt_sbx_follow_parent(sandbox, &watched);
    setsid();
    /* Tell the caller our number, which the kernel adds. */
    if (send(FILE_CONTROL, "h", 1, MSG_NOSIGNAL) != 1 ||
        !sxt_sbx_caller_is_ready())
        _exit(127);
    enter(sandbox, request);
    program = real_fork();
    if (program < 0)
        sxt_sbx_give_up("start a process");
    if (program > 0) {
        sxt_sbx_supervise(sandbox, program, &watched);
        _exit(0);
    }
    sigprocmask(SIG_UNBLOCK, &watched, NULL);
    /* The zygote and init are of the program's user. */
    sxt_sbx_confine(sandbox, &request->limits, sandbox->two_ids ? 0 : 2);
    close(FILE_CONTROL);
    close(FILE_GATE);
}

/* An init that was killed could not end its processes; without a namespace
 * they come to us. */
static void end_orphans(pid_t init)
{
    char path[64];
    int pid, found;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    do {
        FILE *list = fopen(path, "re");
        found = 0;
        while (list && fscanf(list, "%d", &pid) == 1)
            if (pid != init) {
                found++;
                kill(pid, SIGKILL);
                waitpid(pid, NULL, 0);
            }
        if (list)
            fclose(list);
    } while (found > 0);
}

/* Start what the caller wishes, one program at a time.  A program's init is
 * dead, and with it all that was in its jail, when the caller is told; it
 * stays unburied until the next wish, so that its number is nobody else's. */
static void serve(void)
{
    unsigned long fresh = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC;
    const struct jail_report ready = { 0 };
    struct zygote_request request;
    struct sxt_sandbox sandbox;
    int files[N_FILES];
    siginfo_t ended;

    read_config(&sandbox);
    if (sandbox.tier != SXT_SANDBOX_FULL) {
        fresh = 0;
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
            sxt_sbx_give_up("become a subreaper");
    }
    send(FILE_CONTROL, &ready, sizeof(ready), MSG_NOSIGNAL);
    while (receive(&request, files)) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        long pid = syscall(SYS_clone, fresh | SIGCHLD, 0, 0, 0, 0);
        if (pid == 0) {
            init(&sandbox, &request, files);
            return;
        }
        for (int i = 0; i < N_FILES; i++)
            if (files[i] >= 0)
                close(files[i]);
        while (pid > 0 &&
               waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT) != 0 &&
               errno == EINTR)
            ;
        int failed = pid < 0 ? errno : 0;
        if (pid > 0 && !fresh)
            end_orphans((pid_t)pid);
        send(FILE_CONTROL, &failed, sizeof(failed), MSG_NOSIGNAL);
    }
    _exit(0);
}

pid_t fork(void)
{
    if (!waiting)
        return real_fork();
    waiting = false;
    serve();
    return 0;
}
