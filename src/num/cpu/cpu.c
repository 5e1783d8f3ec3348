/* cpu.c - installs the fast kernels that this processor can run. */
#include "num/cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "num/cpu/gemm.h"

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

static void choose_tile(struct sxt_cpu *cpu)
{
    cpu->tile = sxt_gemm_tile_v8;
    cpu->tile_rows = GEMM_TILE_V8;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        cpu->tile = sxt_gemm_tile_v16;
        cpu->tile_rows = GEMM_TILE_V16;
    }
#endif
}

static void destroy(void *state)
{
    struct sxt_cpu *cpu = state;

    sxt_onednn_destroy(cpu->onednn);
    free(cpu->scratch);
    free(cpu);
}

static void install(struct sxt_ops *op)
{
    op->name = "cpu";
    op->gemm = sxt_cpu_gemm;
    op->qgemm = sxt_cpu_qgemm;
    op->attn = sxt_cpu_attn;
    op->attn_bwd = sxt_cpu_attn_bwd;
    op->attn_paged = sxt_cpu_attn_paged;
    op->embed = sxt_cpu_embed;
    op->embed_bwd = sxt_cpu_embed_bwd;
    op->add_rmsnorm = sxt_cpu_add_rmsnorm;
    op->rmsnorm_bwd = sxt_cpu_rmsnorm_bwd;
    op->rope = sxt_cpu_rope;
    op->rope_bwd = sxt_cpu_rope_bwd;
    op->swiglu = sxt_cpu_swiglu;
    op->swiglu_bwd = sxt_cpu_swiglu_bwd;
    op->xent = sxt_cpu_xent;
    op->adamw = sxt_cpu_adamw;
    op->sumsq = sxt_cpu_sumsq;
    op->sum_pieces = sxt_cpu_sum_pieces;
    op->add = sxt_cpu_add;
    op->cast = sxt_cpu_cast;
    op->sample = sxt_cpu_sample;
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
    choose_tile(cpu);
    cpu->onednn = sxt_onednn_create();
    const char *onednn = sxt_onednn_version(cpu->onednn);
    cpu->scratch = sxt_alloc_aligned((size_t)num->threads * SXT_CPU_SCRATCH);
    num->state = cpu;
    num->destroy_state = destroy;
    install(&num->op);
    snprintf(num->about, sizeof(num->about), "own kernels for %s%s%s",
             cpu->tile == sxt_gemm_tile_v8 ? "256-bit vectors" : "AVX-512",
             onednn ? ", bf16 training by " : "", onednn ? onednn : "");
    return 0;
}
