/* quantize.c - weights in 8 or 4 bits.
 *
 * INT8.  Row by row: scale = absmax / 127 in f32, q = round(x / scale), half to
 * even; a row of zeros has scale 0 and q 0.
 *
 * NF4.  Dettmers et al., QLoRA, arXiv:2305.14314: blocks of 64 along a row,
 * each value the nearest of 16 quantiles of the normal distribution times the
 * block's maximum (section 3, codes of appendix E), and those maxima quantised
 * in turn (double quantisation).  Ours, to 8 signed bits, for groups of 256
 * consecutive blocks: offset is the mean of all maxima, added up in f64 within
 * the groups and then over them, group_scale a group's largest |max - offset| /
 * 127, block_scale = round((max - offset) / group_scale) as an int8.  The codes
 * are chosen against the maximum as it will be read back. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "num/codes.h"
#include "num/ref/nf4.h"
#include "num/ref/ref.h"

const float sxt_nf4_code[16] = {
    -1.0f,
    -0.6961928009986877f,
    -0.5250730514526367f,
    -0.39491748809814453f,
    -0.28444138169288635f,
    -0.18477343022823334f,
    -0.09105003625154495f,
    0.0f,
    0.07958029955625534f,
    0.16093020141124725f,
    0.24611230194568634f,
    0.33791524171829224f,
    0.44070982933044434f,
    0.5626170039176941f,
    0.7229568362236023f,
    1.0f,
};

static double absmax(const void *x, enum sxt_dtype type, size_t first, size_t n)
{
    double max = 0;

    for (size_t i = first; i < first + n; i++)
        max = fmax(max, fabs(sxt_load(x, type, i)));
    return max;
}

static void quantize_int8(struct sxt_num *num, struct sxt_qmat *w,
                          const void *x, enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < w->n; i++) {
        w->scale[i] = (float)(absmax(x, type, i * w->k, w->k) / 127);
        for (size_t c = 0; c < w->k; c++)
            w->q[i * w->k + c] = (uint8_t)sxt_code8(
                sxt_load(x, type, i * w->k + c), w->scale[i]);
    }
}

/* The second quantisation: maxima (n_blocks) to offset, group and block
 * scales. */
static void quantize_maxima(struct sxt_qmat *w, const double *max,
                            size_t n_blocks)
{
    double sum = 0;

    for (size_t first = 0; first < n_blocks; first += SXT_NF4_GROUP) {
        double part = 0;
        for (size_t b = first; b < first + SXT_NF4_GROUP && b < n_blocks; b++)
            part += max[b];
        sum += part;
    }
    w->offset = n_blocks > 0 ? (float)(sum / (double)n_blocks) : 0;
    for (size_t first = 0; first < n_blocks; first += SXT_NF4_GROUP) {
        size_t end = first + SXT_NF4_GROUP;
        double widest = 0;

        for (size_t b = first; b < end && b < n_blocks; b++)
            widest = fmax(widest, fabs(max[b] - w->offset));
        float scale = (float)(widest / 127);
        w->group_scale[first / SXT_NF4_GROUP] = scale;
        for (size_t b = first; b < end && b < n_blocks; b++)
            w->block_scale[b] = (uint8_t)sxt_code8(max[b] - w->offset, scale);
    }
}

static unsigned code4(const void *x, enum sxt_dtype type, size_t i, double max)
{
    return sxt_code4(sxt_nf4_code, sxt_load(x, type, i), max);
}

static void quantize_nf4(struct sxt_num *num, struct sxt_qmat *w, const void *x,
                         enum sxt_dtype type)
{
    size_t n_blocks = w->n * (w->k / SXT_NF4_BLOCK);
    double *max = sxt_alloc(n_blocks, sizeof(*max));

#pragma omp parallel for num_threads(num->threads)
    for (size_t b = 0; b < n_blocks; b++)
        max[b] = absmax(x, type, b * SXT_NF4_BLOCK, SXT_NF4_BLOCK);
    quantize_maxima(w, max, n_blocks);
#pragma omp parallel for num_threads(num->threads)
    for (size_t b = 0; b < n_blocks; b++) {
        double scale = sxt_nf4_block_max(w, b);
        for (size_t i = b * SXT_NF4_BLOCK; i < (b + 1) * SXT_NF4_BLOCK; i += 2)
            w->q[i / 2] = (uint8_t)(code4(x, type, i, scale) |
                                    code4(x, type, i + 1, scale) << 4);
    }
    free(max);
}

void sxt_ref_quantize(struct sxt_num *num, struct sxt_qmat *w, const void *x,
                      enum sxt_dtype type)
{
    if (w->format == SXT_INT8)
        quantize_int8(num, w, x, type);
    else
        quantize_nf4(num, w, x, type);
}

void sxt_ref_dequantize(struct sxt_num *num, void *x, const struct sxt_qmat *w,
                        enum sxt_dtype type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < w->n; i++)
        for (size_t c = 0; c < w->k; c++)
            sxt_store(x, type, i * w->k + c, sxt_qmat_value(w, i, c));
}
