/* sample.cu - draw the next token of each row: ref's choice, to the bit.
 *
 * A block does a row.  What decides is computed as ref does it, by choice.h,
 * and added up as whole numbers only, so that the order of the threads does not
 * show.  Top-k and top-p need no sorting: the last rank that stays is found by
 * its digits (a radix selection), counting tokens for top-k and adding up their
 * probabilities for top-p. */
#include "cuda/kernel.cuh"
#include "num/choice.h"

enum { THREADS = 512, DIGIT = 8, DIGITS = 1 << DIGIT };

/* A token's rank as a number: its logit, then its id; higher is ahead. */
typedef unsigned __int128 rank;
enum { RANK_BITS = 96 };

/* How to draw a row, for the kernel. */
struct setting {
    double temperature, penalty, top_p;
    double depth; /* min-p: logits so far below the best at most */
    uint64_t seed, stream, index;
    int top_k; /* 0: off */
    int seen;  /* number of the row's bits in `seen`; -1: none */
};

struct drawn {
    int32_t id;
    float logprob;
};

/* Arguments of the kernel; device memory. */
struct task {
    const float *logits;
    size_t vocab, ld, words; /* words: 64-bit, of a set of tokens */
    const setting *set;      /* (rows) */
    const uint64_t *allowed; /* (words) or NULL */
    const uint64_t *seen;    /* (…, words) */
    drawn *out;              /* (rows) */
};

/* A row at work. */
struct row {
    const float *x;
    const uint64_t *allowed, *seen; /* or NULL */
    size_t vocab;
    setting set;
    double divisor;
};

struct candidate {
    double logit;
    int32_t id;
};

__device__ static bool is_in(const uint64_t *set, size_t id)
{
    return set[id / 64] >> id % 64 & 1;
}

/* Penalised and divided; false if the token is forbidden. */
__device__ static bool candidate_at(const row &r, size_t id, double *logit)
{
    double x = r.x[id];

    if (r.allowed && !is_in(r.allowed, id))
        return false;
    if (isnan(x))
        x = -INFINITY;
    if (r.seen && is_in(r.seen, id))
        x = x > 0 ? x / r.set.penalty : x * r.set.penalty;
    *logit = r.divisor == 1 ? x : x / r.divisor;
    return true;
}

__device__ static rank rank_of(double logit, size_t id)
{
    double x = logit + 0.0; /* -0 ranks as 0 */
    uint64_t bits;

    memcpy(&bits, &x, sizeof(bits));
    bits = bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
    return (rank)bits << 32 | (uint32_t) ~(uint32_t)id;
}

/* ---- over the block ---- */

__device__ static candidate better(candidate a, candidate b)
{
    bool second = b.logit > a.logit || (b.logit == a.logit && b.id < a.id);

    return second ? b : a;
}

/* The highest logit, the lowest id of equals; all threads get it. */
__device__ static candidate block_best(candidate c)
{
    __shared__ candidate part[THREADS / 32];

    for (int step = 16; step > 0; step /= 2) {
        candidate other;
        other.logit = __shfl_xor_sync(0xffffffffu, c.logit, step);
        other.id = __shfl_xor_sync(0xffffffffu, c.id, step);
        c = better(c, other);
    }
    if (threadIdx.x % 32 == 0)
        part[threadIdx.x / 32] = c;
    __syncthreads();
    c = part[0];
    for (int i = 1; i < THREADS / 32; i++)
        c = better(c, part[i]);
    __syncthreads();
    return c;
}

/* ---- the last rank that stays ---- */

struct bins {
    unsigned long long weight[DIGITS];
    unsigned count[DIGITS];
    /* where the limit is reached, and the weight ahead of that bin */
    int digit;
    unsigned long long before;
};

/* A warp looks from the highest digit down; each lane has DIGITS / 32 bins. */
__device__ static void find_digit(bins *b, unsigned long long limit)
{
    int lane = threadIdx.x, top = DIGITS - 1 - lane * (DIGITS / 32);
    unsigned long long own = 0, before = 0;

    for (int i = 0; i < DIGITS / 32; i++)
        own += b->weight[top - i];
    for (int other = 0; other < 32; other++) {
        unsigned long long x = __shfl_sync(0xffffffffu, own, other);
        before += other < lane ? x : 0;
    }
    if (before >= limit || before + own < limit)
        return;
    while (before + b->weight[top] < limit)
        before += b->weight[top--];
    b->digit = top;
    b->before = before;
}

/* What a rank weighs: one, or its probability. */
__device__ static unsigned long long weigh(bool by_mass, double below)
{
    return by_mass ? sxt_choice_mass(below) : 1;
}

/* The rank where the weights of the ranks from `last` up, added from the top,
 * reach the limit, which they do.  Bits below the last digit that matters are
 * 0. */
__device__ static rank select(const row &r, rank last, bool by_mass, double max,
                              unsigned long long limit)
{
    __shared__ bins b;
    rank found = 0;

    for (int shift = RANK_BITS - DIGIT; shift >= 0; shift -= DIGIT) {
        for (int i = threadIdx.x; i < DIGITS; i += THREADS)
            b.weight[i] = b.count[i] = 0;
        __syncthreads();
        for (size_t id = threadIdx.x; id < r.vocab; id += THREADS) {
            double logit;
            if (!candidate_at(r, id, &logit))
                continue;
            rank own = rank_of(logit, id);
            if (own < last || (own ^ found) >> shift >= DIGITS)
                continue;
            int digit = (int)(own >> shift) & (DIGITS - 1);
            atomicAdd(&b.weight[digit], weigh(by_mass, logit - max));
            atomicAdd(&b.count[digit], 1u);
        }
        __syncthreads();
        if (threadIdx.x < 32)
            find_digit(&b, limit);
        __syncthreads();
        found |= (rank)b.digit << shift;
        limit -= b.before;
        bool alone = b.count[b.digit] == 1;
        __syncthreads();
        if (alone)
            break;
    }
    return found;
}

/* The last rank that top-k and top-p keep. */
__device__ static rank filter(const row &r, double max)
{
    unsigned long long sum = 0;
    unsigned n = 0;
    rank last = 0;

    for (size_t w = threadIdx.x; w * 64 < r.vocab; w += THREADS) {
        size_t left = r.vocab - w * 64;
        uint64_t some = r.allowed ? r.allowed[w] : ~UINT64_C(0);
        if (left < 64)
            some &= (UINT64_C(1) << left) - 1;
        n += __popcll(some);
    }
    if (r.set.top_k > 0 && (unsigned)r.set.top_k < sxt_block_sum<THREADS>(n))
        last = select(r, 0, false, max, (unsigned)r.set.top_k);
    if (r.set.top_p >= 1)
        return last;
    for (size_t id = threadIdx.x; id < r.vocab; id += THREADS) {
        double logit;
        if (candidate_at(r, id, &logit) && rank_of(logit, id) >= last)
            sum += sxt_choice_mass(logit - max);
    }
    sum = sxt_block_sum<THREADS>(sum);
    return select(r, last, true, max, sxt_choice_limit(r.set.top_p, sum));
}

/* ---- the row ---- */

__device__ static candidate highest(const row &r)
{
    candidate best = { -INFINITY, INT32_MAX };

    for (size_t id = threadIdx.x; id < r.vocab; id += THREADS) {
        candidate c = { 0, (int32_t)id };
        if (candidate_at(r, id, &c.logit))
            best = better(best, c);
    }
    return block_best(best);
}

/* Most tokens cannot win: noise above d needs -log u < exp(-d), and -log u is
 * at least 1 - u.  The margin is far beyond the errors of either side. */
__device__ static bool is_hopeless(double logit, double u, double best)
{
    return 1 - u > 1.001 * (double)expf((float)(logit - best));
}

__device__ static int32_t draw(const row &r, candidate first)
{
    uint64_t at = r.set.index * r.vocab;
    rank last = filter(r, first.logit);
    double lowest = first.logit - r.set.depth;
    candidate best = { -INFINITY, first.id };

    for (size_t id = threadIdx.x; id < r.vocab; id += THREADS) {
        candidate c = { 0, (int32_t)id };
        if (!candidate_at(r, id, &c.logit) || c.logit < lowest ||
            c.logit == -INFINITY || rank_of(c.logit, id) < last)
            continue;
        double u = sxt_philox_uniform(r.set.seed, r.set.stream, at + id);
        if (is_hopeless(c.logit, u, best.logit))
            continue;
        c.logit += sxt_choice_noise(u);
        if (c.logit > -INFINITY)
            best = better(best, c);
    }
    return block_best(best).id;
}

/* log softmax of the raw logits at id. */
__device__ static float logprob(const row &r, int32_t id)
{
    candidate best = { -INFINITY, 0 };
    double sum = 0;

    for (size_t c = threadIdx.x; c < r.vocab; c += THREADS)
        best.logit = fmax(best.logit, (double)r.x[c]);
    double max = block_best(best).logit;
    for (size_t c = threadIdx.x; c < r.vocab; c += THREADS)
        sum += (double)expf(r.x[c] - (float)max);
    return (float)(r.x[id] - max - log(sxt_block_sum<THREADS>(sum)));
}

/* A block of a multiprocessor: left to itself the compiler makes room for two,
 * and keeps registers in memory. */
__global__ void __launch_bounds__(THREADS, 1) sample(task t)
{
    row r;

    r.x = t.logits + blockIdx.x * t.ld;
    r.set = t.set[blockIdx.x];
    r.allowed = t.allowed;
    r.seen = r.set.seen < 0 ? nullptr : t.seen + r.set.seen * t.words;
    r.vocab = t.vocab;
    r.divisor = 1;
    candidate best = highest(r);
    if (r.set.temperature != 0 && isfinite(best.logit)) {
        r.divisor = r.set.temperature;
        best.logit /= r.divisor;
        best.id = draw(r, best);
    }
    float p = logprob(r, best.id);
    if (threadIdx.x == 0)
        t.out[blockIdx.x] = drawn{ best.id, p };
}

/* ---- host ---- */

static bool is_penalised(const struct sxt_sample_row *row)
{
    return row->repetition_penalty != 1 && row->n_seen > 0;
}

/* Bytes of one row in the scratch, its bits of `seen` included. */
static size_t row_bytes(size_t words)
{
    return sizeof(setting) + sizeof(drawn) + words * sizeof(uint64_t);
}

static void mark(uint64_t *bits, size_t vocab, const struct sxt_sample_row *row)
{
    for (size_t i = 0; i < row->n_seen; i++) {
        size_t id = (size_t)row->seen[i];
        if (row->seen[i] >= 0 && id < vocab)
            bits[id / 64] |= UINT64_C(1) << id % 64;
    }
}

/* Settings, then the sets of tokens seen; returns the number of these. */
static int describe(const struct sxt_sample *s, size_t first, size_t n,
                    setting *set, uint64_t *seen, size_t words)
{
    int sets = 0;

    for (size_t i = 0; i < n; i++) {
        const struct sxt_sample_row *row = &s->row[first + i];
        bool penalised = is_penalised(row);
        set[i] = setting{ row->temperature,
                          row->repetition_penalty,
                          row->top_p,
                          sxt_choice_depth(row->min_p),
                          row->seed,
                          row->stream,
                          row->index,
                          row->top_k,
                          penalised ? sets : -1 };
        if (penalised)
            mark(seen + words * sets++, s->vocab, row);
    }
    return sets;
}

/* Rows first … first + n - 1, for which the scratch is enough.  In it: allowed,
 * settings, results, seen. */
static void draw_rows(struct sxt_num *num, const struct sxt_sample *s,
                      size_t first, size_t n)
{
    const struct sxt_cuda *cuda = sxt_cuda_of(num);
    size_t words = (s->vocab + 63) / 64, mask = words * sizeof(uint64_t);
    size_t out_at = mask + n * sizeof(setting);
    size_t seen_at = out_at + n * sizeof(drawn);
    char *host = (char *)sxt_calloc(seen_at + n * mask, 1);
    struct task t = task();

    t.logits = s->logits + first * s->ld;
    t.vocab = s->vocab;
    t.ld = s->ld;
    t.words = words;
    if (s->allowed)
        memcpy(host, s->allowed, mask);
    int sets = describe(s, first, n, (setting *)(host + mask),
                        (uint64_t *)(host + seen_at), words);
    sxt_dev_put(num->dev, cuda->scratch, host, seen_at + sets * mask);
    t.allowed = s->allowed ? (const uint64_t *)cuda->scratch : nullptr;
    t.set = (const setting *)(cuda->scratch + mask);
    t.out = (drawn *)(cuda->scratch + out_at);
    t.seen = (const uint64_t *)(cuda->scratch + seen_at);
    SXT_LAUNCH(sample, (unsigned)n, THREADS, 0, cuda->stream, t);
    drawn *out = (drawn *)(host + out_at);
    sxt_dev_get(num->dev, out, t.out, n * sizeof(*out));
    for (size_t i = 0; i < n; i++) {
        s->id[first + i] = out[i].id;
        s->logprob[first + i] = out[i].logprob;
    }
    free(host);
}

void sxt_cuda_sample(struct sxt_num *num, const struct sxt_sample *s)
{
    size_t words = (s->vocab + 63) / 64, mask = words * sizeof(uint64_t);
    uint64_t some = s->allowed ? 0 : 1;

    for (size_t w = 0; s->allowed && w < words; w++)
        some |= s->allowed[w]
                << (w + 1 < words ? 0 : (64 - s->vocab % 64) % 64);
    SXT_CHECK(some != 0); /* a token must be allowed */
    SXT_CHECK(s->vocab <= INT32_MAX);
    SXT_CHECK(mask + row_bytes(words) <= SXT_CUDA_SCRATCH);
    size_t most = (SXT_CUDA_SCRATCH - mask) / row_bytes(words);
    for (size_t i = 0; i < s->rows; i += most)
        draw_rows(num, s, i, s->rows - i < most ? s->rows - i : most);
}
