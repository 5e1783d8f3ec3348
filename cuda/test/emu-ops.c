/* emu-ops.c - the GPU's kernels, on the emulated GPU, against ref over every
 * operation and awkward shape. */
#include "base/hash.h"
#include "base/test/tap.h"
#include "cuda/emu/memory.h"
#include "num/test/compare.h"

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
        for (size_t k = 0; k < x.n; k++)
            hash = sxt_hash64(x.part[k].x, x.part[k].n * sizeof(double), hash);
    }
    sxt_emu_reverse(false);
    return hash;
}

static bool both_orders(const struct run *run, enum sxt_dtype type,
                        struct lab *lab)
{
    return hash_cases(run, type, lab, false) ==
           hash_cases(run, type, lab, true);
}

int main(void)
{
    struct lab ref, up;
    char text[200];

    lab_open(&ref, "ref", "fake", 1);
    lab_open(&up, "cuda", "cuda", 1);
    sxt_num_describe(up.num, text);
    printf("# %s\n", text);
    compare_all("emu-", "agrees with ref", &up, &ref, false);
    for (const struct run *run = sxt_runs; run->op; run++) {
        bool same = true;
        for (int type = SXT_F32; type <= SXT_BF16; type++)
            same &= both_orders(run, (enum sxt_dtype)type, &up);
        ok(same, "emu-%s: the order of the threads does not show", run->op);
    }
    lab_close(&ref);
    lab_close(&up);
    return done_testing();
}
