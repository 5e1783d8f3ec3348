/* sums.cu - element-wise additions and conversions, exact as num/ops.h has
 * them, and sums of squares. */
#include "cuda/kernel.cuh"

enum { THREADS = 256, EACH = 8 };

__device__ static __forceinline__ size_t first_element(void)
{
    return ((size_t)blockIdx.x * THREADS + threadIdx.x) * EACH;
}

template <class T>
__global__ void __launch_bounds__(THREADS)
    sum_pieces(float *y, const T *x, size_t pieces, size_t n, float beta,
               bool wide)
{
    size_t c = first_element();
    float sum[EACH] = {}, v[EACH];

    if (c >= n)
        return;
    if (beta != 0) {
        sxt_load_row(sum, y, c, n, wide);
        for (int i = 0; i < EACH; i++)
            sum[i] *= beta;
    }
    for (size_t p = 0; p < pieces; p++) {
        sxt_load_row(v, x + p * n, c, n, wide);
        for (int i = 0; i < EACH; i++)
            sum[i] += v[i];
    }
    sxt_store_row(y, sum, c, n, wide);
}

template <class T>
static void run_pieces(struct sxt_num *num, float *y, const void *x,
                       size_t pieces, size_t n, float beta)
{
    bool wide = sxt_is_wide<float>(y, n) && sxt_is_wide<T>(x, n);

    SXT_LAUNCH(sum_pieces<T>, sxt_blocks(n, THREADS * EACH), THREADS, 0,
               sxt_cuda_of(num)->stream, y, (const T *)x, pieces, n, beta,
               wide);
}

void sxt_cuda_sum_pieces(struct sxt_num *num, float *y, const void *x,
                         size_t pieces, size_t n, float beta,
                         enum sxt_dtype type)
{
    if (type == SXT_F32)
        run_pieces<float>(num, y, x, pieces, n, beta);
    else
        run_pieces<bf16>(num, y, x, pieces, n, beta);
}

template <class T>
__global__ void __launch_bounds__(THREADS)
    add(T *y, const T *x, size_t n, bool wide)
{
    size_t c = first_element();
    float u[EACH], v[EACH];

    if (c >= n)
        return;
    sxt_load_row(u, y, c, n, wide);
    sxt_load_row(v, x, c, n, wide);
    for (int i = 0; i < EACH; i++)
        u[i] += v[i];
    sxt_store_row(y, u, c, n, wide);
}

template <class T>
static void run_add(struct sxt_num *num, void *y, const void *x, size_t n)
{
    bool wide = sxt_is_wide<T>(y, EACH) && sxt_is_wide<T>(x, EACH);

    SXT_LAUNCH(add<T>, sxt_blocks(n, THREADS * EACH), THREADS, 0,
               sxt_cuda_of(num)->stream, (T *)y, (const T *)x, n, wide);
}

void sxt_cuda_add(struct sxt_num *num, void *y, const void *x, size_t n,
                  enum sxt_dtype type)
{
    if (type == SXT_F32)
        run_add<float>(num, y, x, n);
    else
        run_add<bf16>(num, y, x, n);
}

template <class Y, class X>
__global__ void __launch_bounds__(THREADS)
    cast(Y *y, const X *x, size_t n, bool wide)
{
    size_t c = first_element();
    float v[EACH];

    if (c >= n)
        return;
    sxt_load_row(v, x, c, n, wide);
    sxt_store_row(y, v, c, n, wide);
}

template <class Y, class X>
static void run_cast(struct sxt_num *num, void *y, const void *x, size_t n)
{
    bool wide = sxt_is_wide<Y>(y, EACH) && sxt_is_wide<X>(x, EACH);

    SXT_LAUNCH((cast<Y, X>), sxt_blocks(n, THREADS * EACH), THREADS, 0,
               sxt_cuda_of(num)->stream, (Y *)y, (const X *)x, n, wide);
}

void sxt_cuda_cast(struct sxt_num *num, void *y, enum sxt_dtype y_type,
                   const void *x, enum sxt_dtype x_type, size_t n)
{
    if (y_type == SXT_F32 && x_type == SXT_F32)
        run_cast<float, float>(num, y, x, n);
    else if (y_type == SXT_F32)
        run_cast<float, bf16>(num, y, x, n);
    else if (x_type == SXT_F32)
        run_cast<bf16, float>(num, y, x, n);
    else
        run_cast<bf16, bf16>(num, y, x, n);
}

/* A leaf is cut into parts of `each` elements, a block for each part. */
struct leaves {
    size_t n, leaf, each, parts;
};

/* part[b]: the squares of block b's elements. */
template <int BLOCK>
__global__ void __launch_bounds__(BLOCK)
    sum_squares(double *part, const float *x, const leaves l, bool wide)
{
    size_t begin = blockIdx.x / l.parts * l.leaf;
    size_t first = begin + blockIdx.x % l.parts * l.each;
    size_t end = min(min(first + l.each, begin + l.leaf), l.n);
    double sum = 0;
    float v[EACH];

    for (size_t c = first + threadIdx.x * EACH; c < end; c += BLOCK * EACH) {
        sxt_load_row(v, x, c, end, wide);
        for (int i = 0; i < EACH; i++)
            sum += (double)v[i] * v[i];
    }
    sum = sxt_block_sum<BLOCK>(sum);
    if (threadIdx.x == 0)
        part[blockIdx.x] = sum;
}

/* sums[b]: those of leaf b's parts. */
__global__ void __launch_bounds__(32)
    sum_parts(double *sums, const double *part, size_t parts)
{
    double sum = 0;

    for (size_t i = threadIdx.x; i < parts; i += 32)
        sum += part[blockIdx.x * parts + i];
    sum = sxt_warp_sum(sum);
    if (threadIdx.x == 0)
        sums[blockIdx.x] = sum;
}

/* As many leaves at a time as scratch has sums for. */
template <int BLOCK>
static void run_squares(struct sxt_num *num, double *sums, const float *x,
                        size_t n, size_t leaf)
{
    enum { MOST_PARTS = 4096, TILE = BLOCK * EACH };
    const struct sxt_cuda *cuda = sxt_cuda_of(num);
    double *got = (double *)cuda->scratch;
    size_t tiles = (leaf + TILE - 1) / TILE;
    size_t each = (tiles + MOST_PARTS - 1) / MOST_PARTS * TILE;
    size_t parts = (leaf + each - 1) / each;
    size_t most = SXT_CUDA_SCRATCH / sizeof(*got) / (parts + 1);
    size_t all = (n + leaf - 1) / leaf;
    bool wide = sxt_is_wide<float>(x, leaf);

    static_assert((MOST_PARTS + 1) * sizeof(*got) <= SXT_CUDA_SCRATCH,
                  "scratch");
    for (size_t first = 0; first < all; first += most) {
        unsigned k = (unsigned)(all - first < most ? all - first : most);
        leaves l = { n - first * leaf, leaf, each, parts };
        SXT_LAUNCH(sum_squares<BLOCK>, (unsigned)(k * parts), BLOCK, 0,
                   cuda->stream, got + k, x + first * leaf, l, wide);
        SXT_LAUNCH(sum_parts, k, 32, 0, cuda->stream, got, got + k, parts);
        sxt_dev_get(num->dev, sums + first, got, k * sizeof(*got));
    }
}

void sxt_cuda_sumsq(struct sxt_num *num, double *sums, const float *x, size_t n,
                    size_t leaf)
{
    if (leaf <= 32 * EACH)
        run_squares<32>(num, sums, x, n, leaf);
    else
        run_squares<THREADS>(num, sums, x, n, leaf);
}
