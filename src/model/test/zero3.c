/* zero3.c - shards on 1, 2 and 3 ranks against whole arrays on one: the same
 * bits, in f32 and with the split master, whatever the gradients travel in.
 *
 * The network is a toy: bin b's gradient of parameter p_i is s_b (p_i - t_bi),
 * where t is noise, so every unit, bin and element counts. */
#include "model/zero3.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/test/tap.h"
#include "model/optim.h"

enum { STEPS = 3, BINS = 4 };

static const struct sxt_optim_step adam = {
    .lr = 0.01, .b1 = 0.9, .b2 = 0.95, .eps = 1e-8, .weight_decay = 0.1
};

static struct sxt_layout tiny_layout(void)
{
    struct sxt_model_config config = {
        .type = SXT_QWEN2,
        .vocab = 37,
        .hidden = 24,
        .layers = 3,
        .heads = 4,
        .kv_heads = 2,
        .head_dim = 6,
        .ffn = 40,
        .max_positions = 64,
        .rope_theta = 1e4,
        .norm_eps = 1e-6,
        .qkv_bias = true,
    };
    struct sxt_layout layout;

    sxt_layout_init(&layout, &config);
    return layout;
}

static float noise(size_t step, size_t bin, size_t unit, size_t i)
{
    struct sxt_rng rng = { 5, sxt_rng_stream("toy", step * BINS + bin, unit) };

    return (float)sxt_rng_normal(rng, i);
}

static float toy_grad(float p, size_t step, size_t bin, size_t unit, size_t i)
{
    return (0.5f + (float)bin) * (p - noise(step, bin, unit, i));
}

static bool is_tensor(const struct sxt_layout *layout, size_t unit, size_t i)
{
    for (size_t t = 0; t < layout->n_tensors; t++) {
        const struct sxt_tensor *x = &layout->tensors[t];
        if (x->unit == unit && i >= x->offset &&
            i < x->offset + x->rows * x->cols)
            return true;
    }
    return false;
}

/* ---- the model on one rank, in whole arrays of host memory ---- */

struct whole {
    const struct sxt_layout *layout;
    enum sxt_dtype type, reduce;
    struct sxt_num *num; /* the same backend, on a host device */
    size_t at[16], n;    /* first element of each unit; all */
    char *p;
    uint16_t *rest;
    float *m, *v, *g;
    double norm;
};

static void whole_init(struct whole *w)
{
    w->n = 0;
    for (size_t u = 0; u < w->layout->n_units; u++) {
        w->at[u] = w->n;
        w->n += w->layout->unit_size[u];
    }
    w->p = sxt_calloc(w->n, 4);
    w->rest = sxt_calloc(w->n, sizeof(*w->rest));
    w->m = sxt_calloc(w->n, sizeof(*w->m));
    w->v = sxt_calloc(w->n, sizeof(*w->v));
    w->g = sxt_calloc(w->n, sizeof(*w->g));
    for (size_t u = 0; u < w->layout->n_units; u++)
        for (size_t i = 0; i < w->layout->unit_size[u]; i++) {
            float x = noise(99, 0, u, i);
            if (!is_tensor(w->layout, u, i))
                continue;
            if (w->type == SXT_F32)
                sxt_store(w->p, SXT_F32, w->at[u] + i, x);
            else
                sxt_split_master(x, (uint16_t *)w->p + w->at[u] + i,
                                 w->rest + w->at[u] + i);
        }
}

static void whole_free(struct whole *w)
{
    free(w->p);
    free(w->rest);
    free(w->m);
    free(w->v);
    free(w->g);
}

static void whole_step(struct whole *w, size_t step)
{
    double sum = 0;

    for (size_t u = 0; u < w->layout->n_units; u++)
        for (size_t i = 0; i < w->layout->unit_size[u]; i++) {
            float *g = &w->g[w->at[u] + i];
            float p = sxt_load(w->p, w->type, w->at[u] + i);
            *g = 0;
            for (size_t b = 0; b < BINS && is_tensor(w->layout, u, i); b++) {
                float x = toy_grad(p, step, b, u, i);
                *g += w->reduce == SXT_F32
                          ? x
                          : sxt_bf16_to_f32(sxt_f32_to_bf16(x));
            }
            sum += (double)*g * *g;
        }
    w->norm = sqrt(sum);
    for (size_t t = 0; t < w->layout->n_tensors; t++) {
        const struct sxt_tensor *x = &w->layout->tensors[t];
        size_t at = w->at[x->unit] + x->offset;
        struct sxt_adamw a = { w->p + at * sxt_dtype_size(w->type),
                               w->rest + at,
                               w->m + at,
                               w->v + at,
                               w->g + at,
                               x->rows * x->cols,
                               adam.lr,
                               adam.b1,
                               adam.b2,
                               adam.eps,
                               x->decay ? adam.weight_decay : 0,
                               0.5,
                               (int64_t)step + 1,
                               w->type };
        sxt_adamw(w->num, &a);
    }
}

/* ---- the same in shards ---- */

struct sharded {
    const struct sxt_layout *layout;
    enum sxt_dtype type;
    struct sxt_comm comm;
    struct sxt_dev *dev;
    struct sxt_zero3 *z;
    struct sxt_optim *o;
    bool gathered_right;
};

static void load_shards(struct sharded *s, const struct whole *w)
{
    size_t elem = sxt_dtype_size(w->type);

    for (size_t u = 0; u < s->layout->n_units; u++) {
        struct sxt_shard shard = sxt_zero3_shard(s->z, u);
        size_t from = w->at[u] + shard.first;
        sxt_optim_put(s->o, SXT_STATE_PARAM, u, w->p + from * elem);
        if (w->type == SXT_BF16)
            sxt_optim_put(s->o, SXT_STATE_REST, u, w->rest + from);
    }
    sxt_zero3_changed(s->z);
}

/* What the network does with one unit going forward, and going back. */
static void use_unit(struct sharded *s, const struct whole *w, size_t u,
                     size_t next)
{
    struct sxt_params *params = sxt_zero3_params(s->z);
    size_t n = s->layout->unit_size[u] * sxt_dtype_size(s->type);
    const void *p = params->get(params, u);
    char *host = sxt_alloc(n, 1);

    params->hint(params, next);
    sxt_dev_get(s->dev, host, p, n);
    if (memcmp(host, w->p + w->at[u] * sxt_dtype_size(s->type), n) != 0)
        s->gathered_right = false;
    params->release(params, u);
    free(host);
}

static void fill_grad(struct sharded *s, const struct whole *w, size_t u,
                      size_t step, size_t bin)
{
    struct sxt_grads *grads = sxt_zero3_grads(s->z);
    size_t n = s->layout->unit_size[u];
    float *host = sxt_calloc(n, sizeof(*host));
    float *g = grads->get(grads, u);

    for (size_t i = 0; i < n; i++)
        if (is_tensor(s->layout, u, i))
            host[i] = toy_grad(sxt_load(w->p, s->type, w->at[u] + i), step, bin,
                               u, i);
    sxt_dev_put(s->dev, g, host, n * sizeof(*host));
    grads->put(grads, u);
    free(host);
}

/* w: the whole model before this step. */
static double sharded_step(struct sharded *s, const struct whole *w,
                           size_t step)
{
    size_t units = s->layout->n_units, ranks = (size_t)s->comm.size;
    struct sxt_optim_step a = adam;
    int culprit;
    double norm;

    sxt_zero3_begin_step(s->z);
    for (size_t b = 0; b < BINS; b += ranks) {
        size_t left = BINS - b, mine = b + (size_t)s->comm.rank;
        sxt_zero3_begin_round(s->z, (int)(left < ranks ? left : ranks));
        for (size_t u = 0; u < units; u++)
            use_unit(s, w, u, u + 1 < units ? u + 1 : u);
        for (size_t u = units; u-- > 0;) {
            use_unit(s, w, u, u > 0 ? u - 1 : 0);
            fill_grad(s, w, u, step, mine); /* beyond BINS: must not count */
        }
        sxt_zero3_end_round(s->z);
    }
    norm = sxt_optim_grad_norm(s->o, &culprit);
    if (culprit != -1)
        return NAN;
    a.grad_scale = 0.5;
    a.step = (int64_t)step + 1;
    sxt_optim_update(s->o, &a);
    return norm;
}

static bool same_state(struct sharded *s, const struct whole *w)
{
    size_t elem = sxt_dtype_size(s->type);
    bool same = true;

    for (size_t u = 0; u < s->layout->n_units; u++) {
        struct sxt_shard h = sxt_zero3_shard(s->z, u);
        size_t at = w->at[u] + h.first;
        struct {
            enum sxt_state what;
            const void *host;
            size_t bytes;
        } part[] = {
            { SXT_STATE_PARAM, w->p + at * elem, h.count * elem },
            { SXT_STATE_MEAN, w->m + at, h.count * 4 },
            { SXT_STATE_SQUARE, w->v + at, h.count * 4 },
            { SXT_STATE_REST, w->rest + at, h.count * 2 },
        };
        for (size_t i = 0; i < (w->type == SXT_BF16 ? 4 : 3); i++) {
            char *copy = sxt_alloc(part[i].bytes, 1);
            sxt_optim_get(s->o, part[i].what, u, copy);
            same = same && !memcmp(copy, part[i].host, part[i].bytes);
            free(copy);
        }
    }
    return same;
}

/* Share away, parameters too, units ahead. */
static const struct {
    double away;
    bool params_away;
    int ahead;
    const char *what;
} places[] = {
    { 0, false, 1, "all on the device" },
    { 0.3, false, 0, "a third away, none ahead" },
    { 0.6, true, 2, "more away, with parameters, two ahead" },
    { 1, false, 3, "all away" },
    { 1, true, 1, "all away, with parameters" },
};
enum { N_PLACES = sizeof(places) / sizeof(*places) };

static void train(struct sxt_comm comm, const struct sxt_layout *layout,
                  enum sxt_dtype type, enum sxt_dtype reduce,
                  const char *backend, size_t place)
{
    struct sxt_dev *host = sxt_dev_create("host", NULL);
    struct whole w = { .layout = layout,
                       .type = type,
                       .reduce = reduce,
                       .num = sxt_num_create(backend, host, 1, NULL) };
    struct sharded s = { layout, type, comm, sxt_dev_create("fake", NULL),
                         NULL,   NULL, true };
    struct sxt_num *num = sxt_num_create(backend, s.dev, 1, NULL);
    struct sxt_zero3_setup set = { layout,
                                   num,
                                   comm,
                                   type,
                                   reduce,
                                   places[place].ahead,
                                   places[place].away,
                                   places[place].params_away };
    struct sxt_zero3_bytes bytes = sxt_zero3_bytes(&set);
    struct sxt_optim_bytes optim = sxt_optim_bytes(&set);
    bool norms = true, same = true;

    whole_init(&w);
    s.z = sxt_zero3_create(&set);
    s.o = sxt_optim_create(s.z);
    ok(sxt_dev_in_use(s.dev) == bytes.params + bytes.grads + bytes.gathered +
                                    bytes.reducing + optim.device &&
           sxt_pinned_peak(s.dev) == bytes.host + optim.host,
       "%d ranks, %s, gradients in %s, %s, %s: memory is what was foretold",
       comm.size, type == SXT_F32 ? "f32" : "bf16",
       reduce == SXT_F32 ? "f32" : "bf16", backend, places[place].what);
    load_shards(&s, &w);
    for (size_t step = 0; step < STEPS; step++) {
        double norm = sharded_step(&s, &w, step);
        whole_step(&w, step);
        /* f64 sums in leaves and straight through: 1e4 terms */
        norms = norms && fabs(norm - w.norm) < 1e-12 * w.norm;
        same = same && same_state(&s, &w);
    }
    ok(s.gathered_right, "… every unit is gathered as it is");
    ok(norms, "… the gradient norm is that of whole arrays");
    ok(same, "… parameters and moments are those of whole arrays, to the bit");
    sxt_optim_destroy(s.o);
    sxt_zero3_destroy(s.z);
    sxt_num_destroy(num);
    sxt_dev_destroy(s.dev);
    whole_free(&w);
    sxt_num_destroy(w.num);
    sxt_dev_destroy(host);
}

/* The norm's bits must not depend on the number of ranks. */
static double norm_of(struct sxt_comm comm, const struct sxt_layout *layout,
                      int poison, int *culprit)
{
    struct sxt_dev *dev = sxt_dev_create("fake", NULL);
    struct sxt_num *num = sxt_num_create("auto", dev, 1, NULL);
    struct sxt_zero3_setup set = { layout,  num, comm, SXT_F32,
                                   SXT_F32, 1,   0.4,  false };
    struct sxt_zero3 *z = sxt_zero3_create(&set);
    struct sxt_optim *o = sxt_optim_create(z);
    double norm;

    for (size_t u = 0; u < layout->n_units; u++) {
        struct sxt_shard s = sxt_zero3_shard(z, u);
        float *g = sxt_alloc(s.count, sizeof(*g));
        for (size_t i = 0; i < s.count; i++)
            g[i] = noise(3, 0, u, s.first + i);
        if (comm.rank == poison && s.count > 0)
            g[s.count - 1] = NAN;
        if (s.away)
            memcpy(s.g, g, s.count * sizeof(*g));
        else
            sxt_dev_put(dev, s.g, g, s.count * sizeof(*g));
        free(g);
    }
    norm = sxt_optim_grad_norm(o, culprit);
    sxt_optim_destroy(o);
    sxt_zero3_destroy(z);
    sxt_num_destroy(num);
    sxt_dev_destroy(dev);
    return norm;
}

static void cuts(void)
{
    static const size_t sizes[] = {
        1, 64, 65, 4096, 262144, 262145, 487654400
    };
    bool good = true;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        for (int ranks = 1; ranks < 70; ranks += 3) {
            struct sxt_cut one = sxt_cut_unit(sizes[i], 1);
            struct sxt_cut c = sxt_cut_unit(sizes[i], ranks);
            good = good && c.leaf == one.leaf && c.n_leaves <= 4096 &&
                   c.each % c.leaf == 0 && c.each * (size_t)ranks >= sizes[i];
            good = good && (c.n_leaves - 1) * c.leaf < sizes[i];
        }
    ok(good, "leaves depend on the unit only and cover it on 1 to 67 ranks");
    ok(sxt_optim_clip(4, 1) == 1 / (4 + 1e-6) && sxt_optim_clip(0.5, 1) == 1 &&
           sxt_optim_clip(4, 0) == 1,
       "clipping shortens long gradients only, and can be off");
}

int main(int argc, char **argv)
{
    struct sxt_comm world = sxt_comm_init(&argc, &argv);
    struct sxt_layout layout = tiny_layout();
    double norm[4] = { 0 };
    int culprit = 0, rc;

    tap_silent = world.rank != 0;
    cuts();
    for (int ranks = 1; ranks <= world.size && ranks <= 3; ranks++) {
        MPI_Comm part;
        MPI_Comm_split(world.mpi, world.rank < ranks, 0, &part);
        struct sxt_comm comm = sxt_comm_from_mpi(part);
        if (world.rank < ranks) {
            for (size_t i = 0; i < N_PLACES; i++) {
                train(comm, &layout, SXT_F32, SXT_F32, "ref", i);
                train(comm, &layout, SXT_BF16, SXT_BF16, "auto", i);
            }
            train(comm, &layout, SXT_BF16, SXT_F32, "auto", 0);
            train(comm, &layout, SXT_F32, SXT_BF16, "ref", 2);
            norm[ranks] = norm_of(comm, &layout, -1, &culprit);
            ok(norm[ranks] == norm[1] || world.rank > 0,
               "%d ranks: the norm has the bits of 1 rank", ranks);
            ok(culprit == -1, "… and nobody is blamed");
            norm_of(comm, &layout, ranks - 1, &culprit);
            ok(culprit == ranks - 1, "… the rank with a NaN is named");
        }
        MPI_Comm_free(&part);
    }
    sxt_layout_free(&layout);
    rc = done_testing();
    sxt_comm_finalize();
    return rc;
}
