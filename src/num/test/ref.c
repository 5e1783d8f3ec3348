/* ref.c - properties that do not need a second implementation. */
#include <math.h>

#include "base/test/tap.h"
#include "num/test/lab.h"

static struct lab lab;

static double furthest(const double *a, const double *b, size_t n)
{
    double max = 0;

    for (size_t i = 0; i < n; i++)
        max = fmax(max, isnan(a[i]) ? INFINITY : fabs(a[i] - b[i]));
    return max;
}

/* Integers are exact in every type, so all ways to write a product agree. */
static void test_gemm(enum sxt_dtype type)
{
    enum { M = 2, N = 3, K = 4 };
    static const double a[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    static const double at[] = { 1, 5, 2, 6, 3, 7, 4, 8 };
    static const double b[] = { 1, 0, -1, 2, 1, 0, 0, 3, 1, 1, 1, 1 };
    static const double bt[] = { 1, 2, 0, 1, 0, 1, 3, 1, -1, 0, 1, 1 };
    static const double product[] = { 9, 15, 6, 25, 35, 10 };
    static const double bias[] = { 100, 200, 300 };
    double expected[M * N], bad[M * N], *c;
    size_t wrong = 0;

    for (int i = 0; i < M * N; i++)
        bad[i] = NAN;
    for (int i = 0; i < 4; i++) {
        struct sxt_gemm g = { .m = M,
                              .n = N,
                              .k = K,
                              .ta = i & 1,
                              .tb = i & 2,
                              .alpha = 1,
                              .type = type,
                              .c_type = type,
                              .ldc = N };
        g.lda = g.ta ? M : K;
        g.ldb = g.tb ? K : N;
        g.a = lab_put(&lab, g.ta ? at : a, M * K, type);
        g.b = lab_put(&lab, g.tb ? bt : b, K * N, type);
        g.c = lab_put(&lab, bad, M * N, type);
        sxt_gemm(lab.num, &g);
        c = lab_get(&lab, g.c, M * N, type);
        wrong += memcmp(c, product, sizeof(product)) != 0;
        g.alpha = 2;
        g.beta = -1;
        g.bias = lab_put(&lab, bias, N, type);
        sxt_gemm(lab.num, &g);
        c = lab_get(&lab, g.c, M * N, type);
        for (int e = 0; e < M * N; e++)
            expected[e] = product[e] + bias[e % N];
        wrong += type == SXT_F32 && memcmp(c, expected, sizeof(expected)) != 0;
    }
    ok(wrong == 0,
       "%s %s: four transpositions, over NaN with beta 0, "
       "alpha, beta and bias",
       lab.num->op.name, type == SXT_F32 ? "f32" : "bf16");
}

/* A row of C is the same to the bit whatever m is. */
static void test_gemm_rows(enum sxt_dtype type)
{
    enum { M = 37, N = 50, K = 333 };
    void *a = lab_normals(&lab, M * K, type, 1);
    void *b = lab_normals(&lab, N * K, type, 1);
    void *c = lab_zeros(&lab, M * N, type), *one = lab_zeros(&lab, N, type);
    struct sxt_gemm g = { .m = M,
                          .n = N,
                          .k = K,
                          .tb = true,
                          .alpha = 1,
                          .a = a,
                          .b = b,
                          .c = c,
                          .lda = K,
                          .ldb = K,
                          .ldc = N,
                          .type = type,
                          .c_type = type,
                          .rows_independent = true };
    size_t differ = 0;

    sxt_gemm(lab.num, &g);
    double *all = lab_get(&lab, c, M * N, type);
    g.m = 1;
    g.c = one;
    for (size_t i = 0; i < M; i += 4) {
        g.a = (char *)a + i * K * sxt_dtype_size(type);
        sxt_gemm(lab.num, &g);
        differ += memcmp(lab_get(&lab, one, N, type), all + i * N,
                         N * sizeof(*all)) != 0;
    }
    ok(differ == 0, "%s %s: a row of a product alone is the row, to the bit",
       lab.num->op.name, type == SXT_F32 ? "f32" : "bf16");
}

/* rmsnorm (s x) = rmsnorm (x) for a power of two s and eps = 0, to the bit. */
static void test_rmsnorm(void)
{
    enum { T = 3, H = 100, N = T * H };
    double *x = lab_get(&lab, lab_normals(&lab, N, SXT_F32, 1), N, SXT_F32);
    double *y[2];
    void *w = lab_normals(&lab, H, SXT_F32, 1);

    for (int i = 0; i < 2; i++) {
        void *r = lab_put(&lab, x, N, SXT_F32);
        sxt_add_rmsnorm(lab.num, r, NULL, r, NULL, w, T, H, 0, SXT_F32);
        y[i] = lab_get(&lab, r, N, SXT_F32);
        for (int e = 0; e < N; e++)
            x[e] *= 1024;
    }
    ok(memcmp(y[0], y[1], N * sizeof(double)) == 0,
       "%s: rmsnorm, in place, does not see a scale", lab.num->op.name);
}

/* Backward kernels add to what is there. */
static void test_accumulation(void)
{
    enum { T = 4, H = 33, N = T * H, VOCAB = 3 };
    float *rstd = lab_zeros(&lab, T, SXT_F32);
    void *r = lab_normals(&lab, N, SXT_F32, 1),
         *y = lab_zeros(&lab, N, SXT_F32);
    void *w = lab_normals(&lab, H, SXT_F32, 1);
    void *dy = lab_normals(&lab, N, SXT_F32, 1);
    void *dr = lab_zeros(&lab, N, SXT_F32);
    float *dw = lab_zeros(&lab, H, SXT_F32);
    double *once[2], *twice[2], worst = 0;

    sxt_add_rmsnorm(lab.num, y, rstd, r, NULL, w, T, H, 1e-6f, SXT_F32);
    sxt_rmsnorm_bwd(lab.num, dr, dw, dy, r, w, rstd, T, H, SXT_F32);
    once[0] = lab_get(&lab, dr, N, SXT_F32);
    once[1] = lab_get(&lab, dw, H, SXT_F32);
    sxt_rmsnorm_bwd(lab.num, dr, dw, dy, r, w, rstd, T, H, SXT_F32);
    twice[0] = lab_get(&lab, dr, N, SXT_F32);
    twice[1] = lab_get(&lab, dw, H, SXT_F32);
    for (int i = 0; i < N; i++)
        worst = fmax(worst, fabs(twice[0][i] - 2 * once[0][i]));
    for (int i = 0; i < H; i++)
        worst = fmax(worst, fabs(twice[1][i] - 2 * once[1][i]));
    ok(worst < 1e-5, "%s: rmsnorm's gradients add up (%.1g)", lab.num->op.name,
       worst);

    static const int32_t ids[T] = { 2, 0, 2, 2 };
    float *dtable = lab_zeros(&lab, VOCAB * H, SXT_F32);
    double *g = lab_get(&lab, dy, N, SXT_F32), sum = 0;
    for (int i = 0; i < 2; i++)
        sxt_embed_bwd(lab.num, dtable, dy, lab_put_ints(&lab, ids, T), T, H,
                      VOCAB, SXT_F32);
    double *d = lab_get(&lab, dtable, VOCAB * H, SXT_F32);
    for (int c = 0; c < H; c++) {
        sum += fabs(d[c] - 2 * g[H + c]) + fabs(d[H + c]);
        sum += fabs(d[2 * H + c] - 2 * (g[c] + g[2 * H + c] + g[3 * H + c]));
    }
    ok(sum < 1e-4, "%s: rows of the embedding's gradient add up",
       lab.num->op.name);
}

/* Scores depend on the distance of two positions only. */
static void test_rope(void)
{
    enum { D = 64, FAR = 1000, P = FAR + 20, WIDTH = 3 * D };
    float *tables[2];
    double *c = lab_host(&lab, P * D / 2, sizeof(*c));
    double *s = lab_host(&lab, P * D / 2, sizeof(*s));
    double score[2] = { 0, 0 };
    void *x = lab_normals(&lab, WIDTH, SXT_F32, 1);
    double *row = lab_get(&lab, x, WIDTH, SXT_F32);

    for (int i = 0; i < P * D / 2; i++) {
        double angle = i / (D / 2) * pow(1e4, -2.0 * (i % (D / 2)) / D);
        c[i] = cos(angle);
        s[i] = sin(angle);
    }
    tables[0] = lab_put(&lab, c, P * D / 2, SXT_F32);
    tables[1] = lab_put(&lab, s, P * D / 2, SXT_F32);
    for (int i = 0; i < 2; i++) {
        int32_t pos[2] = { i * FAR + 13, i * FAR + 2 };
        double two[2 * WIDTH];
        memcpy(two, row, sizeof(two) / 2);
        memcpy(two + WIDTH, row, sizeof(two) / 2);
        struct sxt_rope a = { .qkv = lab_put(&lab, two, 2 * WIDTH, SXT_F32),
                              .pos = lab_put_ints(&lab, pos, 2),
                              .cos = tables[0],
                              .sin = tables[1],
                              .t = 2,
                              .hq = 1,
                              .hk = 1,
                              .d = D };
        sxt_rope(lab.num, &a);
        double *y = lab_get(&lab, a.qkv, 2 * WIDTH, SXT_F32);
        for (int e = 0; e < D; e++)
            score[i] += y[e] * y[WIDTH + D + e];
    }
    ok(fabs(score[0] - score[1]) < 1e-4,
       "%s: rope: a score sees the distance only (%.1g)", lab.num->op.name,
       fabs(score[0] - score[1]));
}

/* Columns behind the vocabulary and masked rows are 0 and never read. */
static void test_xent(void)
{
    enum { T = 3, VOCAB = 5, LD = 8, N = T * LD };
    static const int32_t target[T] = { 4, -1, 0 };
    double x[N], sum = 0, junk = 0;
    float *loss = lab_zeros(&lab, T, SXT_F32);

    for (int i = 0; i < N; i++)
        x[i] = i % LD >= VOCAB || i / LD == 1 ? NAN : i % 3;
    float *logits = lab_put(&lab, x, N, SXT_F32);
    sxt_xent(lab.num, loss, logits, logits, lab_put_ints(&lab, target, T), T,
             VOCAB, LD, 0.5f, SXT_F32);
    double *d = lab_get(&lab, logits, N, SXT_F32);
    for (int i = 0; i < N; i++) {
        if (i % LD >= VOCAB || i / LD == 1)
            junk += d[i] != 0;
        else
            sum += d[i];
    }
    ok(junk == 0 && lab_get(&lab, loss, T, SXT_F32)[1] == 0,
       "%s: xent: masked rows and columns behind the vocabulary are 0",
       lab.num->op.name);
    ok(fabs(sum) < 1e-6, "%s: xent: gradients of a row sum to 0 (%.1g)",
       lab.num->op.name, sum);
}

static void test_sums(void)
{
    enum { N = 1000, PIECES = 5 };
    void *x = lab_normals(&lab, PIECES * N, SXT_F32, 1);
    double *all = lab_get(&lab, x, PIECES * N, SXT_F32), squares = 0;
    float *y = lab_normals(&lab, N, SXT_F32, 1),
          *z = lab_zeros(&lab, N, SXT_F32);

    sxt_dev_copy(lab.dev, z, y, N * sizeof(*y));
    sxt_sum_pieces(lab.num, y, x, PIECES, N, 1, SXT_F32);
    for (int p = 0; p < PIECES; p++)
        sxt_sum_pieces(lab.num, z, (float *)x + p * N, 1, N, 1, SXT_F32);
    ok(furthest(lab_get(&lab, y, N, SXT_F32), lab_get(&lab, z, N, SXT_F32),
                N) == 0,
       "%s: pieces one by one are pieces at once, to the bit",
       lab.num->op.name);
    for (int i = 0; i < N; i++)
        squares += all[i] * all[i];
    ok(fabs(sxt_sumsq(lab.num, x, N) / squares - 1) < 1e-12,
       "%s: sumsq is a sum in f64", lab.num->op.name);
}

/* f32 bits to bf16 bits: nearest, ties to even; NaN stays. */
static void test_rounding(void)
{
    static const struct {
        uint32_t from;
        uint16_t to;
    } cases[] = {
        { 0x3f800000, 0x3f80 }, { 0x3f808000, 0x3f80 }, { 0x3f808001, 0x3f81 },
        { 0x3f818000, 0x3f82 }, { 0x3f817fff, 0x3f81 }, { 0xbf818000, 0xbf82 },
        { 0x00000001, 0x0000 }, { 0x80008001, 0x8001 }, { 0x7f7fffff, 0x7f80 },
        { 0x7f800000, 0x7f80 }, { 0xff800000, 0xff80 }, { 0x7f800001, 0x7fc0 },
    };
    enum { N = sizeof(cases) / sizeof(cases[0]) };
    uint32_t from[N];
    uint16_t to[N];
    size_t wrong = 0;

    for (int i = 0; i < N; i++)
        from[i] = cases[i].from;
    void *x = lab_bytes(&lab, sizeof(from)), *y = lab_bytes(&lab, sizeof(to));
    sxt_dev_put(lab.dev, x, from, sizeof(from));
    sxt_cast(lab.num, y, SXT_BF16, x, SXT_F32, N);
    sxt_dev_get(lab.dev, to, y, sizeof(to));
    for (int i = 0; i < N; i++)
        wrong += to[i] != cases[i].to;
    ok(wrong == 0, "%s: cast rounds to nearest, ties to even",
       lab.num->op.name);
}

int main(void)
{
    static const char *const backends[] = { "ref", "cpu" };
    struct sxt_error err = { 0 };

    for (int i = 0; i < 2; i++) {
        lab_open(&lab, backends[i], "fake", 0);
        for (int type = SXT_F32; type <= SXT_BF16; type++) {
            lab_clean(&lab, 1);
            test_gemm((enum sxt_dtype)type);
            test_gemm_rows((enum sxt_dtype)type);
        }
        lab_clean(&lab, 2);
        test_rmsnorm();
        test_accumulation();
        test_rope();
        test_xent();
        lab_clean(&lab, 3);
        test_sums();
        test_rounding();
        lab_close(&lab);
    }
    struct sxt_dev *dev = sxt_dev_create("host", NULL);
    ok(!sxt_num_create("abacus", dev, 1, &err) && err.code == SXT_EXIT_CONFIG,
       "an unknown backend is an error: %s", err.text);
    struct sxt_num *num = sxt_num_create("auto", dev, 3, &err);
    char text[200];
    sxt_num_describe(num, text);
    ok(num->threads == 3 && strstr(text, "3 threads"), "auto is '%s'", text);
    sxt_num_destroy(num);
    sxt_num_destroy(NULL);
    sxt_dev_destroy(dev);
    return done_testing();
}
