/* emu-self.cu - the emulated GPU computes what CUDA documents, and ends a
 * kernel that does what no kernel may; with SXT_EMU_PTX, its interpreter. */
#include "cuda/mma.cuh"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test/tap.h"
#include "cuda/emu/memory.h"
#include "cuda/kernel.cuh"

/* ---- what it computes: each kernel fills out[threadIdx.x] ---- */

__global__ void shuffles(float *out)
{
    int i = (int)threadIdx.x;
    float x = (float)i;

    x += 100 * __shfl_xor_sync(0xffffffffu, x, 1);
    x += 1e4f * (float)__shfl_down_sync(0xffffffffu, i, 2, 8);
    x += (float)(__ballot_sync(0xffffffffu, i % 2) == 0xaaaaaaaau);
    out[i] = x;
}

static float expect_shuffles(int i)
{
    int down = i % 8 + 2 < 8 ? i + 2 : i;

    return (float)i + 100 * (float)(i ^ 1) + 1e4f * (float)down + 1;
}

__global__ void halves(float *out)
{
    unsigned mask = threadIdx.x < 16 ? 0xffffu : 0xffff0000u;
    float x = (float)threadIdx.x;

    if (threadIdx.x < 16)
        x = __shfl_sync(mask, x, 3);
    else
        x = __shfl_sync(mask, x, 20);
    out[threadIdx.x] = x;
}

static float expect_halves(int i)
{
    return i < 16 ? 3 : 20;
}

__global__ void shares(float *out)
{
    __shared__ float fixed[32];
    SXT_SHARED(float, moving);

    fixed[threadIdx.x] = (float)threadIdx.x;
    moving[31 - threadIdx.x] = (float)threadIdx.x;
    __syncthreads();
    out[threadIdx.x] = 100 * fixed[31 - threadIdx.x] + moving[threadIdx.x] +
                       1e4f * (float)__syncthreads_count(threadIdx.x < 5);
}

static float expect_shares(int i)
{
    return (float)(101 * (31 - i) + 50000);
}

/* A row of A times B with integers that bf16 holds. */
__global__ void multiplies(float *out)
{
    __shared__ __align__(16) bf16 a[16][16], b[8][16];
    float c[4] = { 1, 1, 1, 1 };
    uint32_t ra[4], rb[2];
    int lane = (int)threadIdx.x;

    for (int i = lane; i < 256; i += 32)
        a[i / 16][i % 16] = __float2bfloat16_rn((float)(i % 7 - i / 16));
    for (int i = lane; i < 128; i += 32)
        b[i / 16][i % 16] = __float2bfloat16_rn((float)(i % 5 + i / 16));
    __syncthreads();
    sxt_ldmatrix_x4(ra, &a[lane % 16][lane / 16 * 8]);
    sxt_ldmatrix_x2(rb, &b[lane % 8][lane / 8 % 2 * 8]);
    sxt_mma_bf16(c, ra, rb);
    out[lane] = c[0] + 1e3f * c[3];
}

static float expect_multiplies(int i)
{
    float c[2] = { 1, 1 };

    for (int u = 0; u < 2; u++)
        for (int k = 0; k < 16; k++) {
            int row = i / 4 + 8 * u, col = i % 4 * 2 + u;
            c[u] += (float)((row * 16 + k) % 7 - row) *
                    (float)((col * 16 + k) % 5 + col);
        }
    return c[0] + 1e3f * c[1];
}

/* A transposed load, against the elements themselves. */
__global__ void transposes(float *out)
{
    __shared__ __align__(16) bf16 m[8][8];
    uint32_t r[2];
    int lane = (int)threadIdx.x;

    for (int i = lane; i < 64; i += 32)
        m[i / 8][i % 8] = __float2bfloat16_rn((float)i);
    __syncthreads();
    sxt_ldmatrix_x2_trans(r, &m[lane % 8][0]);
    out[lane] =
        __uint_as_float(r[0] << 16) + 100 * __uint_as_float(r[0] & 0xffff0000u);
}

static float expect_transposes(int i)
{
    int g = i / 4, t = i % 4;

    return (float)(2 * t * 8 + g + 100 * ((2 * t + 1) * 8 + g));
}

/* Two groups of copies; zeros where nothing is inside. */
__global__ void copies(float *out)
{
    __shared__ __align__(16) float x[64];
    int i = (int)threadIdx.x;

    out[i] = (float)i;
    __syncthreads();
    if (i < 8)
        sxt_copy_async(x + 4 * i, out + 4 * i, i < 6);
    sxt_copy_commit();
    sxt_copy_wait<0>();
    __syncthreads();
    float y = x[i];
    __syncthreads();
    out[i] = y;
}

static float expect_copies(int i)
{
    return i < 24 ? (float)i : 0;
}

static const struct {
    const char *claim;
    void (*kernel)(float *);
    float (*expect)(int);
} results[] = {
    { "shuffles and votes of a warp", shuffles, expect_shuffles },
    { "shuffles of two halves apart", halves, expect_halves },
    { "shared memory and barriers", shares, expect_shares },
    { "matrix loads and multiply-add", multiplies, expect_multiplies },
    { "a transposed matrix load", transposes, expect_transposes },
    { "asynchronous copies", copies, expect_copies },
};

static void test_results(bool reverse)
{
    float *out, got[32];

    sxt_emu_reverse(reverse);
    cudaMalloc((void **)&out, sizeof(got));
    for (const auto &r : results) {
        int wrong = 0;
        SXT_LAUNCH(r.kernel, 1, 32, 128, NULL, out);
        cudaMemcpyAsync(got, out, sizeof(got), cudaMemcpyDeviceToHost, NULL);
        for (int i = 0; i < 32; i++)
            wrong += got[i] != r.expect(i);
        ok(wrong == 0, "emu-self: %s, %s thread first", r.claim,
           reverse ? "last" : "first");
    }
    cudaFree(out);
    sxt_emu_reverse(false);
}

/* ---- what it ends; 64 threads, out holds 64 numbers ---- */

__global__ void reads_behind(float *out)
{
    out[threadIdx.x] = out[threadIdx.x + 4096];
}

__global__ void writes_just_behind(float *out)
{
    if (threadIdx.x == 0)
        out[61] = 1;
}

__global__ void reads_before(float *out)
{
    out[threadIdx.x] = out[(int)threadIdx.x - 4096];
}

__global__ void half_at_barrier(float *)
{
    if (threadIdx.x < 32)
        __syncthreads();
}

__global__ void two_barriers(float *)
{
    if (threadIdx.x < 32)
        __syncthreads();
    else
        __syncthreads();
}

__global__ void lane_missing(float *out)
{
    if (threadIdx.x != 7)
        out[threadIdx.x] = __shfl_sync(0xffffffffu, 1.0f, 0);
}

__global__ void lane_outside(float *out)
{
    if (threadIdx.x < 8)
        out[threadIdx.x] = __shfl_sync(0xffu, 1.0f, 9);
}

__global__ void behind_shared(float *out)
{
    SXT_SHARED(float, x);

    out[threadIdx.x] = x[512];
}

__global__ void copy_without_wait(float *out)
{
    __shared__ __align__(16) float x[256];

    sxt_copy_async(x + 4 * threadIdx.x, out, true);
    sxt_copy_commit();
}

__global__ void nothing(float *)
{
}

static const struct {
    const char *claim;
    void (*kernel)(float *);
    unsigned threads;
    size_t shared;
    const char *message;
    const char *by_ptx = NULL; /* NULL: the same */
} faults[] = {
    { "a read behind all memory", reads_behind, 64, 0, "touches 0x" },
    { "a write one number behind a block", writes_just_behind, 64, 0,
      "wrote 4 bytes behind a block of 240 bytes" },
    { "a read before all memory", reads_before, 64, 0, "touches 0x" },
    { "a barrier that half of the block reaches", half_at_barrier, 64, 0,
      "threads 0 - 31: at the barrier", "the block's first warp waits" },
    { "two barriers at a time", two_barriers, 64, 0,
      "wait for each other in vain", "the block's first warp waits" },
    { "a warp operation without one of its lanes", lane_missing, 64, 0,
      "in the warp operation", "for lanes that do not come" },
    { "a value of a lane that takes no part", lane_outside, 64, 0,
      "which takes no part" },
    { "a read behind dynamic shared memory", behind_shared, 64, 64,
      "touches 0x", "of 64 bytes of shared memory" },
    { "a copy that nobody waits for", copy_without_wait, 64, 0,
      "nobody waited for" },
    { "a block of 1056 threads", nothing, 1056, 0, "a block of (1056, 1, 1)" },
    { "more shared memory than was asked for", nothing, 32, 50000,
      "allowed are 49152" },
};

/* Run it in a child; its words on stderr.  False if it lives. */
static bool dies(size_t i, float *out, char *words, size_t size)
{
    struct rlimit no_core = { 0, 0 };
    int ends[2], status = 0;
    size_t used = 0;

    fflush(stdout);
    if (pipe(ends) != 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(ends[1], STDERR_FILENO);
        SXT_LAUNCH(faults[i].kernel, 1, faults[i].threads, faults[i].shared,
                   NULL, out);
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t n; used + 1 < size &&
                    (n = read(ends[0], words + used, size - 1 - used)) > 0;)
        used += (size_t)n;
    words[used] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void test_faults(void)
{
    char words[2000];
    float *out;

    cudaMalloc((void **)&out, 60 * sizeof(*out));
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        const char *message = getenv("SXT_EMU_PTX") && faults[i].by_ptx
                                  ? faults[i].by_ptx
                                  : faults[i].message;
        bool dead =
            dies(i, out, words, sizeof(words)) && strstr(words, message);
        ok(dead, "emu-self: %s is fatal", faults[i].claim);
        if (!dead)
            printf("# %s\n", words);
    }
    cudaFree(out);
}

/* A kernel that lacks a barrier gives two results in two orders. */
__global__ void races(float *out)
{
    __shared__ float x[2];
    unsigned warp = threadIdx.x / 32;

    x[warp] = 0;
    __syncthreads();
    x[warp] = 1;
    out[threadIdx.x] = x[1 - warp];
}

/* Lanes in lock step do not show that a __syncwarp() is missing. */
__global__ void hurries(float *out)
{
    __shared__ float x[64];

    x[threadIdx.x] = 0;
    __syncthreads();
    x[threadIdx.x] = 1;
    out[threadIdx.x] = x[threadIdx.x ^ 1];
}

/* How many of the lanes were too early. */
static int early(float *out)
{
    float got[64];
    int n = 0;

    SXT_LAUNCH(hurries, 1, 64, 0, NULL, out);
    cudaMemcpyAsync(got, out, sizeof(got), cudaMemcpyDeviceToHost, NULL);
    for (int i = 0; i < 64; i++)
        n += got[i] != 1;
    return n;
}

static void test_orders(void)
{
    float *out, got[2][64];

    cudaMalloc((void **)&out, sizeof(got[0]));
    for (int i = 0; i < 2; i++) {
        sxt_emu_reverse(i == 1);
        SXT_LAUNCH(races, 1, 64, 0, NULL, out);
        cudaMemcpyAsync(got[i], out, sizeof(got[i]), cudaMemcpyDeviceToHost,
                        NULL);
    }
    sxt_emu_reverse(false);
    ok(memcmp(got[0], got[1], sizeof(got[0])) != 0,
       "emu-self: a missing barrier shows in the order of the threads");
    if (getenv("SXT_EMU_PTX")) {
        int before = early(out), n = 0;
        setenv("SXT_EMU_PTX_ORDER", "1", 1);
        for (int i = 0; i < 20; i++)
            n += early(out);
        ok(before == 0 && n > 0,
           "emu-self: by chance, lanes of a warp are apart (%d)", n);
    }
    cudaFree(out);
}

static void test_memory(void)
{
    float *p, got[3];
    int host = 0;

    cudaMalloc((void **)&p, sizeof(got));
    cudaMemcpyAsync(got, p, sizeof(got), cudaMemcpyDeviceToHost, NULL);
    ok(isnan(got[0]) && isnan(got[2]), "emu-self: new memory is not a number");
    ok(cudaMemcpyAsync(p, got, 16, cudaMemcpyHostToDevice, NULL) ==
           cudaErrorInvalidValue,
       "emu-self: a copy larger than its block is refused");
    ok(cudaMemcpyAsync(p, &host, 4, cudaMemcpyDeviceToDevice, NULL) ==
           cudaErrorInvalidValue,
       "emu-self: a copy from the wrong side is refused");
    ok(cudaFree(p) == cudaSuccess && cudaFree(p) == cudaErrorInvalidValue,
       "emu-self: memory is freed once");
}

int main(void)
{
    test_results(false);
    test_results(true);
    test_faults();
    test_orders();
    test_memory();
    return done_testing();
}
