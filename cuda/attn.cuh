/* attn.cuh - what packed and paged attention share: query rows against tiles of
 * keys with the online softmax of Dao, arXiv:2307.08691, section 3.1, on tensor
 * cores; and one row on plain arithmetic, for f32 and every other width.
 *
 * A block takes the query rows of consecutive tokens that read one key head:
 * row r is query head r % group of token r / group.  A row meets its keys in
 * tiles that begin at its first key, and a tile of which it sees nothing leaves
 * its state as it was, to the bit: max' = max, exp2(0) = 1, 0 added.  So the
 * rows beside it never show.
 *
 * Scores are kept unscaled; with c = scale log2(e), p = exp2(c (s - max)). */
#ifndef SXT_CUDA_ATTN_CUH
#define SXT_CUDA_ATTN_CUH

#include "cuda/kernel.cuh"
#include "cuda/mma.cuh"

enum {
    SXT_FLASH_WARPS = 4,
    SXT_FLASH_THREADS = 32 * SXT_FLASH_WARPS,
    SXT_PLAIN_D = 256 /* the widest head of the plain rows */
};
#define SXT_LOG2E 1.44269504f

/* Heads D wide, 16 M query rows to a warp, N keys to a tile.  The shared memory
 * of a block: its queries, then two stages of keys and values. */
template <int D_, int M_, int N_> struct sxt_flash_shape {
    static constexpr int D = D_, M = M_, N = N_;
    static constexpr int ROWS = 16 * M * SXT_FLASH_WARPS;
    static constexpr int BYTES = (ROWS + 4 * N) * D * (int)sizeof(bf16);
};

/* A block's rows, and where their head vectors are. */
struct sxt_flash_rows {
    unsigned n, group;
    unsigned seen;      /* keys that the first token sees; the next one more */
    size_t token, head; /* of row 0 */
};

/* Number of row r's vector where a token has `heads` of them. */
__device__ static __forceinline__ size_t
sxt_flash_at(const sxt_flash_rows &rows, unsigned r, size_t heads)
{
    return (rows.token + r / rows.group) * heads + rows.head + r % rows.group;
}

/* A warp's state.  This lane has rows g and g + 8 of each 16, columns as in C
 * of mma.cuh; `sum` is of its own columns until sxt_flash_close. */
template <class S> struct sxt_flash {
    float acc[S::M][S::D / 8][4];
    float max[S::M][2], sum[S::M][2];
};

template <class S>
__device__ static __forceinline__ void sxt_flash_open(sxt_flash<S> &f)
{
#pragma unroll
    for (int i = 0; i < 2 * S::M; i++) {
        f.max[i / 2][i % 2] = -INFINITY;
        f.sum[i / 2][i % 2] = 0;
    }
#pragma unroll
    for (int i = 0; i < S::M * S::D / 2; i++)
        f.acc[i / (S::D / 2)][i % (S::D / 2) / 4][i % 4] = 0;
}

template <class S>
__device__ static __forceinline__ void sxt_flash_close(sxt_flash<S> &f)
{
#pragma unroll
    for (int i = 0; i < 2 * S::M; i++) {
        float &sum = f.sum[i / 2][i % 2];
        sum += __shfl_xor_sync(0xffffffffu, sum, 1);
        sum += __shfl_xor_sync(0xffffffffu, sum, 2);
    }
}

/* Where 8 elements of a tile's row lie in shared memory: eight rows at the same
 * chunk are in different banks. */
template <int D>
__device__ static __forceinline__ int sxt_flash_place(int row, int chunk)
{
    return row * D + (chunk ^ row % 8) * 8;
}

/* Start copying the block's queries; rows behind the last one are zeros. */
template <class S>
__device__ static __forceinline__ void sxt_flash_load_q(
    bf16 *q, const bf16 *qkv, const sxt_flash_rows &rows, size_t heads)
{
    constexpr int CHUNKS = S::D / 8;

    for (int i = (int)threadIdx.x; i < S::ROWS * CHUNKS;
         i += SXT_FLASH_THREADS) {
        unsigned r = (unsigned)(i / CHUNKS);
        bool inside = r < rows.n;
        size_t at = inside ? sxt_flash_at(rows, r, heads) * S::D : 0;
        sxt_copy_async(q + sxt_flash_place<S::D>((int)r, i % CHUNKS),
                       qkv + at + i % CHUNKS * 8, inside);
    }
}

/* Start copying keys first … first + N - 1 and their values, zeros from `end`
 * on, and commit.  Keys: k and v, and at(j), where key j begins in both. */
template <class S, class Keys>
__device__ static __forceinline__ void sxt_flash_load(bf16 *k, const Keys &keys,
                                                      unsigned first,
                                                      unsigned end)
{
    constexpr int CHUNKS = S::D / 8;
    bf16 *v = k + S::N * S::D;

#pragma unroll 2
    for (int i = 0; i < S::N * CHUNKS; i += SXT_FLASH_THREADS) {
        int row = (i + (int)threadIdx.x) / CHUNKS;
        int chunk = (i + (int)threadIdx.x) % CHUNKS;
        int to = sxt_flash_place<S::D>(row, chunk);
        bool inside = first + (unsigned)row < end;
        size_t at = inside ? keys.at(first + (unsigned)row) + chunk * 8 : 0;
        sxt_copy_async(k + to, keys.k + at, inside);
        sxt_copy_async(v + to, keys.v + at, inside);
    }
    sxt_copy_commit();
}

/* s = q k^T: a warp's rows against a tile. */
template <class S>
__device__ static __forceinline__ void sxt_flash_score(
    float (&s)[S::M][S::N / 8][4], const bf16 *q, const bf16 *k)
{
    int lane = (int)threadIdx.x % 32;

#pragma unroll
    for (int i = 0; i < S::M * S::N / 2; i++)
        s[i / (S::N / 2)][i % (S::N / 2) / 4][i % 4] = 0;
#pragma unroll 4
    for (int d = 0; d < S::D / 16; d++) {
        uint32_t a[S::M][4], b[4];
#pragma unroll
        for (int m = 0; m < S::M; m++)
            sxt_ldmatrix_x4(a[m], q + sxt_flash_place<S::D>(16 * m + lane % 16,
                                                            2 * d + lane / 16));
#pragma unroll
        for (int n = 0; n < S::N / 16; n++) {
            sxt_ldmatrix_x4(
                b, k + sxt_flash_place<S::D>(16 * n + lane / 16 * 8 + lane % 8,
                                             2 * d + lane / 8 % 2));
#pragma unroll
            for (int m = 0; m < S::M; m++) {
                sxt_mma_bf16(s[m][2 * n], a[m], b);
                sxt_mma_bf16(s[m][2 * n + 1], a[m], b + 2);
            }
        }
    }
}

/* Scores of keys that a row does not see become -inf. */
template <class S>
__device__ static __forceinline__ void sxt_flash_mask(
    float (&s)[S::M][S::N / 8][4], const sxt_flash_rows &rows, unsigned first)
{
    unsigned row = threadIdx.x / 32 * 16 * S::M + threadIdx.x % 32 / 4;

#pragma unroll
    for (int i = 0; i < 2 * S::M; i++) {
        unsigned r = min(row + 8 * (unsigned)i, rows.n - 1);
        unsigned seen = rows.seen + r / rows.group;
#pragma unroll
        for (int j = 0; j < S::N / 4; j++) {
            unsigned key = first + j / 2 * 8 + threadIdx.x % 4 * 2 + j % 2;
            if (key >= seen)
                s[i / 2][j / 2][i % 2 * 2 + j % 2] = -INFINITY;
        }
    }
}

/* Scores to weights p under the new maximum; the state follows it. */
template <class S>
__device__ static __forceinline__ void sxt_flash_soften(
    sxt_flash<S> &f, float (&s)[S::M][S::N / 8][4], float c)
{
#pragma unroll
    for (int i = 0; i < 2 * S::M; i++) {
        int m = i / 2, h = i % 2 * 2;
        float top = f.max[m][i % 2];
#pragma unroll
        for (int n = 0; n < S::N / 8; n++)
            top = fmaxf(top, fmaxf(s[m][n][h], s[m][n][h + 1]));
        top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 1));
        top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
        /* -inf while nothing was seen: -inf - -inf must not arise */
        float base = top == -INFINITY ? 0 : top;
        float shrink = exp2f((f.max[m][i % 2] - base) * c);
        float sum = f.sum[m][i % 2] * shrink;
#pragma unroll
        for (int n = 0; n < S::N / 8; n++) {
            s[m][n][h] = exp2f(fmaf(s[m][n][h], c, -base * c));
            s[m][n][h + 1] = exp2f(fmaf(s[m][n][h + 1], c, -base * c));
            sum += s[m][n][h];
            sum += s[m][n][h + 1];
        }
#pragma unroll
        for (int d = 0; d < S::D / 8; d++) {
            f.acc[m][d][h] *= shrink;
            f.acc[m][d][h + 1] *= shrink;
        }
        f.max[m][i % 2] = top;
        f.sum[m][i % 2] = sum;
    }
}

/* x in the lower half. */
__device__ static __forceinline__ uint32_t sxt_two_bf16(float x, float y)
{
    __nv_bfloat162 two = __floats2bfloat162_rn(x, y);
    uint32_t bits;

    memcpy(&bits, &two, 4);
    return bits;
}

/* acc += p v; C's fragments of p are A's of the next product. */
template <class S>
__device__ static __forceinline__ void sxt_flash_add(
    sxt_flash<S> &f, const float (&p)[S::M][S::N / 8][4], const bf16 *v)
{
    int lane = (int)threadIdx.x % 32;

#pragma unroll
    for (int n = 0; n < S::N / 16; n++) {
        uint32_t a[S::M][4], b[4];
#pragma unroll
        for (int i = 0; i < 4 * S::M; i++) {
            const float *two = &p[i / 4][2 * n + i % 4 / 2][i % 2 * 2];
            a[i / 4][i % 4] = sxt_two_bf16(two[0], two[1]);
        }
#pragma unroll
        for (int d = 0; d < S::D / 16; d++) {
            sxt_ldmatrix_x4_trans(b,
                                  v + sxt_flash_place<S::D>(16 * n + lane % 16,
                                                            2 * d + lane / 16));
#pragma unroll
            for (int m = 0; m < S::M; m++) {
                sxt_mma_bf16(f.acc[m][2 * d], a[m], b);
                sxt_mma_bf16(f.acc[m][2 * d + 1], a[m], b + 2);
            }
        }
    }
}

/* A tile that begins at key `first`.  q: the block's queries; k: the stage. */
template <class S>
__device__ static __forceinline__ void sxt_flash_step(
    sxt_flash<S> &f, const bf16 *q, const bf16 *k, const sxt_flash_rows &rows,
    unsigned first, float c)
{
    unsigned row = threadIdx.x / 32 * 16 * S::M;
    float s[S::M][S::N / 8][4];

    if (row >= rows.n) /* the whole warp */
        return;
    unsigned last = min(row + 16 * S::M, rows.n) - 1;
    if (first >= rows.seen + last / rows.group)
        return;
    sxt_flash_score<S>(s, q + row * S::D, k);
    if (first + S::N > rows.seen)
        sxt_flash_mask<S>(s, rows, first);
    sxt_flash_soften<S>(f, s, c);
    sxt_flash_add<S>(f, s, k + S::N * S::D);
}

/* o = acc / sum, through the shared memory of the warp's own queries so that
 * whole lines are written. */
template <class S>
__device__ static __forceinline__ void sxt_flash_store(
    bf16 *o, const sxt_flash<S> &f, bf16 *q, const sxt_flash_rows &rows,
    size_t heads)
{
    constexpr int CHUNKS = S::D / 8;
    int lane = (int)threadIdx.x % 32;
    unsigned row = threadIdx.x / 32 * 16 * S::M;
    bf16 *mine = q + row * S::D;

    __syncwarp();
#pragma unroll
    for (int i = 0; i < 2 * S::M; i++) {
        float by = 1 / f.sum[i / 2][i % 2];
#pragma unroll
        for (int d = 0; d < CHUNKS; d++) {
            const float *x = &f.acc[i / 2][d][i % 2 * 2];
            int to = sxt_flash_place<S::D>(8 * i + lane / 4, d) + lane % 4 * 2;
            mine[to] = sxt_round<bf16>(x[0] * by);
            mine[to + 1] = sxt_round<bf16>(x[1] * by);
        }
    }
    __syncwarp();
    for (int i = lane; i < 16 * S::M * CHUNKS; i += 32) {
        unsigned r = row + (unsigned)(i / CHUNKS);
        if (r < rows.n)
            sxt_store_pack(
                o + sxt_flash_at(rows, r, heads) * S::D + i % CHUNKS * 8,
                sxt_load_pack<bf16, 8>(
                    mine + sxt_flash_place<S::D>(i / CHUNKS, i % CHUNKS)));
    }
}

/* ---- parts of a row: (max, sum, acc), merged in order ---- */

struct sxt_merge {
    float old, part; /* what the two are multiplied with */
};

/* `all` has a finite maximum, or nothing yet and `part` has one. */
__device__ static __forceinline__ sxt_merge sxt_merge_max(float &all,
                                                          float part, float c)
{
    float top = fmaxf(all, part);
    sxt_merge by = { exp2f((all - top) * c), exp2f((part - top) * c) };

    all = top;
    return by;
}

__device__ static __forceinline__ void sxt_merge_add(float &all, float part,
                                                     sxt_merge by)
{
    all = fmaf(part, by.part, all * by.old);
}

/* ---- one row by a warp, for every type and width up to SXT_PLAIN_D ---- */

/* Column lane + 32 i of acc; max and sum are the same in all lanes. */
struct sxt_plain {
    float acc[SXT_PLAIN_D / 32], max, sum;
};

__device__ static __forceinline__ void sxt_plain_open(sxt_plain &x)
{
    x.max = -INFINITY;
    x.sum = 0;
    for (int i = 0; i < SXT_PLAIN_D / 32; i++)
        x.acc[i] = 0;
}

/* The weight of this lane's key of the 32 from `first` on: 0 from `end` on.
 * The state follows the new maximum. */
template <class T, class Keys>
__device__ static float sxt_plain_weigh(sxt_plain &x, const T *q,
                                        const Keys &keys, unsigned first,
                                        unsigned end, size_t d, float c)
{
    unsigned j = first + threadIdx.x % 32;
    float s = -INFINITY;

    if (j < end) {
        const T *k = keys.k + keys.at(j);
        s = 0;
        for (size_t i = 0; i < d; i++)
            s = fmaf(sxt_f32(q[i]), sxt_f32(k[i]), s);
    }
    float top = fmaxf(x.max, sxt_warp_max(s));
    float shrink = exp2f((x.max - top) * c), p = exp2f((s - top) * c);
    x.max = top;
    x.sum = fmaf(x.sum, shrink, sxt_warp_sum(p));
    for (int i = 0; i < SXT_PLAIN_D / 32; i++)
        x.acc[i] *= shrink;
    return p;
}

/* Keys first … end - 1, at least one.  p: 32 floats of shared memory. */
template <class T, class Keys>
__device__ static void sxt_plain_run(sxt_plain &x, const T *q, const Keys &keys,
                                     unsigned first, unsigned end, size_t d,
                                     float c, float *p)
{
    unsigned lane = threadIdx.x % 32;

    for (; first < end; first += 32) {
        p[lane] = sxt_plain_weigh(x, q, keys, first, end, d, c);
        __syncwarp();
        for (unsigned j = 0; j < min(32u, end - first); j++) {
            const T *v = keys.v + keys.at(first + j);
            for (unsigned i = 0; i < SXT_PLAIN_D / 32; i++)
                if (lane + 32 * i < d)
                    x.acc[i] = fmaf(p[j], sxt_f32(v[lane + 32 * i]), x.acc[i]);
        }
        __syncwarp();
    }
}

template <class T>
__device__ static void sxt_plain_store(T *o, const sxt_plain &x, size_t d)
{
    float by = 1 / x.sum;

    for (unsigned i = 0; i < SXT_PLAIN_D / 32; i++)
        if (threadIdx.x % 32 + 32 * i < d)
            o[threadIdx.x % 32 + 32 * i] = sxt_round<T>(x.acc[i] * by);
}

#endif
