/* run.c - run one program, or two that talk, and watch them to their end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "sbx/jail.h"

enum { ERR_BYTES = 64 << 10, WATCH_MS = 5, LINGER_MS = 2000, START_S = 60 };

/* The caller's side of a run.  files: its ends, -1 where closed. */
struct run {
    struct sxt_sandbox *sandbox;
    int slot; /* of those that run at once */
    const struct sxt_job *job;
    struct sxt_result *result;
    int theirs[N_FILES], ours[N_FILES];
    pid_t init;                /* 0: not running */
    double start, own_queue;   /* this thread's queueing before the start */
    double queued_s;           /* in the jail, at the last look */
    const struct run *partner; /* of a pair */
    bool killed;               /* by us: the status is set */
    bool reported;
    struct jail_report report;
};

struct sxt_limits sxt_limits_default(void)
{
    return (struct sxt_limits){ .cpu_s = 10,
                                .memory_bytes = (size_t)1 << 30,
                                .output_bytes = 8 << 20,
                                .disk_bytes = 64 << 20,
                                .processes = 32 };
}

static void close_file(int *file)
{
    if (*file >= 0)
        close(*file);
    *file = -1;
}

/* The first trouble of the jail itself. */
static int trouble(struct run *r, const char *step, int error)
{
    struct sxt_result *res = r->result;

    res->status = SXT_RUN_ERROR;
    if (res->trouble[0] == '\0')
        snprintf(res->trouble, sizeof(res->trouble), "%s%s%s", step,
                 error ? ": " : "", error ? strerror(error) : "");
    return -1;
}

static int open_pipe(struct run *r, enum jail_file which)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return trouble(r, "make a pipe", errno);
    r->ours[which] = ends[0];
    r->theirs[which] = ends[1];
    return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static int open_files(struct run *r)
{
    int ends[2];

    r->theirs[FILE_IN] = sxt_sbx_sealed_file(r->job->input);
    r->theirs[FILE_PROGRAM] = sxt_sbx_sealed_file(r->job->program);
    if (r->theirs[FILE_IN] < 0 || r->theirs[FILE_PROGRAM] < 0)
        return trouble(r, "store the input in memory", errno);
    if (open_pipe(r, FILE_OUT) != 0 || open_pipe(r, FILE_ERR) != 0 ||
        open_pipe(r, FILE_GATE) != 0)
        return -1;
    if (r->job->channel && open_pipe(r, FILE_CHANNEL) != 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return trouble(r, "make a socket pair", errno);
    r->ours[FILE_CONTROL] = ends[0];
    r->theirs[FILE_CONTROL] = ends[1];
    return 0;
}

static void launch(struct run *r)
{
    const char *step = NULL;

    r->start = sxt_clock();
    r->own_queue = sxt_sbx_own_queue();
    r->init = sxt_sbx_start(r->sandbox, r->slot, &r->job->limits, r->theirs,
                            r->ours[FILE_CONTROL], &step);
    if (r->init < 0) {
        r->init = 0;
        trouble(r, step, errno);
    }
}

/* In the reduced tier the program's group dies by init's hand, on SIGTERM. */
static void kill_jail(struct run *r)
{
    bool full = r->sandbox->tier == SXT_SANDBOX_FULL;

    if (r->init > 0)
        kill(r->init, full ? SIGKILL : SIGTERM);
    r->killed = true;
}

static void stop(struct run *r, enum sxt_run_status why)
{
    if (!r->killed) {
        r->result->status = why;
        kill_jail(r);
    }
}

/* Take what a pipe holds; close it at its end. */
static void drain(struct run *r, enum jail_file which, struct sxt_str *to,
                  size_t cap)
{
    char buffer[65536];
    ssize_t n;

    while ((n = read(r->ours[which], buffer, sizeof(buffer))) > 0) {
        size_t room = cap - to->len;
        sxt_str_add_bytes(to, buffer, (size_t)n < room ? (size_t)n : room);
        if ((size_t)n > room) {
            stop(r, SXT_RUN_OUTPUT);
            break;
        }
    }
    if (n == 0)
        close_file(&r->ours[which]);
}

static void drain_all(struct run *r)
{
    size_t cap = r->job->limits.output_bytes;

    if (r->ours[FILE_OUT] >= 0)
        drain(r, FILE_OUT, &r->result->out, cap);
    if (r->ours[FILE_ERR] >= 0)
        drain(r, FILE_ERR, &r->result->err, ERR_BYTES);
    if (r->ours[FILE_CHANNEL] >= 0)
        drain(r, FILE_CHANNEL, &r->result->channel, cap);
}

static void read_gate(struct run *r)
{
    char c;

    if (r->ours[FILE_GATE] >= 0 && read(r->ours[FILE_GATE], &c, 1) == 0)
        close_file(&r->ours[FILE_GATE]);
}

/* Init's word: how the program ended, or what failed.  At its end init is
 * gone. */
static void read_control(struct run *r)
{
    struct jail_report got;
    ssize_t n = recv(r->ours[FILE_CONTROL], &got, sizeof(got), MSG_DONTWAIT);

    if (n == (ssize_t)sizeof(got) && !r->reported) {
        r->report = got;
        r->reported = true;
    } else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close_file(&r->ours[FILE_CONTROL]);
    }
}

/* Wall time, less the time for which a busy machine kept the jail, what it
 * talks to, or this reader of its words from running. */
static double patience_used(const struct run *r)
{
    double queued = r->queued_s + sxt_sbx_own_queue() - r->own_queue;

    if (r->partner)
        queued += r->partner->queued_s;
    return sxt_clock() - r->start - queued;
}

/* Compare what the jail uses with its limits. */
static void watch(struct run *r)
{
    const struct sxt_limits *l = &r->job->limits;
    struct sxt_result *res = r->result;
    struct jail_usage now;

    /* Before exec the pages are still those of the caller. */
    if (r->ours[FILE_GATE] >= 0) {
        if (sxt_clock() - r->start > START_S) {
            trouble(r, "the jail was not built in time", ETIMEDOUT);
            kill_jail(r);
        }
        return;
    }
    if (sxt_sbx_watch(r->init, &now) != 0) {
        /* Init may have ended just now: then it has said so. */
        read_control(r);
        if (r->reported || r->ours[FILE_CONTROL] < 0)
            return;
        trouble(r, "cannot see what the jail uses in /proc", 0);
        kill_jail(r);
        return;
    }
    if (now.bytes > res->peak_bytes)
        res->peak_bytes = now.bytes;
    if (now.cpu_s > res->cpu_s)
        res->cpu_s = now.cpu_s;
    r->queued_s = now.queued_s;
    if (patience_used(r) > 5 * l->cpu_s + 2)
        stop(r, SXT_RUN_WALL);
    else if (now.bytes > l->memory_bytes)
        stop(r, SXT_RUN_MEMORY);
    else if (now.cpu_s > l->cpu_s)
        stop(r, SXT_RUN_CPU);
    else if (now.tasks > l->processes)
        stop(r, SXT_RUN_PROCESSES);
}

/* What the program's own end means. */
static void judge_end(struct run *r)
{
    struct sxt_result *res = r->result;
    const struct sxt_limits *l = &r->job->limits;
    int w = r->report.wait;

    if (r->killed || res->trouble[0])
        return;
    if (!r->reported) {
        trouble(r, "the jail ended without a word", 0);
    } else if (r->report.failed) {
        r->report.step[sizeof(r->report.step) - 1] = '\0';
        trouble(r, r->report.step, r->report.failed);
    } else if (res->cpu_s > l->cpu_s ||
               (WIFSIGNALED(w) && WTERMSIG(w) == SIGXCPU)) {
        res->status = SXT_RUN_CPU;
    } else {
        res->status = WIFSIGNALED(w) ? SXT_RUN_SIGNALLED : SXT_RUN_EXITED;
        res->code = WIFSIGNALED(w) ? WTERMSIG(w) : WEXITSTATUS(w);
    }
}

/* Nobody may still hold an end of our pipes.  (A child that another thread is
 * just making may, for an instant.) */
static void expect_end(struct run *r)
{
    const enum jail_file pipes[] = { FILE_OUT, FILE_ERR, FILE_CHANNEL };
    double until = sxt_clock() + LINGER_MS / 1e3;

    for (size_t i = 0; i < 3; i++) {
        int *file = &r->ours[pipes[i]];
        while (*file >= 0 && !r->killed && sxt_clock() < until) {
            struct pollfd p = { .fd = *file, .events = POLLIN };
            poll(&p, 1, 10);
            drain_all(r);
        }
        if (*file >= 0 && !r->killed)
            trouble(r, "a process outlived its jail", 0);
    }
}

/* Init has closed its end: reap it and say what happened. */
static void finish(struct run *r)
{
    struct sxt_result *res = r->result;

    if (sxt_sbx_await(r->sandbox, r->slot, r->init) != 0 && !r->killed)
        trouble(r, "the jail does not end", 0);
    r->init = 0;
    if (r->reported && !r->report.failed) {
        size_t one = (size_t)r->report.max_kb * 1024;
        double cpu = (double)r->report.cpu_us / 1e6;
        res->peak_bytes = one > res->peak_bytes ? one : res->peak_bytes;
        res->cpu_s = cpu > res->cpu_s ? cpu : res->cpu_s;
    }
    drain_all(r);
    expect_end(r);
    judge_end(r);
    res->wall_s = sxt_clock() - r->start;
    for (int i = 0; i < N_FILES; i++)
        close_file(&r->ours[i]);
}

/* Wait for anything to happen in n runs. */
static void wait_any(struct run *runs, int n)
{
    const enum jail_file heard[] = { FILE_CONTROL, FILE_GATE, FILE_OUT,
                                     FILE_ERR, FILE_CHANNEL };
    struct pollfd p[10];
    nfds_t k = 0;

    for (int i = 0; i < n; i++)
        for (int f = 0; f < 5; f++)
            if (runs[i].init > 0 && runs[i].ours[heard[f]] >= 0)
                p[k++] = (struct pollfd){ .fd = runs[i].ours[heard[f]],
                                          .events = POLLIN };
    poll(p, k, WATCH_MS);
}

static void advance(struct run *r, double *next_watch)
{
    double now = sxt_clock();

    drain_all(r);
    read_gate(r);
    read_control(r);
    if (r->ours[FILE_CONTROL] < 0) {
        finish(r);
    } else if (r->result->trouble[0] && !r->killed) {
        kill_jail(r);
    } else if (!r->reported && !r->killed && now >= *next_watch) {
        watch(r);
        *next_watch = now + WATCH_MS / 1e3;
    }
}

static void loop(struct run *runs, int n)
{
    double next[2] = { 0, 0 };
    int alive;

    do {
        alive = 0;
        for (int i = 0; i < n; i++) {
            if (runs[i].init > 0)
                advance(&runs[i], &next[i]);
            alive += runs[i].init > 0;
        }
        if (alive > 0)
            wait_any(runs, n);
    } while (alive > 0);
}

static void set_up(struct run *r, struct sxt_sandbox *sandbox, int slot,
                   const struct sxt_job *job, struct sxt_result *result)
{
    *r = (struct run){
        .sandbox = sandbox, .slot = slot, .job = job, .result = result
    };
    *result = (struct sxt_result){ .status = SXT_RUN_ERROR };
    for (int i = 0; i < N_FILES; i++)
        r->theirs[i] = r->ours[i] = -1;
    open_files(r);
}

static void tear_down(struct run *r)
{
    for (int i = 0; i < N_FILES; i++) {
        close_file(&r->theirs[i]);
        close_file(&r->ours[i]);
    }
}

void sxt_sandbox_run(struct sxt_sandbox *sandbox, const struct sxt_job *job,
                     struct sxt_result *result)
{
    struct run r;

    set_up(&r, sandbox, 0, job, result);
    if (!result->trouble[0])
        launch(&r);
    loop(&r, 1);
    tear_down(&r);
}

void sxt_sandbox_run_pair(struct sxt_sandbox *sandbox,
                          const struct sxt_job jobs[2],
                          struct sxt_result results[2])
{
    struct run r[2];
    int link[2];

    for (int i = 0; i < 2; i++) {
        set_up(&r[i], sandbox, i, &jobs[i], &results[i]);
        r[i].partner = &r[1 - i];
    }
    for (int i = 0; i < 2; i++) {
        if (pipe2(link, O_CLOEXEC) != 0) {
            trouble(&r[i], "make a pipe", errno);
            break;
        }
        r[i].theirs[FILE_LINK_OUT] = link[1];
        r[1 - i].theirs[FILE_LINK_IN] = link[0];
    }
    if (!results[0].trouble[0] && !results[1].trouble[0])
        for (int i = 0; i < 2; i++)
            launch(&r[i]);
    loop(r, 2);
    for (int i = 0; i < 2; i++)
        tear_down(&r[i]);
}

void sxt_result_free(struct sxt_result *result)
{
    sxt_str_free(&result->out);
    sxt_str_free(&result->err);
    sxt_str_free(&result->channel);
}
