/* runs_attn.c - attention of packed documents and of a paged cache. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "num/test/runs.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Document lengths end with -1; an empty document is legal.  Lengths on both
 * sides of tiles of 32, 64 and 128 rows, alone and for a group of heads. */
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
    { 7, 1, 128, { 1, 18, 19, 0, -1 } },
    { 8, 1, 64, { 16, 17, 0, 48, -1 } },
    { 14, 2, 64, { 0, 0, 37, 1, 1, -1 } },
    { 2, 1, 128, { 63, 64, 33, -1 } },
    { 1, 1, 64, { 127, 129, 128, -1 } },
    { 33, 1, 64, { 5, 2, -1 } },
    { 130, 1, 64, { 3, -1 } },
    { 2, 1, 80, { 35, -1 } },
    { 2, 1, 256, { 7, 33, -1 } },
};

static bool packed_case(struct lab *lab, size_t i, struct sxt_attn *a,
                        char shape[100])
{
    int32_t starts[8] = { 0 };

    if (i >= COUNT(packed))
        return false;
    for (const int32_t *n = packed[i].docs; *n >= 0; n++) {
        starts[a->n_docs + 1] = starts[a->n_docs] + *n;
        a->max_len = (size_t)*n > a->max_len ? (size_t)*n : a->max_len;
        a->n_docs++;
    }
    a->t = (size_t)starts[a->n_docs];
    a->hq = packed[i].hq;
    a->hk = packed[i].hk;
    a->d = packed[i].d;
    a->scale = 1 / sqrtf((float)a->d);
    snprintf(shape, 100, "t %zu in %zu documents, heads %zu/%zu, d %zu", a->t,
             a->n_docs, a->hq, a->hk, a->d);

    a->cu_seqlens = lab_put_ints(lab, starts, a->n_docs + 1);
    a->qkv = lab_normals(lab, a->t * (a->hq + 2 * a->hk) * a->d, a->type, 1);
    return true;
}

bool run_attn(struct lab *lab, size_t i, enum sxt_dtype type,
              struct outcome *out, char shape[100])
{
    struct sxt_attn a = { .type = type };

    if (!packed_case(lab, i, &a, shape))
        return false;
    size_t rows = a.t * a.hq, n_o = rows * a.d;
    a.o = lab_zeros(lab, n_o, type);
    a.lse = lab_zeros(lab, rows, SXT_F32);
    sxt_attn(lab->num, &a);
    outcome_add(out, "o", lab_get(lab, a.o, n_o, type), n_o, false);
    outcome_add(out, "lse", lab_get(lab, a.lse, rows, SXT_F32), rows, false);

    a.lse = NULL;
    a.o = lab_zeros(lab, n_o, type);
    sxt_attn(lab->num, &a);
    outcome_add(out, "o without lse", lab_get(lab, a.o, n_o, type), n_o, false);
    return true;
}

/* o and lse are the same for every backend, and not those of qkv: a backend's
 * own would carry its rounding of o into the differences. */
bool run_attn_bwd(struct lab *lab, size_t i, enum sxt_dtype type,
                  struct outcome *out, char shape[100])
{
    struct sxt_attn a = { .type = type };

    if (!packed_case(lab, i, &a, shape))
        return false;
    size_t n_qkv = a.t * (a.hq + 2 * a.hk) * a.d, n_o = a.t * a.hq * a.d;
    a.o = lab_normals(lab, n_o, type, 1);
    a.lse = lab_normals(lab, a.t * a.hq, SXT_F32, 1);
    a.d_o = lab_normals(lab, n_o, type, 1);
    a.dqkv = lab_zeros(lab, n_qkv, type);
    sxt_dev_copy(lab->dev, a.dqkv, a.qkv, n_qkv * sxt_dtype_size(type));
    sxt_attn_bwd(lab->num, &a);
    outcome_add(out, "dqkv", lab_get(lab, a.dqkv, n_qkv, type), n_qkv, false);
    return true;
}

enum { SEQUENCES = 3 };

/* `chunk` tokens at consecutive positions of one sequence, the last ones below
 * `longest`; then tokens anywhere. */
static const struct {
    size_t hq, hk, d, block;
    int32_t longest, chunk;
    size_t t;
} paged[] = {
    { 1, 1, 8, 16, 20, 0, 0 },    { 1, 1, 8, 16, 1, 0, 1 },
    { 3, 1, 8, 1, 17, 3, 4 },     { 5, 1, 64, 16, 100, 0, 9 },
    { 6, 2, 128, 32, 256, 0, 3 }, { 2, 2, 64, 16, 257, 3, 5 },
    { 15, 3, 64, 16, 520, 2, 8 }, { 7, 1, 128, 8, 300, 10, 11 },
    { 8, 1, 64, 1, 65, 17, 20 },  { 1, 1, 64, 32, 1050, 0, 1 },
    { 14, 2, 128, 8, 130, 0, 2 }, { 65, 1, 64, 16, 40, 2, 2 },
    { 2, 1, 160, 5, 260, 0, 2 },  { 1, 1, 64, 8, 140, 140, 141 },
};

/* Pages for `longest` positions of every sequence, scattered; entries behind
 * them are no pages. */
static int32_t *scatter_pages(struct lab *lab, size_t used, size_t max_blocks)
{
    size_t blocks = SEQUENCES * used;
    uint64_t *order = lab_host(lab, blocks, sizeof(*order));
    int32_t *table = lab_host(lab, SEQUENCES * max_blocks, sizeof(*table));

    sxt_rng_permutation(lab->rng, order, blocks);
    for (size_t i = 0; i < SEQUENCES * max_blocks; i++) {
        size_t s = i / max_blocks, b = i % max_blocks;
        table[i] = b < used ? (int32_t)order[s * used + b] : INT32_MAX;
    }
    return table;
}

/* Normal numbers in the positions below `longest`, NaN behind. */
static void *fill_cache(struct lab *lab, const struct sxt_attn_paged *a,
                        const int32_t *table, size_t longest)
{
    size_t used = (longest - 1) / a->block + 1, row = a->hk * a->d;
    void *cache =
        lab_normals(lab, SEQUENCES * used * a->block * row, a->type, 1);
    size_t bytes = row * sxt_dtype_size(a->type);
    char *nan = lab_host(lab, a->block, bytes);

    memset(nan, 0xff, a->block * bytes);
    for (size_t s = 0; s < SEQUENCES; s++) {
        size_t page = (size_t)table[s * a->max_blocks + used - 1];
        size_t left = used * a->block - longest;
        sxt_dev_put(lab->dev,
                    (char *)cache + ((page + 1) * a->block - left) * bytes, nan,
                    left * bytes);
    }
    return cache;
}

static void place_tokens(struct lab *lab, size_t i, int32_t *seq, int32_t *pos)
{
    int32_t longest = paged[i].longest, chunk = paged[i].chunk;

    for (int32_t t = 0; t < (int32_t)paged[i].t; t++) {
        int32_t far = longest - longest / 2; /* from the middle on */
        uint64_t x = sxt_rng_u64(lab->rng, lab->drawn++);
        bool in = t < chunk;
        seq[t] = in ? 1 : (int32_t)(x % SEQUENCES);
        pos[t] = in ? longest - chunk + t
                    : longest / 2 + (int32_t)(x / SEQUENCES % (uint64_t)far);
    }
}

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
    size_t longest = (size_t)paged[i].longest, n_o = a.t * a.hq * a.d;
    size_t used = (longest - 1) / a.block + 1;
    int32_t *seq = lab_host(lab, a.t, sizeof(*seq));
    int32_t *pos = lab_host(lab, a.t, sizeof(*pos));
    a.max_blocks = used + 1;
    a.scale = 1 / sqrtf((float)a.d);
    snprintf(shape, 100, "t %zu, positions below %zu, heads %zu/%zu, d %zu",
             a.t, longest, a.hq, a.hk, a.d);

    int32_t *table = scatter_pages(lab, used, a.max_blocks);
    place_tokens(lab, i, seq, pos);
    a.block_table = lab_put_ints(lab, table, SEQUENCES * a.max_blocks);
    a.seq = lab_put_ints(lab, seq, a.t);
    a.pos = lab_put_ints(lab, pos, a.t);
    a.qkv = lab_normals(lab, a.t * (a.hq + 2 * a.hk) * a.d, type, 1);
    a.k_cache = fill_cache(lab, &a, table, longest);
    a.v_cache = fill_cache(lab, &a, table, longest);
    a.o = lab_zeros(lab, n_o, type);
    sxt_attn_paged(lab->num, &a);
    outcome_add(out, "o", lab_get(lab, a.o, n_o, type), n_o, false);
    return true;
}
