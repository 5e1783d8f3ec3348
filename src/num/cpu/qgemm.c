/* qgemm.c - activations by weights in 8 or 4 bits.
 *
 * Rows of W become f32 in cache, a piece at a time, and go the way of any other
 * matrix: one chain over k for each element of C.  INT8 multiplies by the
 * row's scale at the end, NF4 by the block's maximum at once.  Few rows go
 * another way to the same bits: qgemv.c. */
#include <omp.h>

#include "num/cpu/gemm.h"
#include "num/cpu/vec.h"
#include "num/ref/nf4.h"

enum { COLUMNS = 64 };

/* A thread's working memory, in its scratch. */
struct work {
    float acc[GEMM_MAX_ROWS * COLUMNS];
    float a[GEMM_MAX_ROWS * GEMM_DEPTH];
    float w[GEMM_PANEL * GEMM_DEPTH];
    float panel[GEMM_DEPTH * GEMM_PANEL];
};
_Static_assert(sizeof(struct work) <= SXT_CPU_SCRATCH, "scratch");

/* The two codes of every byte. */
struct pairs {
    float of[256][2];
};

static void make_pairs(struct pairs *p)
{
    for (int byte = 0; byte < 256; byte++) {
        p->of[byte][0] = sxt_nf4_code[byte & 15];
        p->of[byte][1] = sxt_nf4_code[byte >> 4];
    }
}

/* n numbers of row j of W from column k0 on. */
static void read_int8(float *to, const struct sxt_qmat *w, size_t j, size_t k0,
                      size_t n)
{
    const int8_t *q = (const int8_t *)w->q + j * w->k + k0;

#pragma omp simd
    for (size_t i = 0; i < n; i++)
        to[i] = q[i];
}

static void read_nf4(float *to, const struct sxt_qmat *w, size_t j, size_t k0,
                     size_t n, const struct pairs *pairs)
{
    const uint8_t *q = w->q + (j * w->k + k0) / 2;

    for (size_t i = 0; i < n; i += SXT_NF4_BLOCK) {
        float max =
            (float)sxt_nf4_block_max(w, (j * w->k + k0 + i) / SXT_NF4_BLOCK);
        for (size_t c = 0; c < SXT_NF4_BLOCK; c += 2)
            memcpy(to + i + c, pairs->of[q[(i + c) / 2]], 2 * sizeof(*to));
        for (size_t c = 0; c < SXT_NF4_BLOCK; c += LANES)
            v8_store(to + i + c, v8_load(to + i + c) * max);
    }
}

static void fill_panel(struct work *work, const struct sxt_qmat *w, size_t j0,
                       size_t k0, size_t depth, const struct pairs *pairs)
{
    const char *row[GEMM_PANEL];

    for (size_t j = 0; j < GEMM_PANEL; j++) {
        float *to = work->w + j * GEMM_DEPTH;
        row[j] = (const char *)to;
        if (j0 + j >= w->n)
            row[j] = row[0];
        else if (w->format == SXT_INT8)
            read_int8(to, w, j0 + j, k0, depth);
        else
            read_nf4(to, w, j0 + j, k0, depth, pairs);
    }
    sxt_gemm_pack_rows(work->panel, row, SXT_F32, depth);
}

/* Rows i0 … of g's A by columns j0 … of W^T, into work->acc. */
static void multiply(const struct sxt_cpu *cpu, const struct sxt_gemm *g,
                     const struct sxt_qmat *w, struct work *work, size_t i0,
                     size_t rows, size_t j0, size_t cols,
                     const struct pairs *pairs)
{
    memset(work->acc, 0, rows * COLUMNS * sizeof(*work->acc));
    for (size_t k0 = 0; k0 < w->k; k0 += GEMM_DEPTH) {
        size_t depth = w->k - k0 < GEMM_DEPTH ? w->k - k0 : GEMM_DEPTH;
        sxt_gemm_pack_a(work->a, g, i0, rows, k0, depth);
        for (size_t j = 0; j < cols; j += GEMM_PANEL) {
            fill_panel(work, w, j0 + j, k0, depth, pairs);
            cpu->tile(&(struct sxt_tile){ .acc = work->acc + j,
                                          .ld_acc = COLUMNS,
                                          .a = work->a,
                                          .ld_a = GEMM_DEPTH,
                                          .panel = work->panel,
                                          .columns = GEMM_PANEL,
                                          .rows = rows,
                                          .depth = depth });
        }
    }
}

static void columns(const struct sxt_cpu *cpu, const struct sxt_gemm *g,
                    const struct sxt_qmat *w, struct work *work, size_t j0,
                    const struct pairs *pairs)
{
    size_t cols = w->n - j0 < COLUMNS ? w->n - j0 : COLUMNS;

    for (size_t i0 = 0; i0 < g->m; i0 += GEMM_MAX_ROWS) {
        size_t left = g->m - i0;
        size_t rows = left < GEMM_MAX_ROWS ? left : GEMM_MAX_ROWS;
        multiply(cpu, g, w, work, i0, rows, j0, cols, pairs);
        for (size_t i = 0; i < rows * cols; i++) {
            size_t r = i / cols, j = i % cols;
            float scale = w->format == SXT_INT8 ? w->scale[j0 + j] : 1;
            sxt_store(g->c, g->type, (i0 + r) * w->n + j0 + j,
                      work->acc[r * COLUMNS + j] * scale);
        }
    }
}

void sxt_cpu_qgemm(struct sxt_num *num, size_t m, const void *a,
                   const struct sxt_qmat *w, void *c, enum sxt_dtype type)
{
    struct sxt_gemm g = {
        .m = m, .n = w->n, .k = w->k, .a = a, .c = c, .lda = w->k, .type = type
    };
    struct pairs pairs;

    if (sxt_qgemv_takes(m, w)) {
        sxt_qgemv(num, &g, w);
        return;
    }
    make_pairs(&pairs);
#pragma omp parallel for schedule(dynamic) num_threads(num->threads)
    for (size_t j = 0; j < w->n; j += COLUMNS)
        columns(sxt_cpu_of(num), &g, w,
                sxt_cpu_scratch(num, omp_get_thread_num()), j, &pairs);
}
