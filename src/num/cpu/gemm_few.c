/* gemm_few.c - a few rows by W (n, k), as decoding many answers needs it.
 *
 * Computed as C^T = W A^T: sixteen rows of A are the columns of a panel that
 * stays in level 2, and W, which makes up nearly all memory, goes from memory
 * into the tiles without a stop: bf16 is converted on the way, f32 read where
 * it lies.  The chains are those of gemm.c. */
#include <omp.h>

#include "num/cpu/gemm.h"
#include "num/cpu/vec.h"

enum {
    MOST = 48,   /* rows of A: with more, gemm.c is as fast */
    ROWS = 48,   /* of W at a time: of tiles of 6 and 12, in panels of 16 */
    DEPTH = 768, /* numbers of a row of W converted at once */
    ACC = ROWS * GEMM_PANEL,
    WORK = MOST / GEMM_PANEL * ACC + GEMM_TILE_V16 * DEPTH
};

/* A product at work; a thread has its own acc and w. */
struct few {
    const struct sxt_gemm *g;
    const struct sxt_cpu *cpu;
    size_t panels;
    float *panel; /* (panels; k, 16): A^T */
    float *acc;   /* (panels; ROWS, 16) */
    float *w;     /* (tile_rows, DEPTH): converted */
};

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t count_panels(size_t m)
{
    return (m + GEMM_PANEL - 1) / GEMM_PANEL;
}

/* Converting bf16 pays if a panel has few columns of no use. */
bool sxt_gemm_is_few(const struct sxt_gemm *g)
{
    size_t floats = count_panels(g->m) * g->k * GEMM_PANEL + WORK;
    bool full = (g->m + 2) % GEMM_PANEL < 3;

    return g->tb && !g->ta && g->m <= MOST && (g->type == SXT_F32 || full) &&
           floats * sizeof(float) <= SXT_CPU_SCRATCH;
}

static void pack(const struct few *f)
{
    const struct sxt_gemm *g = f->g;
    size_t bytes = g->lda * sxt_dtype_size(g->type);
    const char *row[GEMM_PANEL];

    for (size_t p = 0; p < f->panels; p++) {
        for (size_t i = 0; i < GEMM_PANEL; i++)
            row[i] =
                (const char *)g->a + min(p * GEMM_PANEL + i, g->m - 1) * bytes;
        sxt_gemm_pack_rows(f->panel + p * g->k * GEMM_PANEL, row, g->type,
                           g->k);
    }
}

/* acc from row i on: `rows` rows of W by all of A. */
static void multiply(const struct few *f, const char *w, size_t i, size_t rows)
{
    const struct sxt_gemm *g = f->g;
    size_t size = sxt_dtype_size(g->type);
    struct sxt_tile t = { .ld_acc = GEMM_PANEL,
                          .rows = rows,
                          .from_row = g->ldb * size,
                          .from_size = size };

    for (size_t k = 0; k < g->k; k += DEPTH) {
        t.depth = min(DEPTH, g->k - k);
        t.from = w + k * size;
        t.a = g->type == SXT_F32 ? (const float *)(const void *)t.from : f->w;
        t.ld_a = g->type == SXT_F32 ? g->ldb : DEPTH;
        for (size_t r = 0; g->type != SXT_F32 && r < rows; r++)
            sxt_to_f32(f->w + r * DEPTH, t.from + r * t.from_row, g->type,
                       t.depth);
        for (size_t p = 0; p < f->panels; p++) {
            t.acc = f->acc + p * ACC + i * GEMM_PANEL;
            t.panel = f->panel + (p * g->k + k) * GEMM_PANEL;
            t.columns = g->m - p * GEMM_PANEL;
            f->cpu->tile(&t);
        }
    }
}

/* C from the sums of a panel's rows and n <= 16 columns from j0 on, which acc
 * holds turned. */
static void finish(const struct few *f, size_t p, const float *acc, size_t j0,
                   size_t n)
{
    float turned[GEMM_PANEL * GEMM_PANEL];
    const char *row[GEMM_PANEL];
    size_t first = p * GEMM_PANEL, end = min(first + GEMM_PANEL, f->g->m);

    for (size_t j = 0; j < GEMM_PANEL; j++)
        row[j] = (const char *)(acc + min(j, n - 1) * GEMM_PANEL);
    sxt_gemm_pack_rows(turned, row, SXT_F32, GEMM_PANEL);
    for (size_t i = first; i < end; i++)
        sxt_gemm_finish(f->g, i, j0, n, turned + (i - first) * GEMM_PANEL);
}

/* C (…, j0 … j0 + n). */
static void columns(const struct few *f, size_t j0, size_t n)
{
    size_t bytes = f->g->ldb * sxt_dtype_size(f->g->type);
    const char *w = (const char *)f->g->b + j0 * bytes;
    size_t step = f->cpu->tile_rows;

    memset(f->acc, 0, f->panels * ACC * sizeof(*f->acc));
    for (size_t i = 0; i < n; i += step)
        multiply(f, w + i * bytes, i, min(step, n - i));
    for (size_t j = 0; j < n; j += GEMM_PANEL)
        for (size_t p = 0; p < f->panels; p++)
            finish(f, p, f->acc + p * ACC + j * GEMM_PANEL, j0 + j,
                   min(GEMM_PANEL, n - j));
}

void sxt_gemm_few(struct sxt_num *num, const struct sxt_gemm *g)
{
    size_t blocks = (g->n + ROWS - 1) / ROWS;
    size_t run = (blocks - 1) / (2 * (size_t)num->threads) + 1;
    struct few all = { .g = g,
                       .cpu = sxt_cpu_of(num),
                       .panels = count_panels(g->m),
                       .panel = sxt_cpu_scratch(num, 0) };

    pack(&all);
#pragma omp parallel for schedule(dynamic, run) num_threads(num->threads)
    for (size_t b = 0; b < blocks; b++) {
        struct few own = all;
        own.acc = (float *)sxt_cpu_scratch(num, omp_get_thread_num()) +
                  all.panels * g->k * GEMM_PANEL;
        own.w = own.acc + all.panels * ACC;
        columns(&own, b * ROWS, min(ROWS, g->n - b * ROWS));
    }
}
