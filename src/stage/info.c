/* info.c - describe a file: what it is, how it came to be, what it holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "h5/in.h"
#include "stage/formats.h"
#include "stage/stages.h"

static const struct sxt_cfg_param params[] = { { .name = NULL } };

static void show_text(struct sxt_in *in, const char *object, const char *title)
{
    struct sxt_str text = SXT_STR_EMPTY;

    if (sxt_in_has(in, object) && sxt_in_bytes(in, object, &text, NULL) == 0) {
        printf("%s\n", title);
        for (char *line = text.data; line && *line;) {
            size_t n = strcspn(line, "\n");
            printf("    %.*s\n", (int)n, line);
            line += n + (line[n] == '\n');
        }
    }
    sxt_str_free(&text);
}

static void show_value(struct sxt_in *in, const char *object,
                       const struct sxt_h5_info *info)
{
    static const char *const names[] = { "u8",  "u16", "i32", "i64",
                                         "u64", "f32", "f64", "bf16" };
    struct sxt_str doc = SXT_STR_EMPTY, shape = SXT_STR_EMPTY;

    sxt_in_attr_text(in, object, "description", &doc, NULL);
    for (int i = 0; i < info->n_dims; i++)
        sxt_str_add(&shape, "%s%llu", i > 0 ? " x " : "",
                    (unsigned long long)info->dims[i]);
    printf("    %-44s %-5s %-14s %s\n", object, names[info->type],
           shape.data ? shape.data : "scalar", doc.data ? doc.data : "");
    sxt_str_free(&doc);
    sxt_str_free(&shape);
}

/* Datasets of a group and of the groups below. */
static int show_group(struct sxt_in *in, const char *group,
                      struct sxt_error *err)
{
    char **names = NULL;
    size_t n = 0;
    int rc = sxt_in_list(in, group, &names, &n, err);

    for (size_t i = 0; i < n; i++) {
        char *path = sxt_printf("%s/%s", group[1] ? group : "", names[i]);
        struct sxt_h5_info info;
        if (sxt_in_info(in, path, &info, NULL) == 0)
            show_value(in, path, &info);
        else if (rc == 0)
            rc = show_group(in, path, err);
        free(path);
        free(names[i]);
    }
    free(names);
    return rc;
}

static int show_file(const char *path, struct sxt_error *err)
{
    struct sxt_str title = SXT_STR_EMPTY, weights = SXT_STR_EMPTY;
    struct sxt_in *in = sxt_in_open(path, NULL, err);
    int64_t version = 0;

    if (!in)
        return -1;
    sxt_in_attr_text(in, "/", "title", &title, NULL);
    sxt_in_attr_i64(in, "/", "format_version", &version, NULL);
    printf("%s: %s\n  format %s, version %lld\n", path,
           title.data ? title.data : "", sxt_in_format(in), (long long)version);
    if (sxt_in_has(in, "/quantized") &&
        sxt_in_attr_text(in, "/", "quantized", &weights, NULL) == 0)
        printf("  weights %s\n", weights.data);
    show_text(in, "/provenance/run", "  made by");
    show_text(in, SXT_INPUTS_OBJECT, "  from");
    show_text(in, SXT_CONFIG_OBJECT, "  with");
    printf("  holds\n");
    int rc = show_group(in, "/", err);
    sxt_str_free(&title);
    sxt_str_free(&weights);
    sxt_in_close(in);
    return rc;
}

static void show_formats(void)
{
    struct sxt_str text = SXT_STR_EMPTY;

    sxt_formats_print(&text);
    fwrite(text.data, 1, text.len, stdout);
    sxt_str_free(&text);
}

static int run_info(struct sxt_run *run, const void *values,
                    struct sxt_error *err)
{
    int rc = 0;

    (void)values;
    if (run->n_args == 0 && run->comm.rank == 0)
        show_formats();
    for (size_t i = 0; rc == 0 && run->comm.rank == 0 && i < run->n_args; i++)
        rc = show_file(run->args[i], err);
    return rc;
}

const struct sxt_stage sxt_stage_info = {
    .section = { "info",
                 "Describe Sextant files; without any, the tables of all "
                 "formats.",
                 params, 1 },
    .operands = "[FILE.h5...]",
    .run = run_info
};
