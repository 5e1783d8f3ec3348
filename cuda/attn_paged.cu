/* attn_paged.cu - attention of query tokens to the pages of a KV cache: decode
 * and chunked prefill by one kernel.
 *
 * A block takes tokens of one sequence at consecutive positions, as many as
 * their query heads of one key head fill its rows with; a decoded token is a
 * run of one.  Its keys come in splits of SXT_ATTN_SPLIT positions that are
 * merged in order.  Where tokens and key heads keep the GPU busy, a block does
 * all splits and merges in registers.  Where not, blocks share the splits, and
 * a second kernel merges them by the same arithmetic: neither shows. */
#include "cuda/attn.cuh"
#include "cuda/attn_choose.h"

enum {
    PLAIN_WARPS = 4,
    BLOCKS = 4 /* that a multiprocessor is to have; speed only */
};

template <class T> struct paged {
    const T *qkv, *k, *v;
    T *o;
    const int32_t *table, *seq, *pos;
    size_t t, pages, page, hq, hk, d; /* pages of a sequence, rows of a page */
    float c;                          /* scale log2(e) */
    size_t splits;                    /* room in parts for each row */
    float *acc;                       /* (t, hq, splits, d) */
    float2 *stat;                     /* (t, hq, splits): max, sum */
};

/* Keys of one head, position by position. */
template <class T> struct paged_keys {
    const T *k, *v;
    const int32_t *table; /* of the sequence */
    unsigned page;
    size_t ld;
    __device__ size_t at(unsigned j) const
    {
        return ((size_t)table[j / page] * page + j % page) * ld;
    }
};

template <class T>
__device__ static paged_keys<T> keys_of(const paged<T> &a, size_t t, size_t kv)
{
    return { a.k + kv * a.d, a.v + kv * a.d,
             a.table + (size_t)a.seq[t] * a.pages, (unsigned)a.page,
             a.hk * a.d };
}

template <class T> __device__ static bool follows(const paged<T> &a, size_t t)
{
    return a.seq[t] == a.seq[t - 1] && a.pos[t] == a.pos[t - 1] + 1;
}

/* The length of the run that begins at token t, 0 if it began before.  Runs
 * also end at multiples of `most`. */
template <class T>
__device__ static unsigned run_at(const paged<T> &a, size_t t, unsigned most)
{
    unsigned n = 1;

    if (t % most != 0 && follows(a, t))
        return 0;
    while (t + n < a.t && (t + n) % most != 0 && follows(a, t + n))
        n++;
    return n;
}

/* all = all and f in order; f begins anew. */
template <class S>
__device__ static void merge(sxt_flash<S> &all, sxt_flash<S> &f, float c)
{
    sxt_flash_close(f);
#pragma unroll
    for (int i = 0; i < 2 * S::M; i++) {
        int m = i / 2, h = i % 2 * 2;
        sxt_merge by = sxt_merge_max(all.max[m][h / 2], f.max[m][h / 2], c);
        sxt_merge_add(all.sum[m][h / 2], f.sum[m][h / 2], by);
#pragma unroll
        for (int d = 0; d < S::D / 8; d++) {
            sxt_merge_add(all.acc[m][d][h], f.acc[m][d][h], by);
            sxt_merge_add(all.acc[m][d][h + 1], f.acc[m][d][h + 1], by);
        }
    }
    sxt_flash_open(f);
}

/* The warp's rows of a split go to memory; f begins anew. */
template <class S>
__device__ static void keep(const paged<bf16> &a, sxt_flash<S> &f,
                            const sxt_flash_rows &rows, size_t split)
{
    unsigned row = threadIdx.x / 32 * 16 * S::M + threadIdx.x % 32 / 4;

    sxt_flash_close(f);
#pragma unroll
    for (int i = 0; i < 2 * S::M; i++) {
        int m = i / 2, h = i % 2 * 2;
        if (row + 8 * i >= rows.n)
            continue;
        size_t at = sxt_flash_at(rows, row + 8 * i, a.hq) * a.splits + split;
        float *acc = a.acc + at * S::D + threadIdx.x % 4 * 2;
        if (threadIdx.x % 4 == 0)
            a.stat[at] = make_float2(f.max[m][h / 2], f.sum[m][h / 2]);
#pragma unroll
        for (int d = 0; d < S::D / 8; d++)
            *reinterpret_cast<float2 *>(acc + 8 * d) =
                make_float2(f.acc[m][d][h], f.acc[m][d][h + 1]);
    }
    sxt_flash_open(f);
}

/* FOLD: gridDim.z is 1, and the result is stored.  Else block z does splits
 * z, z + gridDim.z, … and keeps each. */
template <class S, bool FOLD>
__global__ void __launch_bounds__(SXT_FLASH_THREADS) attend(const paged<bf16> a)
{
    SXT_SHARED(bf16, q);
    bf16 *stage = q + S::ROWS * S::D;
    unsigned group = (unsigned)(a.hq / a.hk), kv = blockIdx.y, turn = 0;
    size_t t = blockIdx.x;
    unsigned tokens = run_at(a, t, S::ROWS / group);
    unsigned at = blockIdx.z * SXT_ATTN_SPLIT, next;
    unsigned end = (unsigned)a.pos[t] + tokens;
    sxt_flash<S> f, all;

    if (tokens == 0 || at >= end)
        return;
    const sxt_flash_rows rows = { tokens * group, group, (unsigned)a.pos[t] + 1,
                                  t, kv * group };
    const paged_keys<bf16> from = keys_of(a, t, kv);
    sxt_flash_load_q<S>(q, a.qkv, rows, a.hq + 2 * a.hk);
    sxt_flash_load<S>(stage, from, at, end);
    sxt_flash_open(f);
    if (FOLD)
        sxt_flash_open(all);
    for (; at < end; at = next, turn ^= 1) {
        next = at + S::N;
        if (!FOLD && next % SXT_ATTN_SPLIT == 0)
            next += (gridDim.z - 1) * SXT_ATTN_SPLIT;
        sxt_copy_wait<0>();
        __syncthreads(); /* this stage is there, the other one is free */
        if (next < end)
            sxt_flash_load<S>(stage + (turn ^ 1) * 2 * S::N * S::D, from, next,
                              end);
        sxt_flash_step(f, q, stage + turn * 2 * S::N * S::D, rows, at, a.c);
        if ((at + S::N) % SXT_ATTN_SPLIT != 0 && at + S::N < end)
            continue;
        if (FOLD)
            merge(all, f, a.c);
        else
            keep(a, f, rows, at / SXT_ATTN_SPLIT);
    }
    if (FOLD)
        sxt_flash_store(a.o, all, q, rows, a.hq);
}

/* A block merges the splits of a query head of a token, a thread a column. */
template <class S>
__global__ void __launch_bounds__(S::D) combine(const paged<bf16> a)
{
    size_t row = blockIdx.x, first = row * a.splits;
    size_t n = (size_t)a.pos[row / a.hq] / SXT_ATTN_SPLIT + 1;
    float max = -INFINITY, sum = 0, acc = 0;

    for (size_t i = first; i < first + n; i++) {
        float2 stat = a.stat[i];
        sxt_merge by = sxt_merge_max(max, stat.x, a.c);
        sxt_merge_add(sum, stat.y, by);
        sxt_merge_add(acc, a.acc[i * S::D + threadIdx.x], by);
    }
    a.o[row * S::D + threadIdx.x] = sxt_round<bf16>(acc * (1 / sum));
}

/* A warp does query head row % hq of token row / hq. */
template <class T>
__global__ void __launch_bounds__(32 * PLAIN_WARPS)
    attend_plain(const paged<T> a)
{
    __shared__ float p[PLAIN_WARPS][32];
    unsigned warp = threadIdx.x / 32;
    size_t row = (size_t)blockIdx.x * PLAIN_WARPS + warp;
    size_t t = row / a.hq, h = row % a.hq;
    sxt_plain x, all;

    if (t >= a.t)
        return;
    const T *q = a.qkv + (t * (a.hq + 2 * a.hk) + h) * a.d;
    const paged_keys<T> from = keys_of(a, t, h / (a.hq / a.hk));
    unsigned end = (unsigned)a.pos[t] + 1;
    sxt_plain_open(all);
    for (unsigned at = 0; at < end; at += SXT_ATTN_SPLIT) {
        sxt_plain_open(x);
        sxt_plain_run(x, q, from, at, min(at + SXT_ATTN_SPLIT, end), a.d, a.c,
                      p[warp]);
        sxt_merge by = sxt_merge_max(all.max, x.max, a.c);
        sxt_merge_add(all.sum, x.sum, by);
        for (int i = 0; i < SXT_PLAIN_D / 32; i++)
            sxt_merge_add(all.acc[i], x.acc[i], by);
    }
    sxt_plain_store(a.o + row * a.d, all, a.d);
}

/* Tokens first … first + n - 1. */
template <class T>
static paged<T> arguments(const struct sxt_attn_paged *a, size_t first,
                          size_t n)
{
    size_t row = (a->hq + 2 * a->hk) * a->d;

    return { (const T *)a->qkv + first * row,
             (const T *)a->k_cache,
             (const T *)a->v_cache,
             (T *)a->o + first * a->hq * a->d,
             a->block_table,
             a->seq + first,
             a->pos + first,
             n,
             a->max_blocks,
             a->block,
             a->hq,
             a->hk,
             a->d,
             a->scale * SXT_LOG2E,
             0,
             NULL,
             NULL };
}

template <class S, bool FOLD>
static void launch(struct sxt_num *num, const paged<bf16> &a, size_t each)
{
    SXT_CUDA(cudaFuncSetAttribute(attend<S, FOLD>,
                                  cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  S::BYTES));
    SXT_LAUNCH((attend<S, FOLD>),
               dim3((unsigned)a.t, (unsigned)a.hk, (unsigned)each),
               SXT_FLASH_THREADS, S::BYTES, sxt_cuda_of(num)->stream, a);
}

/* The blocks that share the splits of a token and key head: more than one where
 * there are few of these. */
template <class S>
static void run_flash(struct sxt_num *num, const struct sxt_attn_paged *a)
{
    const struct sxt_cuda *cuda = sxt_cuda_of(num);
    size_t splits = (a->max_blocks * a->block - 1) / SXT_ATTN_SPLIT + 1;
    size_t each = (size_t)cuda->processors * BLOCKS / (a->t * a->hk);
    size_t bytes = a->hq * splits * (S::D * sizeof(float) + sizeof(float2));
    size_t part = SXT_CUDA_SCRATCH / bytes; /* tokens that scratch holds */

    if (each > splits)
        each = splits;
    if (each <= 1 || part == 0) {
        launch<S, true>(num, arguments<bf16>(a, 0, a->t), 1);
        return;
    }
    for (size_t first = 0; first < a->t; first += part) {
        size_t n = a->t - first < part ? a->t - first : part;
        paged<bf16> b = arguments<bf16>(a, first, n);
        b.splits = splits;
        b.acc = (float *)cuda->scratch;
        b.stat = (float2 *)(b.acc + n * a->hq * splits * S::D);
        launch<S, false>(num, b, each);
        SXT_LAUNCH(combine<S>, (unsigned)(n * a->hq), S::D, 0, cuda->stream, b);
    }
}

template <class T>
static void run_plain(struct sxt_num *num, const struct sxt_attn_paged *a)
{
    SXT_LAUNCH(attend_plain<T>, sxt_blocks(a->t * a->hq, PLAIN_WARPS),
               32 * PLAIN_WARPS, 0, sxt_cuda_of(num)->stream,
               arguments<T>(a, 0, a->t));
}

typedef sxt_flash_shape<64, 1, 64> narrow;
typedef sxt_flash_shape<128, 1, 64> broad;

void sxt_cuda_attn_paged(struct sxt_num *num, const struct sxt_attn_paged *a)
{
    size_t tiles = sxt_attn_tiles(a->type, a->d, a->hq / a->hk, narrow::ROWS,
                                  { a->qkv, a->o, a->k_cache, a->v_cache });

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
