/* attn.c - what generation and packing rely on: documents and rows do not see
 * each other, pages may lie anywhere, a paged prompt is a packed one. */
#include <math.h>
#include <stdlib.h>

#include "base/test/tap.h"
#include "num/test/lab.h"

enum { HQ = 6, HK = 2, D = 16, WIDTH = (HQ + 2 * HK) * D, OUT = HQ * D };
enum { T_A = 33, T_B = 40, T = T_A + T_B };

static const char *backend;

static bool same(const double *a, const double *b, size_t n)
{
    return memcmp(a, b, n * sizeof(*a)) == 0;
}

/* Forward and backward of packed documents; x and dy on the host. */
struct packed {
    const double *o, *lse, *dqkv;
};

static struct packed attend(struct lab *lab, const double *x, const double *dy,
                            const int32_t *starts, size_t n_docs,
                            enum sxt_dtype type)
{
    size_t t = (size_t)starts[n_docs];
    struct sxt_attn a = { .t = t,
                          .n_docs = n_docs,
                          .max_len = t,
                          .hq = HQ,
                          .hk = HK,
                          .d = D,
                          .scale = 0.25f,
                          .type = type };

    a.qkv = lab_put(lab, x, t * WIDTH, type);
    a.o = lab_zeros(lab, t * OUT, type);
    a.lse = lab_zeros(lab, t * HQ, SXT_F32);
    a.cu_seqlens = lab_put_ints(lab, starts, n_docs + 1);
    a.d_o = lab_put(lab, dy, t * OUT, type);
    a.dqkv = lab_zeros(lab, t * WIDTH, type);
    sxt_attn(lab->num, &a);
    sxt_attn_bwd(lab->num, &a);
    return (struct packed){ lab_get(lab, a.o, t * OUT, type),
                            lab_get(lab, a.lse, t * HQ, SXT_F32),
                            lab_get(lab, a.dqkv, t * WIDTH, type) };
}

static void test_documents(struct lab *lab, enum sxt_dtype type)
{
    static const int32_t both[] = { 0, T_A, T_A, T }, a[] = { 0, T_A },
                         b[] = { 0, T_B };
    const char *name = type == SXT_F32 ? "f32" : "bf16";

    lab_clean(lab, 1);
    double *x =
        lab_get(lab, lab_normals(lab, T * WIDTH, type, 1), T * WIDTH, type);
    double *dy =
        lab_get(lab, lab_normals(lab, T * OUT, type, 1), T * OUT, type);
    struct packed p = attend(lab, x, dy, both, 3, type);
    struct packed pa = attend(lab, x, dy, a, 1, type);
    struct packed pb = attend(lab, x + T_A * WIDTH, dy + T_A * OUT, b, 1, type);
    ok(same(p.o, pa.o, T_A * OUT) && same(p.o + T_A * OUT, pb.o, T_B * OUT) &&
           same(p.lse, pa.lse, T_A * HQ) &&
           same(p.lse + T_A * HQ, pb.lse, T_B * HQ),
       "%s, %s: two packed documents are each alone, to the bit", backend,
       name);
    ok(same(p.dqkv, pa.dqkv, T_A * WIDTH) &&
           same(p.dqkv + T_A * WIDTH, pb.dqkv, T_B * WIDTH),
       "%s, %s: so are their gradients", backend, name);

    for (size_t i = 0; i < T_A * WIDTH; i++)
        x[i] += 1;
    struct packed q = attend(lab, x, dy, both, 3, type);
    ok(!same(q.o, p.o, T_A * OUT) &&
           same(q.o + T_A * OUT, p.o + T_A * OUT, T_B * OUT) &&
           same(q.dqkv + T_A * WIDTH, p.dqkv + T_A * WIDTH, T_B * WIDTH),
       "%s, %s: a change of one document does not show in the next", backend,
       name);

    for (size_t i = 0; i < WIDTH; i++)
        x[(T - 1) * WIDTH + i] += 1;
    struct packed r = attend(lab, x, dy, both, 3, type);
    ok(same(r.o, q.o, (T - 1) * OUT) && !same(r.o, q.o, T * OUT),
       "%s, %s: a change of the last token shows in the last token only",
       backend, name);
}

/* ---- pages ---- */

enum { LONG = 600 }; /* positions: three splits */

struct pages {
    size_t block;
    uint64_t order; /* seed of the scattering */
};

/* Attention of tokens at pos[] of one sequence of LONG positions. */
static const double *attend_paged(struct lab *lab, const double *x,
                                  const int32_t *pos, size_t t,
                                  struct pages pages, enum sxt_dtype type)
{
    size_t blocks = (LONG - 1) / pages.block + 1, rows = blocks * pages.block;
    uint64_t *order = lab_host(lab, blocks, sizeof(*order));
    int32_t *table = lab_host(lab, blocks, sizeof(*table));
    double *k = lab_host(lab, rows * HK * D, sizeof(*k));
    double *v = lab_host(lab, rows * HK * D, sizeof(*v));
    double *q = lab_host(lab, t * WIDTH, sizeof(*q));

    sxt_rng_permutation((struct sxt_rng){ pages.order, 0 }, order, blocks);
    for (size_t b = 0; b < blocks; b++)
        table[b] = (int32_t)order[b];
    for (size_t p = 0; p < LONG; p++) {
        size_t row = order[p / pages.block] * pages.block + p % pages.block;
        const double *from = x + p * WIDTH + HQ * D;
        memcpy(k + row * HK * D, from, HK * D * sizeof(*k));
        memcpy(v + row * HK * D, from + HK * D, HK * D * sizeof(*v));
    }
    for (size_t i = 0; i < t; i++)
        memcpy(q + i * WIDTH, x + (size_t)pos[i] * WIDTH, WIDTH * sizeof(*q));

    struct sxt_attn_paged a = { .t = t,
                                .max_blocks = blocks,
                                .block = pages.block,
                                .hq = HQ,
                                .hk = HK,
                                .d = D,
                                .scale = 0.25f,
                                .type = type };
    a.qkv = lab_put(lab, q, t * WIDTH, type);
    a.k_cache = lab_put(lab, k, rows * HK * D, type);
    a.v_cache = lab_put(lab, v, rows * HK * D, type);
    a.block_table = lab_put_ints(lab, table, blocks);
    a.seq = lab_put_ints(lab, lab_host(lab, t, sizeof(int32_t)), t);
    a.pos = lab_put_ints(lab, pos, t);
    a.o = lab_zeros(lab, t * OUT, type);
    sxt_attn_paged(lab->num, &a);
    return lab_get(lab, a.o, t * OUT, type);
}

static double furthest(const double *a, const double *b, size_t n)
{
    double max = 0;

    for (size_t i = 0; i < n; i++)
        max = fmax(max, fabs(a[i] - b[i]));
    return max;
}

static void test_pages(struct lab *lab, enum sxt_dtype type)
{
    static const int32_t starts[] = { 0, LONG };
    const char *name = type == SXT_F32 ? "f32" : "bf16";
    /* Outputs are averages of standard normals, below 4.  f32: sums of 600
     * terms in another order; bf16: a unit in the last place. */
    double limit = type == SXT_F32 ? 1e-5 : 4 * 0x1p-7;
    int32_t pos[LONG];

    for (int32_t i = 0; i < LONG; i++)
        pos[i] = i;
    lab_clean(lab, 2);
    double *x = lab_get(lab, lab_normals(lab, LONG * WIDTH, type, 1),
                        LONG * WIDTH, type);
    double *dy = lab_host(lab, LONG * OUT, sizeof(*dy));
    struct packed p = attend(lab, x, dy, starts, 1, type);
    const double *o =
        attend_paged(lab, x, pos, LONG, (struct pages){ 16, 1 }, type);
    ok(furthest(p.o, o, LONG * OUT) <= limit,
       "%s, %s: a paged prompt is a packed one (%.1g of %.1g)", backend, name,
       furthest(p.o, o, LONG * OUT), limit);
    ok(same(o, attend_paged(lab, x, pos, LONG, (struct pages){ 16, 2 }, type),
            LONG * OUT),
       "%s, %s: the order of pages does not show, to the bit", backend, name);
    ok(same(o, attend_paged(lab, x, pos, LONG, (struct pages){ 64, 3 }, type),
            LONG * OUT),
       "%s, %s: the size of pages does not show, to the bit", backend, name);

    size_t differ = 0;
    for (int32_t i = 0; i < LONG; i += 37) {
        const double *one =
            attend_paged(lab, x, &i, 1, (struct pages){ 16, 1 }, type);
        differ += !same(one, o + (size_t)i * OUT, OUT);
    }
    ok(differ == 0, "%s, %s: a token alone is the token in a batch, to the bit",
       backend, name);
}

int main(void)
{
    static const char *const backends[] = { "ref", "cpu" };

    for (int i = 0; i < 2; i++) {
        struct lab lab;
        backend = backends[i];
        lab_open(&lab, backend, "fake", 0);
        test_documents(&lab, SXT_F32);
        test_documents(&lab, SXT_BF16);
        test_pages(&lab, SXT_F32);
        test_pages(&lab, SXT_BF16);
        lab_close(&lab);
    }
    return done_testing();
}
