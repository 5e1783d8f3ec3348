/* cpu.c - installs the fast kernels that this processor can run. */
#include "num/cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* The kernels are compiled for AVX2 and FMA on x86-64 (see include.am), and
 * for the compiler's default elsewhere. */
static bool can_run(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return true;
#endif
}

static bool has_avx512(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f");
#else
    return false;
#endif
}

int sxt_cpu_install(struct sxt_num *num, struct sxt_error *err)
{
    (void)err;
    if (!can_run()) {
        snprintf(num->about, sizeof(num->about),
                 "no AVX2: reference kernels only");
        return 0;
    }
    struct sxt_cpu *cpu = sxt_calloc(1, sizeof(*cpu));
    cpu->avx512 = has_avx512();
    num->state = cpu;
    num->destroy_state = free;
    num->op.name = "cpu";
    snprintf(num->about, sizeof(num->about),
             "%s seen; reference kernels only",
             cpu->avx512 ? "AVX-512" : "AVX2");
    return 0;
}
