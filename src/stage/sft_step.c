/* sft_step.c - one optimizer step: bins in rounds, one bin a rank. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dev/watch.h"
#include "stage/rounds.h"
#include "stage/sft.h"

struct dealt {
    struct sxt_sft *s;
    const struct sxt_sft_set *set;
    const struct sxt_bins *bins;
};

/* Lay the samples of bin b one behind the other.  A rank without a bin gets one
 * token that nothing is learned from. */
static struct sxt_batch fill_bin(void *arg, size_t b)
{
    const struct dealt *dealt = arg;
    const struct sxt_sft_set *set = dealt->set;
    const struct sxt_bins *bins = dealt->bins;
    struct sxt_sft *s = dealt->s;
    struct sxt_batch batch = { .ids = s->ids,
                               .target = s->target,
                               .cu_seqlens = s->cu };

    size_t i = b < bins->n_bins ? bins->first[b] : 0;
    size_t end = b < bins->n_bins ? bins->first[b + 1] : 0;

    s->cu[0] = 0;
    for (; i < end; i++) {
        size_t sample = bins->sample[i];
        sxt_tokens_fill(&set->tokens, sample, s->ids + batch.t,
                        s->target + batch.t);
        batch.t += set->tokens.length[sample];
        s->cu[++batch.n_docs] = (int32_t)batch.t;
    }
    if (batch.t == 0) {
        s->ids[0] = 0;
        s->target[0] = -1;
        s->cu[1] = 1;
        batch.t = batch.n_docs = 1;
    }
    return batch;
}

static void count_tokens(const struct sxt_sft_set *set,
                         const struct sxt_bins *bins, int64_t *learned,
                         int64_t *inputs)
{
    *learned = *inputs = 0;
    for (size_t i = 0; i < bins->first[bins->n_bins]; i++) {
        *learned += (int64_t)sxt_tokens_learned(&set->tokens, bins->sample[i]);
        *inputs += (int64_t)set->tokens.length[bins->sample[i]];
    }
}

/* Run all bins, forward only or with gradients of scale * loss. */
static double *run_bins(struct sxt_sft *s, const struct sxt_sft_set *set,
                        const struct sxt_bins *bins, bool learn, float scale)
{
    struct dealt dealt = { s, set, bins };
    struct sxt_rounds rounds = { s->run->comm, s->dev, s->z,     s->net,
                                 learn,        scale,  fill_bin, &dealt };

    return sxt_rounds_run(&rounds, bins->n_bins);
}

/* Sum in the order of the bins; *rank is that of the first bin whose loss is
 * not finite, or -1. */
static double sum_losses(const struct sxt_sft *s, const double *loss, size_t n,
                         int *rank)
{
    double sum = 0;

    *rank = -1;
    for (size_t b = 0; b < n; b++) {
        sum += loss[b];
        if (!isfinite(loss[b]) && *rank < 0)
            *rank = (int)(b % (size_t)s->run->comm.size);
    }
    return sum;
}

/* Step the optimizer with what the rounds have summed. */
static void update(struct sxt_sft *s, const struct sxt_sft_result *r)
{
    struct sxt_optim_step step = {
        .lr = r->lr,
        .b1 = s->v->adamw.beta1,
        .b2 = s->v->adamw.beta2,
        .eps = s->v->adamw.eps,
        .weight_decay = s->v->adamw.weight_decay,
        .grad_scale = sxt_optim_clip(r->grad_norm, s->v->clip),
        .step = ++s->progress.updates,
    };

    double before = sxt_clock();
    sxt_optim_update(s->o, &step);
    s->update_s += sxt_clock() - before;
}

/* Loss or gradients are not finite: stop, or leave the step out. */
static int not_finite(struct sxt_sft *s, int64_t step, const char *what,
                      int rank, struct sxt_sft_result *r, struct sxt_error *err)
{
    const char *policy = s->v->on_nonfinite;

    if (strcmp(policy, "stop") == 0)
        return sxt_err(err, SXT_EXIT_NUMERIC,
                       "step %" PRId64 ": %s not finite on rank %d; the model "
                       "was not changed by this step and nothing was saved",
                       step, what, rank);
    sxt_log(&s->run->log, SXT_LOG_WARN,
            "step %" PRId64 " left out: %s not finite on rank %d", step, what,
            rank);
    r->skipped = true;
    return 0;
}

int sxt_sft_step(struct sxt_sft *s, int64_t step, struct sxt_sft_result *r,
                 struct sxt_error *err)
{
    struct sxt_bins bins;
    double *loss;
    int bad_loss, bad_grad;

    *r = (struct sxt_sft_result){ .eval_loss = NAN };
    sxt_pack_step(&s->train.pack, step, &bins);
    count_tokens(&s->train, &bins, &r->learned, &r->inputs);
    r->lr = sxt_lrsched_at(&s->sched, step);
    sxt_zero3_begin_step(s->z);
    loss =
        run_bins(s, &s->train, &bins, true, (float)(1.0 / (double)r->learned));
    r->loss = sum_losses(s, loss, bins.n_bins, &bad_loss) / (double)r->learned;
    sxt_watch_enter(s->dev, "the gradients' norm");
    r->grad_norm = sxt_optim_grad_norm(s->o, &bad_grad);
    sxt_watch_back(s->dev);
    sxt_bins_free(&bins);
    free(loss);
    if (bad_loss >= 0)
        return not_finite(s, step, "the loss is", bad_loss, r, err);
    if (bad_grad >= 0)
        return not_finite(s, step, "gradients are", bad_grad, r, err);
    update(s, r);
    return 0;
}

double sxt_sft_evaluate(struct sxt_sft *s)
{
    int64_t learned, inputs;
    struct sxt_bins bins;
    double *loss, sum;
    int bad;

    sxt_pack_all(&s->eval.pack, &bins);
    count_tokens(&s->eval, &bins, &learned, &inputs);
    loss = run_bins(s, &s->eval, &bins, false, 0);
    sum = sum_losses(s, loss, bins.n_bins, &bad);
    sxt_bins_free(&bins);
    free(loss);
    return sum / (double)learned;
}
