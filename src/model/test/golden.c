/* golden.c - the network against PyTorch: logits, loss, every gradient, three
 * steps of AdamW; and the promises of packing.  The GPU's test is this file
 * with another device. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/test/tap.h"
#include "dev/stream.h"
#include "model/net.h"
#include "model/weights.h"

#ifdef DEVICE
#define GPU 1
#else
#define DEVICE "" /* name of a GPU's backend and device */
#define GPU 0
#endif

/* A golden file, and a network with its weights. */
struct golden {
    struct sxt_in *in;
    struct sxt_model_head head;
    struct sxt_str names; /* tensors of the flat arrays, one a line */
    int32_t *ids, *target, *cu_seqlens;
    struct sxt_batch batch;
    float *logits, *grads;
    double losses[4], n_learned;
    double tol_f32, tol_l2, tol_step;
    double tol_grads_l2, tol_grads_cosine; /* 0: weights are large */
    double *pytorch_l2; /* error of each gradient in bf16 there */
};

/* Gradients that stay where they are, all units. */
struct resident {
    struct sxt_grads grads; /* first */
    struct sxt_dev *dev;
    const struct sxt_layout *layout;
    float **unit;
    size_t n_put;
    bool in_order; /* last unit first, none twice */
};

struct machine {
    struct sxt_dev *dev;
    struct sxt_num *num;
    struct sxt_weights *weights;
    struct sxt_net *net;
    struct resident g;
};

/* ---- reading ---- */

static void *read_all(struct sxt_in *in, const char *object, size_t *count)
{
    struct sxt_h5_info info;

    SXT_CHECK(sxt_in_info(in, object, &info, NULL) == 0);
    void *data = sxt_alloc(info.count, sxt_h5_type_size(info.type));
    SXT_CHECK(sxt_in_range(in, object, 0, info.count, data, NULL) == 0);
    *count = info.count;
    return data;
}

static double attr(struct sxt_in *in, const char *name)
{
    double x;

    SXT_CHECK(sxt_in_attr_f64(in, "/golden", name, &x, NULL) == 0);
    return x;
}

static bool open_golden(struct golden *g, const char *name)
{
    const char *top = getenv("SRCDIR");
    char *path = sxt_printf("%s/validation/golden/%s", top ? top : ".", name);
    struct sxt_error err = { 0 };
    size_t n, t;

    memset(g, 0, sizeof(*g));
    g->in = sxt_in_open(path, NULL, &err);
    free(path);
    if (!ok(g->in && sxt_model_read_head(g->in, &g->head, &err) == 0,
            "%s is read as a model %s", name, err.text))
        return false;
    SXT_CHECK(sxt_in_bytes(g->in, "/golden/names", &g->names, NULL) == 0);
    g->ids = read_all(g->in, "/golden/ids", &t);
    g->target = read_all(g->in, "/golden/target", &n);
    g->cu_seqlens = read_all(g->in, "/golden/cu_seqlens", &n);
    g->batch = (struct sxt_batch){ t, n - 1, g->ids, g->target, g->cu_seqlens };
    g->logits = read_all(g->in, "/golden/logits", &n);
    g->grads = read_all(g->in, "/golden/grads", &n);
    SXT_CHECK(sxt_in_range(g->in, "/golden/losses", 0, 4, g->losses, NULL) ==
              0);
    for (size_t i = 0; i < t; i++)
        g->n_learned += g->target[i] >= 0;
    g->tol_f32 = attr(g->in, "f32_relative");
    g->tol_l2 = attr(g->in, "bf16_logits_l2");
    g->pytorch_l2 = read_all(g->in, "/golden/bf16_l2_of_pytorch", &n);
    g->tol_step = attr(g->in, "step_in_lr");
    if (sxt_in_attr_f64(g->in, "/golden", "bf16_grads_l2", &g->tol_grads_l2,
                        NULL) == 0)
        g->tol_grads_cosine = attr(g->in, "bf16_grads_cosine");
    return true;
}

static void close_golden(struct golden *g)
{
    free(g->ids);
    free(g->target);
    free(g->cu_seqlens);
    free(g->logits);
    free(g->grads);
    free(g->pytorch_l2);
    sxt_str_free(&g->names);
    sxt_model_head_free(&g->head);
    sxt_in_close(g->in);
}

/* ---- a machine ---- */

static float *resident_get(struct sxt_grads *self, size_t unit)
{
    struct resident *r = (struct resident *)self;

    sxt_dev_zero(r->dev, r->unit[unit],
                 r->layout->unit_size[unit] * sizeof(float));
    return r->unit[unit];
}

static void resident_put(struct sxt_grads *self, size_t unit)
{
    struct resident *r = (struct resident *)self;

    r->n_put++;
    r->in_order = r->in_order && unit == r->layout->n_units - r->n_put;
}

static struct machine start_in(const struct golden *g, const char *backend,
                               const char *device, enum sxt_dtype type,
                               const struct sxt_net_room *room)
{
    const struct sxt_layout *layout = &g->head.layout;
    struct sxt_error err = { 0 };
    struct machine m = { .dev = sxt_dev_create(device, &err) };

    m.num = sxt_num_create(backend, m.dev, 1, &err);
    m.weights = sxt_weights_load(g->in, layout, m.dev, type, &err);
    SXT_CHECK(m.num && m.weights);
    m.net = sxt_net_create(layout, m.num, type, room);
    m.g = (struct resident){ .grads = { resident_get, resident_put },
                             .dev = m.dev,
                             .layout = layout };
    m.g.unit = sxt_calloc(layout->n_units, sizeof(float *));
    for (size_t u = 0; u < layout->n_units; u++)
        m.g.unit[u] =
            sxt_dev_alloc(m.dev, layout->unit_size[u] * sizeof(float));
    return m;
}

static struct machine start(const struct golden *g, const char *backend,
                            const char *device, enum sxt_dtype type,
                            size_t max_t, size_t keep)
{
    struct sxt_net_room room = { max_t, keep, keep, SXT_NET_GRAIN, false };

    return start_in(g, backend, device, type, &room);
}

static void stop(struct machine *m)
{
    for (size_t u = 0; u < m->g.layout->n_units; u++)
        sxt_dev_free(m->dev, m->g.unit[u]);
    free(m->g.unit);
    sxt_net_destroy(m->net);
    sxt_weights_destroy(m->weights);
    sxt_num_destroy(m->num);
    sxt_dev_destroy(m->dev);
}

static double step(struct machine *m, const struct sxt_batch *batch,
                   double grad_scale)
{
    m->g.n_put = 0;
    m->g.in_order = true;
    return sxt_net_step(m->net, &m->weights->params, &m->g.grads, batch,
                        (float)grad_scale);
}

/* A tensor's numbers, of gradients or of weights, in new host memory. */
static float *fetch(struct machine *m, const void *unit, enum sxt_dtype type,
                    const struct sxt_tensor *t)
{
    size_t n = t->rows * t->cols, size = sxt_dtype_size(type);
    char *raw = sxt_alloc(n, size);
    float *x = sxt_alloc(n, sizeof(float));

    sxt_dev_get(m->dev, raw, (const char *)unit + t->offset * size, n * size);
    for (size_t i = 0; i < n; i++)
        x[i] = sxt_load(raw, type, i);
    free(raw);
    return x;
}

/* ---- comparing ---- */

struct distance {
    double relative; /* largest error by largest element */
    double l2;       /* of the error by that of the truth */
    double cosine;
    double largest;
};

static struct distance distance(const float *x, const float *truth, size_t n)
{
    struct distance d = { 0 };
    double tt = 0, ee = 0, xx = 0, xt = 0, top = 0;

    for (size_t i = 0; i < n; i++) {
        double b = (double)truth[i], e = fabs((double)x[i] - b);
        tt += b * b, ee += e * e;
        xx += (double)x[i] * (double)x[i], xt += (double)x[i] * b;
        d.largest = e > d.largest || isnan(e) ? e : d.largest;
        top = fabs(b) > top ? fabs(b) : top;
    }
    d.relative = d.largest / top;
    d.l2 = sqrt(ee / tt);
    d.cosine = xt / sqrt(xx * tt);
    return d;
}

/* Walk the names; *at moves through the flat array. */
static const struct sxt_tensor *next_tensor(const struct golden *g,
                                            const char **line)
{
    char name[100];
    size_t n = strcspn(*line, "\n");
    const struct sxt_tensor *t;

    if (n == 0)
        return NULL;
    SXT_CHECK(n < sizeof(name));
    memcpy(name, *line, n);
    name[n] = '\0';
    *line += n + ((*line)[n] == '\n');
    t = sxt_layout_find(&g->head.layout, name);
    SXT_CHECK(t != NULL);
    return t;
}

/* Over all gradient tensors. */
struct verdict {
    double relative; /* worst */
    const char *whose;
    double worst_l2;       /* of a matrix */
    double cosine;         /* worst of a tensor */
    double l2, pytorch_l2; /* root mean square, in bf16 */
    double worse;          /* largest quotient of the two for one tensor */
};

static struct verdict judge_gradients(struct machine *m, const struct golden *g)
{
    const char *line = g->names.data;
    struct verdict v = { .whose = "", .cosine = 1 };
    const struct sxt_tensor *t;
    size_t at = 0, n = 0;

    for (; (t = next_tensor(g, &line)) != NULL; n++) {
        float *x = fetch(m, m->g.unit[t->unit], SXT_F32, t);
        struct distance d = distance(x, g->grads + at, t->rows * t->cols);
        double p = g->pytorch_l2[n];
        if (!(d.relative <= v.relative)) {
            v.relative = d.relative;
            v.whose = t->name;
        }
        if (t->n_dims == 2)
            v.worst_l2 = d.l2 <= v.worst_l2 ? v.worst_l2 : d.l2;
        v.cosine = d.cosine >= v.cosine ? v.cosine : d.cosine;
        v.l2 += d.l2 * d.l2;
        v.pytorch_l2 += p * p;
        v.worse = d.l2 / p <= v.worse ? v.worse : d.l2 / p;
        at += t->rows * t->cols;
        free(x);
    }
    v.l2 = sqrt(v.l2 / (double)n);
    v.pytorch_l2 = sqrt(v.pytorch_l2 / (double)n);
    return v;
}

/* ---- one step against PyTorch ---- */

static const struct {
    const char *backend, *device;
    enum sxt_dtype type;
    size_t keep; /* blocks of two that keep what they compute */
} ways[] = {
#if GPU
    { DEVICE, DEVICE, SXT_F32, 1 },
    { DEVICE, DEVICE, SXT_F32, 2 },
    { DEVICE, DEVICE, SXT_BF16, 1 },
#else
    { "ref", "host", SXT_F32, 1 },  { "cpu", "host", SXT_F32, 1 },
    { "cpu", "host", SXT_F32, 2 },  { "ref", "fake", SXT_F32, 2 },
    { "ref", "host", SXT_BF16, 1 }, { "cpu", "host", SXT_BF16, 2 },
    { "cpu", "fake", SXT_BF16, 1 },
#endif
};

static void test_step(const struct golden *g, size_t way)
{
    enum sxt_dtype type = ways[way].type;
    struct machine m = start(g, ways[way].backend, ways[way].device, type,
                             g->batch.t + 3, ways[way].keep);
    char *what = sxt_printf("%s, %s on %s device, %zu kept",
                            type == SXT_F32 ? "f32" : "bf16", ways[way].backend,
                            ways[way].device, ways[way].keep);
    size_t vocab = g->head.layout.config.vocab;
    float *logits = sxt_alloc(g->batch.t * vocab, sizeof(float));
    double sum = step(&m, &g->batch, 1.0 / g->n_learned);
    double loss = sum / g->n_learned;
    double alone = sxt_net_step(m.net, &m.weights->params, NULL, &g->batch, 1);
    struct distance d;
    struct verdict v;

    sxt_net_logits(m.net, &m.weights->params, &g->batch, logits);
    d = distance(logits, g->logits, g->batch.t * vocab);
    ok(type == SXT_F32 ? d.relative <= g->tol_f32 : d.l2 <= g->tol_l2,
       "%s: logits, error %.1e of the largest, %.1e in L2", what, d.relative,
       d.l2);
    /* The mean of log-probabilities errs less than the logits do. */
    ok(fabs(loss / g->losses[0] - 1) <=
           (type == SXT_F32 ? g->tol_f32 : g->tol_l2),
       "%s: loss %.7f, %.7f expected", what, loss, g->losses[0]);
    ok(alone == sum, "%s: the loss alone is the same number", what);
    v = judge_gradients(&m, g);
    if (type == SXT_F32)
        ok(v.relative <= g->tol_f32, "%s: gradients, worst %.1e in %s", what,
           v.relative, v.whose);
    else if (g->tol_grads_l2 > 0) /* vectors of four numbers err by chance */
        ok(v.worst_l2 <= g->tol_grads_l2 && v.cosine >= g->tol_grads_cosine &&
               v.worse < 2,
           "%s: gradients, L2 error of each matrix at most %.4f, cosine of "
           "each tensor at least %.6f, worst quotient to PyTorch's %.2f",
           what, v.worst_l2, v.cosine, v.worse);
    else /* one tensor's error is chance, but not to that degree */
        ok(v.l2 <= v.pytorch_l2 && v.worse < 2,
           "%s: gradients, L2 error %.4f, PyTorch's %.4f, worst quotient %.2f",
           what, v.l2, v.pytorch_l2, v.worse);
    ok(m.g.in_order && m.g.n_put == g->head.layout.n_units,
       "%s: units put once, last first", what);
    free(logits);
    free(what);
    stop(&m);
}

/* ---- AdamW ---- */

static void update(struct machine *m, const struct golden *g, float **moments,
                   int64_t number)
{
    const struct sxt_layout *layout = &g->head.layout;

    for (size_t i = 0; i < layout->n_tensors; i++) {
        const struct sxt_tensor *t = &layout->tensors[i];
        size_t u = t->unit, size = layout->unit_size[u];
        sxt_adamw(m->num, &(struct sxt_adamw){
                              .p = (float *)m->weights->unit[u] + t->offset,
                              .m = moments[u] + t->offset,
                              .v = moments[u] + size + t->offset,
                              .grad = m->g.unit[u] + t->offset,
                              .n = t->rows * t->cols,
                              .lr = attr(g->in, "lr"),
                              .b1 = attr(g->in, "beta1"),
                              .b2 = attr(g->in, "beta2"),
                              .eps = attr(g->in, "eps"),
                              .wd = t->decay ? attr(g->in, "weight_decay") : 0,
                              .grad_scale = 1,
                              .step = number,
                              .type = SXT_F32 });
    }
}

static double worst_parameter(struct machine *m, const struct golden *g,
                              const char *object)
{
    size_t n, at = 0;
    float *truth = read_all(g->in, object, &n);
    const char *line = g->names.data;
    const struct sxt_tensor *t;
    double worst = 0;

    while ((t = next_tensor(g, &line)) != NULL) {
        float *x = fetch(m, m->weights->unit[t->unit], SXT_F32, t);
        double e = distance(x, truth + at, t->rows * t->cols).largest;
        worst = e <= worst ? worst : e;
        at += t->rows * t->cols;
        free(x);
    }
    SXT_CHECK(at == n);
    free(truth);
    return worst;
}

static void test_adamw(const struct golden *g, const char *backend,
                       const char *device)
{
    const struct sxt_layout *layout = &g->head.layout;
    struct machine m = start(g, backend, device, SXT_F32, g->batch.t, 1);
    float **moments = sxt_calloc(layout->n_units, sizeof(float *));

    for (size_t u = 0; u < layout->n_units; u++)
        moments[u] =
            sxt_dev_alloc(m.dev, 2 * layout->unit_size[u] * sizeof(float));
    for (int k = 0; k < 4; k++) {
        double loss = step(&m, &g->batch, 1.0 / g->n_learned) / g->n_learned;
        ok(fabs(loss / g->losses[k] - 1) <= g->tol_f32,
           "%s: loss after %d steps %.7f, %.7f expected", backend, k, loss,
           g->losses[k]);
        if (k == 3)
            break;
        update(&m, g, moments, k + 1);
        char *object = sxt_printf("/golden/after_%d", k + 1);
        double e = worst_parameter(&m, g, object) / attr(g->in, "lr");
        ok(e <= g->tol_step, "%s: parameters, worst %.1e of the learning rate",
           backend, e);
        free(object);
    }
    for (size_t u = 0; u < layout->n_units; u++)
        sxt_dev_free(m.dev, moments[u]);
    free(moments);
    stop(&m);
}

/* ---- packing ---- */

static struct sxt_batch document(const struct golden *g, size_t d,
                                 int32_t cu_seqlens[2])
{
    size_t begin = (size_t)g->cu_seqlens[d];
    size_t end = (size_t)g->cu_seqlens[d + 1];

    cu_seqlens[0] = 0;
    cu_seqlens[1] = (int32_t)(end - begin);
    return (struct sxt_batch){ end - begin, 1, g->ids + begin,
                               g->target + begin, cu_seqlens };
}

static void test_pack_loss(const struct golden *g)
{
    struct machine m = start(g, "ref", "host", SXT_F32, g->batch.t, 1);
    double pack = step(&m, &g->batch, 1), sum = 0;

    for (size_t d = 0; d < g->batch.n_docs; d++) {
        int32_t cu_seqlens[2];
        struct sxt_batch alone = document(g, d, cu_seqlens);
        sum += step(&m, &alone, 1);
    }
    ok(pack == sum, "a pack's loss is the sum of its documents', to the bit");
    stop(&m);
}

static bool same_gradients(const struct machine *a, const struct machine *b)
{
    bool same = true;

    for (size_t u = 0; u < a->g.layout->n_units; u++) {
        size_t n = a->g.layout->unit_size[u];
        float *x = sxt_alloc(n, sizeof(*x)), *y = sxt_alloc(n, sizeof(*y));
        sxt_dev_get(a->dev, x, a->g.unit[u], n * sizeof(*x));
        sxt_dev_get(b->dev, y, b->g.unit[u], n * sizeof(*y));
        for (size_t i = 0; i < n; i++)
            same = same && x[i] == y[i];
        free(x);
        free(y);
    }
    return same;
}

/* Only the last document is learned; what stands in the others is nothing to
 * its gradients. */
static void test_pack_apart(const struct golden *g, const char *backend,
                            const char *device)
{
    size_t t = g->batch.t, begin = (size_t)g->cu_seqlens[g->batch.n_docs - 1];
    int32_t vocab = (int32_t)g->head.layout.config.vocab;
    struct machine a = start(g, backend, device, SXT_F32, t, 1);
    struct machine b = start(g, backend, device, SXT_F32, t, 1);
    int32_t *ids = sxt_alloc(t, sizeof(*ids));
    int32_t *target = sxt_alloc(t, sizeof(*target));
    struct sxt_batch batch = { t, g->batch.n_docs, g->ids, target,
                               g->cu_seqlens };

    for (size_t i = 0; i < t; i++) {
        target[i] = i < begin ? -1 : g->target[i];
        ids[i] = i < begin ? (g->ids[i] + 1) % vocab : g->ids[i];
    }
    double loss_a = step(&a, &batch, 1);
    batch.ids = ids;
    double loss_b = step(&b, &batch, 1);
    ok(loss_a == loss_b && loss_a > 0 && same_gradients(&a, &b),
       "other documents change nothing in a document's gradients, to the bit");
    ids[t - 2] = (ids[t - 2] + 1) % vocab;
    step(&b, &batch, 1);
    ok(!same_gradients(&a, &b), "its own tokens do");
    free(ids);
    free(target);
    stop(&a);
    stop(&b);
}

/* Many copies of the batch, so that the head takes several chunks; the first
 * ones unlearned, so that a whole chunk is skipped. */
static void test_chunks(const struct golden *g, const char *backend,
                        const char *device, size_t first_learned, size_t copies)
{
    size_t t = g->batch.t, docs = g->batch.n_docs;
    struct machine m = start(g, backend, device, SXT_F32, copies * t, 1);
    int32_t *ids = sxt_alloc(copies * t, sizeof(*ids));
    int32_t *target = sxt_alloc(copies * t, sizeof(*target));
    int32_t *begin = sxt_alloc(copies * docs + 1, sizeof(*begin));
    struct sxt_batch batch = { copies * t, copies * docs, ids, target, begin };
    double n = g->n_learned * (double)(copies - first_learned);

    begin[0] = 0;
    for (size_t c = 0; c < copies; c++) {
        for (size_t i = 0; i < t; i++) {
            ids[c * t + i] = g->ids[i];
            target[c * t + i] = c < first_learned ? -1 : g->target[i];
        }
        for (size_t d = 0; d < docs; d++)
            begin[c * docs + d + 1] = (int32_t)(c * t) + g->cu_seqlens[d + 1];
    }
    double loss = step(&m, &batch, 1 / n) / n;
    struct verdict v = judge_gradients(&m, g);
    ok(fabs(loss / g->losses[0] - 1) <= g->tol_f32 && v.relative <= g->tol_f32,
       "%s: %zu tokens, %zu unlearned: same mean loss, gradients within %.1e",
       backend, batch.t, first_learned * t, v.relative);
    free(ids);
    free(target);
    free(begin);
    stop(&m);
}

/* ---- keeping or computing again ---- */

static size_t products; /* counted by count_gemm */
static void (*real_gemm)(struct sxt_num *num, const struct sxt_gemm *g);

static void count_gemm(struct sxt_num *num, const struct sxt_gemm *g)
{
    products++;
    real_gemm(num, g);
}

static size_t products_of_step(struct machine *m, const struct golden *g,
                               double *loss)
{
    real_gemm = m->num->op.gemm;
    m->num->op.gemm = count_gemm;
    products = 0;
    *loss = step(m, &g->batch, 1);
    return products;
}

/* What a block is spared in the backward pass: with nothing kept it makes qkv,
 * o and gate_up again; with the attention's only gate_up.  The batch is shorter
 * than the network's room, so that the arrays of the blocks have gaps. */
static void test_keep(const struct golden *g, const char *backend,
                      const char *device, enum sxt_dtype type)
{
    size_t t = g->batch.t + 5, layers = g->head.layout.config.layers;
    const struct {
        const char *what;
        struct sxt_net_room room;
        size_t again; /* products */
    } table[] = {
        { "nothing is kept",
          { t, 1, 1, SXT_NET_GRAIN, false },
          3 * (layers - 1) },
        { "inputs are away",
          { t, 1, 1, SXT_NET_GRAIN, true },
          3 * (layers - 1) },
        { "attention is kept",
          { t, 1, layers, SXT_NET_GRAIN, false },
          layers - 1 },
        { "one block less keeps",
          { t, layers > 2 ? layers - 1 : 1, layers, SXT_NET_GRAIN, true },
          1 },
    };
    struct sxt_net_room all = { t, layers, layers, SXT_NET_GRAIN, false };
    struct machine kept = start_in(g, backend, device, type, &all);
    size_t once = 3 * (4 * layers + 1);
    double a, b;

    ok(products_of_step(&kept, g, &a) == once,
       "%s: all blocks keep theirs: no product twice", backend);
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        const struct sxt_net_room *room = &table[i].room;
        struct machine m = start_in(g, backend, device, type, room);
        size_t n = products_of_step(&m, g, &b);
        ok(n == once + table[i].again, "%s: %s: %zu products again", backend,
           table[i].what, table[i].again);
        ok(a == b && same_gradients(&m, &kept),
           "%s: loss and gradients are the same, to the bit", backend);
        ok(sxt_dev_in_use(kept.dev) - sxt_dev_in_use(m.dev) ==
                   sxt_net_bytes(&g->head.layout, type, &all) -
                       sxt_net_bytes(&g->head.layout, type, room) &&
               sxt_pinned_peak(m.dev) ==
                   sxt_net_memory(&g->head.layout, type, room).host,
           "%s: the plan tells what keeping takes", backend);
        stop(&m);
    }
    stop(&kept);
}

static void test_plan(const struct golden *g)
{
    const struct sxt_layout *layout = &g->head.layout;
    size_t layers = layout->config.layers;
    struct sxt_net_room room = { 40, layers, layers, SXT_NET_GRAIN, false };
    size_t all = sxt_net_bytes(layout, SXT_F32, &room), attn;

    sxt_net_keep(layout, SXT_F32, &room, all);
    ok(room.keep == layers && room.keep_attn == layers,
       "with room for all every block keeps all");
    sxt_net_keep(layout, SXT_F32, &room, all - 1);
    ok(room.keep == layers - 1 && room.keep_attn == layers,
       "a byte less, and one block keeps only its attention");
    room.keep = 1;
    attn = sxt_net_bytes(layout, SXT_F32, &room);
    sxt_net_keep(layout, SXT_F32, &room, attn);
    ok(room.keep == 1 && room.keep_attn == layers, "attention comes first");
    sxt_net_keep(layout, SXT_F32, &room, attn - 1);
    ok(room.keep == 1 && room.keep_attn == layers - 1, "block by block");
    sxt_net_keep(layout, SXT_F32, &room, 0);
    ok(room.keep == 1 && room.keep_attn == 1, "one block keeps in any case");
}

/* ---- differences ---- */

/* Move all parameters by h along random signs; returns the slope that the
 * gradients promise. */
static double move(struct machine *m, uint64_t direction, double h)
{
    const struct sxt_layout *layout = m->g.layout;
    double slope = 0;

    for (size_t i = 0; i < layout->n_tensors; i++) {
        const struct sxt_tensor *t = &layout->tensors[i];
        struct sxt_rng rng = { direction, i };
        float *w = (float *)m->weights->unit[t->unit] + t->offset;
        for (size_t k = 0; k < t->rows * t->cols; k++) {
            double sign = sxt_rng_u64(rng, k) % 2 ? 1 : -1;
            w[k] += (float)(h * sign);
            slope += sign * (double)m->g.unit[t->unit][t->offset + k];
        }
    }
    return slope;
}

/* Central differences along whole-network directions.  With h = 2^-12 the third
 * derivative's share was below 0.2 % of the slope, and the rounding of a sum of
 * f32 losses (165, to 1e-5) over 2 h is 0.02. */
static void test_differences(const struct golden *g)
{
    struct machine m = start(g, "ref", "host", SXT_F32, g->batch.t, 1);
    const double h = 0x1p-12;

    step(&m, &g->batch, 1);
    for (uint64_t k = 1; k <= 3; k++) {
        double slope = move(&m, k, h), up, down;
        up = sxt_net_step(m.net, &m.weights->params, NULL, &g->batch, 1);
        move(&m, k, -2 * h);
        down = sxt_net_step(m.net, &m.weights->params, NULL, &g->batch, 1);
        move(&m, k, h);
        ok(fabs((up - down) / (2 * h) - slope) <= 0.1 + 0.01 * fabs(slope),
           "along direction %d the loss rises by %.3f, as the gradients say "
           "(%.3f)",
           (int)k, (up - down) / (2 * h), slope);
    }
    stop(&m);
}

/* What is no matter of the kernels is not tested again on a GPU. */
static void test_rest(const struct golden *g)
{
    if (GPU) {
        test_adamw(g, DEVICE, DEVICE);
        test_pack_apart(g, DEVICE, DEVICE);
        test_chunks(g, DEVICE, DEVICE, 26, 30);
        test_keep(g, DEVICE, DEVICE, SXT_F32);
        test_keep(g, DEVICE, DEVICE, SXT_BF16);
        return;
    }
    test_adamw(g, "ref", "host");
    test_adamw(g, "cpu", "host");
    test_pack_loss(g);
    test_pack_apart(g, "ref", "host");
    test_chunks(g, "ref", "host", 0, 25);
    test_chunks(g, "cpu", "host", 26, 30);
    test_keep(g, "ref", "fake", SXT_F32);
    test_keep(g, "cpu", "fake", SXT_BF16);
    test_plan(g);
    test_differences(g);
}

int main(void)
{
    static const char *const files[] = { "model-qwen2.h5", "model-llama.h5",
                                         "model-qwen2-usual.h5",
                                         "model-llama-usual.h5" };

    for (size_t f = 0; f < 4; f++) {
        struct golden g;
        if (!open_golden(&g, files[f]))
            continue;
        for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++)
            test_step(&g, w);
        test_rest(&g);
        close_golden(&g);
    }
    return done_testing();
}
