/* adamw.cu - one step of AdamW on n parameters, to the bit as ref's. */
#include "cuda/kernel.cuh"
#include "num/adamw.h"

enum { THREADS = 256, EACH = 8 };

struct step {
    float *m, *v;
    const float *grad;
    uint16_t *rest;
    size_t n;
    sxt_adamw_rates rates;
    bool wide;
};

template <class T>
__device__ static __forceinline__ void load(T (&x)[EACH], const T *from,
                                            size_t c, size_t n, bool wide)
{
    constexpr int W = 16 / (int)sizeof(T);

    if (wide && c + EACH <= n) {
#pragma unroll
        for (int i = 0; i < EACH; i += W) {
            sxt_pack<T, W> p = sxt_load_pack<T, W>(from + c + i);
#pragma unroll
            for (int j = 0; j < W; j++)
                x[i + j] = p.x[j];
        }
        return;
    }
#pragma unroll
    for (int i = 0; i < EACH; i++)
        x[i] = c + i < n ? from[c + i] : T(0);
}

template <class T>
__device__ static __forceinline__ void store(T *to, const T (&x)[EACH],
                                             size_t c, size_t n, bool wide)
{
    constexpr int W = 16 / (int)sizeof(T);

    if (wide && c + EACH <= n) {
#pragma unroll
        for (int i = 0; i < EACH; i += W) {
            sxt_pack<T, W> p;
#pragma unroll
            for (int j = 0; j < W; j++)
                p.x[j] = x[i + j];
            sxt_store_global<T, W>(to + c + i, p);
        }
        return;
    }
#pragma unroll
    for (int i = 0; i < EACH; i++)
        if (c + i < n)
            to[c + i] = x[i];
}

/* The master weights, f32 or in two halves as num/dtype.h splits them. */
__device__ static void load_master(float (&x)[EACH], const float *p,
                                   const step &s, size_t c)
{
    load(x, p, c, s.n, s.wide);
}

__device__ static void load_master(float (&x)[EACH], const uint16_t *p,
                                   const step &s, size_t c)
{
    uint16_t high[EACH], low[EACH];

    load(high, p, c, s.n, s.wide);
    load(low, s.rest, c, s.n, s.wide);
    for (int i = 0; i < EACH; i++)
        x[i] = __uint_as_float(((unsigned)high[i] << 16) + low[i] -
                               ((unsigned)(low[i] >> 15) << 16));
}

__device__ static void store_master(float *p, const float (&x)[EACH],
                                    const step &s, size_t c)
{
    store(p, x, c, s.n, s.wide);
}

__device__ static void store_master(uint16_t *p, const float (&x)[EACH],
                                    const step &s, size_t c)
{
    uint16_t high[EACH], low[EACH];

    for (int i = 0; i < EACH; i++) {
        unsigned bits = x[i] != x[i] ? 0x7fc00000u : __float_as_uint(x[i]);
        high[i] = (uint16_t)((bits + 0x8000u) >> 16);
        low[i] = (uint16_t)bits;
    }
    store(p, high, c, s.n, s.wide);
    store(s.rest, low, c, s.n, s.wide);
}

template <class P>
__global__ void __launch_bounds__(THREADS) adamw(P *p, const step s)
{
    size_t c = ((size_t)blockIdx.x * THREADS + threadIdx.x) * EACH;
    float w[EACH], m[EACH], v[EACH], grad[EACH];

    if (c >= s.n)
        return;
    load_master(w, p, s, c);
    load(m, s.m, c, s.n, s.wide);
    load(v, s.v, c, s.n, s.wide);
    load(grad, s.grad, c, s.n, s.wide);
    for (int i = 0; i < EACH; i++)
        w[i] = sxt_adamw_move(&s.rates, w[i], &m[i], &v[i], grad[i]);
    store_master(p, w, s, c);
    store(s.m, m, c, s.n, s.wide);
    store(s.v, v, c, s.n, s.wide);
}

template <class P>
static void run(struct sxt_num *num, const struct sxt_adamw *a)
{
    step s = {};

    s.m = a->m;
    s.v = a->v;
    s.grad = a->grad;
    s.rest = a->rest;
    s.n = a->n;
    s.rates = sxt_adamw_rates_of(a);
    s.wide = sxt_is_wide<float>(a->m, EACH) && sxt_is_wide<float>(a->v, EACH) &&
             sxt_is_wide<float>(a->grad, EACH) &&
             sxt_is_wide<float>(a->p, EACH) &&
             sxt_is_wide<float>(a->rest, EACH);
    SXT_LAUNCH(adamw<P>, sxt_blocks(a->n, THREADS * EACH), THREADS, 0,
               sxt_cuda_of(num)->stream, (P *)a->p, s);
}

void sxt_cuda_adamw(struct sxt_num *num, const struct sxt_adamw *a)
{
    if (a->type == SXT_F32)
        run<float>(num, a);
    else
        run<uint16_t>(num, a);
}
