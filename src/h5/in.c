/* in.c - reading files that explain themselves. */
#include "h5/in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "h5/h5.h"

struct sxt_in {
    char *path;
    hid_t file;
    struct sxt_str format;
};

enum { NEWEST = 1 }; /* version of every format that this program knows */

static int check_format(struct sxt_in *in, const char *format,
                        struct sxt_error *err)
{
    struct sxt_error ignored;
    int64_t version = 0;

    if (sxt_in_attr_text(in, "/", "format", &in->format, &ignored) != 0 ||
        !sxt_starts_with(in->format.data, "sextant/"))
        return sxt_err(err, SXT_EXIT_DATA, "%s: not a file of Sextant's",
                       in->path);
    if (format && strcmp(in->format.data, format) != 0)
        return sxt_err(err, SXT_EXIT_DATA, "%s: holds %s, but %s is needed",
                       in->path, in->format.data, format);
    sxt_in_attr_i64(in, "/", "format_version", &version, &ignored);
    if (version < 1 || version > NEWEST)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: version %lld of %s; this program reads versions "
                       "up to %d",
                       in->path, (long long)version, in->format.data, NEWEST);
    return 0;
}

/* Why a file cannot be opened: HDF5 often does not say. */
static void say_why(const char *path, struct sxt_error *err)
{
    FILE *file;

    /* First, for any call to HDF5 forgets the reason. */
    sxt_h5_fail(err, SXT_EXIT_DATA, path, "cannot be opened as HDF5");
    file = fopen(path, "rb");
    if (!file)
        sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s", path);
    else if (fgetc(file) == EOF)
        sxt_err(err, SXT_EXIT_DATA, "%s: is empty", path);
    else if (H5Fis_hdf5(path) == 0)
        sxt_err(err, SXT_EXIT_DATA, "%s: is not an HDF5 file", path);
    if (file)
        fclose(file);
}

struct sxt_in *sxt_in_open(const char *path, const char *format,
                           struct sxt_error *err)
{
    struct sxt_str part = SXT_STR_EMPTY;

    sxt_h5_quiet();
    if (!sxt_file_exists(path)) {
        sxt_str_add(&part, "%s.part", path);
        sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s", path);
        if (sxt_file_exists(part.data))
            sxt_err(err, SXT_EXIT_NOINPUT,
                    "%s: not there, only %s, which an interrupted run left; "
                    "run that command again",
                    path, part.data);
        sxt_str_free(&part);
        return NULL;
    }
    struct stat about;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
        sxt_err(err, SXT_EXIT_NOINPUT, "%s: is a directory, not a file", path);
        return NULL;
    }
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    H5Pset_file_locking(fapl, 1, 1);
#endif
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, fapl);
    if (file < 0)
        say_why(path, err);
    H5Pclose(fapl);
    if (file < 0)
        return NULL;
    struct sxt_in *in = sxt_calloc(1, sizeof(*in));
    in->path = sxt_strdup(path);
    in->file = file;
    if (check_format(in, format, err) != 0) {
        sxt_in_close(in);
        return NULL;
    }
    return in;
}

void sxt_in_close(struct sxt_in *in)
{
    if (!in)
        return;
    H5Fclose(in->file);
    sxt_str_free(&in->format);
    free(in->path);
    free(in);
}

const char *sxt_in_format(const struct sxt_in *in)
{
    return in->format.data;
}

const char *sxt_in_path(const struct sxt_in *in)
{
    return in->path;
}

bool sxt_in_has(const struct sxt_in *in, const char *object)
{
    /* H5Lexists wants every step of the way to exist. */
    char *path = sxt_strdup(object);
    bool found = true;

    for (char *p = path + 1; found && *object == '/' && p[-1]; p++) {
        char c = *p;
        if (c != '/' && c != '\0')
            continue;
        *p = '\0';
        found = path[1] == '\0' || H5Lexists(in->file, path, H5P_DEFAULT) > 0;
        *p = c;
        if (c == '\0')
            break;
    }
    free(path);
    return found;
}

/* One value: what is read has no room for more. */
static bool is_single(hid_t attr)
{
    hid_t space = H5Aget_space(attr);
    bool single = H5Sget_simple_extent_npoints(space) == 1;

    H5Sclose(space);
    return single;
}

static int read_attr(struct sxt_in *in, const char *object, const char *name,
                     hid_t type, void *x, struct sxt_error *err)
{
    int rc = 0;
    hid_t attr =
        H5Aopen_by_name(in->file, object, name, H5P_DEFAULT, H5P_DEFAULT);

    if (attr < 0 || !is_single(attr) || H5Aread(attr, type, x) < 0) {
        char *what = sxt_printf("attribute %s of %s", name, object);
        rc = sxt_h5_fail(err, SXT_EXIT_DATA, in->path, what);
        free(what);
    }
    if (attr >= 0)
        H5Aclose(attr);
    return rc;
}

int sxt_in_attr_i64(struct sxt_in *in, const char *object, const char *name,
                    int64_t *x, struct sxt_error *err)
{
    return read_attr(in, object, name, H5T_NATIVE_INT64, x, err);
}

int sxt_in_attr_f64(struct sxt_in *in, const char *object, const char *name,
                    double *x, struct sxt_error *err)
{
    return read_attr(in, object, name, H5T_NATIVE_DOUBLE, x, err);
}

int sxt_in_attr_text(struct sxt_in *in, const char *object, const char *name,
                     struct sxt_str *text, struct sxt_error *err)
{
    hid_t attr =
        H5Aopen_by_name(in->file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    int rc = -1;

    if (attr >= 0) {
        hid_t type = H5Aget_type(attr);
        if (H5Tget_class(type) == H5T_STRING && !H5Tis_variable_str(type) &&
            is_single(attr)) {
            size_t n = H5Tget_size(type);
            char *data = sxt_alloc(n + 1, 1);
            rc = H5Aread(attr, type, data) < 0 ? -1 : 0;
            data[n] = '\0';
            if (rc == 0)
                sxt_str_add(text, "%s", data);
            free(data);
        }
        H5Tclose(type);
        H5Aclose(attr);
    }
    if (rc != 0)
        sxt_err(err, SXT_EXIT_DATA, "%s: text attribute %s of %s is missing",
                in->path, name, object);
    H5Eclear2(H5E_DEFAULT);
    return rc;
}

static int get_info(hid_t set, struct sxt_h5_info *info)
{
    hid_t space = H5Dget_space(set), type = H5Dget_type(set);
    hsize_t dims[4];
    int rc = -1;

    info->n_dims = H5Sget_simple_extent_ndims(space);
    if (info->n_dims >= 0 && info->n_dims <= 4 &&
        H5Sget_simple_extent_dims(space, dims, NULL) >= 0) {
        rc = sxt_h5_type_of(type, &info->type);
        info->count = 1;
        for (int i = 0; i < info->n_dims; i++) {
            info->dims[i] = dims[i];
            info->count *= dims[i];
        }
    }
    H5Tclose(type);
    H5Sclose(space);
    return rc;
}

/* Open a dataset and describe it; -1 with a message if that cannot be. */
static hid_t open_set(struct sxt_in *in, const char *object,
                      struct sxt_h5_info *info, struct sxt_error *err)
{
    hid_t set =
        sxt_in_has(in, object) ? H5Dopen2(in->file, object, H5P_DEFAULT) : -1;

    if (set < 0) {
        sxt_err(err, SXT_EXIT_DATA, "%s: dataset %s is missing", in->path,
                object);
        return -1;
    }
    if (get_info(set, info) != 0) {
        sxt_err(err, SXT_EXIT_DATA, "%s: dataset %s has an unknown type",
                in->path, object);
        H5Dclose(set);
        return -1;
    }
    return set;
}

int sxt_in_info(struct sxt_in *in, const char *object, struct sxt_h5_info *info,
                struct sxt_error *err)
{
    hid_t set = open_set(in, object, info, err);

    if (set < 0)
        return -1;
    H5Dclose(set);
    return 0;
}

static int read_set(hid_t set, const struct sxt_h5_info *info, uint64_t first,
                    uint64_t count, void *data)
{
    hid_t type = sxt_h5_file_type(info->type), space = H5Dget_space(set);
    hsize_t dims[4], n = count;
    int rc = -1;

    for (int i = 0; i < info->n_dims; i++)
        dims[i] = info->dims[i];
    hid_t memory = H5Screate_simple(1, &n, NULL);
    if (sxt_h5_select(space, info->n_dims, dims, first, count) >= 0 &&
        H5Dread(set, type, memory, space, H5P_DEFAULT, data) >= 0)
        rc = 0;
    H5Sclose(memory);
    H5Sclose(space);
    H5Tclose(type);
    return rc;
}

int sxt_in_range(struct sxt_in *in, const char *object, uint64_t first,
                 uint64_t count, void *data, struct sxt_error *err)
{
    struct sxt_h5_info info;
    hid_t set = open_set(in, object, &info, err);
    int rc = 0;

    if (set < 0)
        return -1;
    if (first > info.count || count > info.count - first)
        rc = sxt_err(err, SXT_EXIT_DATA,
                     "%s: %s has %llu elements, not [%llu, +%llu)", in->path,
                     object, (unsigned long long)info.count,
                     (unsigned long long)first, (unsigned long long)count);
    else if (count > 0 && read_set(set, &info, first, count, data) != 0)
        rc = sxt_h5_fail(err, SXT_EXIT_DATA, in->path, object);
    H5Dclose(set);
    return rc;
}

int sxt_in_bytes(struct sxt_in *in, const char *object, struct sxt_str *out,
                 struct sxt_error *err)
{
    struct sxt_h5_info info;

    if (sxt_in_info(in, object, &info, err) != 0)
        return -1;
    if (info.type != SXT_H5_U8)
        return sxt_err(err, SXT_EXIT_DATA, "%s: %s is no byte string", in->path,
                       object);
    char *data = sxt_alloc(info.count, 1);
    int rc = sxt_in_range(in, object, 0, info.count, data, err);
    if (rc == 0)
        sxt_str_add_bytes(out, data, info.count);
    free(data);
    return rc;
}

static herr_t add_name(hid_t group, const char *name, const H5L_info_t *info,
                       void *list)
{
    struct sxt_str *s = list;

    (void)group, (void)info;
    sxt_str_add_bytes(s, name, strlen(name) + 1);
    return 0;
}

int sxt_in_list(struct sxt_in *in, const char *group, char ***names,
                size_t *count, struct sxt_error *err)
{
    struct sxt_str s = SXT_STR_EMPTY;

    if (!sxt_in_has(in, group) ||
        H5Literate_by_name(in->file, group, H5_INDEX_NAME, H5_ITER_INC, NULL,
                           add_name, &s, H5P_DEFAULT) < 0) {
        sxt_str_free(&s);
        return sxt_err(err, SXT_EXIT_DATA, "%s: group %s is missing", in->path,
                       group);
    }
    *count = 0;
    *names = NULL;
    size_t cap = 0;
    for (size_t at = 0; at < s.len; at += strlen(s.data + at) + 1) {
        *names = sxt_grow(*names, &cap, *count + 1, sizeof(**names));
        (*names)[(*count)++] = sxt_strdup(s.data + at);
    }
    sxt_str_free(&s);
    return 0;
}
