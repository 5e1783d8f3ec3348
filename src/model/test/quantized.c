/* quantized.c - what a quantised model computes: quantized MODEL.h5 SMALL.h5
 *
 * The logits of SMALL are those of MODEL with its matrices replaced by SMALL's,
 * read back; and how far they are from MODEL's own.  Run by a validation test.
 */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/test/tap.h"
#include "model/paged.h"
#include "model/weights.h"

enum { TOKENS = 24 };

struct model {
    struct sxt_in *in;
    struct sxt_model_head head;
    struct sxt_weights *w;
};

static bool load(struct model *m, const char *path, struct sxt_dev *dev)
{
    struct sxt_error err = { 0 };

    m->in = sxt_in_open(path, SXT_MODEL_FORMAT, &err);
    bool there = m->in && sxt_model_read_head(m->in, &m->head, &err) == 0;
    m->w = there ? sxt_weights_load(m->in, &m->head.layout, dev, SXT_F32, &err)
                 : NULL;
    return ok(m->w, "%s is read %s", path, err.text);
}

static void unload(struct model *m)
{
    sxt_weights_destroy(m->w);
    sxt_model_head_free(&m->head);
    sxt_in_close(m->in);
}

/* Logits (TOKENS, vocab) of some text; the first `alone` tokens come one by
 * one. */
static float *logits(const struct model *m, struct sxt_num *num, size_t alone)
{
    const struct sxt_model_config *c = &m->head.layout.config;
    struct sxt_paged_size size = { TOKENS, TOKENS, 1, 32, 32, 1 };
    struct sxt_paged *p =
        sxt_paged_create(&m->head.layout, &m->w->params, num, &size);
    float *x = sxt_alloc(TOKENS * c->vocab, sizeof(*x));
    int32_t id[TOKENS], slot[TOKENS] = { 0 }, pos[TOKENS], all[TOKENS];
    int32_t page = 0;

    sxt_paged_map(p, 0, 0, &page, 1);
    for (int32_t i = 0; i < TOKENS; i++) {
        id[i] = (i * i * 7 + 3) % (int32_t)c->vocab;
        pos[i] = all[i] = i;
    }
    for (size_t i = 0, n; i < TOKENS; i += n) {
        n = i < alone ? 1 : TOKENS - i;
        struct sxt_paged_rows rows = { n, n, id + i, slot, pos + i, all };
        const float *y = sxt_paged_forward(p, &rows);
        sxt_dev_get(num->dev, x + i * c->vocab, y,
                    n * c->vocab * sizeof(float));
    }
    sxt_paged_destroy(p);
    return x;
}

/* |a - b| / |b|. */
static double distance(const float *a, const float *b, size_t n)
{
    double d = 0, norm = 0;

    for (size_t i = 0; i < n; i++) {
        d += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        norm += (double)b[i] * b[i];
    }
    return sqrt(d / norm);
}

/* Put the quantised matrices, read back, in the place of the plain ones. */
static void replace(struct model *plain, const struct model *small,
                    struct sxt_num *num)
{
    const struct sxt_layout *layout = &plain->head.layout;

    for (size_t i = 0; i < small->w->n_matrices; i++) {
        struct sxt_matrix m = sxt_matrix_of(layout, i / SXT_PARTS,
                                            (enum sxt_part)(i % SXT_PARTS));
        float *unit = plain->w->unit[m.unit];
        sxt_dequantize(num, unit + m.offset, &small->w->matrix[i], SXT_F32);
    }
}

int main(int argc, char **argv)
{
    struct model plain = { 0 }, small = { 0 };
    struct sxt_dev *dev = sxt_dev_create("host", NULL);
    struct sxt_num *num = sxt_num_create("auto", dev, 0, NULL);

    if (argc != 3)
        return 99;
    if (!load(&plain, argv[1], dev) || !load(&small, argv[2], dev))
        return done_testing();
    const struct sxt_model_config *c = &plain.head.layout.config;
    size_t n = TOKENS * c->vocab;
    size_t bytes =
        sxt_qmodel_bytes(&small.head.layout, small.head.format, SXT_F32);
    ok(small.head.quantized && small.w->n_matrices == c->layers * SXT_PARTS,
       "all matrices of its blocks are quantised");
    ok(small.w->params.bytes == bytes && bytes < plain.w->params.bytes,
       "%zu bytes of weights, %zu before", bytes, plain.w->params.bytes);
    float *before = logits(&plain, num, 0), *x = logits(&small, num, 0);
    float *one = logits(&small, num, TOKENS);
    replace(&plain, &small, num);
    float *back = logits(&plain, num, 0);
    /* The same products with the scale applied before or after the sum. */
    double d = distance(x, back, n), lost = distance(x, before, n);
    ok(d < 1e-5, "it computes with the weights read back (%.1g)", d);
    ok(memcmp(x, one, n * sizeof(*x)) == 0,
       "tokens one by one give the same bits");
    /* A matrix's error relative to its weights is about 0.008 (a row's largest,
     * some 3.5 deviations, over 127 and sqrt 12) or 0.09 (QLoRA); the errors of
     * four products in each of two blocks add up in squares. */
    double limit = small.head.format == SXT_INT8 ? 0.03 : 0.3;
    ok(lost > 0 && lost < limit, "logits move by %.3g (at most %g)", lost,
       limit);
    free(before);
    free(x);
    free(one);
    free(back);
    unload(&plain);
    unload(&small);
    sxt_num_destroy(num);
    sxt_dev_destroy(dev);
    return done_testing();
}
