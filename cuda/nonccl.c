/* nonccl.c - in place of NCCL where it was not built. */
#include "dev/link.h"

const struct sxt_link_driver *sxt_link_nccl(void)
{
    return NULL;
}
