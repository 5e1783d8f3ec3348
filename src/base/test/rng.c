/* rng.c - Philox against its authors' vectors, and what is built on it. */
#include "base/rng.h"

#include <math.h>

#include "base/test/tap.h"

/* Random123 1.14, tests/kat_vectors, lines "philox4x32 10". */
static const struct {
    const char *what;
    uint32_t counter[4], key[2], out[4];
} vectors[] = {
    { "zeros",
      { 0, 0, 0, 0 },
      { 0, 0 },
      { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
    { "ones",
      { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
      { 0xffffffff, 0xffffffff },
      { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
    { "digits of pi",
      { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
      { 0xa4093822, 0x299f31d0 },
      { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
};

static uint64_t join(const uint32_t half[2])
{
    return (uint64_t)half[1] << 32 | half[0];
}

static void test_vectors(void)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct sxt_rng rng = { join(vectors[i].key),
                               join(vectors[i].counter + 2) };
        uint32_t out[4];

        sxt_philox(rng, join(vectors[i].counter), out);
        ok(memcmp(out, vectors[i].out, sizeof(out)) == 0, "philox4x32-10: %s",
           vectors[i].what);
    }
}

static void test_streams(void)
{
    uint64_t a = sxt_rng_stream("sample", 1, 2);

    ok(a == sxt_rng_stream("sample", 1, 2), "a stream has a name");
    ok(a != sxt_rng_stream("sample", 2, 1) && a != sxt_rng_stream("init", 1, 2),
       "other names are other streams");
}

/* Limits are five standard deviations of the estimate. */
static void test_moments(void)
{
    enum { N = 100000 };
    struct sxt_rng rng = { 3, 4 };
    double u = 0, uu = 0, x = 0, xx = 0, out = 0;
    size_t below[6] = { 0 };

    for (uint64_t i = 0; i < N; i++) {
        double a = sxt_rng_uniform(rng, i), b = sxt_rng_normal(rng, i);
        out += a < 0 || a >= 1;
        u += a / N;
        uu += a * a / N;
        x += b / N;
        xx += b * b / N;
        below[sxt_rng_below(rng, i, 6)]++;
    }
    ok(out == 0, "uniform numbers lie in [0, 1)");
    ok(fabs(u - 0.5) < 5 * sqrt(1 / 12.0 / N) &&
           fabs(uu - 1 / 3.0) < 5 * sqrt(4 / 45.0 / N),
       "their moments are those of the uniform distribution");
    ok(fabs(x) < 5 / sqrt(N) && fabs(xx - 1) < 5 * sqrt(2.0 / N),
       "normal numbers have mean 0 and variance 1");
    double chi = 0;
    for (int i = 0; i < 6; i++)
        chi += pow((double)below[i] - N / 6.0, 2) / (N / 6.0);
    ok(chi < 5 + 5 * sqrt(10), "a die is fair (chi-square %.1f)", chi);
    ok(sxt_rng_below(rng, 9, 1) == 0, "below 1 there is 0");
}

static void test_permutation(void)
{
    enum { N = 4, DRAWS = 24000 };
    size_t count[N * N * N * N] = { 0 }, kinds = 0;
    double chi = 0;

    for (uint64_t s = 0; s < DRAWS; s++) {
        uint64_t order[N], code = 0;
        sxt_rng_permutation((struct sxt_rng){ 1, s }, order, N);
        for (int i = 0; i < N; i++)
            code = code * N + order[i];
        count[code]++;
    }
    for (size_t i = 0; i < sizeof(count) / sizeof(count[0]); i++) {
        kinds += count[i] > 0;
        if (count[i] > 0)
            chi += pow((double)count[i] - DRAWS / 24.0, 2) / (DRAWS / 24.0);
    }
    ok(kinds == 24, "4 things have 24 orders, and all of them come");
    ok(chi < 23 + 5 * sqrt(46), "equally often (chi-square %.1f)", chi);
    sxt_rng_permutation((struct sxt_rng){ 1, 1 }, NULL, 0);
    ok(true, "nothing can be permuted");
}

int main(void)
{
    test_vectors();
    test_streams();
    test_moments();
    test_permutation();
    return done_testing();
}
