/* gemm.c - the matrix product: blocks of C dealt to threads. */
#include "num/cpu/gemm.h"

#include <omp.h>

#include "num/cpu/vec.h"

_Static_assert(((GEMM_MAX_ROWS * (GEMM_MAX_COLS + GEMM_DEPTH)) +
                GEMM_DEPTH * GEMM_PANEL) *
                       sizeof(float) <=
                   SXT_CPU_SCRATCH,
               "scratch");

struct blocks {
    size_t rows, cols; /* of one block of C */
    size_t depth;      /* k at a time */
    size_t down, across, count;
    size_t run; /* blocks that a thread takes at once */
};

/* One block of C and a thread's working memory. */
struct block {
    size_t i0, rows, j0, cols;
    float *acc;       /* (rows, GEMM_MAX_COLS) */
    float *a;         /* (rows, GEMM_DEPTH) */
    float *panel;     /* (GEMM_DEPTH, GEMM_PANEL) */
    const char *next; /* W to ask memory for, */
    size_t lines;     /* so many lines before each tile */
};

static size_t divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* Blocks as large as the caches allow, but enough of them for the threads.
 * With few rows, memory sets the pace: short panels alternate quickly between
 * reading and multiplying, and a thread walks W in order. */
static struct blocks plan(const struct sxt_gemm *g, int threads)
{
    struct blocks b = { .down = divide_up(g->m, GEMM_MAX_ROWS),
                        .cols = GEMM_MAX_COLS,
                        .depth = GEMM_DEPTH,
                        .run = 1 };
    bool few = g->m <= 48;

    b.rows = divide_up(divide_up(g->m, b.down), 12) * 12;
    b.down = divide_up(g->m, b.rows);
    while (b.cols > 2 * GEMM_PANEL &&
           b.down * divide_up(g->n, b.cols) < 8 * (size_t)threads)
        b.cols /= 2;
    b.across = divide_up(g->n, b.cols);
    b.count = b.down * b.across;
    if (few) {
        b.depth = 96;
        b.run = divide_up(b.count, 2 * (size_t)threads);
    }
    return b;
}

static inline void finish(const struct sxt_gemm *g, size_t i, size_t j0,
                          size_t n, const float *acc, enum sxt_dtype c_type)
{
    char *c = (char *)g->c + (i * g->ldc + j0) * sxt_dtype_size(c_type);
    size_t j = 0;

    for (; j + LANES <= n; j += LANES) {
        v8f x = g->alpha * v8_load(acc + j);
        if (g->beta != 0)
            x += g->beta * v8_load_as(c, c_type, j);
        if (g->bias)
            x += v8_load_as(g->bias, g->type, j0 + j);
        v8_store_as(c, c_type, j, x);
    }
    for (; j < n; j++) {
        float x = g->alpha * acc[j];
        if (g->beta != 0)
            x += g->beta * sxt_load(c, c_type, j);
        if (g->bias)
            x += sxt_load(g->bias, g->type, j0 + j);
        sxt_store(c, c_type, j, x);
    }
}

void sxt_gemm_finish(const struct sxt_gemm *g, size_t i, size_t j0, size_t n,
                     const float *acc)
{
    if (g->c_type == SXT_F32)
        finish(g, i, j0, n, acc, SXT_F32);
    else
        finish(g, i, j0, n, acc, SXT_BF16);
}

/* A packed panel by all rows.  Meanwhile the W of the next block comes from
 * memory in its own order, a few lines before each tile: a processor follows
 * some two dozen lines at once and would stop at more. */
static void sweep(const struct sxt_cpu *cpu, struct block *b, size_t j,
                  size_t depth)
{
    size_t step = cpu->tile_rows;

    for (size_t i = 0; i < b->rows; i += step) {
        size_t left = b->rows - i;
        const char *end = b->next + b->lines * 64;
        for (; b->next < end; b->next += 64)
            __builtin_prefetch(b->next, 0, 2);
        cpu->tile(&(struct sxt_tile){ .acc = b->acc + i * GEMM_MAX_COLS + j,
                                      .ld_acc = GEMM_MAX_COLS,
                                      .a = b->a + i * GEMM_DEPTH,
                                      .ld_a = GEMM_DEPTH,
                                      .panel = b->panel,
                                      .columns = GEMM_PANEL,
                                      .rows = left < step ? left : step,
                                      .depth = depth });
    }
}

static void multiply(const struct sxt_gemm *g, const struct sxt_cpu *cpu,
                     const struct blocks *p, struct block *b)
{
    size_t bytes = g->tb ? b->cols * g->ldb * sxt_dtype_size(g->type) : 0;
    size_t tiles = divide_up(g->k, p->depth) * divide_up(b->cols, GEMM_PANEL) *
                   divide_up(b->rows, cpu->tile_rows);

    b->next = (const char *)g->b + (b->j0 / b->cols + 1) * bytes;
    if (tiles > 0 && b->j0 + b->cols < g->n)
        b->lines = divide_up(bytes, 64 * tiles);
    memset(b->acc, 0, b->rows * GEMM_MAX_COLS * sizeof(*b->acc));
    for (size_t k0 = 0; k0 < g->k; k0 += p->depth) {
        size_t left = g->k - k0, depth = left < p->depth ? left : p->depth;
        sxt_gemm_pack_a(b->a, g, b->i0, b->rows, k0, depth);
        for (size_t j = 0; j < b->cols; j += GEMM_PANEL) {
            sxt_gemm_pack_b(b->panel, g, k0, depth, b->j0 + j);
            sweep(cpu, b, j, depth);
        }
    }
    for (size_t i = 0; i < b->rows; i++)
        sxt_gemm_finish(g, b->i0 + i, b->j0, b->cols,
                        b->acc + i * GEMM_MAX_COLS);
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
    struct blocks p = plan(g, num->threads);

    if (g->m == 0 || g->n == 0)
        return;
    if (sxt_onednn_gemm(sxt_cpu_of(num)->onednn, g, num->threads))
        return;
    if (g->m == 1 && g->tb && g->k <= SXT_CPU_SCRATCH / sizeof(float)) {
        one_row(num, g);
        return;
    }
    if (sxt_gemm_is_few(g)) {
        sxt_gemm_few(num, g);
        return;
    }
#pragma omp parallel for schedule(dynamic, p.run) num_threads(num->threads)
    for (size_t i = 0; i < p.count; i++) {
        struct block b = { .i0 = i / p.across * p.rows,
                           .j0 = i % p.across * p.cols };
        b.rows = g->m - b.i0 < p.rows ? g->m - b.i0 : p.rows;
        b.cols = g->n - b.j0 < p.cols ? g->n - b.j0 : p.cols;
        b.acc = sxt_cpu_scratch(num, omp_get_thread_num());
        b.a = b.acc + GEMM_MAX_ROWS * GEMM_MAX_COLS;
        b.panel = b.a + GEMM_MAX_ROWS * GEMM_DEPTH;
        multiply(g, sxt_cpu_of(num), &p, &b);
    }
}
