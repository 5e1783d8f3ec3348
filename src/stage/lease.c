/* lease.c - leases: taken, kept alive, judged, given back. */
#define _GNU_SOURCE
#include "stage/lease.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"

static const double beat_s = 2;   /* between beats */
static const double watch_s = 60; /* without one a maker elsewhere is dead */

struct sxt_lease {
    char *made;        /* the directory, if it is there for the lease only */
    char *path, *next; /* PATH.lease-N and the one that would replace it */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* quit */
    bool quit;
};

/* Who has a lease, as its file says. */
struct maker {
    char host[256], node[128], job[64];
    long pid, restart;
    unsigned long long started;
};

/* ---- processes ---- */

/* When a process started, in ticks since boot; 0: it is gone or a zombie, or
 * its file cannot be read. */
static unsigned long long start_of(long pid)
{
    char path[64], text[1024] = "", state = 'Z', *at;
    unsigned long long started = 0;
    int fd;

    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof(text) - 1) < 0)
        text[0] = '\0';
    close(fd);
    at = strrchr(text, ')'); /* a name may have spaces and brackets */
    if (!at ||
        sscanf(at + 1,
               " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
               "%*s %*s %*s %*s %llu",
               &state, &started) != 2)
        return 0;
    return state == 'Z' || state == 'X' ? 0 : started;
}

/* Boot and space of process numbers: hosts in two containers may share a name,
 * and a number means a process only here.  Empty: unknown. */
static void name_node(char *node, size_t n)
{
    char boot[64] = "", space[48];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t len = readlink("/proc/self/ns/pid", space, sizeof(space) - 1);

    if (fd >= 0 && len > 0 && read(fd, boot, 36) == 36)
        snprintf(node, n, "%s/%.*s", boot, (int)len, space);
    else
        node[0] = '\0';
    if (fd >= 0)
        close(fd);
}

static const char *or_none(const char *text)
{
    return text && text[0] ? text : "none";
}

static struct maker this_maker(void)
{
    const char *restart = getenv("SLURM_RESTART_COUNT");
    struct maker m = { .pid = getpid(),
                       .restart = restart ? atol(restart) : 0,
                       .started = start_of(getpid()) };

    gethostname(m.host, sizeof(m.host) - 1);
    name_node(m.node, sizeof(m.node));
    snprintf(m.job, sizeof(m.job), "%s", or_none(getenv("SLURM_JOB_ID")));
    return m;
}

/* ---- files ---- */

/* The text of a lease: who made it, and at last the beat. */
static int print_lease(const struct maker *m, unsigned long beat, char *text,
                       size_t n)
{
    return snprintf(text, n,
                    "host %s\npid %ld\nstarted %llu\nnode %s\njob %s\n"
                    "restart %ld\nbeat %lu\n",
                    or_none(m->host), m->pid, m->started, or_none(m->node),
                    m->job, m->restart, beat);
}

/* What does not parse is a lease just being made, of a maker unknown. */
static struct maker parse_lease(const char *text)
{
    struct maker m = { .host = "unknown", .job = "none" };
    struct maker read = m;

    if (sscanf(text,
               "host %255s pid %ld started %llu node %127s job %63s "
               "restart %ld",
               read.host, &read.pid, &read.started, read.node, read.job,
               &read.restart) == 6)
        m = read;
    return m;
}

/* Whole text of a lease; false if there is none any more.  Opened anew each
 * time: a network file system looks at the server then. */
static bool read_lease(const char *path, char *text, size_t n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, n - 1) : 0;
    bool there = fd >= 0 || errno != ENOENT;

    if (fd >= 0)
        close(fd);
    text[len > 0 ? len : 0] = '\0';
    return there;
}

static char *lease_path(const char *path, unsigned long number)
{
    return sxt_printf("%s.lease-%lu", path, number);
}

/* The newest lease of a path, 0: none.  Below `old` they are removed. */
static unsigned long newest_of(const char *path, unsigned long old)
{
    char *folder = sxt_path_dir(path);
    char *begin = sxt_printf("%s.lease-", sxt_path_base(path));
    DIR *dir = opendir(folder);
    unsigned long newest = 0;
    struct dirent *d;

    while (dir && (d = readdir(dir)) != NULL) {
        unsigned long number;
        int end = 0;
        if (!sxt_starts_with(d->d_name, begin) ||
            sscanf(d->d_name + strlen(begin), "%lu%n", &number, &end) != 1 ||
            d->d_name[strlen(begin) + (size_t)end] != '\0')
            continue;
        newest = number > newest ? number : newest;
        if (number < old)
            unlinkat(dirfd(dir), d->d_name, 0);
    }
    if (dir)
        closedir(dir);
    free(begin);
    free(folder);
    return newest;
}

/* ---- kept alive ---- */

/* Gone while its maker was suspended, or replaced by a newer one? */
static bool is_lost(const struct sxt_lease *l)
{
    return access(l->next, F_OK) == 0 ||
           (access(l->path, F_OK) != 0 && errno == ENOENT);
}

static void beat(const struct sxt_lease *l, unsigned long count)
{
    struct maker m = this_maker();
    char text[1024];
    int n = print_lease(&m, count, text, sizeof(text));
    int fd = open(l->path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)!pwrite(fd, text, (size_t)n, 0); /* the next one may do better */
    close(fd);
}

/* Whoever has a newer lease judged this process dead: it must not write. */
static void *keep(void *self)
{
    struct sxt_lease *l = self;
    struct timespec until;

    pthread_mutex_lock(&l->lock);
    for (unsigned long count = 1; !l->quit; count++) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (time_t)beat_s;
        pthread_cond_timedwait(&l->changed, &l->lock, &until);
        if (!l->quit && is_lost(l)) {
            fprintf(stderr,
                    "sextant: error: %s is gone or a newer run has replaced "
                    "it; this one ends\n",
                    l->path);
            _exit(SXT_EXIT_HELD);
        }
        if (!l->quit)
            beat(l, count);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static struct sxt_lease *begin(char *path, char *next, char *made)
{
    struct sxt_lease *l = sxt_calloc(1, sizeof(*l));
    pthread_condattr_t attr;

    l->path = path;
    l->next = next;
    l->made = made;
    beat(l, 0);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    SXT_CHECK(pthread_mutex_init(&l->lock, NULL) == 0);
    SXT_CHECK(pthread_cond_init(&l->changed, &attr) == 0);
    pthread_condattr_destroy(&attr);
    sxt_thread_start(&l->thread, keep, l);
    return l;
}

void sxt_lease_release(struct sxt_lease *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->quit = true;
    pthread_cond_signal(&l->changed);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    unlink(l->path);
    if (l->made)
        rmdir(l->made); /* not if there is anything in it */
    free(l->made);
    free(l->path);
    free(l->next);
    free(l);
}

/* ---- judged ---- */

static int held(const char *path, const struct maker *m, struct sxt_error *err)
{
    return sxt_err(err, SXT_EXIT_HELD,
                   "%s is being made by another run: host %s, process %ld, job "
                   "%s; let it end, stop it, or choose another output",
                   path, m->host, m->pid, m->job);
}

static bool is_here(const struct maker *m)
{
    struct maker me = this_maker();

    return me.node[0] && strcmp(m->node, me.node) == 0;
}

/* Is it certain that the maker is dead?  One of an earlier start of this job
 * is: Slurm ends a job before it starts it again. */
static bool is_dead(const struct maker *m)
{
    struct maker me = this_maker();

    if (strcmp(m->job, "none") != 0 && strcmp(m->job, me.job) == 0 &&
        m->restart < me.restart)
        return true;
    if (!is_here(m))
        return false;
    if (kill((pid_t)m->pid, 0) != 0 && errno == ESRCH)
        return true;
    return start_of(m->pid) != m->started;
}

/* Until the lease's maker has given it back or is dead; or not to be waited
 * for. */
static int wait_for(const char *path, const char *lease,
                    const struct sxt_log *log, struct sxt_error *err)
{
    const struct timespec nap = { 0, 100000000 };
    char first[1024], now[1024];
    double began = sxt_clock();
    bool told = false;

    if (!read_lease(lease, first, sizeof(first)))
        return 0;
    struct maker m = parse_lease(first);
    while (!is_dead(&m)) {
        nanosleep(&nap, NULL);
        if (!read_lease(lease, now, sizeof(now)))
            return 0;
        if (strcmp(now, first) != 0)
            return held(path, &m, err);
        double waited = sxt_clock() - began;
        if (waited > watch_s)
            return is_here(&m) ? held(path, &m, err) : 0;
        if (waited > 2 * beat_s && !told)
            sxt_log(log, SXT_LOG_INFO,
                    "%s: looks for a sign of life of host %s, process %ld, job "
                    "%s; up to %.0f s",
                    path, m.host, m.pid, m.job, watch_s);
        told = waited > 2 * beat_s;
    }
    return 0;
}

static int take(const char *path, const struct sxt_log *log,
                struct sxt_lease **lease, struct sxt_error *err)
{
    char *folder = sxt_path_dir(path), *made = NULL;
    unsigned long number;
    int rc = 0, fd = -1;

    if (!sxt_file_exists(folder) && sxt_file_mkdirs(folder, NULL) == 0)
        made = sxt_strdup(folder);
    do {
        number = newest_of(path, 0);
        if (number > 0) {
            char *old = lease_path(path, number);
            rc = wait_for(path, old, log, err);
            free(old);
        }
        if (rc == 0) {
            char *own = lease_path(path, number + 1);
            fd = open(own, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            free(own);
        }
    } while (rc == 0 && fd < 0 && errno == EEXIST);
    free(folder);
    if (fd < 0) {
        free(made);
        return rc;
    }
    close(fd);
    *lease =
        begin(lease_path(path, number + 1), lease_path(path, number + 2), made);
    newest_of(path, number + 1);
    return 0;
}

int sxt_lease_take(const char *path, const struct sxt_log *log,
                   struct sxt_lease **lease, struct sxt_error *err)
{
    char *plain = sxt_strdup(path); /* "DIR/" is DIR */
    size_t n = strlen(plain);

    *lease = NULL;
    while (n > 1 && plain[n - 1] == '/')
        plain[--n] = '\0';
    int rc = take(plain, log, lease, err);
    free(plain);
    return rc;
}
