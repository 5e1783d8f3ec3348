/* quantize.cu - weights to 8 or 4 bits and back, with ref's bits: what decides
 * a code is computed as ref does it, by codes.h. */
#include "cuda/qmat.cuh"
#include "num/codes.h"

enum { THREADS = 256, WARPS = THREADS / 32 };
static_assert(THREADS == (int)SXT_NF4_GROUP, "a block of threads does a group");

/* A warp does a row. */
template <class T>
__global__ void __launch_bounds__(THREADS)
    to_int8(struct sxt_qmat w, const T *x)
{
    size_t row = (size_t)blockIdx.x * WARPS + threadIdx.x / 32;
    float max = 0;

    if (row >= w.n)
        return;
    for (size_t c = threadIdx.x % 32; c < w.k; c += 32)
        max = fmaxf(max, fabsf(sxt_f32(x[row * w.k + c])));
    float scale = (float)((double)sxt_warp_max(max) / 127);
    for (size_t c = threadIdx.x % 32; c < w.k; c += 32)
        w.q[row * w.k + c] =
            (uint8_t)sxt_code8(sxt_f32(x[row * w.k + c]), scale);
    if (threadIdx.x % 32 == 0)
        w.scale[row] = scale;
}

/* The maxima of a group's blocks, zeros behind the last. */
template <class T>
__device__ static void read_maxima(float max[SXT_NF4_GROUP], const T *x,
                                   size_t n_blocks)
{
    size_t first = (size_t)blockIdx.x * SXT_NF4_GROUP;

    for (int i = threadIdx.x / 32; i < SXT_NF4_GROUP; i += WARPS) {
        const T *at = x + (first + i) * SXT_NF4_BLOCK + threadIdx.x % 32;
        float most = 0;
        if (first + i < n_blocks)
            most = fmaxf(fmaxf(most, fabsf(sxt_f32(at[0]))),
                         fabsf(sxt_f32(at[32])));
        most = sxt_warp_max(most);
        if (threadIdx.x % 32 == 0)
            max[i] = most;
    }
    __syncthreads();
}

/* Every group's sum, in order. */
template <class T>
__global__ void __launch_bounds__(THREADS)
    add_maxima(double *sum, const T *x, size_t n_blocks)
{
    __shared__ float max[SXT_NF4_GROUP];
    double all = 0;

    read_maxima(max, x, n_blocks);
    if (threadIdx.x != 0)
        return;
    for (int i = 0; i < SXT_NF4_GROUP; i++)
        all += max[i];
    sum[blockIdx.x] = all;
}

/* A block does a group: its scale, its blocks' scales, its codes. */
template <class T>
__global__ void __launch_bounds__(THREADS)
    to_nf4(struct sxt_qmat w, const T *x, size_t n_blocks,
           struct sxt_code_book book)
{
    __shared__ float max[SXT_NF4_GROUP];
    __shared__ double widest[WARPS];
    __shared__ float code[16];
    size_t b = (size_t)blockIdx.x * SXT_NF4_GROUP + threadIdx.x;
    double off = 0;

    if (threadIdx.x < 16)
        code[threadIdx.x] = book.code[threadIdx.x];
    read_maxima(max, x, n_blocks);
    if (b < n_blocks)
        off = (double)max[threadIdx.x] - w.offset;
    double most = fabs(off);
    for (int step = 16; step > 0; step /= 2)
        most = fmax(most, __shfl_xor_sync(0xffffffffu, most, step));
    if (threadIdx.x % 32 == 0)
        widest[threadIdx.x / 32] = most;
    __syncthreads();
    for (int i = 0; i < WARPS; i++)
        most = fmax(most, widest[i]);
    float scale = (float)(most / 127);
    if (threadIdx.x == 0)
        w.group_scale[blockIdx.x] = scale;
    if (b < n_blocks)
        w.block_scale[b] = (uint8_t)sxt_code8(off, scale);
    __syncthreads(); /* what sxt_nf4_block_max reads is there */
    size_t first = (size_t)blockIdx.x * SXT_NF4_GROUP * SXT_NF4_BLOCK;
    size_t end = n_blocks * SXT_NF4_BLOCK;
    for (int j = threadIdx.x * 2; j < SXT_NF4_GROUP * SXT_NF4_BLOCK;
         j += 2 * THREADS) {
        size_t i = first + j;
        if (i >= end)
            break;
        double by = sxt_nf4_block_max(&w, i / SXT_NF4_BLOCK);
        w.q[i / 2] = (uint8_t)(sxt_code4(code, sxt_f32(x[i]), by) |
                               sxt_code4(code, sxt_f32(x[i + 1]), by) << 4);
    }
}

template <class T>
__global__ void __launch_bounds__(THREADS)
    read_back(T *x, struct sxt_qmat w, struct sxt_code_book book)
{
    size_t c = (size_t)blockIdx.x * THREADS + threadIdx.x;

    for (size_t row = blockIdx.y; row < w.n && c < w.k; row += gridDim.y)
        x[row * w.k + c] = sxt_round<T>(sxt_weight(w, book, row, c));
}

/* The offset is the host's: it is worked out there, in ref's order. */
template <class T>
static void quantize_nf4(struct sxt_num *num, struct sxt_qmat *w, const T *x)
{
    const struct sxt_cuda *cuda = sxt_cuda_of(num);
    size_t n_blocks = w->n * (w->k / SXT_NF4_BLOCK);
    size_t groups = (n_blocks + SXT_NF4_GROUP - 1) / SXT_NF4_GROUP;
    double *host = static_cast<double *>(sxt_alloc(groups, sizeof(*host)));
    double *sum = reinterpret_cast<double *>(cuda->scratch), all = 0;

    SXT_CHECK(groups * sizeof(*sum) <= SXT_CUDA_SCRATCH);
    SXT_LAUNCH(add_maxima<T>, (unsigned)groups, THREADS, 0, cuda->stream, sum,
               x, n_blocks);
    sxt_dev_get(num->dev, host, sum, groups * sizeof(*host));
    for (size_t i = 0; i < groups; i++)
        all += host[i];
    free(host);
    w->offset = (float)(all / (double)n_blocks);
    SXT_LAUNCH(to_nf4<T>, (unsigned)groups, THREADS, 0, cuda->stream, *w, x,
               n_blocks, sxt_nf4_book());
}

template <class T>
static void quantize(struct sxt_num *num, struct sxt_qmat *w, const T *x)
{
    if (w->format == SXT_NF4)
        quantize_nf4(num, w, x);
    else
        SXT_LAUNCH(to_int8<T>, sxt_blocks(w->n, WARPS), THREADS, 0,
                   sxt_cuda_of(num)->stream, *w, x);
}

void sxt_cuda_quantize(struct sxt_num *num, struct sxt_qmat *w, const void *x,
                       enum sxt_dtype type)
{
    if (type == SXT_F32)
        quantize(num, w, static_cast<const float *>(x));
    else
        quantize(num, w, static_cast<const bf16 *>(x));
}

template <class T>
static void dequantize(struct sxt_num *num, T *x, const struct sxt_qmat *w)
{
    const size_t most = 65535; /* of blocks along y */
    unsigned rows = (unsigned)(w->n < most ? w->n : most);

    SXT_LAUNCH(read_back<T>, dim3(sxt_blocks(w->k, THREADS), rows), THREADS, 0,
               sxt_cuda_of(num)->stream, x, *w, sxt_nf4_book());
}

void sxt_cuda_dequantize(struct sxt_num *num, void *x, const struct sxt_qmat *w,
                         enum sxt_dtype type)
{
    if (type == SXT_F32)
        dequantize(num, static_cast<float *>(x), w);
    else
        dequantize(num, static_cast<bf16 *>(x), w);
}
