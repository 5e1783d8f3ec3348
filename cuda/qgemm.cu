/* qgemm.cu - activations by weights in 8 or 4 bits, unpacked on the way into
 * the tensor cores.
 *
 * 16 columns of C are the 16 rows of a product of tensor cores, 8 rows of C its
 * columns.  Chunks of k are dealt out to the warps of a block: qfrag.cuh says
 * in which order sums are added.  INT8's codes are exact in bf16 and the row's
 * scale comes at the end; NF4's codes are rounded to bf16, and the block's
 * maximum multiplies the sum of a chunk, which is a block.
 *
 * How many rows there are only decides how many share an unpacked weight: a
 * row's sums are the same for every m, here and in qgemm_tile.cu, or an answer
 * would depend on those beside it. */
#include "cuda/qfrag.cuh"
#include "cuda/qgemm_tile.h"

enum { WARPS = SXT_QCLASSES, THREADS = 32 * WARPS };
enum { CHUNK = SXT_QCHUNK, EACH = SXT_QEACH };
enum { TILE_N = 16, TILE_M = 8 };

/* ---- fragments: 16 neighbours of a chunk as 8 pairs of bf16 ---- */

__device__ static void load_a(uint32_t x[8], const bf16 *at, bool inside,
                              bool wide)
{
    for (int i = 0; i < 8; i++)
        x[i] = 0;
    if (inside && wide) {
        sxt_pack<uint32_t, 4> low =
            sxt_load_pack<uint32_t, 4>(reinterpret_cast<const uint32_t *>(at));
        sxt_pack<uint32_t, 4> high = sxt_load_pack<uint32_t, 4>(
            reinterpret_cast<const uint32_t *>(at) + 4);
        for (int i = 0; i < 4; i++) {
            x[i] = low.x[i];
            x[i + 4] = high.x[i];
        }
    } else if (inside) {
        memcpy(x, at, 8 * sizeof(*x));
    }
}

__device__ static void load_int8(uint32_t w[8], const uint8_t *at)
{
    sxt_qfrag_int8(
        w,
        sxt_load_pack<uint32_t, 4>(reinterpret_cast<const uint32_t *>(at)).x);
}

__device__ static void load_nf4(uint32_t w[8], const uint8_t *at,
                                const uint32_t *pair)
{
    sxt_pack<uint32_t, 2> q =
        sxt_load_pack<uint32_t, 2>(reinterpret_cast<const uint32_t *>(at));

#pragma unroll
    for (int i = 0; i < 8; i++)
        w[i] = pair[q.x[i / 4] >> i % 4 * 8 & 255];
}

static_assert(THREADS == 256, "fill_pairs: a thread a byte");
__device__ static void fill_pairs(uint32_t *pair,
                                  const struct sxt_code_book &book)
{
    pair[threadIdx.x] = sxt_qfrag_pair(book, threadIdx.x);
    __syncthreads();
}

/* ---- tensor cores ---- */

/* What a lane adds to its warp's tiles from one chunk. */
template <int TILES, bool NF4>
__device__ static void multiply(float (&acc)[TILES][4],
                                const uint32_t (&x)[TILES][8],
                                const uint32_t (&w)[2][8],
                                const float (&max)[2])
{
#pragma unroll
    for (int i = 0; i < TILES; i++) {
        float sum[4] = { 0, 0, 0, 0 };
        float *to = NF4 ? sum : acc[i];
        sxt_qfrag_multiply(to, w, x[i]);
        for (int j = 0; NF4 && j < 4; j++)
            acc[i][j] = fmaf(max[j / 2], sum[j], acc[i][j]);
    }
}

/* One tile of C from the warps' sums. */
template <bool NF4>
__device__ static void finish(bf16 *c, const float (&acc)[4],
                              const struct sxt_qmat &w, size_t m, size_t row,
                              size_t col)
{
    __shared__ float part[WARPS][TILE_M][TILE_N];
    int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;

    for (int j = 0; j < 4; j++)
        part[threadIdx.x / 32][2 * t + j % 2][g + j / 2 * 8] = acc[j];
    __syncthreads();
    int i = threadIdx.x / TILE_N, j = threadIdx.x % TILE_N;
    if (i < TILE_M && row + i < m && col + j < w.n) {
        float sum = 0;
        for (int k = 0; k < WARPS; k++)
            sum += part[k][i][j];
        if (!NF4)
            sum *= w.scale[col + j];
        c[(row + i) * w.n + col + j] = sxt_round<bf16>(sum);
    }
    __syncthreads();
}

/* A block: WIDE tiles of columns, TILES of rows. */
template <int WIDE, int TILES, bool NF4>
__global__ void __launch_bounds__(THREADS)
    product(bf16 *c, const bf16 *a, struct sxt_qmat w, size_t m,
            struct sxt_code_book book, bool wide)
{
    __shared__ uint32_t pair[256];
    int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    size_t col0 = (size_t)blockIdx.x * WIDE * TILE_N;
    size_t row0 = (size_t)blockIdx.y * TILES * TILE_M;
    size_t chunks = w.k / CHUNK;
    float acc[WIDE][TILES][4] = {};

    fill_pairs(pair, book);
    for (size_t chunk = threadIdx.x / 32; chunk < chunks; chunk += WARPS) {
        size_t k = chunk * CHUNK + t * EACH;
        uint32_t x[TILES][8];
#pragma unroll
        for (int i = 0; i < TILES; i++) {
            size_t row = row0 + i * TILE_M + g;
            load_a(x[i], a + row * w.k + k, row < m, wide);
        }
#pragma unroll
        for (int s = 0; s < WIDE; s++) {
            uint32_t q[2][8];
            float max[2] = { 1, 1 };
#pragma unroll
            for (int half = 0; half < 2; half++) {
                size_t j = min(col0 + s * TILE_N + half * 8 + g, w.n - 1);
                if (NF4) {
                    load_nf4(q[half], w.q + (j * w.k + k) / 2, pair);
                    max[half] = sxt_nf4_block_max(&w, j * chunks + chunk);
                } else {
                    load_int8(q[half], w.q + j * w.k + k);
                }
            }
            multiply<TILES, NF4>(acc[s], x, q, max);
        }
    }
#pragma unroll /* acc stays in registers */
    for (int s = 0; s < WIDE; s++)
#pragma unroll
        for (int i = 0; i < TILES; i++)
            finish<NF4>(c, acc[s][i], w, m, row0 + i * TILE_M,
                        col0 + s * TILE_N);
}

/* ---- without them: f32, and rows that are no multiple of 64 ---- */

/* A warp does a column of C and TILE_M rows; each lane every 32nd k. */
template <class T>
__global__ void __launch_bounds__(THREADS)
    plain(T *c, const T *a, struct sxt_qmat w, size_t m,
          struct sxt_code_book book)
{
    size_t j = (size_t)blockIdx.x * WARPS + threadIdx.x / 32;
    size_t row0 = (size_t)blockIdx.y * TILE_M;
    float sum[TILE_M] = {};

    if (j >= w.n)
        return;
    for (size_t k = threadIdx.x % 32; k < w.k; k += 32) {
        float x = sxt_weight(w, book, j, k);
        for (int i = 0; i < TILE_M; i++)
            if (row0 + i < m)
                sum[i] = fmaf(sxt_f32(a[(row0 + i) * w.k + k]), x, sum[i]);
    }
    for (int i = 0; i < TILE_M; i++) {
        float all = sxt_warp_sum(sum[i]);
        if (threadIdx.x % 32 == 0 && row0 + i < m)
            c[(row0 + i) * w.n + j] = sxt_round<T>(all);
    }
}

template <class T>
static void run_plain(struct sxt_num *num, size_t m, const void *a,
                      const struct sxt_qmat *w, void *c,
                      const struct sxt_code_book &book)
{
    dim3 grid(sxt_blocks(w->n, WARPS), sxt_blocks(m, TILE_M));

    SXT_LAUNCH(plain<T>, grid, THREADS, 0, sxt_cuda_of(num)->stream, (T *)c,
               (const T *)a, *w, m, book);
}

template <int WIDE, int TILES>
static void run(struct sxt_num *num, size_t m, const void *a,
                const struct sxt_qmat *w, void *c,
                const struct sxt_code_book &book)
{
    dim3 grid(sxt_blocks(w->n, WIDE * TILE_N), sxt_blocks(m, TILES * TILE_M));
    cudaStream_t stream = sxt_cuda_of(num)->stream;
    bool wide = sxt_is_wide<bf16>(a, w->k);

    if (w->format == SXT_NF4)
        SXT_LAUNCH((product<WIDE, TILES, true>), grid, THREADS, 0, stream,
                   (bf16 *)c, (const bf16 *)a, *w, m, book, wide);
    else
        SXT_LAUNCH((product<WIDE, TILES, false>), grid, THREADS, 0, stream,
                   (bf16 *)c, (const bf16 *)a, *w, m, book, wide);
}

void sxt_cuda_qgemm(struct sxt_num *num, size_t m, const void *a,
                    const struct sxt_qmat *w, void *c, enum sxt_dtype type)
{
    const struct sxt_code_book book = sxt_nf4_book();

    if (m == 0)
        return;
    if (type == SXT_F32)
        run_plain<float>(num, m, a, w, c, book);
    else if (w->k % CHUNK != 0)
        run_plain<bf16>(num, m, a, w, c, book);
    else if (m <= 8)
        run<1, 1>(num, m, a, w, c, book);
    else if (m <= 16)
        run<1, 2>(num, m, a, w, c, book);
    else if (m <= 32)
        run<2, 4>(num, m, a, w, c, book);
    else if (m <= 64 || !sxt_is_wide<bf16>(a, w->k))
        run<2, 8>(num, m, a, w, c, book);
    else
        sxt_cuda_qgemm_tile(num, m, a, w, c);
}
