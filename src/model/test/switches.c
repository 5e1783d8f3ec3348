/* switches.c - what changes speed and memory of training changes no bit: what
 * is computed again, what is on the host, how far ahead layers are gathered,
 * how many logits there are at a time, on 1, 2 and 3 ranks. */
#include <stdlib.h>
#include <string.h>

#include "base/test/tap.h"
#include "model/net.h"
#include "trainer.h"

/* How many combinations are tried, each on one of 1, 2 and 3 ranks
 * (SXT_TEST_SWITCHES: so many on all devices); in what training; whether in f32
 * as well. */
#ifndef DEVICES
#define DEVICES                                           \
    { "host", N_ALL, TRAINER_STEPS, TRAINER_BINS, true }, \
    {                                                     \
        "fake", 9, TRAINER_STEPS, TRAINER_BINS, true      \
    }
#endif

static const struct {
    size_t keep, keep_attn;
} levels[] = { { 4, 4 }, { 1, 1 }, { 1, 4 }, { 2, 3 } };

static const struct {
    double share;
    bool params;
} places[] = {
    { 0, false }, { 0.5, false }, { 0.5, true }, { 1, false }, { 1, true },
};

static const int depths[] = { 1, 0, 3 };

enum {
    N_LEVELS = sizeof(levels) / sizeof(*levels),
    N_PLACES = sizeof(places) / sizeof(*places),
    N_DEPTHS = sizeof(depths) / sizeof(*depths),
    N_ALL = N_LEVELS * N_PLACES * N_DEPTHS * 2,
    /* Combinations are taken in steps of STRIDE, which comes to every setting
     * of a switch in EACH, to every pair of settings of two in 23, to all. */
    STRIDE = 47,
    EACH = 6
};

static const struct {
    const char *name;
    size_t n;
    int steps;
    size_t bins;
    bool f32;
} devices[] = { DEVICES };

static struct trainer combination(const struct trainer *plain, size_t i)
{
    struct trainer how = *plain;

    how.inputs_away = i % 2;
    i /= 2;
    how.ahead = depths[i % N_DEPTHS];
    i /= N_DEPTHS;
    how.away = places[i % N_PLACES].share;
    how.params_away = places[i % N_PLACES].params;
    i /= N_PLACES;
    how.keep = levels[i].keep;
    how.keep_attn = levels[i].keep_attn;
    return how;
}

static bool try(const struct trainer *how, const struct trained *truth)
{
    struct trained *got = trainer_train(how);
    bool same = trained_same(got, truth, how);

    if (!same)
        printf("# rank %d differs: away %g%s, keep %zu %zu, ahead %d, chunk "
               "%zu, inputs %s\n",
               how->comm.rank, how->away, how->params_away ? " all" : "",
               how->keep, how->keep_attn, how->ahead, how->chunk,
               how->inputs_away ? "away" : "here");
    trained_free(got);
    return same;
}

/* The share of comm's size of the first n combinations. */
static void combinations(struct sxt_comm comm, struct trainer plain, size_t n)
{
    struct trained *truth = trainer_train(&plain);
    size_t tried = 0;
    bool same = true;

    plain.comm = comm;
    for (size_t k = (size_t)comm.size - 1; k < n; k += 3) {
        struct trainer how = combination(&plain, k * STRIDE % N_ALL);
        same = try(&how, truth) && same;
        tried++;
    }
    ok(sxt_comm_sum(comm, !same) == 0,
       "%d ranks, %s%s, %s: %zu combinations of switches give the same bits",
       comm.size, plain.type == SXT_F32 ? "f32" : "bf16",
       plain.tied ? " tied" : "", plain.device, tried);
    trained_free(truth);
}

/* Documents so long that the head takes several chunks. */
static void chunks(struct sxt_comm comm, struct trainer plain)
{
    struct trained *truth;
    bool same = true;

    plain.scale = 64; /* bins of up to 2560 tokens */
    truth = trainer_train(&plain);
    plain.comm = comm;
    for (size_t k = 2; k <= 3; k++) {
        plain.chunk = k * SXT_NET_GRAIN;
        same = try(&plain, truth) && same;
    }
    ok(sxt_comm_sum(comm, !same) == 0,
       "%d ranks, %s: 1024 or more logits at a time give the same bits",
       comm.size, plain.type == SXT_F32 ? "f32" : "bf16");
    trained_free(truth);
}

/* The truth must depend on what is trained, or the claims say nothing. */
static void differs(struct trainer plain)
{
    struct trained *a = trainer_train(&plain), *b;

    plain.scale = 2;
    b = trainer_train(&plain);
    ok(!trained_same(a, b, &plain) && a->norm[1] > 0 &&
           a->loss[0][1] != a->loss[1][1] && a->loss[1][1] != a->loss[2][1],
       "other samples give other bits, and every step changes the loss");
    trained_free(a);
    trained_free(b);
}

static void on_device(struct sxt_comm comm, struct trainer plain, size_t d)
{
    const char *wish = getenv("SXT_TEST_SWITCHES");
    size_t n = wish ? (size_t)atoi(wish) : devices[d].n;

    plain.device = devices[d].name;
    plain.steps = devices[d].steps;
    plain.bins = devices[d].bins;
    plain.type = SXT_F32;
    if (devices[d].f32)
        combinations(comm, plain, n);
    plain.type = SXT_BF16;
    if (strcmp(plain.device, "host") == 0 && comm.size == 2)
        chunks(comm, plain);
    plain.tied = true;
    combinations(comm, plain, n);
}

int main(int argc, char **argv)
{
    struct sxt_comm world = sxt_comm_init(&argc, &argv);
    struct trainer plain = { .comm = sxt_comm_self(),
                             .device = devices[0].name,
                             .backend = "auto",
                             .steps = TRAINER_STEPS,
                             .bins = TRAINER_BINS,
                             .scale = 1,
                             .ahead = 1,
                             .keep = TRAINER_LAYERS,
                             .keep_attn = TRAINER_LAYERS,
                             .chunk = SXT_NET_GRAIN };
    int rc;

    tap_silent = world.rank != 0;
    if (devices[0].steps > 1)
        differs(plain);
    for (int ranks = 1; ranks <= world.size && ranks <= 3; ranks++) {
        MPI_Comm part;
        MPI_Comm_split(world.mpi, world.rank < ranks, 0, &part);
        struct sxt_comm comm = sxt_comm_from_mpi(part);
        if (world.rank < ranks) {
            for (size_t d = 0; d < sizeof(devices) / sizeof(*devices); d++)
                on_device(comm, plain, d);
        }
        MPI_Comm_free(&part);
    }
    rc = done_testing();
    sxt_comm_finalize();
    return rc;
}
