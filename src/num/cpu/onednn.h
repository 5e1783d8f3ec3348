/* onednn.h - bf16 matrix products by oneDNN, where the processor has bf16
 * instructions and rows need not be independent. */
#ifndef SXT_NUM_CPU_ONEDNN_H
#define SXT_NUM_CPU_ONEDNN_H

#include "num/ops.h"

struct sxt_onednn; /* opaque */

/* NULL if there is no oneDNN in this build or no use for it here. */
struct sxt_onednn *sxt_onednn_create(void);
void sxt_onednn_destroy(struct sxt_onednn *dnn); /* NULL is legal */
/* False if this product is not for oneDNN: nothing was written. */
bool sxt_onednn_gemm(const struct sxt_onednn *dnn, const struct sxt_gemm *g,
                     int threads);
/* "oneDNN 2.6.3", or NULL. */
const char *sxt_onednn_version(const struct sxt_onednn *dnn);

#endif
