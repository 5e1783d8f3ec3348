/* none.c - in place of the CUDA backend where it was not built. */
#include "dev/driver.h"
#include "num/ops.h"

static int absent(struct sxt_error *err)
{
    return sxt_err(err, SXT_EXIT_UNAVAILABLE,
                   "this build has no CUDA backend (configure found no nvcc "
                   "or was told --without-cuda)");
}

const struct sxt_dev_driver *sxt_dev_cuda(void)
{
    return NULL;
}

int sxt_dev_cuda_count(struct sxt_error *err)
{
    return absent(err);
}

void sxt_dev_cuda_uuid(int ordinal, char uuid[40])
{
    (void)ordinal;
    uuid[0] = '\0';
}

int sxt_cuda_install(struct sxt_num *num, struct sxt_error *err)
{
    (void)num;
    return absent(err);
}
