/* qgemm.c - activations by weights in 8 or 4 bits.
 *
 * W is unpacked into panels in cache, a piece at a time, which go the way of
 * any other matrix.  INT8: one chain over k for each element of C, then the
 * row's scale.  NF4: a chain over each block of 64, whose maximum then
 * multiplies it into the chain over blocks.  Few rows go another way to the
 * same bits: qgemv.c. */
#include <omp.h>

#include "num/cpu/gemm.h"
#include "num/cpu/unpack.h"

enum { BLOCKS = GEMM_DEPTH / SXT_NF4_BLOCK };

/* A thread's working memory, in its scratch. */
struct work {
    float acc[GEMM_MAX_ROWS * GEMM_MAX_COLS];
    float a[GEMM_MAX_ROWS * GEMM_DEPTH];
    float panel[GEMM_DEPTH * GEMM_PANEL];
    float sum[GEMM_MAX_ROWS * GEMM_PANEL];
    float max[BLOCKS][GEMM_PANEL];
};
_Static_assert(sizeof(struct work) <= SXT_CPU_SCRATCH, "scratch");

/* A product at work, rows i0 … i0 + rows by columns j0 … j0 + cols of C. */
struct block {
    const struct sxt_cpu *cpu;
    const struct sxt_gemm *g;
    const struct sxt_qmat *w;
    const struct unpack_nf4 *nf4;
    enum unpack how;
    struct work *work;
    size_t i0, rows, j0, cols;
};

/* Columns k0 … k0 + depth of eight rows of W, to columns of a panel. */
static inline __attribute__((always_inline)) void fill(float *to,
                                                       const struct block *b,
                                                       const size_t row[LANES],
                                                       size_t k0, size_t depth,
                                                       const enum unpack how)
{
    size_t per_byte = how == UNPACK_INT8 ? 1 : 2, step = UNPACK_STEP * per_byte;
    const char *q[LANES];
    size_t k = 0;

    for (size_t r = 0; r < LANES; r++)
        q[r] = (const char *)b->w->q + (row[r] * b->w->k + k0) / per_byte;
    for (; k + step <= depth; k += step) {
        v8u quad[UNPACK_NF4_QUADS];
        int n = unpack_quads(quad, q, k / per_byte, how);
        for (int i = 0; i < n; i++, to += 4 * GEMM_PANEL) {
            v8f w[4];
            unpack_quad(w, quad[i], b->nf4, how);
            for (size_t c = 0; c < 4; c++)
                v8_store(to + c * GEMM_PANEL, w[c]);
        }
    }
    for (; k < depth; k++, to += GEMM_PANEL) /* INT8 only */
        for (size_t r = 0; r < LANES; r++)
            to[r] = (float)((const int8_t *)q[r])[k] / UNPACK_INT8_UNIT;
}

static void fill_maxima(const struct block *b, size_t column, size_t row,
                        size_t k0, size_t depth)
{
    size_t n = depth / SXT_NF4_BLOCK, in_row = b->w->k / SXT_NF4_BLOCK;
    float max[BLOCKS];

    unpack_maxima(max, b->w, row * in_row + k0 / SXT_NF4_BLOCK, n,
                  b->nf4->unit);
    for (size_t i = 0; i < n; i++)
        b->work->max[i][column] = max[i];
}

/* Columns j … j + 16 of W^T as a panel; those behind the last are copies. */
static void fill_panel(const struct block *b, size_t j, size_t k0, size_t depth)
{
    size_t row[GEMM_PANEL];

    for (size_t i = 0; i < GEMM_PANEL; i++) {
        row[i] = j + i < b->w->n ? j + i : b->w->n - 1;
        if (b->how != UNPACK_INT8)
            fill_maxima(b, i, row[i], k0, depth);
    }
    for (size_t half = 0; half < GEMM_PANEL; half += LANES) {
        float *to = b->work->panel + half;
        if (b->how == UNPACK_INT8)
            fill(to, b, row + half, k0, depth, UNPACK_INT8);
        else if (b->how == UNPACK_NF4)
            fill(to, b, row + half, k0, depth, UNPACK_NF4);
        else
            fill(to, b, row + half, k0, depth, UNPACK_NF4_EXACT);
    }
}

/* acc (rows, 16) += A's columns k … k + depth of those packed by the panel. */
static void tile(const struct block *b, float *acc, size_t ld_acc, size_t k,
                 size_t depth)
{
    b->cpu->tile(&(struct sxt_tile){ .acc = acc,
                                     .ld_acc = ld_acc,
                                     .a = b->work->a + k,
                                     .ld_a = GEMM_DEPTH,
                                     .panel = b->work->panel + k * GEMM_PANEL,
                                     .columns = GEMM_PANEL,
                                     .rows = b->rows,
                                     .depth = depth });
}

/* The same for NF4, block by block. */
static void tile_nf4(const struct block *b, float *acc, size_t depth)
{
    struct work *work = b->work;

    for (size_t k = 0; k < depth; k += SXT_NF4_BLOCK) {
        const float *max = work->max[k / SXT_NF4_BLOCK];
        memset(work->sum, 0, b->rows * GEMM_PANEL * sizeof(*work->sum));
        tile(b, work->sum, GEMM_PANEL, k, SXT_NF4_BLOCK);
        for (size_t r = 0; r < b->rows; r++)
            for (size_t c = 0; c < GEMM_PANEL; c += LANES) {
                float *to = acc + r * GEMM_MAX_COLS + c;
                v8f sum = v8_load(work->sum + r * GEMM_PANEL + c);
                v8_store(to, v8_fma(v8_load(max + c), sum, v8_load(to)));
            }
    }
}

static void multiply(const struct block *b)
{
    struct work *work = b->work;

    memset(work->acc, 0, b->rows * GEMM_MAX_COLS * sizeof(*work->acc));
    for (size_t k0 = 0; k0 < b->w->k; k0 += GEMM_DEPTH) {
        size_t left = b->w->k - k0;
        size_t depth = left < GEMM_DEPTH ? left : GEMM_DEPTH;
        sxt_gemm_pack_a(work->a, b->g, b->i0, b->rows, k0, depth);
        for (size_t j = 0; j < b->cols; j += GEMM_PANEL) {
            fill_panel(b, b->j0 + j, k0, depth);
            if (b->how == UNPACK_INT8)
                tile(b, work->acc + j, GEMM_MAX_COLS, 0, depth);
            else
                tile_nf4(b, work->acc + j, depth);
        }
    }
}

static void store(const struct block *b)
{
    for (size_t r = 0; r < b->rows; r++)
        for (size_t j = 0; j < b->cols; j++) {
            float x = b->work->acc[r * GEMM_MAX_COLS + j];
            if (b->how == UNPACK_INT8)
                x = x * UNPACK_INT8_UNIT * b->w->scale[b->j0 + j];
            sxt_store(b->g->c, b->g->type, (b->i0 + r) * b->w->n + b->j0 + j,
                      x);
        }
}

/* Columns of a block: many, to pack A rarely, but enough for the threads. */
static size_t block_columns(size_t n, int threads)
{
    size_t cols = GEMM_MAX_COLS;

    while (cols > 2 * GEMM_PANEL && n / cols < 4 * (size_t)threads)
        cols /= 2;
    return cols;
}

void sxt_cpu_qgemm(struct sxt_num *num, size_t m, const void *a,
                   const struct sxt_qmat *w, void *c, enum sxt_dtype type)
{
    struct sxt_gemm g = {
        .m = m, .n = w->n, .k = w->k, .a = a, .c = c, .lda = w->k, .type = type
    };
    size_t cols = block_columns(w->n, num->threads);
    struct unpack_nf4 nf4;

    unpack_nf4_init(&nf4, unpack_how(w, type));
    if (sxt_qgemv_takes(m, w)) {
        sxt_qgemv(num, &g, w, &nf4);
        return;
    }
#pragma omp parallel for schedule(dynamic) num_threads(num->threads)
    for (size_t j0 = 0; j0 < w->n; j0 += cols) {
        struct block b = { .cpu = sxt_cpu_of(num),
                           .g = &g,
                           .w = w,
                           .nf4 = &nf4,
                           .how = unpack_how(w, type),
                           .work = sxt_cpu_scratch(num, omp_get_thread_num()),
                           .j0 = j0,
                           .cols = w->n - j0 < cols ? w->n - j0 : cols };
        for (; b.i0 < m; b.i0 += GEMM_MAX_ROWS) {
            b.rows = m - b.i0 < GEMM_MAX_ROWS ? m - b.i0 : GEMM_MAX_ROWS;
            multiply(&b);
            store(&b);
        }
    }
}
