/* attn.cu - causal attention with grouped queries inside the documents of a
 * packed batch.
 *
 * Tiles of tokens begin with their document, so that what stands beside a
 * document in the batch does not show.  The host does not know where documents
 * begin: tile i of all is found by the block itself. */
#include "cuda/attn.cuh"
#include "cuda/attn_choose.h"

enum { PLAIN_WARPS = 4 };

template <class T> struct packed {
    const T *qkv;
    T *o;
    float *lse;
    const int32_t *start; /* (docs + 1) */
    unsigned docs;
    size_t t, hq, hk, d;
    float scale;
};

/* Keys of one head, from a document's first token on. */
template <class T> struct packed_keys {
    const T *k, *v;
    size_t ld;
    __device__ size_t at(unsigned j) const
    {
        return j * ld;
    }
};

template <class T>
__device__ static packed_keys<T> keys_of(const packed<T> &a, size_t start,
                                         size_t kv)
{
    size_t heads = a.hq + 2 * a.hk;
    const T *k = a.qkv + (start * heads + a.hq + kv) * a.d;

    return { k, k + a.hk * a.d, heads * a.d };
}

/* The last document i with  start[i] / step + i gap <= number.  With gap 0 and
 * step 1 that of a token.  With gap 1, tiles of `step` tokens are numbered from
 * there on in each document: that leaves room for those of the one before. */
__device__ static unsigned find_document(const int32_t *start, unsigned docs,
                                         unsigned step, unsigned gap,
                                         unsigned number)
{
    unsigned low = 0, high = docs - 1;

    while (low < high) {
        unsigned middle = (low + high + 1) / 2;
        if ((unsigned)start[middle] / step + middle * gap <= number)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* log sum exp of the warp's rows. */
template <class S>
__device__ static void store_lse(float *lse, const sxt_flash<S> &f,
                                 const sxt_flash_rows &rows, size_t hq,
                                 float scale)
{
    unsigned row = threadIdx.x / 32 * 16 * S::M + threadIdx.x % 32 / 4;

    if (!lse || threadIdx.x % 4 != 0)
        return;
    for (unsigned i = 0; i < 2 * S::M; i++)
        if (row + 8 * i < rows.n)
            lse[sxt_flash_at(rows, row + 8 * i, hq)] =
                fmaf(f.max[i / 2][i % 2], scale, logf(f.sum[i / 2][i % 2]));
}

template <class S>
__global__ void __launch_bounds__(SXT_FLASH_THREADS)
    attend(const packed<bf16> a)
{
    SXT_SHARED(bf16, q);
    bf16 *stage = q + S::ROWS * S::D;
    unsigned group = (unsigned)(a.hq / a.hk), step = S::ROWS / group;
    unsigned tile = gridDim.x - 1 - blockIdx.x; /* long ones first */
    unsigned doc = find_document(a.start, a.docs, step, 1, tile);
    unsigned start = (unsigned)a.start[doc];
    unsigned length = (unsigned)a.start[doc + 1] - start;
    unsigned first = (tile - start / step - doc) * step;
    float c = a.scale * SXT_LOG2E;
    sxt_flash<S> f;

    if (first >= length)
        return;
    unsigned end = min(first + step, length); /* tokens and keys */
    const sxt_flash_rows rows = { (end - first) * group, group, first + 1,
                                  start + first, blockIdx.y * group };
    const packed_keys<bf16> from = keys_of(a, start, blockIdx.y);
    sxt_flash_load_q<S>(q, a.qkv, rows, a.hq + 2 * a.hk);
    sxt_flash_load<S>(stage, from, 0, end);
    sxt_flash_open(f);
    for (unsigned at = 0, turn = 0; at < end; at += S::N, turn ^= 1) {
        sxt_copy_wait<0>();
        __syncthreads(); /* this stage is there, the other one is free */
        if (at + S::N < end)
            sxt_flash_load<S>(stage + (turn ^ 1) * 2 * S::N * S::D, from,
                              at + S::N, end);
        sxt_flash_step(f, q, stage + turn * 2 * S::N * S::D, rows, at, c);
    }
    sxt_flash_close(f);
    sxt_flash_store(a.o, f, q, rows, a.hq);
    store_lse(a.lse, f, rows, a.hq, a.scale);
}

/* A warp does query head row % hq of token row / hq. */
template <class T>
__global__ void __launch_bounds__(32 * PLAIN_WARPS)
    attend_plain(const packed<T> a)
{
    __shared__ float p[PLAIN_WARPS][32];
    unsigned warp = threadIdx.x / 32;
    size_t row = (size_t)blockIdx.x * PLAIN_WARPS + warp;
    size_t t = row / a.hq, h = row % a.hq;
    sxt_plain x;

    if (t >= a.t)
        return;
    size_t start =
        (size_t)a.start[find_document(a.start, a.docs, 1, 0, (unsigned)t)];
    sxt_plain_open(x);
    sxt_plain_run(x, a.qkv + (t * (a.hq + 2 * a.hk) + h) * a.d,
                  keys_of(a, start, h / (a.hq / a.hk)), 0,
                  (unsigned)(t - start) + 1, a.d, a.scale * SXT_LOG2E, p[warp]);
    sxt_plain_store(a.o + row * a.d, x, a.d);
    if (a.lse && threadIdx.x % 32 == 0)
        a.lse[row] = fmaf(x.max, a.scale, logf(x.sum));
}

template <class T> static packed<T> arguments(const struct sxt_attn *a)
{
    return { (const T *)a->qkv,
             (T *)a->o,
             a->lse,
             a->cu_seqlens,
             (unsigned)a->n_docs,
             a->t,
             a->hq,
             a->hk,
             a->d,
             a->scale };
}

template <class S>
static void run_flash(struct sxt_num *num, const struct sxt_attn *a)
{
    size_t step = S::ROWS / (a->hq / a->hk);
    dim3 grid((unsigned)(a->t / step + a->n_docs), (unsigned)a->hk);

    SXT_CUDA(cudaFuncSetAttribute(
        attend<S>, cudaFuncAttributeMaxDynamicSharedMemorySize, S::BYTES));
    SXT_LAUNCH(attend<S>, grid, SXT_FLASH_THREADS, S::BYTES,
               sxt_cuda_of(num)->stream, arguments<bf16>(a));
}

template <class T>
static void run_plain(struct sxt_num *num, const struct sxt_attn *a)
{
    SXT_LAUNCH(attend_plain<T>, sxt_blocks(a->t * a->hq, PLAIN_WARPS),
               32 * PLAIN_WARPS, 0, sxt_cuda_of(num)->stream, arguments<T>(a));
}

typedef sxt_flash_shape<64, 2, 64> narrow;
typedef sxt_flash_shape<128, 2, 32> broad;

void sxt_cuda_attn(struct sxt_num *num, const struct sxt_attn *a)
{
    size_t tiles = sxt_attn_tiles(a->type, a->d, a->hq / a->hk, narrow::ROWS,
                                  { a->qkv, a->o });

    SXT_CHECK(a->d <= SXT_PLAIN_D);
    if (a->t == 0)
        return;
    if (tiles == narrow::D)
        run_flash<narrow>(num, a);
    else if (tiles == broad::D)
        run_flash<broad>(num, a);
    else if (a->type == SXT_BF16)
        run_plain<bf16>(num, a);
    else
        run_plain<float>(num, a);
}
