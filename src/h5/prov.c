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

/* A model is large and one rank reads a gigabyte in a second: every rank takes
 * its share of the slices.  A file of one slice is rank 0's.  Collective. */
static int digest(struct sxt_comm comm, const char *path,
                  char text[SXT_SHA256_TEXT], struct sxt_error *err)
{
    size_t ranks = (size_t)comm.size, rank = (size_t)comm.rank, n = 1;

    if (rank == 0)
        n = sxt_digest_count(path, err);
    if (sxt_comm_agree(comm, n > 0 ? 0 : -1, err) != 0)
        return -1;
    sxt_comm_broadcast(comm, &n, sizeof(n), 0);
    size_t own = rank < n ? (n - rank - 1) / ranks + 1 : 0, *offsets;
    unsigned char *mine = sxt_alloc(own, SXT_DIGEST_BYTES), *every;
    int rc = own > 0 ? sxt_digest_slices(path, n, rank, ranks, mine, err) : 0;
    rc = sxt_comm_agree(comm, rc, err);
    if (rc == 0) {
        char *all;
        sxt_comm_allgather_bytes(comm, mine, own * SXT_DIGEST_BYTES, &all,
                                 &offsets);
        every = sxt_alloc(n, SXT_DIGEST_BYTES);
        for (size_t i = 0; i < n; i++)
            memcpy(every + i * SXT_DIGEST_BYTES,
                   all + offsets[i % ranks] + i / ranks * SXT_DIGEST_BYTES,
                   SXT_DIGEST_BYTES);
        sxt_digest_join(every, n, text);
        free(every);
        free(all);
        free(offsets);
    }
    free(mine);
    return rc;
}

int sxt_prov_hash(struct sxt_comm comm, const char *const *inputs, size_t n,
                  struct sxt_str *lines, struct sxt_error *err)
{
    for (size_t i = 0; i < n; i++) {
        char sum[SXT_SHA256_TEXT];
        if (digest(comm, inputs[i], sum, err) != 0)
            return -1;
        sxt_str_add(lines, "%s  %s\n", sum, inputs[i]);
    }
    return 0;
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
                           "Digest and path of each file that was read.",
                           out->inputs.data, out->inputs.len, err);
    sxt_str_free(&text);
    return rc;
}

void sxt_out_prov_free(struct sxt_out *out)
{
    free(out->command);
    sxt_str_free(&out->inputs);
}
