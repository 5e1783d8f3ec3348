/* mma.h - emulated tensor cores, matrix loads and asynchronous copies; mma.cuh
 * says what they do.
 *
 * The products of a tile are summed in f64 and rounded once: nearer to the
 * truth than a GPU, whose order of sums nobody documents. */
#ifndef SXT_EMU_MMA_H
#define SXT_EMU_MMA_H

#include <stdint.h>
#include <string.h>

#include "cuda/emu/fibre.h"

struct sxt_emu_mma {
    const uint32_t *a, *b;
    float *c;
};

static inline float sxt_emu_half(uint32_t two, int upper)
{
    uint32_t bits = upper ? two & 0xffff0000u : two << 16;
    float x;

    memcpy(&x, &bits, 4);
    return x;
}

static inline void sxt_emu_mma_all(void *const data[32], unsigned)
{
    float a[16][16], b[16][8];

    for (int lane = 0; lane < 32; lane++) {
        const sxt_emu_mma *m = static_cast<sxt_emu_mma *>(data[lane]);
        int g = lane / 4, t = lane % 4;
        for (int i = 0; i < 4; i++)
            for (int u = 0; u < 2; u++)
                a[g + i % 2 * 8][2 * t + i / 2 * 8 + u] =
                    sxt_emu_half(m->a[i], u);
        for (int i = 0; i < 2; i++)
            for (int u = 0; u < 2; u++)
                b[2 * t + i * 8 + u][g] = sxt_emu_half(m->b[i], u);
    }
    for (int lane = 0; lane < 32; lane++) {
        const sxt_emu_mma *m = static_cast<sxt_emu_mma *>(data[lane]);
        for (int i = 0; i < 4; i++) {
            int row = lane / 4 + i / 2 * 8, col = lane % 4 * 2 + i % 2;
            double sum = m->c[i];
            for (int k = 0; k < 16; k++)
                sum += (double)a[row][k] * b[k][col];
            m->c[i] = (float)sum;
        }
    }
}

static inline void sxt_mma_bf16(float c[4], const uint32_t a[4],
                                const uint32_t b[2])
{
    sxt_emu_mma m = { a, b, c };

    if (sxt_emu_lanes() != 0xffffffffu)
        sxt_emu_fail("sxt_mma_bf16 in a warp of less than 32 threads");
    sxt_emu_warp(0xffffffffu, sxt_emu_mma_all, &m, "sxt_mma_bf16");
}

struct sxt_emu_ldmatrix {
    const void *row;
    uint32_t *r;
    int n;
    bool trans;
};

static inline void sxt_emu_ldmatrix_all(void *const data[32], unsigned)
{
    for (int lane = 0; lane < 32; lane++) {
        const sxt_emu_ldmatrix *l = static_cast<sxt_emu_ldmatrix *>(data[lane]);
        int g = lane / 4, t = lane % 4;
        for (int m = 0; m < l->n; m++) {
            uint16_t two[2];
            for (int u = 0; u < 2; u++) {
                int row = l->trans ? 2 * t + u : g;
                int col = l->trans ? g : 2 * t + u;
                const void *from =
                    static_cast<sxt_emu_ldmatrix *>(data[8 * m + row])->row;
                memcpy(&two[u], static_cast<const char *>(from) + 2 * col, 2);
            }
            l->r[m] = two[0] | (uint32_t)two[1] << 16;
        }
    }
}

static inline void sxt_emu_ldmatrix_do(uint32_t *r, const void *row, int n,
                                       bool trans)
{
    sxt_emu_ldmatrix l = { row, r, n, trans };

    if (sxt_emu_lanes() != 0xffffffffu)
        sxt_emu_fail("ldmatrix in a warp of less than 32 threads");
    if ((int)sxt_emu_lane() < 8 * n && (uintptr_t)row % 16 != 0)
        sxt_emu_fail("ldmatrix: a row that is not 16-byte aligned");
    sxt_emu_warp(0xffffffffu, sxt_emu_ldmatrix_all, &l, "ldmatrix");
}

static inline void sxt_ldmatrix_x4(uint32_t r[4], const void *row)
{
    sxt_emu_ldmatrix_do(r, row, 4, false);
}
static inline void sxt_ldmatrix_x4_trans(uint32_t r[4], const void *row)
{
    sxt_emu_ldmatrix_do(r, row, 4, true);
}
static inline void sxt_ldmatrix_x2(uint32_t r[2], const void *row)
{
    sxt_emu_ldmatrix_do(r, row, 2, false);
}
static inline void sxt_ldmatrix_x2_trans(uint32_t r[2], const void *row)
{
    sxt_emu_ldmatrix_do(r, row, 2, true);
}

static inline void sxt_copy_async(void *shared, const void *global, bool inside)
{
    if ((uintptr_t)shared % 16 != 0 || (inside && (uintptr_t)global % 16 != 0))
        sxt_emu_fail("sxt_copy_async: an address that is not 16-byte aligned");
    sxt_emu_copy_later(shared, global, 16, inside ? 16 : 0);
}
static inline void sxt_copy_commit(void)
{
    sxt_emu_copy_commit();
}
template <int N> static inline void sxt_copy_wait(void)
{
    sxt_emu_copy_wait(N);
}

#endif
