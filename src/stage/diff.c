/* diff.c - compare two files within the tolerances that the reference states.
 *
 * A dataset of the reference may carry attributes `rtol` and `atol`: then
 * |new - ref| <= atol + rtol |ref| must hold for each value; without them,
 * every byte must be equal.  A reference with the attribute `partial` = 1
 * states only part of a file: what it lacks is not looked at.
 *
 * Data decide: results may agree though one run had other paths, threads or
 * another machine.  So /provenance is left out, and the lines of /config that
 * differ are shown but count only if asked for.  Attributes are not compared:
 * they describe, or repeat what the configuration says. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "h5/in.h"
#include "h5/out.h"
#include "stage/stages.h"

enum { PIECE = 1 << 20 }; /* elements compared at a time */

struct values {
    bool config;
};

static const struct sxt_cfg_param params[] = {
    { "config", SXT_CFG_BOOL, "false", 0, 0, "1",
      "Settings must be equal, too; else those that differ are only shown.",
      offsetof(struct values, config), NULL, NULL },
    { .name = NULL }
};

struct diff {
    struct sxt_in *ref, *new;
    bool config; /* counts */
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
        bool skipped = strcmp(path, "/provenance") == 0 ||
                       strcmp(path, SXT_CONFIG_OBJECT) == 0;
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

/* ---- settings ---- */

static bool has_line(const char *text, const char *line, size_t n)
{
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
        if (strcspn(at, "\n") == n && memcmp(at, line, n) == 0)
            return true;
    return false;
}

/* Show the settings of a file that are not among another's. */
static void show_settings(const char *which, const char *text,
                          const char *other)
{
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "\n"), blank = strspn(at, " ");
        if (blank < n && at[blank] != '#' && !has_line(other, at, n))
            printf("  /config of the %-6s file: %.*s\n", which,
                   (int)(n - blank), at + blank);
        at += n + (at[n] == '\n');
    }
}

/* A file that says nothing of settings agrees with any. */
static void compare_config(struct diff *d)
{
    struct sxt_str ref = SXT_STR_EMPTY, new = SXT_STR_EMPTY;

    if (sxt_in_bytes(d->ref, SXT_CONFIG_OBJECT, &ref, NULL) == 0 &&
        sxt_in_bytes(d->new, SXT_CONFIG_OBJECT, &new, NULL) == 0 &&
        ref.len > 0 && new.len > 0 && strcmp(ref.data, new.data) != 0) {
        show_settings("first", ref.data, new.data);
        show_settings("second", new.data, ref.data);
        printf("  %-44s %s\n", SXT_CONFIG_OBJECT,
               d->config ? "differs" : "differs, which does not count");
        d->differing += d->config;
    }
    sxt_str_free(&ref);
    sxt_str_free(&new);
}

static int compare_files(const char *ref, const char *new, bool config,
                         struct sxt_error *err)
{
    struct diff d = { .ref = sxt_in_open(ref, NULL, err), .config = config };
    int64_t partial = 0;
    int rc = -1;

    if (d.ref && (d.new = sxt_in_open(new, sxt_in_format(d.ref), err)))
        rc = compare_group(&d, "/", false, err);
    if (rc == 0 && sxt_in_attr_i64(d.ref, "/", "partial", &partial, NULL) != 0)
        partial = 0;
    if (rc == 0 && !partial)
        rc = compare_group(&d, "/", true, err);
    if (rc == 0)
        compare_config(&d);
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
    const struct values *v = values;

    if (run->n_args != 2)
        return sxt_err(err, SXT_EXIT_USAGE,
                       "diff needs two files: the reference and the new one");
    return run->comm.rank == 0
               ? compare_files(run->args[0], run->args[1], v->config, err)
               : 0;
}

const struct sxt_stage sxt_stage_diff = {
    .section = { "diff", "Compare two files within the reference's tolerances.",
                 params, sizeof(struct values) },
    .operands = "REFERENCE.h5 NEW.h5",
    .run = run_diff
};
