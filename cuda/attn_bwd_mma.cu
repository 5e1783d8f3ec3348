/* attn_bwd_mma.cu - attention's backward pass on tensor cores: bf16, heads of
 * 64 and 128.
 *
 * attn_bwd.cu says what the passes have in common.  Here a block has OWN rows x
 * and y, a warp 16 of them, and tiles of the rows u, w stream through shared
 * memory, one in work while the next is copied.  Products
 *   s = x u^T,  dp = y w^T      (own, stream)
 * stay in registers, where they are already laid out as the left factors of
 *   sum ds u,  sum p w          (own, d). */
#include "cuda/attn_bwd.h"
#include "cuda/attn_choose.h"
#include "cuda/kernel.cuh"
#include "cuda/mma.cuh"

enum { WARPS = 4, OWN = 16 * WARPS, THREADS = 32 * WARPS };
enum { S = 32 }; /* rows of a streamed tile: what the registers allow */

/* Shared memory: x, y; u, w twice; the stream's statistics twice. */
template <int D>
constexpr size_t shared_bytes = (2 * OWN + 4 * S) * D * sizeof(bf16) +
                                2 * S * sizeof(float2);

/* 8 columns of a row of a tile; neighbouring rows lie in different banks. */
template <int D> __device__ static bf16 *piece(bf16 *tile, int row, int chunk)
{
    return tile + row * D + (chunk ^ (row & 7)) * 8;
}

/* Start copying rows `stride` apart, zeros behind the n-th. */
template <int D>
__device__ static void copy_tile(bf16 *tile, int rows, const bf16 *from,
                                 size_t stride, int n)
{
    for (int i = (int)threadIdx.x; i < rows * (D / 8); i += THREADS) {
        int row = i / (D / 8), chunk = i % (D / 8);
        const bf16 *at = row < n ? from + row * stride + chunk * 8 : from;
        sxt_copy_async(piece<D>(tile, row, chunk), at, row < n);
    }
}

/* c = own stream^T, for the warp's rows of own and N columns of 8. */
template <int D, int N>
__device__ static __forceinline__ void multiply(float (&c)[N][4], bf16 *own,
                                                bf16 *stream)
{
    int lane = (int)threadIdx.x % 32, row = (int)threadIdx.x / 32 * 16;

#pragma unroll
    for (int n = 0; n < N; n++)
        c[n][0] = c[n][1] = c[n][2] = c[n][3] = 0;
#pragma unroll 2
    for (int k = 0; k < D / 8; k += 2) {
        uint32_t a[4], b[4];
        sxt_ldmatrix_x4(a, piece<D>(own, row + lane % 16, k + lane / 16));
#pragma unroll
        for (int n = 0; n < N; n += 2) {
            sxt_ldmatrix_x4(b,
                            piece<D>(stream, 8 * n + lane % 8 + lane / 16 * 8,
                                     k + lane / 8 % 2));
            sxt_mma_bf16(c[n], a, b);
            sxt_mma_bf16(c[n + 1], a, b + 2);
        }
    }
}

__device__ static __forceinline__ uint32_t two(float x, float y)
{
    __nv_bfloat162 pair = __floats2bfloat162_rn(x, y);
    uint32_t bits;

    memcpy(&bits, &pair, sizeof(bits));
    return bits;
}

/* sum += p stream. */
template <int D, int N>
__device__ static __forceinline__ void add_product(float (&sum)[D / 8][4],
                                                   const float (&p)[N][4],
                                                   bf16 *stream)
{
    int lane = (int)threadIdx.x % 32;

#pragma unroll
    for (int k = 0; k < N; k += 2) {
        const uint32_t a[4] = { two(p[k][0], p[k][1]), two(p[k][2], p[k][3]),
                                two(p[k + 1][0], p[k + 1][1]),
                                two(p[k + 1][2], p[k + 1][3]) };
        uint32_t b[4];
#pragma unroll
        for (int c = 0; c < D / 8; c += 2) {
            sxt_ldmatrix_x4_trans(
                b, piece<D>(stream, 8 * k + lane % 16, c + lane / 16));
            sxt_mma_bf16(sum[c], a, b);
            sxt_mma_bf16(sum[c + 1], a, b + 2);
        }
    }
}

/* From s and dp to p and ds.  `ahead` is the first own row's position less the
 * first streamed one's; rows[] are the statistics of the thread's two rows if
 * these are queries, `columns` those of the stream if that has them. */
template <int N, bool KEYS>
__device__ static __forceinline__ void differentiate(
    float (&s)[N][4], float (&dp)[N][4], int ahead, const float2 (&rows)[2],
    const float2 *columns, float scale)
{
    int lane = (int)threadIdx.x % 32;
    int row = (int)threadIdx.x / 32 * 16 + lane / 4 + ahead;

#pragma unroll
    for (int n = 0; n < N; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            int column = 8 * n + lane % 4 * 2 + i % 2;
            int later = row + i / 2 * 8 - column; /* own than streamed */
            float2 stat = KEYS ? columns[column] : rows[i / 2];
            bool seen = KEYS ? later <= 0 : later >= 0;
            float p = seen ? exp2f(fmaf(scale, s[n][i], -stat.x)) : 0;
            dp[n][i] = p * (dp[n][i] - stat.y);
            s[n][i] = p;
        }
    }
}

/* The warp's rows below n, to rows `width` apart. */
template <int D>
__device__ static void store_sum(bf16 *to, size_t width,
                                 const float (&sum)[D / 8][4], float by, int n)
{
    int lane = (int)threadIdx.x % 32;
    int row = (int)threadIdx.x / 32 * 16 + lane / 4;

#pragma unroll
    for (int c = 0; c < D / 8; c++) {
#pragma unroll
        for (int i = 0; i < 4; i += 2) {
            if (row + i * 4 >= n)
                continue;
            sxt_pack<bf16, 2> pair = { sxt_round<bf16>(by * sum[c][i]),
                                       sxt_round<bf16>(by * sum[c][i + 1]) };
            sxt_store_pack(to + (size_t)(row + i * 4) * width + 8 * c +
                               lane % 4 * 2,
                           pair);
        }
    }
}

/* Where a block's rows are. */
struct place {
    const bf16 *query, *key, *value, *grad; /* of the document, first head */
    const float2 *stat;
    size_t width, grad_width, t; /* of qkv; of d_o; rows of stat */
    int len, own;                /* of the document; the first own row */
    int first, last;             /* streamed tiles: rows from … up to … */
};

template <bool KEYS>
__device__ static place find_place(const struct sxt_attn_part &p, int tiles)
{
    const struct sxt_attn &a = p.a;
    size_t doc = blockIdx.x / (unsigned)tiles, group = a.hq / a.hk;
    size_t begin = (size_t)a.cu_seqlens[doc];
    size_t head = KEYS ? blockIdx.y * group : blockIdx.y; /* of the part */
    size_t h = p.kv * group + head, kv = h / group;
    place at;

    at.width = (a.hq + 2 * a.hk) * a.d;
    at.grad_width = a.hq * a.d;
    at.t = a.t;
    at.query = (const bf16 *)a.qkv + begin * at.width + h * a.d;
    at.key = (const bf16 *)a.qkv + begin * at.width + (a.hq + kv) * a.d;
    at.value = at.key + a.hk * a.d;
    at.grad = (const bf16 *)a.d_o + begin * at.grad_width + h * a.d;
    at.stat = p.stat + head * a.t + begin;
    at.len = a.cu_seqlens[doc + 1] - (int)begin;
    at.own = (int)(blockIdx.x % (unsigned)tiles) * OWN;
    at.first = KEYS ? at.own : 0;
    at.last = KEYS ? at.len : min(at.len, at.own + OWN);
    return at;
}

/* Start copying a tile of the stream, its rows from `row` on in query head
 * `head` of the group; returns the thread's share of the statistics. */
template <int D, bool KEYS>
__device__ static float2 start_tile(bf16 *u, bf16 *w, const place &at, int row,
                                    int head)
{
    const bf16 *query = at.query + head * D, *grad = at.grad + head * D;
    int n = at.last - row, self = (int)threadIdx.x;
    size_t skip = (size_t)row * at.width;

    copy_tile<D>(u, S, (KEYS ? query : at.key) + skip, at.width, n);
    if (KEYS)
        copy_tile<D>(w, S, grad + (size_t)row * at.grad_width, at.grad_width,
                     n);
    else
        copy_tile<D>(w, S, at.value + skip, at.width, n);
    sxt_copy_commit();
    if (KEYS && self < S && self < n)
        return at.stat[(size_t)head * at.t + row + self];
    return make_float2(INFINITY, 0); /* p is 0 */
}

template <int D, bool KEYS>
__global__ void __launch_bounds__(THREADS)
    by_tiles(const struct sxt_attn_part p, int tiles)
{
    SXT_SHARED(bf16, x);
    bf16 *y = x + OWN * D, *u = y + OWN * D, *w = u + 2 * S * D;
    float2 *stat = reinterpret_cast<float2 *>(w + 2 * S * D);
    const place at = find_place<KEYS>(p, tiles);
    int self = (int)threadIdx.x, left = at.len - at.own;
    float du[D / 8][4] = {}, dw[D / 8][4] = {};
    float2 rows[2] = {};

    if (left <= 0)
        return;
    for (int i = 0; i < 2 && !KEYS; i++) {
        int row = self / 32 * 16 + self % 32 / 4 + 8 * i;
        rows[i] = row < left ? at.stat[at.own + row] : make_float2(INFINITY, 0);
    }
    copy_tile<D>(x, OWN, (KEYS ? at.key : at.query) + at.own * at.width,
                 at.width, left);
    if (KEYS)
        copy_tile<D>(y, OWN, at.value + at.own * at.width, at.width, left);
    else
        copy_tile<D>(y, OWN, at.grad + at.own * at.grad_width, at.grad_width,
                     left);
    int each = (at.last - at.first + S - 1) / S; /* tiles of a head */
    int steps = each * (KEYS ? (int)(p.a.hq / p.a.hk) : 1);
    float2 mine = start_tile<D, KEYS>(u, w, at, at.first, 0);
    for (int step = 0; step < steps; step++) {
        int now = step % 2 * S, next = S - now,
            row = at.first + step % each * S;
        if (KEYS && self < S)
            stat[now + self] = mine;
        if (step + 1 < steps) {
            mine = start_tile<D, KEYS>(u + next * D, w + next * D, at,
                                       at.first + (step + 1) % each * S,
                                       (step + 1) / each);
            sxt_copy_wait<1>();
        } else {
            sxt_copy_wait<0>();
        }
        __syncthreads();
        float s[S / 8][4], dp[S / 8][4];
        multiply<D>(s, x, u + now * D);
        multiply<D>(dp, y, w + now * D);
        differentiate<S / 8, KEYS>(s, dp, at.own - row, rows, stat + now,
                                   1.44269504f * p.a.scale);
        add_product<D>(du, dp, u + now * D);
        if (KEYS)
            add_product<D>(dw, s, w + now * D);
        __syncthreads();
    }
    bf16 *to = (bf16 *)p.a.dqkv +
               ((KEYS ? at.key : at.query) - (const bf16 *)p.a.qkv) +
               at.own * at.width;
    store_sum<D>(to, at.width, du, p.a.scale, left);
    if (KEYS)
        store_sum<D>(to + p.a.hk * D, at.width, dw, 1, left);
}

template <int D, bool KEYS>
static void run(struct sxt_num *num, const struct sxt_attn_part *p)
{
    size_t heads = KEYS ? p->n_kv : p->n_kv * (p->a.hq / p->a.hk);
    unsigned tiles = sxt_blocks(p->a.max_len, OWN);

    SXT_CUDA(cudaFuncSetAttribute(by_tiles<D, KEYS>,
                                  cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  (int)shared_bytes<D>));
    SXT_LAUNCH((by_tiles<D, KEYS>),
               dim3(tiles * (unsigned)p->a.n_docs, (unsigned)heads), THREADS,
               shared_bytes<D>, sxt_cuda_of(num)->stream, *p, (int)tiles);
}

bool sxt_cuda_attn_bwd_mma(struct sxt_num *num, const struct sxt_attn_part *p)
{
    const struct sxt_attn *a = &p->a;
    size_t tiles =
        sxt_attn_tiles(a->type, a->d, 1, 1, { a->qkv, a->d_o, a->dqkv });

    if (tiles == 64) {
        run<64, false>(num, p);
        run<64, true>(num, p);
    } else if (tiles == 128) {
        run<128, false>(num, p);
        run<128, true>(num, p);
    }
    return tiles != 0;
}
