/* swiglu.cu - the gated activation: y = silu(g) u, silu(g) = g / (1 + e^-g). */
#include "cuda/kernel.cuh"

enum { THREADS = 128, EACH = 8 };
static constexpr size_t most_rows = 65535; /* of a grid */

template <class T>
__global__ void __launch_bounds__(THREADS)
    swiglu(T *y, const T *gu, size_t t, size_t f, bool wide)
{
    size_t c = ((size_t)blockIdx.x * THREADS + threadIdx.x) * EACH;
    float g[EACH], u[EACH];

    if (c >= f)
        return;
    for (size_t row = blockIdx.y; row < t; row += gridDim.y) {
        sxt_load_row(g, gu + row * 2 * f, c, f, wide);
        sxt_load_row(u, gu + row * 2 * f + f, c, f, wide);
        for (int i = 0; i < EACH; i++)
            g[i] = g[i] / (1 + expf(-g[i])) * u[i];
        sxt_store_row(y + row * f, g, c, f, wide);
    }
}

template <class T>
static void run(struct sxt_num *num, void *y, const void *gu, size_t t,
                size_t f)
{
    bool wide = sxt_is_wide<T>(y, f) && sxt_is_wide<T>(gu, f);
    dim3 grid(sxt_blocks(f, THREADS * EACH),
              (unsigned)(t < most_rows ? t : most_rows));

    SXT_LAUNCH(swiglu<T>, grid, THREADS, 0, sxt_cuda_of(num)->stream, (T *)y,
               (const T *)gu, t, f, wide);
}

void sxt_cuda_swiglu(struct sxt_num *num, void *y, const void *gu, size_t t,
                     size_t f, enum sxt_dtype type)
{
    if (type == SXT_F32)
        run<float>(num, y, gu, t, f);
    else
        run<bf16>(num, y, gu, t, f);
}
