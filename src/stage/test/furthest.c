/* furthest.c - the largest difference of two models' parameters, for program
 * tests: furthest MODEL.h5 MODEL.h5. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "model/weights.h"
#include "num/dtype.h"

static struct sxt_in *open_model(const char *path, struct sxt_model_head *head)
{
    struct sxt_error err = { 0 };
    struct sxt_in *in = sxt_in_open(path, SXT_MODEL_FORMAT, &err);

    if (!in || sxt_model_read_head(in, head, &err) != 0) {
        fprintf(stderr, "furthest: %s\n", err.text);
        exit(err.code);
    }
    return in;
}

int main(int argc, char **argv)
{
    struct sxt_model_head head[2] = { 0 };
    struct sxt_error err = { 0 };
    struct sxt_in *in[2];
    double worst = 0;

    if (argc != 3)
        return SXT_EXIT_USAGE;
    for (int i = 0; i < 2; i++)
        in[i] = open_model(argv[i + 1], &head[i]);
    const struct sxt_layout *layout = &head[0].layout;
    for (size_t u = 0; u < layout->n_units; u++) {
        size_t n = layout->unit_size[u];
        float *x = sxt_calloc(2 * n, sizeof(*x));
        for (int i = 0; i < 2; i++)
            if (sxt_model_read_unit(in[i], layout, u, 0, n, SXT_F32, x + i * n,
                                    &err) != 0) {
                fprintf(stderr, "furthest: %s\n", err.text);
                return err.code;
            }
        for (size_t k = 0; k < n; k++) {
            double d = fabs((double)x[k] - (double)x[n + k]);
            worst = d <= worst ? worst : d;
        }
        free(x);
    }
    printf("%.3e\n", worst);
    for (int i = 0; i < 2; i++) {
        sxt_model_head_free(&head[i]);
        sxt_in_close(in[i]);
    }
    return 0;
}
