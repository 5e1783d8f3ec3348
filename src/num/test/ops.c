/* ops.c - every backend against ref, over every operation and awkward shape,
 * on memory that only kernels may touch. */
#include "base/test/tap.h"
#include "num/test/compare.h"

int main(void)
{
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
