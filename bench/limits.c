/* limits.c - what the benchmarks share. */
#include "limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#ifdef HAVE_ONEDNN
#include <dnnl.h>
#endif

enum { MEMORY_BYTES = 256 << 20, SIDE = 1024 };
static const double seconds = 0.4; /* for each measurement */

int bench_open(struct bench *b, const char *backend, int threads,
               struct sxt_error *err)
{
    b->dev = sxt_dev_create("host", err);
    if (b->dev)
        b->num = sxt_num_create(backend, b->dev, threads, err);
    return b->num ? 0 : -1;
}

void bench_close(struct bench *b)
{
    sxt_num_destroy(b->num);
    sxt_dev_destroy(b->dev);
}

double bench_now(const struct bench *b)
{
    struct timespec t;

    if (b->num->threads > 1)
        return sxt_clock();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double bench_best(struct bench *b, bench_action *act, void *what)
{
    double start = bench_now(b), shortest = 1e9;

    act(b, what, 0);
    for (size_t i = 1; i < 4 || bench_now(b) - start < seconds; i++) {
        double from = bench_now(b);
        act(b, what, i);
        double took = bench_now(b) - from;
        shortest = took < shortest ? took : shortest;
    }
    return shortest;
}

/* A cheap generator will do. */
void *bench_numbers(struct bench *b, size_t n, enum sxt_dtype type)
{
    char *host = sxt_alloc(n, sxt_dtype_size(type));
    void *x = sxt_dev_alloc(b->dev, n * sxt_dtype_size(type));
    uint32_t state = 1;

    for (size_t i = 0; i < n; i++) {
        float sum = -3;
        for (int j = 0; j < 6; j++) {
            state = state * 1664525u + 1013904223u;
            sum += (float)(state >> 8) * 0x1p-24f;
        }
        sxt_store(host, type, i, 1.4f * sum);
    }
    sxt_dev_put(b->dev, x, host, n * sxt_dtype_size(type));
    free(host);
    return x;
}

/* ---- products ---- */

struct bench_product bench_product(struct bench *b, size_t m, size_t n,
                                   size_t k, enum bench_form form,
                                   enum sxt_dtype type)
{
    size_t copies = m > 64 ? 1 : 1 + (96 << 20) / (n * k * 4);
    bool ta = form == BENCH_TN, tb = form == BENCH_NT;
    enum sxt_dtype c_type = ta ? SXT_F32 : type;

    return (struct bench_product){
        { .m = m,
          .n = n,
          .k = k,
          .ta = ta,
          .tb = tb,
          .alpha = 1,
          .a = bench_numbers(b, m * k, type),
          .b = bench_numbers(b, copies * n * k, type),
          .c = sxt_dev_alloc(b->dev, m * n * sxt_dtype_size(c_type)),
          .lda = ta ? m : k,
          .ldb = tb ? k : n,
          .ldc = n,
          .type = type,
          .c_type = c_type },
        copies
    };
}

void bench_product_free(struct bench *b, struct bench_product *p)
{
    sxt_dev_free(b->dev, (void *)(uintptr_t)p->g.a);
    sxt_dev_free(b->dev, (void *)(uintptr_t)p->g.b);
    sxt_dev_free(b->dev, p->g.c);
}

void bench_multiply(struct bench *b, void *product, size_t turn)
{
    struct bench_product *p = product;
    struct sxt_gemm g = p->g;

    g.b = (const char *)g.b +
          turn % p->copies * g.n * g.k * sxt_dtype_size(g.type);
    sxt_gemm(b->num, &g);
}

#ifdef HAVE_ONEDNN
bool bench_has_onednn(void)
{
    return true;
}

void bench_multiply_onednn(struct bench *b, void *product, size_t turn)
{
    const struct sxt_gemm *g = &((struct bench_product *)product)->g;

    (void)b;
    (void)turn;
    dnnl_sgemm(g->ta ? 'T' : 'N', g->tb ? 'T' : 'N', (dnnl_dim_t)g->m,
               (dnnl_dim_t)g->n, (dnnl_dim_t)g->k, 1, g->a, (dnnl_dim_t)g->lda,
               g->b, (dnnl_dim_t)g->ldb, 0, g->c, (dnnl_dim_t)g->ldc);
}
#else
bool bench_has_onednn(void)
{
    return false;
}

void bench_multiply_onednn(struct bench *b, void *product, size_t turn)
{
    bench_multiply(b, product, turn);
}
#endif

/* ---- limits ---- */

static void read_memory(struct bench *b, void *what, size_t turn)
{
    const uint64_t *x = what;
    uint64_t sum = turn;

#pragma omp parallel for simd reduction(+ : sum) num_threads(b->num->threads)
    for (size_t i = 0; i < MEMORY_BYTES / sizeof(*x); i++)
        sum += x[i];
    volatile uint64_t keep = sum;
    (void)keep;
}

/* Each byte read and written counts: twice the array. */
static void rewrite_memory(struct bench *b, void *what, size_t turn)
{
    float *x = what, factor = turn % 2 ? 0.5f : 2;

#pragma omp parallel for simd num_threads(b->num->threads)
    for (size_t i = 0; i < MEMORY_BYTES / sizeof(*x); i++)
        x[i] *= factor;
}

void bench_limits(struct bench *b)
{
    void *memory = bench_numbers(b, MEMORY_BYTES / 4, SXT_F32);
    struct bench_product p =
        bench_product(b, SIDE, SIDE, SIDE, BENCH_NT, SXT_F32);

    b->bytes = MEMORY_BYTES / bench_best(b, read_memory, memory);
    b->rewritten = 2.0 * MEMORY_BYTES / bench_best(b, rewrite_memory, memory);
    b->flops =
        2.0 * SIDE * SIDE * SIDE / bench_best(b, bench_multiply_onednn, &p);
    printf("%-32s %s, %.1f GB/s read, %.1f rewritten, %.1f GFLOP/s %s\n",
           "limits", b->num->about, b->bytes * 1e-9, b->rewritten * 1e-9,
           b->flops * 1e-9,
           bench_has_onednn() ? "oneDNN gemm f32" : "own gemm f32");
    sxt_dev_free(b->dev, memory);
    bench_product_free(b, &p);
}
