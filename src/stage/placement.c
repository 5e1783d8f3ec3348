/* placement.c - on which devices a command computes, with which kernels. */
#include "stage/placement.h"

#include <omp.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define AT(field) offsetof(struct sxt_placement, field)
const struct sxt_cfg_param sxt_placement_params[] = {
    { "device", SXT_CFG_CHOICE, "auto", 0, 0, "1",
      "A GPU for each rank, the processor, or GPUs wherever they will do; fake "
      "is the processor with memory that finds wrong accesses.",
      AT(device), "auto|cuda|cpu|fake", NULL },
    { "share_device", SXT_CFG_BOOL, "false", 0, 0, "1",
      "Ranks may share a GPU; else that is refused.", AT(share_device), NULL,
      NULL },
    { "backend", SXT_CFG_CHOICE, "auto", 0, 0, "1",
      "Kernels: the best there are, fast ones, or the reference.", AT(backend),
      "auto|cpu|ref", NULL },
    { "threads", SXT_CFG_INT, "0", 0, 4096, "threads",
      "Threads of each rank; 0: its share of the node's cores.", AT(threads),
      NULL, NULL },
    { .name = NULL }
};
#undef AT

/* A rank that may run on all cores of its node shares them with the others;
 * one that is bound to some has these. */
static int share_of_threads(struct sxt_comm comm)
{
    int procs = omp_get_num_procs(), ranks = sxt_comm_on_node(comm);
    bool bound = procs < (int)sysconf(_SC_NPROCESSORS_ONLN);

    if (bound || getenv("OMP_NUM_THREADS"))
        return 0;
    return procs > ranks ? procs / ranks : 1;
}

int sxt_placement_open(const struct sxt_run *run, const struct sxt_placement *v,
                       enum sxt_num_use use, struct sxt_dev **dev,
                       struct sxt_num **num, struct sxt_error *err)
{
    int share = share_of_threads(run->comm);
    const struct sxt_num_wish wish = { .device = v->device,
                                       .backend = v->backend,
                                       .share = v->share_device,
                                       .threads = v->threads > 0
                                                      ? (int)v->threads
                                                      : share,
                                       .use = use };
    char *report;

    if (sxt_num_open(run->comm, &wish, dev, num, &report, err) != 0)
        return -1;
    sxt_log_lines(&run->log, SXT_LOG_INFO, report);
    free(report);
    return 0;
}
