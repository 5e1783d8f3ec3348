/* ranks.c - collectives of which one rank misses or spoils the second, for
 * watch.sh: ranks DEVICE HOW. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dev/coll.h"
#include "dev/place.h"
#include "dev/watch.h"

enum { N = 1000 };

static const struct {
    const char *how;
    double patience; /* seconds, for the second collective */
} ways[] = {
    { "fine", 0 },  { "stops", 0.25 }, { "never", 0.25 }, { "sum", 0.25 },
    { "early", 0 }, { "writes", 0 },   { "meets", 0.25 }, { "inside", 0 },
};

/* The highest rank will not take part again. */
static void leave(const char *how)
{
    if (strcmp(how, "stops") == 0 || strcmp(how, "meets") == 0 ||
        strcmp(how, "inside") == 0)
        raise(SIGSTOP);
    if (strcmp(how, "never") == 0 || strcmp(how, "sum") == 0)
        for (;;)
            pause();
}

/* Whether every piece has come: rank r's is full of r + 1. */
static bool has_all(struct sxt_dev *dev, const void *all, int size)
{
    char *host = malloc((size_t)size * N);
    bool good = true;

    sxt_dev_get(dev, host, all, (size_t)size * N);
    for (int i = 0; i < size * N; i++)
        good = good && host[i] == i / N + 1;
    free(host);
    return good;
}

/* A collective of MPI's own, which one rank does not come to, or leaves. */
static void foreign(struct sxt_comm comm, struct sxt_dev *dev, const char *how)
{
    bool inside = strcmp(how, "inside") == 0, last = comm.rank == comm.size - 1;

    if (last && !inside)
        leave(how);
    sxt_watch_meet(dev, "a file");
    if (inside)
        sxt_dev_set_patience(dev, 0.25);
    sxt_watch_guard(dev, "a file");
    if (last && inside)
        leave(how);
    sxt_comm_barrier(comm);
    sxt_watch_back(dev);
}

static bool second(struct sxt_coll *coll, struct sxt_dev *dev, char *all,
                   char *mine, const char *how)
{
    int size = sxt_coll_size(coll);
    double x = 1;
    bool early = true;

    if (sxt_coll_rank(coll) == size - 1)
        leave(how);
    if (strcmp(how, "sum") == 0)
        sxt_coll_sum_f64(coll, &x, 1);
    sxt_coll_label(coll, "weights", 7);
    sxt_coll_all_gather(coll, all, mine, N);
    if (strcmp(how, "writes") == 0)
        sxt_dev_zero(dev, mine, 1);
    if (strcmp(how, "early") == 0)
        early = has_all(dev, all, size);
    sxt_coll_wait(coll);
    if (strcmp(how, "early") == 0 && sxt_coll_rank(coll) == 0)
        printf("early: %s\n", early ? "all is there" : "not all is there");
    return has_all(dev, all, size);
}

static int run(struct sxt_comm comm, struct sxt_dev *dev, const char *how)
{
    struct sxt_coll *coll = sxt_coll_create(dev, comm);
    char *all = sxt_dev_alloc(dev, (size_t)comm.size * N);
    char *mine = sxt_dev_alloc(dev, N), host[N];
    bool good;

    memset(host, comm.rank + 1, N);
    sxt_dev_put(dev, mine, host, N);
    if (comm.rank == 0)
        printf("%s\n", sxt_coll_about(coll));
    sxt_coll_all_gather(coll, all, mine, N);
    sxt_coll_wait(coll);
    good = has_all(dev, all, comm.size);
    sxt_comm_barrier(comm);
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
        if (strcmp(ways[i].how, how) == 0 && ways[i].patience > 0)
            sxt_dev_set_patience(dev, ways[i].patience);
    if (strcmp(how, "fine") == 0 || strcmp(how, "meets") == 0 ||
        strcmp(how, "inside") == 0)
        foreign(comm, dev, how);
    good = good && second(coll, dev, all, mine, how);
    sxt_coll_destroy(coll);
    sxt_dev_free(dev, all);
    sxt_dev_free(dev, mine);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct sxt_comm comm = sxt_comm_init(&argc, &argv);
    struct sxt_error err = { 0 };
    char *table;
    struct sxt_dev *dev =
        sxt_dev_place(comm, argc > 1 ? argv[1] : "host", true, &table, &err);
    int rc = SXT_EXIT_USAGE;

    if (!dev)
        fprintf(stderr, "%s\n", err.text);
    else if (argc > 2)
        rc = run(comm, dev, argv[2]);
    free(table);
    sxt_dev_destroy(dev);
    sxt_comm_finalize();
    return rc;
}
