/* gpu_attn.c - packed attention on a GPU, forward and backward. */
#include <stdio.h>

#include "gpu.h"

enum { D = 128 };

static struct sxt_attn arguments(const struct work *w)
{
    return (struct sxt_attn){ .qkv = w->x,
                              .o = w->y,
                              .lse = w->w[0],
                              .cu_seqlens = w->ints,
                              .t = w->m,
                              .n_docs = 1,
                              .max_len = w->m,
                              .hq = w->heads,
                              .hk = w->kv_heads,
                              .d = D,
                              .scale = 0.088f,
                              .type = SXT_BF16,
                              .d_o = w->w[1],
                              .dqkv = w->w[2] };
}

static void attend(struct bench *b, const struct work *w, size_t turn)
{
    struct sxt_attn a = arguments(w);

    (void)turn;
    sxt_attn(b->num, &a);
}

static void attend_bwd(struct bench *b, const struct work *w, size_t turn)
{
    struct sxt_attn a = arguments(w);

    (void)turn;
    sxt_attn_bwd(b->num, &a);
}

void bench_attention(struct bench *b, size_t t, size_t heads, size_t kv_heads,
                     bool back)
{
    size_t width = (heads + 2 * kv_heads) * D, out = heads * D;
    double square = 2.0 * (double)(t * t) * (double)out; /* half, a product */
    struct work w = { .name = back ? "attn_bwd" : "attn",
                      .run = back ? attend_bwd : attend,
                      .m = t,
                      .n = out,
                      .k = t,
                      .heads = heads,
                      .kv_heads = kv_heads };

    if (!bench_wanted(b, w.name))
        return;
    w.x = bench_numbers(b, t * width, SXT_BF16);
    w.y = bench_numbers(b, t * out, SXT_BF16);
    w.w[0] = bench_numbers(b, t * heads, SXT_F32);
    if (back) {
        w.w[1] = bench_numbers(b, t * out, SXT_BF16);
        w.w[2] = bench_numbers(b, t * width, SXT_BF16);
    }
    w.ints = bench_integers(b->dev, 2, t, t + 1);
    w.bytes = 2.0 * (double)(t * (width + out)) * (back ? 2 : 1);
    w.flop = back ? 2.5 * square : square; /* five products, or two */
    double took = bench_seconds(b, &w);
    if (!b->tiny)
        printf("%-12s %5zu tokens, %zu/%zu heads of %d: %.1f TFLOP/s\n", w.name,
               t, heads, kv_heads, D, 1e-12 * w.flop / took);
    bench_finish(b, &w);
}
