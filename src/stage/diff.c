/* diff.c - compare two files within the tolerances that the reference states.
 *
 * A dataset of the reference may carry attributes `rtol` and `atol`: then
 * |new - ref| <= atol + rtol |ref| must hold for each value; without them,
 * every byte must be equal.  /provenance is left out: it may differ; so is
 * /config, if the reference has none.  A reference with the attribute
 * `partial` = 1 states only part of a file: what it lacks is not looked at. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "h5/in.h"
#include "stage/stages.h"

enum { PIECE = 1 << 20 }; /* elements compared at a time */

static const struct sxt_cfg_param params[] = { { .name = NULL } };

struct diff {
    struct sxt_in *ref, *new;
    size_t compared, differing;
};

/* What is wrong with one dataset. */
struct finding {
    uint64_t bad, first; /* how many values, and where it begins */
    double worst;        /* largest |new - ref| */
    double ref, new;     /* the values there */
};

static double value_at(const void *data, enum sxt_h5_type type, uint64_t i)
{
    uint32_t bits;
    float x;

    switch (type) {
    case SXT_H5_U8:
        return ((const uint8_t *)data)[i];
    case SXT_H5_U16:
        return ((const uint16_t *)data)[i];
    case SXT_H5_I32:
        return ((const int32_t *)data)[i];
    case SXT_H5_I64:
        return (double)((const int64_t *)data)[i];
    case SXT_H5_U64:
        return (double)((const uint64_t *)data)[i];
    case SXT_H5_F32:
        return (double)((const float *)data)[i];
    case SXT_H5_F64:
        return ((const double *)data)[i];
    case SXT_H5_BF16:
        bits = (uint32_t)((const uint16_t *)data)[i] << 16;
        memcpy(&x, &bits, sizeof(x));
        return (double)x;
    }
    return NAN;
}

static void compare_piece(const void *ref, const void *new,
                          enum sxt_h5_type type, uint64_t at, uint64_t n,
                          double rtol, double atol, struct finding *f)
{
    size_t size = sxt_h5_type_size(type);

    for (uint64_t i = 0; i < n; i++) {
        if (memcmp((const char *)ref + i * size, (const char *)new + i *size,
                   size) == 0)
            continue;
        double a = value_at(ref, type, i), b = value_at(new, type, i);
        double distance = fabs(a - b);
        if (distance <= atol + rtol * fabs(a) && (rtol > 0 || atol > 0))
            continue;
        if (f->bad++ == 0)
            f->first = at + i;
        if (f->bad == 1 || !(distance <= f->worst)) {
            f->worst = distance;
            f->ref = a;
            f->new = b;
        }
    }
}

static int compare_values(struct diff *d, const char *object,
                          const struct sxt_h5_info *info, struct finding *f,
                          struct sxt_error *err)
{
    size_t size = sxt_h5_type_size(info->type);
    uint64_t piece = info->count < PIECE ? info->count : PIECE;
    char *a = sxt_alloc(piece, size), *b = sxt_alloc(piece, size);
    double rtol = 0, atol = 0;
    int rc = 0;

    sxt_in_attr_f64(d->ref, object, "rtol", &rtol, NULL);
    sxt_in_attr_f64(d->ref, object, "atol", &atol, NULL);
    for (uint64_t at = 0; rc == 0 && at < info->count; at += piece) {
        uint64_t n = info->count - at < piece ? info->count - at : piece;
        rc = sxt_in_range(d->ref, object, at, n, a, err);
        if (rc == 0)
            rc = sxt_in_range(d->new, object, at, n, b, err);
        if (rc == 0)
            compare_piece(a, b, info->type, at, n, rtol, atol, f);
    }
    free(a);
    free(b);
    return rc;
}

static bool same_shape(const struct sxt_h5_info *a, const struct sxt_h5_info *b)
{
    bool same = a->type == b->type && a->n_dims == b->n_dims;

    for (int i = 0; same && i < a->n_dims; i++)
        same = a->dims[i] == b->dims[i];
    return same;
}

static int compare_set(struct diff *d, const char *object,
                       const struct sxt_h5_info *ref, struct sxt_error *err)
{
    struct finding f = { 0 };
    struct sxt_h5_info new;
    int rc = 0;

    d->compared++;
    if (sxt_in_info(d->new, object, &new, NULL) != 0) {
        printf("  %-44s missing in the second file\n", object);
        d->differing++;
        return 0;
    }
    if (!same_shape(ref, &new)) {
        printf("  %-44s another type or shape\n", object);
        d->differing++;
        return 0;
    }
    rc = compare_values(d, object, ref, &f, err);
    if (rc == 0 && f.bad > 0) {
        printf("  %-44s %llu of %llu values differ, first at %llu, "
               "worst |%.9g - %.9g| = %.3g\n",
               object, (unsigned long long)f.bad,
               (unsigned long long)ref->count, (unsigned long long)f.first,
               f.new, f.ref, f.worst);
        d->differing++;
    }
    return rc;
}

static void only_in_new(struct diff *d, const char *path)
{
    if (!sxt_in_has(d->ref, path)) {
        printf("  %-44s missing in the first file\n", path);
        d->differing++;
    }
}

static int compare_group(struct diff *d, const char *group, bool second,
                         struct sxt_error *err)
{
    struct sxt_in *in = second ? d->new : d->ref;
    char **names = NULL;
    size_t n = 0;
    int rc = sxt_in_list(in, group, &names, &n, err);

    for (size_t i = 0; i < n; i++) {
        char *path = sxt_printf("%s/%s", group[1] ? group : "", names[i]);
        struct sxt_h5_info info;
        bool skipped =
            strcmp(path, "/provenance") == 0 ||
            (strcmp(path, "/config") == 0 && !sxt_in_has(d->ref, path));
        if (rc == 0 && !skipped && sxt_in_info(in, path, &info, NULL) != 0)
            rc = compare_group(d, path, second, err);
        else if (rc == 0 && !skipped && second)
            only_in_new(d, path);
        else if (rc == 0 && !skipped)
            rc = compare_set(d, path, &info, err);
        free(path);
        free(names[i]);
    }
    free(names);
    return rc;
}

static int compare_files(const char *ref, const char *new,
                         struct sxt_error *err)
{
    struct diff d = { sxt_in_open(ref, NULL, err), NULL, 0, 0 };
    int64_t partial = 0;
    int rc = -1;

    if (d.ref && (d.new = sxt_in_open(new, sxt_in_format(d.ref), err)))
        rc = compare_group(&d, "/", false, err);
    if (rc == 0 && sxt_in_attr_i64(d.ref, "/", "partial", &partial, NULL) != 0)
        partial = 0;
    if (rc == 0 && !partial)
        rc = compare_group(&d, "/", true, err);
    if (rc == 0)
        printf("%s and %s: %zu datasets compared, %zu differ\n", ref, new,
               d.compared, d.differing);
    if (rc == 0 && d.differing > 0)
        rc = sxt_err(err, SXT_EXIT_DIFFERS, "%s differs from %s", new, ref);
    sxt_in_close(d.ref);
    sxt_in_close(d.new);
    return rc;
}

static int run_diff(struct sxt_run *run, const void *values,
                    struct sxt_error *err)
{
    (void)values;
    if (run->n_args != 2)
        return sxt_err(err, SXT_EXIT_USAGE,
                       "diff needs two files: the reference and the new one");
    return run->comm.rank == 0 ? compare_files(run->args[0], run->args[1], err)
                               : 0;
}

const struct sxt_stage sxt_stage_diff = {
    .section = { "diff", "Compare two files within the reference's tolerances.",
                 params, 1 },
    .operands = "REFERENCE.h5 NEW.h5",
    .run = run_diff
};
