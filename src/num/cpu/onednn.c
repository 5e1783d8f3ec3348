/* onednn.c - the matmul primitive of oneDNN 2.6 and 3. */
#include "num/cpu/onednn.h"

#ifdef HAVE_ONEDNN
#include <dnnl.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct sxt_onednn {
    dnnl_engine_t engine;
    char version[40];
};

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t desc; /* a handle */
#else
typedef dnnl_memory_desc_t desc[1];
#endif

/* What a thread needs to multiply blocks of one shape. */
struct worker {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    size_t rows, cols; /* of a block */
    desc d[3];         /* of op(A)'s rows, op(B)'s columns and C's block */
    dnnl_primitive_t product; /* NULL: not made yet */
};

static bool has_bf16(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

struct sxt_onednn *sxt_onednn_create(void)
{
    struct sxt_onednn *dnn;

    if (!has_bf16())
        return NULL;
    dnn = sxt_calloc(1, sizeof(*dnn));
    if (dnnl_engine_create(&dnn->engine, dnnl_cpu, 0) != dnnl_success) {
        sxt_onednn_destroy(dnn);
        return NULL;
    }
    const dnnl_version_t *v = dnnl_version();
    snprintf(dnn->version, sizeof(dnn->version), "oneDNN %d.%d.%d", v->major,
             v->minor, v->patch);
    return dnn;
}

void sxt_onednn_destroy(struct sxt_onednn *dnn)
{
    if (!dnn)
        return;
    if (dnn->engine)
        dnnl_engine_destroy(dnn->engine);
    free(dnn);
}

const char *sxt_onednn_version(const struct sxt_onednn *dnn)
{
    return dnn ? dnn->version : NULL;
}

/* A (rows, cols) matrix that is stored with distance ld, transposed or not. */
static bool describe(desc *to, size_t rows, size_t cols, size_t ld,
                     bool transposed, enum sxt_dtype type)
{
    dnnl_dims_t dims = { (dnnl_dim_t)rows, (dnnl_dim_t)cols };
    dnnl_dims_t strides = { transposed ? 1 : (dnnl_dim_t)ld,
                            transposed ? (dnnl_dim_t)ld : 1 };
    dnnl_data_type_t as = type == SXT_F32 ? dnnl_f32 : dnnl_bf16;

#if DNNL_VERSION_MAJOR >= 3
    return dnnl_memory_desc_create_with_strides(to, 2, dims, as, strides) ==
           dnnl_success;
#else
    return dnnl_memory_desc_init_by_strides(*to, 2, dims, as, strides) ==
           dnnl_success;
#endif
}

static void forget(desc *d)
{
#if DNNL_VERSION_MAJOR >= 3
    if (*d)
        dnnl_memory_desc_destroy(*d);
    *d = NULL;
#else
    (void)d;
#endif
}

/* beta C is a sum after the product. */
static dnnl_primitive_attr_t make_attr(float beta)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t ops = NULL;

    if (beta == 0 || dnnl_primitive_attr_create(&attr) != dnnl_success)
        return NULL;
    if (dnnl_post_ops_create(&ops) == dnnl_success) {
#if DNNL_VERSION_MAJOR >= 3
        dnnl_post_ops_append_sum(ops, beta, 0, dnnl_data_type_undef);
#else
        dnnl_post_ops_append_sum(ops, beta);
#endif
        dnnl_primitive_attr_set_post_ops(attr, ops);
        dnnl_post_ops_destroy(ops);
    }
    return attr;
}

static dnnl_primitive_t make_primitive(const struct worker *w, float beta)
{
    dnnl_primitive_attr_t attr = make_attr(beta);
    dnnl_primitive_desc_t how = NULL;
    dnnl_primitive_t p = NULL;

#if DNNL_VERSION_MAJOR >= 3
    bool made =
        dnnl_matmul_primitive_desc_create(&how, w->engine, w->d[0], w->d[1],
                                          NULL, w->d[2], attr) == dnnl_success;
#else
    dnnl_matmul_desc_t what;
    bool made = dnnl_matmul_desc_init(&what, w->d[0], w->d[1], NULL, w->d[2]) ==
                    dnnl_success &&
                dnnl_primitive_desc_create(&how, &what, attr, w->engine,
                                           NULL) == dnnl_success;
#endif
    if (made && dnnl_primitive_create(&p, how) != dnnl_success)
        p = NULL;
    if (how)
        dnnl_primitive_desc_destroy(how);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    return p;
}

static void drop_shape(struct worker *w)
{
    if (w->product)
        dnnl_primitive_destroy(w->product);
    w->product = NULL;
    for (int i = 0; i < 3; i++)
        forget(&w->d[i]);
}

/* Be ready for blocks of this shape; false if oneDNN does not multiply them.
 * It keeps primitives by their description: making one again is cheap. */
static bool take_shape(struct worker *w, const struct sxt_gemm *g, size_t rows,
                       size_t cols)
{
    if (w->product && w->rows == rows && w->cols == cols)
        return true;
    drop_shape(w);
    w->rows = rows;
    w->cols = cols;
    if (describe(&w->d[0], rows, g->k, g->lda, g->ta, g->type) &&
        describe(&w->d[1], g->k, cols, g->ldb, g->tb, g->type) &&
        describe(&w->d[2], rows, cols, g->ldc, false, g->c_type))
        w->product = make_primitive(w, g->beta);
    return w->product != NULL;
}

/* The block of C whose first element is (i, j). */
static bool multiply(struct worker *w, const struct sxt_gemm *g, size_t i,
                     size_t j)
{
    size_t size = sxt_dtype_size(g->type);
    size_t a = g->ta ? i : i * g->lda, b = g->tb ? j * g->ldb : j;
    void *data[3] = { (char *)(uintptr_t)g->a + a * size,
                      (char *)(uintptr_t)g->b + b * size,
                      (char *)g->c +
                          (i * g->ldc + j) * sxt_dtype_size(g->c_type) };
    dnnl_exec_arg_t args[3] = { { DNNL_ARG_SRC, NULL },
                                { DNNL_ARG_WEIGHTS, NULL },
                                { DNNL_ARG_DST, NULL } };
    bool done = true;

    for (int k = 0; k < 3; k++)
        done &= dnnl_memory_create(&args[k].memory, w->d[k], w->engine,
                                   data[k]) == dnnl_success;
    if (done)
        done = dnnl_primitive_execute(w->product, w->stream, 3, args) ==
               dnnl_success;
    dnnl_stream_wait(w->stream);
    for (int k = 0; k < 3; k++)
        if (args[k].memory)
            dnnl_memory_destroy(args[k].memory);
    return done;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How C is cut, by its shape alone. */
struct cut {
    size_t rows, cols; /* of a block */
    size_t across, count;
};

/* Blocks are large, for each packs its rows of A and columns of B anew, but at
 * least 64 where C allows it. */
static struct cut cut_up(size_t m, size_t n)
{
    struct cut c = { .rows = 512, .cols = 512 };

    for (;;) {
        c.across = (n + c.cols - 1) / c.cols;
        c.count = c.across * ((m + c.rows - 1) / c.rows);
        if (c.count >= 64 || c.cols == 128)
            return c;
        if (c.rows == c.cols)
            c.rows /= 2;
        else
            c.cols /= 2;
    }
}

/* oneDNN works with one thread in each of ours.  With more it would cut k among
 * them as well, and the order of a sum, so its bits, would depend on their
 * number. */
bool sxt_onednn_gemm(const struct sxt_onednn *dnn, const struct sxt_gemm *g,
                     int threads)
{
    if (!dnn || g->rows_independent || g->type != SXT_BF16 || g->alpha != 1 ||
        g->bias || g->m < 32 || g->n < 32 || g->k < 32)
        return false;
    struct cut cut = cut_up(g->m, g->n);
    struct worker trial = { .engine = dnn->engine };
    bool able =
        take_shape(&trial, g, least(cut.rows, g->m), least(cut.cols, g->n));
    drop_shape(&trial);
    if (!able)
        return false;
#pragma omp parallel num_threads(threads)
    {
        struct worker w = { .engine = dnn->engine };
        omp_set_num_threads(1); /* of this thread, until the region's end */
        SXT_CHECK(dnnl_stream_create(&w.stream, w.engine,
                                     dnnl_stream_default_flags) ==
                  dnnl_success);
#pragma omp for schedule(dynamic)
        for (size_t b = 0; b < cut.count; b++) {
            size_t i = b / cut.across * cut.rows;
            size_t j = b % cut.across * cut.cols;
            SXT_CHECK(take_shape(&w, g, least(cut.rows, g->m - i),
                                 least(cut.cols, g->n - j)) &&
                      multiply(&w, g, i, j));
        }
        drop_shape(&w);
        dnnl_stream_destroy(w.stream);
    }
    return true;
}

#else

struct sxt_onednn *sxt_onednn_create(void)
{
    return NULL;
}

void sxt_onednn_destroy(struct sxt_onednn *dnn)
{
    (void)dnn;
}

bool sxt_onednn_gemm(const struct sxt_onednn *dnn, const struct sxt_gemm *g,
                     int threads)
{
    (void)dnn;
    (void)g;
    (void)threads;
    return false;
}

const char *sxt_onednn_version(const struct sxt_onednn *dnn)
{
    (void)dnn;
    return NULL;
}
#endif
