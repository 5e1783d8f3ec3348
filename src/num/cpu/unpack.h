/* unpack.h - quantised weights become vectors: a lane is a row of W, so that
 * neighbours along k follow each other, as one chain of sums needs them.
 *
 * Weights come scaled, and sums are scaled back: an int8 q as q 2^24, which
 * takes one instruction less; an NF4 code exactly for f32, and for bf16 as
 * code * 32767, rounded, times 2^16: off by 2^-16 of the block's maximum, where
 * the result keeps 2^-9. */
#ifndef SXT_NUM_CPU_UNPACK_H
#define SXT_NUM_CPU_UNPACK_H

#include <math.h>

#include "num/cpu/vec.h"
#include "num/ref/nf4.h"

enum { UNPACK_STEP = 16 }; /* bytes of each row at a time */
#define UNPACK_INT8_UNIT 0x1p-24f
/* Quads, four weights of each lane, in UNPACK_STEP bytes. */
enum { UNPACK_INT8_QUADS = 4, UNPACK_NF4_QUADS = 8 };

enum unpack { UNPACK_INT8, UNPACK_NF4, UNPACK_NF4_EXACT };

struct unpack_nf4 {
    float code[16], unit; /* as they come; what to multiply sums by */
    uint8_t plane[4][16]; /* bytes of what is looked up, the lowest first */
};

static inline enum unpack unpack_how(const struct sxt_qmat *w,
                                     enum sxt_dtype type)
{
    if (w->format == SXT_INT8)
        return UNPACK_INT8;
    return type == SXT_F32 ? UNPACK_NF4_EXACT : UNPACK_NF4;
}

static inline void unpack_nf4_init(struct unpack_nf4 *t, enum unpack how)
{
    bool exact = how == UNPACK_NF4_EXACT;

    t->unit = exact ? 1 : 1 / (32767 * 65536.0f);
    for (int i = 0; i < 16; i++) {
        int32_t bits = (int32_t)lrintf(sxt_nf4_code[i] * 32767) * 65536;
        t->code[i] = exact ? sxt_nf4_code[i] : (float)bits;
        if (exact)
            memcpy(&bits, &t->code[i], sizeof(bits));
        for (int p = 0; p < 4; p++)
            t->plane[p][i] = (uint8_t)((uint32_t)bits >> 8 * p);
    }
}

/* The 4 bytes of each lane. */
static inline __attribute__((always_inline)) void unpack_int8(v8f w[4],
                                                              v8u quad)
{
#pragma GCC unroll 4
    for (int b = 0; b < 4; b++)
        w[b] = __builtin_convertvector(
            (v8i)(quad << (24 - 8 * b) & 0xff000000u), v8f);
}

#ifdef __AVX2__
static inline __m256i unpack_table(const uint8_t plane[16])
{
    __m128i x;

    memcpy(&x, plane, sizeof(x));
    return _mm256_broadcastsi128_si256(x);
}

/* Two bytes of each of the codes that 32 bytes name: in 32 bits, those of two
 * neighbours along k. */
static inline __attribute__((always_inline)) void unpack_halves(
    v8u half[2], const uint8_t *low_plane, const uint8_t *high_plane, v8u index)
{
    __m256i low = _mm256_shuffle_epi8(unpack_table(low_plane), (__m256i)index);
    __m256i high =
        _mm256_shuffle_epi8(unpack_table(high_plane), (__m256i)index);

    half[0] = (v8u)_mm256_unpacklo_epi8(low, high);
    half[1] = (v8u)_mm256_unpackhi_epi8(low, high);
}

/* Bytes are looked up, for a shuffle of 32 bytes is fast on every processor,
 * one of words across lanes is not. */
static inline __attribute__((always_inline)) void unpack_nf4(
    v8f w[4], v8u quad, const struct unpack_nf4 *t, const bool exact)
{
    v8u high[2], low[2] = { 0 };

    unpack_halves(high, t->plane[2], t->plane[3], quad);
    if (exact)
        unpack_halves(low, t->plane[0], t->plane[1], quad);
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
        v8u even = high[i] << 16, odd = high[i] & 0xffff0000u;
        if (exact) {
            w[2 * i] = (v8f)(even | (low[i] & 0xffffu));
            w[2 * i + 1] = (v8f)(odd | low[i] >> 16);
        } else {
            w[2 * i] = __builtin_convertvector((v8i)even, v8f);
            w[2 * i + 1] = __builtin_convertvector((v8i)odd, v8f);
        }
    }
}

/* The two quads of a word of each lane: a code a byte, in the order that
 * unpack_halves turns into lanes. */
static inline __attribute__((always_inline)) void unpack_nf4_quads(v8u quad[2],
                                                                   v8u word)
{
    const __m256i turn = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    v8u bytes = (v8u)_mm256_shuffle_epi8((__m256i)word, turn);
    __m256i even = (__m256i)(bytes & 0x0f0f0f0fu);
    __m256i odd = (__m256i)(bytes >> 4 & 0x0f0f0f0fu);

    quad[0] = (v8u)_mm256_unpacklo_epi8(even, odd);
    quad[1] = (v8u)_mm256_unpackhi_epi8(even, odd);
}
#else
static inline void unpack_nf4(v8f w[4], v8u quad, const struct unpack_nf4 *t,
                              bool exact)
{
    (void)exact;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < LANES; j++)
            w[i][j] = t->code[quad[j] >> 4 * i & 15];
}

static inline void unpack_nf4_quads(v8u quad[2], v8u word)
{
    quad[0] = word;
    quad[1] = word >> 16;
}
#endif

/* The quads of UNPACK_STEP bytes of each lane; returns how many. */
static inline __attribute__((always_inline)) int unpack_quads(
    v8u *quad, const char *const row[LANES], size_t byte, const enum unpack how)
{
    v8u word[4];

    if (how == UNPACK_INT8) {
        v8_gather4(quad, row, byte);
        return UNPACK_INT8_QUADS;
    }
    v8_gather4(word, row, byte);
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++)
        unpack_nf4_quads(quad + 2 * c, word[c]);
    return UNPACK_NF4_QUADS;
}

/* A quad's weights. */
static inline __attribute__((always_inline)) void unpack_quad(
    v8f w[4], v8u quad, const struct unpack_nf4 *t, const enum unpack how)
{
    if (how == UNPACK_INT8)
        unpack_int8(w, quad);
    else
        unpack_nf4(w, quad, t, how == UNPACK_NF4_EXACT);
}

/* Maxima of n blocks from flat block b on, times the unit. */
static inline void unpack_maxima(float *to, const struct sxt_qmat *w, size_t b,
                                 size_t n, float unit)
{
    for (size_t i = 0, end; i < n; i = end) {
        size_t group = (b + i) / SXT_NF4_GROUP;
        float scale = w->group_scale[group];
        end = (group + 1) * SXT_NF4_GROUP - b;
        end = end < n ? end : n;
#pragma omp simd
        for (size_t c = i; c < end; c++)
            to[c] = (w->offset + scale * (int8_t)w->block_scale[b + c]) * unit;
    }
}

#endif
