/* num.c - choosing a backend and giving it back. */
#include <omp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "num/ops.h"

/* Every entry by name, and what needs it; those of generation also train,
 * measure what training made, or quantise it. */
static const struct {
    const char *name;
    size_t at;
    bool generate, train;
} entries[] = {
#define ENTRY(name, generate, train)                           \
    {                                                          \
#name, offsetof(struct sxt_ops, name), generate, train \
    }
    ENTRY(gemm, true, true),        ENTRY(qgemm, true, false),
    ENTRY(quantize, true, false),   ENTRY(dequantize, true, false),
    ENTRY(embed, true, true),       ENTRY(embed_bwd, false, true),
    ENTRY(add_rmsnorm, true, true), ENTRY(rmsnorm_bwd, false, true),
    ENTRY(rope, true, true),        ENTRY(rope_bwd, false, true),
    ENTRY(attn, false, true),       ENTRY(attn_bwd, false, true),
    ENTRY(attn_paged, true, false), ENTRY(swiglu, true, true),
    ENTRY(swiglu_bwd, false, true), ENTRY(xent, false, true),
    ENTRY(adamw, false, true),      ENTRY(sumsq, false, true),
    ENTRY(sum_pieces, false, true), ENTRY(add, true, true),
    ENTRY(cast, true, true),        ENTRY(sample, true, false),
#undef ENTRY
};

/* An entry is a pointer to a function; all have one size. */
static bool is_there(const struct sxt_ops *op, size_t at)
{
    void (*entry)(void);

    memcpy(&entry, (const char *)op + at, sizeof(entry));
    return entry != NULL;
}

bool sxt_num_lacks(const struct sxt_num *num, enum sxt_num_use use,
                   char names[300])
{
    size_t used = 0;

    names[0] = '\0';
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
        if ((use == SXT_NUM_TRAIN ? entries[i].train : entries[i].generate) &&
            !is_there(&num->op, entries[i].at))
            used += (size_t)snprintf(names + used, 300 - used, "%s%s",
                                     used > 0 ? " " : "", entries[i].name);
    return used > 0;
}

bool sxt_num_owns(const struct sxt_num *num, const char *entry)
{
    size_t n = sizeof(entries) / sizeof(entries[0]), i = 0;

    while (i < n && strcmp(entry, entries[i].name) != 0)
        i++;
    SXT_CHECK(i < n);
    size_t at = entries[i].at;
    return is_there(&num->op, at) &&
           memcmp((const char *)&num->op + at, (const char *)&sxt_ops_ref + at,
                  sizeof(void (*)(void))) != 0;
}

/* ref's entries are there until a backend overrides them. */
static int install(struct sxt_num *num, const char *name, struct sxt_error *err)
{
    bool gpu = strcmp(sxt_dev_kind(num->dev), "cuda") == 0;
    bool best = strcmp(name, "auto") == 0;

    num->op = sxt_ops_ref;
    snprintf(num->about, sizeof(num->about), "plain C, sums in f64");
    if (strcmp(name, "cuda") != 0 && !best && gpu)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "backend '%s' cannot reach the memory of a GPU; use "
                       "cuda or auto, or device = cpu",
                       name);
    if (strcmp(name, "cuda") == 0 && !gpu)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "backend 'cuda' needs device = cuda, not %s",
                       sxt_dev_kind(num->dev));
    if (gpu)
        return sxt_cuda_install(num, err);
    if (strcmp(name, "ref") == 0)
        return 0;
    if (strcmp(name, "cpu") == 0 || best)
        return sxt_cpu_install(num, err);
    return sxt_err(err, SXT_EXIT_CONFIG,
                   "backend '%s' is not in this build; there are ref, cpu, "
                   "cuda and auto",
                   name);
}

struct sxt_num *sxt_num_create(const char *name, struct sxt_dev *dev,
                               int threads, struct sxt_error *err)
{
    struct sxt_num *num = sxt_calloc(1, sizeof(*num));

    SXT_CHECK(threads >= 0);
    num->dev = dev;
    num->threads = threads > 0 ? threads : omp_get_max_threads();
    if (install(num, name, err) != 0) {
        sxt_num_destroy(num);
        return NULL;
    }
    return num;
}

void sxt_num_destroy(struct sxt_num *num)
{
    if (!num)
        return;
    if (num->destroy_state)
        num->destroy_state(num->state);
    free(num);
}

void sxt_num_describe(const struct sxt_num *num, char text[200])
{
    snprintf(text, 200, "%s (%s), %d thread%s, device %s", num->op.name,
             num->about, num->threads, num->threads == 1 ? "" : "s",
             sxt_dev_kind(num->dev));
}
