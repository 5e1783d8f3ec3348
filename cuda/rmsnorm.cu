/* rmsnorm.cu - residual addition and root-mean-square normalisation.
 *
 * A block does a row, always with THREADS threads that take the same elements:
 * a row's sum depends on h only. */
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
