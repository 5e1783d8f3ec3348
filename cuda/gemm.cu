/* gemm.cu - matrix product: C = alpha op(A) op(B) + beta C + bias.
 *
 * cuBLASLt does it (blas.cu).  Where that has no algorithm, and for k = 0, a
 * plain kernel: a thread per element of C sums over k ascending, so that a row
 * never depends on the others. */
#include "cuda/blas.h"
#include "cuda/kernel.cuh"

enum { TILE = 16, MOST_BLOCKS_Y = 65535 };

/* Strides of op(A) and op(B), in elements. */
struct steps {
    size_t a_row, a_col, b_row, b_col;
};

template <class T, class C>
__global__ void __launch_bounds__(TILE *TILE)
    plain(const struct sxt_gemm g, const struct steps s)
{
    __shared__ float a[TILE][TILE + 1], b[TILE][TILE + 1];
    const T *from_a = (const T *)g.a, *from_b = (const T *)g.b;
    const T *bias = (const T *)g.bias;
    size_t x = threadIdx.x, y = threadIdx.y;
    size_t i = (size_t)blockIdx.y * TILE + y, j = (size_t)blockIdx.x * TILE + x;
    float sum = 0;

    for (size_t k = 0; k < g.k; k += TILE) {
        size_t row = k + y; /* of B */
        a[y][x] = i < g.m && k + x < g.k
                      ? sxt_f32(from_a[i * s.a_row + (k + x) * s.a_col])
                      : 0;
        b[y][x] = row < g.k && j < g.n
                      ? sxt_f32(from_b[row * s.b_row + j * s.b_col])
                      : 0;
        __syncthreads();
        for (int p = 0; p < TILE; p++)
            sum = fmaf(a[y][p], b[p][x], sum);
        __syncthreads();
    }
    if (i >= g.m || j >= g.n)
        return;
    C *c = (C *)g.c + i * g.ldc + j;
    sum *= g.alpha;
    if (g.beta != 0)
        sum = fmaf(g.beta, sxt_f32(*c), sum);
    if (bias)
        sum += sxt_f32(bias[j]);
    *c = sxt_round<C>(sum);
}

template <class T, class C>
static void run_plain(struct sxt_num *num, const struct sxt_gemm *g)
{
    const struct steps s = { g->ta ? 1 : g->lda, g->ta ? g->lda : 1,
                             g->tb ? 1 : g->ldb, g->tb ? g->ldb : 1 };
    dim3 grid(sxt_blocks(g->n, TILE), sxt_blocks(g->m, TILE));

    SXT_CHECK(grid.y <= MOST_BLOCKS_Y); /* a million rows */
    SXT_LAUNCH((plain<T, C>), grid, dim3(TILE, TILE), 0,
               sxt_cuda_of(num)->stream, *g, s);
}

/* C (f32) += bias (bf16): a combination that cuBLASLt does not fuse. */
__global__ void add_bias(float *c, const bf16 *bias, size_t n, size_t ldc)
{
    size_t j = (size_t)blockIdx.x * blockDim.x + threadIdx.x;

    if (j < n)
        c[blockIdx.y * ldc + j] += sxt_f32(bias[j]);
}

static bool by_blas(struct sxt_num *num, const struct sxt_gemm *g)
{
    struct sxt_blas *blas = sxt_cuda_of(num)->blas;
    struct sxt_gemm part = *g;

    if (g->k == 0 || g->m > MOST_BLOCKS_Y)
        return false;
    if (!g->bias || g->c_type == g->type)
        return sxt_blas_gemm(blas, g);
    part.bias = NULL;
    if (!sxt_blas_gemm(blas, &part))
        return false;
    SXT_LAUNCH(add_bias, dim3(sxt_blocks(g->n, 256), (unsigned)g->m), 256, 0,
               sxt_cuda_of(num)->stream, (float *)g->c, (const bf16 *)g->bias,
               g->n, g->ldc);
    return true;
}

void sxt_cuda_gemm(struct sxt_num *num, const struct sxt_gemm *g)
{
    SXT_CHECK(g->type == SXT_BF16 || g->c_type == SXT_F32);
    if (by_blas(num, g))
        return;
    if (g->type == SXT_F32)
        run_plain<float, float>(num, g);
    else if (g->c_type == SXT_F32)
        run_plain<bf16, float>(num, g);
    else
        run_plain<bf16, bf16>(num, g);
}
