/* embed.c - rows of the embedding table, and the sum of their gradients. */
#include "num/cpu/cpu.h"
#include "num/cpu/vec.h"

void sxt_cpu_embed(struct sxt_num *num, void *y, const void *table,
                   const int32_t *ids, size_t t, size_t h, enum sxt_dtype type)
{
    size_t bytes = h * sxt_dtype_size(type);

#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < t; i++) {
        SXT_CHECK(ids[i] >= 0);
        memcpy((char *)y + i * bytes,
               (const char *)table + (size_t)ids[i] * bytes, bytes);
    }
}

/* Additions to one element are in token order: threads take columns. */
void sxt_cpu_embed_bwd(struct sxt_num *num, float *dtable, const void *dy,
                       const int32_t *ids, size_t t, size_t h, size_t vocab,
                       enum sxt_dtype type)
{
    enum { COLUMNS = 64 };

#pragma omp parallel for num_threads(num->threads)
    for (size_t first = 0; first < h; first += COLUMNS) {
        size_t end = first + COLUMNS < h ? first + COLUMNS : h;
        for (size_t i = 0; i < t; i++) {
            SXT_CHECK(ids[i] >= 0 && (size_t)ids[i] < vocab);
            float *row = dtable + (size_t)ids[i] * h;
            size_t c = first;
            for (; c + LANES <= end; c += LANES)
                v8_store(row + c,
                         v8_load(row + c) + v8_load_as(dy, type, i * h + c));
            for (; c < end; c++)
                row[c] += sxt_load(dy, type, i * h + c);
        }
    }
}
