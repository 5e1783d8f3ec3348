/* embed.cu - rows of the embedding table, and the sum of their gradients.
 *
 * Backward, tokens of one id form a chain in token order; the block of the
 * first one walks along it, so that every element is summed as ref does. */
#include "cuda/kernel.cuh"

enum { THREADS = 128, EACH = 8, TILE = 1024 };

template <class T>
__global__ void __launch_bounds__(THREADS)
    embed(T *y, const T *table, const int32_t *ids, size_t h, bool wide)
{
    const T *from = table + (size_t)ids[blockIdx.x] * h;
    T *to = y + blockIdx.x * h;
    float x[EACH];

    for (size_t c = threadIdx.x * EACH; c < h; c += THREADS * EACH) {
        sxt_load_row(x, from, c, h, wide);
        sxt_store_row(to, x, c, h, wide);
    }
}

template <class T>
static void run(struct sxt_num *num, void *y, const void *table,
                const int32_t *ids, size_t t, size_t h)
{
    bool wide = sxt_is_wide<T>(y, h) && sxt_is_wide<T>(table, h);

    SXT_LAUNCH(embed<T>, (unsigned)t, THREADS, 0, sxt_cuda_of(num)->stream,
               (T *)y, (const T *)table, ids, h, wide);
}

void sxt_cuda_embed(struct sxt_num *num, void *y, const void *table,
                    const int32_t *ids, size_t t, size_t h, enum sxt_dtype type)
{
    if (type == SXT_F32)
        run<float>(num, y, table, ids, t, h);
    else
        run<bf16>(num, y, table, ids, t, h);
}

/* A token's place in its chain. */
struct link {
    int32_t next;   /* -1: the last */
    int32_t behind; /* whether another is before it */
};

/* Thread i looks for the next token of its id, a tile of ids at a time. */
__global__ void __launch_bounds__(TILE)
    find_next(struct link *link, const int32_t *ids, int t)
{
    __shared__ int32_t tile[TILE];
    int first = (int)blockIdx.x * TILE, self = first + (int)threadIdx.x;
    int32_t id = self < t ? ids[self] : -1, next = -1;

    for (int at = first; at < t; at += TILE) {
        int n = min(TILE, t - at), from = max(self + 1 - at, 0);
        if ((int)threadIdx.x < n)
            tile[threadIdx.x] = ids[at + (int)threadIdx.x];
        __syncthreads();
        for (int i = from; next < 0 && i < n; i++)
            if (tile[i] == id)
                next = at + i;
        if (__syncthreads_and(next >= 0 || self >= t))
            break;
    }
    if (self >= t)
        return;
    link[self].next = next;
    if (next >= 0)
        link[next].behind = 1;
}

/* dtable (vocab, h) += dy (t, h), in token order. */
template <class T>
__global__ void __launch_bounds__(THREADS)
    add_chains(float *dtable, const T *dy, const int32_t *ids,
               const struct link *link, size_t h, bool wide)
{
    size_t c = ((size_t)blockIdx.y * THREADS + threadIdx.x) * EACH;
    float *to = dtable + (size_t)ids[blockIdx.x] * h, sum[EACH], x[EACH];

    if (link[blockIdx.x].behind || c >= h)
        return;
    sxt_load_row(sum, to, c, h, wide);
    for (int i = (int)blockIdx.x; i >= 0; i = link[i].next) {
        sxt_load_row(x, dy + (size_t)i * h, c, h, wide);
        for (int j = 0; j < EACH; j++)
            sum[j] += x[j];
    }
    sxt_store_row(to, sum, c, h, wide);
}

/* As many tokens at a time as scratch has links for. */
template <class T>
static void run_bwd(struct sxt_num *num, float *dtable, const void *dy,
                    const int32_t *ids, size_t t, size_t h)
{
    const struct sxt_cuda *cuda = sxt_cuda_of(num);
    const size_t most = SXT_CUDA_SCRATCH / sizeof(struct link);
    struct link *link = (struct link *)cuda->scratch;
    bool wide = sxt_is_wide<float>(dtable, h) && sxt_is_wide<T>(dy, h);

    for (size_t at = 0; at < t; at += most) {
        size_t n = t - at < most ? t - at : most;
        SXT_CUDA(cudaMemsetAsync(link, 0, n * sizeof(*link), cuda->stream));
        SXT_LAUNCH(find_next, sxt_blocks(n, TILE), TILE, 0, cuda->stream, link,
                   ids + at, (int)n);
        SXT_LAUNCH(add_chains<T>,
                   dim3((unsigned)n, sxt_blocks(h, THREADS * EACH)), THREADS, 0,
                   cuda->stream, dtable, (const T *)dy + at * h, ids + at, link,
                   h, wide);
    }
}

void sxt_cuda_embed_bwd(struct sxt_num *num, float *dtable, const void *dy,
                        const int32_t *ids, size_t t, size_t h, size_t vocab,
                        enum sxt_dtype type)
{
    (void)vocab;
    if (type == SXT_F32)
        run_bwd<float>(num, dtable, dy, ids, t, h);
    else
        run_bwd<bf16>(num, dtable, dy, ids, t, h);
}
