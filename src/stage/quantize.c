/* quantize.c - the quantize command: a model file with its blocks' matrices in
 * 8 or 4 bits. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/weights.h"
#include "stage/convert.h"
#include "stage/placement.h"
#include "stage/stages.h"
#include "stage/status.h"

struct values {
    char *model, *output;
    char *type; /* int8 | nf4 */
    struct sxt_placement placement;
};

#define AT(member) offsetof(struct values, member)
static const struct sxt_cfg_param params[] = {
    { "model", SXT_CFG_STRING, "", 0, 0, "1",
      "Model or checkpoint file; or the first operand.", AT(model), NULL,
      NULL },
    { "output", SXT_CFG_STRING, "", 0, 0, "1",
      "Model file to write; or the second operand.", AT(output), NULL, NULL },
    { "type", SXT_CFG_CHOICE, "int8", 0, 0, "1",
      "int8: a scale for each row; nf4: 4 bits, blocks of 64, doubly "
      "quantised.",
      AT(type), "int8|nf4", NULL },
    { "", SXT_CFG_GROUP, "", 0, 0, "1", "Where to compute.", AT(placement),
      NULL, sxt_placement_params },
    { .name = NULL }
};
#undef AT

struct work {
    const struct sxt_run *run;
    const char *from;
    enum sxt_qformat format;
    struct sxt_in *in;
    struct sxt_model_head head;
    struct sxt_dev *dev;
    struct sxt_num *num;
    struct sxt_out *out;
    void *piece; /* SXT_CONVERT_PIECE elements of a tensor */
};

static size_t n_matrices(const struct work *w)
{
    return w->head.layout.config.layers * SXT_PARTS;
}

static struct sxt_matrix matrix(const struct work *w, size_t i)
{
    return sxt_matrix_of(&w->head.layout, i / SXT_PARTS,
                         (enum sxt_part)(i % SXT_PARTS));
}

/* On each rank. */
static int look(struct work *w, struct sxt_error *err)
{
    w->in = sxt_in_open(w->from, NULL, err);
    if (!w->in || sxt_model_read_head(w->in, &w->head, err) != 0 ||
        sxt_model_need_plain(&w->head, w->from, "quantizing", err) != 0)
        return -1;
    for (size_t i = 0; w->format == SXT_NF4 && i < n_matrices(w); i++) {
        struct sxt_matrix m = matrix(w, i);
        if (m.k % 64 != 0)
            return sxt_err(err, SXT_EXIT_DATA,
                           "%s: %s has rows of %zu, and nf4 needs multiples of "
                           "64; quantize.type = int8 takes any",
                           w->from, m.name, m.k);
    }
    return 0;
}

/* A piece of a tensor that stays as it is. */
static int copy_piece(void *self, size_t tensor, size_t first, size_t count,
                      struct sxt_error *err)
{
    struct work *w = self;
    const struct sxt_tensor *t = &w->head.layout.tensors[tensor];
    char *object;
    int rc;

    if (sxt_matrix_has(&w->head.layout, t))
        return 0;
    object = sxt_printf("/tensors/%s", t->name);
    rc = sxt_in_range(w->in, object, first, count, w->piece, err);
    if (rc == 0)
        rc = sxt_out_range(w->out, object, first, count, w->piece, err);
    free(object);
    return rc;
}

/* A matrix, in f32, piece by piece to the device. */
static int read_matrix(struct work *w, const struct sxt_matrix *m, float *x,
                       struct sxt_error *err)
{
    size_t all = m->n * m->k;
    int rc = 0;

    for (size_t at = 0; at < all && rc == 0; at += SXT_CONVERT_PIECE) {
        size_t n = all - at < SXT_CONVERT_PIECE ? all - at : SXT_CONVERT_PIECE;
        rc = sxt_model_read_unit(w->in, &w->head.layout, m->unit,
                                 m->offset + at, n, SXT_F32, w->piece, err);
        if (rc == 0)
            sxt_dev_put(w->dev, x + at, w->piece, n * sizeof(*x));
    }
    return rc;
}

static int quantize_matrix(struct work *w, const struct sxt_matrix *m,
                           struct sxt_error *err)
{
    struct sxt_qmat q;
    float *x = sxt_dev_alloc(w->dev, m->n * m->k * sizeof(float));
    int rc = read_matrix(w, m, x, err);

    sxt_qmat_alloc(&q, m, w->format, w->dev);
    if (rc == 0) {
        sxt_quantize(w->num, &q, x, SXT_F32);
        rc = sxt_qmat_write(w->out, m, &q, w->dev, err);
    }
    sxt_qmat_free(&q, w->dev);
    sxt_dev_free(w->dev, x);
    return rc;
}

static int declare(struct work *w, struct sxt_error *err)
{
    const struct sxt_layout *layout = &w->head.layout;
    int rc = sxt_model_copy_hf(w->out, w->in, err);

    if (rc == 0)
        rc = sxt_out_attr_text(w->out, "/", "quantized",
                               sxt_qformat_name(w->format), err);
    for (size_t i = 0; i < layout->n_tensors && rc == 0; i++) {
        const struct sxt_tensor *t = &layout->tensors[i];
        struct sxt_h5_info info;
        char *object = sxt_printf("/tensors/%s", t->name);
        if (!sxt_matrix_has(layout, t)) {
            rc = sxt_in_info(w->in, object, &info, err);
            if (rc == 0)
                rc = sxt_model_out_tensor(w->out, "/tensors", t, info.type,
                                          "Weights.", err);
        }
        free(object);
    }
    for (size_t i = 0; i < n_matrices(w) && rc == 0; i++) {
        struct sxt_matrix m = matrix(w, i);
        rc = sxt_qmat_declare(w->out, &m, w->format, err);
    }
    return rc == 0 ? sxt_out_data(w->out, err) : rc;
}

/* Matrices are dealt out to the ranks. */
static int fill(struct work *w, struct sxt_error *err)
{
    struct sxt_comm comm = w->run->comm;
    double looked = 0;
    int rc = declare(w, err);

    if (rc == 0)
        rc = sxt_convert_deal(w->run, &w->head.layout, copy_piece, w, err);
    if (rc != 0)
        return rc;
    for (size_t i = (size_t)comm.rank; i < n_matrices(w) && rc == 0;
         i += (size_t)comm.size) {
        struct sxt_matrix m = matrix(w, i);
        enum sxt_stop why = sxt_run_told(w->run, &looked, 0);
        rc = why ? sxt_run_stopped(why, err, "nothing was written")
                 : quantize_matrix(w, &m, err);
    }
    return sxt_comm_agree(comm, rc, err);
}

static int write_model(struct work *w, const char *to, struct sxt_error *err)
{
    w->out = sxt_run_create(w->run, to, SXT_MODEL_FORMAT, 1,
                            "A model with quantized weights", &w->from, 1, err);
    if (!w->out)
        return -1;
    w->piece = sxt_alloc(SXT_CONVERT_PIECE, sizeof(float));
    int rc = fill(w, err);
    free(w->piece);
    if (rc == 0)
        return sxt_out_commit(w->out, err);
    sxt_out_abandon(w->out);
    return -1;
}

static void report(const struct work *w, const char *to, double seconds)
{
    const struct sxt_layout *layout = &w->head.layout;
    char before[32], after[32], time[32];
    double plain = 0;

    for (size_t u = 0; u < layout->n_units; u++)
        plain += (double)layout->unit_size[u] * 2;
    sxt_log_count(plain, before);
    sxt_log_count((double)sxt_qmodel_bytes(layout, w->format, SXT_BF16), after);
    sxt_log_duration(seconds, time);
    sxt_log(&w->run->log, SXT_LOG_INFO,
            "%s %s  %s  %sB of weights in memory, %sB in bf16  %s",
            w->run->dry_run ? "would write" : "wrote", to,
            sxt_qformat_name(w->format), after, before, time);
    sxt_status_performance(w->run,
                           (double)sxt_model_parameters(&layout->config),
                           "parameters", sxt_clock() - seconds);
}

static int quantize(struct sxt_run *run, const struct values *v,
                    const char *from, const char *to, struct sxt_error *err)
{
    struct work w = { .run = run, .from = from };
    double begin = sxt_clock();

    w.format = strcmp(v->type, "nf4") == 0 ? SXT_NF4 : SXT_INT8;
    int rc = sxt_comm_agree(run->comm, look(&w, err), err);
    if (rc == 0)
        rc = sxt_placement_open(run, &v->placement, SXT_NUM_GENERATE, &w.dev,
                                &w.num, err);
    if (rc == 0 && !run->dry_run)
        rc = write_model(&w, to, err);
    if (rc == 0)
        report(&w, to, sxt_clock() - begin);
    sxt_num_close(w.dev, w.num);
    sxt_model_head_free(&w.head);
    sxt_in_close(w.in);
    return rc;
}

static char *place(const struct sxt_run *run, const char *value, size_t operand)
{
    if (run->n_args > operand)
        return sxt_strdup(run->args[operand]);
    return value[0] ? sxt_run_path(run, value) : NULL;
}

static int run_quantize(struct sxt_run *run, const void *values,
                        struct sxt_error *err)
{
    const struct values *v = values;
    char *from = place(run, v->model, 0), *to = place(run, v->output, 1);
    int rc;

    if (!from || !to || run->n_args > 2)
        rc = sxt_err(err, SXT_EXIT_USAGE,
                     "quantize needs two paths: MODEL and OUTPUT, or "
                     "quantize.model and quantize.output");
    else
        rc = quantize(run, v, from, to, err);
    free(from);
    free(to);
    return rc;
}

const struct sxt_stage sxt_stage_quantize = {
    .section = { "quantize",
                 "Turn a model file into one with int8 or NF4 weights.", params,
                 sizeof(struct values) },
    .operands = "[MODEL OUTPUT]",
    .run = run_quantize
};
