/* ops.c - every backend against ref, over every operation and awkward shape,
 * on memory that only kernels may touch.
 *
 * `ops.t bits` makes no claim: it prints a hash of what cpu computes, a line
 * for each operation and type, to be compared with another processor's. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/test/tap.h"
#include "num/test/compare.h"

static uint64_t hash_cases(struct lab *lab, const struct run *run,
                           enum sxt_dtype type)
{
    struct outcome out = { 0 };
    uint64_t hash = 0;
    char shape[100];

    for (size_t i = 0;; i++, out.n = 0) {
        lab_clean(lab, i);
        if (!run->run(lab, i, type, &out, shape))
            return hash;
        for (size_t k = 0; k < out.n; k++)
            hash =
                sxt_hash64(out.part[k].x, out.part[k].n * sizeof(double), hash);
    }
}

static void print_bits(void)
{
    struct lab lab;

    lab_open(&lab, "cpu", "host", 1);
    for (const struct run *run = sxt_runs; run->op; run++)
        for (int type = SXT_F32; compare_wants(run) && type <= SXT_BF16; type++)
            printf("# bits of %s %s %016" PRIx64 "\n", run->op,
                   type == SXT_F32 ? "f32" : "bf16",
                   hash_cases(&lab, run, (enum sxt_dtype)type));
    lab_close(&lab);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "bits") == 0) {
        print_bits();
        return 0;
    }
    struct lab ref1, ref3, cpu1, cpu3;
    char text[200];

    lab_open(&ref1, "ref", "fake", 1);
    lab_open(&ref3, "ref", "fake", 3);
    lab_open(&cpu1, "cpu", "fake", 1);
    lab_open(&cpu3, "cpu", "fake", 3);
    sxt_num_describe(cpu3.num, text);
    printf("# %s\n", text);
    compare_all("", "ref with 3 threads is ref with 1, to the bit", &ref3,
                &ref1, true);
    compare_all("", "cpu agrees with ref", &cpu1, &ref1, false);
    compare_all("", "cpu with 3 threads is cpu with 1, to the bit", &cpu3,
                &cpu1, true);
    lab_close(&ref1);
    lab_close(&ref3);
    lab_close(&cpu1);
    lab_close(&cpu3);
    return done_testing();
}
