/* fingerprint.c - what tells a model from others. */
#include <string.h>

#include "base/hash.h"
#include "model/weights.h"

/* The first codes of every quantised matrix. */
static int add_codes(struct sxt_in *in, const struct sxt_model_head *head,
                     uint64_t *h, struct sxt_error *err)
{
    const struct sxt_layout *l = &head->layout;
    uint8_t code[256];

    for (size_t i = 0; i < l->config.layers * SXT_PARTS; i++) {
        struct sxt_matrix m =
            sxt_matrix_of(l, i / SXT_PARTS, (enum sxt_part)(i % SXT_PARTS));
        size_t n =
            sxt_qfile_peek(in, &m, head->format, code, sizeof(code), err);
        if (n == 0)
            return -1;
        *h = sxt_hash64(code, n, *h);
    }
    return 0;
}

int sxt_model_fingerprint(struct sxt_in *in, const struct sxt_model_head *head,
                          uint64_t *hash, struct sxt_error *err)
{
    enum { VALUES = 256 };
    const struct sxt_layout *l = &head->layout;
    uint64_t h = sxt_hash64("model", 5, l->n_tensors);
    float x[VALUES];

    for (size_t i = 0; i < l->n_tensors; i++) {
        const struct sxt_tensor *t = &l->tensors[i];
        size_t n = t->rows * t->cols;
        uint64_t shape[2] = { t->rows, t->cols };
        n = n < VALUES ? n : VALUES;
        if (head->quantized && sxt_matrix_has(l, t))
            continue;
        if (sxt_model_read_unit(in, l, t->unit, t->offset, n, SXT_F32, x,
                                err) != 0)
            return -1;
        h = sxt_hash64(t->name, strlen(t->name), h);
        h = sxt_hash64(shape, sizeof(shape), h);
        h = sxt_hash64(x, n * sizeof(*x), h);
    }
    if (head->quantized && add_codes(in, head, &h, err) != 0)
        return -1;
    *hash = h;
    return 0;
}
