/* swiglu.cu - the gated activation: y = silu(g) u, silu(g) = g / (1 + e^-g),
 * and backward, with a = 1 / (1 + e^-g): dg = dy u a (1 + g (1 - a)),  du = dy
 * g a */
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

/* dgu may be gu: a thread reads what it later writes. */
template <class T>
__global__ void __launch_bounds__(THREADS)
    swiglu_bwd(T *dgu, const T *dy, const T *gu, size_t t, size_t f, bool wide)
{
    size_t c = ((size_t)blockIdx.x * THREADS + threadIdx.x) * EACH;
    float g[EACH], u[EACH], d[EACH];

    if (c >= f)
        return;
    for (size_t row = blockIdx.y; row < t; row += gridDim.y) {
        sxt_load_row(g, gu + row * 2 * f, c, f, wide);
        sxt_load_row(u, gu + row * 2 * f + f, c, f, wide);
        sxt_load_row(d, dy + row * f, c, f, wide);
        for (int i = 0; i < EACH; i++) {
            float a = 1 / (1 + expf(-g[i])), du = d[i] * g[i] * a;
            g[i] = d[i] * u[i] * a * (1 + g[i] * (1 - a));
            u[i] = du;
        }
        sxt_store_row(dgu + row * 2 * f, g, c, f, wide);
        sxt_store_row(dgu + row * 2 * f + f, u, c, f, wide);
    }
}

static dim3 grid_of(size_t t, size_t f)
{
    return dim3(sxt_blocks(f, THREADS * EACH),
                (unsigned)(t < most_rows ? t : most_rows));
}

template <class T>
static void run(struct sxt_num *num, void *y, const void *gu, size_t t,
                size_t f)
{
    bool wide = sxt_is_wide<T>(y, f) && sxt_is_wide<T>(gu, f);

    SXT_LAUNCH(swiglu<T>, grid_of(t, f), THREADS, 0, sxt_cuda_of(num)->stream,
               (T *)y, (const T *)gu, t, f, wide);
}

void sxt_cuda_swiglu(struct sxt_num *num, void *y, const void *gu, size_t t,
                     size_t f, enum sxt_dtype type)
{
    if (type == SXT_F32)
        run<float>(num, y, gu, t, f);
    else
        run<bf16>(num, y, gu, t, f);
}

template <class T>
static void run_bwd(struct sxt_num *num, void *dgu, const void *dy,
                    const void *gu, size_t t, size_t f)
{
    bool wide = sxt_is_wide<T>(dgu, f) && sxt_is_wide<T>(dy, f) &&
                sxt_is_wide<T>(gu, f);

    SXT_LAUNCH(swiglu_bwd<T>, grid_of(t, f), THREADS, 0,
               sxt_cuda_of(num)->stream, (T *)dgu, (const T *)dy, (const T *)gu,
               t, f, wide);
}

void sxt_cuda_swiglu_bwd(struct sxt_num *num, void *dgu, const void *dy,
                         const void *gu, size_t t, size_t f,
                         enum sxt_dtype type)
{
    if (type == SXT_F32)
        run_bwd<float>(num, dgu, dy, gu, t, f);
    else
        run_bwd<bf16>(num, dgu, dy, gu, t, f);
}
