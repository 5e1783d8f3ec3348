/* queue.c - every item to exactly one rank, also while rank 0 computes. */
#include "par/queue.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/test/tap.h"

/* Compute without a look at MPI. */
static void be_busy(double seconds)
{
    double end = sxt_clock() + seconds;

    while (sxt_clock() < end)
        continue;
}

static int draw(struct sxt_queue *q, uint64_t *item)
{
    int rc;

    while ((rc = sxt_queue_poll(q, item)) == 0)
        continue;
    return rc;
}

static void test_each_once(struct sxt_comm comm)
{
    enum { N = 5000 };
    struct sxt_queue *q = sxt_queue_create(comm, N);
    int64_t *times = sxt_calloc(N, sizeof(*times));
    int64_t totals[SXT_QUEUE_TOTALS];
    uint64_t item;
    bool once = true;

    while (draw(q, &item) == 1) {
        int64_t amount[SXT_QUEUE_TOTALS] = { 1, (int64_t)item };
        SXT_CHECK(item < N);
        times[item]++;
        sxt_queue_add(q, amount);
    }
    for (int i = 0; i < N; i++)
        once = sxt_comm_sum(comm, times[i]) == 1 && once;
    ok(once, "each of %d items goes to exactly one rank", N);
    if (comm.rank == 0) {
        sxt_queue_totals(q, totals);
        ok(totals[0] == N && totals[1] == (int64_t)N * (N - 1) / 2,
           "the totals of all ranks add up");
    }
    sxt_queue_destroy(q);
    free(times);
}

/* Rank 0 computes for a second; how many items do the others get meanwhile? */
static void test_busy_root(struct sxt_comm comm)
{
    struct sxt_queue *q = sxt_queue_create(comm, 1000000);
    double end = sxt_clock() + 1;
    int64_t n = 0, polls = 0;
    double longest = 0;
    uint64_t item;

    if (comm.rank == 0)
        be_busy(1);
    else
        while (sxt_clock() < end) {
            double before = sxt_clock();
            n += sxt_queue_poll(q, &item) == 1;
            polls++;
            double took = sxt_clock() - before;
            longest = took > longest ? took : longest;
            be_busy(0.001);
        }
    int64_t drawn = sxt_comm_sum(comm, n);
    int64_t least = -sxt_comm_max(comm, comm.rank == 0 ? INT64_MIN : -polls);
    int64_t most_us = sxt_comm_max(comm, (int64_t)(longest * 1e6));
    ok(comm.size == 1 || least > 50,
       "asking does not wait for a busy rank 0 (longest %lld us)",
       (long long)most_us);
    if (!tap_silent)
        printf("# %lld items drawn while rank 0 computed for 1 s\n",
               (long long)drawn);
    sxt_queue_destroy(q);
}

static void test_stop(struct sxt_comm comm)
{
    struct sxt_queue *q = sxt_queue_create(comm, 1u << 30);
    double begin = sxt_clock();
    uint64_t item;
    int rc = 0;

    if (comm.rank == comm.size - 1) {
        be_busy(0.1);
        sxt_queue_stop(q);
    }
    while (rc >= 0 && sxt_clock() - begin < 10)
        rc = sxt_queue_poll(q, &item);
    ok(rc == -1 && sxt_queue_stopped(q), "one rank's stop reaches all");
    sxt_queue_destroy(q);
}

static void test_empty(struct sxt_comm comm)
{
    struct sxt_queue *q = sxt_queue_create(comm, 0);
    uint64_t item;

    ok(draw(q, &item) == -1, "an empty queue has nothing");
    sxt_queue_destroy(q);
}

int main(int argc, char **argv)
{
    struct sxt_comm comm = sxt_comm_init(&argc, &argv);

    tap_silent = comm.rank != 0;
    test_each_once(comm);
    test_busy_root(comm);
    test_stop(comm);
    test_empty(comm);
    sxt_comm_finalize();
    return done_testing();
}
