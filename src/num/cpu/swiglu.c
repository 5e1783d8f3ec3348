/* swiglu.c - the gated activation and its gradient. */
#include "num/cpu/cpu.h"
#include "num/cpu/vec.h"

static inline v8f sigmoid(v8f x)
{
    return 1.0f / (1.0f + v8_exp(-x));
}

/* Eight numbers or the last few, the others 0: one code for both, so that a
 * number's bits do not depend on where it stands. */
static inline v8f load_some(const void *x, size_t i, size_t n,
                            enum sxt_dtype type)
{
    float some[LANES] = { 0 };

    if (n >= LANES)
        return v8_load_as(x, type, i);
    for (size_t j = 0; j < n; j++)
        some[j] = sxt_load(x, type, i + j);
    return v8_load(some);
}

static inline void store_some(void *y, size_t i, size_t n, v8f x,
                              enum sxt_dtype type)
{
    if (n >= LANES) {
        v8_store_as(y, type, i, x);
        return;
    }
    for (size_t j = 0; j < n; j++)
        sxt_store(y, type, i + j, x[j]);
}

static inline void forward(void *y, const void *gu, size_t i, size_t f,
                           enum sxt_dtype type)
{
    for (size_t c = 0; c < f; c += LANES) {
        v8f g = load_some(gu, i * 2 * f + c, f - c, type);
        v8f u = load_some(gu, i * 2 * f + f + c, f - c, type);
        store_some(y, i * f + c, f - c, g * sigmoid(g) * u, type);
    }
}

static inline void backward(void *dgu, const void *dy, const void *gu, size_t i,
                            size_t f, enum sxt_dtype type)
{
    for (size_t c = 0; c < f; c += LANES) {
        size_t at = i * 2 * f + c;
        v8f g = load_some(gu, at, f - c, type);
        v8f u = load_some(gu, at + f, f - c, type);
        v8f d = load_some(dy, i * f + c, f - c, type);
        v8f a = sigmoid(g);
        store_some(dgu, at, f - c, d * u * a * (1.0f + g * (1.0f - a)), type);
        store_some(dgu, at + f, f - c, d * g * a, type);
    }
}

void sxt_cpu_swiglu(struct sxt_num *num, void *y, const void *gu, size_t t,
                    size_t f, enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < t; i++)
        if (type == SXT_F32)
            forward(y, gu, i, f, SXT_F32);
        else
            forward(y, gu, i, f, SXT_BF16);
}

void sxt_cpu_swiglu_bwd(struct sxt_num *num, void *dgu, const void *dy,
                        const void *gu, size_t t, size_t f, enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < t; i++)
        if (type == SXT_F32)
            backward(dgu, dy, gu, i, f, SXT_F32);
        else
            backward(dgu, dy, gu, i, f, SXT_BF16);
}
