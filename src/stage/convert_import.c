/* convert_import.c - a Hugging Face directory becomes a model file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/weights.h"
#include "stage/convert.h"

struct import {
    const struct sxt_run *run;
    const struct sxt_convert *v;
    const char *dir;
    struct sxt_layout layout;
    struct sxt_st_in *weights;        /* NULL: random */
    const struct sxt_st_tensor **src; /* of each tensor of the layout */
    enum sxt_st_type *type;           /* of each in the output */
    double std;                       /* of random matrices */
    enum sxt_st_type random_type;
    struct sxt_out *out;
    void *raw, *cooked; /* a piece as read, and as written */
    size_t n_nonfinite;
};

/* ---- reading what the directory says ---- */

static int read_config(struct import *m, struct sxt_error *err)
{
    char *path = sxt_path_join(m->dir, "config.json");
    char *generation_path = sxt_path_join(m->dir, "generation_config.json");
    struct sxt_json *json = sxt_json_read(path, err), *generation = NULL;
    struct sxt_model_config config;
    const char *type;
    int rc = json ? 0 : -1;

    if (rc == 0 && sxt_file_exists(generation_path)) {
        generation = sxt_json_read(generation_path, err);
        rc = generation ? 0 : -1;
    }
    if (rc == 0)
        rc = sxt_model_config_parse(&config, json, generation, path, err);
    if (rc == 0) {
        sxt_layout_init(&m->layout, &config);
        m->std = sxt_json_number(sxt_json_get(json, "initializer_range"), 0.02);
        type = sxt_json_string(sxt_json_get(json, "torch_dtype"), "");
        m->random_type =
            strcmp(type, "bfloat16") == 0 ? SXT_ST_BF16 : SXT_ST_F32;
    }
    sxt_json_free(generation);
    sxt_json_free(json);
    free(generation_path);
    free(path);
    return rc;
}

static bool same_shape(const struct sxt_st_tensor *s,
                       const struct sxt_tensor *t)
{
    if (s->n_dims != t->n_dims)
        return false;
    if (t->n_dims == 1)
        return s->dims[0] == t->cols;
    return s->dims[0] == t->rows && s->dims[1] == t->cols;
}

static int wrong_shape(const struct import *m, const struct sxt_st_tensor *s,
                       const struct sxt_tensor *t, struct sxt_error *err)
{
    struct sxt_str has = SXT_STR_EMPTY, wanted = SXT_STR_EMPTY;

    for (int i = 0; i < s->n_dims; i++)
        sxt_str_add(&has, "%s%llu", i > 0 ? " x " : "",
                    (unsigned long long)s->dims[i]);
    if (t->n_dims == 2)
        sxt_str_add(&wanted, "%zu x ", t->rows);
    sxt_str_add(&wanted, "%zu", t->cols);
    sxt_err(err, SXT_EXIT_DATA, "%s: %s is %s, config.json asks for %s", m->dir,
            t->name, has.data ? has.data : "a scalar", wanted.data);
    sxt_str_free(&has);
    sxt_str_free(&wanted);
    return -1;
}

/* A few names, and how many there are. */
static void add_name(struct sxt_str *list, size_t count, const char *name)
{
    if (count <= 5)
        sxt_str_add(list, "%s%s", count > 1 ? ", " : "", name);
    else if (count == 6)
        sxt_str_add(list, ", ...");
}

static int find_tensors(struct import *m, struct sxt_error *err)
{
    struct sxt_str missing = SXT_STR_EMPTY;
    size_t n_missing = 0;
    int rc = 0;

    for (size_t i = 0; i < m->layout.n_tensors && rc == 0; i++) {
        const struct sxt_tensor *t = &m->layout.tensors[i];
        m->src[i] = sxt_st_find(m->weights, t->name);
        if (!m->src[i])
            add_name(&missing, ++n_missing, t->name);
        else if (!same_shape(m->src[i], t))
            rc = wrong_shape(m, m->src[i], t, err);
        else
            m->type[i] = sxt_convert_type(m->v, m->src[i]->type);
    }
    if (rc == 0 && n_missing > 0)
        rc = sxt_err(err, SXT_EXIT_DATA, "%s: %zu tensors are missing: %s",
                     m->dir, n_missing, missing.data);
    sxt_str_free(&missing);
    return rc;
}

/* The head that a tied model stores once more must be the embedding. */
static int check_tied_head(const struct import *m,
                           const struct sxt_st_tensor *head,
                           struct sxt_error *err)
{
    const struct sxt_st_tensor *embedding = m->src[0];
    size_t size = sxt_st_type_size(head->type);
    bool same =
        head->type == embedding->type && head->count == embedding->count;
    char *other = sxt_alloc(SXT_CONVERT_PIECE, size);
    int rc = 0;

    for (size_t at = 0; at < head->count && same && rc == 0;
         at += SXT_CONVERT_PIECE) {
        size_t left = head->count - at;
        size_t n = left < SXT_CONVERT_PIECE ? left : SXT_CONVERT_PIECE;
        rc = sxt_st_read(m->weights, head, at, n, m->raw, err);
        if (rc == 0)
            rc = sxt_st_read(m->weights, embedding, at, n, other, err);
        same = rc != 0 || memcmp(m->raw, other, n * size) == 0;
    }
    free(other);
    if (rc == 0 && !same)
        rc = sxt_err(err, SXT_EXIT_DATA,
                     "%s: config.json says tie_word_embeddings, but "
                     "lm_head.weight is not the embedding",
                     m->dir);
    return rc;
}

static int check_extra(const struct import *m, struct sxt_error *err)
{
    struct sxt_str extra = SXT_STR_EMPTY;
    size_t n, n_extra = 0;
    const struct sxt_st_tensor *list = sxt_st_tensors(m->weights, &n);
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        const char *name = list[i].name;
        if (sxt_layout_find(&m->layout, name))
            continue;
        if (m->layout.config.tied && strcmp(name, "lm_head.weight") == 0)
            rc = check_tied_head(m, &list[i], err);
        /* Old files carry what config.json says anyway. */
        else if (!sxt_ends_with(name, ".rotary_emb.inv_freq"))
            add_name(&extra, ++n_extra, name);
    }
    if (rc == 0 && n_extra > 0)
        rc = sxt_err(err, SXT_EXIT_DATA,
                     "%s: %zu tensors that such a model does not have: %s",
                     m->dir, n_extra, extra.data);
    sxt_str_free(&extra);
    return rc;
}

/* On each rank, from the headers only. */
static int look(struct import *m, struct sxt_error *err)
{
    if (read_config(m, err) != 0)
        return -1;
    m->src = sxt_calloc(m->layout.n_tensors, sizeof(*m->src));
    m->type = sxt_calloc(m->layout.n_tensors, sizeof(*m->type));
    if (strcmp(m->v->init, "random") == 0) {
        for (size_t i = 0; i < m->layout.n_tensors; i++)
            m->type[i] = sxt_convert_type(m->v, m->random_type);
        return 0;
    }
    m->weights = sxt_st_open(m->dir, err);
    if (!m->weights || find_tensors(m, err) != 0)
        return -1;
    return m->run->comm.rank == 0 ? check_extra(m, err) : 0;
}

/* ---- moving numbers ---- */

/* Normal matrices, norms of 1, biases of 0; a number depends on the seed, the
 * tensor's name and its place only. */
static void draw(const struct import *m, const struct sxt_tensor *t,
                 size_t first, size_t count, float *to)
{
    uint64_t key = sxt_hash64(t->name, strlen(t->name), 0);
    struct sxt_rng rng = { (uint64_t)m->v->seed,
                           sxt_rng_stream("init", key, 0) };
    float constant = sxt_ends_with(t->name, ".bias") ? 0.0f : 1.0f;

    for (size_t i = 0; i < count; i++)
        to[i] = t->n_dims == 2
                    ? (float)(m->std * sxt_rng_normal(rng, first + i))
                    : constant;
}

static size_t count_nonfinite(const void *x, enum sxt_st_type type, size_t n)
{
    enum sxt_dtype t = type == SXT_ST_F32 ? SXT_F32 : SXT_BF16;
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += !isfinite(sxt_load(x, t, i));
    return count;
}

static int move_piece(void *self, size_t tensor, size_t first, size_t count,
                      struct sxt_error *err)
{
    struct import *m = self;
    const struct sxt_tensor *t = &m->layout.tensors[tensor];
    const struct sxt_st_tensor *src = m->src[tensor];
    char *object;
    size_t bad;
    int rc;

    if (!src)
        draw(m, t, first, count, m->raw);
    else if (sxt_st_read(m->weights, src, first, count, m->raw, err) != 0)
        return -1;
    sxt_convert_numbers(m->cooked, m->type[tensor], m->raw,
                        src ? src->type : SXT_ST_F32, count);
    bad = count_nonfinite(m->cooked, m->type[tensor], count);
    m->n_nonfinite += bad;
    if (bad > 0 && !m->v->allow_nonfinite)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: %s: of elements %zu to %zu, %zu are infinite or no "
                       "number; convert.allow_nonfinite = true takes them",
                       m->dir, t->name, first, first + count - 1, bad);
    object = sxt_printf("/tensors/%s", t->name);
    rc = sxt_out_range(m->out, object, first, count, m->cooked, err);
    free(object);
    return rc;
}

/* ---- writing ---- */

static int keep_file(struct import *m, const char *name, struct sxt_error *err)
{
    char *path = sxt_path_join(m->dir, name);
    char *object = sxt_printf("/hf/%s", name);
    struct sxt_str bytes = SXT_STR_EMPTY;
    struct sxt_comm comm = m->run->comm;
    int there = comm.rank == 0 && sxt_file_exists(path), rc = 0;

    sxt_comm_broadcast(comm, &there, sizeof(there), 0);
    if (there) {
        if (comm.rank == 0)
            rc = sxt_file_read(path, &bytes, err);
        rc = sxt_comm_agree(comm, rc, err);
        if (rc == 0)
            rc = sxt_out_bytes(m->out, object,
                               "A file of the Hugging Face directory.",
                               bytes.data, bytes.len, err);
    }
    sxt_str_free(&bytes);
    free(object);
    free(path);
    return rc;
}

static int fill(struct import *m, struct sxt_error *err)
{
    int rc = 0;

    for (size_t i = 0; sxt_convert_files[i] && rc == 0; i++)
        rc = keep_file(m, sxt_convert_files[i], err);
    for (size_t i = 0; i < m->layout.n_tensors && rc == 0; i++)
        rc = sxt_model_out_tensor(m->out, "/tensors", &m->layout.tensors[i],
                                  m->type[i] == SXT_ST_F32 ? SXT_H5_F32
                                                           : SXT_H5_BF16,
                                  "Weights.", err);
    if (rc == 0)
        rc = sxt_out_data(m->out, err);
    if (rc == 0)
        rc = sxt_convert_deal(m->run, &m->layout, move_piece, m, err);
    return rc;
}

/* Paths of what was read, for provenance: the files kept, then the weights. */
static size_t list_inputs(const struct import *m, char ***paths)
{
    size_t n = 0;
    const char *weights;

    *paths = NULL;
    for (size_t i = 0; sxt_convert_files[i]; i++) {
        char *path = sxt_path_join(m->dir, sxt_convert_files[i]);
        if (sxt_file_exists(path)) {
            *paths = sxt_realloc(*paths, n + 1, sizeof(char *));
            (*paths)[n++] = path;
        } else {
            free(path);
        }
    }
    for (size_t i = 0; m->weights && (weights = sxt_st_path(m->weights, i));
         i++) {
        *paths = sxt_realloc(*paths, n + 1, sizeof(char *));
        (*paths)[n++] = sxt_strdup(weights);
    }
    return n;
}

static int write_model(struct import *m, const char *to, struct sxt_error *err)
{
    char **inputs;
    size_t n = list_inputs(m, &inputs);
    int rc = -1;

    m->out = sxt_run_create(m->run, to, SXT_MODEL_FORMAT, 1,
                            "Weights, configuration and tokenizer of a model",
                            (const char *const *)inputs, n, err);
    if (m->out && fill(m, err) == 0)
        rc = sxt_out_commit(m->out, err);
    else
        sxt_out_abandon(m->out);
    for (size_t i = 0; i < n; i++)
        free(inputs[i]);
    free(inputs);
    return rc;
}

int sxt_convert_import(const struct sxt_run *run, const struct sxt_convert *v,
                       const char *from, const char *to, struct sxt_error *err)
{
    struct import m = { .run = run, .v = v, .dir = from };
    double begin = sxt_clock();
    int64_t bad;
    int rc;

    m.raw = sxt_alloc(SXT_CONVERT_PIECE, sizeof(float));
    m.cooked = sxt_alloc(SXT_CONVERT_PIECE, sizeof(float));
    rc = sxt_comm_agree(run->comm, look(&m, err), err);
    if (rc == 0 && !run->dry_run)
        rc = write_model(&m, to, err);
    if (rc == 0) {
        bad = sxt_comm_sum(run->comm, (int64_t)m.n_nonfinite);
        if (bad > 0)
            sxt_log(&run->log, SXT_LOG_WARN,
                    "%lld weights are infinite or no number", (long long)bad);
        sxt_convert_report(run, to, &m.layout, sxt_clock() - begin);
    }
    sxt_st_close(m.weights);
    sxt_layout_free(&m.layout);
    free(m.src);
    free(m.type);
    free(m.raw);
    free(m.cooked);
    return rc;
}
