/* embed.c - rows of the embedding table, and the sum of their gradients. */
#include <string.h>

#include "num/ref/ref.h"

void sxt_ref_embed(struct sxt_num *num, void *y, const void *table,
                   const int32_t *ids, size_t t, size_t h, enum sxt_dtype type)
{
    size_t bytes = h * sxt_dtype_size(type);

    (void)num;
    for (size_t i = 0; i < t; i++) {
        SXT_CHECK(ids[i] >= 0);
        memcpy((char *)y + i * bytes,
               (const char *)table + (size_t)ids[i] * bytes, bytes);
    }
}

/* Every addition rounds to f32; those to one element are in token order, so
 * threads take columns. */
void sxt_ref_embed_bwd(struct sxt_num *num, float *dtable, const void *dy,
                       const int32_t *ids, size_t t, size_t h, size_t vocab,
                       enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t c = 0; c < h; c++) {
        for (size_t i = 0; i < t; i++) {
            SXT_CHECK(ids[i] >= 0 && (size_t)ids[i] < vocab);
            dtable[(size_t)ids[i] * h + c] += sxt_load(dy, type, i * h + c);
        }
    }
}
