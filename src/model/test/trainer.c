/* trainer.c - a few whole steps of training of a small network. */
#include "trainer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "dev/stream.h"
#include "model/net.h"

static const size_t trainer_length[TRAINER_BINS][TRAINER_DOCS] = {
    { 17, 9, 5 }, { 40, 0, 0 }, { 1, 0, 0 }, { 12, 12, 0 }, { 3, 20, 2 },
};
enum { TRAINER_MAX = 40 };

static void trainer_layout(struct sxt_layout *layout, bool tied)
{
    struct sxt_model_config config = { .type = SXT_QWEN2,
                                       .vocab = 37,
                                       .hidden = 16,
                                       .layers = TRAINER_LAYERS,
                                       .heads = 2,
                                       .kv_heads = 1,
                                       .head_dim = 8,
                                       .ffn = 24,
                                       .max_positions = 4096,
                                       .rope_theta = 10000,
                                       .norm_eps = 1e-6,
                                       .tied = tied,
                                       .qkv_bias = true };

    sxt_layout_init(layout, &config);
}

/* Elements [first, …) of a unit, as the state that training begins with. */
static void trainer_begin(struct sxt_optim *o, size_t unit, struct sxt_shard s,
                          enum sxt_dtype type)
{
    struct sxt_rng rng = { 11, sxt_rng_stream("weights", unit, 0) };
    size_t n = s.count > 0 ? s.count : 1;
    float *x = sxt_alloc(n, sizeof(*x));
    uint16_t *half = sxt_alloc(2 * n, sizeof(*half));

    for (size_t i = 0; i < s.count; i++) {
        x[i] = 0.3f * (float)sxt_rng_normal(rng, s.first + i);
        sxt_split_master(x[i], half + i, half + s.count + i);
    }
    if (type == SXT_F32) {
        sxt_optim_put(o, SXT_STATE_PARAM, unit, x);
    } else {
        sxt_optim_put(o, SXT_STATE_PARAM, unit, half);
        sxt_optim_put(o, SXT_STATE_REST, unit, half + s.count);
    }
    free(x);
    free(half);
}

/* Bin b into memory of the caller; beyond the last one a single token. */
static struct sxt_batch trainer_batch(const struct trainer *how, size_t b,
                                      int32_t *ids, int32_t *target,
                                      int32_t *cu)
{
    struct sxt_rng rng = { 12, sxt_rng_stream("bin", b, 0) };
    struct sxt_batch batch = { .ids = ids, .target = target, .cu_seqlens = cu };

    cu[0] = 0;
    for (size_t d = 0; d < TRAINER_DOCS && b < how->bins; d++)
        if (trainer_length[b][d] > 0) {
            batch.t += how->scale * trainer_length[b][d];
            cu[++batch.n_docs] = (int32_t)batch.t;
        }
    if (batch.n_docs == 0)
        cu[++batch.n_docs] = (int32_t)(batch.t = 1);
    for (size_t i = 0; i < batch.t; i++) {
        ids[i] = (int32_t)(37 * sxt_rng_uniform(rng, 2 * i));
        target[i] = (int32_t)(37 * sxt_rng_uniform(rng, 2 * i + 1));
        if (target[i] % 5 == 0 || b >= how->bins)
            target[i] = -1;
    }
    return batch;
}

struct trainer_run {
    const struct trainer *how;
    struct sxt_layout layout;
    struct sxt_dev *dev;
    struct sxt_num *num;
    struct sxt_zero3 *z;
    struct sxt_optim *o;
    struct sxt_net *net;
};

static void trainer_bins(struct trainer_run *r, bool learn,
                         double loss[TRAINER_BINS])
{
    size_t ranks = (size_t)r->how->comm.size, bins = r->how->bins;
    size_t max = r->how->scale * TRAINER_MAX;
    int32_t *ids = sxt_alloc(max, sizeof(*ids));
    int32_t *target = sxt_alloc(max, sizeof(*target)), cu[TRAINER_DOCS + 1];

    for (size_t b = 0; b < bins; b += ranks) {
        size_t left = bins - b, mine = b + (size_t)r->how->comm.rank;
        struct sxt_batch batch = trainer_batch(r->how, mine, ids, target, cu);
        if (learn)
            sxt_zero3_begin_round(r->z, (int)(left < ranks ? left : ranks));
        double sum =
            sxt_net_step(r->net, sxt_zero3_params(r->z),
                         learn ? sxt_zero3_grads(r->z) : NULL, &batch, 0.01f);
        if (learn)
            sxt_zero3_end_round(r->z);
        if (mine < bins)
            loss[mine] = sum;
    }
    for (size_t b = 0; b < bins; b++)
        loss[b] = sxt_comm_sum_f64(r->how->comm, loss[b]);
    free(ids);
    free(target);
}

static void trainer_read(struct trainer_run *r, struct trained *out)
{
    size_t size[SXT_STATES] = { sxt_dtype_size(r->how->type), 2, 4, 4 };

    for (size_t u = 0; u < r->layout.n_units; u++) {
        struct sxt_shard s = sxt_zero3_shard(r->z, u);
        size_t at = out->at[u] + s.first;
        for (int k = 0; k < SXT_STATES; k++)
            if (k != SXT_STATE_REST || r->how->type == SXT_BF16)
                sxt_optim_get(r->o, k, u, out->state[k] + at * size[k]);
    }
}

static void trainer_steps(struct trainer_run *r, struct trained *out)
{
    struct sxt_optim_step step = {
        .lr = 0.02, .b1 = 0.9, .b2 = 0.95, .eps = 1e-8, .weight_decay = 0.1
    };
    int culprit;

    for (int i = 0; i < r->how->steps; i++) {
        sxt_zero3_begin_step(r->z);
        trainer_bins(r, true, out->loss[i]);
        out->norm[i] = sxt_optim_grad_norm(r->o, &culprit);
        step.grad_scale = sxt_optim_clip(out->norm[i], 1);
        step.step = i + 1;
        sxt_optim_update(r->o, &step);
        sxt_dev_seal(r->dev, true); /* what comes allocates nothing */
    }
    for (size_t u = 0; u < r->layout.n_units; u++) {
        struct sxt_shard s = sxt_zero3_shard(r->z, u);
        sxt_dev_get(r->dev, out->grad + out->at[u] + s.first,
                    sxt_zero3_gradient(r->z, u), s.count * sizeof(float));
    }
    /* while the host may still be at it */
    trainer_bins(r, false, out->loss[r->how->steps]);
    trainer_read(r, out);
}

struct trained *trainer_train(const struct trainer *how)
{
    struct trainer_run r = { .how = how,
                             .dev = sxt_dev_create(how->device, NULL) };
    struct sxt_net_room room = { how->scale * TRAINER_MAX, how->keep,
                                 how->keep_attn, how->chunk, how->inputs_away };
    struct trained *out = sxt_calloc(1, sizeof(*out));

    trainer_layout(&r.layout, how->tied);
    r.num = sxt_num_create(how->backend, r.dev, 1, NULL);
    struct sxt_zero3_setup setup = { &r.layout, r.num,           how->comm,
                                     how->type, how->type,       how->ahead,
                                     how->away, how->params_away };
    r.z = sxt_zero3_create(&setup);
    r.o = sxt_optim_create(r.z);
    r.net = sxt_net_create(&r.layout, r.num, how->type, &room);
    for (size_t u = 0; u < r.layout.n_units; u++) {
        trainer_begin(r.o, u, sxt_zero3_shard(r.z, u), how->type);
        out->at[u] = out->n;
        out->n += r.layout.unit_size[u];
    }
    sxt_zero3_changed(r.z);
    out->grad = sxt_calloc(out->n, sizeof(*out->grad));
    for (int k = 0; k < SXT_STATES; k++)
        out->state[k] = sxt_calloc(out->n, 4);
    trainer_steps(&r, out);
    sxt_net_destroy(r.net);
    sxt_optim_destroy(r.o);
    sxt_zero3_destroy(r.z);
    sxt_num_destroy(r.num);
    sxt_dev_destroy(r.dev);
    sxt_layout_free(&r.layout);
    return out;
}

void trained_free(struct trained *t)
{
    free(t->grad);
    for (int k = 0; k < SXT_STATES; k++)
        free(t->state[k]);
    free(t);
}

bool trained_same(const struct trained *got, const struct trained *truth,
                  const struct trainer *how)
{
    size_t size[SXT_STATES] = { sxt_dtype_size(how->type), 2, 4, 4 };
    struct sxt_layout layout;
    bool same = memcmp(got->loss, truth->loss, sizeof(got->loss)) == 0 &&
                memcmp(got->norm, truth->norm, sizeof(got->norm)) == 0;

    trainer_layout(&layout, how->tied);
    for (size_t u = 0; u < layout.n_units; u++) {
        struct sxt_cut cut = sxt_cut_unit(layout.unit_size[u], how->comm.size);
        size_t first = cut.each * (size_t)how->comm.rank, n;
        first = first < layout.unit_size[u] ? first : layout.unit_size[u];
        n = layout.unit_size[u] - first;
        n = n < cut.each ? n : cut.each;
        first += got->at[u];
        same = same && !memcmp(got->grad + first, truth->grad + first, 4 * n);
        for (int k = 0; k < SXT_STATES; k++)
            same =
                same && !memcmp(got->state[k] + first * size[k],
                                truth->state[k] + first * size[k], n * size[k]);
    }
    sxt_layout_free(&layout);
    return same;
}
