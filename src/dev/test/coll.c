/* coll.c - collectives put every byte in its place, also when split. */
#include "dev/coll.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/test/tap.h"
#include "dev/place.h"

/* Byte i of what rank `from` sends to rank `to`. */
static uint8_t value(int from, int to, size_t i)
{
    return (uint8_t)(from * 101 + to * 37 + (int)(i * 7 + i / 251));
}

#ifndef DEVICES
#define DEVICES "host", "fake"
#endif

struct ground {
    struct sxt_dev *dev;
    struct sxt_coll *coll;
    struct sxt_comm comm;
};

static bool gathers(const struct ground *g, size_t n, bool in_place)
{
    size_t size = (size_t)g->comm.size, rank = (size_t)g->comm.rank;
    uint8_t *host = sxt_alloc(size, n), *all = sxt_dev_alloc(g->dev, size * n);
    uint8_t *mine = in_place ? all + rank * n : sxt_dev_alloc(g->dev, n);
    bool good = true;

    for (size_t i = 0; i < n; i++)
        host[i] = value(g->comm.rank, 0, i);
    sxt_dev_put(g->dev, mine, host, n);
    sxt_coll_all_gather(g->coll, all, mine, n);
    sxt_coll_wait(g->coll);
    sxt_dev_get(g->dev, host, all, size * n);
    for (size_t r = 0; r < size; r++)
        for (size_t i = 0; i < n; i++)
            good = good && host[r * n + i] == value((int)r, 0, i);
    if (!in_place)
        sxt_dev_free(g->dev, mine);
    sxt_dev_free(g->dev, all);
    free(host);
    return good;
}

static bool exchanges(const struct ground *g, size_t n)
{
    size_t size = (size_t)g->comm.size;
    uint8_t *host = sxt_alloc(size, n);
    uint8_t *from = sxt_dev_alloc(g->dev, size * n);
    uint8_t *to = sxt_dev_alloc(g->dev, size * n);
    bool good = true;

    for (size_t r = 0; r < size; r++)
        for (size_t i = 0; i < n; i++)
            host[r * n + i] = value(g->comm.rank, (int)r, i);
    sxt_dev_put(g->dev, from, host, size * n);
    sxt_coll_all_to_all(g->coll, to, from, n);
    for (int i = 0; i < 50; i++)
        sxt_coll_poke(g->coll); /* whatever that completes */
    sxt_coll_wait(g->coll);
    sxt_dev_get(g->dev, host, to, size * n);
    for (size_t r = 0; r < size; r++)
        for (size_t i = 0; i < n; i++)
            good = good && host[r * n + i] == value((int)r, g->comm.rank, i);
    sxt_dev_free(g->dev, from);
    sxt_dev_free(g->dev, to);
    free(host);
    return good;
}

static void move_bytes(const struct ground *g, const char *kind)
{
    static const struct {
        size_t n, most;
    } table[] = {
        { 1, 1 << 30 }, { 64, 1 << 30 }, { 4099, 1 << 30 },
        { 1000, 1 },    { 4099, 1000 },  { 4096, 1024 },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        size_t n = table[i].n;
        sxt_coll_split_at(g->coll, table[i].most);
        ok(gathers(g, n, false), "%s: all_gather of %zu bytes in calls of %zu",
           kind, n, table[i].most);
        ok(gathers(g, n, true), "%s: the same in place", kind);
        ok(exchanges(g, n), "%s: all_to_all of %zu bytes in calls of %zu", kind,
           n, table[i].most);
    }
}

/* 1e16, 1, -1e16 in rank order give 0, in another order 1. */
static void sum(const struct ground *g)
{
    enum { N = 70000 };
    static const double wave[] = { 1e16, 1, -1e16 };
    double *x = sxt_alloc(N, sizeof(*x));
    double expected = wave[0];
    bool good = true;

    for (int r = 1; r < g->comm.size; r++)
        expected += wave[r % 3];
    for (size_t i = 0; i < N; i++)
        x[i] = wave[g->comm.rank % 3];
    sxt_coll_sum_f64(g->coll, x, N);
    for (size_t i = 0; i < N; i++)
        good = good && x[i] == expected;
    ok(good, "sums of doubles are taken in rank order");
    sxt_coll_sum_f64(g->coll, x, 0);
    free(x);
}

static void share(const struct ground *g)
{
    int32_t word[3] = { 7 + g->comm.rank, 8, 9 };

    sxt_coll_share(g->coll, word, sizeof(word));
    ok(word[0] == 7 && word[2] == 9 && sxt_coll_last(g->coll).done,
       "rank 0's bytes are shared");
}

static void tell(const struct ground *g)
{
    size_t size = (size_t)g->comm.size;
    char *to = sxt_dev_alloc(g->dev, 7 * size);
    char *again = sxt_dev_alloc(g->dev, 7 * size);
    struct sxt_coll_record before = sxt_coll_last(g->coll), r;

    sxt_coll_label(g->coll, "parameters", 5);
    sxt_coll_all_gather(g->coll, to, to + 7 * g->comm.rank, 7);
    r = sxt_coll_last(g->coll);
    ok(strcmp(r.operation, "all_gather") == 0 &&
           strcmp(r.what, "parameters") == 0 && r.unit == 5 && r.bytes == 7 &&
           r.number == before.number + 1 && !r.done,
       "a collective under way can be named");
    sxt_coll_all_gather(g->coll, again, again + 7 * g->comm.rank, 7);
    sxt_coll_wait_for(g->coll, r.number);
    ok(!sxt_coll_last(g->coll).done, "one is over while the next is not");
    sxt_coll_wait(g->coll);
    r = sxt_coll_last(g->coll);
    ok(before.done && r.done && r.number == before.number + 2,
       "and both are over when all were waited for");
    sxt_dev_free(g->dev, to);
    sxt_dev_free(g->dev, again);
}

/* A device for each rank; "shared cuda": one GPU for all, so that MPI has to
 * move the bytes. */
static struct sxt_dev *place(struct sxt_comm comm, const char *kind)
{
    bool shared = strcmp(kind, "shared cuda") == 0;
    struct sxt_error err = { 0 };
    char *table;

    if (shared)
        setenv("SXT_EMU_DEVICES", "1", 1);
    struct sxt_dev *dev =
        sxt_dev_place(comm, shared ? "cuda" : kind, true, &table, &err);
    if (shared)
        unsetenv("SXT_EMU_DEVICES");
    free(table);
    return dev;
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = { DEVICES };
    struct sxt_comm comm = sxt_comm_init(&argc, &argv);
    int rc;

    tap_silent = comm.rank != 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        struct ground g = { place(comm, kinds[i]), NULL, comm };
        g.coll = sxt_coll_create(g.dev, comm);
        printf("# %s: %s\n", kinds[i], sxt_coll_about(g.coll));
        move_bytes(&g, kinds[i]);
        sum(&g);
        share(&g);
        tell(&g);
        sxt_coll_destroy(g.coll);
        sxt_dev_destroy(g.dev);
    }
    rc = done_testing();
    sxt_comm_finalize();
    return rc;
}
