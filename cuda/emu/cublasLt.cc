/* cublasLt.cc - matrix products of the emulated GPU: column-major, as the
 * library has them, with the arithmetic of ref.
 *
 * Three algorithms.  ASCENDING sums over k upwards.  DESCENDING downwards: as
 * good, but with other bits.  SPLIT sums two halves of k apart if there are
 * many columns, so that a column depends on their number.  Heuristics offer
 * SPLIT first wherever they may, and DESCENDING for many columns. */
#include <cublasLt.h>

#include <string.h>

#include "cuda/emu/fibre.h"
#include "cuda/emu/memory.h"
#include "cuda/emu/stream.h"
#include "cuda/sextant.h"

enum algorithm { ASCENDING = 1, DESCENDING, SPLIT };
enum { MANY_COLUMNS = 8 };

struct sxt_emu_blas {
    int made;
};

struct sxt_emu_matmul {
    cublasOperation_t ta, tb;
    cublasLtEpilogue_t epilogue;
    const void *bias;
};

struct sxt_emu_layout {
    cudaDataType type;
    uint64_t rows, cols;
    int64_t ld;
};

struct sxt_emu_wish {
    size_t workspace;
    uint32_t schemes;
};

size_t cublasLtGetVersion(void)
{
    return 130000;
}

const char *cublasLtGetStatusString(cublasStatus_t status)
{
    return status == CUBLAS_STATUS_SUCCESS         ? "success"
           : status == CUBLAS_STATUS_NOT_SUPPORTED ? "not supported"
                                                   : "invalid value";
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t *handle)
{
    *handle = new sxt_emu_blas{ 1 };
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle)
{
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *op,
                                        cublasComputeType_t compute,
                                        cudaDataType scale)
{
    if (compute != CUBLAS_COMPUTE_32F || scale != CUDA_R_32F)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    *op = new sxt_emu_matmul{ CUBLAS_OP_N, CUBLAS_OP_N,
                              CUBLASLT_EPILOGUE_DEFAULT, NULL };
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t op)
{
    delete op;
    return CUBLAS_STATUS_SUCCESS;
}

/* Copy an attribute of the right size. */
template <class T>
static cublasStatus_t take(T *to, const void *value, size_t size)
{
    if (size != sizeof(*to))
        return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(to, value, size);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(
    cublasLtMatmulDesc_t op, cublasLtMatmulDescAttributes_t which,
    const void *value, size_t size)
{
    switch (which) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
        return take(&op->ta, value, size);
    case CUBLASLT_MATMUL_DESC_TRANSB:
        return take(&op->tb, value, size);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
        return take(&op->epilogue, value, size);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
        return take(&op->bias, value, size);
    }
    return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *layout,
                                          cudaDataType type, uint64_t rows,
                                          uint64_t cols, int64_t ld)
{
    *layout = new sxt_emu_layout{ type, rows, cols, ld };
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout)
{
    delete layout;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutSetAttribute(
    cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t which,
    const void *value, size_t size)
{
    return take(which == CUBLASLT_MATRIX_LAYOUT_ROWS ? &layout->rows
                                                     : &layout->cols,
                value, size);
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *wish)
{
    *wish = new sxt_emu_wish{ 0, ~0u };
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t wish)
{
    delete wish;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(
    cublasLtMatmulPreference_t wish, cublasLtMatmulPreferenceAttributes_t which,
    const void *value, size_t size)
{
    uint32_t align;

    if (which == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES)
        return take(&wish->workspace, value, size);
    if (which == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK)
        return take(&wish->schemes, value, size);
    return take(&align, value, size);
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(
    cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t,
    cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
    cublasLtMatmulPreference_t, int asked,
    cublasLtMatmulHeuristicResult_t found[], int *n)
{
    uint64_t order[] = { SPLIT, b->cols > 20 ? DESCENDING : ASCENDING,
                         ASCENDING };

    for (*n = 0; *n < asked && *n < 3; ++*n) {
        memset(&found[*n], 0, sizeof(found[*n]));
        found[*n].algo.data[0] = order[*n];
    }
    return CUBLAS_STATUS_SUCCESS;
}

/* ---- the product ---- */

static enum sxt_dtype dtype_of(cudaDataType type)
{
    return type == CUDA_R_32F ? SXT_F32 : SXT_BF16;
}

/* All that a product needs, copied when it is asked for. */
struct product {
    sxt_emu_matmul op;
    const void *a, *b, *c;
    void *d;
    sxt_emu_layout la, lb, ld;
    float alpha, beta;
    uint64_t algorithm, m, n, k;
};

static float at(const void *x, const sxt_emu_layout &l, bool transposed,
                uint64_t row, uint64_t col)
{
    return sxt_load(x, dtype_of(l.type),
                    transposed ? col + row * (uint64_t)l.ld
                               : row + col * (uint64_t)l.ld);
}

/* One element, with sums in f32, so that the order shows. */
static float element(const product &p, uint64_t row, uint64_t col)
{
    bool split = p.algorithm == SPLIT && p.n >= MANY_COLUMNS;
    uint64_t middle = split ? p.k / 2 : p.k;
    float sum[2] = { 0, 0 };

    for (uint64_t i = 0; i < p.k; i++) {
        uint64_t q = p.algorithm == DESCENDING ? p.k - 1 - i : i;
        float x = at(p.a, p.la, p.op.ta == CUBLAS_OP_T, row, q);
        float y = at(p.b, p.lb, p.op.tb == CUBLAS_OP_T, q, col);
        sum[q >= middle] += x * y;
    }
    return sum[0] + sum[1];
}

static void multiply(const product &p)
{
    enum sxt_dtype type = dtype_of(p.ld.type);

    sxt_emu_open();
    for (uint64_t col = 0; col < p.n; col++) {
        for (uint64_t row = 0; row < p.m; row++) {
            uint64_t to = row + col * (uint64_t)p.ld.ld;
            float sum = p.alpha * element(p, row, col);
            if (p.beta != 0)
                sum += p.beta * sxt_load(p.c, type, to);
            if (p.op.epilogue == CUBLASLT_EPILOGUE_BIAS)
                sum += sxt_load(p.op.bias, type, row);
            sxt_store(p.d, type, to, sum);
        }
    }
    sxt_emu_close();
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t op,
                              const void *alpha, const void *a,
                              cublasLtMatrixLayout_t la, const void *b,
                              cublasLtMatrixLayout_t lb, const void *beta,
                              const void *c, cublasLtMatrixLayout_t lc, void *d,
                              cublasLtMatrixLayout_t ld,
                              const cublasLtMatmulAlgo_t *algo, void *, size_t,
                              cudaStream_t stream)
{
    bool ta = op->ta == CUBLAS_OP_T, tb = op->tb == CUBLAS_OP_T;
    product p = { *op,
                  a,
                  b,
                  c,
                  d,
                  *la,
                  *lb,
                  *ld,
                  *static_cast<const float *>(alpha),
                  *static_cast<const float *>(beta),
                  algo->data[0],
                  ta ? la->cols : la->rows,
                  tb ? lb->rows : lb->cols,
                  ta ? la->rows : la->cols };

    if (la->type != lb->type || (tb ? lb->cols : lb->rows) != p.k ||
        ld->rows != p.m || ld->cols != p.n || c != d || lc != ld)
        return CUBLAS_STATUS_INVALID_VALUE;
    if (op->epilogue == CUBLASLT_EPILOGUE_BIAS && ld->type != la->type)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    sxt_emu_enqueue(stream, [p] { multiply(p); });
    return CUBLAS_STATUS_SUCCESS;
}
