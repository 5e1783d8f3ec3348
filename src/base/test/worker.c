/* worker.c - items are worked on in order, and waits see their results. */
#include "base/worker.h"

#include <stdbool.h>

#include "base/test/tap.h"

enum { N = 2000 };

struct ground {
    size_t square[N], order[2 * N], n;
    size_t factor;
};

static void work(void *arg, size_t item)
{
    struct ground *g = arg;

    g->square[item] = g->factor * item * item;
    g->order[g->n++] = item;
}

int main(void)
{
    struct ground g = { .factor = 1 };
    struct sxt_worker *w = sxt_worker_create(work, &g);
    bool good = true, ordered = true;

    sxt_worker_wait(w, 5);
    ok(g.n == 0, "an item that was never started is not waited for");
    sxt_worker_start(w, 10, N);
    for (size_t i = 10; i < N; i += 97) {
        sxt_worker_wait(w, i);
        good = good && g.square[i] == i * i;
    }
    sxt_worker_wait(w, N - 1);
    for (size_t i = 10; i < N; i++)
        ordered = ordered && g.order[i - 10] == i;
    ok(good, "a wait returns when its item is done");
    ok(ordered && g.n == N - 10, "items are worked on in order");
    g.n = 0;
    g.factor = 3; /* nobody works now */
    sxt_worker_start(w, 0, 7);
    sxt_worker_start(w, 3, 4);
    sxt_worker_wait(w, 3);
    ok(g.n == 8 && g.order[7] == 3 && g.square[6] == 108,
       "a start waits for the items of the one before");
    sxt_worker_start(w, 0, N);
    sxt_worker_destroy(w);
    ok(g.n == 8 + N && g.square[N - 1] == 3 * (size_t)(N - 1) * (N - 1),
       "destroy waits for all items");
    return done_testing();
}
