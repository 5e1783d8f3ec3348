/* checkpoint.c - the state of a training run in one file. */
#include "stage/checkpoint.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "model/weights.h"
#include "stage/formats.h"

/* What is stored of every parameter, by tensor name. */
static const struct {
    const char *group, *sums, *doc;
} kinds[SXT_STATES] = {
    { "/tensors", "/state/sums/tensors", "Parameter." },
    { "/rest", "/state/sums/rest",
      "What is missing to the f32 parameter, in units in its last place." },
    { "/exp_avg", "/state/sums/exp_avg", "Mean gradient (AdamW's m)." },
    { "/exp_avg_sq", "/state/sums/exp_avg_sq",
      "Mean squared gradient (AdamW's v)." },
};

/* This rank's part of one kind and unit. */
struct part {
    size_t first, count, leaf; /* elements */
    size_t leaf_at;            /* number of its first leaf, in all units */
    size_t elem;               /* bytes */
    enum sxt_h5_type type;
};

static const struct sxt_layout *layout_of(const struct sxt_checkpoint *c)
{
    return sxt_zero3_setup(c->z)->layout;
}

static const char *backend_of(const struct sxt_checkpoint *c)
{
    return sxt_zero3_setup(c->z)->num->op.name;
}

static struct part find_part(const struct sxt_checkpoint *c,
                             enum sxt_state kind, size_t unit)
{
    bool bf16 = sxt_zero3_setup(c->z)->type == SXT_BF16;
    struct sxt_shard s = sxt_zero3_shard(c->z, unit);
    enum sxt_h5_type type[SXT_STATES] = { bf16 ? SXT_H5_BF16 : SXT_H5_F32,
                                          SXT_H5_U16, SXT_H5_F32, SXT_H5_F32 };

    return (struct part){
        .first = s.first,
        .count = s.count,
        .leaf = s.leaf,
        .leaf_at = sxt_zero3_leaf_at(c->z, unit) + s.first / s.leaf,
        .elem = sxt_h5_type_size(type[kind]),
        .type = type[kind],
    };
}

static bool has_kind(const struct sxt_checkpoint *c, enum sxt_state kind)
{
    return kind != SXT_STATE_REST || sxt_zero3_setup(c->z)->type == SXT_BF16;
}

/* XXH3 of every leaf of the part; caller frees. */
static uint64_t *hash_leaves(const struct part *part, const char *data,
                             size_t *n)
{
    uint64_t *sums;

    *n = (part->count + part->leaf - 1) / part->leaf;
    sums = sxt_alloc(*n, sizeof(*sums));
    for (size_t i = 0; i < *n; i++) {
        size_t left = part->count - i * part->leaf;
        size_t count = left < part->leaf ? left : part->leaf;
        sums[i] = sxt_hash64(data + i * part->leaf * part->elem,
                             count * part->elem, 0);
    }
    return sums;
}

/* ---- writing: structure first, then data ---- */

static int create_sums(const struct sxt_checkpoint *c, enum sxt_state kind,
                       struct sxt_out *out, struct sxt_error *err)
{
    uint64_t leaves = sxt_zero3_leaves(c->z);

    return sxt_out_tensor(out, kinds[kind].sums, SXT_H5_U64, 1, &leaves, "1",
                          "XXH3-64 of the leaves of all units, in order.", err);
}

static int create_tensors(const struct sxt_checkpoint *c, enum sxt_state kind,
                          struct sxt_out *out, struct sxt_error *err)
{
    const struct sxt_layout *layout = layout_of(c);
    enum sxt_h5_type type = find_part(c, kind, 0).type;
    int rc = 0;

    for (size_t i = 0; i < layout->n_tensors && rc == 0; i++)
        rc = sxt_model_out_tensor(out, kinds[kind].group, &layout->tensors[i],
                                  type, kinds[kind].doc, err);
    return rc;
}

/* Everything but /tensors and /hf, and the metrics' values. */
static int create_state(const struct sxt_checkpoint *c,
                        const struct sxt_progress *p, struct sxt_out *out,
                        struct sxt_error *err)
{
    struct sxt_frame *none = sxt_frame_create(sxt_metric_columns);
    int rc = 0;

    for (enum sxt_state k = 0; k < SXT_STATES && rc == 0; k++) {
        if (!has_kind(c, k))
            continue;
        rc = create_sums(c, k, out, err);
        if (rc == 0 && k != SXT_STATE_PARAM)
            rc = create_tensors(c, k, out, err);
    }
    if (rc == 0)
        rc = sxt_out_bytes(out, "/state/settings",
                           "What must not change when the run goes on.",
                           c->settings, strlen(c->settings), err);
    if (rc == 0)
        rc = sxt_out_attr_i64(out, "/state", "step", p->step, err);
    if (rc == 0)
        rc = sxt_out_attr_i64(out, "/state", "updates", p->updates, err);
    if (rc == 0)
        rc = sxt_out_attr_i64(out, "/state", "tokens", p->tokens, err);
    if (rc == 0)
        rc = sxt_out_attr_text(out, "/state", "backend", backend_of(c), err);
    /* The rows of all ranks are put together: rank 0 has them. */
    if (rc == 0)
        rc = sxt_out_frame(out, "steps",
                           c->run->comm.rank == 0 ? p->metrics : none, err);
    sxt_frame_destroy(none);
    return rc;
}

/* A range that fails on this rank poisons the file, and commit reports it. */
static int write_part(const struct sxt_checkpoint *c, enum sxt_state kind,
                      size_t unit, bool with_sums, struct sxt_out *out,
                      struct sxt_error *err)
{
    struct part part = find_part(c, kind, unit);
    char *host = sxt_alloc(part.count, part.elem);
    int rc;

    sxt_optim_get(c->o, kind, unit, host);
    rc = sxt_model_out_unit(out, layout_of(c), kinds[kind].group, part.type,
                            unit, part.first, part.count, host, err);
    if (rc == 0 && with_sums && part.count > 0) {
        size_t n;
        uint64_t *sums = hash_leaves(&part, host, &n);
        rc = sxt_out_range(out, kinds[kind].sums, part.leaf_at, n, sums, err);
        free(sums);
    }
    free(host);
    return rc;
}

static void write_kind(const struct sxt_checkpoint *c, enum sxt_state kind,
                       bool with_sums, struct sxt_out *out,
                       struct sxt_error *err)
{
    int rc = 0;

    for (size_t u = 0; u < layout_of(c)->n_units && rc == 0; u++)
        rc = write_part(c, kind, u, with_sums, out, err);
}

/* An output with /tensors and /hf; NULL on every rank if one fails. */
static struct sxt_out *begin_model(const struct sxt_checkpoint *c,
                                   const char *path, const char *title,
                                   struct sxt_error *err)
{
    struct sxt_out *out = sxt_run_create(c->run, path, SXT_MODEL_FORMAT, 1,
                                         title, c->inputs, c->n_inputs, err);

    if (!out || sxt_model_out_begin(out, layout_of(c),
                                    find_part(c, SXT_STATE_PARAM, 0).type,
                                    c->base, err) == 0)
        return out;
    sxt_out_abandon(out);
    return NULL;
}

int sxt_checkpoint_export(const struct sxt_checkpoint *c, const char *path,
                          struct sxt_error *err)
{
    struct sxt_out *out = begin_model(c, path, "Fine-tuned model.", err);

    if (!out)
        return -1;
    if (sxt_out_data(out, err) == 0)
        write_kind(c, SXT_STATE_PARAM, false, out, err);
    return sxt_out_commit(out, err);
}

static int write_state(const struct sxt_checkpoint *c, const char *path,
                       const struct sxt_progress *p, struct sxt_error *err)
{
    struct sxt_out *out = begin_model(c, path, "State of a training run.", err);

    if (!out)
        return -1;
    if (create_state(c, p, out, err) == 0 && sxt_out_data(out, err) == 0)
        for (enum sxt_state k = 0; k < SXT_STATES; k++)
            if (has_kind(c, k))
                write_kind(c, k, true, out, err);
    return sxt_out_commit(out, err);
}

/* ---- the directory ---- */

static char *step_path(const struct sxt_checkpoint *c, int64_t step)
{
    return sxt_printf("%s/step-%" PRId64 ".h5", c->dir, step);
}

/* The number in "step-N.h5", or -1. */
static int64_t step_of(const char *name)
{
    int64_t step;
    int end = 0;

    if (sscanf(name, "step-%" SCNd64 ".h5%n", &step, &end) != 1 ||
        end != (int)strlen(name) || end == 0 || step < 0)
        return -1;
    return step;
}

static int newest_first(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? 1 : x > y ? -1 : 0;
}

/* Steps that have a file, newest first, as rank 0 sees them; caller frees.
 * Collective. */
static int64_t *list_steps(const struct sxt_checkpoint *c, size_t *count)
{
    DIR *dir = c->run->comm.rank == 0 ? opendir(c->dir) : NULL;
    int64_t *steps = NULL;
    size_t n = 0, cap = 0, *at;
    char *all;

    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        if (step_of(e->d_name) < 0)
            continue;
        steps = sxt_grow(steps, &cap, n + 1, sizeof(*steps));
        steps[n++] = step_of(e->d_name);
    }
    if (dir)
        closedir(dir);
    if (n > 0)
        qsort(steps, n, sizeof(*steps), newest_first);
    sxt_comm_allgather_bytes(c->run->comm, steps, n * sizeof(*steps), &all,
                             &at);
    *count = at[c->run->comm.size] / sizeof(*steps);
    free(at);
    free(steps);
    return (int64_t *)all;
}

/* What a killed run was writing.  Nobody else writes here. */
static void remove_parts(const struct sxt_checkpoint *c)
{
    DIR *dir = c->run->comm.rank == 0 ? opendir(c->dir) : NULL;

    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        if (!sxt_starts_with(e->d_name, "step-") ||
            !sxt_ends_with(e->d_name, ".h5.part"))
            continue;
        char *path = sxt_path_join(c->dir, e->d_name);
        sxt_file_remove(path, NULL);
        free(path);
    }
    if (dir)
        closedir(dir);
}

/* A file that cannot be removed costs space, not the run. */
static void remove_old(const struct sxt_checkpoint *c)
{
    int keep = c->keep < 2 ? 2 : c->keep;
    struct sxt_error err = { 0 };
    size_t n;
    int64_t *steps = list_steps(c, &n);

    for (size_t i = (size_t)keep; i < n && c->run->comm.rank == 0; i++) {
        char *path = step_path(c, steps[i]);
        if (sxt_file_remove(path, &err) != 0)
            sxt_log(&c->run->log, SXT_LOG_WARN, "%s", err.text);
        free(path);
    }
    free(steps);
}

int sxt_checkpoint_save(const struct sxt_checkpoint *c,
                        const struct sxt_progress *progress,
                        struct sxt_error *err)
{
    char *path = step_path(c, progress->step);
    int rc = 0;

    if (c->run->comm.rank == 0)
        rc = sxt_file_mkdirs(c->dir, err);
    rc = sxt_comm_agree(c->run->comm, rc, err);
    if (rc == 0)
        rc = write_state(c, path, progress, err);
    free(path);
    if (rc == 0)
        remove_old(c);
    return rc;
}

/* ---- reading ---- */

/* Elements [first, first + count) of a unit, by its tensors; the rest is 0. */
static int read_tensors(const struct sxt_checkpoint *c, struct sxt_in *in,
                        enum sxt_state kind, size_t unit,
                        const struct part *part, char *to,
                        struct sxt_error *err)
{
    const struct sxt_layout *layout = layout_of(c);
    size_t end = part->first + part->count;
    int rc = 0;

    memset(to, 0, part->count * part->elem);
    for (size_t i = 0; i < layout->n_tensors && rc == 0; i++) {
        const struct sxt_tensor *t = &layout->tensors[i];
        size_t n = t->rows * t->cols;
        size_t a = t->offset > part->first ? t->offset : part->first;
        size_t b = t->offset + n < end ? t->offset + n : end;
        struct sxt_h5_info info;
        if (t->unit != unit || a >= b)
            continue;
        char *name = sxt_printf("%s/%s", kinds[kind].group, t->name);
        rc = sxt_in_info(in, name, &info, err);
        if (rc == 0 && (info.count != n || info.type != part->type))
            rc = sxt_err(err, SXT_EXIT_DATA,
                         "%s: %s has another size or type than the model",
                         sxt_in_path(in), name);
        if (rc == 0)
            rc = sxt_in_range(in, name, a - t->offset, b - a,
                              to + (a - part->first) * part->elem, err);
        free(name);
    }
    return rc;
}

static int verify(struct sxt_in *in, enum sxt_state kind, size_t unit,
                  const struct part *part, const char *data,
                  struct sxt_error *err)
{
    size_t n;
    uint64_t *sums = hash_leaves(part, data, &n);
    uint64_t *stored = sxt_alloc(n, sizeof(*stored));
    int rc = sxt_in_range(in, kinds[kind].sums, part->leaf_at, n, stored, err);

    for (size_t i = 0; i < n && rc == 0; i++)
        if (sums[i] != stored[i])
            rc = sxt_err(err, SXT_EXIT_DATA,
                         "%s: checksum of %s differs (unit %zu, leaf %zu)",
                         sxt_in_path(in), kinds[kind].group, unit,
                         part->first / part->leaf + i);
    free(sums);
    free(stored);
    return rc;
}

static int read_part(const struct sxt_checkpoint *c, struct sxt_in *in,
                     enum sxt_state kind, size_t unit, struct sxt_error *err)
{
    struct part part = find_part(c, kind, unit);
    char *host;
    int rc;

    if (part.count == 0)
        return 0;
    host = sxt_alloc(part.count, part.elem);
    rc = read_tensors(c, in, kind, unit, &part, host, err);
    if (rc == 0)
        rc = verify(in, kind, unit, &part, host, err);
    if (rc == 0)
        sxt_optim_put(c->o, kind, unit, host);
    free(host);
    return rc;
}

/* The line of a "name = value" text that begins at *at; moves *at on. */
static struct sxt_span next_line(const char **at)
{
    struct sxt_span line = { *at, strcspn(*at, "\n") };

    *at += line.len + ((*at)[line.len] == '\n');
    return line;
}

/* Compare line by line; the first that differs is named. */
static int check_settings(const char *mine, const char *stored,
                          const char *path, struct sxt_error *err)
{
    while (*mine || *stored) {
        struct sxt_span a = next_line(&mine), b = next_line(&stored);
        if (a.len == b.len && memcmp(a.data, b.data, a.len) == 0)
            continue;
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "%s was made with '%.*s', this run has '%.*s'; give "
                       "the same parameters to go on, or another checkpoint.dir"
                       " to begin anew",
                       path, (int)b.len, b.data, (int)a.len, a.data);
    }
    return 0;
}

static int read_settings(const struct sxt_checkpoint *c, struct sxt_in *in,
                         struct sxt_error *err)
{
    struct sxt_str stored = SXT_STR_EMPTY;
    int rc = sxt_in_bytes(in, "/state/settings", &stored, err);

    if (rc == 0)
        rc = check_settings(c->settings, stored.data ? stored.data : "",
                            sxt_in_path(in), err);
    sxt_str_free(&stored);
    return rc;
}

/* The step by the file's name is what the next one's name goes on from. */
static int read_state(struct sxt_in *in, int64_t step, struct sxt_progress *p,
                      struct sxt_error *err)
{
    size_t rows;

    if (sxt_in_attr_i64(in, "/state", "step", &p->step, err) != 0 ||
        sxt_in_attr_i64(in, "/state", "updates", &p->updates, err) != 0 ||
        sxt_in_attr_i64(in, "/state", "tokens", &p->tokens, err) != 0 ||
        sxt_in_rows(in, "steps", &rows, err) != 0)
        return -1;
    if (p->step != step)
        return sxt_err(err, SXT_EXIT_DATA, "%s holds step %" PRId64,
                       sxt_in_path(in), p->step);
    return sxt_in_frame(in, "steps", sxt_metric_columns, 0, rows, &p->metrics,
                        err);
}

/* Two backends round differently: whoever compares runs should know. */
static void tell_backend(const struct sxt_checkpoint *c, struct sxt_in *in)
{
    struct sxt_str made = SXT_STR_EMPTY;

    if (sxt_in_attr_text(in, "/state", "backend", &made, NULL) == 0 &&
        made.data && strcmp(made.data, backend_of(c)) != 0)
        sxt_log(&c->run->log, SXT_LOG_INFO,
                "%s was computed by backend %s, this run goes on with %s: not "
                "the bits of a run that stays on one",
                sxt_in_path(in), made.data, backend_of(c));
    sxt_str_free(&made);
}

static int read_all(const struct sxt_checkpoint *c, int64_t step,
                    struct sxt_progress *p, struct sxt_error *err)
{
    char *path = step_path(c, step);
    struct sxt_in *in = sxt_in_open(path, SXT_MODEL_FORMAT, err);
    int rc = in ? read_settings(c, in, err) : -1;

    for (enum sxt_state k = 0; k < SXT_STATES; k++)
        for (size_t u = 0; u < layout_of(c)->n_units; u++)
            if (rc == 0 && has_kind(c, k))
                rc = read_part(c, in, k, u, err);
    if (rc == 0)
        rc = read_state(in, step, p, err);
    if (rc == 0)
        tell_backend(c, in);
    if (in)
        sxt_in_close(in);
    free(path);
    return rc;
}

int sxt_checkpoint_restore(const struct sxt_checkpoint *c,
                           struct sxt_progress *progress, struct sxt_error *err)
{
    size_t n;
    int64_t *steps = list_steps(c, &n);
    int rc = -1;

    remove_parts(c);
    for (size_t i = 0; i < n && rc != 0; i++) {
        struct sxt_progress p = { 0 };
        struct sxt_error why = { 0 };
        rc =
            sxt_comm_agree(c->run->comm, read_all(c, steps[i], &p, &why), &why);
        if (rc == 0) {
            sxt_frame_destroy(progress->metrics);
            *progress = p;
            break;
        }
        if (p.metrics)
            sxt_frame_destroy(p.metrics);
        if (err)
            *err = why;
        if (why.code == SXT_EXIT_CONFIG)
            break;
        sxt_log(&c->run->log, SXT_LOG_WARN, "checkpoint rejected: %s",
                why.text);
    }
    free(steps);
    if (n == 0) {
        progress->step = 0;
        return 0;
    }
    sxt_zero3_changed(c->z);
    return rc;
}

/* A shard of the base model, split in two halves if the run keeps bf16. */
static void put_base(const struct sxt_checkpoint *c, size_t unit,
                     const float *x, size_t n)
{
    uint16_t *half;

    if (sxt_zero3_setup(c->z)->type == SXT_F32) {
        sxt_optim_put(c->o, SXT_STATE_PARAM, unit, x);
        return;
    }
    half = sxt_alloc(2 * n, sizeof(*half));
    for (size_t i = 0; i < n; i++)
        sxt_split_master(x[i], half + i, half + n + i);
    sxt_optim_put(c->o, SXT_STATE_PARAM, unit, half);
    sxt_optim_put(c->o, SXT_STATE_REST, unit, half + n);
    free(half);
}

int sxt_checkpoint_begin(const struct sxt_checkpoint *c, struct sxt_error *err)
{
    const struct sxt_layout *layout = layout_of(c);
    int rc = 0;

    for (size_t u = 0; u < layout->n_units && rc == 0; u++) {
        struct sxt_shard s = sxt_zero3_shard(c->z, u);
        float *x = sxt_alloc(s.count, sizeof(*x));
        rc = sxt_model_read_unit(c->base, layout, u, s.first, s.count, SXT_F32,
                                 x, err);
        if (rc == 0)
            put_base(c, u, x, s.count);
        free(x);
    }
    sxt_zero3_changed(c->z);
    return sxt_comm_agree(c->run->comm, rc, err);
}
