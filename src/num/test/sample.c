/* sample.c - drawing tokens: the order of the filters, ties, masks, and the
 * distribution that comes out. */
#include <math.h>

#include "base/test/tap.h"
#include "num/choice.h"
#include "num/test/lab.h"

enum { VOCAB = 8, DRAWS = 20000 };

static const char *backend;

/* Probabilities 8, 4, 2, 2, 1, 1, 1, 1 of 20, in scattered order. */
static const double weight[VOCAB] = { 1, 2, 8, 1, 4, 2, 1, 1 };

static const struct sxt_sample_row plain = {
    .temperature = 1, .top_p = 1, .repetition_penalty = 1, .seed = 7
};

/* `draws` tokens of the same logits, at index 0, 1, …; counts by token. */
static void draw(struct lab *lab, const double *logits,
                 struct sxt_sample_row row, const uint64_t *allowed,
                 size_t draws, size_t count[VOCAB])
{
    struct sxt_sample s = {
        .rows = draws, .vocab = VOCAB, .ld = VOCAB, .allowed = allowed
    };
    struct sxt_sample_row *rows = lab_host(lab, draws, sizeof(row));
    double *x = lab_host(lab, draws * VOCAB, sizeof(*x));

    for (size_t i = 0; i < draws; i++) {
        rows[i] = row;
        rows[i].index = i;
        memcpy(x + i * VOCAB, logits, VOCAB * sizeof(*x));
    }
    s.row = rows;
    s.logits = lab_put(lab, x, draws * VOCAB, SXT_F32);
    s.id = lab_host(lab, draws, sizeof(*s.id));
    s.logprob = lab_host(lab, draws, sizeof(*s.logprob));
    sxt_sample(lab->num, &s);
    memset(count, 0, VOCAB * sizeof(*count));
    for (size_t i = 0; i < draws; i++)
        count[s.id[i]]++;
}

/* Chi-square of counts against weights; tokens of weight 0 must not occur. */
static double chi_square(const size_t *count, const double *p, double *freedom)
{
    double sum = 0, x = 0;
    size_t n = 0;

    *freedom = -1;
    for (size_t i = 0; i < VOCAB; i++) {
        sum += p[i];
        n += count[i];
    }
    for (size_t i = 0; i < VOCAB; i++) {
        double expected = (double)n * p[i] / sum;
        double d = (double)count[i] - expected;
        if (p[i] == 0 && count[i] > 0)
            return INFINITY;
        if (p[i] > 0) {
            x += d * d / expected;
            *freedom += 1;
        }
    }
    return x;
}

static const int32_t seen_2[] = { 2, 2, 2 };

/* What must come out of the weights above, by hand. */
static const struct {
    const char *what;
    float temperature, top_p, min_p, penalty;
    int32_t top_k;
    uint64_t allowed;
    double p[VOCAB];
} cases[] = {
    { "no filter", 1, 1, 0, 1, 0, 255, { 1, 2, 8, 1, 4, 2, 1, 1 } },
    { "temperature 1/2 squares",
      0.5f,
      1,
      0,
      1,
      0,
      255,
      { 1, 4, 64, 1, 16, 4, 1, 1 } },
    { "temperature 2 takes roots",
      2,
      1,
      0,
      1,
      0,
      255,
      { 1, M_SQRT2, 2 * M_SQRT2, 1, 2, M_SQRT2, 1, 1 } },
    { "top-k 3, the lower id of equals",
      1,
      1,
      0,
      1,
      3,
      255,
      { 0, 2, 8, 0, 4, 0, 0, 0 } },
    { "top-p 0.5: 0.4 is not enough",
      1,
      0.5f,
      0,
      1,
      0,
      255,
      { 0, 0, 8, 0, 4, 0, 0, 0 } },
    { "top-p 0.61: one more",
      1,
      0.61f,
      0,
      1,
      0,
      255,
      { 0, 2, 8, 0, 4, 0, 0, 0 } },
    { "top-p 0: the first always stays",
      1,
      0,
      0,
      1,
      0,
      255,
      { 0, 0, 8, 0, 0, 0, 0, 0 } },
    { "top-p 0.85 after top-k 3: 12 of 14 reach it",
      1,
      0.85f,
      0,
      1,
      3,
      255,
      { 0, 0, 8, 0, 4, 0, 0, 0 } },
    { "min-p 0.24: a quarter of the first",
      1,
      1,
      0.24f,
      1,
      0,
      255,
      { 0, 2, 8, 0, 4, 2, 0, 0 } },
    { "min-p after temperature 1/2",
      0.5f,
      1,
      0.24f,
      1,
      0,
      255,
      { 0, 0, 64, 0, 16, 0, 0, 0 } },
    { "penalty 3 on token 2, once: 8 becomes 2",
      1,
      1,
      0,
      3,
      0,
      255,
      { 1, 2, 2, 1, 4, 2, 1, 1 } },
    { "a mask without the best",
      1,
      1,
      0,
      1,
      0,
      251,
      { 1, 2, 0, 1, 4, 2, 1, 1 } },
    { "a mask before top-k 1", 1, 1, 0, 1, 1, 251, { 0, 0, 0, 0, 4, 0, 0, 0 } },
};

static void test_filters(struct lab *lab)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sxt_sample_row row = plain;
        double logits[VOCAB], freedom;
        size_t count[VOCAB];

        for (int c = 0; c < VOCAB; c++)
            logits[c] = log(weight[c]);
        row.temperature = cases[i].temperature;
        row.top_p = cases[i].top_p;
        row.min_p = cases[i].min_p;
        row.top_k = cases[i].top_k;
        row.repetition_penalty = cases[i].penalty;
        row.seen = seen_2;
        row.n_seen = 3;
        row.stream = i;
        lab_clean(lab, 0);
        draw(lab, logits, row, &cases[i].allowed, DRAWS, count);
        double x = chi_square(count, cases[i].p, &freedom);
        /* Mean f, deviation sqrt(2 f): 5 deviations off means wrong. */
        ok(x <= freedom + 5 * sqrt(2 * freedom), "%s: %s (chi-square %.1f)",
           backend, cases[i].what, x);
    }
}

/* Eight equal logits: sums of probabilities are exact. */
static void test_equals(struct lab *lab)
{
    static const double zeros[VOCAB] = { 0 };
    static const double half[VOCAB] = { 1, 1, 1, 1 };
    static const double all[VOCAB] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    struct sxt_sample_row row = plain;
    size_t count[VOCAB];
    double freedom;

    lab_clean(lab, 0);
    row.top_p = 0.5f;
    draw(lab, zeros, row, NULL, DRAWS, count);
    ok(chi_square(count, half, &freedom) < 3 + 5 * sqrt(6),
       "%s: top-p 1/2 of eight equals keeps the four lower ids", backend);
    row.top_p = 1;
    row.min_p = 1;
    draw(lab, zeros, row, NULL, DRAWS, count);
    ok(chi_square(count, all, &freedom) < 7 + 5 * sqrt(14),
       "%s: min-p 1 keeps all equals", backend);
}

/* The draw by hand: other programs can repeat it from the published numbers. */
static void test_formula(struct lab *lab)
{
    enum { ROWS = 300 };
    struct sxt_sample s = { .rows = ROWS, .vocab = VOCAB, .ld = VOCAB };
    struct sxt_sample_row *row = lab_host(lab, ROWS, sizeof(*row));
    int32_t id[ROWS];
    float logprob[ROWS];
    size_t differ = 0;

    for (size_t i = 0; i < ROWS; i++) {
        row[i] = plain;
        row[i].stream = i / 30;
        row[i].index = i % 30;
    }
    float *logits = lab_normals(lab, ROWS * VOCAB, SXT_F32, 1);
    double *x = lab_get(lab, logits, ROWS * VOCAB, SXT_F32);
    s.row = row;
    s.logits = logits;
    s.id = id;
    s.logprob = logprob;
    sxt_sample(lab->num, &s);
    for (size_t i = 0; i < ROWS; i++) {
        struct sxt_rng rng = { row[i].seed, row[i].stream };
        double best = -INFINITY;
        int32_t winner = 0;
        for (int32_t c = 0; c < VOCAB; c++) {
            uint64_t at = row[i].index * VOCAB + (uint64_t)c;
            double key =
                x[i * VOCAB + (size_t)c] - log(-log(sxt_rng_uniform(rng, at)));
            winner = key > best ? c : winner;
            best = fmax(best, key);
        }
        differ += winner != id[i];
    }
    ok(differ == 0, "%s: the draw is the Gumbel maximum of its counters",
       backend);
}

static int32_t one(struct lab *lab, const double *logits,
                   struct sxt_sample_row row, size_t vocab, float *logprob)
{
    struct sxt_sample s = {
        .rows = 1, .vocab = vocab, .ld = vocab, .row = &row
    };
    int32_t id = -1;

    s.logits = lab_put(lab, logits, vocab, SXT_F32);
    s.id = &id;
    s.logprob = logprob;
    sxt_sample(lab->num, &s);
    return id;
}

static void test_single(struct lab *lab)
{
    static const double tie[] = { 1, 3, -2, 3 };
    static const double nan_first[] = { NAN, -1, 2, NAN };
    static const double nothing[] = { -INFINITY, -INFINITY, NAN };
    static const double negative[] = { -1, -1.5 };
    struct sxt_sample_row greedy = plain, row = plain;
    int32_t first = 0;
    float logprob;

    lab_clean(lab, 0);
    greedy.temperature = 0;
    ok(one(lab, tie, greedy, 4, &logprob) == 1,
       "%s: greedy takes the lower id of equals", backend);
    double lse = log(exp(1) + 2 * exp(3) + exp(-2));
    ok(fabs(logprob - (3 - lse)) < 1e-6,
       "%s: logprob is that of the softmax of the raw logits", backend);
    ok(one(lab, nan_first, greedy, 4, &logprob) == 2, "%s: NaN never wins",
       backend);
    ok(one(lab, nothing, row, 3, &logprob) == 0,
       "%s: without a possible token the first is taken", backend);
    greedy.repetition_penalty = 2;
    greedy.seen = &first;
    greedy.n_seen = 1;
    ok(one(lab, negative, greedy, 2, &logprob) == 1,
       "%s: the penalty multiplies a negative logit", backend);
    row.temperature = 0.001f;
    ok(one(lab, tie, row, 3, &logprob) == 1, "%s: cold is greedy", backend);
}

/* The draw is a function of (seed, stream, index) and the row's logits. */
static void test_place(struct lab *lab)
{
    enum { ROWS = 200 };
    struct sxt_sample s = { .rows = ROWS, .vocab = VOCAB, .ld = VOCAB };
    struct sxt_sample_row *row = lab_host(lab, ROWS, sizeof(*row));
    int32_t a[ROWS], b;
    float logprob[ROWS];
    size_t differ = 0;

    for (size_t i = 0; i < ROWS; i++) {
        row[i] = plain;
        row[i].stream = i / 10;
        row[i].index = i % 10;
    }
    float *logits = lab_normals(lab, ROWS * VOCAB, SXT_F32, 1);
    double *x = lab_get(lab, logits, ROWS * VOCAB, SXT_F32);
    s.row = row;
    s.logits = logits;
    s.id = a;
    s.logprob = logprob;
    sxt_sample(lab->num, &s);
    for (size_t i = 0; i < ROWS; i += 9) {
        float alone;
        b = one(lab, x + i * VOCAB, row[i], VOCAB, &alone);
        differ += b != a[i] || alone != logprob[i];
    }
    ok(differ == 0, "%s: a row alone draws what it draws in a batch", backend);
}

/* exp and log of choice.h against the C library's. */
static void test_arithmetic(void)
{
    double mass = 0, logs = 0;
    uint64_t last = 0;
    bool rises = true;

    for (int i = 0; i <= 100000; i++) {
        double x = -32 + 32 * i / 100000.0;
        uint64_t m = sxt_choice_mass(x);
        double least = x > -30 ? ldexp(exp(x), 42) : 0;
        mass = fmax(mass, fabs((double)m - least));
        rises &= m >= last;
        last = m;
    }
    /* Half a unit of rounding, and exp's error of 2^-52 or so on 2^42. */
    ok(mass <= 0.51, "probabilities are exp to the nearest 2^-42 (%.3f)", mass);
    ok(rises && last == UINT64_C(1) << 42,
       "they never fall, and the best has 1");
    for (int i = 0; i < 200000; i++) {
        double u = sxt_rng_uniform((struct sxt_rng){ 5, 6 }, (uint64_t)i);
        u = i % 3 == 0 ? 1 - ldexp(u, -i % 50) : i % 3 == 1 ? u : 60 * u;
        double want = log(u);
        logs = fmax(logs, want == 0 ? sxt_choice_log(u) != 0
                                    : fabs(sxt_choice_log(u) / want - 1));
    }
    ok(logs < 1e-15,
       "log is the library's within four units of the last "
       "place (%.2g)",
       logs);
    ok(sxt_choice_log(0) == -INFINITY && sxt_choice_noise(0) == -INFINITY &&
           sxt_choice_noise(1 - 0x1p-53) > 36.7 &&
           sxt_choice_noise(1 - 0x1p-53) < 36.75,
       "the noise of the least and the greatest number");
}

int main(void)
{
    static const char *const backends[] = { "ref", "cpu" };

    for (int i = 0; i < 2; i++) {
        struct lab lab;
        backend = backends[i];
        lab_open(&lab, backend, "fake", 0);
        test_filters(&lab);
        test_equals(&lab);
        test_formula(&lab);
        test_single(&lab);
        test_place(&lab);
        lab_close(&lab);
    }
    test_arithmetic();
    return done_testing();
}
