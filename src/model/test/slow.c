/* slow.c - slow ranks, and transfers that complete in another order than they
 * began, change no bit of training.
 *
 * MPI lets a program put itself between its callers and the library (MPI 3.1,
 * section 14.2): the functions below delay, and complete first what would be
 * waited for last.  Nothing here depends on how long anything takes. */
#include <sched.h>
#include <stdint.h>
#include <time.h>

#include "base/rng.h"
#include "base/test/tap.h"
#include "model/net.h"
#include "trainer.h"

enum { MOST = 64 };

/* What is done to the transfers of this rank. */
static struct {
    bool on;
    int slow;     /* this rank naps before it starts and before it waits; -1:
                     all do, now and then */
    bool reverse; /* the newest transfer completes first */
    bool poked;   /* a poke completes the newest only; else nothing */
    int rank;
    uint64_t calls, naps, turned;
    MPI_Request open[MOST]; /* in the order of their starts */
    int n_open;
} trouble;

static void nap(void)
{
    struct timespec t = { 0, 400000 };
    struct sxt_rng rng = { 3, (uint64_t)trouble.rank };
    bool now = trouble.slow == trouble.rank;

    if (trouble.slow < 0)
        now = sxt_rng_uniform(rng, trouble.calls) < 0.2;
    trouble.calls++;
    if (!trouble.on || !now)
        return;
    trouble.naps++;
    nanosleep(&t, NULL);
}

static void remember(MPI_Request request)
{
    SXT_CHECK(trouble.n_open < MOST);
    trouble.open[trouble.n_open++] = request;
}

static void forget(MPI_Request request)
{
    for (int i = 0; i < trouble.n_open; i++)
        if (trouble.open[i] == request) {
            trouble.open[i] = trouble.open[--trouble.n_open];
            return;
        }
}

/* Complete all others, the newest first; every rank has started them. */
static void complete_others(MPI_Request request)
{
    for (int i = trouble.n_open; i-- > 0;) {
        int done = trouble.open[i] == request;
        trouble.turned += !done;
        while (!done) {
            PMPI_Request_get_status(trouble.open[i], &done, MPI_STATUS_IGNORE);
            sched_yield();
        }
    }
}

int MPI_Iallgather(const void *from, int n, MPI_Datatype type, void *to, int m,
                   MPI_Datatype to_type, MPI_Comm comm, MPI_Request *request)
{
    nap();
    int rc = PMPI_Iallgather(from, n, type, to, m, to_type, comm, request);
    remember(*request);
    return rc;
}

int MPI_Ialltoall(const void *from, int n, MPI_Datatype type, void *to, int m,
                  MPI_Datatype to_type, MPI_Comm comm, MPI_Request *request)
{
    nap();
    int rc = PMPI_Ialltoall(from, n, type, to, m, to_type, comm, request);
    remember(*request);
    return rc;
}

/* What waits for a transfer asks for it again and again. */
int MPI_Test(MPI_Request *request, int *flag, MPI_Status *status)
{
    MPI_Request waited = *request;

    nap();
    if (trouble.on && trouble.reverse && waited != MPI_REQUEST_NULL)
        complete_others(waited);
    int rc = PMPI_Test(request, flag, status);
    if (*flag)
        forget(waited);
    return rc;
}

int MPI_Testsome(int n, MPI_Request requests[], int *count, int index[],
                 MPI_Status statuses[])
{
    int done = 0;

    *count = 0;
    if (!trouble.poked || n == 0 || requests[n - 1] == MPI_REQUEST_NULL)
        return MPI_SUCCESS;
    MPI_Request newest = requests[n - 1];
    int rc = PMPI_Test(&requests[n - 1], &done, MPI_STATUS_IGNORE);
    (void)statuses; /* nobody asks for them */
    if (done) {
        index[(*count)++] = n - 1;
        forget(newest);
    }
    return rc;
}

static const struct {
    const char *what;
    int slow;
    bool reverse, poked;
} troubles[] = {
    { "rank 0 is slow", 0, false, true },
    { "the last rank is slow, the newest transfer is first", 2, true, false },
    { "all are slow now and then, the newest is first", -1, true, true },
};

static const struct {
    const char *what;
    int ahead;
    double away;
    bool params_away;
} cases[] = {
    { "one layer ahead", 1, 0, false },
    { "three ahead, half of it away", 3, 0.5, true },
};

static void disturb(struct sxt_comm comm, enum sxt_dtype type, bool tied)
{
    struct trainer how = { .comm = sxt_comm_self(),
                           .steps = TRAINER_STEPS,
                           .bins = TRAINER_BINS,
                           .device = "host",
                           .backend = "auto",
                           .type = type,
                           .tied = tied,
                           .scale = 1,
                           .ahead = 1,
                           .keep = 1,
                           .keep_attn = 2,
                           .chunk = SXT_NET_GRAIN };
    struct trained *truth = trainer_train(&how);

    how.comm = comm;
    for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++)
        for (size_t i = 0; i < sizeof(troubles) / sizeof(*troubles); i++) {
            how.ahead = cases[c].ahead;
            how.away = cases[c].away;
            how.params_away = cases[c].params_away;
            trouble.on = true;
            trouble.slow = troubles[i].slow;
            trouble.reverse = troubles[i].reverse;
            trouble.poked = troubles[i].poked;
            trouble.naps = trouble.turned = 0;
            struct trained *got = trainer_train(&how);
            trouble.on = false;
            bool same = trained_same(got, truth, &how);
            int64_t naps = sxt_comm_sum(comm, (int64_t)trouble.naps);
            int64_t turned = sxt_comm_sum(comm, (int64_t)trouble.turned);
            ok(sxt_comm_sum(comm, !same) == 0 && naps > 0 &&
                   (turned > 0) == troubles[i].reverse,
               "%s, %s, %s: the bits of one rank (%ld delays)",
               type == SXT_F32 ? "f32" : "bf16", cases[c].what,
               troubles[i].what, (long)naps);
            trained_free(got);
        }
    trained_free(truth);
}

int main(int argc, char **argv)
{
    struct sxt_comm world = sxt_comm_init(&argc, &argv);
    int rc;

    tap_silent = world.rank != 0;
    trouble.rank = world.rank;
    if (world.size < 3) {
        skip_all("needs 3 ranks");
        rc = 0;
    } else {
        disturb(world, SXT_F32, false);
        disturb(world, SXT_BF16, true);
        rc = done_testing();
    }
    sxt_comm_finalize();
    return rc;
}
