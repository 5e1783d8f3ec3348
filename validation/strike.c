/* strike.c - run a program, and send it a signal at its Nth touch of a file.
 *
 *     strike [-n N] [-s SIGNAL] [-o] [-h] [-t] [-r RANK] TEXT PROGRAM ARG...
 *
 * A touch is a system call that is about to change a file, or, with -o, to open
 * one, with TEXT in its path.  The signal (KILL, if not said) comes before the
 * call is made; with -h the program writes the first half of what it wants to
 * write and dies then.  With -t the signal comes twice, the second time at the
 * next touch and a second and a half later.  Without -n nothing is done but
 * counting: the number of touches is the last line on standard error.  Under
 * an MPI launcher -r names the rank that is meant; the others just run.
 *
 * The exit status is the program's, 128 + SIGNAL if one killed it, 77 where
 * programs cannot be traced.  A filter lets the kernel stop the program at
 * these calls only, so that it runs nearly as fast as ever. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Calls by where their file is: argument 0 as descriptor, 0 or 1 as path. */
enum { FD, PATH_0, PATH_1, OPEN };

static const struct {
    int call, where;
} touches[] = {
    { SYS_write, FD },        { SYS_pwrite64, FD },
    { SYS_writev, FD },       { SYS_pwritev, FD },
    { SYS_ftruncate, FD },    { SYS_fsync, FD },
    { SYS_fdatasync, FD },    { SYS_renameat2, PATH_1 },
    { SYS_unlinkat, PATH_1 }, { SYS_mkdirat, PATH_1 },
    { SYS_linkat, PATH_1 },   { SYS_openat, OPEN },
#ifdef SYS_rename /* older machines have these, too */
    { SYS_rename, PATH_0 },   { SYS_renameat, PATH_1 },
    { SYS_unlink, PATH_0 },   { SYS_rmdir, PATH_0 },
    { SYS_mkdir, PATH_0 },    { SYS_link, PATH_0 },
#endif
};
enum { N_TOUCHES = sizeof(touches) / sizeof(*touches) };

struct options {
    long at; /* 0: count only */
    int signal;
    bool opens, half, twice;
    const char *text;
};

struct state {
    struct options o;
    pid_t program;
    long seen;
    bool struck;
    pid_t halved; /* whose write is cut in half, to be killed behind it */
};

/* ---- the program's side ---- */

static int install_filter(void)
{
    struct sock_filter code[N_TOUCHES + 3];
    struct sock_fprog filter = { N_TOUCHES + 3, code };

    code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                           offsetof(struct seccomp_data, nr));
    for (int i = 0; i < N_TOUCHES; i++)
        code[1 + i] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (unsigned)touches[i].call,
            (unsigned char)(N_TOUCHES - i), 0);
    code[1 + N_TOUCHES] =
        (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[2 + N_TOUCHES] =
        (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}

/* Run ARGV once a byte comes through the pipe. */
static void become(char **argv, int gate)
{
    char byte;

    if (read(gate, &byte, 1) != 1)
        _exit(77);
    close(gate);
    if (install_filter() != 0)
        _exit(77);
    execvp(argv[0], argv);
    perror(argv[0]);
    _exit(127);
}

/* ---- the watcher's side ---- */

static bool path_has(pid_t pid, unsigned long long address, const char *text)
{
    char name[64], path[4096] = "";

    snprintf(name, sizeof(name), "/proc/%d/mem", (int)pid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    /* The string may end near the end of the last readable page. */
    for (size_t n = sizeof(path) - 1, got = 0; fd >= 0 && got < n;) {
        size_t page = 4096 - (address + got) % 4096;
        ssize_t r = pread(fd, path + got, page < n - got ? page : n - got,
                          (off_t)(address + got));
        if (r <= 0 || memchr(path + got, '\0', (size_t)r))
            break;
        got += (size_t)r;
    }
    if (fd >= 0)
        close(fd);
    return strstr(path, text) != NULL;
}

static bool fd_has(pid_t pid, unsigned long long fd, const char *text)
{
    char name[64], path[4096];

    snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)pid, (int)fd);
    ssize_t n = readlink(name, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    return path[0] == '/' && strstr(path, text) != NULL;
}

static bool touches_file(const struct state *s, pid_t pid,
                         const struct __ptrace_syscall_info *info)
{
    const __uint64_t *arg = info->seccomp.args;
    int where = FD;

    for (int i = 0; i < N_TOUCHES; i++)
        if ((unsigned long long)touches[i].call == info->seccomp.nr)
            where = touches[i].where;
    if (s->o.opens != (where == OPEN))
        return false;
    if (where == FD)
        return fd_has(pid, arg[0], s->o.text);
    return path_has(pid, arg[where == PATH_0 ? 0 : 1], s->o.text);
}

/* Let the call write half of its bytes; false where that cannot be done. */
static bool cut_write(pid_t pid, const struct __ptrace_syscall_info *info)
{
#ifdef __x86_64__
    size_t rdx = 12 * sizeof(long); /* place of argument 2, user(5) */
    bool bytes =
        info->seccomp.nr == SYS_write || info->seccomp.nr == SYS_pwrite64;

    return bytes && info->seccomp.args[2] > 1 &&
           ptrace(PTRACE_POKEUSER, pid, rdx, info->seccomp.args[2] / 2) == 0;
#else
    (void)pid;
    (void)info;
    return false;
#endif
}

/* The process stands before a call.  Returns how it is to go on. */
static int at_call(struct state *s, pid_t pid)
{
    struct __ptrace_syscall_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0 ||
        info.op != PTRACE_SYSCALL_INFO_SECCOMP || !touches_file(s, pid, &info))
        return PTRACE_CONT;
    s->seen++;
    bool again = s->o.twice && s->seen == s->o.at + 1;
    if (s->o.at == 0 || (s->seen != s->o.at && !again))
        return PTRACE_CONT;
    s->struck = true;
    if (s->o.half && cut_write(pid, &info)) {
        s->halved = pid;
        return PTRACE_SYSCALL;
    }
    if (again)
        nanosleep(&(struct timespec){ 1, 500000000 }, NULL);
    /* To this thread, so that it cannot run on before the signal is there. */
    syscall(SYS_tgkill, s->program, pid, s->o.signal);
    return PTRACE_CONT;
}

static void go_on(struct state *s, pid_t pid, int status)
{
    int signal = WSTOPSIG(status), event = status >> 16, how = PTRACE_CONT;
    bool stops = signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN ||
                 signal == SIGTTOU;

    if (event == PTRACE_EVENT_SECCOMP)
        how = at_call(s, pid);
    else if (event == PTRACE_EVENT_STOP && stops)
        how = PTRACE_LISTEN;
    if (pid == s->halved && event == 0 && signal == (SIGTRAP | 0x80))
        kill(s->program, SIGKILL); /* the half is written */
    if (event != 0 || signal == (SIGTRAP | 0x80))
        signal = 0; /* not one of the program's */
    ptrace(how, pid, NULL, signal);
}

static int watch(struct state *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, __WALL)) > 0 ||
           (pid < 0 && errno == EINTR)) {
        if (pid < 0)
            continue;
        if (WIFSTOPPED(status))
            go_on(s, pid, status);
        else if (pid == s->program)
            return WIFEXITED(status) ? WEXITSTATUS(status)
                                     : 128 + WTERMSIG(status);
    }
    return 70;
}

static int trace(struct state *s, char **argv)
{
    long wanted = PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP |
                  PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                  PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
                  PTRACE_O_TRACESYSGOOD;
    int gate[2];

    if (pipe(gate) != 0)
        return 77;
    s->program = fork();
    if (s->program == 0) {
        close(gate[1]);
        become(argv, gate[0]);
    }
    close(gate[0]);
    if (s->program < 0 || ptrace(PTRACE_SEIZE, s->program, NULL, wanted) != 0) {
        close(gate[1]);
        fprintf(stderr, "strike: programs cannot be traced here: %s\n",
                strerror(errno));
        return 77;
    }
    if (write(gate[1], "", 1) != 1)
        return 77;
    close(gate[1]);
    int rc = watch(s);
    if (s->o.at == 0)
        fprintf(stderr, "%ld\n", s->seen);
    return rc;
}

/* ---- the command line ---- */

static int signal_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } known[] = { { "KILL", SIGKILL },
                  { "TERM", SIGTERM },
                  { "INT", SIGINT },
                  { "USR1", SIGUSR1 },
                  { "STOP", SIGSTOP } };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strcmp(name, known[i].name) == 0)
            return known[i].number;
    return 0;
}

/* Is this process the rank that is meant?  No rank at all is rank 0. */
static bool is_rank(const char *wanted)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_RANK", "PMIX_RANK",
                                         "PMI_RANK" };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (getenv(names[i]))
            return strcmp(getenv(names[i]), wanted) == 0;
    return strcmp(wanted, "0") == 0;
}

int main(int argc, char **argv)
{
    struct state s = { .o.signal = SIGKILL };
    const char *rank = "0";
    int c;

    while ((c = getopt(argc, argv, "+n:s:ohtr:")) != -1) {
        switch (c) {
        case 'n':
            s.o.at = atol(optarg);
            break;
        case 's':
            s.o.signal = signal_number(optarg);
            break;
        case 'o':
            s.o.opens = true;
            break;
        case 'h':
            s.o.half = true;
            break;
        case 't':
            s.o.twice = true;
            break;
        case 'r':
            rank = optarg;
            break;
        default:
            return 64;
        }
    }
    if (argc - optind < 2 || s.o.signal == 0) {
        fprintf(stderr, "usage: strike [-n N] [-s SIGNAL] [-o] [-h] [-t] "
                        "[-r RANK] TEXT PROGRAM ARG...\n");
        return 64;
    }
    s.o.text = argv[optind];
    argv += optind + 1;
    if (is_rank(rank))
        return trace(&s, argv);
    execvp(argv[0], argv);
    perror(argv[0]);
    return 127;
}
