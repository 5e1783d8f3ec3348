/* embed.cu - rows of the embedding table. */
#include "cuda/kernel.cuh"

enum { THREADS = 128, EACH = 8 };

template <class T>
__global__ void __launch_bounds__(THREADS)
    embed(T *y, const T *table, const int32_t *ids, size_t h, bool wide)
{
    const T *from = table + (size_t)ids[blockIdx.x] * h;
    T *to = y + blockIdx.x * h;
    float x[EACH];

    for (size_t c = threadIdx.x * EACH; c < h; c += THREADS * EACH) {
        sxt_load_row(x, from, c, h, wide);
        sxt_store_row(to, x, c, h, wide);
    }
}

template <class T>
static void run(struct sxt_num *num, void *y, const void *table,
                const int32_t *ids, size_t t, size_t h)
{
    bool wide = sxt_is_wide<T>(y, h) && sxt_is_wide<T>(table, h);

    SXT_LAUNCH(embed<T>, (unsigned)t, THREADS, 0, sxt_cuda_of(num)->stream,
               (T *)y, (const T *)table, ids, h, wide);
}

void sxt_cuda_embed(struct sxt_num *num, void *y, const void *table,
                    const int32_t *ids, size_t t, size_t h, enum sxt_dtype type)
{
    if (type == SXT_F32)
        run<float>(num, y, table, ids, t, h);
    else
        run<bf16>(num, y, table, ids, t, h);
}
