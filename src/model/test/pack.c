/* pack.c - every sample once per epoch, in bins that fit and balance. */
#include "model/pack.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/test/tap.h"

static size_t *long_tails(size_t n, size_t most)
{
    struct sxt_rng rng = { 7, 1 };
    size_t *length = sxt_alloc(n, sizeof(*length));

    for (size_t i = 0; i < n; i++) {
        double x = exp(8.1 + 0.7 * sxt_rng_normal(rng, i));
        length[i] = x < 1 ? 1 : x > (double)most ? most : (size_t)x;
    }
    return length;
}

static double cost(const struct sxt_pack *p, size_t sample)
{
    double x = (double)p->length[sample];

    return p->token_cost * x + p->pair_cost * x * x;
}

static bool bins_fit(const struct sxt_pack *p, const struct sxt_bins *b)
{
    for (size_t i = 0; i < b->n_bins; i++) {
        size_t tokens = 0;
        for (size_t j = b->first[i]; j < b->first[i + 1]; j++)
            tokens += p->length[b->sample[j]];
        if (tokens > p->max_tokens || tokens == 0)
            return false;
    }
    return true;
}

/* Steps of an epoch: each sample in exactly one, each with `batch` samples but
 * the last. */
static void epochs(size_t n, size_t batch, bool drop_rest)
{
    size_t *length = long_tails(n, 16384);
    struct sxt_pack p = {
        42, n, length, batch, drop_rest, 16384, 1, 1.0, 1e-4
    };
    int64_t steps = sxt_pack_steps_per_epoch(&p);
    int *seen = sxt_calloc(n, sizeof(*seen));
    bool full = true, fits = true, once = true;
    size_t used = 0;

    for (int64_t s = 1; s <= steps; s++) {
        struct sxt_bins b;
        sxt_pack_step(&p, steps + s, &b); /* the second epoch */
        size_t count = b.first[b.n_bins];
        full = full && (count == batch ||
                        (s == steps && !drop_rest && count == n % batch));
        fits = fits && bins_fit(&p, &b);
        for (size_t i = 0; i < count; i++)
            seen[b.sample[i]]++;
        used += count;
        sxt_bins_free(&b);
    }
    for (size_t i = 0; i < n; i++)
        once = once && seen[i] <= 1;
    ok(full, "%zu by %zu%s: steps are of exactly the batch", n, batch,
       drop_rest ? ", rest dropped" : "");
    ok(fits, "… no bin is empty or too full");
    ok(once && used == (drop_rest ? n / batch * batch : n),
       "… and an epoch takes every sample once: %zu", used);
    free(seen);
    free(length);
}

/* The recipe's shape, 96 samples into bins of 16384: 1.045 of perfect balance
 * was measured by simulation for rounds of 8 bins. */
static void balance(void)
{
    size_t n = 96 * 40, rounds = 0;
    size_t *length = long_tails(n, 16384);
    struct sxt_pack p = { 1, n, length, 96, false, 16384, 8, 1.0, 2.3e-6 };
    double ideal = 0, real = 0;
    bool whole = true;

    for (int64_t s = 1; s <= sxt_pack_steps_per_epoch(&p); s++) {
        struct sxt_bins b;
        sxt_pack_step(&p, s, &b);
        whole = whole && b.n_bins % 8 == 0;
        for (size_t i = 0; i < b.n_bins; i++) {
            double c = 0;
            for (size_t j = b.first[i]; j < b.first[i + 1]; j++)
                c += cost(&p, b.sample[j]);
            ideal += c / 8;
            real += i % 8 == 0 ? c : 0; /* the first of a round costs most */
            rounds += i % 8 == 0;
        }
        sxt_bins_free(&b);
    }
    ok(whole, "bins come in multiples of 8 when asked");
    ok(real / ideal < 1.08, "rounds of 8 bins take %.3f of perfect balance",
       real / ideal);
    free(length);
}

static void repeat(void)
{
    size_t *length = long_tails(500, 4096);
    struct sxt_pack p = { 3, 500, length, 96, false, 4096, 1, 1, 1e-3 };
    struct sxt_pack q = p;
    struct sxt_bins a, b, c;

    q.seed = 4;
    sxt_pack_step(&p, 5, &a);
    sxt_pack_step(&p, 5, &b);
    sxt_pack_step(&q, 5, &c);
    ok(a.n_bins == b.n_bins &&
           !memcmp(a.sample, b.sample, 96 * sizeof(*a.sample)) &&
           !memcmp(a.first, b.first, (a.n_bins + 1) * sizeof(*a.first)),
       "a step has the same bins each time");
    ok(memcmp(a.sample, c.sample, 96 * sizeof(*a.sample)) != 0,
       "another seed, other bins");
    sxt_bins_free(&a);
    sxt_bins_free(&b);
    sxt_bins_free(&c);
    free(length);
}

/* Full samples leave no choice; equal costs must not depend on the sort. */
static void corners(void)
{
    size_t length[6] = { 10, 10, 10, 10, 10, 10 },
           list[6] = { 5, 3, 1, 0, 2, 4 };
    struct sxt_pack p = { 1, 6, length, 6, false, 10, 1, 1, 0 };
    struct sxt_bins b;

    sxt_pack_list(&p, list, 6, &b);
    ok(b.n_bins == 6 && !memcmp(b.sample, list, sizeof(list)),
       "samples as long as a bin get one each, in the order of the list");
    sxt_bins_free(&b);
    p.max_tokens = 1000;
    p.bin_multiple = 16;
    sxt_pack_list(&p, list, 6, &b);
    ok(b.n_bins == 6, "no bin stays empty for the sake of a multiple");
    sxt_bins_free(&b);
    p.bin_multiple = 0;
    sxt_pack_list(&p, list, 6, &b);
    ok(b.n_bins == 1 && !memcmp(b.sample, list, sizeof(list)),
       "one bin holds all if they fit");
    sxt_bins_free(&b);
}

int main(void)
{
    epochs(1000, 96, false);
    epochs(1000, 96, true);
    epochs(960, 96, false);
    epochs(50, 96, false);
    epochs(301, 7, false);
    balance();
    repeat();
    corners();
    return done_testing();
}
