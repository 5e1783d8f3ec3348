/* prov.c - how a file came to be: /config and /provenance. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "h5/out_impl.h"

/* Variables worth keeping; never the whole environment, which holds secrets. */
static const char *const variables[] = {
    "SLURM_JOB_ID",    "SLURM_ARRAY_JOB_ID",  "SLURM_ARRAY_TASK_ID",
    "SLURM_JOB_NAME",  "SLURM_RESTART_COUNT", "SLURM_CLUSTER_NAME",
    "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES"
};

/* A model comes in many files, and one rank reads a gigabyte in a second: every
 * rank takes its share of the files. */
int sxt_prov_hash(struct sxt_comm comm, const char *const *inputs, size_t n,
                  struct sxt_str *lines, struct sxt_error *err)
{
    char(*sum)[SXT_SHA256_TEXT] = sxt_calloc(n, sizeof(*sum));
    size_t ranks = (size_t)comm.size;
    int rc = 0;

    for (size_t i = (size_t)comm.rank; rc == 0 && i < n; i += ranks)
        rc = sxt_sha256_file(inputs[i], sum[i], err);
    rc = sxt_comm_agree(comm, rc, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        sxt_comm_broadcast(comm, sum[i], sizeof(*sum), (int)(i % ranks));
        sxt_str_add(lines, "%s  %s\n", sum[i], inputs[i]);
    }
    free(sum);
    return rc;
}

/* At the start: later the inputs may have been replaced. */
static int keep_inputs(struct sxt_out *out, const struct sxt_prov *prov,
                       struct sxt_error *err)
{
    struct sxt_error own = { 0 };

    if (prov->hashed) {
        sxt_str_add(&out->inputs, "%s", prov->hashed);
        return 0;
    }
    if (!err)
        err = &own;
    return sxt_out_poison(out,
                          sxt_prov_hash(out->comm, prov->inputs, prov->n_inputs,
                                        &out->inputs, err),
                          err);
}

int sxt_out_prov_keep(struct sxt_out *out, const struct sxt_prov *prov,
                      struct sxt_error *err)
{
    out->has_prov = true;
    out->command = sxt_strdup(prov->command ? prov->command : "");
    if (prov->config &&
        sxt_out_bytes(out, SXT_CONFIG_OBJECT,
                      "The resolved configuration, a valid input file.",
                      prov->config, strlen(prov->config), err) != 0)
        return -1;
    return keep_inputs(out, prov, err);
}

static void describe(struct sxt_out *out, struct sxt_str *text)
{
    char host[256] = "", date[64];
    unsigned major, minor, release;
    time_t now = time(NULL);
    struct tm utc;

    gethostname(host, sizeof(host) - 1);
    strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S +0000",
             gmtime_r(&now, &utc));
    H5get_libversion(&major, &minor, &release);
    sxt_str_add(text, "date %s\nhost %s\nranks %d\ncommand %s\n", date, host,
                out->comm.size, out->command);
    sxt_str_add(text, "program sextant %s\ncompiler %s\nhdf5 %u.%u.%u\n",
                PACKAGE_VERSION, __VERSION__, major, minor, release);
    for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
        const char *value = getenv(variables[i]);
        if (value)
            sxt_str_add(text, "env %s=%.200s\n", variables[i], value);
    }
}

int sxt_out_prov_write(struct sxt_out *out, struct sxt_error *err)
{
    struct sxt_str text = SXT_STR_EMPTY;

    describe(out, &text);
    int rc = sxt_out_bytes(out, "/provenance/run",
                           "What may differ between equal runs.", text.data,
                           text.len, err);
    if (rc == 0)
        rc = sxt_out_bytes(out, SXT_INPUTS_OBJECT,
                           "SHA-256 and path of each file that was read.",
                           out->inputs.data, out->inputs.len, err);
    sxt_str_free(&text);
    return rc;
}

void sxt_out_prov_free(struct sxt_out *out)
{
    free(out->command);
    sxt_str_free(&out->inputs);
}
