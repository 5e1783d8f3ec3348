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
    dnnl_stream_t stream;
    char version[40];
};

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t desc; /* a handle */
#else
typedef dnnl_memory_desc_t desc[1];
#endif

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
    if (dnnl_engine_create(&dnn->engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&dnn->stream, dnn->engine,
                           dnnl_stream_default_flags) != dnnl_success) {
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
    if (dnn->stream)
        dnnl_stream_destroy(dnn->stream);
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

/* oneDNN keeps primitives by their description: making one again is cheap. */
static dnnl_primitive_t make_primitive(const struct sxt_onednn *dnn, desc d[3],
                                       float beta)
{
    dnnl_primitive_attr_t attr = make_attr(beta);
    dnnl_primitive_desc_t how = NULL;
    dnnl_primitive_t p = NULL;

#if DNNL_VERSION_MAJOR >= 3
    bool made =
        dnnl_matmul_primitive_desc_create(&how, dnn->engine, d[0], d[1], NULL,
                                          d[2], attr) == dnnl_success;
#else
    dnnl_matmul_desc_t what;
    bool made =
        dnnl_matmul_desc_init(&what, d[0], d[1], NULL, d[2]) == dnnl_success &&
        dnnl_primitive_desc_create(&how, &what, attr, dnn->engine, NULL) ==
            dnnl_success;
#endif
    if (made && dnnl_primitive_create(&p, how) != dnnl_success)
        p = NULL;
    if (how)
        dnnl_primitive_desc_destroy(how);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    return p;
}

static bool execute(const struct sxt_onednn *dnn, dnnl_primitive_t p, desc d[3],
                    const struct sxt_gemm *g)
{
    void *data[3] = { (void *)(uintptr_t)g->a, (void *)(uintptr_t)g->b, g->c };
    dnnl_exec_arg_t args[3] = { { DNNL_ARG_SRC, NULL },
                                { DNNL_ARG_WEIGHTS, NULL },
                                { DNNL_ARG_DST, NULL } };
    bool done = true;

    for (int i = 0; i < 3; i++)
        done &= dnnl_memory_create(&args[i].memory, d[i], dnn->engine,
                                   data[i]) == dnnl_success;
    if (done)
        done = dnnl_primitive_execute(p, dnn->stream, 3, args) == dnnl_success;
    dnnl_stream_wait(dnn->stream);
    for (int i = 0; i < 3; i++)
        if (args[i].memory)
            dnnl_memory_destroy(args[i].memory);
    return done;
}

bool sxt_onednn_gemm(const struct sxt_onednn *dnn, const struct sxt_gemm *g,
                     int threads)
{
    desc d[3] = { 0 };
    bool done = false;

    if (!dnn || g->rows_independent || g->type != SXT_BF16 || g->alpha != 1 ||
        g->bias || g->m < 32 || g->n < 32 || g->k < 32)
        return false;
    int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    if (describe(&d[0], g->m, g->k, g->lda, g->ta, g->type) &&
        describe(&d[1], g->k, g->n, g->ldb, g->tb, g->type) &&
        describe(&d[2], g->m, g->n, g->ldc, false, g->c_type)) {
        dnnl_primitive_t p = make_primitive(dnn, d, g->beta);
        done = p && execute(dnn, p, d, g);
        if (p)
            dnnl_primitive_destroy(p);
    }
    for (int i = 0; i < 3; i++)
        forget(&d[i]);
    omp_set_num_threads(before);
    return done;
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
