/* backend.cu - installs the entries that run on a GPU. */
#include "cuda/backend.h"

#include "cuda/blas.h"
#include "cuda/check.h"
#include "cuda/device.h"

/* An operation that has no line here is not there: on a GPU nobody else could
 * do it, so sxt_num_lacks() names it and the command refuses to start.  The
 * emulated GPU's memory can be read by the host, so there ref steps in, and
 * tests of the whole path do not wait for the last kernel. */
static void install(struct sxt_ops *op)
{
#ifndef SXT_EMU
    *op = sxt_ops();
#endif
    op->name = "cuda";
    op->gemm = sxt_cuda_gemm;
    op->qgemm = sxt_cuda_qgemm;
    op->quantize = sxt_cuda_quantize;
    op->dequantize = sxt_cuda_dequantize;
    op->embed = sxt_cuda_embed;
    op->embed_bwd = sxt_cuda_embed_bwd;
    op->add_rmsnorm = sxt_cuda_add_rmsnorm;
    op->rmsnorm_bwd = sxt_cuda_rmsnorm_bwd;
    op->rope = sxt_cuda_rope;
    op->rope_bwd = sxt_cuda_rope_bwd;
    op->sample = sxt_cuda_sample;
    op->attn = sxt_cuda_attn;
    op->attn_paged = sxt_cuda_attn_paged;
    op->attn_bwd = sxt_cuda_attn_bwd;
    op->swiglu = sxt_cuda_swiglu;
    op->swiglu_bwd = sxt_cuda_swiglu_bwd;
    op->xent = sxt_cuda_xent;
    op->adamw = sxt_cuda_adamw;
    op->sumsq = sxt_cuda_sumsq;
    op->sum_pieces = sxt_cuda_sum_pieces;
    op->add = sxt_cuda_add;
    op->cast = sxt_cuda_cast;
}

static void destroy(void *state)
{
    struct sxt_cuda *cuda = static_cast<struct sxt_cuda *>(state);

    sxt_blas_destroy(cuda->blas);
    sxt_dev_free(cuda->dev, cuda->scratch);
    free(cuda);
}

extern "C" int sxt_cuda_install(struct sxt_num *num, struct sxt_error *err)
{
    cudaStream_t stream = sxt_dev_cuda_stream(num->dev, SXT_STREAM_MAIN);
    struct sxt_blas *blas = sxt_blas_create(num->dev, stream, err);
    int device;
    cudaDeviceProp p;

    if (!blas)
        return -1;
    SXT_CUDA(cudaGetDevice(&device));
    SXT_CUDA(cudaGetDeviceProperties(&p, device));
    struct sxt_cuda *cuda =
        static_cast<struct sxt_cuda *>(sxt_calloc(1, sizeof(*cuda)));
    cuda->stream = stream;
    cuda->processors = p.multiProcessorCount;
    cuda->shared_bytes = p.sharedMemPerBlockOptin;
    cuda->blas = blas;
    cuda->dev = num->dev;
    cuda->scratch = static_cast<char *>(
        sxt_dev_alloc_for(num->dev, SXT_DEV_SCRATCH, SXT_CUDA_SCRATCH));
    num->state = cuda;
    num->destroy_state = destroy;
    install(&num->op);
    snprintf(num->about, sizeof(num->about), "%.60s, compute %d.%d, %s", p.name,
             p.major, p.minor, sxt_blas_about(blas));
    return 0;
}
