/* start.c - starting the init of a jail, directly or through a zygote. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "sbx/jail.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

enum { ANSWER_MS = 60000 }; /* from a zygote; a busy node is slow */

pid_t sxt_sbx_clone(unsigned long namespaces)
{
    return (pid_t)syscall(SYS_clone, namespaces | SIGCHLD, 0, 0, 0, 0);
}

static void close_file(int *file)
{
    if (*file >= 0)
        close(*file);
    *file = -1;
}

static void close_all(int files[N_FILES])
{
    for (int i = 0; i < N_FILES; i++)
        close_file(&files[i]);
}

int sxt_sbx_sealed_file(struct sxt_span bytes)
{
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int file = memfd_create("input", flags | MFD_NOEXEC_SEAL);
    size_t done = 0;

    if (file < 0 && errno == EINVAL) /* before Linux 6.3 */
        file = memfd_create("input", flags);
    while (file >= 0 && done < bytes.len) {
        ssize_t n = write(file, bytes.data + done, bytes.len - done);
        if (n < 0 && errno != EINTR)
            close_file(&file);
        done += n > 0 ? (size_t)n : 0;
    }
    if (file < 0)
        return -1;
    if (lseek(file, 0, SEEK_SET) != 0 ||
        fcntl(file, F_ADD_SEALS,
              F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        close_file(&file);
    return file;
}

static int write_map(pid_t init, const char *name, const char *text)
{
    char path[48];
    ssize_t n;
    int file;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)init, name);
    file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    n = write(file, text, strlen(text));
    close(file);
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* Users of the jail.  Root gives it two: init, which mounts, stays root of
 * its namespace; the program is nobody. */
static int map_ids(const struct sxt_sandbox *sandbox, pid_t init)
{
    char users[64], groups[64];

    if (sandbox->two_ids) {
        snprintf(users, sizeof(users), "0 0 1\n%d %d 1\n", JAIL_ID, NOBODY);
        memcpy(groups, users, sizeof(groups));
    } else {
        snprintf(users, sizeof(users), "%d %d 1\n", JAIL_ID, (int)geteuid());
        snprintf(groups, sizeof(groups), "%d %d 1\n", JAIL_ID, (int)getegid());
        if (write_map(init, "setgroups", "deny") != 0)
            return -1;
    }
    if (write_map(init, "uid_map", users) != 0)
        return -1;
    return write_map(init, "gid_map", groups);
}

/* Start the first process of a jail that the kernel makes for us; it waits for
 * our word until its users are known.  Without limits: a zygote. */
static pid_t start_anew(const struct sxt_sandbox *sandbox,
                        const struct sxt_limits *limits, int theirs[N_FILES],
                        int control, const char **step)
{
    bool full = sandbox->tier == SXT_SANDBOX_FULL;
    pid_t init = sxt_sbx_clone(full ? sandbox->namespaces : 0);

    if (init == 0)
        sxt_sbx_init(sandbox, limits, theirs);
    int error = errno;
    close_all(theirs);
    errno = error;
    *step = "start a jail";
    if (init < 0)
        return -1;
    *step = NULL;
    if (full && map_ids(sandbox, init) != 0)
        *step = "map the user into the jail";
    else if (send(control, "g", 1, MSG_NOSIGNAL) != 1)
        *step = "talk to the jail";
    if (!*step)
        return init;
    error = errno;
    kill(init, SIGKILL);
    while (waitpid(init, NULL, 0) < 0 && errno == EINTR)
        ;
    errno = error;
    return -1;
}

/* ---- zygotes ---- */

/* Receive what must come within ANSWER_MS; the sender's number, or -1. */
static pid_t receive(int socket, void *what, size_t size)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec text = { what, size };
    struct msghdr m = { .msg_iov = &text,
                        .msg_iovlen = 1,
                        .msg_control = &control,
                        .msg_controllen = sizeof(control) };
    struct pollfd p = { .fd = socket, .events = POLLIN };
    struct cmsghdr *c;
    struct ucred sender = { 0 };
    int ready;

    while ((ready = poll(&p, 1, ANSWER_MS)) < 0 && errno == EINTR)
        ;
    if (ready == 0)
        errno = ETIMEDOUT;
    if (ready <= 0)
        return -1;
    errno = EPIPE;
    if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) != (ssize_t)size)
        return -1;
    c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_type == SCM_CREDENTIALS)
        memcpy(&sender, CMSG_DATA(c), sizeof(sender));
    return sender.pid;
}

static int config_file(const struct sxt_sandbox *sandbox)
{
    struct zygote_config config = { .tier = sandbox->tier,
                                    .two_ids = sandbox->two_ids,
                                    .landlock = sandbox->landlock,
                                    .n_filter = (unsigned)sandbox->n_filter };
    struct sxt_str s = SXT_STR_EMPTY;
    int file;

    for (size_t i = 0; i < sandbox->n_binds; i++)
        config.n_binds += !sandbox->binds[i].target;
    sxt_str_add_bytes(&s, (const char *)&config, sizeof(config));
    sxt_str_add_bytes(&s, (const char *)sandbox->filter,
                      sandbox->n_filter * sizeof(*sandbox->filter));
    for (size_t i = 0; i < sandbox->n_binds; i++) {
        const struct jail_bind *b = &sandbox->binds[i];
        if (b->target)
            continue;
        sxt_str_add_char(&s, b->directory ? 'd' : 'f');
        sxt_str_add_bytes(&s, b->path, strlen(b->path) + 1);
    }
    file = sxt_sbx_sealed_file((struct sxt_span){ s.data, s.len });
    sxt_str_free(&s);
    return file;
}

/* The zygote's files are of the kinds that programs get, so that the
 * interpreter treats those of its copies alike. */
static int open_zygote_files(const struct sxt_sandbox *sandbox,
                             int theirs[N_FILES], int *ours)
{
    int out[2], ends[2];

    for (int i = 0; i < N_FILES; i++)
        theirs[i] = -1;
    if (pipe2(out, O_CLOEXEC) != 0)
        return -1;
    close(out[0]);
    theirs[FILE_OUT] = out[1];
    theirs[FILE_ERR] = fcntl(out[1], F_DUPFD_CLOEXEC, 0);
    theirs[FILE_IN] = sxt_sbx_sealed_file(sxt_span(""));
    theirs[FILE_PROGRAM] = config_file(sandbox);
    if (sandbox->tier != SXT_SANDBOX_FULL)
        theirs[ZYGOTE_FILE] = sxt_sbx_sealed_file((struct sxt_span){
            (const char *)sxt_sbx_zygote_image, sxt_sbx_zygote_bytes });
    if (theirs[FILE_ERR] < 0 || theirs[FILE_IN] < 0 ||
        theirs[FILE_PROGRAM] < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    *ours = ends[0];
    theirs[FILE_CONTROL] = ends[1];
    return 0;
}

/* A wrapper that has become another user ends when its zygote does, which the
 * closed socket tells. */
static void bury(pid_t pid)
{
    const struct timespec tick = { 0, 10 * 1000 * 1000 };
    bool ours = kill(pid, SIGKILL) == 0;

    for (int i = 0; i < ANSWER_MS / 10; i++) {
        pid_t done = waitpid(pid, NULL, ours ? 0 : WNOHANG);
        if (done > 0 || (done < 0 && errno != EINTR))
            return;
        nanosleep(&tick, NULL);
    }
}

void sxt_sbx_end_zygote(struct sxt_sandbox *sandbox, int slot)
{
    struct jail_zygote *z = &sandbox->zygotes[slot];

    if (z->pid <= 0)
        return;
    close(z->socket);
    if (z->owner == getpid())
        bury(z->pid);
    z->pid = 0;
}

int sxt_sbx_start_zygote(struct sxt_sandbox *sandbox, int slot,
                         const char **step)
{
    struct jail_zygote *z = &sandbox->zygotes[slot];
    struct jail_report report;
    int theirs[N_FILES];

    if (z->pid > 0 && z->owner == getpid())
        return 0;
    sxt_sbx_end_zygote(sandbox, slot);
    *step = "make files for a zygote";
    z->socket = -1;
    if (open_zygote_files(sandbox, theirs, &z->socket) != 0) {
        close_all(theirs);
        close_file(&z->socket);
        return -1;
    }
    z->pid = start_anew(sandbox, NULL, theirs, z->socket, step);
    z->owner = getpid();
    if (z->pid < 0) {
        close_file(&z->socket);
        return -1;
    }
    *step = "start a zygote (its interpreter cannot load a library?)";
    if (receive(z->socket, &report, sizeof(report)) >= 0 && !report.failed)
        return 0;
    sxt_sbx_end_zygote(sandbox, slot);
    return -1;
}

static int send_request(int socket, const struct sxt_limits *limits,
                        const int theirs[N_FILES])
{
    struct zygote_request request = { .limits = *limits };
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(N_FILES * sizeof(int))];
    } control = { .bytes = { 0 } };
    struct iovec text = { &request, sizeof(request) };
    struct msghdr m = { .msg_iov = &text,
                        .msg_iovlen = 1,
                        .msg_control = &control };
    int files[N_FILES], n = 0;

    for (int i = 0; i < N_FILES; i++) {
        request.has[i] = theirs[i] >= 0;
        if (theirs[i] >= 0)
            files[n++] = theirs[i];
    }
    m.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
    memcpy(CMSG_DATA(c), files, (size_t)n * sizeof(int));
    return sendmsg(socket, &m, MSG_NOSIGNAL) == (ssize_t)sizeof(request) ? 0
                                                                         : -1;
}

/* Init's first word carries its number; ours lets it go on. */
static pid_t start_copy(struct sxt_sandbox *sandbox, int slot,
                        const struct sxt_limits *limits, int theirs[N_FILES],
                        int control, const char **step)
{
    const int on = 1;
    pid_t init = -1;
    char hello;

    if (sxt_sbx_start_zygote(sandbox, slot, step) == 0) {
        *step = "start a copy of the zygote";
        if (setsockopt(control, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) ==
                0 &&
            send_request(sandbox->zygotes[slot].socket, limits, theirs) == 0) {
            close_all(theirs);
            init = receive(control, &hello, 1);
        }
        if (init > 0 && send(control, "g", 1, MSG_NOSIGNAL) == 1)
            return init;
    }
    int error = errno;
    sxt_sbx_end_zygote(sandbox, slot);
    close_all(theirs);
    errno = error;
    return -1;
}

pid_t sxt_sbx_start(struct sxt_sandbox *sandbox, int slot,
                    const struct sxt_limits *limits, int theirs[N_FILES],
                    int control, const char **step)
{
    if (sandbox->anew)
        return start_anew(sandbox, limits, theirs, control, step);
    return start_copy(sandbox, slot, limits, theirs, control, step);
}

int sxt_sbx_await(struct sxt_sandbox *sandbox, int slot, pid_t init)
{
    int failed = 0;

    if (sandbox->anew) {
        while (waitpid(init, NULL, 0) < 0 && errno == EINTR)
            ;
        return 0;
    }
    if (receive(sandbox->zygotes[slot].socket, &failed, sizeof(failed)) >= 0 &&
        !failed)
        return 0;
    sxt_sbx_end_zygote(sandbox, slot);
    return -1;
}
