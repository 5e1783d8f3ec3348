/* watch.c - CPU time and memory of everything in a jail, from /proc.
 *
 * Orphans become children of init, so whatever lives in the jail descends
 * from it.  The kernel lists children per thread (CONFIG_PROC_CHILDREN). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sbx/jail.h"

enum { MAX_PIDS = 4096 };

struct crowd {
    pid_t pids[MAX_PIDS];
    size_t n;
};

/* A small file of /proc, as a C string.  Bytes read, or -1. */
static ssize_t slurp(const char *path, char *text, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t got;

    if (file < 0)
        return -1;
    while (n + 1 < size && (got = read(file, text + n, size - 1 - n)) > 0)
        n += (size_t)got;
    close(file);
    text[n] = '\0';
    return (ssize_t)n;
}

static bool add_thread(pid_t pid, const char *tid, struct crowd *crowd)
{
    char path[64], text[8192];

    snprintf(path, sizeof(path), "/proc/%d/task/%.12s/children", (int)pid, tid);
    if (slurp(path, text, sizeof(text)) < 0)
        return false;
    for (char *p = text, *end; crowd->n < MAX_PIDS; p = end) {
        long child = strtol(p, &end, 10);
        if (end == p)
            break;
        crowd->pids[crowd->n++] = (pid_t)child;
    }
    return true;
}

/* Add a process's children; false if it is gone or cannot be seen. */
static bool add_children(pid_t pid, struct crowd *crowd)
{
    char path[32];
    struct dirent *e;
    bool seen = false;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    dir = opendir(path);
    if (!dir)
        return false;
    while ((e = readdir(dir)) != NULL)
        if (e->d_name[0] != '.')
            seen |= add_thread(pid, e->d_name, crowd);
    closedir(dir);
    return seen;
}

/* CPU time of a process (own: false leaves only that of the children it has
 * waited for), in clock ticks. */
static bool add_cpu(pid_t pid, bool own, double *ticks)
{
    unsigned long user, system;
    long child_user, child_system;
    char path[32], text[1024], *p;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (slurp(path, text, sizeof(text)) <= 0)
        return false;
    p = strrchr(text, ')'); /* the name before it may hold anything */
    if (!p || sscanf(p + 1,
                     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
                     "%lu %lu %ld %ld",
                     &user, &system, &child_user, &child_system) != 4)
        return false;
    *ticks += (double)(child_user + child_system);
    if (own)
        *ticks += (double)(user + system);
    return true;
}

static size_t field(const char *text, const char *name)
{
    const char *p = strstr(text, name);

    return p ? strtoul(p + strlen(name), NULL, 10) : 0;
}

/* Pages that are the process's own, not those of files. */
static void add_memory(pid_t pid, struct jail_usage *usage)
{
    char path[32], text[4096];

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    if (slurp(path, text, sizeof(text)) <= 0)
        return;
    usage->bytes +=
        (field(text, "\nRssAnon:") + field(text, "\nRssShmem:")) * 1024;
    usage->tasks += (int)field(text, "\nThreads:");
}

/* Time that a busy machine took from a process; kernels without
 * CONFIG_SCHED_INFO say nothing. */
static double queued(const char *path)
{
    unsigned long long on, waited;
    char text[128];

    if (slurp(path, text, sizeof(text)) > 0 &&
        sscanf(text, "%llu %llu", &on, &waited) == 2)
        return (double)waited / 1e9;
    return 0;
}

double sxt_sbx_own_queue(void)
{
    return queued("/proc/thread-self/schedstat");
}

/* It is summed, for processes may wait for each other; many that are ready at
 * once run into the limit of CPU time. */
static void add_queued(pid_t pid, struct jail_usage *usage)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
    usage->queued_s += queued(path);
}

int sxt_sbx_watch(pid_t init, struct jail_usage *usage)
{
    struct crowd crowd;
    double ticks = 0;

    *usage = (struct jail_usage){ 0 };
    crowd.n = 0;
    if (!add_children(init, &crowd) || !add_cpu(init, false, &ticks))
        return -1;
    for (size_t i = 0; i < crowd.n; i++) {
        add_cpu(crowd.pids[i], true, &ticks);
        add_memory(crowd.pids[i], usage);
        add_queued(crowd.pids[i], usage);
        add_children(crowd.pids[i], &crowd);
    }
    usage->cpu_s = ticks / (double)sysconf(_SC_CLK_TCK);
    return 0;
}
