/* probe.c - the probe command: what a model makes of given texts, for
 * comparing with another program: token ids, losses, logits, gradients.
 *
 * A text is a document of its own, never packed with another.  The weights lie
 * in shards as in training, and each rank takes every P-th text, so that a
 * probe also tries the collectives. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "model/net.h"
#include "model/weights.h"
#include "model/zero3.h"
#include "stage/formats.h"
#include "stage/placement.h"
#include "stage/rounds.h"
#include "stage/stages.h"

struct values {
    char *model, *input, *output;
    bool logits, gradients;
    char *dtype;
    struct sxt_placement placement;
};

#define AT(member) offsetof(struct values, member)
static const struct sxt_cfg_param params[] = {
    { "model", SXT_CFG_STRING, "model.h5", 0, 0, "1",
      "Model or checkpoint file.", AT(model), NULL, NULL },
    { "input", SXT_CFG_STRING, "texts.jsonl", 0, 0, "1",
      "Lines {\"text\"} or {\"ids\"}; of each, every token behind the first is "
      "predicted.",
      AT(input), NULL, NULL },
    { "output", SXT_CFG_STRING, "probe.h5", 0, 0, "1", "File to write.",
      AT(output), NULL, NULL },
    { "logits", SXT_CFG_BOOL, "true", 0, 0, "1",
      "Write the logits behind every token.", AT(logits), NULL, NULL },
    { "gradients", SXT_CFG_BOOL, "false", 0, 0, "1",
      "Write the mean loss's gradient of every tensor.", AT(gradients), NULL,
      NULL },
    { "dtype", SXT_CFG_CHOICE, "f32", 0, 0, "1",
      "Type of weights and activations.", AT(dtype), "bf16|f32", NULL },
    { "", SXT_CFG_GROUP, "", 0, 0, "1", "Where to compute.", AT(placement),
      NULL, sxt_placement_params },
    { .name = NULL }
};
#undef AT

struct probe {
    const struct sxt_run *run;
    const struct values *v;
    char *model, *input; /* paths, owned */
    struct sxt_in *in;
    struct sxt_model_head head;
    struct sxt_tokenizer *tok; /* NULL: the model has none */

    size_t n;   /* texts */
    size_t *at; /* (n + 1) first token of a text */
    struct sxt_ids ids, targets;
    double *loss; /* (n) sums over the predicted tokens */
    size_t longest, predicted;
    int32_t cu_seqlens[2]; /* of the newest batch */

    struct sxt_dev *dev;
    struct sxt_num *num;
    struct sxt_zero3 *z;
    struct sxt_net *net;
    struct sxt_out *out;
};

/* ---- texts ---- */

/* The line's ids, behind those of the lines before. */
static int add_ids(struct probe *p, const struct sxt_json *list, size_t line,
                   struct sxt_error *err)
{
    int64_t vocab = (int64_t)p->head.layout.config.vocab;

    for (size_t i = 0; i < sxt_json_count(list); i++) {
        int64_t id = sxt_json_int(sxt_json_item(list, i), -1);
        if (id < 0 || id >= vocab)
            return sxt_err(err, SXT_EXIT_DATA,
                           "%s:%zu: \"ids\" needs numbers from 0 to %" PRId64,
                           p->input, line, vocab - 1);
        sxt_ids_add(&p->ids, (int32_t)id);
    }
    return 0;
}

static int add_line(struct probe *p, const struct sxt_json *v, size_t line,
                    struct sxt_error *err)
{
    const struct sxt_json *list = sxt_json_get(v, "ids");
    struct sxt_span text = sxt_json_text(sxt_json_get(v, "text"));
    size_t before = p->ids.len, n;

    if (sxt_json_type(list) == SXT_JSON_ARRAY) {
        if (add_ids(p, list, line, err) != 0)
            return -1;
    } else if (!text.data) {
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s:%zu: neither \"text\" nor \"ids\"", p->input, line);
    } else if (!p->tok) {
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s has no tokenizer.json; %s:%zu needs \"ids\"",
                       p->model, p->input, line);
    } else {
        sxt_tokenizer_encode(p->tok, text.data, text.len, SXT_ADDED_ALL,
                             &p->ids);
    }
    n = p->ids.len - before;
    if (n < 2 || n > p->head.layout.config.max_positions)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s:%zu: %zu tokens; a text needs from 2 to %zu",
                       p->input, line, n, p->head.layout.config.max_positions);
    p->longest = n > p->longest ? n : p->longest;
    p->predicted += n - 1;
    return 0;
}

static int read_texts(struct probe *p, struct sxt_error *err)
{
    struct sxt_jsonl *in = sxt_jsonl_open(p->input, err);
    size_t line, cap = 0;
    struct sxt_json *v;
    int more = in ? 1 : -1;

    while (more > 0 && (more = sxt_jsonl_next(in, &v, &line, err)) > 0) {
        if (add_line(p, v, line, err) != 0)
            more = -1;
        sxt_json_free(v);
        p->at = sxt_grow(p->at, &cap, p->n + 2, sizeof(*p->at));
        p->at[0] = 0;
        p->at[++p->n] = p->ids.len;
    }
    if (in)
        sxt_jsonl_close(in);
    if (more == 0 && p->n == 0)
        return sxt_err(err, SXT_EXIT_DATA, "%s: no texts", p->input);
    for (size_t i = 0; more == 0 && i < p->n; i++) {
        for (size_t t = p->at[i] + 1; t < p->at[i + 1]; t++)
            sxt_ids_add(&p->targets, p->ids.data[t]);
        sxt_ids_add(&p->targets, -1);
    }
    return more;
}

/* Model head and texts, on each rank. */
static int look(struct probe *p, struct sxt_error *err)
{
    p->in = sxt_in_open(p->model, NULL, err);
    if (!p->in || sxt_model_read_head(p->in, &p->head, err) != 0 ||
        sxt_model_need_plain(&p->head, p->model, "probing", err) != 0)
        return -1;
    if (p->head.tokenizer_json.len > 0) {
        p->tok = sxt_model_tokenizer(&p->head, p->model, err);
        if (!p->tok)
            return -1;
    }
    return read_texts(p, err);
}

/* ---- the network ---- */

static int open_network(struct probe *p, struct sxt_error *err)
{
    bool bf16 = strcmp(p->v->dtype, "bf16") == 0;

    if (sxt_placement_open(p->run, &p->v->placement, SXT_NUM_TRAIN, &p->dev,
                           &p->num, err) != 0)
        return -1;
    struct sxt_zero3_setup setup = {
        .layout = &p->head.layout,
        .num = p->num,
        .comm = p->run->comm,
        .type = bf16 ? SXT_BF16 : SXT_F32,
        .reduce_type = SXT_F32,
        .ahead = 1,
    };
    p->z = sxt_zero3_create(&setup);
    const struct sxt_net_room room = {
        .max_t = p->longest, .keep = 1, .keep_attn = 1, .chunk = SXT_NET_GRAIN
    };
    p->net = sxt_net_create(&p->head.layout, p->num, setup.type, &room);
    return 0;
}

/* This rank's shards from the file.  Collective. */
static int load_weights(struct probe *p, struct sxt_error *err)
{
    const struct sxt_zero3_setup *setup = sxt_zero3_setup(p->z);
    size_t elem = sxt_dtype_size(setup->type);
    int rc = 0;

    for (size_t u = 0; u < setup->layout->n_units && rc == 0; u++) {
        struct sxt_shard s = sxt_zero3_shard(p->z, u);
        void *x = sxt_alloc(s.count, elem);
        rc = sxt_model_read_unit(p->in, setup->layout, u, s.first, s.count,
                                 setup->type, x, err);
        if (rc == 0 && s.count > 0)
            sxt_dev_put(p->dev, s.p, x, s.count * elem);
        free(x);
    }
    sxt_zero3_changed(p->z);
    return sxt_comm_agree(p->run->comm, rc, err);
}

/* Text i as a batch.  A rank without one takes part with the first: its weights
 * are asked for in the same order by all. */
static struct sxt_batch batch_of(void *arg, size_t i)
{
    struct probe *p = arg;
    size_t text = i < p->n ? i : 0;

    p->cu_seqlens[1] = (int32_t)(p->at[text + 1] - p->at[text]);
    return (struct sxt_batch){ .t = (size_t)p->cu_seqlens[1],
                               .n_docs = 1,
                               .ids = p->ids.data + p->at[text],
                               .target = p->targets.data + p->at[text],
                               .cu_seqlens = p->cu_seqlens };
}

/* Losses of all texts, on every rank, and gradients of their mean. */
static void measure(struct probe *p)
{
    struct sxt_rounds rounds = { .comm = p->run->comm,
                                 .dev = p->dev,
                                 .z = p->z,
                                 .net = p->net,
                                 .learn = p->v->gradients,
                                 .scale = (float)(1.0 / (double)p->predicted),
                                 .bin = batch_of,
                                 .arg = p };

    sxt_zero3_begin_step(p->z);
    p->loss = sxt_rounds_run(&rounds, p->n);
}

/* ---- the file ---- */

static double mean_loss(const struct probe *p)
{
    double sum = 0;

    for (size_t i = 0; i < p->n; i++)
        sum += p->loss[i];
    return sum / (double)p->predicted;
}

/* Rank 0 writes the rows: all ranks know all. */
static int write_texts(struct probe *p, struct sxt_error *err)
{
    struct sxt_frame *rows = sxt_frame_create(sxt_probe_columns);
    bool mine = p->run->comm.rank == 0;
    int rc;

    for (size_t i = 0; mine && i < p->n; i++) {
        size_t n = p->at[i + 1] - p->at[i];
        sxt_frame_add(rows);
        sxt_frame_set_ids(rows, SXT_PROBE_IDS, p->ids.data + p->at[i], n);
        sxt_frame_set_f64(rows, SXT_PROBE_LOSS, p->loss[i] / (double)(n - 1));
    }
    rc = sxt_out_frame(p->out, "texts", rows, err);
    sxt_frame_destroy(rows);
    return rc;
}

static int declare(struct probe *p, struct sxt_error *err)
{
    const struct sxt_layout *layout = &p->head.layout;
    uint64_t dims[] = { p->ids.len, layout->config.vocab };
    int rc = sxt_out_tensor(p->out, "/loss", SXT_H5_F64, 0, NULL, "nat",
                            "Mean loss of all predicted tokens.", err);

    if (rc == 0 && p->v->logits)
        rc = sxt_out_tensor(p->out, "/logits", SXT_H5_F32, 2, dims, "1",
                            "Logits behind each token of all texts.", err);
    for (size_t i = 0; i < layout->n_tensors && rc == 0 && p->v->gradients; i++)
        rc =
            sxt_model_out_tensor(p->out, "/gradients", &layout->tensors[i],
                                 SXT_H5_F32, "Gradient of the mean loss.", err);
    return rc == 0 ? sxt_out_data(p->out, err) : rc;
}

/* Collective: every rank runs the network as often. */
static int write_logits(struct probe *p, struct sxt_error *err)
{
    size_t ranks = (size_t)p->run->comm.size;
    size_t vocab = p->head.layout.config.vocab;
    float *logits = sxt_alloc(p->longest * vocab, sizeof(*logits));
    int rc = 0;

    for (size_t first = 0; first < p->n; first += ranks) {
        size_t mine = first + (size_t)p->run->comm.rank;
        struct sxt_batch batch = batch_of(p, mine);
        sxt_net_logits(p->net, sxt_zero3_params(p->z), &batch, logits);
        if (mine < p->n && rc == 0)
            rc = sxt_out_range(p->out, "/logits", p->at[mine] * vocab,
                               batch.t * vocab, logits, err);
    }
    free(logits);
    return rc;
}

static int write_gradients(struct probe *p, struct sxt_error *err)
{
    const struct sxt_layout *layout = &p->head.layout;
    int rc = 0;

    for (size_t u = 0; u < layout->n_units && rc == 0; u++) {
        struct sxt_shard s = sxt_zero3_shard(p->z, u);
        float *g = sxt_alloc(s.count, sizeof(*g));
        if (s.count > 0) {
            sxt_dev_get(p->dev, g, s.g, s.count * sizeof(*g));
            rc = sxt_model_out_unit(p->out, layout, "/gradients", SXT_H5_F32, u,
                                    s.first, s.count, g, err);
        }
        free(g);
    }
    return rc;
}

static int write_file(struct probe *p, const char *path, struct sxt_error *err)
{
    const char *inputs[] = { p->model, p->input };
    double loss = mean_loss(p);
    int rc;

    p->out = sxt_run_create(p->run, path, SXT_PROBE_FORMAT, 1,
                            "What a model makes of texts", inputs, 2, err);
    if (!p->out)
        return -1;
    rc = write_texts(p, err);
    if (rc == 0)
        rc = declare(p, err);
    if (rc == 0 && p->v->logits)
        rc = write_logits(p, err);
    if (rc == 0 && p->v->gradients)
        rc = write_gradients(p, err);
    if (rc == 0 && p->run->comm.rank == 0)
        rc = sxt_out_range(p->out, "/loss", 0, 1, &loss, err);
    rc = sxt_comm_agree(p->run->comm, rc, err);
    if (rc != 0) {
        sxt_out_abandon(p->out);
        return -1;
    }
    if (sxt_out_commit(p->out, err) != 0)
        return -1;
    sxt_log(&p->run->log, SXT_LOG_INFO,
            "%zu texts  %zu tokens  mean loss %.6g  wrote %s", p->n, p->ids.len,
            loss, path);
    return 0;
}

static int probe(struct probe *p, struct sxt_error *err)
{
    char *path;
    int rc = sxt_comm_agree(p->run->comm, look(p, err), err);

    if (rc != 0 || p->run->dry_run)
        return rc;
    if (open_network(p, err) != 0 || load_weights(p, err) != 0)
        return -1;
    measure(p);
    path = sxt_run_path(p->run, p->v->output);
    rc = write_file(p, path, err);
    free(path);
    return rc;
}

static int run_probe(struct sxt_run *run, const void *values,
                     struct sxt_error *err)
{
    const struct values *v = values;
    struct probe p = { .run = run,
                       .v = v,
                       .model = sxt_run_path(run, v->model),
                       .input = sxt_run_path(run, v->input) };
    int rc = probe(&p, err);

    if (p.net)
        sxt_net_destroy(p.net);
    sxt_zero3_destroy(p.z);
    sxt_num_close(p.dev, p.num);
    sxt_tokenizer_destroy(p.tok);
    sxt_model_head_free(&p.head);
    sxt_in_close(p.in);
    sxt_ids_free(&p.ids);
    sxt_ids_free(&p.targets);
    free(p.at);
    free(p.loss);
    free(p.model);
    free(p.input);
    return rc;
}

const struct sxt_stage sxt_stage_probe = {
    .section = { "probe",
                 "Write what a model makes of texts: ids, loss, logits, "
                 "gradients.",
                 params, sizeof(struct values) },
    .operands = "",
    .run = run_probe
};
