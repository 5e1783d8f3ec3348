/* adamw.c - the optimizer, as many parameters at a time as a vector holds.
 *
 * Element by element, so the bits are ref's for either vector width. */
#include "num/adamw.h"

#include "num/cpu/cpu.h"

#define INLINE inline __attribute__((always_inline))

enum { CHUNK = 1 << 13 };

/* A stretch of the arrays; p: f32, or bf16 with rest. */
struct stretch {
    void *p;
    uint16_t *rest;
    float *m, *v;
    const float *grad;
    size_t n;
};

static INLINE void step_f32(struct sxt_adamw_rates r, const struct stretch *s)
{
    float *restrict p = s->p, *restrict m = s->m, *restrict v = s->v;
    const float *restrict grad = s->grad;

#pragma omp simd
    for (size_t i = 0; i < s->n; i++)
        p[i] = sxt_adamw_move(&r, p[i], &m[i], &v[i], grad[i]);
}

static INLINE void step_split(struct sxt_adamw_rates r, const struct stretch *s)
{
    uint16_t *restrict p = s->p, *restrict rest = s->rest;
    float *restrict m = s->m, *restrict v = s->v;
    const float *restrict grad = s->grad;

#pragma omp simd
    for (size_t i = 0; i < s->n; i++) {
        float x = sxt_join_master(p[i], rest[i]);
        x = sxt_adamw_move(&r, x, &m[i], &v[i], grad[i]);
        sxt_split_master(x, &p[i], &rest[i]);
    }
}

static INLINE void step(const struct sxt_adamw_rates *r,
                        const struct stretch *s)
{
    if (s->rest)
        step_split(*r, s);
    else
        step_f32(*r, s);
}

static void step_v8(const struct sxt_adamw_rates *r, const struct stretch *s)
{
    step(r, s);
}

#ifdef __x86_64__
__attribute__((target("avx512f,avx512bw,prefer-vector-width=512"))) static void
step_v16(const struct sxt_adamw_rates *r, const struct stretch *s)
{
    step(r, s);
}
#endif

void sxt_cpu_adamw(struct sxt_num *num, const struct sxt_adamw *a)
{
    const struct sxt_adamw_rates r = sxt_adamw_rates_of(a);
    void (*run)(const struct sxt_adamw_rates *, const struct stretch *) =
        step_v8;

#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        run = step_v16;
#endif
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < a->n; i += CHUNK) {
        struct stretch s = { (char *)a->p + i * sxt_dtype_size(a->type),
                             a->type == SXT_BF16 ? a->rest + i : NULL,
                             a->m + i,
                             a->v + i,
                             a->grad + i,
                             a->n - i < CHUNK ? a->n - i : CHUNK };
        run(&r, &s);
    }
}
