/* ref.c - the reference backend's table. */
#include "num/ref/ref.h"

const struct sxt_ops sxt_ops_ref = {
    .name = "ref",
    .gemm = sxt_ref_gemm,
    .qgemm = sxt_ref_qgemm,
    .quantize = sxt_ref_quantize,
    .dequantize = sxt_ref_dequantize,
    .embed = sxt_ref_embed,
    .embed_bwd = sxt_ref_embed_bwd,
    .add_rmsnorm = sxt_ref_add_rmsnorm,
    .rmsnorm_bwd = sxt_ref_rmsnorm_bwd,
    .rope = sxt_ref_rope,
    .rope_bwd = sxt_ref_rope_bwd,
    .attn = sxt_ref_attn,
    .attn_bwd = sxt_ref_attn_bwd,
    .attn_paged = sxt_ref_attn_paged,
    .swiglu = sxt_ref_swiglu,
    .swiglu_bwd = sxt_ref_swiglu_bwd,
    .xent = sxt_ref_xent,
    .adamw = sxt_ref_adamw,
    .sumsq = sxt_ref_sumsq,
    .sum_pieces = sxt_ref_sum_pieces,
    .add = sxt_ref_add,
    .cast = sxt_ref_cast,
    .sample = sxt_ref_sample,
};
