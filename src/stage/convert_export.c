/* convert_export.c - a model file or checkpoint becomes a directory. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/weights.h"
#include "stage/convert.h"

struct export
{
    const struct sxt_run *run;
    const struct sxt_convert *v;
    struct sxt_in *in;
    struct sxt_model_head head;
    struct sxt_st_tensor *tensors; /* of the output, in the layout's order */
    enum sxt_st_type *stored;      /* of each in the file */
    struct sxt_st_out *out;
    void *raw, *cooked; /* a piece as read, and as written */
};

static char *object_of(const struct export *e, size_t tensor)
{
    return sxt_printf("/tensors/%s", e->head.layout.tensors[tensor].name);
}

static int describe(struct export *e, size_t i, struct sxt_error *err)
{
    struct sxt_tensor *t = &e->head.layout.tensors[i];
    char *object = object_of(e, i);
    struct sxt_h5_info info;
    int rc = sxt_in_info(e->in, object, &info, err);

    free(object);
    if (rc != 0)
        return -1;
    e->stored[i] = info.type == SXT_H5_F32 ? SXT_ST_F32 : SXT_ST_BF16;
    e->tensors[i] =
        (struct sxt_st_tensor){ .name = t->name,
                                .type = sxt_convert_type(e->v, e->stored[i]),
                                .n_dims = info.n_dims,
                                .dims = { info.dims[0], info.dims[1] },
                                .count = info.count };
    return 0;
}

/* On each rank. */
static int look(struct export *e, const char *from, struct sxt_error *err)
{
    size_t n;
    int rc = 0;

    if (strcmp(e->v->init, "random") == 0)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "%s: convert.init = random needs a directory with "
                       "config.json",
                       from);
    e->in = sxt_in_open(from, NULL, err);
    if (!e->in || sxt_model_read_head(e->in, &e->head, err) != 0 ||
        sxt_model_need_plain(&e->head, from, "a directory", err) != 0)
        return -1;
    n = e->head.layout.n_tensors;
    e->tensors = sxt_calloc(n, sizeof(*e->tensors));
    e->stored = sxt_calloc(n, sizeof(*e->stored));
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = describe(e, i, err);
    return rc;
}

static int move_piece(void *self, size_t tensor, size_t first, size_t count,
                      struct sxt_error *err)
{
    struct export *e = self;
    char *object = object_of(e, tensor);
    int rc = sxt_in_range(e->in, object, first, count, e->raw, err);

    free(object);
    if (rc != 0)
        return -1;
    sxt_convert_numbers(e->cooked, e->tensors[tensor].type, e->raw,
                        e->stored[tensor], count);
    return sxt_st_write(e->out, tensor, first, count, e->cooked, err);
}

/* By rank 0, before the weights appear: a directory with weights is whole. */
static int write_files(struct export *e, const char *to, struct sxt_error *err)
{
    int rc = 0;

    for (size_t i = 0; sxt_convert_files[i] && rc == 0; i++) {
        char *object = sxt_printf("/hf/%s", sxt_convert_files[i]);
        char *path = sxt_path_join(to, sxt_convert_files[i]);
        struct sxt_str bytes = SXT_STR_EMPTY;
        if (sxt_in_has(e->in, object)) {
            rc = sxt_in_bytes(e->in, object, &bytes, err);
            if (rc == 0)
                rc = sxt_file_write(path, bytes.data, bytes.len, err);
        }
        sxt_str_free(&bytes);
        free(path);
        free(object);
    }
    return rc;
}

static int write_directory(struct export *e, const char *to,
                           struct sxt_error *err)
{
    struct sxt_comm comm = e->run->comm;
    const struct sxt_layout *layout = &e->head.layout;
    int rc = comm.rank == 0 ? sxt_file_mkdirs(to, err) : 0;

    if (sxt_comm_agree(comm, rc, err) != 0)
        return -1;
    e->out = sxt_st_create(to, comm, e->tensors, layout->n_tensors,
                           (uint64_t)(e->v->shard_gb * 1e9), err);
    if (!e->out)
        return -1;
    rc = sxt_convert_deal(e->run, layout, move_piece, e, err);
    if (rc == 0)
        rc = sxt_comm_agree(comm, comm.rank == 0 ? write_files(e, to, err) : 0,
                            err);
    if (rc != 0) {
        sxt_st_abandon(e->out);
        return -1;
    }
    return sxt_st_commit(e->out, err);
}

int sxt_convert_export(const struct sxt_run *run, const struct sxt_convert *v,
                       const char *from, const char *to, struct sxt_error *err)
{
    struct export e = { .run = run, .v = v };
    double begin = sxt_clock();
    int rc;

    e.raw = sxt_alloc(SXT_CONVERT_PIECE, sizeof(float));
    e.cooked = sxt_alloc(SXT_CONVERT_PIECE, sizeof(float));
    rc = sxt_comm_agree(run->comm, look(&e, from, err), err);
    if (rc == 0 && !run->dry_run)
        rc = write_directory(&e, to, err);
    if (rc == 0)
        sxt_convert_report(run, to, &e.head.layout, sxt_clock() - begin);
    sxt_model_head_free(&e.head);
    sxt_in_close(e.in);
    free(e.tensors);
    free(e.stored);
    free(e.raw);
    free(e.cooked);
    return rc;
}
