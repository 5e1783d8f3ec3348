/* attn_bwd.cu - attention's backward pass, by rows; attn_bwd_mma.cu has the
 * tiles.
 *
 * Dao, arXiv:2307.08691, section 3.1, with p_tj = exp(s_tj - lse_t) and
 * ds_tj = p_tj (do_t v_j - do_t o_t):
 *   dq_t = scale sum_j ds_tj k_j
 *   dk_j = scale sum_t ds_tj q_t,  dv_j = sum_t p_tj do_t
 * There are two passes, for queries and for keys, that have the same shape:
 * rows x, y of the token at hand meet rows u, w of a stream of others,
 *   s = x u,  dp = y w,  sum ds u,  sum p w,
 * with x, y, u, w = q, do, k, v or k, v, q, do.  Every sum has one owner and
 * one order, so no pass adds to what another wrote. */
#include "cuda/attn_bwd.h"

#include "cuda/kernel.cuh"

enum { WARPS = 4, MOST = 8 }; /* columns of a lane: heads of up to 256 */

static constexpr float LOG2_E = 1.44269504f;

/* A row of a head: columns lane, lane + 32 … */
template <class T>
__device__ static void load_columns(float (&x)[MOST], const T *row, size_t d)
{
    for (int i = 0; i < MOST; i++) {
        size_t c = threadIdx.x + 32 * i;
        x[i] = c < d ? sxt_f32(row[c]) : 0;
    }
}

template <class T>
__device__ static void store_columns(T *row, const float (&x)[MOST], float by,
                                     size_t d)
{
    for (int i = 0; i < MOST; i++) {
        size_t c = threadIdx.x + 32 * i;
        if (c < d)
            row[c] = sxt_round<T>(by * x[i]);
    }
}

__device__ static float dot(const float (&x)[MOST], const float (&y)[MOST])
{
    float sum = 0;

    for (int i = 0; i < MOST; i++)
        sum = fmaf(x[i], y[i], sum);
    return sxt_warp_sum(sum);
}

/* A warp makes a token's statistics in one query head. */
template <class T>
__global__ void __launch_bounds__(32 * WARPS)
    make_stat(float2 *stat, const struct sxt_attn_part p)
{
    const struct sxt_attn &a = p.a;
    size_t t = (size_t)blockIdx.x * WARPS + threadIdx.y;
    size_t h = p.kv * (a.hq / a.hk) + blockIdx.y, at = (t * a.hq + h) * a.d;
    float o[MOST], d_o[MOST];

    if (t >= a.t)
        return;
    load_columns(o, (const T *)a.o + at, a.d);
    load_columns(d_o, (const T *)a.d_o + at, a.d);
    float delta = dot(o, d_o);
    if (threadIdx.x == 0)
        stat[blockIdx.y * a.t + t] =
            make_float2(LOG2_E * a.lse[t * a.hq + h], delta);
}

/* The document of token t. */
__device__ static size_t document_of(const struct sxt_attn &a, size_t t)
{
    size_t low = 0, high = a.n_docs;

    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if ((size_t)a.cu_seqlens[middle] <= t)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* What a warp keeps in shared memory. */
struct lines {
    float x[32 * MOST], y[32 * MOST];
    float p[32], ds[32]; /* of the stream's next 32 tokens */
};

template <class T>
__device__ static float dot_row(const float *x, const T *row, size_t d)
{
    float sum = 0;

    for (size_t c = 0; c < d; c++)
        sum = fmaf(x[c], sxt_f32(row[c]), sum);
    return sum;
}

/* sum += w[j] row j, for n rows. */
template <class T>
__device__ static void add_rows(float (&sum)[MOST], const float *w,
                                const T *rows, size_t width, int n, size_t d)
{
    for (int j = 0; j < n; j++) {
        const T *row = rows + j * width;
        for (int i = 0; i < MOST; i++) {
            size_t c = threadIdx.x + 32 * i;
            if (c < d)
                sum[i] = fmaf(w[j], sxt_f32(row[c]), sum[i]);
        }
    }
}

/* A warp does a token of a query head, or of a key head (KEYS): a lane weighs
 * a token of the stream, then sums some columns of 32. */
template <class T, bool KEYS>
__global__ void __launch_bounds__(32 * WARPS)
    by_rows(const struct sxt_attn_part p)
{
    __shared__ lines line[WARPS];
    const struct sxt_attn &a = p.a;
    lines &l = line[threadIdx.y];
    size_t own = (size_t)blockIdx.x * WARPS + threadIdx.y;
    size_t group = a.hq / a.hk, lane = threadIdx.x;
    size_t first = KEYS ? blockIdx.y * group : blockIdx.y; /* of the part */
    size_t last = KEYS ? first + group : first + 1;
    size_t q = p.kv * group, kv = p.kv + first / group; /* heads */
    size_t width = (a.hq + 2 * a.hk) * a.d, narrow = a.hq * a.d;
    const T *query = (const T *)a.qkv + q * a.d;
    const T *key = (const T *)a.qkv + (a.hq + kv) * a.d;
    const T *value = key + a.hk * a.d, *grad = (const T *)a.d_o + q * a.d;
    size_t step_w = KEYS ? narrow : width;
    float du[MOST] = {}, dw[MOST] = {};

    if (own >= a.t)
        return;
    size_t doc = document_of(a, own);
    size_t from = KEYS ? own : (size_t)a.cu_seqlens[doc];
    size_t end = KEYS ? (size_t)a.cu_seqlens[doc + 1] : own + 1;
    const T *x = (KEYS ? key : query + first * a.d) + own * width;
    const T *y = KEYS ? value + own * width : grad + first * a.d + own * narrow;
    for (size_t c = lane; c < a.d; c += 32) {
        l.x[c] = sxt_f32(x[c]);
        l.y[c] = sxt_f32(y[c]);
    }
    __syncwarp();
    for (size_t h = first; h < last; h++) {
        const float2 *stat = p.stat + h * a.t;
        for (size_t t = from; t < end; t += 32) {
            const T *u = (KEYS ? query + h * a.d : key) + t * width;
            const T *w = (KEYS ? grad + h * a.d : value) + t * step_w;
            if (t + lane < end) {
                float2 of = stat[KEYS ? t + lane : own];
                float s = dot_row(l.x, u + lane * width, a.d);
                float dp = dot_row(l.y, w + lane * step_w, a.d);
                l.p[lane] = exp2f(LOG2_E * a.scale * s - of.x);
                l.ds[lane] = l.p[lane] * (dp - of.y);
            }
            __syncwarp();
            int n = (int)min(end - t, (size_t)32);
            add_rows(du, l.ds, u, width, n, a.d);
            if (KEYS)
                add_rows(dw, l.p, w, step_w, n, a.d);
            __syncwarp();
        }
    }
    T *to = (T *)a.dqkv + own * width;
    if (!KEYS) {
        store_columns(to + (q + first) * a.d, du, a.scale, a.d);
        return;
    }
    store_columns(to + (a.hq + kv) * a.d, du, a.scale, a.d);
    store_columns(to + (a.hq + a.hk + kv) * a.d, dw, 1, a.d);
}

template <class T> static void run(struct sxt_num *num, struct sxt_attn_part *p)
{
    const struct sxt_cuda *cuda = sxt_cuda_of(num);
    unsigned blocks = sxt_blocks(p->a.t, WARPS);
    unsigned heads = (unsigned)(p->n_kv * (p->a.hq / p->a.hk));
    dim3 threads(32, WARPS);

    SXT_LAUNCH(make_stat<T>, dim3(blocks, heads), threads, 0, cuda->stream,
               (float2 *)cuda->scratch, *p);
    if (p->a.type == SXT_BF16 && sxt_cuda_attn_bwd_mma(num, p))
        return;
    SXT_LAUNCH((by_rows<T, false>), dim3(blocks, heads), threads, 0,
               cuda->stream, *p);
    SXT_LAUNCH((by_rows<T, true>), dim3(blocks, (unsigned)p->n_kv), threads, 0,
               cuda->stream, *p);
}

/* As many key heads at a time as scratch has statistics for. */
void sxt_cuda_attn_bwd(struct sxt_num *num, const struct sxt_attn *a)
{
    const float2 *stat = (const float2 *)sxt_cuda_of(num)->scratch;
    size_t each = a->t * (a->hq / a->hk) * sizeof(*stat);
    size_t most = SXT_CUDA_SCRATCH / each;

    SXT_CHECK(most > 0 && a->d <= 32 * MOST);
    for (size_t kv = 0; kv < a->hk; kv += most) {
        size_t n = a->hk - kv < most ? a->hk - kv : most;
        struct sxt_attn_part p = { *a, kv, n, stat };
        if (a->type == SXT_F32)
            run<float>(num, &p);
        else
            run<bf16>(num, &p);
    }
}
