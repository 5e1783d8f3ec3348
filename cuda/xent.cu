/* xent.cu - cross entropy of the next token, and its gradient.
 *
 *   loss = log(sum_c exp(x_c)) - x_target,  dx_c = scale (softmax_c - [target])
 *
 * A block does a row: once over it for the largest logit and the sum, once more
 * for the gradient. */
#include <float.h>

#include "cuda/kernel.cuh"

enum { THREADS = 512, EACH = 8 };

/* sum exp(x_c) = sum exp(max). */
struct total {
    float max, sum;
};

/* The same bits whichever of the two comes first. */
__device__ static __forceinline__ total merge(total a, total b)
{
    float max = fmaxf(a.max, b.max);

    return { max, a.sum * expf(a.max - max) + b.sum * expf(b.max - max) };
}

/* Over the block; all threads get it. */
__device__ static total merge_block(total x)
{
    __shared__ total part[THREADS / 32];

    for (int step = 16; step > 0; step /= 2)
        x = merge(x, { __shfl_xor_sync(0xffffffffu, x.max, step),
                       __shfl_xor_sync(0xffffffffu, x.sum, step) });
    if (threadIdx.x % 32 == 0)
        part[threadIdx.x / 32] = x;
    __syncthreads();
    x = part[0];
    for (int i = 1; i < THREADS / 32; i++)
        x = merge(x, part[i]);
    return x;
}

/* Of the thread's elements of a row; none: exp(-FLT_MAX - max) is 0. */
__device__ static total sum_own(const float *x, size_t vocab, bool wide)
{
    total all = { -FLT_MAX, 0 };
    float v[EACH];

    for (size_t c = threadIdx.x * EACH; c < vocab; c += THREADS * EACH) {
        int n = vocab - c < EACH ? (int)(vocab - c) : EACH;
        float max = all.max;
        sxt_load_row(v, x, c, vocab, wide);
        for (int i = 0; i < EACH; i++)
            max = i < n ? fmaxf(max, v[i]) : max;
        all.sum *= expf(all.max - max);
        all.max = max;
        for (int i = 0; i < EACH; i++)
            all.sum += i < n ? expf(v[i] - max) : 0;
    }
    return all;
}

/* d, NULL or of width ld as x, may be x: a thread reads what it later writes,
 * and the target's logit before anything is written. */
template <class D>
__global__ void __launch_bounds__(THREADS)
    xent(float *loss, D *d, const float *x, const int32_t *target, size_t vocab,
         size_t ld, float scale, bool wide)
{
    int64_t right = target[blockIdx.x];
    float v[EACH] = {}, lse = 0, of_right = 0;

    x += blockIdx.x * ld;
    if (right >= 0) {
        total all = merge_block(sum_own(x, vocab, wide));
        of_right = x[right];
        lse = all.max + logf(all.sum);
        __syncthreads();
        if (threadIdx.x == 0)
            loss[blockIdx.x] = logf(all.sum) + (all.max - of_right);
    } else if (threadIdx.x == 0) {
        loss[blockIdx.x] = 0;
    }
    if (!d)
        return;
    d += blockIdx.x * ld;
    for (size_t c = threadIdx.x * EACH; c < ld; c += THREADS * EACH) {
        if (right >= 0) {
            sxt_load_row(v, x, c, ld, wide);
            for (int i = 0; i < EACH; i++) {
                float hit = (int64_t)(c + i) == right ? 1 : 0;
                v[i] = c + i < vocab ? scale * (expf(v[i] - lse) - hit) : 0;
            }
        }
        sxt_store_row(d, v, c, ld, wide);
    }
}

template <class D>
static void run(struct sxt_num *num, float *loss, void *dlogits,
                const float *logits, const int32_t *target, size_t t,
                size_t vocab, size_t ld, float grad_scale)
{
    bool wide = sxt_is_wide<float>(logits, ld) && sxt_is_wide<D>(dlogits, ld);

    SXT_LAUNCH(xent<D>, (unsigned)t, THREADS, 0, sxt_cuda_of(num)->stream, loss,
               (D *)dlogits, logits, target, vocab, ld, grad_scale, wide);
}

void sxt_cuda_xent(struct sxt_num *num, float *loss, void *dlogits,
                   float *logits, const int32_t *target, size_t t, size_t vocab,
                   size_t ld, float grad_scale, enum sxt_dtype d_type)
{
    if (d_type == SXT_F32)
        run<float>(num, loss, dlogits, logits, target, t, vocab, ld,
                   grad_scale);
    else
        run<bf16>(num, loss, dlogits, logits, target, t, vocab, ld, grad_scale);
}
