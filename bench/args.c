/* args.c - arguments of operations that more than one benchmark measures. */
#include "args.h"

#include <stdlib.h>

#include "base/mem.h"

int32_t *bench_integers(struct sxt_dev *dev, size_t n, size_t step,
                        size_t modulus)
{
    int32_t *host = sxt_alloc(n, sizeof(*host));
    int32_t *x = sxt_dev_alloc(dev, n * sizeof(*x));

    for (size_t i = 0; i < n; i++)
        host[i] = (int32_t)(i * step % modulus);
    sxt_dev_put(dev, x, host, n * sizeof(*x));
    free(host);
    return x;
}

void bench_update(struct sxt_num *num, const struct bench_state *s, size_t turn)
{
    sxt_adamw(num, &(struct sxt_adamw){ .p = s->p,
                                        .rest = s->rest,
                                        .m = s->m,
                                        .v = s->v,
                                        .grad = s->grad,
                                        .n = s->n,
                                        .lr = 1e-5,
                                        .b1 = 0.9,
                                        .b2 = 0.999,
                                        .eps = 1e-8,
                                        .wd = 0.01,
                                        .grad_scale = 1,
                                        .step = (int64_t)turn + 1,
                                        .type = SXT_BF16 });
}
