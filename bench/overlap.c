/* overlap.c - how much of the transfers between ranks training hides behind
 * computing, on a link as slow as is asked for.
 *
 * usage: mpirun -n RANKS overlap [SHARE [TOKENS [STEPS]]]
 *
 * A small model trains on TOKENS (512) a rank.  MPI lets a program put itself
 * between its callers and the library (MPI 3.1, section 14.2): the functions
 * below let a transfer end no earlier than a link would that does one after
 * the other, at a rate at which a step's transfers take SHARE (0.5) of the
 * time that a step computes.  With that link a step lasts longer by what is not
 * hidden.  Ways of training take their steps in turn, so that all meet the same
 * machine; the best of STEPS (9). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/net.h"
#include "model/optim.h"

enum { MOST = 64 };

/* ---- the link ---- */

static struct {
    double bytes_per_s; /* 0: as fast as MPI is */
    double idle_at;     /* it has done all that was started */
    double bytes;       /* so far */
    struct {
        MPI_Request request;
        double ready;
    } open[MOST];
    int n_open;
} wire;

static void start(MPI_Request request, int n, MPI_Datatype type, MPI_Comm comm)
{
    double now = sxt_clock(), bytes;
    int size, ranks;

    MPI_Type_size(type, &size);
    MPI_Comm_size(comm, &ranks);
    bytes = (double)n * size * (ranks - 1);
    wire.bytes += bytes;
    if (wire.bytes_per_s <= 0)
        return;
    SXT_CHECK(wire.n_open < MOST);
    wire.idle_at =
        (wire.idle_at > now ? wire.idle_at : now) + bytes / wire.bytes_per_s;
    wire.open[wire.n_open].request = request;
    wire.open[wire.n_open++].ready = wire.idle_at;
}

int MPI_Iallgather(const void *from, int n, MPI_Datatype type, void *to, int m,
                   MPI_Datatype to_type, MPI_Comm comm, MPI_Request *request)
{
    int rc = PMPI_Iallgather(from, n, type, to, m, to_type, comm, request);

    start(*request, m, to_type, comm);
    return rc;
}

int MPI_Ialltoall(const void *from, int n, MPI_Datatype type, void *to, int m,
                  MPI_Datatype to_type, MPI_Comm comm, MPI_Request *request)
{
    int rc = PMPI_Ialltoall(from, n, type, to, m, to_type, comm, request);

    start(*request, m, to_type, comm);
    return rc;
}

int MPI_Test(MPI_Request *request, int *flag, MPI_Status *status)
{
    int i = 0;

    while (i < wire.n_open && wire.open[i].request != *request)
        i++;
    *flag = 0;
    if (i < wire.n_open && sxt_clock() < wire.open[i].ready)
        return MPI_SUCCESS;
    int rc = PMPI_Test(request, flag, status);
    if (*flag && i < wire.n_open)
        wire.open[i] = wire.open[--wire.n_open];
    return rc;
}

int MPI_Testsome(int n, MPI_Request requests[], int *count, int index[],
                 MPI_Status statuses[])
{
    (void)statuses; /* nobody asks for them */
    *count = 0;
    for (int i = 0; i < n; i++) {
        int flag = 0;
        if (requests[i] != MPI_REQUEST_NULL)
            MPI_Test(&requests[i], &flag, MPI_STATUS_IGNORE);
        if (flag)
            index[(*count)++] = i;
    }
    return MPI_SUCCESS;
}

/* ---- training ---- */

struct way {
    bool slow; /* over the link */
    int ahead;
    struct sxt_zero3 *z;
    struct sxt_optim *o;
    struct sxt_net *net;
    double best; /* seconds of a step */
};

struct overlap {
    struct sxt_comm comm;
    struct sxt_dev *dev;
    struct sxt_num *num;
    struct sxt_layout layout;
    struct sxt_batch batch;
    double bytes_per_s;
    int64_t steps;
};

static const struct sxt_model_config shape = { .type = SXT_LLAMA,
                                               .vocab = 2048,
                                               .hidden = 256,
                                               .layers = 8,
                                               .heads = 4,
                                               .kv_heads = 2,
                                               .head_dim = 64,
                                               .ffn = 704,
                                               .max_positions = 4096,
                                               .rope_theta = 1e4,
                                               .norm_eps = 1e-5 };

static void create(const struct overlap *v, struct way *w)
{
    struct sxt_zero3_setup setup = { .layout = &v->layout,
                                     .num = v->num,
                                     .comm = v->comm,
                                     .type = SXT_BF16,
                                     .reduce_type = SXT_BF16,
                                     .ahead = w->ahead };
    struct sxt_net_room room = { v->batch.t, shape.layers, shape.layers,
                                 SXT_NET_GRAIN, false };

    w->z = sxt_zero3_create(&setup);
    w->o = sxt_optim_create(w->z);
    w->net = sxt_net_create(&v->layout, v->num, SXT_BF16, &room);
    for (size_t u = 0; u < v->layout.n_units; u++) {
        size_t n = sxt_zero3_shard(w->z, u).count;
        uint16_t *x = sxt_alloc(n > 0 ? n : 1, sizeof(*x));
        for (size_t i = 0; i < n; i++)
            x[i] = sxt_f32_to_bf16((float)((int)(i % 17) - 8) / 128);
        sxt_optim_put(w->o, SXT_STATE_PARAM, u, x);
        free(x);
    }
    sxt_zero3_changed(w->z);
}

static void destroy(struct way *w)
{
    sxt_net_destroy(w->net);
    sxt_optim_destroy(w->o);
    sxt_zero3_destroy(w->z);
}

/* Seconds of the slowest rank. */
static double step(struct overlap *v, struct way *w)
{
    int culprit;

    sxt_comm_barrier(v->comm);
    wire.bytes_per_s = w->slow ? v->bytes_per_s : 0;
    double begin = sxt_clock();
    sxt_zero3_begin_step(w->z);
    sxt_zero3_begin_round(w->z, v->comm.size);
    sxt_net_step(w->net, sxt_zero3_params(w->z), sxt_zero3_grads(w->z),
                 &v->batch, 1.0f / (float)v->batch.t);
    sxt_zero3_end_round(w->z);
    double norm = sxt_optim_grad_norm(w->o, &culprit);
    sxt_optim_update(
        w->o, &(struct sxt_optim_step){ .lr = 1e-6,
                                        .b1 = 0.9,
                                        .b2 = 0.999,
                                        .eps = 1e-8,
                                        .grad_scale = sxt_optim_clip(norm, 1),
                                        .step = ++v->steps });
    return 1e-9 * (double)sxt_comm_max(v->comm,
                                       (int64_t)(1e9 * (sxt_clock() - begin)));
}

static void take_turns(struct overlap *v, struct way *ways, size_t n, int steps)
{
    for (size_t k = 0; k < n; k++)
        ways[k].best = step(v, &ways[k]);
    for (int i = 1; i < steps; i++)
        for (size_t k = 0; k < n; k++) {
            double took = step(v, &ways[k]);
            ways[k].best = took < ways[k].best ? took : ways[k].best;
        }
}

static void compare(struct overlap *v, double share, int steps)
{
    struct way ways[] = { { false, 1 }, { true, 0 }, { true, 1 }, { true, 3 } };
    size_t n = sizeof(ways) / sizeof(*ways);

    for (size_t k = 0; k < n; k++)
        create(v, &ways[k]);
    take_turns(v, ways, 1, 3); /* warm-up, and how long a step computes */
    wire.bytes = 0;
    step(v, &ways[0]);
    double each = wire.bytes, link = share * ways[0].best;
    v->bytes_per_s = each / link;
    take_turns(v, ways, n, steps);
    if (v->comm.rank == 0)
        printf("# %d ranks, %zu tokens each: a step computes %.3g s and moves "
               "%.1f MB a rank, in %.3g s\n",
               v->comm.size, v->batch.t, ways[0].best, 1e-6 * each, link);
    for (size_t k = 1; k < n && v->comm.rank == 0; k++)
        printf("prefetch %d: a step takes %.2f times as long as without "
               "transfers; hidden: %.0f %% of them\n",
               ways[k].ahead, ways[k].best / ways[0].best,
               100 * (1 - (ways[k].best - ways[0].best) / link));
    for (size_t k = 0; k < n; k++)
        destroy(&ways[k]);
}

int main(int argc, char **argv)
{
    double share = argc > 1 ? atof(argv[1]) : 0.5;
    int tokens = argc > 2 ? atoi(argv[2]) : 512;
    int steps = argc > 3 ? atoi(argv[3]) : 9;

    if (!(share > 0) || tokens < 2 || steps < 1) {
        fprintf(stderr, "usage: mpirun -n RANKS overlap [SHARE [TOKENS "
                        "[STEPS]]]\n");
        return SXT_EXIT_USAGE;
    }
    struct overlap v = { .comm = sxt_comm_init(&argc, &argv) };
    int32_t *ids = sxt_calloc((size_t)tokens, sizeof(*ids));
    int32_t cu[] = { 0, tokens };
    v.batch = (struct sxt_batch){ (size_t)tokens, 1, ids, ids, cu };
    v.dev = sxt_dev_create("host", NULL);
    v.num = sxt_num_create("auto", v.dev, 1, NULL);
    sxt_layout_init(&v.layout, &shape);
    if (v.comm.size > 1)
        compare(&v, share, steps);
    else
        printf("one rank has nothing to transfer: mpirun -n 2 %s\n", argv[0]);
    sxt_layout_free(&v.layout);
    sxt_num_destroy(v.num);
    sxt_dev_destroy(v.dev);
    free(ids);
    sxt_comm_finalize();
    return 0;
}
