/* runs_attn.c - attention of packed documents and of a paged cache. */
#include <math.h>
#include <stdio.h>

#include "num/test/runs.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Document lengths end with -1; an empty document is legal. */
static const struct {
    size_t hq, hk, d;
    int32_t docs[6];
} packed[] = {
    { 1, 1, 8, { -1 } },
    { 1, 1, 8, { 1, -1 } },
    { 3, 1, 8, { 1, 0, 5, -1 } },
    { 2, 2, 64, { 32, 7, -1 } },
    { 5, 1, 64, { 31, 33, 1, 1, -1 } },
    { 6, 2, 128, { 0, 65, 15, -1 } },
    { 15, 5, 16, { 9, 70, -1 } },
    { 1, 1, 128, { 130, -1 } },
    { 3, 3, 64, { 257, 1, -1 } },
};

bool run_attn(struct lab *lab, size_t i, enum sxt_dtype type,
              struct outcome *out, char shape[100])
{
    int32_t starts[8] = { 0 };
    struct sxt_attn a = { .type = type };

    if (i >= COUNT(packed))
        return false;
    for (const int32_t *n = packed[i].docs; *n >= 0; n++) {
        starts[a.n_docs + 1] = starts[a.n_docs] + *n;
        a.max_len = (size_t)*n > a.max_len ? (size_t)*n : a.max_len;
        a.n_docs++;
    }
    a.t = (size_t)starts[a.n_docs];
    a.hq = packed[i].hq;
    a.hk = packed[i].hk;
    a.d = packed[i].d;
    a.scale = 1 / sqrtf((float)a.d);
    snprintf(shape, 100, "t %zu in %zu documents, heads %zu/%zu, d %zu", a.t,
             a.n_docs, a.hq, a.hk, a.d);

    size_t n_qkv = a.t * (a.hq + 2 * a.hk) * a.d, n_o = a.t * a.hq * a.d;
    a.cu_seqlens = lab_put_ints(lab, starts, a.n_docs + 1);
    a.qkv = lab_normals(lab, n_qkv, type, 1);
    a.o = lab_zeros(lab, n_o, type);
    a.lse = lab_zeros(lab, a.t * a.hq, SXT_F32);
    a.d_o = lab_normals(lab, n_o, type, 1);
    a.dqkv = lab_normals(lab, n_qkv, type, 1);
    sxt_attn(lab->num, &a);
    sxt_attn_bwd(lab->num, &a);
    outcome_add(out, "o", lab_get(lab, a.o, n_o, type), n_o, false);
    outcome_add(out, "lse", lab_get(lab, a.lse, a.t * a.hq, SXT_F32),
                a.t * a.hq, false);
    outcome_add(out, "dqkv", lab_get(lab, a.dqkv, n_qkv, type), n_qkv, false);
    return true;
}

enum { SEQUENCES = 3 };

static const struct {
    size_t hq, hk, d, block;
    int32_t longest;
    size_t t;
} paged[] = {
    { 1, 1, 8, 16, 20, 0 },    { 1, 1, 8, 16, 1, 1 },
    { 3, 1, 8, 1, 17, 4 },     { 5, 1, 64, 16, 100, 9 },
    { 6, 2, 128, 32, 256, 3 }, { 2, 2, 64, 16, 257, 5 },
    { 15, 3, 64, 16, 700, 8 },
};

/* Every sequence has pages for `longest` positions, scattered. */
bool run_attn_paged(struct lab *lab, size_t i, enum sxt_dtype type,
                    struct outcome *out, char shape[100])
{
    if (i >= COUNT(paged))
        return false;
    struct sxt_attn_paged a = { .t = paged[i].t,
                                .hq = paged[i].hq,
                                .hk = paged[i].hk,
                                .d = paged[i].d,
                                .block = paged[i].block,
                                .type = type };
    a.max_blocks = ((size_t)paged[i].longest - 1) / a.block + 1;
    a.scale = 1 / sqrtf((float)a.d);
    snprintf(shape, 100, "t %zu, positions below %d, heads %zu/%zu, d %zu", a.t,
             paged[i].longest, a.hq, a.hk, a.d);

    size_t blocks = SEQUENCES * a.max_blocks, n_o = a.t * a.hq * a.d;
    size_t cached = blocks * a.block * a.hk * a.d;
    uint64_t *order = lab_host(lab, blocks, sizeof(*order));
    int32_t *table = lab_host(lab, blocks, sizeof(*table));
    sxt_rng_permutation(lab->rng, order, blocks);
    for (size_t b = 0; b < blocks; b++)
        table[b] = (int32_t)order[b];
    a.block_table = lab_put_ints(lab, table, blocks);
    a.qkv = lab_normals(lab, a.t * (a.hq + 2 * a.hk) * a.d, type, 1);
    a.k_cache = lab_normals(lab, cached, type, 1);
    a.v_cache = lab_normals(lab, cached, type, 1);
    a.seq = lab_ints(lab, a.t, 0, SEQUENCES);
    a.pos = lab_ints(lab, a.t, paged[i].longest / 2, paged[i].longest);
    a.o = lab_zeros(lab, n_o, type);
    sxt_attn_paged(lab->num, &a);
    outcome_add(out, "o", lab_get(lab, a.o, n_o, type), n_o, false);
    return true;
}
