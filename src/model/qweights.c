/* qweights.c - quantised matrices: their names, arrays and datasets. */
#include "model/qweights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* NF4's blocks and groups of blocks; num/ops.h says what they are. */
enum { BLOCK = 64, GROUP = 256 };
/* Bytes on their way at a time. */
enum { PIECE = 1 << 24 };

struct sxt_matrix sxt_matrix_of(const struct sxt_layout *layout, size_t layer,
                                enum sxt_part part)
{
    static const char *const name[SXT_PARTS] = { "self_attn.qkv_proj",
                                                 "self_attn.o_proj",
                                                 "mlp.gate_up_proj",
                                                 "mlp.down_proj" };
    const struct sxt_model_config *c = &layout->config;
    const struct sxt_block_at at = sxt_layout_block(layout);
    size_t heads = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;
    const size_t shape[SXT_PARTS][3] = {
        { at.qkv, heads + 2 * kv, c->hidden },
        { at.o, c->hidden, heads },
        { at.gate_up, 2 * c->ffn, c->hidden },
        { at.down, c->hidden, c->ffn },
    };
    struct sxt_matrix m = { .unit = layer + 1,
                            .offset = shape[part][0],
                            .n = shape[part][1],
                            .k = shape[part][2] };

    snprintf(m.name, sizeof(m.name), "model.layers.%zu.%s", layer, name[part]);
    return m;
}

bool sxt_matrix_has(const struct sxt_layout *layout,
                    const struct sxt_tensor *tensor)
{
    return tensor->n_dims == 2 && tensor->unit > 0 &&
           tensor->unit <= layout->config.layers;
}

const char *sxt_qformat_name(enum sxt_qformat format)
{
    return format == SXT_INT8 ? "int8" : "nf4";
}

/* ---- the arrays of a matrix ---- */

struct array {
    const char *name, *doc;
    enum sxt_h5_type type;
    int n_dims;
    uint64_t dims[2];
    void *at; /* its numbers; NULL as long as nobody has any */
};
enum { MOST_ARRAYS = 4 };

static size_t count_of(const struct array *a)
{
    return (size_t)(a->dims[0] * (a->n_dims == 2 ? a->dims[1] : 1));
}

/* Of w, whose format and shape are known. */
static size_t list_arrays(struct sxt_qmat *w, struct array list[MOST_ARRAYS])
{
    size_t blocks = w->k / BLOCK, groups = (w->n * blocks + GROUP - 1) / GROUP;
    const struct array int8[] = {
        { "codes",
          "Weights over scale, as signed bytes.",
          SXT_H5_U8,
          2,
          { w->n, w->k },
          w->q },
        { "scale",
          "Largest weight of each row over 127.",
          SXT_H5_F32,
          1,
          { w->n },
          w->scale },
    };
    const struct array nf4[] = {
        { "codes",
          "NF4 codes, two a byte, low nibble first.",
          SXT_H5_U8,
          2,
          { w->n, w->k / 2 },
          w->q },
        { "block_scale",
          "Largest weights of blocks of 64, less offset, over group_scale, as "
          "signed bytes.",
          SXT_H5_U8,
          2,
          { w->n, blocks },
          w->block_scale },
        { "group_scale",
          "Unit of block_scale, for 256 blocks each.",
          SXT_H5_F32,
          1,
          { groups },
          w->group_scale },
        { "offset",
          "Mean of the blocks' largest weights.",
          SXT_H5_F32,
          1,
          { 1 },
          &w->offset },
    };

    if (w->format == SXT_INT8) {
        memcpy(list, int8, sizeof(int8));
        return sizeof(int8) / sizeof(*int8);
    }
    memcpy(list, nf4, sizeof(nf4));
    return sizeof(nf4) / sizeof(*nf4);
}

static struct sxt_qmat shape_of(const struct sxt_matrix *m,
                                enum sxt_qformat format)
{
    return (struct sxt_qmat){ .format = format, .n = m->n, .k = m->k };
}

static char *object_of(const struct sxt_matrix *m, const struct array *a)
{
    return sxt_printf("/quantized/%s/%s", m->name, a->name);
}

void sxt_qmat_alloc(struct sxt_qmat *w, const struct sxt_matrix *m,
                    enum sxt_qformat format, struct sxt_dev *dev)
{
    size_t blocks = m->n * (m->k / BLOCK);

    *w = shape_of(m, format);
    if (format == SXT_INT8) {
        w->q = sxt_dev_alloc_for(dev, SXT_DEV_WEIGHTS, m->n * m->k);
        w->scale =
            sxt_dev_alloc_for(dev, SXT_DEV_WEIGHTS, m->n * sizeof(float));
        return;
    }
    w->q = sxt_dev_alloc_for(dev, SXT_DEV_WEIGHTS, m->n * m->k / 2);
    w->block_scale = sxt_dev_alloc_for(dev, SXT_DEV_WEIGHTS, blocks);
    w->group_scale = sxt_dev_alloc_for(
        dev, SXT_DEV_WEIGHTS, (blocks + GROUP - 1) / GROUP * sizeof(float));
}

void sxt_qmat_free(struct sxt_qmat *w, struct sxt_dev *dev)
{
    sxt_dev_free(dev, w->q);
    sxt_dev_free(dev, w->scale);
    sxt_dev_free(dev, w->block_scale);
    sxt_dev_free(dev, w->group_scale);
    *w = (struct sxt_qmat){ 0 };
}

size_t sxt_qmat_bytes(const struct sxt_qmat *w)
{
    struct sxt_qmat copy = *w;
    struct array list[MOST_ARRAYS];
    size_t n = list_arrays(&copy, list), bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += count_of(&list[i]) * sxt_h5_type_size(list[i].type);
    return bytes;
}

size_t sxt_qmodel_bytes(const struct sxt_layout *layout,
                        enum sxt_qformat format, enum sxt_dtype type)
{
    size_t layers = layout->config.layers, vectors, bytes = 0;

    sxt_layout_vectors(layout, &vectors);
    for (size_t i = 0; i < layers * SXT_PARTS; i++) {
        struct sxt_matrix m = sxt_matrix_of(layout, i / SXT_PARTS,
                                            (enum sxt_part)(i % SXT_PARTS));
        struct sxt_qmat w = shape_of(&m, format);
        bytes += sxt_qmat_bytes(&w);
    }
    return bytes +
           sxt_dtype_size(type) * (layers * vectors + layout->unit_size[0] +
                                   layout->unit_size[layers + 1]);
}

/* ---- in a file ---- */

int sxt_qfile_format(struct sxt_in *in, bool *quantized,
                     enum sxt_qformat *format, struct sxt_error *err)
{
    struct sxt_str name = SXT_STR_EMPTY;
    int rc = 0;

    *quantized = sxt_in_has(in, "/quantized");
    if (!*quantized)
        return 0;
    if (sxt_in_attr_text(in, "/", "quantized", &name, err) != 0)
        return -1;
    *format = strcmp(name.data, "nf4") == 0 ? SXT_NF4 : SXT_INT8;
    if (strcmp(name.data, sxt_qformat_name(*format)) != 0)
        rc = sxt_err(err, SXT_EXIT_DATA,
                     "%s: its weights are in \"%s\", which this program does "
                     "not know",
                     sxt_in_path(in), name.data);
    sxt_str_free(&name);
    return rc;
}

static int check_array(struct sxt_in *in, const struct sxt_matrix *m,
                       const struct array *a, struct sxt_error *err)
{
    char *object = object_of(m, a);
    struct sxt_h5_info info;
    int rc = 0;

    if (!sxt_in_has(in, object))
        rc = sxt_err(err, SXT_EXIT_DATA, "%s: no %s", sxt_in_path(in), object);
    else
        rc = sxt_in_info(in, object, &info, err);
    if (rc == 0 && (info.type != a->type || info.n_dims != a->n_dims ||
                    info.dims[0] != a->dims[0] ||
                    (a->n_dims == 2 && info.dims[1] != a->dims[1])))
        rc = sxt_err(err, SXT_EXIT_DATA,
                     "%s: %s has another type or shape than config.json asks "
                     "for",
                     sxt_in_path(in), object);
    free(object);
    return rc;
}

int sxt_qfile_check(struct sxt_in *in, const struct sxt_layout *layout,
                    enum sxt_qformat format, struct sxt_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < layout->config.layers * SXT_PARTS; i++) {
        struct sxt_matrix m = sxt_matrix_of(layout, i / SXT_PARTS,
                                            (enum sxt_part)(i % SXT_PARTS));
        struct sxt_qmat w = shape_of(&m, format);
        struct array list[MOST_ARRAYS];
        size_t n = list_arrays(&w, list);
        for (size_t a = 0; a < n && rc == 0; a++)
            rc = check_array(in, &m, &list[a], err);
    }
    return rc;
}

size_t sxt_qfile_peek(struct sxt_in *in, const struct sxt_matrix *m,
                      enum sxt_qformat format, void *to, size_t n,
                      struct sxt_error *err)
{
    struct sxt_qmat w = shape_of(m, format);
    struct array list[MOST_ARRAYS];

    list_arrays(&w, list);
    size_t most = count_of(&list[0]);
    char *object = object_of(m, &list[0]);
    n = n < most ? n : most;
    if (sxt_in_range(in, object, 0, n, to, err) != 0)
        n = 0;
    free(object);
    return n;
}

int sxt_qmat_declare(struct sxt_out *out, const struct sxt_matrix *m,
                     enum sxt_qformat format, struct sxt_error *err)
{
    struct sxt_qmat w = shape_of(m, format);
    struct array list[MOST_ARRAYS];
    size_t n = list_arrays(&w, list);
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        char *object = object_of(m, &list[i]);
        rc = sxt_out_tensor(out, object, list[i].type, list[i].n_dims,
                            list[i].dims, "1", list[i].doc, err);
        free(object);
    }
    return rc;
}

/* ---- the numbers ---- */

/* A file that is read or one that is written: the other is NULL. */
struct file {
    struct sxt_in *in;
    struct sxt_out *out;
};

static int move_range(const struct file *f, const char *object, size_t at,
                      size_t n, void *numbers, struct sxt_error *err)
{
    return f->in ? sxt_in_range(f->in, object, at, n, numbers, err)
                 : sxt_out_range(f->out, object, at, n, numbers, err);
}

static int move_array(const struct file *f, const char *object,
                      const struct array *a, struct sxt_dev *dev, char *piece,
                      struct sxt_error *err)
{
    size_t size = sxt_h5_type_size(a->type), count = count_of(a);
    size_t most = PIECE / size;
    int rc = 0;

    for (size_t at = 0; at < count && rc == 0; at += most) {
        size_t n = count - at < most ? count - at : most;
        char *there = (char *)a->at + at * size;
        if (f->out)
            sxt_dev_get(dev, piece, there, n * size);
        rc = move_range(f, object, at, n, piece, err);
        if (f->in && rc == 0)
            sxt_dev_put(dev, there, piece, n * size);
    }
    return rc;
}

/* All arrays of w; NF4's offset alone is in host memory. */
static int move_matrix(const struct file *f, const struct sxt_matrix *m,
                       struct sxt_qmat *w, struct sxt_dev *dev,
                       struct sxt_error *err)
{
    struct array list[MOST_ARRAYS];
    size_t n = list_arrays(w, list);
    char *piece = sxt_alloc(PIECE, 1);
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        char *object = object_of(m, &list[i]);
        if (list[i].at == &w->offset)
            rc = move_range(f, object, 0, 1, &w->offset, err);
        else
            rc = move_array(f, object, &list[i], dev, piece, err);
        free(object);
    }
    free(piece);
    return rc;
}

int sxt_qmat_read(struct sxt_in *in, const struct sxt_matrix *m,
                  struct sxt_qmat *w, struct sxt_dev *dev,
                  struct sxt_error *err)
{
    return move_matrix(&(struct file){ .in = in }, m, w, dev, err);
}

int sxt_qmat_write(struct sxt_out *out, const struct sxt_matrix *m,
                   const struct sxt_qmat *w, struct sxt_dev *dev,
                   struct sxt_error *err)
{
    struct sxt_qmat copy = *w;

    return move_matrix(&(struct file){ .out = out }, m, &copy, dev, err);
}
