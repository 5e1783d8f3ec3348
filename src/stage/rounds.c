/* rounds.c - bins dealt to the ranks in rounds, one a rank. */
#include "stage/rounds.h"

#include "base/mem.h"
#include "dev/watch.h"

double *sxt_rounds_run(const struct sxt_rounds *r, size_t n)
{
    struct sxt_params *params = sxt_zero3_params(r->z);
    struct sxt_grads *grads = r->learn ? sxt_zero3_grads(r->z) : NULL;
    size_t ranks = (size_t)r->comm.size;
    double *loss = sxt_calloc(n, sizeof(*loss));

    for (size_t first = 0; first < n; first += ranks) {
        size_t mine = first + (size_t)r->comm.rank, left = n - first;
        struct sxt_batch batch = r->bin(r->arg, mine);
        if (r->learn)
            sxt_zero3_begin_round(r->z, (int)(left < ranks ? left : ranks));
        double sum = sxt_net_step(r->net, params, grads, &batch, r->scale);
        if (r->learn)
            sxt_zero3_end_round(r->z);
        if (mine < n)
            loss[mine] = sum;
    }
    sxt_watch_enter(r->dev, "the losses");
    for (size_t b = 0; b < n; b++)
        loss[b] = sxt_comm_sum_f64(r->comm, loss[b]);
    sxt_watch_back(r->dev);
    return loss;
}
