/* gemm.c - the matrix product: blocks of C dealt to threads. */
#include "num/cpu/gemm.h"

#include <omp.h>

#include "num/cpu/vec.h"

struct blocks {
    size_t rows, cols; /* of one block of C */
    size_t down, across, count;
};

static size_t divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* Blocks as large as the caches allow, but enough of them for the threads. */
static struct blocks plan(const struct sxt_gemm *g, int threads)
{
    struct blocks b = { .down = divide_up(g->m, GEMM_MAX_ROWS),
                        .cols = GEMM_MAX_COLS };

    b.rows = divide_up(divide_up(g->m, b.down), 12) * 12;
    b.down = divide_up(g->m, b.rows);
    while (b.cols > 2 * GEMM_PANEL &&
           b.down * divide_up(g->n, b.cols) < 8 * (size_t)threads)
        b.cols /= 2;
    b.across = divide_up(g->n, b.cols);
    b.count = b.down * b.across;
    return b;
}

void sxt_gemm_finish(const struct sxt_gemm *g, size_t i, size_t j0, size_t n,
                     const float *acc)
{
    char *c = (char *)g->c + (i * g->ldc + j0) * sxt_dtype_size(g->c_type);
    float row[GEMM_MAX_COLS];

    for (size_t j = 0; j < n; j++)
        row[j] = g->alpha * acc[j];
    if (g->beta != 0)
        for (size_t j = 0; j < n; j++)
            row[j] += g->beta * sxt_load(c, g->c_type, j);
    if (g->bias)
        for (size_t j = 0; j < n; j++)
            row[j] += sxt_load(g->bias, g->type, j0 + j);
    size_t j = 0;
    for (; j + LANES <= n; j += LANES)
        v8_store_as(c, g->c_type, j, v8_load(row + j));
    for (; j < n; j++)
        sxt_store(c, g->c_type, j, row[j]);
}

/* Ask for the next panel of W while this one is multiplied. */
static void fetch_panel(const struct sxt_gemm *g, size_t k0, size_t depth,
                        size_t j0)
{
    size_t size = sxt_dtype_size(g->type);

    if (!g->tb)
        return;
    for (size_t j = j0; j < j0 + GEMM_PANEL && j < g->n; j++) {
        const char *row = (const char *)g->b + (j * g->ldb + k0) * size;
        for (size_t byte = 0; byte < depth * size; byte += 64)
            __builtin_prefetch(row + byte, 0, 2);
    }
}

/* One block of C; acc, pa and panel are this thread's. */
static void block(const struct sxt_gemm *g, sxt_gemm_tile *tile, size_t i0,
                  size_t rows, size_t j0, size_t cols, float *acc, float *pa,
                  float *panel)
{
    memset(acc, 0, rows * GEMM_MAX_COLS * sizeof(*acc));
    for (size_t k0 = 0; k0 < g->k; k0 += GEMM_DEPTH) {
        size_t depth = g->k - k0 < GEMM_DEPTH ? g->k - k0 : GEMM_DEPTH;
        sxt_gemm_pack_a(pa, g, i0, rows, k0, depth);
        for (size_t j = 0; j < cols; j += GEMM_PANEL) {
            sxt_gemm_pack_b(panel, g, k0, depth, j0 + j);
            fetch_panel(g, k0, depth, j0 + j + GEMM_PANEL);
            tile(acc + j, GEMM_MAX_COLS, pa, panel, rows, depth);
        }
    }
    for (size_t i = 0; i < rows; i++)
        sxt_gemm_finish(g, i0 + i, j0, cols, acc + i * GEMM_MAX_COLS);
}

/* One row by W (n, k): no packing. */
static void one_row(struct sxt_num *num, const struct sxt_gemm *g)
{
    float *a = sxt_cpu_scratch(num, 0);
    size_t part = 64;

    for (size_t k = 0; k < g->k; k++)
        a[k] = sxt_load(g->a, g->type, g->ta ? k * g->lda : k);
#pragma omp parallel for schedule(static) num_threads(num->threads)
    for (size_t j = 0; j < g->n; j += part)
        sxt_gemv(g, a, j, j + part < g->n ? j + part : g->n);
}

void sxt_cpu_gemm(struct sxt_num *num, const struct sxt_gemm *g)
{
    struct blocks b = plan(g, num->threads);
    sxt_gemm_tile *tile = sxt_cpu_of(num)->tile;

    if (g->m == 1 && g->tb && g->k <= SXT_CPU_SCRATCH / sizeof(float)) {
        one_row(num, g);
        return;
    }
#pragma omp parallel for schedule(dynamic) num_threads(num->threads)
    for (size_t i = 0; i < b.count; i++) {
        size_t i0 = i / b.across * b.rows, j0 = i % b.across * b.cols;
        float *acc = sxt_cpu_scratch(num, omp_get_thread_num());
        float *pa = acc + GEMM_MAX_ROWS * GEMM_MAX_COLS;
        float *panel = pa + GEMM_MAX_ROWS * GEMM_DEPTH;
        block(g, tile, i0, g->m - i0 < b.rows ? g->m - i0 : b.rows, j0,
              g->n - j0 < b.cols ? g->n - j0 : b.cols, acc, pa, panel);
    }
}
