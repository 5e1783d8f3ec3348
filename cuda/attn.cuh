/* attn.cuh - what packed and paged attention share: query rows against tiles of
 * keys with the online softmax of Dao, arXiv:2307.08691, section 3.1, on tensor
 * cores.
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

#include "cuda/attn_load.cuh"
#include "cuda/attn_plain.cuh"

/* s = q k^T: a warp's rows against a tile. */
template <class S>
__device__ static __forceinline__ void sxt_flash_score(
    float (&s)[S::M][S::N / 8][4], const bf16 *q, const bf16 *k)
{
    int lane = (int)threadIdx.x % 32;
    int own = sxt_flash_place<S::D>(lane % 16, lane / 16);
    int key = sxt_flash_place<S::D>(lane / 16 * 8 + lane % 8, lane / 8 % 2);

#pragma unroll
    for (int i = 0; i < S::M * S::N / 2; i++)
        s[i / (S::N / 2)][i % (S::N / 2) / 4][i % 4] = 0;
#pragma unroll 4
    for (int d = 0; d < S::D / 16; d++) {
        uint32_t a[S::M][4], b[4];
#pragma unroll
        for (int m = 0; m < S::M; m++)
            sxt_ldmatrix_x4(a[m], q + 16 * m * S::D + (own ^ 16 * d));
#pragma unroll
        for (int n = 0; n < S::N / 16; n++) {
            sxt_ldmatrix_x4(b, k + 16 * n * S::D + (key ^ 16 * d));
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
        float shrink = sxt_exp2((f.max[m][i % 2] - base) * c);
        float sum = f.sum[m][i % 2] * shrink;
#pragma unroll
        for (int n = 0; n < S::N / 8; n++) {
            s[m][n][h] = sxt_exp2(fmaf(s[m][n][h], c, -base * c));
            s[m][n][h + 1] = sxt_exp2(fmaf(s[m][n][h + 1], c, -base * c));
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
    int turned = sxt_flash_place<S::D>(lane % 16, lane / 16);

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
            sxt_ldmatrix_x4_trans(b, v + 16 * n * S::D + (turned ^ 16 * d));
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
            sxt_store_global(
                o + sxt_flash_at(rows, r, heads) * S::D + i % CHUNKS * 8,
                sxt_load_pack<bf16, 8>(
                    mine + sxt_flash_place<S::D>(i / CHUNKS, i % CHUNKS)));
    }
}

#endif
