/* gemm_tile.c - the inner loop of the matrix product, in registers. */
#include "num/cpu/gemm.h"
#include "num/cpu/vec.h"

/* R rows by 16 columns: 2 R accumulators.  R = 6 leaves room for two vectors
 * of B and one of A among AVX2's 16 registers. */
static inline __attribute__((always_inline)) void tile_v8(
    float *acc, size_t ld_acc, const float *a, const float *panel, size_t depth,
    const int R)
{
    v8f c[6][2];

#pragma GCC unroll 6
    for (int r = 0; r < R; r++) {
        c[r][0] = v8_load(acc + r * ld_acc);
        c[r][1] = v8_load(acc + r * ld_acc + LANES);
    }
    for (size_t k = 0; k < depth; k++) {
        v8f b0 = v8_load(panel + k * GEMM_PANEL);
        v8f b1 = v8_load(panel + k * GEMM_PANEL + LANES);
#pragma GCC unroll 6
        for (int r = 0; r < R; r++) {
            v8f x = v8_set(a[r * GEMM_DEPTH + k]);
            c[r][0] = v8_fma(x, b0, c[r][0]);
            c[r][1] = v8_fma(x, b1, c[r][1]);
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < R; r++) {
        v8_store(acc + r * ld_acc, c[r][0]);
        v8_store(acc + r * ld_acc + LANES, c[r][1]);
    }
}

void sxt_gemm_tile_v8(float *acc, size_t ld_acc, const float *a,
                      const float *panel, size_t rows, size_t depth)
{
    switch (rows) {
    case 6:
        tile_v8(acc, ld_acc, a, panel, depth, 6);
        break;
    case 5:
        tile_v8(acc, ld_acc, a, panel, depth, 5);
        break;
    case 4:
        tile_v8(acc, ld_acc, a, panel, depth, 4);
        break;
    case 3:
        tile_v8(acc, ld_acc, a, panel, depth, 3);
        break;
    case 2:
        tile_v8(acc, ld_acc, a, panel, depth, 2);
        break;
    case 1:
        tile_v8(acc, ld_acc, a, panel, depth, 1);
        break;
    }
}

#ifdef __x86_64__
/* R rows by one vector of 16 columns. */
static inline __attribute__((always_inline, target("avx512f"))) void tile_v16(
    float *acc, size_t ld_acc, const float *a, const float *panel, size_t depth,
    const int R)
{
    __m512 c[12];

#pragma GCC unroll 12
    for (int r = 0; r < R; r++)
        c[r] = _mm512_loadu_ps(acc + r * ld_acc);
    for (size_t k = 0; k < depth; k++) {
        __m512 b = _mm512_loadu_ps(panel + k * GEMM_PANEL);
#pragma GCC unroll 12
        for (int r = 0; r < R; r++)
            c[r] =
                _mm512_fmadd_ps(_mm512_set1_ps(a[r * GEMM_DEPTH + k]), b, c[r]);
    }
#pragma GCC unroll 12
    for (int r = 0; r < R; r++)
        _mm512_storeu_ps(acc + r * ld_acc, c[r]);
}

__attribute__((target("avx512f"))) void sxt_gemm_tile_v16(
    float *acc, size_t ld_acc, const float *a, const float *panel, size_t rows,
    size_t depth)
{
    if (rows == 12) {
        tile_v16(acc, ld_acc, a, panel, depth, 12);
        return;
    }
    for (; rows >= 4; rows -= 4) {
        tile_v16(acc, ld_acc, a, panel, depth, 4);
        acc += 4 * ld_acc;
        a += 4 * GEMM_DEPTH;
    }
    for (; rows > 0; rows--) {
        tile_v16(acc, ld_acc, a, panel, depth, 1);
        acc += ld_acc;
        a += GEMM_DEPTH;
    }
}
#endif
