/* attn_bwd_mma.cu - attention's backward pass on tensor cores: bf16, heads of
 * 64 and 128.
 *
 * attn_bwd.cu says what the passes have in common.  Here a block has OWN rows x
 * and y, a warp 16 M of them, and tiles of the rows u, w stream through shared
 * memory, one in work while the next is copied.  Products
 *   s = x u^T,  dp = y w^T      (own, stream)
 * stay in registers, where they are already laid out as the left factors of
 *   sum ds u,  sum p w          (own, d). */
#include "cuda/attn_bwd.h"
#include "cuda/attn_choose.h"
#include "cuda/kernel.cuh"
#include "cuda/mma.cuh"

enum { WARPS = 4, THREADS = 32 * WARPS };
enum { S = 32 }; /* rows of a streamed tile: what the registers allow */

template <int M> constexpr int OWN = 16 * M *WARPS;

/* Shared memory: x, y; u, w twice; the stream's statistics twice. */
template <int D, int M>
constexpr size_t shared_bytes = (2 * OWN<M> + 4 * S) * D * sizeof(bf16) +
                                2 * S * sizeof(float2);

/* A tile's rows lie one behind the other, in pieces of 8 columns; piece c of
 * row r is at c ^ r % 8, so that neighbouring rows are in different banks.
 * Where a lane's row is r more than a multiple of 8, the piece that is an even
 * number of pieces e to the right is at `start ^ 8 e`. */
template <int D> __device__ static __forceinline__ int place_of(int row, int c)
{
    return row * D + (c ^ (row & 7)) * 8;
}

/* Start copying rows `stride` apart, zeros behind the n-th. */
template <int D, int ROWS>
__device__ static __forceinline__ void copy_tile(bf16 *tile, const bf16 *from,
                                                 size_t stride, int n)
{
    constexpr int PIECES = D / 8, TURN = THREADS / PIECES; /* rows of a turn */
    int row = (int)threadIdx.x / PIECES, c = (int)threadIdx.x % PIECES;
    bf16 *to = tile + place_of<D>(row, c);
    const bf16 *at = from + row * stride + c * 8;

    static_assert(TURN % 8 == 0 && ROWS % TURN == 0, "the same place in each");
#pragma unroll
    for (int i = 0; i < ROWS; i += TURN)
        sxt_copy_async(to + i * D, row + i < n ? at + i * stride : from,
                       row + i < n);
}

/* Where a lane's rows of matrices begin. */
struct lanes {
    int own, stream, turned;
};

template <int D, int M> __device__ static __forceinline__ lanes find_lanes(void)
{
    int lane = (int)threadIdx.x % 32, row = (int)threadIdx.x / 32 * 16 * M;

    return { place_of<D>(row + lane % 16, lane / 16),
             place_of<D>(lane % 8 + lane / 16 * 8, lane / 8 % 2),
             place_of<D>(lane % 16, lane / 16) };
}

/* c = own stream^T, for the warp's rows of own and N columns of 8. */
template <int D, int M, int N>
__device__ static __forceinline__ void multiply(float (&c)[M][N][4], bf16 *own,
                                                bf16 *stream, const lanes &at)
{
#pragma unroll
    for (int i = 0; i < M * N; i++)
        c[i / N][i % N][0] = c[i / N][i % N][1] = c[i / N][i % N][2] =
            c[i / N][i % N][3] = 0;
        /* more turns take more registers */
#pragma unroll(M *D < 256 ? 8 : 4)
    for (int k = 0; k < D / 8; k += 2) {
        uint32_t a[M][4], b[4];
#pragma unroll
        for (int m = 0; m < M; m++)
            sxt_ldmatrix_x4(a[m], own + 16 * m * D + (at.own ^ 8 * k));
#pragma unroll
        for (int n = 0; n < N; n += 2) {
            sxt_ldmatrix_x4(b, stream + 8 * n * D + (at.stream ^ 8 * k));
#pragma unroll
            for (int m = 0; m < M; m++) {
                sxt_mma_bf16(c[m][n], a[m], b);
                sxt_mma_bf16(c[m][n + 1], a[m], b + 2);
            }
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
template <int D, int M, int N>
__device__ static __forceinline__ void add_product(float (&sum)[M][D / 8][4],
                                                   const float (&p)[M][N][4],
                                                   bf16 *stream,
                                                   const lanes &at)
{
#pragma unroll
    for (int k = 0; k < N; k += 2) {
        uint32_t a[M][4], b[4];
#pragma unroll
        for (int i = 0; i < 4 * M; i++) {
            const float *pair = &p[i / 4][k + i % 4 / 2][i % 2 * 2];
            a[i / 4][i % 4] = two(pair[0], pair[1]);
        }
#pragma unroll
        for (int c = 0; c < D / 8; c += 2) {
            sxt_ldmatrix_x4_trans(b, stream + 8 * k * D + (at.turned ^ 8 * c));
#pragma unroll
            for (int m = 0; m < M; m++) {
                sxt_mma_bf16(sum[m][c], a[m], b);
                sxt_mma_bf16(sum[m][c + 1], a[m], b + 2);
            }
        }
    }
}

/* Scores that causality hides become -inf.  `ahead` is the first own row's
 * position less the first streamed one's. */
template <bool KEYS, int M, int N>
__device__ static __forceinline__ void hide(float (&s)[M][N][4], int ahead)
{
    int lane = (int)threadIdx.x % 32;
    int row = (int)threadIdx.x / 32 * 16 * M + lane / 4 + ahead;

#pragma unroll
    for (int j = 0; j < M * N; j++) {
        int m = j / N, n = j % N;
#pragma unroll
        for (int i = 0; i < 4; i++) { /* own later than streamed */
            int later =
                row + 16 * m + i / 2 * 8 - (8 * n + lane % 4 * 2 + i % 2);
            if (KEYS ? later > 0 : later < 0)
                s[m][n][i] = -INFINITY;
        }
    }
}

/* From s and dp to p and ds.  rows[] are the statistics of the thread's rows if
 * these are queries, `columns` those of the stream if that has them. */
template <bool KEYS, int M, int N>
__device__ static __forceinline__ void differentiate(
    float (&s)[M][N][4], float (&dp)[M][N][4], const float2 (&rows)[2 * M],
    const float2 *columns, float scale)
{
    int first = (int)threadIdx.x % 4 * 2;

#pragma unroll
    for (int j = 0; j < M * N; j++) {
        int m = j / N, n = j % N;
        sxt_pack<float, 4> two = {}; /* neighbouring columns' */
        if (KEYS)
            two = sxt_load_pack<float, 4>(&columns[8 * n + first].x);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            float lse = KEYS ? two.x[i % 2 * 2] : rows[2 * m + i / 2].x;
            float delta = KEYS ? two.x[i % 2 * 2 + 1] : rows[2 * m + i / 2].y;
            float p = sxt_exp2(fmaf(scale, s[m][n][i], -lse));
            dp[m][n][i] = p * (dp[m][n][i] - delta);
            s[m][n][i] = p;
        }
    }
}

/* The warp's rows below n, to rows `width` apart. */
template <int D, int M>
__device__ static void store_sum(bf16 *to, size_t width,
                                 const float (&sum)[M][D / 8][4], float by,
                                 int n)
{
    int lane = (int)threadIdx.x % 32;
    int first = (int)threadIdx.x / 32 * 16 * M + lane / 4;

#pragma unroll
    for (int j = 0; j < 2 * M; j++) {
        int row = first + 8 * j;
        if (row >= n)
            continue;
#pragma unroll
        for (int c = 0; c < D / 8; c++) {
            const float *x = &sum[j / 2][c][j % 2 * 2];
            sxt_pack<bf16, 2> pair = { sxt_round<bf16>(by * x[0]),
                                       sxt_round<bf16>(by * x[1]) };
            sxt_store_global(to + (size_t)row * width + 8 * c + lane % 4 * 2,
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

template <int M, bool KEYS>
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
    int tile = (int)(blockIdx.x % (unsigned)tiles);
    at.own = (KEYS ? tile : tiles - 1 - tile) * OWN<M>; /* long ones first */
    at.first = KEYS ? at.own : 0;
    at.last = KEYS ? at.len : min(at.len, at.own + OWN<M>);
    return at;
}

/* Start copying a tile of the stream, its rows from `row` on in query head
 * `head` of the group; returns the thread's share of the statistics. */
template <int D, bool KEYS>
__device__ static __forceinline__ float2 start_tile(bf16 *u, bf16 *w,
                                                    const place &at, int row,
                                                    int head)
{
    const bf16 *query = at.query + head * D, *grad = at.grad + head * D;
    int n = at.last - row, self = (int)threadIdx.x;
    size_t skip = (size_t)row * at.width;

    copy_tile<D, S>(u, (KEYS ? query : at.key) + skip, at.width, n);
    if (KEYS)
        copy_tile<D, S>(w, grad + (size_t)row * at.grad_width, at.grad_width,
                        n);
    else
        copy_tile<D, S>(w, at.value + skip, at.width, n);
    sxt_copy_commit();
    if (KEYS && self < S && self < n)
        return at.stat[(size_t)head * at.t + row + self];
    return make_float2(INFINITY, 0); /* p is 0 */
}

template <int D, int M, bool KEYS>
__global__ void __launch_bounds__(THREADS)
    by_tiles(const struct sxt_attn_part p, int tiles)
{
    SXT_SHARED(bf16, x);
    bf16 *y = x + OWN<M> * D, *u = y + OWN<M> * D, *w = u + 2 * S * D;
    float2 *stat = reinterpret_cast<float2 *>(w + 2 * S * D);
    const place at = find_place<M, KEYS>(p, tiles);
    int self = (int)threadIdx.x, left = at.len - at.own;
    float du[M][D / 8][4] = {}, dw[M][D / 8][4] = {};
    float2 rows[2 * M] = {};

    if (left <= 0)
        return;
    for (int i = 0; i < 2 * M && !KEYS; i++) {
        int row = self / 32 * 16 * M + self % 32 / 4 + 8 * i;
        rows[i] = row < left ? at.stat[at.own + row] : make_float2(INFINITY, 0);
    }
    copy_tile<D, OWN<M>>(x, (KEYS ? at.key : at.query) + at.own * at.width,
                         at.width, left);
    if (KEYS)
        copy_tile<D, OWN<M>>(y, at.value + at.own * at.width, at.width, left);
    else
        copy_tile<D, OWN<M>>(y, at.grad + at.own * at.grad_width, at.grad_width,
                             left);
    const lanes lane = find_lanes<D, M>();
    int heads = KEYS ? (int)(p.a.hq / p.a.hk) : 1, now = 0;
    float2 mine = start_tile<D, KEYS>(u, w, at, at.first, 0);
    for (int head = 0, row = at.first; head < heads;) {
        int next = row + S, then = head;
        if (next >= at.last) {
            next = at.first;
            then++;
        }
        if (KEYS && self < S)
            stat[now + self] = mine;
        sxt_copy_wait<0>();
        __syncthreads(); /* this tile is there, the other's place is free */
        if (then < heads)
            mine = start_tile<D, KEYS>(u + (S - now) * D, w + (S - now) * D, at,
                                       next, then);
        float s[M][S / 8][4], dp[M][S / 8][4];
        multiply<D>(s, x, u + now * D, lane);
        multiply<D>(dp, y, w + now * D, lane);
        if (KEYS ? row < at.own + OWN<M> - 1 : row + S - 1 > at.own)
            hide<KEYS>(s, at.own - row);
        differentiate<KEYS>(s, dp, rows, stat + now, 1.44269504f * p.a.scale);
        add_product<D>(du, dp, u + now * D, lane);
        if (KEYS)
            add_product<D>(dw, s, w + now * D, lane);
        now = S - now;
        row = next;
        head = then;
    }
    bf16 *to = (bf16 *)p.a.dqkv +
               ((KEYS ? at.key : at.query) - (const bf16 *)p.a.qkv) +
               at.own * at.width;
    store_sum<D>(to, at.width, du, p.a.scale, left);
    if (KEYS)
        store_sum<D>(to + p.a.hk * D, at.width, dw, 1, left);
}

template <int D, int M, bool KEYS>
static void run(struct sxt_num *num, const struct sxt_attn_part *p)
{
    size_t heads = KEYS ? p->n_kv : p->n_kv * (p->a.hq / p->a.hk);
    unsigned tiles = sxt_blocks(p->a.max_len, OWN<M>);
    size_t bytes = shared_bytes<D, M>;

    SXT_CUDA(cudaFuncSetAttribute(by_tiles<D, M, KEYS>,
                                  cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  (int)bytes));
    SXT_LAUNCH((by_tiles<D, M, KEYS>),
               dim3(tiles * (unsigned)p->a.n_docs, (unsigned)heads), THREADS,
               bytes, sxt_cuda_of(num)->stream, *p, (int)tiles);
}

bool sxt_cuda_attn_bwd_mma(struct sxt_num *num, const struct sxt_attn_part *p)
{
    const struct sxt_attn *a = &p->a;
    size_t tiles =
        sxt_attn_tiles(a->type, a->d, 1, 1, { a->qkv, a->d_o, a->dqkv });

    if (tiles == 64) {
        run<64, 2, false>(num, p);
        run<64, 2, true>(num, p);
    } else if (tiles == 128) {
        run<128, 2, false>(num, p);
        run<128, 1, true>(num, p);
    }
    return tiles != 0;
}
