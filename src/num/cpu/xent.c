/* xent.c - cross entropy of the next token, and its gradient. */
#include <math.h>

#include "num/cpu/cpu.h"
#include "num/cpu/vec.h"

float sxt_cpu_log_sum_exp(const float *x, size_t n)
{
    enum { CHUNK = 1024 };
    v8f top = v8_set(-INFINITY);
    double sum = 0;
    size_t c = 0;

    for (; c + LANES <= n; c += LANES)
        top = v8_max(v8_load(x + c), top);
    float max = v8_max_lane(top);
    for (; c < n; c++)
        max = x[c] > max ? x[c] : max;
    for (size_t first = 0; first < n; first += CHUNK) {
        size_t end = first + CHUNK < n ? first + CHUNK : n;
        v8f part = v8_set(0);
        for (c = first; c + LANES <= end; c += LANES)
            part += v8_exp(v8_load(x + c) - max);
        sum += v8_sum(part);
        for (; c < end; c++)
            sum += expf(x[c] - max);
    }
    return max + (float)log(sum);
}

static inline void gradient(void *d, const float *x, size_t at, size_t n,
                            float lse, float scale, enum sxt_dtype type)
{
    size_t c = 0;

    for (; c + LANES <= n; c += LANES)
        v8_store_as(d, type, at + c, scale * v8_exp(v8_load(x + c) - lse));
    for (; c < n; c++)
        sxt_store(d, type, at + c, scale * expf(x[c] - lse));
}

static void clear(void *d, size_t at, size_t n, enum sxt_dtype type)
{
    memset((char *)d + at * sxt_dtype_size(type), 0, n * sxt_dtype_size(type));
}

/* The gradient of one row; x may be the memory of d. */
static void row_gradient(void *d, const float *x, size_t at, size_t vocab,
                         size_t ld, size_t target, float lse, float scale,
                         enum sxt_dtype type)
{
    float right = scale * (expf(x[target] - lse) - 1);

    if (type == SXT_F32)
        gradient(d, x, at, vocab, lse, scale, SXT_F32);
    else
        gradient(d, x, at, vocab, lse, scale, SXT_BF16);
    sxt_store(d, type, at + target, right);
    clear(d, at + vocab, ld - vocab, type);
}

void sxt_cpu_xent(struct sxt_num *num, float *loss, void *dlogits,
                  float *logits, const int32_t *target, size_t t, size_t vocab,
                  size_t ld, float grad_scale, enum sxt_dtype d_type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < t; i++) {
        const float *x = logits + i * ld;
        loss[i] = 0;
        if (target[i] < 0) {
            if (dlogits)
                clear(dlogits, i * ld, ld, d_type);
            continue;
        }
        SXT_CHECK((size_t)target[i] < vocab);
        float lse = sxt_cpu_log_sum_exp(x, vocab);
        loss[i] = lse - x[target[i]];
        if (dlogits)
            row_gradient(dlogits, x, i * ld, vocab, ld, (size_t)target[i], lse,
                         grad_scale, d_type);
    }
}
