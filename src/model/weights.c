/* weights.c - model files: what they say, and their tensors by units. */
#include "model/weights.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Elements converted at a time: bounds host memory, feeds a file system. */
enum { PIECE = 1 << 22 };

static char *object_path(const char *group, const char *name)
{
    return sxt_printf("%s/%s", group, name);
}

/* ---- what a file says without its tensors ---- */

static struct sxt_json *read_json(struct sxt_in *in, const char *object,
                                  struct sxt_error *err)
{
    struct sxt_str text = SXT_STR_EMPTY;
    char *where = sxt_printf("%s:%s", sxt_in_path(in), object);
    struct sxt_json *json = NULL;

    if (sxt_in_bytes(in, object, &text, err) == 0)
        json = sxt_json_parse(text.data, text.len, where, err);
    sxt_str_free(&text);
    free(where);
    return json;
}

static int read_config(struct sxt_in *in, struct sxt_model_config *config,
                       struct sxt_error *err)
{
    static const char generation_at[] = "/hf/generation_config.json";
    char *where = sxt_printf("%s:/hf/config.json", sxt_in_path(in));
    struct sxt_json *json = read_json(in, "/hf/config.json", err);
    struct sxt_json *generation = NULL;
    int rc = json ? 0 : -1;

    if (rc == 0 && sxt_in_has(in, generation_at)) {
        generation = read_json(in, generation_at, err);
        rc = generation ? 0 : -1;
    }
    if (rc == 0)
        rc = sxt_model_config_parse(config, json, generation, where, err);
    sxt_json_free(generation);
    sxt_json_free(json);
    free(where);
    return rc;
}

static bool has_shape(const struct sxt_h5_info *info,
                      const struct sxt_tensor *t)
{
    if (info->n_dims != t->n_dims)
        return false;
    if (t->n_dims == 1)
        return info->dims[0] == t->cols;
    return info->dims[0] == t->rows && info->dims[1] == t->cols;
}

static int check_tensor(struct sxt_in *in, const struct sxt_tensor *t,
                        struct sxt_error *err)
{
    char *object = object_path("/tensors", t->name);
    struct sxt_h5_info info;
    int rc = 0;

    if (!sxt_in_has(in, object))
        rc = sxt_err(err, SXT_EXIT_DATA, "%s: no %s", sxt_in_path(in), object);
    else
        rc = sxt_in_info(in, object, &info, err);
    if (rc == 0 && !has_shape(&info, t))
        rc = sxt_err(err, SXT_EXIT_DATA,
                     "%s: %s has another shape than config.json asks for "
                     "(%zu x %zu)",
                     sxt_in_path(in), object, t->rows, t->cols);
    if (rc == 0 && info.type != SXT_H5_F32 && info.type != SXT_H5_BF16)
        rc = sxt_err(err, SXT_EXIT_DATA, "%s: %s is neither f32 nor bfloat16",
                     sxt_in_path(in), object);
    free(object);
    return rc;
}

static int check_tensors(struct sxt_in *in, const struct sxt_model_head *head,
                         struct sxt_error *err)
{
    const struct sxt_layout *layout = &head->layout;
    char **names = NULL;
    size_t count = 0;
    int rc = sxt_in_list(in, "/tensors", &names, &count, err);

    for (size_t i = 0; i < layout->n_tensors && rc == 0; i++)
        if (!head->quantized || !sxt_matrix_has(layout, &layout->tensors[i]))
            rc = check_tensor(in, &layout->tensors[i], err);
    if (rc == 0 && head->quantized)
        rc = sxt_qfile_check(in, layout, head->format, err);
    for (size_t i = 0; i < count; i++) {
        if (rc == 0 && !sxt_layout_find(layout, names[i]))
            rc = sxt_err(err, SXT_EXIT_DATA,
                         "%s: /tensors/%s is no tensor of such a model",
                         sxt_in_path(in), names[i]);
        free(names[i]);
    }
    free(names);
    return rc;
}

int sxt_model_read_head(struct sxt_in *in, struct sxt_model_head *head,
                        struct sxt_error *err)
{
    struct sxt_model_config config;
    struct sxt_model_head h = { .tokenizer_json = SXT_STR_EMPTY };
    int rc;

    if (read_config(in, &config, err) != 0)
        return -1;
    sxt_layout_init(&h.layout, &config);
    rc = sxt_qfile_format(in, &h.quantized, &h.format, err);
    if (rc == 0)
        rc = check_tensors(in, &h, err);
    if (rc == 0 && sxt_in_has(in, "/hf/tokenizer.json"))
        rc = sxt_in_bytes(in, "/hf/tokenizer.json", &h.tokenizer_json, err);
    if (rc != 0) {
        sxt_model_head_free(&h);
        return -1;
    }
    *head = h;
    return 0;
}

void sxt_model_head_free(struct sxt_model_head *head)
{
    sxt_layout_free(&head->layout);
    sxt_str_free(&head->tokenizer_json);
}

int sxt_model_need_plain(const struct sxt_model_head *head, const char *path,
                         const char *what, struct sxt_error *err)
{
    if (!head->quantized)
        return 0;
    return sxt_err(err, SXT_EXIT_DATA,
                   "%s: its weights are quantised (%s), and %s needs all their "
                   "bits; take the model that it was made from",
                   path, sxt_qformat_name(head->format), what);
}

struct sxt_tokenizer *sxt_model_tokenizer(const struct sxt_model_head *head,
                                          const char *path,
                                          struct sxt_error *err)
{
    size_t vocab = head->layout.config.vocab;
    struct sxt_str json = head->tokenizer_json;

    if (json.len == 0) {
        sxt_err(err, SXT_EXIT_DATA,
                "%s holds no tokenizer.json; convert the model from a "
                "directory that has one",
                path);
        return NULL;
    }
    struct sxt_tokenizer *tok =
        sxt_tokenizer_parse(json.data, json.len, path, err);
    if (!tok || sxt_tokenizer_size(tok) <= vocab)
        return tok;
    sxt_err(err, SXT_EXIT_DATA,
            "%s: the tokenizer has ids up to %zu, the model only %zu "
            "embeddings: it is another model's",
            path, sxt_tokenizer_size(tok) - 1, vocab);
    sxt_tokenizer_destroy(tok);
    return NULL;
}

/* ---- units ---- */

/* The part of a tensor that lies in a range of its unit. */
struct overlap {
    size_t in_tensor, in_range, count; /* elements */
};

static struct overlap overlap(const struct sxt_tensor *t, size_t first,
                              size_t count)
{
    size_t begin = t->offset > first ? t->offset : first;
    size_t t_end = t->offset + t->rows * t->cols, r_end = first + count;
    size_t end = t_end < r_end ? t_end : r_end;

    if (end <= begin)
        return (struct overlap){ 0 };
    return (struct overlap){ .in_tensor = begin - t->offset,
                             .in_range = begin - first,
                             .count = end - begin };
}

static void convert(void *to, enum sxt_dtype to_type, const void *from,
                    enum sxt_dtype from_type, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sxt_store(to, to_type, i, sxt_load(from, from_type, i));
}

/* Elements of one tensor, piece by piece if they are to be converted. */
static int read_part(struct sxt_in *in, const char *object, size_t first,
                     size_t count, enum sxt_dtype type, void *to,
                     struct sxt_error *err)
{
    struct sxt_h5_info info;
    enum sxt_dtype stored;
    char *piece;
    int rc = sxt_in_info(in, object, &info, err);

    if (rc != 0)
        return -1;
    stored = info.type == SXT_H5_F32 ? SXT_F32 : SXT_BF16;
    if (stored == type)
        return sxt_in_range(in, object, first, count, to, err);
    piece = sxt_alloc(count < PIECE ? count : PIECE, sxt_dtype_size(stored));
    for (size_t done = 0; done < count && rc == 0; done += PIECE) {
        size_t n = count - done < PIECE ? count - done : PIECE;
        rc = sxt_in_range(in, object, first + done, n, piece, err);
        if (rc == 0)
            convert((char *)to + done * sxt_dtype_size(type), type, piece,
                    stored, n);
    }
    free(piece);
    return rc;
}

/* Where a tensor of a part lies in the file's tensor: which of its dimensions
 * is the smaller one, that one is divided. */
struct view {
    size_t row, col, cols; /* first row and column; columns in the file */
};

static int view_of(struct sxt_in *in, const char *object,
                   const struct sxt_layout *layout, const struct sxt_tensor *t,
                   struct view *view, struct sxt_error *err)
{
    struct sxt_h5_info info;

    if (sxt_in_info(in, object, &info, err) != 0)
        return -1;
    size_t cols = (size_t)info.dims[info.n_dims - 1];
    size_t rows = (size_t)info.count / cols;
    *view = (struct view){ .row = rows > t->rows ? layout->part * t->rows : 0,
                           .col = cols > t->cols ? layout->part * t->cols : 0,
                           .cols = cols };
    SXT_CHECK(rows == t->rows || rows == layout->parts * t->rows);
    SXT_CHECK(cols == t->cols || cols == layout->parts * t->cols);
    return 0;
}

/* Elements [first, first + count) of t, which is a view of the file's tensor.
 * Columns are cut out of whole rows: the ranks of a node read the same pages of
 * the file, once. */
static int read_view(struct sxt_in *in, const char *object,
                     const struct view *view, const struct sxt_tensor *t,
                     size_t first, size_t count, enum sxt_dtype type, void *to,
                     struct sxt_error *err)
{
    size_t size = sxt_dtype_size(type), end = first + count, rows;
    size_t most = PIECE / view->cols + 1;
    int rc = 0;

    if (view->cols == t->cols)
        return read_part(in, object, view->row * t->cols + first, count, type,
                         to, err);
    char *piece = sxt_alloc(most * view->cols, size);
    for (size_t row = first / t->cols; row * t->cols < end && rc == 0;
         row += rows) {
        rows = t->rows - row < most ? t->rows - row : most;
        rc = read_part(in, object, (view->row + row) * view->cols,
                       rows * view->cols, type, piece, err);
        for (size_t r = row; r < row + rows && rc == 0; r++) {
            struct overlap o = overlap(
                &(struct sxt_tensor){
                    .offset = r * t->cols, .rows = 1, .cols = t->cols },
                first, count);
            size_t at = (r - row) * view->cols + view->col + o.in_tensor;
            memcpy((char *)to + o.in_range * size, piece + at * size,
                   o.count * size);
        }
    }
    free(piece);
    return rc;
}

int sxt_model_read_unit(struct sxt_in *in, const struct sxt_layout *layout,
                        size_t unit, size_t first, size_t count,
                        enum sxt_dtype type, void *to, struct sxt_error *err)
{
    size_t size = sxt_dtype_size(type);
    struct view view;
    int rc = 0;

    memset(to, 0, count * size);
    for (size_t i = 0; i < layout->n_tensors && rc == 0; i++) {
        const struct sxt_tensor *t = &layout->tensors[i];
        struct overlap o = overlap(t, first, count);
        if (t->unit != unit || o.count == 0)
            continue;
        char *object = object_path("/tensors", t->name);
        rc = view_of(in, object, layout, t, &view, err);
        if (rc == 0)
            rc = read_view(in, object, &view, t, o.in_tensor, o.count, type,
                           (char *)to + o.in_range * size, err);
        free(object);
    }
    return rc;
}

int sxt_model_out_unit(struct sxt_out *out, const struct sxt_layout *layout,
                       const char *group, enum sxt_h5_type type, size_t unit,
                       size_t first, size_t count, const void *from,
                       struct sxt_error *err)
{
    size_t size = sxt_h5_type_size(type);
    int rc = 0;

    for (size_t i = 0; i < layout->n_tensors && rc == 0; i++) {
        const struct sxt_tensor *t = &layout->tensors[i];
        struct overlap o = overlap(t, first, count);
        if (t->unit != unit || o.count == 0)
            continue;
        char *object = object_path(group, t->name);
        rc = sxt_out_range(out, object, o.in_tensor, o.count,
                           (const char *)from + o.in_range * size, err);
        free(object);
    }
    return rc;
}

/* ---- resident weights ---- */

static const void *resident_get(struct sxt_params *self, size_t unit)
{
    return ((struct sxt_weights *)self)->unit[unit];
}

static void resident_nothing(struct sxt_params *self, size_t unit)
{
    (void)self, (void)unit;
}

static const struct sxt_qmat *resident_matrices(struct sxt_params *self,
                                                size_t unit)
{
    return ((struct sxt_weights *)self)->matrix + (unit - 1) * SXT_PARTS;
}

/* Elements [first, first + count) of a unit to device memory. */
static int load_range(struct sxt_weights *w, struct sxt_in *in,
                      const struct sxt_layout *layout, size_t unit,
                      size_t first, size_t count, char *to,
                      struct sxt_error *err)
{
    size_t size = sxt_dtype_size(w->params.type);
    char *piece = sxt_alloc(count < PIECE ? count : PIECE, size);
    int rc = 0;

    for (size_t at = 0; at < count && rc == 0; at += PIECE) {
        size_t n = count - at < PIECE ? count - at : PIECE;
        rc = sxt_model_read_unit(in, layout, unit, first + at, n,
                                 w->params.type, piece, err);
        if (rc == 0)
            sxt_dev_put(w->dev, to + at * size, piece, n * size);
    }
    free(piece);
    return rc;
}

static int load_unit(struct sxt_weights *w, struct sxt_in *in,
                     const struct sxt_layout *layout, size_t unit,
                     struct sxt_error *err)
{
    size_t n = layout->unit_size[unit], size = sxt_dtype_size(w->params.type);

    w->unit[unit] = sxt_dev_alloc_for(w->dev, SXT_DEV_WEIGHTS, n * size);
    w->params.bytes += n * size;
    return load_range(w, in, layout, unit, 0, n, w->unit[unit], err);
}

/* A block's vectors, then its matrices. */
static int load_quantized(struct sxt_weights *w, struct sxt_in *in,
                          const struct sxt_layout *layout, size_t unit,
                          enum sxt_qformat format, struct sxt_error *err)
{
    const struct sxt_model_config *c = &layout->config;
    size_t n, size = sxt_dtype_size(w->params.type);
    struct sxt_block_at to = sxt_layout_vectors(layout, &n);
    struct sxt_block_at from = sxt_layout_block(layout);
    size_t bias = (c->heads + 2 * c->kv_heads) * c->head_dim;

    w->unit[unit] = sxt_dev_alloc_for(w->dev, SXT_DEV_WEIGHTS, n * size);
    w->params.bytes += n * size;
    char *at = w->unit[unit];
    int rc = load_range(w, in, layout, unit, from.norm1, c->hidden,
                        at + to.norm1 * size, err);
    if (rc == 0)
        rc = load_range(w, in, layout, unit, from.norm2, c->hidden,
                        at + to.norm2 * size, err);
    if (rc == 0 && c->qkv_bias)
        rc = load_range(w, in, layout, unit, from.qkv_bias, bias,
                        at + to.qkv_bias * size, err);
    for (int part = 0; part < SXT_PARTS && rc == 0; part++) {
        struct sxt_qmat *q = &w->matrix[w->n_matrices++];
        struct sxt_matrix m =
            sxt_matrix_of(layout, unit - 1, (enum sxt_part)part);
        sxt_qmat_alloc(q, &m, format, w->dev);
        w->params.bytes += sxt_qmat_bytes(q);
        rc = sxt_qmat_read(in, &m, q, w->dev, err);
    }
    return rc;
}

struct sxt_weights *sxt_weights_load(struct sxt_in *in,
                                     const struct sxt_layout *layout,
                                     struct sxt_dev *dev, enum sxt_dtype type,
                                     struct sxt_error *err)
{
    struct sxt_weights *w = sxt_calloc(1, sizeof(*w));
    size_t layers = layout->config.layers;
    enum sxt_qformat format = SXT_INT8;
    bool quantized;
    int rc = sxt_qfile_format(in, &quantized, &format, err);

    w->params = (struct sxt_params){ .type = type,
                                     .resident = true,
                                     .get = resident_get,
                                     .release = resident_nothing,
                                     .hint = resident_nothing };
    w->dev = dev;
    w->n_units = layout->n_units;
    w->unit = sxt_calloc(w->n_units, sizeof(void *));
    if (rc == 0 && quantized) {
        w->matrix = sxt_calloc(layers * SXT_PARTS, sizeof(*w->matrix));
        w->params.matrices = resident_matrices;
    }
    for (size_t u = 0; u < w->n_units && rc == 0; u++)
        rc = w->matrix && u > 0 && u <= layers
                 ? load_quantized(w, in, layout, u, format, err)
                 : load_unit(w, in, layout, u, err);
    if (rc != 0) {
        sxt_weights_destroy(w);
        return NULL;
    }
    return w;
}

void sxt_weights_destroy(struct sxt_weights *w)
{
    if (!w)
        return;
    for (size_t u = 0; u < w->n_units; u++)
        sxt_dev_free(w->dev, w->unit[u]);
    for (size_t i = 0; i < w->n_matrices; i++)
        sxt_qmat_free(&w->matrix[i], w->dev);
    free(w->matrix);
    free(w->unit);
    free(w);
}

/* ---- writing ---- */

int sxt_model_copy_hf(struct sxt_out *out, struct sxt_in *from,
                      struct sxt_error *err)
{
    char **names = NULL;
    size_t count = 0;
    int rc = sxt_in_list(from, "/hf", &names, &count, err);

    for (size_t i = 0; i < count; i++) {
        char *object = object_path("/hf", names[i]);
        struct sxt_str bytes = SXT_STR_EMPTY;
        if (rc == 0)
            rc = sxt_in_bytes(from, object, &bytes, err);
        if (rc == 0)
            rc = sxt_out_bytes(out, object, "A file of the Hugging Face model.",
                               bytes.data, bytes.len, err);
        sxt_str_free(&bytes);
        free(object);
        free(names[i]);
    }
    free(names);
    return rc;
}

int sxt_model_out_tensor(struct sxt_out *out, const char *group,
                         const struct sxt_tensor *tensor, enum sxt_h5_type type,
                         const char *doc, struct sxt_error *err)
{
    char *object = object_path(group, tensor->name);
    uint64_t dims[2] = { tensor->rows, tensor->cols };
    int rc =
        sxt_out_tensor(out, object, type, tensor->n_dims,
                       tensor->n_dims == 1 ? dims + 1 : dims, "1", doc, err);

    free(object);
    return rc;
}

int sxt_model_out_begin(struct sxt_out *out, const struct sxt_layout *layout,
                        enum sxt_h5_type type, struct sxt_in *from,
                        struct sxt_error *err)
{
    int rc = sxt_model_copy_hf(out, from, err);

    for (size_t i = 0; i < layout->n_tensors && rc == 0; i++)
        rc = sxt_model_out_tensor(out, "/tensors", &layout->tensors[i], type,
                                  "Weights.", err);
    return rc;
}
