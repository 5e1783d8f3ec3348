/* rope.cu - bias, rotary embedding and the store to the KV cache, at once.
 *
 * A block does a token.  Its work is pieces of EACH elements: of the first half
 * of a query or key head, together with those half a head further, and of a
 * value head.
 *
 * Backward, a thread has such a piece for a group of tokens, one after the
 * other, and sums it up for the gradient of the bias. */
#include "cuda/columns.h"
#include "cuda/kernel.cuh"

enum { THREADS = 128, EACH = 8 };

template <class T> struct rope {
    T *qkv;
    const T *bias;
    const int32_t *pos, *slot;
    const float *cos, *sin;
    T *k_cache, *v_cache;
    size_t hq, hk, d;
    bool wide;
};

/* Elements i … of the first half of the head that begins at `head` elements of
 * the token's row, and their partners. */
template <class T>
__device__ static void turn(const rope<T> &a, T *row, size_t head, size_t i,
                            size_t pos, T *key)
{
    size_t half = a.d / 2;
    float u[EACH], v[EACH], c[EACH], s[EACH], b[EACH];

    sxt_load_row(u, row + head, i, half, a.wide);
    sxt_load_row(v, row + head + half, i, half, a.wide);
    if (a.bias) {
        sxt_load_row(b, a.bias + head, i, half, a.wide);
        for (int j = 0; j < EACH; j++)
            u[j] += b[j];
        sxt_load_row(b, a.bias + head + half, i, half, a.wide);
        for (int j = 0; j < EACH; j++)
            v[j] += b[j];
    }
    sxt_load_row(c, a.cos + pos * half, i, half, a.wide);
    sxt_load_row(s, a.sin + pos * half, i, half, a.wide);
    for (int j = 0; j < EACH; j++) {
        float x = u[j], y = v[j];
        u[j] = x * c[j] - y * s[j];
        v[j] = y * c[j] + x * s[j];
    }
    sxt_store_row(row + head, u, i, half, a.wide);
    sxt_store_row(row + head + half, v, i, half, a.wide);
    if (key) {
        sxt_store_row(key, u, i, half, a.wide);
        sxt_store_row(key + half, v, i, half, a.wide);
    }
}

/* Elements i … of a value head: the bias, and the cache. */
template <class T>
__device__ static void pass(const rope<T> &a, T *row, size_t head, size_t i,
                            T *value)
{
    float v[EACH], b[EACH];

    if (!a.bias && !value)
        return;
    sxt_load_row(v, row + head, i, a.d, a.wide);
    if (a.bias) {
        sxt_load_row(b, a.bias + head, i, a.d, a.wide);
        for (int j = 0; j < EACH; j++)
            v[j] += b[j];
        sxt_store_row(row + head, v, i, a.d, a.wide);
    }
    if (value)
        sxt_store_row(value, v, i, a.d, a.wide);
}

template <class T>
__global__ void __launch_bounds__(THREADS) rotate(const rope<T> a)
{
    size_t t = blockIdx.x, rotated = a.hq + a.hk;
    unsigned per_turn = (unsigned)(a.d / 2 + EACH - 1) / EACH;
    unsigned per_pass = (unsigned)(a.d + EACH - 1) / EACH;
    unsigned turns = (unsigned)rotated * per_turn; /* of 32 bits: divided by */
    T *row = a.qkv + t * (rotated + a.hk) * a.d;
    bool keep = a.k_cache && a.slot[t] >= 0;
    size_t kept = keep ? (size_t)a.slot[t] * a.hk : 0; /* heads before it */

    for (unsigned p = threadIdx.x; p < turns + (unsigned)a.hk * per_pass;
         p += THREADS) {
        if (p < turns) {
            size_t h = p / per_turn;
            bool key = keep && h >= a.hq;
            turn(a, row, h * a.d, p % per_turn * EACH, (size_t)a.pos[t],
                 key ? a.k_cache + (kept + h - a.hq) * a.d : NULL);
        } else {
            size_t h = (p - turns) / per_pass;
            pass(a, row, (rotated + h) * a.d, (p - turns) % per_pass * EACH,
                 keep ? a.v_cache + (kept + h) * a.d : NULL);
        }
    }
}

template <class T>
static void run(struct sxt_num *num, const struct sxt_rope *a)
{
    const rope<T> b = { (T *)a->qkv, (const T *)a->bias, a->pos, a->slot,
                        a->cos, a->sin, (T *)a->k_cache, (T *)a->v_cache, a->hq,
                        a->hk, a->d,
                        /* all rows and halves are multiples of half a head */
                        sxt_is_wide<T>(a->qkv, a->d / 2) &&
                            sxt_is_wide<T>(a->bias, a->d / 2) &&
                            sxt_is_wide<T>(a->k_cache, a->d / 2) &&
                            sxt_is_wide<T>(a->v_cache, a->d / 2) &&
                            sxt_is_wide<float>(a->cos, a->d / 2) &&
                            sxt_is_wide<float>(a->sin, a->d / 2) };

    SXT_LAUNCH(rotate<T>, (unsigned)a->t, THREADS, 0, sxt_cuda_of(num)->stream,
               b);
}

void sxt_cuda_rope(struct sxt_num *num, const struct sxt_rope *a)
{
    if (a->type == SXT_F32)
        run<float>(num, a);
    else
        run<bf16>(num, a);
}

/* What backward does: rotate gradients back; part (groups, width) or NULL. */
template <class T> struct back {
    T *qkv;
    float *part;
    const int32_t *pos;
    const float *cos, *sin;
    size_t t, rows, hq, hk, d;
    bool wide;
};

/* As turn(), by the opposite angle; what is summed is what is stored. */
template <class T>
__device__ static void turn_back(const back<T> &a, size_t head, size_t i,
                                 size_t first, size_t end, float *part)
{
    size_t half = a.d / 2, width = (a.hq + 2 * a.hk) * a.d;
    float u[EACH], v[EACH], c[EACH], s[EACH], du[EACH] = {}, dv[EACH] = {};

    for (size_t t = first; t < end; t++) {
        T *x = a.qkv + t * width + head, *y = x + half;
        size_t angle = (size_t)a.pos[t] * half;
        sxt_load_row(u, x, i, half, a.wide);
        sxt_load_row(v, y, i, half, a.wide);
        sxt_load_row(c, a.cos + angle, i, half, a.wide);
        sxt_load_row(s, a.sin + angle, i, half, a.wide);
        for (int j = 0; j < EACH; j++) {
            float p = u[j], q = v[j];
            u[j] = p * c[j] + q * s[j];
            v[j] = q * c[j] - p * s[j];
            du[j] += sxt_f32(sxt_round<T>(u[j]));
            dv[j] += sxt_f32(sxt_round<T>(v[j]));
        }
        sxt_store_row(x, u, i, half, a.wide);
        sxt_store_row(y, v, i, half, a.wide);
    }
    if (!part)
        return;
    sxt_store_row(part + head, du, i, half, a.wide);
    sxt_store_row(part + head + half, dv, i, half, a.wide);
}

template <class T>
__device__ static void sum_value(const back<T> &a, size_t head, size_t i,
                                 size_t first, size_t end, float *part)
{
    size_t width = (a.hq + 2 * a.hk) * a.d;
    float v[EACH], sum[EACH] = {};

    for (size_t t = first; t < end; t++) {
        sxt_load_row(v, a.qkv + t * width + head, i, a.d, a.wide);
        for (int j = 0; j < EACH; j++)
            sum[j] += v[j];
    }
    sxt_store_row(part + head, sum, i, a.d, a.wide);
}

template <class T>
__global__ void __launch_bounds__(THREADS) rotate_back(const back<T> a)
{
    size_t rotated = a.hq + a.hk;
    unsigned p = blockIdx.x * THREADS + threadIdx.x;
    unsigned per_turn = (unsigned)(a.d / 2 + EACH - 1) / EACH;
    unsigned per_pass = (unsigned)(a.d + EACH - 1) / EACH;
    unsigned turns = (unsigned)rotated * per_turn;
    size_t first = blockIdx.y * a.rows, end = min(first + a.rows, a.t);
    float *part = a.part ? a.part + blockIdx.y * (rotated + a.hk) * a.d : NULL;

    if (p < turns) {
        turn_back(a, p / per_turn * a.d, p % per_turn * EACH, first, end, part);
    } else if (part && p < turns + a.hk * per_pass) {
        size_t head = rotated + (p - turns) / per_pass;
        sum_value(a, head * a.d, (p - turns) % per_pass * EACH, first, end,
                  part);
    }
}

template <class T>
static void run_bwd(struct sxt_num *num, const struct sxt_rope *a, float *dbias)
{
    size_t width = (a->hq + 2 * a->hk) * a->d;
    size_t pieces = (a->hq + a->hk) * sxt_blocks(a->d / 2, EACH) +
                    a->hk * sxt_blocks(a->d, EACH);
    struct sxt_groups g = sxt_cuda_groups(num, a->t, width);
    const back<T> b = { (T *)a->qkv,
                        dbias ? g.part : NULL,
                        a->pos,
                        a->cos,
                        a->sin,
                        a->t,
                        g.rows,
                        a->hq,
                        a->hk,
                        a->d,
                        sxt_is_wide<T>(a->qkv, a->d / 2) &&
                            sxt_is_wide<float>(a->cos, a->d / 2) &&
                            sxt_is_wide<float>(a->sin, a->d / 2) };

    SXT_LAUNCH(rotate_back<T>, dim3(sxt_blocks(pieces, THREADS), (unsigned)g.n),
               THREADS, 0, sxt_cuda_of(num)->stream, b);
    if (dbias)
        sxt_cuda_add_groups(num, dbias, &g, width);
}

void sxt_cuda_rope_bwd(struct sxt_num *num, const struct sxt_rope *a,
                       float *dbias)
{
    if (a->type == SXT_F32)
        run_bwd<float>(num, a, dbias);
    else
        run_bwd<bf16>(num, a, dbias);
}
