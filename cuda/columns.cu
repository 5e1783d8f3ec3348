/* columns.cu - adds the sums of groups of rows. */
#include "cuda/columns.h"

#include "cuda/kernel.cuh"

enum { COLUMNS = 32, SLICES = 16 }; /* threads of a block */

/* Enough to fill a GPU, few enough to be read again at little cost. */
enum { MOST_GROUPS = 512 };

struct sxt_groups sxt_cuda_groups(const struct sxt_num *num, size_t t,
                                  size_t width)
{
    size_t most = SXT_CUDA_SCRATCH / (width * sizeof(float));
    struct sxt_groups g = {};

    SXT_CHECK(most > 0);
    most = most < MOST_GROUPS ? most : (size_t)MOST_GROUPS;
    g.rows = (t + most - 1) / most;
    g.n = (t + g.rows - 1) / g.rows;
    g.part = (float *)sxt_cuda_of(num)->scratch;
    return g;
}

/* Slice s of a column sums groups s, s + SLICES …; then the slices in order. */
__global__ void __launch_bounds__(COLUMNS *SLICES)
    add_groups(float *y, const float *part, size_t n, size_t width)
{
    __shared__ float slice[SLICES][COLUMNS];
    size_t c = (size_t)blockIdx.x * COLUMNS + threadIdx.x;
    float sum = 0;

    for (size_t g = threadIdx.y; c < width && g < n; g += SLICES)
        sum += part[g * width + c];
    slice[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y > 0 || c >= width)
        return;
    for (int s = 1; s < SLICES; s++)
        sum += slice[s][threadIdx.x];
    y[c] += sum;
}

void sxt_cuda_add_groups(struct sxt_num *num, float *y,
                         const struct sxt_groups *groups, size_t width)
{
    SXT_LAUNCH(add_groups, sxt_blocks(width, COLUMNS), dim3(COLUMNS, SLICES), 0,
               sxt_cuda_of(num)->stream, y, groups->part, groups->n, width);
}
