/* rmsnorm.cu - residual addition and root-mean-square normalisation.
 *
 * Forward, a block does a row, always with THREADS threads that take the same
 * elements: a row's sum depends on h only.  Backward, a block does a group of
 * rows, one after the other, and keeps its part of dw. */
#include "cuda/columns.h"
#include "cuda/kernel.cuh"

enum { THREADS = 256, EACH = 8 };

/* r may be y (x NULL), and x may be y: a thread reads what it later writes. */
template <class T>
__global__ void __launch_bounds__(THREADS)
    add_rmsnorm(T *y, float *rstd, T *r, const T *x, const T *w, size_t h,
                float eps, bool wide)
{
    size_t row = blockIdx.x * h;
    float sum = 0, v[EACH], u[EACH];

    for (size_t c = threadIdx.x * EACH; c < h; c += THREADS * EACH) {
        sxt_load_row(v, r + row, c, h, wide);
        if (x) {
            sxt_load_row(u, x + row, c, h, wide);
            for (int i = 0; i < EACH; i++)
                v[i] = sxt_f32(sxt_round<T>(v[i] + u[i]));
            sxt_store_row(r + row, v, c, h, wide);
        }
        for (int i = 0; i < EACH; i++)
            sum = fmaf(v[i], v[i], sum);
    }
    float s = 1 / sqrtf(sxt_block_sum<THREADS>(sum) / (float)h + eps);
    for (size_t c = threadIdx.x * EACH; c < h; c += THREADS * EACH) {
        sxt_load_row(v, r + row, c, h, wide);
        sxt_load_row(u, w, c, h, wide);
        for (int i = 0; i < EACH; i++)
            v[i] = s * u[i] * v[i];
        sxt_store_row(y + row, v, c, h, wide);
    }
    if (rstd && threadIdx.x == 0)
        rstd[blockIdx.x] = s;
}

template <class T>
static void run(struct sxt_num *num, void *y, float *rstd, void *r,
                const void *x, const void *w, size_t t, size_t h, float eps)
{
    bool wide = sxt_is_wide<T>(y, h) && sxt_is_wide<T>(r, h) &&
                sxt_is_wide<T>(x, h) && sxt_is_wide<T>(w, h);

    SXT_LAUNCH(add_rmsnorm<T>, (unsigned)t, THREADS, 0,
               sxt_cuda_of(num)->stream, (T *)y, rstd, (T *)r, (const T *)x,
               (const T *)w, h, eps, wide);
}

void sxt_cuda_add_rmsnorm(struct sxt_num *num, void *y, float *rstd, void *r,
                          const void *x, const void *w, size_t t, size_t h,
                          float eps, enum sxt_dtype type)
{
    if (type == SXT_F32)
        run<float>(num, y, rstd, r, x, w, t, h, eps);
    else
        run<bf16>(num, y, rstd, r, x, w, t, h, eps);
}

/* dr += s w dy - r s^3 / h sum(w dy r), and the group's sum of dy r s, whose
 * element c is dw[c % EACH * pieces + c / EACH] (neighbours in different banks)
 * and belongs to the thread that has column c. */
template <class T>
__global__ void __launch_bounds__(THREADS)
    rmsnorm_bwd(T *dr, float *part, const T *dy, const T *r, const T *w,
                const float *rstd, size_t t, size_t h, size_t rows, bool wide)
{
    SXT_SHARED(float, dw);
    size_t pieces = (h + EACH - 1) / EACH, first = blockIdx.x * rows;
    float x[EACH], y[EACH], u[EACH], d[EACH];

    for (size_t p = threadIdx.x; p < pieces; p += THREADS)
        for (int i = 0; i < EACH; i++)
            dw[i * pieces + p] = 0;
    for (size_t row = first; row < first + rows && row < t; row++) {
        float dot = 0, s = rstd[row];
        size_t at = row * h;
        for (size_t p = threadIdx.x; p < pieces; p += THREADS) {
            sxt_load_row(x, r + at, p * EACH, h, wide);
            sxt_load_row(y, dy + at, p * EACH, h, wide);
            sxt_load_row(u, w, p * EACH, h, wide);
            for (int i = 0; i < EACH; i++)
                dot = fmaf(u[i] * y[i], x[i], dot);
        }
        dot = sxt_block_sum<THREADS>(dot) * s * s * s / (float)h;
        for (size_t p = threadIdx.x; p < pieces; p += THREADS) {
            sxt_load_row(x, r + at, p * EACH, h, wide);
            sxt_load_row(y, dy + at, p * EACH, h, wide);
            sxt_load_row(u, w, p * EACH, h, wide);
            sxt_load_row(d, dr + at, p * EACH, h, wide);
            for (int i = 0; i < EACH; i++) {
                float *sum = &dw[i * pieces + p];
                *sum = fmaf(y[i] * x[i], s, *sum);
                d[i] += s * u[i] * y[i] - dot * x[i];
            }
            sxt_store_row(dr + at, d, p * EACH, h, wide);
        }
    }
    for (size_t p = threadIdx.x; p < pieces; p += THREADS) {
        for (int i = 0; i < EACH; i++)
            d[i] = dw[i * pieces + p];
        sxt_store_row(part + blockIdx.x * h, d, p * EACH, h, wide);
    }
}

template <class T>
static void run_bwd(struct sxt_num *num, void *dr, float *dw, const void *dy,
                    const void *r, const void *w, const float *rstd, size_t t,
                    size_t h)
{
    struct sxt_groups g = sxt_cuda_groups(num, t, h);
    size_t bytes = (h + EACH - 1) / EACH * EACH * sizeof(float);
    bool wide = sxt_is_wide<T>(dr, h) && sxt_is_wide<T>(dy, h) &&
                sxt_is_wide<T>(r, h) && sxt_is_wide<T>(w, h);

    if (bytes > 48 << 10)
        SXT_CUDA(cudaFuncSetAttribute(
            rmsnorm_bwd<T>, cudaFuncAttributeMaxDynamicSharedMemorySize,
            (int)bytes));
    SXT_LAUNCH(rmsnorm_bwd<T>, (unsigned)g.n, THREADS, bytes,
               sxt_cuda_of(num)->stream, (T *)dr, g.part, (const T *)dy,
               (const T *)r, (const T *)w, rstd, t, h, g.rows, wide);
    sxt_cuda_add_groups(num, dw, &g, h);
}

void sxt_cuda_rmsnorm_bwd(struct sxt_num *num, void *dr, float *dw,
                          const void *dy, const void *r, const void *w,
                          const float *rstd, size_t t, size_t h,
                          enum sxt_dtype type)
{
    if (type == SXT_F32)
        run_bwd<float>(num, dr, dw, dy, r, w, rstd, t, h);
    else
        run_bwd<bf16>(num, dr, dw, dy, r, w, rstd, t, h);
}
