/* convert.c - the convert command: Hugging Face directory ⇄ model file. */
#include "stage/convert.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "num/dtype.h"
#include "stage/stages.h"
#include "stage/status.h"

#define AT(member) offsetof(struct sxt_convert, member)

static const struct sxt_cfg_param params[] = {
    { "from", SXT_CFG_STRING, "", 0, 0, "1",
      "Hugging Face directory, or model or checkpoint file; or the first "
      "operand.",
      AT(from), NULL, NULL },
    { "output", SXT_CFG_STRING, "", 0, 0, "1",
      "Model file to write, or directory if `from` is a file; or the second "
      "operand.",
      AT(output), NULL, NULL },
    { "init", SXT_CFG_CHOICE, "weights", 0, 0, "1",
      "weights: read them; random: a new model from config.json alone.",
      AT(init), "weights|random", NULL },
    { "seed", SXT_CFG_INT, "1", 0, 9e15, "1", "Seed of init = random.",
      AT(seed), NULL, NULL },
    { "type", SXT_CFG_CHOICE, "keep", 0, 0, "1",
      "Numbers in the output; keep: as they are (float16 becomes f32, its "
      "values unchanged).",
      AT(type), "keep|f32|bf16", NULL },
    { "shard_gb", SXT_CFG_REAL, "5", 1e-6, 1e6, "GB",
      "Most data in one file of a directory written.", AT(shard_gb), NULL,
      NULL },
    { "allow_nonfinite", SXT_CFG_BOOL, "false", 0, 0, "1",
      "Take weights that are infinite or no number.", AT(allow_nonfinite), NULL,
      NULL },
    { .name = NULL }
};

const char *const sxt_convert_files[] = { "config.json",
                                          "generation_config.json",
                                          "tokenizer.json",
                                          "tokenizer_config.json",
                                          "special_tokens_map.json",
                                          "added_tokens.json",
                                          "chat_template.jinja",
                                          "vocab.json",
                                          "merges.txt",
                                          "LICENSE",
                                          NULL };

int sxt_convert_deal(const struct sxt_run *run, const struct sxt_layout *layout,
                     int (*move)(void *self, size_t tensor, size_t first,
                                 size_t count, struct sxt_error *err),
                     void *self, struct sxt_error *err)
{
    struct sxt_comm comm = run->comm;
    size_t number = 0;
    double looked = 0;
    int rc = 0;

    for (size_t i = 0; i < layout->n_tensors; i++) {
        size_t n = layout->tensors[i].rows * layout->tensors[i].cols;
        for (size_t at = 0; at < n; at += SXT_CONVERT_PIECE) {
            size_t left = n - at;
            size_t count = left < SXT_CONVERT_PIECE ? left : SXT_CONVERT_PIECE;
            if (number++ % (size_t)comm.size != (size_t)comm.rank || rc != 0)
                continue;
            enum sxt_stop why = sxt_run_told(run, &looked, 0);
            rc = why ? sxt_run_stopped(why, err, "nothing was written")
                     : move(self, i, at, count, err);
        }
    }
    return sxt_comm_agree(comm, rc, err);
}

enum sxt_st_type sxt_convert_type(const struct sxt_convert *v,
                                  enum sxt_st_type stored)
{
    if (strcmp(v->type, "f32") == 0)
        return SXT_ST_F32;
    if (strcmp(v->type, "bf16") == 0)
        return SXT_ST_BF16;
    return stored == SXT_ST_F16 ? SXT_ST_F32 : stored;
}

/* IEEE binary16: every value is one of f32. */
static float f16_to_f32(uint16_t x)
{
    uint32_t sign = (uint32_t)(x & 0x8000) << 16;
    uint32_t exponent = x >> 10 & 0x1f, fraction = x & 0x3ff, bits;
    float y;

    if (exponent == 0) { /* zero and subnormal: fraction 2^-24 */
        y = (float)fraction * 0x1p-24f;
        return sign ? -y : y;
    }
    if (exponent == 0x1f) /* infinity, NaN with its payload */
        bits = sign | 0x7f800000u | fraction << 13;
    else
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    memcpy(&y, &bits, sizeof(y));
    return y;
}

static float load(const void *x, enum sxt_st_type type, size_t i)
{
    switch (type) {
    case SXT_ST_F16:
        return f16_to_f32(((const uint16_t *)x)[i]);
    case SXT_ST_BF16:
        return sxt_load(x, SXT_BF16, i);
    case SXT_ST_F32:
        break;
    }
    return sxt_load(x, SXT_F32, i);
}

void sxt_convert_numbers(void *to, enum sxt_st_type to_type, const void *from,
                         enum sxt_st_type from_type, size_t n)
{
    enum sxt_dtype type = to_type == SXT_ST_F32 ? SXT_F32 : SXT_BF16;

    if (to_type == from_type) {
        memcpy(to, from, n * sxt_st_type_size(from_type));
        return;
    }
    for (size_t i = 0; i < n; i++)
        sxt_store(to, type, i, load(from, from_type, i));
}

void sxt_convert_report(const struct sxt_run *run, const char *to,
                        const struct sxt_layout *layout, double seconds)
{
    char count[32], time[32];

    sxt_log_count((double)sxt_model_parameters(&layout->config), count);
    sxt_log_duration(seconds, time);
    sxt_log(&run->log, SXT_LOG_INFO, "%s %s  %zu tensors  %s parameters  %s",
            run->dry_run ? "would write" : "wrote", to, layout->n_tensors,
            count, time);
    sxt_status_performance(run, (double)sxt_model_parameters(&layout->config),
                           "parameters", sxt_clock() - seconds);
}

static char *place(const struct sxt_run *run, const char *value, size_t operand)
{
    if (run->n_args > operand)
        return sxt_strdup(run->args[operand]);
    return value[0] ? sxt_run_path(run, value) : NULL;
}

static int run_convert(struct sxt_run *run, const void *values,
                       struct sxt_error *err)
{
    const struct sxt_convert *v = values;
    char *from = place(run, v->from, 0), *to = place(run, v->output, 1);
    int rc, directory = 0;

    if (!from || !to || run->n_args > 2) {
        rc = sxt_err(err, SXT_EXIT_USAGE,
                     "convert needs two paths: FROM and TO, or convert.from "
                     "and convert.output");
    } else {
        if (run->comm.rank == 0)
            directory = sxt_file_is_directory(from);
        sxt_comm_broadcast(run->comm, &directory, sizeof(directory), 0);
        rc = directory ? sxt_convert_import(run, v, from, to, err)
                       : sxt_convert_export(run, v, from, to, err);
    }
    free(from);
    free(to);
    return rc;
}

const struct sxt_stage sxt_stage_convert = {
    .section = { "convert",
                 "Turn a Hugging Face directory into a model file, or back.",
                 params, sizeof(struct sxt_convert) },
    .operands = "[FROM TO]",
    .run = run_convert
};
