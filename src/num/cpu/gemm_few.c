/* gemm_few.c - 16 rows by W (n, k), as decoding many answers needs it.
 *
 * Computed as C^T = W A^T: the rows of A are the columns of one panel that all
 * of W meets, and W's rows, which make up nearly all memory, are converted but
 * not turned.  The chains are those of gemm.c. */
#include <omp.h>

#include "num/cpu/gemm.h"
#include "num/cpu/vec.h"

enum {
    ROWS = 24,  /* of W at a time: with its part of the panel in level 1 */
    DEPTH = 96, /* k at a time: short turns between reading and multiplying */
    WORK = ROWS * (GEMM_DEPTH + GEMM_PANEL) /* floats of a thread */
};

bool sxt_gemm_is_few(const struct sxt_gemm *g)
{
    size_t floats = g->k * GEMM_PANEL + WORK;

    return g->tb && !g->ta && g->m + 1 >= GEMM_PANEL && g->m <= GEMM_PANEL &&
           floats * sizeof(float) <= SXT_CPU_SCRATCH;
}

/* W from memory, a few lines before each tile; see gemm.c. */
struct ahead {
    const char *next;
    size_t lines;
};

static inline void ask(struct ahead *a)
{
    for (const char *end = a->next + 64 * a->lines; a->next < end;
         a->next += 64)
        __builtin_prefetch(a->next, 0, 2);
}

/* C (…, j0 … j0 + n). */
static void columns(const struct sxt_gemm *g, const struct sxt_cpu *cpu,
                    const float *panel, float *work, size_t j0, size_t n)
{
    size_t bytes = g->ldb * sxt_dtype_size(g->type), step = cpu->tile_rows;
    const char *w = (const char *)g->b + j0 * bytes;
    float *acc = work + ROWS * GEMM_DEPTH, row[ROWS];
    size_t pieces = (g->k + DEPTH - 1) / DEPTH;
    size_t depth = (g->k + pieces - 1) / pieces;
    struct ahead ahead = { w + ROWS * bytes,
                           j0 + 2 * ROWS <= g->n
                               ? ROWS * bytes / (64 * pieces * (ROWS / step))
                               : 0 };

    memset(acc, 0, n * GEMM_PANEL * sizeof(*acc));
    for (size_t k0 = 0; k0 < g->k; k0 += depth) {
        size_t deep = g->k - k0 < depth ? g->k - k0 : depth;
        for (size_t i = 0; i < n; i++)
            sxt_to_f32(work + i * GEMM_DEPTH,
                       w + i * bytes + k0 * sxt_dtype_size(g->type), g->type,
                       deep);
        for (size_t i = 0; i < n; i += step) {
            ask(&ahead);
            cpu->tile(acc + i * GEMM_PANEL, GEMM_PANEL, work + i * GEMM_DEPTH,
                      panel + k0 * GEMM_PANEL, n - i < step ? n - i : step,
                      deep);
        }
    }
    for (size_t i = 0; i < g->m; i++) {
        for (size_t j = 0; j < n; j++)
            row[j] = acc[j * GEMM_PANEL + i];
        sxt_gemm_finish(g, i, j0, n, row);
    }
}

void sxt_gemm_few(struct sxt_num *num, const struct sxt_gemm *g)
{
    size_t blocks = (g->n + ROWS - 1) / ROWS;
    size_t run = (blocks - 1) / (2 * (size_t)num->threads) + 1;
    float *panel = sxt_cpu_scratch(num, 0);
    const char *row[GEMM_PANEL];

    for (size_t i = 0; i < GEMM_PANEL; i++)
        row[i] = (const char *)g->a +
                 (i < g->m ? i : g->m - 1) * g->lda * sxt_dtype_size(g->type);
    sxt_gemm_pack_rows(panel, row, g->type, g->k);
#pragma omp parallel for schedule(dynamic, run) num_threads(num->threads)
    for (size_t b = 0; b < blocks; b++) {
        float *own = sxt_cpu_scratch(num, omp_get_thread_num());
        size_t left = g->n - b * ROWS;
        columns(g, sxt_cpu_of(num), panel, own + g->k * GEMM_PANEL, b * ROWS,
                left < ROWS ? left : ROWS);
    }
}
