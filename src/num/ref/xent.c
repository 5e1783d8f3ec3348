/* xent.c - cross entropy of the next token, and its gradient.
 *
 *   loss = log(sum_c exp(x_c)) - x_target,  dx_c = scale (softmax_c - [target])
 * over the first vocab columns.  With a target below 0 the row counts nothing:
 * loss and gradient are 0, whatever the logits. */
#include <math.h>

#include "num/ref/ref.h"

/* Loss of one row; *lse receives log sum exp. */
static double row_loss(const float *x, size_t vocab, int32_t target,
                       double *lse)
{
    double max = x[0], sum = 0;

    for (size_t c = 1; c < vocab; c++)
        max = fmax(max, x[c]);
    for (size_t c = 0; c < vocab; c++)
        sum += exp(x[c] - max);
    *lse = max + log(sum);
    return *lse - x[target];
}

void sxt_ref_xent(struct sxt_num *num, float *loss, void *dlogits,
                  float *logits, const int32_t *target, size_t t, size_t vocab,
                  size_t ld, float grad_scale, enum sxt_dtype d_type)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < t; i++) {
        const float *x = logits + i * ld;
        double lse = 0;

        loss[i] = 0;
        if (target[i] >= 0) {
            SXT_CHECK((size_t)target[i] < vocab);
            loss[i] = (float)row_loss(x, vocab, target[i], &lse);
        }
        for (size_t c = 0; dlogits && c < ld; c++) {
            double d = 0;
            if (target[i] >= 0 && c < vocab)
                d = exp(x[c] - lse) - (c == (size_t)target[i]);
            sxt_store(dlogits, d_type, i * ld + c, (float)(grad_scale * d));
        }
    }
}
