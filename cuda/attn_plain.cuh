/* attn_plain.cuh - parts of a row of attention and their merge; one row by a
 * warp on plain arithmetic, for f32 and widths that attn.cuh lacks. */
#ifndef SXT_CUDA_ATTN_PLAIN_CUH
#define SXT_CUDA_ATTN_PLAIN_CUH

#include "cuda/kernel.cuh"

enum { SXT_PLAIN_D = 256 }; /* the widest head */

/* ---- parts of a row: (max, sum, acc), merged in order ---- */

struct sxt_merge {
    float old, part; /* what the two are multiplied with */
};

/* `all` has a finite maximum, or nothing yet and `part` has one. */
__device__ static __forceinline__ sxt_merge sxt_merge_max(float &all,
                                                          float part, float c)
{
    float top = fmaxf(all, part);
    sxt_merge by = { exp2f((all - top) * c), exp2f((part - top) * c) };

    all = top;
    return by;
}

__device__ static __forceinline__ void sxt_merge_add(float &all, float part,
                                                     sxt_merge by)
{
    all = fmaf(part, by.part, all * by.old);
}

/* ---- one row by a warp, for every type and width up to SXT_PLAIN_D ---- */

/* Column lane + 32 i of acc; max and sum are the same in all lanes. */
struct sxt_plain {
    float acc[SXT_PLAIN_D / 32], max, sum;
};

__device__ static __forceinline__ void sxt_plain_open(sxt_plain &x)
{
    x.max = -INFINITY;
    x.sum = 0;
    for (int i = 0; i < SXT_PLAIN_D / 32; i++)
        x.acc[i] = 0;
}

/* The weight of this lane's key of the 32 from `first` on: 0 from `end` on.
 * The state follows the new maximum. */
template <class T, class Keys>
__device__ static float sxt_plain_weigh(sxt_plain &x, const T *q,
                                        const Keys &keys, unsigned first,
                                        unsigned end, size_t d, float c)
{
    unsigned j = first + threadIdx.x % 32;
    float s = -INFINITY;

    if (j < end) {
        const T *k = keys.k + keys.at(j);
        s = 0;
        for (size_t i = 0; i < d; i++)
            s = fmaf(sxt_f32(q[i]), sxt_f32(k[i]), s);
    }
    float top = fmaxf(x.max, sxt_warp_max(s));
    float shrink = exp2f((x.max - top) * c), p = exp2f((s - top) * c);
    x.max = top;
    x.sum = fmaf(x.sum, shrink, sxt_warp_sum(p));
    for (int i = 0; i < SXT_PLAIN_D / 32; i++)
        x.acc[i] *= shrink;
    return p;
}

/* Keys first … end - 1, at least one.  p: 32 floats of shared memory. */
template <class T, class Keys>
__device__ static void sxt_plain_run(sxt_plain &x, const T *q, const Keys &keys,
                                     unsigned first, unsigned end, size_t d,
                                     float c, float *p)
{
    unsigned lane = threadIdx.x % 32;

    for (; first < end; first += 32) {
        p[lane] = sxt_plain_weigh(x, q, keys, first, end, d, c);
        __syncwarp();
        for (unsigned j = 0; j < min(32u, end - first); j++) {
            const T *v = keys.v + keys.at(first + j);
            for (unsigned i = 0; i < SXT_PLAIN_D / 32; i++)
                if (lane + 32 * i < d)
                    x.acc[i] = fmaf(p[j], sxt_f32(v[lane + 32 * i]), x.acc[i]);
        }
        __syncwarp();
    }
}

template <class T>
__device__ static void sxt_plain_store(T *o, const sxt_plain &x, size_t d)
{
    float by = 1 / x.sum;

    for (unsigned i = 0; i < SXT_PLAIN_D / 32; i++)
        if (threadIdx.x % 32 + 32 * i < d)
            o[threadIdx.x % 32 + 32 * i] = sxt_round<T>(x.acc[i] * by);
}

#endif
