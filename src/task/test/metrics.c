/* metrics.c (test) - figures against values worked out by hand or published. */
#include "task/metrics.h"

#include <math.h>

#include "base/test/tap.h"

static bool near(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance;
}

static bool equal_text(struct sxt_span domain, struct sxt_span a,
                       struct sxt_span b)
{
    (void)domain;
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static long majority(const char *const *texts, size_t n)
{
    struct sxt_span answers[8];

    for (size_t i = 0; i < n; i++)
        answers[i] = sxt_span(texts[i]);
    return sxt_metric_majority(answers, n, equal_text, sxt_span(""));
}

static void test_pass_at_k(void)
{
    ok(near(sxt_metric_pass_at_k(10, 3, 1), 0.3, 1e-15),
       "pass@1 is the share that passes");
    /* 1 - C(7,5) / C(10,5) = 1 - 21/252 */
    ok(near(sxt_metric_pass_at_k(10, 3, 5), 1 - 21.0 / 252, 1e-14),
       "pass@5 of 3 in 10 is 11/12");
    ok(sxt_metric_pass_at_k(5, 3, 3) == 1, "too few failures to fill k: 1");
    ok(sxt_metric_pass_at_k(8, 0, 8) == 0, "nothing passes: 0");
    /* human-eval's example: 6 samples, 3 of them right, gives 0.4999… */
    ok(near(sxt_metric_pass_at_k(6, 3, 1), 0.5, 1e-12),
       "human-eval's example problem");
    ok(sxt_metric_pass_at_k(200, 1, 100) > 0.4999 &&
           sxt_metric_pass_at_k(200, 1, 100) < 0.5001,
       "one of 200 is among 100 half of the time");
}

static void test_mean(void)
{
    double binary[100], graded[50], low, high;

    /* Newcombe 1998, Stat. Med. 17, table I: 81 of 263, 15 of 148 */
    sxt_metric_wilson(81, 263, &low, &high);
    ok(near(low, 0.2553, 5e-5) && near(high, 0.3662, 5e-5),
       "Wilson for 81 of 263 is [0.2553, 0.3662]");
    sxt_metric_wilson(15, 148, &low, &high);
    ok(near(low, 0.0624, 5e-5) && near(high, 0.1605, 5e-5),
       "Wilson for 15 of 148 is [0.0624, 0.1605]");
    sxt_metric_wilson(0, 20, &low, &high);
    ok(low == 0 && near(high, 0.1611, 5e-5), "Wilson for 0 of 20");

    for (int i = 0; i < 100; i++)
        binary[i] = i < 40;
    struct sxt_estimate e = sxt_metric_mean(binary, 100, 1);
    ok(near(e.value, 0.4, 1e-15) &&
           near(e.stderror, sqrt(0.4 * 0.6 / 99), 1e-12),
       "mean and standard error of 40 in 100");
    sxt_metric_wilson(40, 100, &low, &high);
    ok(e.low == low && e.high == high, "values 0 and 1 get Wilson's interval");

    for (int i = 0; i < 50; i++)
        graded[i] = (i % 5) / 4.0;
    e = sxt_metric_mean(graded, 50, 1);
    ok(near(e.value, 0.5, 1e-15) && near(e.stderror, sqrt(0.125 / 49), 1e-12),
       "mean and standard error of graded values");
    /* Normal theory: ± 1.96 stderr = ± 0.099; 2000 resamples leave ~5 %. */
    ok(near(e.value - e.low, 0.099, 0.012) &&
           near(e.high - e.value, 0.099, 0.012),
       "the bootstrap interval is about two standard errors wide");
    struct sxt_estimate again = sxt_metric_mean(graded, 50, 1);
    ok(again.low == e.low && again.high == e.high,
       "the same seed gives the same interval");
    ok(isnan(sxt_metric_mean(graded, 0, 1).value), "no problems: no value");
}

int main(void)
{
    static const char *const votes[] = { "7", "5", "5", "", "7", "5" };
    static const char *const tie[] = { "a", "b", "b", "a" };
    static const char *const silent[] = { "", "", "" };

    test_pass_at_k();
    test_mean();
    ok(majority(votes, 6) == 1, "the most frequent answer wins");
    ok(majority(tie, 4) == 0, "of equals the earliest wins");
    ok(majority(silent, 3) == -1, "silence has no majority");
    return done_testing();
}
