/* lab.h - a backend on a device, arrays in its memory, results out of it.
 *
 * Everything is freed by lab_clean; inputs depend on the seed and the order of
 * the calls only, so two labs that are asked the same hold the same. */
#ifndef SXT_NUM_TEST_LAB_H
#define SXT_NUM_TEST_LAB_H

#include "base/rng.h"
#include "num/ops.h"

enum { LAB_BLOCKS = 256 };

struct lab {
    struct sxt_dev *dev;
    struct sxt_num *num;
    struct sxt_rng rng;
    uint64_t drawn;
    void *device[LAB_BLOCKS];
    void *host[LAB_BLOCKS];
    size_t n_device, n_host;
};

/* Aborts if the backend cannot be made. */
void lab_open(struct lab *lab, const char *backend, const char *device,
              int threads);
void lab_close(struct lab *lab);
/* Forget the arrays, start the random numbers anew. */
void lab_clean(struct lab *lab, uint64_t seed);

/* Device arrays of n elements: zeros, copies, standard normals times scale,
 * integers in [low, high). */
void *lab_zeros(struct lab *lab, size_t n, enum sxt_dtype type);
void *lab_bytes(struct lab *lab, size_t n);
void *lab_put(struct lab *lab, const double *x, size_t n, enum sxt_dtype type);
void *lab_normals(struct lab *lab, size_t n, enum sxt_dtype type, double scale);
int32_t *lab_put_ints(struct lab *lab, const int32_t *x, size_t n);
int32_t *lab_ints(struct lab *lab, size_t n, int32_t low, int32_t high);

/* Host copies; at least one element is allocated. */
double *lab_get(struct lab *lab, const void *x, size_t n, enum sxt_dtype type);
double *lab_get_bytes(struct lab *lab, const void *x, size_t n);
int32_t *lab_get_ints(struct lab *lab, const int32_t *x, size_t n);
/* Host memory, zeroed. */
void *lab_host(struct lab *lab, size_t count, size_t size);

#endif
