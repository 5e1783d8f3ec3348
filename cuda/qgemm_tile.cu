/* qgemm_tile.cu - many rows by weights in 8 or 4 bits, in tiles of C.
 *
 * A block has M rows and N columns of C.  A weight is unpacked once for M rows,
 * into shared memory, a chunk of k ahead of the products and from registers
 * that were loaded two chunks ahead; A comes by asynchronous copies, also two
 * chunks ahead.  A block goes through k remainder by remainder, as qfrag.cuh
 * orders the sums: a second set of accumulators is the price, and the bits of a
 * row are those of qgemm.cu.
 *
 * What bounds it: a warp reads 4 KiB of W and 8 KiB of A from shared memory for
 * a chunk's 64 products, 768 cycles for the 8 warps at 128 bytes a cycle, where
 * the tensor cores need 512 (GPUs with 2048 fused multiply-adds in bf16 a cycle
 * and multiprocessor) or 1024 (with 1024): derived, not measured.  At M = 128
 * accumulators leave registers for 8 warps a multiprocessor. */
#include "cuda/qfrag.cuh"
#include "cuda/qgemm_tile.h"

enum { N = 128, THREADS = 2 * N, CHUNK = SXT_QCHUNK, STAGES = 3 };
enum {
    WARPS_M = 2,
    WARP_N = N / (THREADS / 32 / WARPS_M),
    TILES_N = WARP_N / 16
};
enum { PACKS = CHUNK / 8 }; /* of 16 bytes in a row of a chunk */
enum { BYTES = 256, LANES = 32 };

/* The shared memory of M rows by N columns: two threads to a column of W. */
template <int M> struct shape {
    bf16 a[STAGES][M * CHUNK], w[2][N * CHUNK];
    float max[2][N];              /* NF4: the blocks' */
    uint32_t pair[BYTES * LANES]; /* NF4: a lane's copy in a bank of its own */
};

/* Where 8 numbers lie: rows at the same place are in different banks. */
__device__ static __forceinline__ int place(int row, int pack)
{
    return row * CHUNK + (pack ^ row % PACKS) * 8;
}

/* The chunk after this one, in the order of sums. */
__device__ static __forceinline__ unsigned after(unsigned chunk,
                                                 unsigned chunks)
{
    unsigned next = chunk + SXT_QCLASSES;

    return next < chunks ? next : chunk % SXT_QCLASSES + 1;
}

/* ---- loading ---- */

/* Start copying a chunk of A and commit; `a` is this thread's first pack of
 * chunk 0, `left` how many rows there are from its row on: zeros behind them.
 */
template <int M>
__device__ static __forceinline__ void load_a(bf16 *to, const bf16 *a, int left,
                                              unsigned k, unsigned chunk,
                                              bool inside)
{
    constexpr int STEP = THREADS / PACKS;
    int row = (int)threadIdx.x / PACKS, pack = (int)threadIdx.x % PACKS;

    a += chunk * CHUNK;
#pragma unroll
    for (int i = 0; i < M; i += STEP, a += (size_t)STEP * k)
        if (inside)
            sxt_copy_async(to + place(row, pack) + i * CHUNK, a, i < left);
    sxt_copy_commit();
}

/* Half a chunk of a column of W as it is in memory, and its maximum. */
template <bool NF4> struct packed {
    uint32_t q[NF4 ? 4 : 8];
    float max;
};

/* q: this thread's half of chunk 0; block: that chunk's number in W. */
template <bool NF4>
__device__ static __forceinline__ void load_w(packed<NF4> &p,
                                              const struct sxt_qmat &w,
                                              const uint8_t *q, size_t block,
                                              unsigned chunk)
{
    q += chunk * (NF4 ? CHUNK / 2 : CHUNK);
#pragma unroll
    for (int i = 0; i < (NF4 ? 1 : 2); i++) {
        sxt_pack<uint32_t, 4> four = sxt_load_pack<uint32_t, 4>(
            reinterpret_cast<const uint32_t *>(q) + 4 * i);
        for (int j = 0; j < 4; j++)
            p.q[4 * i + j] = four.x[j];
    }
    if (NF4 && threadIdx.x % 2 == 0)
        p.max = sxt_nf4_block_max(&w, block + chunk);
}

/* Lanes write to different banks, too. */
template <int M>
__device__ static void fill_pairs(shape<M> *s, const struct sxt_code_book &book)
{
    for (unsigned byte = threadIdx.x; byte < BYTES; byte += THREADS) {
        uint32_t two = sxt_qfrag_pair(book, byte);
        for (unsigned i = 0; i < LANES; i++)
            s->pair[byte * LANES + (byte + i) % LANES] = two;
    }
}

template <int M, bool NF4>
__device__ static void unpack(shape<M> *s, unsigned buffer,
                              const packed<NF4> &p)
{
    int col = (int)threadIdx.x / 2, half = (int)threadIdx.x % 2;
    const uint32_t *pair = s->pair + threadIdx.x % LANES;

    if (NF4 && half == 0)
        s->max[buffer][col] = p.max;
#pragma unroll
    for (int i = 0; i < 2; i++) {
        uint32_t w[8];
        if (NF4) {
#pragma unroll
            for (int j = 0; j < 8; j++)
                w[j] = pair[(p.q[2 * i + j / 4] >> j % 4 * 8 & 255) * LANES];
        } else {
            sxt_qfrag_int8(w, p.q + (NF4 ? 0 : 4 * i));
        }
#pragma unroll
        for (int j = 0; j < 2; j++)
            sxt_store_pack(
                reinterpret_cast<uint32_t *>(s->w[buffer] +
                                             place(col, 4 * half + 2 * i + j)),
                sxt_pack<uint32_t, 4>{
                    { w[4 * j], w[4 * j + 1], w[4 * j + 2], w[4 * j + 3] } });
    }
}

/* ---- products ---- */

/* A lane's 16 neighbours of a row.  A matrix load would give it others. */
__device__ static __forceinline__ void fragment(uint32_t x[8], const bf16 *from,
                                                int row)
{
    int t = (int)threadIdx.x % 4;

#pragma unroll
    for (int half = 0; half < 2; half++) {
        sxt_pack<uint32_t, 4> four =
            sxt_load_pack<uint32_t, 4>(reinterpret_cast<const uint32_t *>(
                from + place(row, 2 * t + half)));
#pragma unroll
        for (int i = 0; i < 4; i++)
            x[4 * half + i] = four.x[i];
    }
}

/* acc += this warp's columns col … of W by its rows row … of A, a chunk. */
template <int M, bool NF4>
__device__ static void multiply(float (&acc)[TILES_N][M / 16][4],
                                const shape<M> *s, unsigned stage,
                                unsigned buffer, int col, int row)
{
    int g = (int)threadIdx.x % 32 / 4;
    uint32_t w[TILES_N][2][8];
    float max[TILES_N][2];

#pragma unroll
    for (int i = 0; i < TILES_N * 2; i++) {
        int at = col + i * 8 + g;
        fragment(w[i / 2][i % 2], s->w[buffer], at);
        max[i / 2][i % 2] = NF4 ? s->max[buffer][at] : 1;
    }
#pragma unroll
    for (int j = 0; j < M / 16; j++) {
        uint32_t x[8];
        fragment(x, s->a[stage], row + j * 8 + g);
#pragma unroll
        for (int i = 0; i < TILES_N; i++) {
            float sum[4] = { 0, 0, 0, 0 };
            sxt_qfrag_multiply(NF4 ? sum : acc[i][j], w[i], x);
#pragma unroll
            for (int e = 0; NF4 && e < 4; e++)
                acc[i][j][e] = fmaf(max[i][e / 2], sum[e], acc[i][j][e]);
        }
    }
}

/* A remainder's sums are complete. */
template <int TILES_M>
__device__ static __forceinline__ void add(float (&sum)[TILES_N][TILES_M][4],
                                           float (&acc)[TILES_N][TILES_M][4])
{
#pragma unroll
    for (int i = 0; i < TILES_N * TILES_M * 4; i++) {
        float &x = acc[i / 4 / TILES_M][i / 4 % TILES_M][i % 4];
        sum[i / 4 / TILES_M][i / 4 % TILES_M][i % 4] += x;
        x = 0;
    }
}

/* ---- C ---- */

/* This warp's part of C, of which (row, col) is the first element. */
template <bool NF4, int TILES_M>
__device__ static void store(bf16 *c, const float (&sum)[TILES_N][TILES_M][4],
                             const struct sxt_qmat &w, size_t m, size_t row,
                             size_t col)
{
    int g = (int)threadIdx.x % 32 / 4, t = (int)threadIdx.x % 4;

#pragma unroll
    for (int i = 0; i < TILES_N * 2; i++) {
        size_t at = col + i * 8 + g;
        float scale = NF4 || at >= w.n ? 1 : w.scale[at];
#pragma unroll
        for (int j = 0; j < TILES_M * 2; j++) {
            size_t r = row + j / 2 * 8 + 2 * t + j % 2;
            float x = sum[i / 2][j / 2][i % 2 * 2 + j % 2];
            if (r < m && at < w.n)
                c[r * w.n + at] = sxt_round<bf16>(NF4 ? x : x * scale);
        }
    }
}

template <int M, bool NF4>
__global__ void __launch_bounds__(THREADS)
    tile(bf16 *c, const bf16 *a, struct sxt_qmat w, size_t m,
         struct sxt_code_book book)
{
    SXT_SHARED(shape<M>, s);
    size_t row0 = (size_t)blockIdx.y * M, col0 = (size_t)blockIdx.x * N;
    size_t col = min(col0 + threadIdx.x / 2, w.n - 1);
    size_t block = col * (w.k / CHUNK);
    const uint8_t *q = w.q + (2 * block + threadIdx.x % 2) * (NF4 ? 16 : 32);
    size_t row = row0 + threadIdx.x / PACKS;
    int left = row < m ? (int)min(m - row, (size_t)M) : 0;
    unsigned k = (unsigned)w.k, chunks = k / CHUNK, chunk = 0;
    unsigned second = after(0, chunks), ahead = after(second, chunks);
    int warp_row = (int)threadIdx.x / 32 % WARPS_M * (M / WARPS_M);
    int warp_col = (int)threadIdx.x / 32 / WARPS_M * WARP_N;
    float acc[TILES_N][M / 16][4] = {}, sum[TILES_N][M / 16][4] = {};
    packed<NF4> p;

    a += row * k + threadIdx.x % PACKS * 8;
    load_a<M>(s->a[0], a, left, k, 0, true);
    load_a<M>(s->a[1], a, left, k, second, chunks > 1);
    load_w<NF4>(p, w, q, block, 0);
    if (NF4)
        fill_pairs(s, book);
    __syncthreads(); /* pair */
    unpack<M, NF4>(s, 0, p);
    if (chunks > 1)
        load_w<NF4>(p, w, q, block, second);
    unsigned stage = 0, buffer = 0;
#pragma unroll 1
    for (unsigned i = 0; i < chunks; i++) {
        sxt_copy_wait<1>();
        __syncthreads();
        load_a<M>(s->a[stage == 0 ? STAGES - 1 : stage - 1], a, left, k, ahead,
                  i + 2 < chunks);
        if (i + 1 < chunks)
            unpack<M, NF4>(s, buffer ^ 1, p);
        if (i + 2 < chunks)
            load_w<NF4>(p, w, q, block, ahead);
        multiply<M, NF4>(acc, s, stage, buffer, warp_col, warp_row);
        if (chunk + SXT_QCLASSES >= chunks)
            add(sum, acc);
        ahead = after(ahead, chunks);
        chunk = after(chunk, chunks);
        stage = stage == STAGES - 1 ? 0 : stage + 1;
        buffer ^= 1;
    }
    store<NF4>(c, sum, w, m, row0 + warp_row, col0 + warp_col);
}

template <int M, bool NF4> static constexpr size_t shared_bytes()
{
    return NF4 ? sizeof(shape<M>) : offsetof(shape<M>, max);
}

template <int M, bool NF4>
static void run(struct sxt_num *num, size_t m, const void *a,
                const struct sxt_qmat *w, void *c)
{
    dim3 grid(sxt_blocks(w->n, N), sxt_blocks(m, M));
    size_t bytes = shared_bytes<M, NF4>();

    SXT_CUDA(cudaFuncSetAttribute(
        tile<M, NF4>, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes));
    SXT_LAUNCH((tile<M, NF4>), grid, THREADS, bytes, sxt_cuda_of(num)->stream,
               (bf16 *)c, (const bf16 *)a, *w, m, sxt_nf4_book());
}

/* Low tiles where high ones would leave multiprocessors without work, or need
 * more shared memory than a block gets (99 KiB by compute capability 8.6). */
template <bool NF4>
static void choose(struct sxt_num *num, size_t m, const void *a,
                   const struct sxt_qmat *w, void *c)
{
    const struct sxt_cuda *cuda = sxt_cuda_of(num);
    size_t high = sxt_blocks(w->n, N) * (size_t)sxt_blocks(m, 128);

    if (high < (size_t)cuda->processors ||
        cuda->shared_bytes < shared_bytes<128, NF4>())
        run<64, NF4>(num, m, a, w, c);
    else
        run<128, NF4>(num, m, a, w, c);
}

void sxt_cuda_qgemm_tile(struct sxt_num *num, size_t m, const void *a,
                         const struct sxt_qmat *w, void *c)
{
    if (w->format == SXT_NF4)
        choose<true>(num, m, a, w, c);
    else
        choose<false>(num, m, a, w, c);
}
