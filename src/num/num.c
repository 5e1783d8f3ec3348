/* num.c - choosing a backend and giving it back. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "num/ops.h"

/* An entry that a backend does not override is ref's. */
static int install(struct sxt_num *num, const char *name, struct sxt_error *err)
{
    num->op = sxt_ops_ref;
    snprintf(num->about, sizeof(num->about), "plain C, sums in f64");
    if (strcmp(name, "ref") == 0)
        return 0;
    if (strcmp(name, "cpu") == 0 || strcmp(name, "auto") == 0)
        return sxt_cpu_install(num, err);
    return sxt_err(err, SXT_EXIT_CONFIG,
                   "backend '%s' is not in this build; there are ref, cpu and "
                   "auto",
                   name);
}

struct sxt_num *sxt_num_create(const char *name, struct sxt_dev *dev,
                               int threads, struct sxt_error *err)
{
    struct sxt_num *num = sxt_calloc(1, sizeof(*num));

    SXT_CHECK(threads >= 0);
    num->dev = dev;
    num->threads = threads > 0 ? threads : omp_get_max_threads();
    if (install(num, name, err) != 0) {
        sxt_num_destroy(num);
        return NULL;
    }
    return num;
}

void sxt_num_destroy(struct sxt_num *num)
{
    if (!num)
        return;
    if (num->destroy_state)
        num->destroy_state(num->state);
    free(num);
}

void sxt_num_describe(const struct sxt_num *num, char text[200])
{
    snprintf(text, 200, "%s (%s), %d thread%s, device %s", num->op.name,
             num->about, num->threads, num->threads == 1 ? "" : "s",
             sxt_dev_kind(num->dev));
}
