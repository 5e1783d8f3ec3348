/* attn_load.cuh - the query rows and the tiles of keys of attn.cuh, and how
 * they come into shared memory. */
#ifndef SXT_CUDA_ATTN_LOAD_CUH
#define SXT_CUDA_ATTN_LOAD_CUH

#include "cuda/kernel.cuh"
#include "cuda/mma.cuh"

enum { SXT_FLASH_WARPS = 4, SXT_FLASH_THREADS = 32 * SXT_FLASH_WARPS };
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
 * chunk are in different banks.  Chunk c + d, of an even d that shares no bit
 * with c, is at place ^ 8 d. */
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

#endif
