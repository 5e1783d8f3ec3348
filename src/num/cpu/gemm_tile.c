/* gemm_tile.c - the inner loop of the matrix product, in registers. */
#include "num/cpu/gemm.h"
#include "num/cpu/vec.h"

enum { LINE = 16 }; /* k between requests to memory: a cache line of f32 */

/* Where to ask next: never for a tile of operands that are in cache. */
static inline size_t line_end(const struct sxt_tile *t, size_t k)
{
    return t->from && k + LINE < t->depth ? k + LINE : t->depth;
}

/* While R rows are in work, memory is asked for the next R: evenly, as a
 * processor follows some two dozen lines at once and stops at more. */
static inline __attribute__((always_inline)) void ask(const struct sxt_tile *t,
                                                      size_t k, const int R)
{
    const char *next = t->from + k * t->from_size;

#pragma GCC unroll 12
    for (int r = 0; r < R; r++)
        __builtin_prefetch(next + (R + r) * t->from_row, 0, 3);
}

/* R rows by V vectors of 8 columns.  R = 6 leaves room for two vectors of the
 * panel and one of A among AVX2's 16 registers. */
static inline __attribute__((always_inline)) void tile_v8(
    const struct sxt_tile *t, const int R, const int V)
{
    const float *a = t->a, *panel = t->panel;
    size_t ld_a = t->ld_a, depth = t->depth;
    v8f c[6][2];

#pragma GCC unroll 6
    for (int r = 0; r < R; r++)
#pragma GCC unroll 2
        for (int v = 0; v < V; v++)
            c[r][v] = v8_load(t->acc + r * t->ld_acc + v * LANES);
    for (size_t k = 0, end; k < depth; k = end) {
        end = line_end(t, k);
        if (t->from)
            ask(t, k, R);
        for (size_t i = k; i < end; i++) {
            v8f b[2];
#pragma GCC unroll 2
            for (int v = 0; v < V; v++)
                b[v] = v8_load(panel + i * GEMM_PANEL + v * LANES);
#pragma GCC unroll 6
            for (int r = 0; r < R; r++) {
                v8f x = v8_set(a[r * ld_a + i]);
#pragma GCC unroll 2
                for (int v = 0; v < V; v++)
                    c[r][v] = v8_fma(x, b[v], c[r][v]);
            }
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < R; r++)
#pragma GCC unroll 2
        for (int v = 0; v < V; v++)
            v8_store(t->acc + r * t->ld_acc + v * LANES, c[r][v]);
}

/* Some 1 to 6 rows. */
static inline __attribute__((always_inline)) void some_v8(
    const struct sxt_tile *t, size_t rows, const int V)
{
    switch (rows) {
    case 6:
        tile_v8(t, 6, V);
        break;
    case 5:
        tile_v8(t, 5, V);
        break;
    case 4:
        tile_v8(t, 4, V);
        break;
    case 3:
        tile_v8(t, 3, V);
        break;
    case 2:
        tile_v8(t, 2, V);
        break;
    case 1:
        tile_v8(t, 1, V);
        break;
    }
}

void sxt_gemm_tile_v8(const struct sxt_tile *tile)
{
    struct sxt_tile t = *tile;

    for (; t.rows > 0; sxt_tile_advance(&t, GEMM_TILE_V8)) {
        size_t rows = t.rows < GEMM_TILE_V8 ? t.rows : GEMM_TILE_V8;
        if (t.columns > LANES)
            some_v8(&t, rows, 2);
        else
            some_v8(&t, rows, 1);
    }
}

#ifdef __x86_64__
/* R rows by one vector of 16 columns; of twelve addresses three are kept. */
static inline __attribute__((always_inline, target("avx512f"))) void tile_v16(
    const struct sxt_tile *t, const int R)
{
    size_t ld_a = t->ld_a, depth = t->depth;
    const float *a[3] = { t->a, t->a + 4 * ld_a, t->a + 8 * ld_a };
    const float *panel = t->panel;
    __m512 c[12];

#pragma GCC unroll 12
    for (int r = 0; r < R; r++)
        c[r] = _mm512_loadu_ps(t->acc + r * t->ld_acc);
    for (size_t k = 0, end; k < depth; k = end) {
        end = line_end(t, k);
        if (t->from)
            ask(t, k, R);
        for (size_t i = k; i < end; i++) {
            __m512 b = _mm512_loadu_ps(panel + i * GEMM_PANEL);
#pragma GCC unroll 12
            for (int r = 0; r < R; r++)
                c[r] = _mm512_fmadd_ps(
                    _mm512_set1_ps(a[r / 4][r % 4 * ld_a + i]), b, c[r]);
        }
    }
#pragma GCC unroll 12
    for (int r = 0; r < R; r++)
        _mm512_storeu_ps(t->acc + r * t->ld_acc, c[r]);
}

__attribute__((target("avx512f"))) void sxt_gemm_tile_v16(
    const struct sxt_tile *tile)
{
    struct sxt_tile t = *tile;

    for (; t.rows >= 12; sxt_tile_advance(&t, 12))
        tile_v16(&t, 12);
    for (; t.rows >= 4; sxt_tile_advance(&t, 4))
        tile_v16(&t, 4);
    for (; t.rows > 0; sxt_tile_advance(&t, 1))
        tile_v16(&t, 1);
}
#endif
