/* check.cu - the end of a process whose GPU fails. */
#include "cuda/check.h"

#include <unistd.h>

#include "cuda/sextant.h"

/* Written once, when the GPU is opened: a process has one. */
static char gpu_name[200] = "no GPU yet";

void sxt_cuda_name(const char *gpu)
{
    snprintf(gpu_name, sizeof(gpu_name), "%s", gpu);
}

/* The rank, from what launchers tell: this folder knows no MPI. */
static const char *rank_text(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_RANK", "PMI_RANK",
                                         "PMIX_RANK", "SLURM_PROCID" };

    for (const char *name : names)
        if (getenv(name))
            return getenv(name);
    return "0";
}

void sxt_cuda_fail(const char *error, const char *call, const char *file,
                   int line)
{
    char host[100] = "?";

    gethostname(host, sizeof(host) - 1);
    fflush(stdout);
    fprintf(stderr,
            "sextant: error: rank %s on %s, %s: %s\n"
            "sextant: error: in %s at %s:%d\n",
            rank_text(), host, gpu_name, error, call, file, line);
    exit(SXT_EXIT_UNAVAILABLE);
}

void sxt_cuda_check(cudaError_t error, const char *call, const char *file,
                    int line)
{
    char text[300];

    if (error == cudaSuccess)
        return;
    snprintf(text, sizeof(text), "%s (%s)", cudaGetErrorString(error),
             cudaGetErrorName(error));
    sxt_cuda_fail(text, call, file, line);
}
