/* qgemv.c - a few rows by weights in 8 or 4 bits, which stream from memory.
 *
 * As in gemv.c, eight rows of W are the lanes of a vector and 16 bytes of each
 * are read at a time.  A weight is unpacked once for all rows of A.  The sums
 * are those of qgemm.c. */
#include <omp.h>

#include "num/cpu/gemm.h"
#include "num/cpu/unpack.h"

/* MOST groups of 8 columns side by side hide the time of an addition. */
enum { FEW = 4, MOST = 4, CHUNK = 64 };
/* k at a time: an NF4 block, in quads. */
enum { BLOCK = SXT_NF4_BLOCK, QUADS = BLOCK / 4 };

/* What a thread works on: m rows of A (k), n columns of C from j0 on. */
struct job {
    const struct sxt_gemm *g;
    const struct sxt_qmat *w;
    const struct unpack_nf4 *nf4;
    float *a, *max; /* (m, k); of column j0's first block and all that follow */
    size_t j0, n;
    const char *row[MOST * LANES]; /* those behind the last are copies */
};

struct sums {
    v8f of[FEW][MOST];
};
static const struct sums zeros;

static size_t work_floats(size_t m, const struct sxt_qmat *w)
{
    return m * w->k + MOST * LANES * (w->k / BLOCK);
}

bool sxt_qgemv_takes(size_t m, const struct sxt_qmat *w)
{
    return m <= FEW && work_floats(m, w) * sizeof(float) <= SXT_CPU_SCRATCH;
}

/* Groups that m rows leave registers for. */
static inline int groups(size_t m)
{
    return m > 2 ? 2 : MOST;
}

static inline __attribute__((always_inline)) void copy_sums(
    struct sums *to, const struct sums *from, const int m, const int G)
{
#pragma GCC unroll 4
    for (int r = 0; r < m; r++)
#pragma GCC unroll 4
        for (int g = 0; g < G; g++)
            to->of[r][g] = from->of[r][g];
}

/* n quads of each group, by those of A from column k on.  Meanwhile the next
 * rows of W are asked for in the order of memory, evenly. */
static inline __attribute__((always_inline)) void add(
    struct sums *acc, const struct job *j, const int m, const int G,
    const v8u quad[MOST][QUADS], int n, size_t k, const enum unpack how)
{
    const size_t per_byte = how == UNPACK_INT8 ? 1 : 2;
    const size_t width = (size_t)G * LANES, bytes = width * 4 / per_byte;
    const char *next = j->row[0] + width * ((j->w->k + k) / per_byte);
    const float *a = j->a + k;
    struct sums sum; /* registers */

    copy_sums(&sum, acc, m, G);
#pragma GCC unroll 1
    for (int q = 0; q < n; q++, a += 4, next += bytes) {
#pragma GCC unroll 2
        for (size_t line = 0; line < bytes; line += 64)
            __builtin_prefetch(next + line, 0, 2);
#pragma GCC unroll 4
        for (int g = 0; g < G; g++) {
            v8f w[4];
            unpack_quad(w, quad[g][q], j->nf4, how);
#pragma GCC unroll 4
            for (int r = 0; r < m; r++)
#pragma GCC unroll 4
                for (int c = 0; c < 4; c++)
                    sum.of[r][g] =
                        v8_fma(v8_set(a[(size_t)r * j->w->k + (size_t)c]), w[c],
                               sum.of[r][g]);
        }
    }
    copy_sums(acc, &sum, m, G);
}

/* The last columns of W in 8 bits, fewer than UNPACK_STEP. */
static void add_rest(struct sums *acc, const struct job *j, size_t k)
{
    for (; k < j->w->k; k++)
        for (size_t r = 0; r < j->g->m; r++)
            for (size_t c = 0; c < j->n; c++) {
                float *sum = (float *)&acc->of[r][c / LANES] + c % LANES;
                float w = (float)((const int8_t *)j->row[c])[k];
                *sum = fmaf(j->a[r * j->w->k + k], w / UNPACK_INT8_UNIT, *sum);
            }
}

/* acc += max times the sums of an NF4 block.  Lanes behind the last column
 * have any maximum: nobody reads them. */
static inline __attribute__((always_inline)) void add_block(
    struct sums *acc, const struct sums *sum, const struct job *j, const int m,
    const int G, size_t block)
{
    size_t blocks = j->w->k / BLOCK;

#pragma GCC unroll 4
    for (int g = 0; g < G; g++) {
        const float *from = j->max + (size_t)g * LANES * blocks + block;
        v8f max = { from[0],          from[blocks],     from[2 * blocks],
                    from[3 * blocks], from[4 * blocks], from[5 * blocks],
                    from[6 * blocks], from[7 * blocks] };
#pragma GCC unroll 4
        for (int r = 0; r < m; r++)
            acc->of[r][g] = v8_fma(max, sum->of[r][g], acc->of[r][g]);
    }
}

static inline __attribute__((always_inline)) void rows(struct sums *acc,
                                                       const struct job *j,
                                                       const int m, const int G,
                                                       const enum unpack how)
{
    size_t per_byte = how == UNPACK_INT8 ? 1 : 2, step = UNPACK_STEP * per_byte;
    size_t k = 0;

    while (k + step <= j->w->k) {
        v8u quad[MOST][QUADS];
        struct sums sum;
        size_t first = k;
        int n = 0;
        for (int more; n < QUADS && k + step <= j->w->k; n += more, k += step)
#pragma GCC unroll 4
            for (int g = 0; g < G; g++)
                more = unpack_quads(&quad[g][n], j->row + g * LANES,
                                    k / per_byte, how);
        if (how == UNPACK_INT8) {
            add(acc, j, m, G, quad, n, first, how);
        } else {
            copy_sums(&sum, &zeros, m, G);
            add(&sum, j, m, G, quad, n, first, how);
            add_block(acc, &sum, j, m, G, first / BLOCK);
        }
    }
    if (how == UNPACK_INT8)
        add_rest(acc, j, k);
}

/* Every case is compiled apart. */
static inline __attribute__((always_inline)) void choose_rows(
    struct sums *acc, const struct job *j, const enum unpack how)
{
    switch (j->g->m) {
    case 1:
        rows(acc, j, 1, groups(1), how);
        break;
    case 2:
        rows(acc, j, 2, groups(2), how);
        break;
    case 3:
        rows(acc, j, 3, groups(3), how);
        break;
    default:
        rows(acc, j, FEW, groups(FEW), how);
    }
}

static void columns(struct job *j, enum unpack how)
{
    const struct sxt_qmat *w = j->w;
    size_t bytes = how == UNPACK_INT8 ? w->k : w->k / 2, blocks = w->k / BLOCK;
    struct sums acc = { 0 };

    for (size_t i = 0; i < MOST * LANES; i++)
        j->row[i] =
            (const char *)w->q + (j->j0 + (i < j->n ? i : j->n - 1)) * bytes;
    if (how == UNPACK_INT8) {
        choose_rows(&acc, j, UNPACK_INT8);
    } else {
        unpack_maxima(j->max, w, j->j0 * blocks, j->n * blocks, j->nf4->unit);
        if (how == UNPACK_NF4)
            choose_rows(&acc, j, UNPACK_NF4);
        else
            choose_rows(&acc, j, UNPACK_NF4_EXACT);
    }
    for (size_t r = 0; r < j->g->m; r++)
        for (size_t i = 0; i < j->n; i++) {
            float x = acc.of[r][i / LANES][i % LANES];
            if (how == UNPACK_INT8)
                x = x * UNPACK_INT8_UNIT * w->scale[j->j0 + i];
            sxt_store(j->g->c, j->g->type, r * w->n + j->j0 + i, x);
        }
}

void sxt_qgemv(struct sxt_num *num, const struct sxt_gemm *g,
               const struct sxt_qmat *w, const struct unpack_nf4 *nf4)
{
    size_t width = (size_t)groups(g->m) * LANES;

#pragma omp parallel num_threads(num->threads)
    {
        float *a = sxt_cpu_scratch(num, omp_get_thread_num());
        struct job j = {
            .g = g, .w = w, .nf4 = nf4, .a = a, .max = a + g->m * w->k
        };
        sxt_to_f32(a, g->a, g->type, g->m * w->k);
#pragma omp for schedule(dynamic)
        for (size_t j0 = 0; j0 < w->n; j0 += CHUNK)
            for (j.j0 = j0; j.j0 < j0 + CHUNK && j.j0 < w->n; j.j0 += width) {
                j.n = w->n - j.j0 < width ? w->n - j.j0 : width;
                columns(&j, unpack_how(w, g->type));
            }
    }
}
