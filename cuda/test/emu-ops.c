/* emu-ops.c - the GPU's kernels against ref over every operation and awkward
 * shape: on the emulated GPU or, compiled with REAL, on a real one.
 *
 * usage: emu-ops.t [NAME]      only operations whose name contains NAME */
#include <stdlib.h>

#include "base/test/tap.h"
#include "dev/driver.h"
#include "num/test/compare.h"

#ifdef REAL
#define PREFIX "gpu-"
#define MISSING "it is not there yet"
#define NEEDS_ALL true
#define AGAIN "a second time gives the same bits"
static void sxt_emu_reverse(bool reverse)
{
    (void)reverse; /* nobody rules the order there: it differs by itself */
}
#else
#include "cuda/emu/memory.h"
#define PREFIX "emu-"
#define MISSING "ref stands in for it"
#define NEEDS_ALL false
#define AGAIN "the order of the threads does not show"
#endif

/* The hash of every case's outcome, with the threads in this order. */
static uint64_t hash_cases(const struct run *run, enum sxt_dtype type,
                           struct lab *lab, bool reverse)
{
    uint64_t hash = 0;
    char shape[100];

    sxt_emu_reverse(reverse);
    for (size_t i = 0;; i++) {
        struct outcome x = { 0 };
        lab_clean(lab, i);
        if (!run->run(lab, i, type, &x, shape))
            break;
        hash = compare_hash(&x, hash);
    }
    sxt_emu_reverse(false);
    return hash;
}

#ifndef REAL
/* Kernels of + - * / sqrtf fmaf have the same bits by nvcc's PTX as by the host
 * compiler's code.  The others use exp, log or divisions that may differ. */
static void test_bits(const struct run *run, struct lab *up,
                      const uint64_t by_ptx[2])
{
    static const char *const exact[] = { "embed", "rmsnorm", "rope",
                                         "adamw", "sums",    "qgemm" };
    char *ptx = getenv("SXT_EMU_PTX");
    bool same = true;

    for (size_t i = 0; ptx && i < sizeof(exact) / sizeof(*exact); i++) {
        if (strcmp(run->op, exact[i]) != 0)
            continue;
        for (int type = SXT_F32; type <= SXT_BF16; type++) {
            ptx = strdup(ptx);
            unsetenv("SXT_EMU_PTX");
            same &= hash_cases(run, (enum sxt_dtype)type, up, false) ==
                    by_ptx[type];
            setenv("SXT_EMU_PTX", ptx, 1);
            free(ptx);
            ptx = getenv("SXT_EMU_PTX");
        }
        ok(same, PREFIX "%s: by its PTX the same bits", run->op);
    }
}
#else
static void test_bits(const struct run *run, struct lab *up,
                      const uint64_t by_ptx[2])
{
    (void)run;
    (void)up;
    (void)by_ptx;
}
#endif

/* What each run calls, ref's own and the GPU's: where ref stands in for all of
 * it there is nothing to compare. */
static const struct {
    const char *op, *entry[4];
} calls[] = {
    { "gemm", { "gemm" } },
    { "embed", { "embed", "embed_bwd" } },
    { "rmsnorm", { "add_rmsnorm", "rmsnorm_bwd" } },
    { "rope", { "rope", "rope_bwd" } },
    { "attn", { "attn" } },
    { "attn_bwd", { "attn_bwd" } },
    { "attn_paged", { "attn_paged" } },
    { "swiglu", { "swiglu", "swiglu_bwd" } },
    { "xent", { "xent" } },
    { "adamw", { "adamw" } },
    { "sums", { "sumsq", "sum_pieces", "add", "cast" } },
    { "qgemm", { "qgemm", "quantize", "dequantize" } },
    { "sample", { "sample" } },
};

/* Says which entries are not there; true if the run says something about those
 * that are.  On a real GPU nobody stands in: it needs them all. */
static bool on_gpu(const struct run *run, const struct sxt_num *num)
{
    size_t n = sizeof(calls) / sizeof(*calls), i = 0;
    bool some = false, all = true;

    while (i < n && strcmp(calls[i].op, run->op) != 0)
        i++;
    SXT_CHECK(i < n);
    for (int k = 0; k < 4 && calls[i].entry[k]; k++) {
        bool own = sxt_num_owns(num, calls[i].entry[k]);
        some = some || own;
        all = all && own;
        if (!own)
            skip(MISSING, PREFIX "%s", calls[i].entry[k]);
    }
    return NEEDS_ALL ? all : some;
}

/* Against ref, and with the threads of a block in both orders. */
static void test_run(const struct run *run, struct lab *up, struct lab *ref)
{
    static const char *const name[] = { "f32", "bf16" };
    bool same = true;
    uint64_t hash[2];

    for (int type = SXT_F32; type <= SXT_BF16; type++) {
        double worst, limit = run->tolerance[type];
        if (type == SXT_BF16 && run->tolerance[2] > 0)
            limit = run->tolerance[2];
        bool near = compare_op(run, (enum sxt_dtype)type, up, ref, limit,
                               &worst, &hash[type]);
        ok(near,
           PREFIX "%s: %s, agrees with ref (largest difference %.2g of %.2g)",
           run->op, name[type], worst, limit);
        same &= hash_cases(run, (enum sxt_dtype)type, up, true) == hash[type];
    }
    ok(same, PREFIX "%s: " AGAIN, run->op);
    test_bits(run, up, hash);
}

int main(int argc, char **argv)
{
    struct lab ref, up;
    struct sxt_error err = { 0 };
    char text[200];

    if (sxt_dev_cuda_count(&err) < 0)
        return skip_all(err.text);
    lab_open(&ref, "ref", "fake", 1);
    lab_open(&up, "cuda", "cuda", 1);
    sxt_num_describe(up.num, text);
    printf("# %s\n", text);
    for (const struct run *run = sxt_runs; run->op; run++)
        if ((argc < 2 || strstr(run->op, argv[1])) && on_gpu(run, up.num))
            test_run(run, &up, &ref);
    lab_close(&ref);
    lab_close(&up);
    return done_testing();
}
