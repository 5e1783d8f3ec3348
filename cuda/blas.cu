/* blas.cu - matrix products by cuBLASLt, planned once per shape.
 *
 * cuBLASLt counts columns first, so a row-major C = op(A) op(B) is computed as
 * C^T = op(B)^T op(A)^T: our B is its first operand, our m its number of
 * columns.
 *
 * Rows that stand for themselves.  An algorithm of the library that sums over k
 * in one piece treats every column of its result alike, wherever it lies and
 * however many there are; but which algorithm its heuristics take, and so the
 * order of the sum, depends on m.  So for rows_independent products
 *   - no algorithm may split k (reduction scheme "none", no workspace);
 *   - m falls into one of few buckets, and a bucket has one algorithm;
 *   - before an algorithm is taken, it computes some of the same rows alone and
 *     beside others, and also by the algorithm of the first bucket: only if all
 *     bits are the same it is used.  If none of a bucket passes, the first
 *     bucket's serves; if that one fails too, the plain kernel of gemm.cu does.
 * The library promises nothing of this, hence the test; it runs once per shape
 * and bucket, during warm-up, on the matrices at hand.
 *
 * Other products have one plan per exact shape, and may split k with a
 * workspace, in a fixed order. */
#include "cuda/blas.h"

#include "cuda/blas_api.h"
#include "cuda/check.h"

#ifdef SXT_EMU
enum { WORKSPACE = 4 << 10, PROBE = 256 << 10, PROBE_ROWS = 20 };
#else
enum {
    WORKSPACE = 32 << 20, /* bytes; what NVIDIA advises for Hopper */
    PROBE = 32 << 20,     /* bytes of the rows that are tried */
    PROBE_ROWS = 200
};
#endif
enum { CANDIDATES = 16, MOST_PLANS = 1024 };

/* Rows up to these share an algorithm. */
static const size_t buckets[] = { 16, 64, 256, SIZE_MAX };
enum { BUCKETS = sizeof(buckets) / sizeof(buckets[0]) };

/* What a plan depends on. */
struct key {
    size_t m; /* exact, or the bucket's number */
    size_t n, k, lda, ldb, ldc;
    size_t align; /* bytes; of all operands and rows */
    enum sxt_dtype type, c_type;
    bool ta, tb, bias, independent;
};

struct plan {
    struct key key;
    cublasLtMatmulDesc_t op;
    cublasLtMatrixLayout_t a, b, c; /* ours: of A, B and C */
    cublasLtMatmulAlgo_t algo;
    bool usable;
};

struct sxt_blas {
    struct sxt_blas_api api;
    cublasLtHandle_t handle;
    cudaStream_t stream;
    struct sxt_dev *dev; /* borrowed */
    char *workspace, *probe;
    struct plan *plans;
    size_t n_plans, cap;
    char about[60];
};

static void check(const struct sxt_blas *blas, cublasStatus_t status,
                  const char *call, int line)
{
    if (status != CUBLAS_STATUS_SUCCESS)
        sxt_cuda_fail(blas->api.GetStatusString(status), call, __FILE__, line);
}

#define BLAS(blas, call) \
    check(blas, (blas)->api.call, "cublasLt" #call, __LINE__)

struct sxt_blas *sxt_blas_create(struct sxt_dev *dev, cudaStream_t stream,
                                 struct sxt_error *err)
{
    struct sxt_blas *blas =
        static_cast<struct sxt_blas *>(sxt_calloc(1, sizeof(*blas)));

    if (sxt_blas_load(&blas->api, err) != 0) {
        free(blas);
        return NULL;
    }
    size_t version = blas->api.GetVersion();
    snprintf(blas->about, sizeof(blas->about), "cuBLASLt %zu.%zu.%zu",
             version / 10000, version % 10000 / 100, version % 100);
    BLAS(blas, Create(&blas->handle));
    blas->stream = stream;
    blas->dev = dev;
    blas->workspace =
        static_cast<char *>(sxt_dev_alloc_for(dev, SXT_DEV_SCRATCH, WORKSPACE));
    blas->probe =
        static_cast<char *>(sxt_dev_alloc_for(dev, SXT_DEV_SCRATCH, PROBE));
    return blas;
}

static void drop_plan(struct sxt_blas *blas, struct plan *p)
{
    BLAS(blas, MatmulDescDestroy(p->op));
    BLAS(blas, MatrixLayoutDestroy(p->a));
    BLAS(blas, MatrixLayoutDestroy(p->b));
    BLAS(blas, MatrixLayoutDestroy(p->c));
}

void sxt_blas_destroy(struct sxt_blas *blas)
{
    if (!blas)
        return;
    for (size_t i = 0; i < blas->n_plans; i++)
        drop_plan(blas, &blas->plans[i]);
    BLAS(blas, Destroy(blas->handle));
    sxt_dev_free(blas->dev, blas->workspace);
    sxt_dev_free(blas->dev, blas->probe);
    free(blas->plans);
    free(blas);
}

const char *sxt_blas_about(const struct sxt_blas *blas)
{
    return blas->about;
}

/* ---- plans ---- */

static cudaDataType data_type(enum sxt_dtype type)
{
    return type == SXT_F32 ? CUDA_R_32F : CUDA_R_16BF;
}

/* The largest power of two up to 16 that divides all of it. */
static size_t alignment(const struct sxt_gemm *g)
{
    size_t size = sxt_dtype_size(g->type), c_size = sxt_dtype_size(g->c_type);
    size_t all = 16 | (uintptr_t)g->a | (uintptr_t)g->b | (uintptr_t)g->c |
                 (uintptr_t)g->bias | g->lda * size | g->ldb * size |
                 g->ldc * c_size;

    return all & (~all + 1);
}

static size_t bucket_of(size_t m)
{
    size_t i = 0;

    while (m > buckets[i])
        i++;
    return i;
}

static struct key key_of(const struct sxt_gemm *g)
{
    struct key key;

    memset(&key, 0, sizeof(key)); /* compared as bytes */
    key.m = g->rows_independent ? bucket_of(g->m) : g->m;
    key.n = g->n;
    key.k = g->k;
    key.lda = g->lda;
    key.ldb = g->ldb;
    key.ldc = g->ldc;
    key.align = alignment(g);
    key.type = g->type;
    key.c_type = g->c_type;
    key.ta = g->ta;
    key.tb = g->tb;
    key.bias = g->bias != NULL;
    key.independent = g->rows_independent;
    return key;
}

static void describe(struct sxt_blas *blas, struct plan *p)
{
    const struct key *k = &p->key;
    cublasOperation_t first = k->tb ? CUBLAS_OP_T : CUBLAS_OP_N;
    cublasOperation_t second = k->ta ? CUBLAS_OP_T : CUBLAS_OP_N;
    cublasLtEpilogue_t epilogue =
        k->bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
    cudaDataType type = data_type(k->type);

    BLAS(blas, MatmulDescCreate(&p->op, CUBLAS_COMPUTE_32F, CUDA_R_32F));
    BLAS(blas, MatmulDescSetAttribute(p->op, CUBLASLT_MATMUL_DESC_TRANSA,
                                      &first, sizeof(first)));
    BLAS(blas, MatmulDescSetAttribute(p->op, CUBLASLT_MATMUL_DESC_TRANSB,
                                      &second, sizeof(second)));
    BLAS(blas, MatmulDescSetAttribute(p->op, CUBLASLT_MATMUL_DESC_EPILOGUE,
                                      &epilogue, sizeof(epilogue)));
    /* Columns that are m are set for each product. */
    BLAS(blas, MatrixLayoutCreate(&p->a, type, k->ta ? 1 : k->k,
                                  k->ta ? k->k : 1, (int64_t)k->lda));
    BLAS(blas, MatrixLayoutCreate(&p->b, type, k->tb ? k->k : k->n,
                                  k->tb ? k->n : k->k, (int64_t)k->ldb));
    BLAS(blas, MatrixLayoutCreate(&p->c, data_type(k->c_type), k->n, 1,
                                  (int64_t)k->ldc));
}

static void set_rows(struct sxt_blas *blas, struct plan *p, size_t m)
{
    uint64_t rows = m;

    BLAS(blas, MatrixLayoutSetAttribute(p->a,
                                        p->key.ta ? CUBLASLT_MATRIX_LAYOUT_ROWS
                                                  : CUBLASLT_MATRIX_LAYOUT_COLS,
                                        &rows, sizeof(rows)));
    BLAS(blas, MatrixLayoutSetAttribute(p->c, CUBLASLT_MATRIX_LAYOUT_COLS,
                                        &rows, sizeof(rows)));
}

/* The algorithms for m rows, best first. */
static int candidates(struct sxt_blas *blas, struct plan *p, size_t m,
                      cublasLtMatmulHeuristicResult_t found[CANDIDATES])
{
    size_t most = p->key.independent ? 0 : WORKSPACE;
    uint32_t schemes = p->key.independent
                           ? CUBLASLT_REDUCTION_SCHEME_NONE
                           : CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE |
                                 CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE;
    uint32_t align = (uint32_t)p->key.align;
    cublasLtMatmulPreference_t wish;
    int n = 0;

    set_rows(blas, p, m);
    BLAS(blas, MatmulPreferenceCreate(&wish));
    BLAS(blas, MatmulPreferenceSetAttribute(
                   wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most,
                   sizeof(most)));
    BLAS(blas, MatmulPreferenceSetAttribute(
                   wish, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &schemes,
                   sizeof(schemes)));
    static const cublasLtMatmulPreferenceAttributes_t aligned[] = {
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES
    };
    for (cublasLtMatmulPreferenceAttributes_t which : aligned)
        BLAS(blas,
             MatmulPreferenceSetAttribute(wish, which, &align, sizeof(align)));
    cublasStatus_t status = blas->api.MatmulAlgoGetHeuristic(
        blas->handle, p->op, p->b, p->a, p->c, p->c, wish,
        p->key.independent ? (int)CANDIDATES : 1, found, &n);
    BLAS(blas, MatmulPreferenceDestroy(wish));
    return status == CUBLAS_STATUS_SUCCESS ? n : 0;
}

static cublasStatus_t multiply(struct sxt_blas *blas, struct plan *p,
                               const cublasLtMatmulAlgo_t *algo,
                               const struct sxt_gemm *g)
{
    set_rows(blas, p, g->m);
    if (g->bias)
        BLAS(blas,
             MatmulDescSetAttribute(p->op, CUBLASLT_MATMUL_DESC_BIAS_POINTER,
                                    &g->bias, sizeof(g->bias)));
    return blas->api.Matmul(blas->handle, p->op, &g->alpha, g->b, p->b, g->a,
                            p->a, &g->beta, g->c, p->c, g->c, p->c, algo,
                            blas->workspace, WORKSPACE, blas->stream);
}

/* ---- the trial ---- */

/* A product of a few rows in the probe's memory: A, then C twice. */
struct trial {
    struct sxt_gemm g;
    size_t c_bytes;   /* of one C */
    char *base, *got; /* host: what it must be, what it is */
};

/* Rows of A that have every exponent near 1 and all bits of the fraction. */
static void fill_rows(struct sxt_blas *blas, const struct trial *t)
{
    size_t bytes = t->g.m * t->g.lda * sxt_dtype_size(t->g.type);
    struct sxt_rng rng = { 1, 2 };
    char *x = static_cast<char *>(sxt_alloc(bytes, 1));

    for (size_t i = 0; i < t->g.m * t->g.lda; i++)
        sxt_store(x, t->g.type, i, (float)sxt_rng_normal(rng, i));
    sxt_dev_put(blas->dev, const_cast<void *>(t->g.a), x, bytes);
    free(x);
}

/* The trial's product for the weights of g; false: they are too wide. */
static bool make_trial(struct sxt_blas *blas, const struct sxt_gemm *g,
                       struct trial *t)
{
    size_t a_row = g->lda * sxt_dtype_size(g->type);
    size_t c_row = g->ldc * sxt_dtype_size(g->c_type);
    size_t rows = (PROBE - 64) / (a_row + c_row);

    t->g = *g;
    t->g.m = rows < PROBE_ROWS ? rows : (size_t)PROBE_ROWS;
    if (t->g.m < 2)
        return false;
    t->g.alpha = 1;
    t->g.beta = 0;
    t->g.a = blas->probe;
    t->g.c = blas->probe + (t->g.m * a_row + 63) / 64 * 64;
    t->c_bytes = t->g.m * c_row;
    t->base = static_cast<char *>(sxt_calloc(2, t->c_bytes));
    t->got = t->base + t->c_bytes;
    fill_rows(blas, t);
    return true;
}

/* Rows first … of the trial; other rows of the result are zeros. */
static bool try_rows(struct sxt_blas *blas, struct plan *p,
                     const cublasLtMatmulAlgo_t *algo, const struct trial *t,
                     size_t first, size_t m, char *c)
{
    size_t a_row = t->g.lda * sxt_dtype_size(t->g.type);
    struct sxt_gemm g = t->g;

    g.m = m;
    g.a = static_cast<const char *>(t->g.a) + first * a_row;
    sxt_dev_zero(blas->dev, t->g.c, t->c_bytes);
    if (multiply(blas, p, algo, &g) != CUBLAS_STATUS_SUCCESS)
        return false;
    sxt_dev_get(blas->dev, c, t->g.c, t->c_bytes);
    return true;
}

/* Whether the algorithm gives the base's bits for all rows, and for some of
 * them alone or among few. */
static bool passes(struct sxt_blas *blas, struct plan *p,
                   const cublasLtMatmulAlgo_t *algo, const struct trial *t)
{
    static const struct {
        size_t first, m;
    } some[] = { { 0, 1 }, { 1, 1 }, { 1, 17 }, { 5, 64 }, { 33, 130 } };
    size_t row = t->g.ldc * sxt_dtype_size(t->g.c_type);
    size_t used = t->g.n * sxt_dtype_size(t->g.c_type);

    if (!try_rows(blas, p, algo, t, 0, t->g.m, t->got) ||
        memcmp(t->got, t->base, t->c_bytes) != 0)
        return false;
    for (const auto &part : some) {
        if (part.first + part.m > t->g.m)
            continue;
        if (!try_rows(blas, p, algo, t, part.first, part.m, t->got))
            return false;
        for (size_t i = 0; i < part.m; i++)
            if (memcmp(t->got + i * row, t->base + (part.first + i) * row,
                       used) != 0)
                return false;
    }
    return true;
}

/* An algorithm for bucket 0 that agrees with itself: the base. */
static bool find_base(struct sxt_blas *blas, struct plan *p,
                      const struct trial *t, cublasLtMatmulAlgo_t *base)
{
    cublasLtMatmulHeuristicResult_t found[CANDIDATES];
    int n = candidates(blas, p, buckets[0], found);

    for (int i = 0; i < n; i++) {
        *base = found[i].algo;
        if (try_rows(blas, p, base, t, 0, t->g.m, t->base) &&
            passes(blas, p, base, t))
            return true;
    }
    return false;
}

static bool choose_independent(struct sxt_blas *blas, struct plan *p,
                               const struct sxt_gemm *g)
{
    cublasLtMatmulHeuristicResult_t found[CANDIDATES];
    struct trial t;

    if (!make_trial(blas, g, &t))
        return false;
    bool usable = find_base(blas, p, &t, &p->algo);
    if (usable && p->key.m > 0) {
        size_t rows = buckets[p->key.m];
        int n = candidates(blas, p, rows < 4096 ? rows : 4096, found), i = 0;
        while (i < n && !passes(blas, p, &found[i].algo, &t))
            i++;
        if (i < n)
            p->algo = found[i].algo;
    }
    free(t.base);
    return usable;
}

static bool choose(struct sxt_blas *blas, struct plan *p,
                   const struct sxt_gemm *g)
{
    cublasLtMatmulHeuristicResult_t found[CANDIDATES];

    if (p->key.independent)
        return choose_independent(blas, p, g);
    if (candidates(blas, p, g->m, found) < 1)
        return false;
    p->algo = found[0].algo;
    return true;
}

static struct plan *plan_for(struct sxt_blas *blas, const struct sxt_gemm *g)
{
    struct key key = key_of(g);

    for (size_t i = 0; i < blas->n_plans; i++)
        if (memcmp(&blas->plans[i].key, &key, sizeof(key)) == 0)
            return &blas->plans[i];
    if (blas->n_plans == MOST_PLANS) /* all shapes have their turn again */
        while (blas->n_plans > 0)
            drop_plan(blas, &blas->plans[--blas->n_plans]);
    blas->plans = static_cast<struct plan *>(sxt_grow(
        blas->plans, &blas->cap, blas->n_plans + 1, sizeof(*blas->plans)));
    struct plan *p = &blas->plans[blas->n_plans++];
    p->key = key;
    describe(blas, p);
    p->usable = choose(blas, p, g);
    return p;
}

bool sxt_blas_gemm(struct sxt_blas *blas, const struct sxt_gemm *g)
{
    struct plan *p = plan_for(blas, g);

    if (!p->usable)
        return false;
    check(blas, multiply(blas, p, &p->algo, g), "cublasLtMatmul", __LINE__);
    return true;
}
