/* guard.c - a thread that ends a process whose owner waits for ever. */
#define _GNU_SOURCE
#include "dev/guard.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

struct sxt_guard {
    int rank;
    const char *host;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* turn */
    uint64_t turn;          /* counts comings and goings */
    const char *what;       /* NULL: the owner is about */
    double patience, grace;
    bool quit;
    bool sees; /* whether bytes move: who cannot see that ends nothing */
};

/* *bytes that this process has read and written so far, files and sockets;
 * false if the system does not tell. */
static bool count_moved(uint64_t *bytes)
{
    FILE *f = fopen("/proc/self/io", "re");
    uint64_t in = 0, out = 0;

    if (!f)
        return false;
    int n = fscanf(f, "rchar: %" SCNu64 " wchar: %" SCNu64, &in, &out);
    fclose(f);
    *bytes = in + out;
    return n == 2;
}

/* With the lock held: so many seconds, less if something changes. */
static void rest(struct sxt_guard *g, double seconds)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    seconds += (double)until.tv_nsec * 1e-9;
    until.tv_sec += (time_t)seconds;
    until.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9);
    pthread_cond_timedwait(&g->changed, &g->lock, &until);
}

/* With the lock held: until the owner is back. */
static void stand_by(struct sxt_guard *g)
{
    enum { OWN = 4096 }; /* bytes: more than it takes to ask for them */
    double slice = g->patience < 4 ? g->patience / 4 : 1, since = sxt_clock();
    uint64_t turn = g->turn, moved = 0;

    count_moved(&moved);
    while (g->turn == turn && sxt_clock() - since <= g->patience) {
        uint64_t before = moved;
        rest(g, slice);
        count_moved(&moved);
        since = moved - before > OWN ? sxt_clock() : since;
    }
    if (g->turn != turn)
        return;
    fprintf(stderr,
            "sextant: error: rank %d on %s waits in %s: nothing has moved for "
            "%.3g s; a rank that does not say so is missing\n",
            g->rank, g->host, g->what, sxt_clock() - since);
    fflush(stderr);
    for (since = sxt_clock(); sxt_clock() - since < g->grace;) {
        rest(g, g->grace);
        if (g->turn != turn)
            return;
    }
    _exit(SXT_EXIT_UNAVAILABLE);
}

static void *run(void *self)
{
    struct sxt_guard *g = self;

    pthread_mutex_lock(&g->lock);
    while (!g->quit)
        if (g->what && g->patience > 0 && g->sees)
            stand_by(g);
        else
            pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

struct sxt_guard *sxt_guard_create(int rank, const char *host)
{
    struct sxt_guard *g = sxt_calloc(1, sizeof(*g));
    uint64_t moved;

    g->rank = rank;
    g->host = host;
    g->sees = count_moved(&moved);
    if (!g->sees && rank == 0)
        fprintf(stderr, "sextant: warning: /proc/self/io cannot be read: a "
                        "wait in MPI or HDF5 for a rank that is missing has "
                        "no end\n");
    SXT_CHECK(pthread_mutex_init(&g->lock, NULL) == 0);
    SXT_CHECK(pthread_cond_init(&g->changed, NULL) == 0);
    sxt_thread_start(&g->thread, run, g);
    return g;
}

static void change(struct sxt_guard *g, const char *what, bool quit)
{
    pthread_mutex_lock(&g->lock);
    g->turn++;
    g->what = what;
    g->quit = quit;
    pthread_cond_signal(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

void sxt_guard_destroy(struct sxt_guard *g)
{
    if (!g)
        return;
    change(g, NULL, true);
    pthread_join(g->thread, NULL);
    pthread_cond_destroy(&g->changed);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

void sxt_guard_enter(struct sxt_guard *g, const char *what, double patience,
                     double grace)
{
    pthread_mutex_lock(&g->lock);
    g->patience = patience;
    g->grace = grace;
    pthread_mutex_unlock(&g->lock);
    change(g, what, false);
}

void sxt_guard_back(struct sxt_guard *g)
{
    change(g, NULL, false);
}
