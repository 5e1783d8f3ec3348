/* lab.c - a backend on a device and arrays for it. */
#include "num/test/lab.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

void lab_open(struct lab *lab, const char *backend, const char *device,
              int threads)
{
    struct sxt_error err = { 0 };

    *lab = (struct lab){ 0 };
    lab->dev = sxt_dev_create(device, &err);
    if (lab->dev)
        lab->num = sxt_num_create(backend, lab->dev, threads, &err);
    if (!lab->num) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
}

void lab_clean(struct lab *lab, uint64_t seed)
{
    while (lab->n_device > 0)
        sxt_dev_free(lab->dev, lab->device[--lab->n_device]);
    while (lab->n_host > 0)
        free(lab->host[--lab->n_host]);
    lab->rng = (struct sxt_rng){ seed, 0 };
    lab->drawn = 0;
}

void lab_close(struct lab *lab)
{
    lab_clean(lab, 0);
    sxt_num_destroy(lab->num);
    sxt_dev_destroy(lab->dev);
}

void *lab_bytes(struct lab *lab, size_t n)
{
    SXT_CHECK(lab->n_device < LAB_BLOCKS);
    return lab->device[lab->n_device++] = sxt_dev_alloc(lab->dev, n);
}

void *lab_host(struct lab *lab, size_t count, size_t size)
{
    SXT_CHECK(lab->n_host < LAB_BLOCKS);
    return lab->host[lab->n_host++] = sxt_calloc(count, size);
}

void *lab_zeros(struct lab *lab, size_t n, enum sxt_dtype type)
{
    return lab_bytes(lab, n * sxt_dtype_size(type));
}

void *lab_put(struct lab *lab, const double *x, size_t n, enum sxt_dtype type)
{
    void *to = lab_zeros(lab, n, type), *typed = sxt_alloc(n, 4);

    for (size_t i = 0; i < n; i++)
        sxt_store(typed, type, i, (float)x[i]);
    sxt_dev_put(lab->dev, to, typed, n * sxt_dtype_size(type));
    free(typed);
    return to;
}

void *lab_normals(struct lab *lab, size_t n, enum sxt_dtype type, double scale)
{
    double *x = sxt_alloc(n, sizeof(*x));

    for (size_t i = 0; i < n; i++)
        x[i] = scale * sxt_rng_normal(lab->rng, lab->drawn++);
    void *to = lab_put(lab, x, n, type);
    free(x);
    return to;
}

int32_t *lab_put_ints(struct lab *lab, const int32_t *x, size_t n)
{
    int32_t *to = lab_bytes(lab, n * sizeof(*x));

    sxt_dev_put(lab->dev, to, x, n * sizeof(*x));
    return to;
}

int32_t *lab_ints(struct lab *lab, size_t n, int32_t low, int32_t high)
{
    int32_t *x = sxt_alloc(n, sizeof(*x));

    for (size_t i = 0; i < n; i++)
        x[i] = low + (int32_t)sxt_rng_below(lab->rng, lab->drawn++,
                                            (uint64_t)(high - low));
    int32_t *to = lab_put_ints(lab, x, n);
    free(x);
    return to;
}

double *lab_get(struct lab *lab, const void *x, size_t n, enum sxt_dtype type)
{
    void *typed = sxt_alloc(n, 4);
    double *y = lab_host(lab, n, sizeof(*y));

    sxt_dev_get(lab->dev, typed, x, n * sxt_dtype_size(type));
    for (size_t i = 0; i < n; i++)
        y[i] = sxt_load(typed, type, i);
    free(typed);
    return y;
}

double *lab_get_bytes(struct lab *lab, const void *x, size_t n)
{
    uint8_t *bytes = sxt_alloc(n, 1);
    double *y = lab_host(lab, n, sizeof(*y));

    sxt_dev_get(lab->dev, bytes, x, n);
    for (size_t i = 0; i < n; i++)
        y[i] = bytes[i];
    free(bytes);
    return y;
}

int32_t *lab_get_ints(struct lab *lab, const int32_t *x, size_t n)
{
    int32_t *y = lab_host(lab, n, sizeof(*y));

    sxt_dev_get(lab->dev, y, x, n * sizeof(*y));
    return y;
}
