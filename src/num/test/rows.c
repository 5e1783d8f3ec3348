/* rows.c - what generation and restarts rely on: a row's bits depend neither
 * on the rows beside it, nor on their number, nor on threads.
 *
 * Every operation runs on all ROWS rows with one thread, then on some of them
 * with one, two and three threads, among the same inputs.  The GPU's test is
 * this file with another device. */
#include <string.h>

#include "base/test/tap.h"
#include "num/test/lab.h"

#ifndef DEVICE
#define DEVICE "host"
#define PREFIX ""
enum { MOST_THREADS = 3 };
#else
enum { MOST_THREADS = 1 }; /* a GPU's are its own */
#endif

enum { ROWS = 200, HQ = 6, HK = 2, D = 24, BLOCK = 16, PAGES = 24, SEQS = 9 };
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const size_t some[] = { 1, 2, 3, 16, 17, 64, 65, 200 };

/* An operation's inputs for all ROWS rows, made once. */
struct inputs {
    void *x[4];
    struct sxt_qmat q;
    enum sxt_dtype type;
};

/* Rows first … first + m - 1 of an operation; `width` numbers each. */
struct op {
    const char *what;
    void (*make)(struct lab *lab, const struct op *op, struct inputs *in);
    const double *(*run)(struct lab *lab, const struct op *op,
                         const struct inputs *in, size_t first, size_t m);
    size_t width, k;
    enum sxt_qformat format;
};

/* Where row `first` of `width` numbers lies. */
static void *row_at(void *x, size_t first, size_t width, enum sxt_dtype type)
{
    return (char *)x + first * width * sxt_dtype_size(type);
}

/* A copy of rows that the operation overwrites. */
static void *copy_rows(struct lab *lab, void *x, size_t first, size_t m,
                       size_t width, enum sxt_dtype type)
{
    void *y = lab_zeros(lab, m * width, type);

    sxt_dev_copy(lab->dev, y, row_at(x, first, width, type),
                 m * width * sxt_dtype_size(type));
    return y;
}

static void make_gemm(struct lab *lab, const struct op *op, struct inputs *in)
{
    in->x[0] = lab_normals(lab, ROWS * op->k, in->type, 1);
    in->x[1] = lab_normals(lab, op->width * op->k, in->type, 1);
    in->x[2] = lab_normals(lab, op->width, in->type, 1);
}

static const double *run_gemm(struct lab *lab, const struct op *op,
                              const struct inputs *in, size_t first, size_t m)
{
    void *c = lab_zeros(lab, m * op->width, in->type);

    sxt_gemm(lab->num,
             &(struct sxt_gemm){ .m = m,
                                 .n = op->width,
                                 .k = op->k,
                                 .tb = true,
                                 .alpha = 1,
                                 .a = row_at(in->x[0], first, op->k, in->type),
                                 .b = in->x[1],
                                 .bias = in->x[2],
                                 .c = c,
                                 .lda = op->k,
                                 .ldb = op->k,
                                 .ldc = op->width,
                                 .type = in->type,
                                 .c_type = in->type,
                                 .rows_independent = true });
    return lab_get(lab, c, m * op->width, in->type);
}

static void make_qgemm(struct lab *lab, const struct op *op, struct inputs *in)
{
    size_t n = op->width, k = op->k;

    make_gemm(lab, op, in);
    in->q = (struct sxt_qmat){ .format = op->format, .n = n, .k = k };
    in->q.q = lab_bytes(lab, n * k);
    in->q.scale = lab_zeros(lab, n, SXT_F32);
    in->q.block_scale = lab_bytes(lab, n * k / 64);
    in->q.group_scale = lab_zeros(lab, n * k / 64 / 256 + 1, SXT_F32);
    sxt_quantize(lab->num, &in->q, in->x[1], in->type);
}

static const double *run_qgemm(struct lab *lab, const struct op *op,
                               const struct inputs *in, size_t first, size_t m)
{
    void *c = lab_zeros(lab, m * op->width, in->type);

    sxt_qgemm(lab->num, m, row_at(in->x[0], first, op->k, in->type), &in->q, c,
              in->type);
    return lab_get(lab, c, m * op->width, in->type);
}

static void make_rows(struct lab *lab, const struct op *op, struct inputs *in)
{
    in->x[0] = lab_normals(lab, ROWS * 2 * op->width, in->type, 1);
    in->x[1] = lab_normals(lab, ROWS * op->width, in->type, 1);
    in->x[2] = lab_normals(lab, op->width, in->type, 1);
}

static const double *run_rmsnorm(struct lab *lab, const struct op *op,
                                 const struct inputs *in, size_t first,
                                 size_t m)
{
    void *r = copy_rows(lab, in->x[0], first, m, op->width, in->type);
    void *y = lab_zeros(lab, m * op->width, in->type);

    sxt_add_rmsnorm(lab->num, y, NULL, r,
                    row_at(in->x[1], first, op->width, in->type), in->x[2], m,
                    op->width, 1e-5f, in->type);
    return lab_get(lab, y, m * op->width, in->type);
}

static const double *run_swiglu(struct lab *lab, const struct op *op,
                                const struct inputs *in, size_t first, size_t m)
{
    void *y = lab_zeros(lab, m * op->width, in->type);

    sxt_swiglu(lab->num, y, row_at(in->x[0], first, 2 * op->width, in->type), m,
               op->width, in->type);
    return lab_get(lab, y, m * op->width, in->type);
}

static void make_rope(struct lab *lab, const struct op *op, struct inputs *in)
{
    in->x[0] = lab_normals(lab, ROWS * op->width, in->type, 1);
    in->x[1] = lab_normals(lab, op->width, in->type, 1);
    in->x[2] = lab_ints(lab, ROWS, 0, 50);
    in->x[3] = lab_normals(lab, 50 * D, SXT_F32, 1);
}

static const double *run_rope(struct lab *lab, const struct op *op,
                              const struct inputs *in, size_t first, size_t m)
{
    void *qkv = copy_rows(lab, in->x[0], first, m, op->width, in->type);

    sxt_rope(lab->num,
             &(struct sxt_rope){ .qkv = qkv,
                                 .bias = in->x[1],
                                 .pos = (int32_t *)in->x[2] + first,
                                 .cos = in->x[3],
                                 .sin = (float *)in->x[3] + 50 * D / 2,
                                 .t = m,
                                 .hq = HQ,
                                 .hk = HK,
                                 .d = D,
                                 .type = in->type });
    return lab_get(lab, qkv, m * op->width, in->type);
}

/* Tokens 0 … 149: a prompt's end at positions 130 …, in sequence 0; then one or
 * two tokens of each other sequence at scattered positions. */
static void place_tokens(int32_t seq[ROWS], int32_t pos[ROWS])
{
    for (int32_t t = 0; t < ROWS; t++) {
        seq[t] = t < 150 ? 0 : 1 + (t - 150) / 2 % (SEQS - 1);
        pos[t] = t < 150 ? 130 + t : (t * 37 + t % 2) % (PAGES * BLOCK);
    }
}

static void make_paged(struct lab *lab, const struct op *op, struct inputs *in)
{
    size_t d = op->k, cache = (size_t)SEQS * PAGES * BLOCK * HK * d;
    int32_t table[SEQS * PAGES];

    for (int32_t i = 0; i < SEQS * PAGES; i++)
        table[i] = i * 5 % (SEQS * PAGES); /* 5 and 216 have no divisor */
    in->x[0] = lab_normals(lab, ROWS * (op->width + 2 * HK * d), in->type, 1);
    in->x[1] = lab_normals(lab, cache, in->type, 1);
    in->x[2] = lab_normals(lab, cache, in->type, 1);
    in->x[3] = lab_put_ints(lab, table, SEQS * PAGES);
}

static const double *run_paged(struct lab *lab, const struct op *op,
                               const struct inputs *in, size_t first, size_t m)
{
    void *o = lab_zeros(lab, m * op->width, in->type);
    size_t d = op->k;
    int32_t seq[ROWS], pos[ROWS];

    place_tokens(seq, pos);
    sxt_attn_paged(
        lab->num,
        &(struct sxt_attn_paged){
            .qkv = row_at(in->x[0], first, op->width + 2 * HK * d, in->type),
            .o = o,
            .k_cache = in->x[1],
            .v_cache = in->x[2],
            .block_table = in->x[3],
            .seq = lab_put_ints(lab, seq + first, m),
            .pos = lab_put_ints(lab, pos + first, m),
            .t = m,
            .max_blocks = PAGES,
            .block = BLOCK,
            .hq = HQ,
            .hk = HK,
            .d = d,
            .scale = 0.2f,
            .type = in->type });
    return lab_get(lab, o, m * op->width, in->type);
}

/* Widths and depths on both sides of the tiles' 16 and 256. */
static const struct op ops[] = {
    { "gemm, n 33, k 70", make_gemm, run_gemm, 33, 70, 0 },
    { "gemm, n 160, k 576", make_gemm, run_gemm, 160, 576, 0 },
    { "gemm, n 300, k 257", make_gemm, run_gemm, 300, 257, 0 },
    { "qgemm int8", make_qgemm, run_qgemm, 130, 576, SXT_INT8 },
    { "qgemm nf4", make_qgemm, run_qgemm, 130, 576, SXT_NF4 },
    { "add_rmsnorm", make_rows, run_rmsnorm, 77, 0, 0 },
    { "swiglu", make_rows, run_swiglu, 53, 0, 0 },
    { "rope", make_rope, run_rope, (HQ + 2 * HK) * D, 0, 0 },
    { "attn_paged, d 24", make_paged, run_paged, HQ * 24, 24, 0 },
    { "attn_paged, d 64", make_paged, run_paged, HQ * 64, 64, 0 },
};

/* Rows first … of a part against those of the whole. */
static bool same_rows(const double *part, const double *whole, size_t first,
                      size_t m, size_t width)
{
    return memcmp(part, whole + first * width, m * width * sizeof(*part)) == 0;
}

/* Some of the rows, first, middle and last, against all of them. */
static bool independent(const struct op *op, struct lab *lab,
                        const struct inputs *in, const double *whole)
{
    bool same = true;

    for (size_t i = 0; i < COUNT(some); i++) {
        for (size_t j = 0; j < 3 && (j == 0 || some[i] < ROWS); j++) {
            size_t first = (ROWS - some[i]) * j / 2;
            if (same_rows(op->run(lab, op, in, first, some[i]), whole, first,
                          some[i], op->width))
                continue;
            printf("#   %zu rows from %zu on differ, %d threads\n", some[i],
                   first, lab->num->threads);
            same = false;
        }
    }
    return same;
}

static bool check(const struct op *op, enum sxt_dtype type)
{
    struct inputs in = { .type = type };
    struct lab lab;
    bool same = true;

    lab_open(&lab, "auto", DEVICE, MOST_THREADS);
    lab_clean(&lab, 1);
    op->make(&lab, op, &in);
    lab.num->threads = 1;
    const double *whole = op->run(&lab, op, &in, 0, ROWS);
    for (; lab.num->threads <= MOST_THREADS; lab.num->threads++)
        same &= independent(op, &lab, &in, whole);
    lab_close(&lab);
    return same;
}

int main(void)
{
    static const char *const name[] = { "f32", "bf16" };

    for (size_t i = 0; i < COUNT(ops); i++)
        for (int type = SXT_F32; type <= SXT_BF16; type++)
            ok(check(&ops[i], (enum sxt_dtype)type),
               PREFIX "%s, %s: a row stands for itself, for any rows and "
                      "threads",
               ops[i].what, name[type]);
    return done_testing();
}
