/* runs_sample.c - drawing tokens with every kind of filter. */
#include <math.h>
#include <stdio.h>

#include "num/test/runs.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
    float temperature, top_p, min_p, penalty;
    int32_t top_k;
} filters[] = {
    { 0, 1, 0, 1, 0 },          { 1, 1, 0, 1, 0 },
    { 0.7f, 1, 0, 1, 20 },      { 1, 0.9f, 0, 1, 0 },
    { 1, 1, 0.05f, 1, 0 },      { 1, 1, 0, 1.3f, 0 },
    { 0.6f, 0.95f, 0, 1, 40 },  { 0, 1, 0, 1.5f, 0 },
    { 2, 0.5f, 0.1f, 1.1f, 7 },
};

static const struct {
    size_t vocab, ld;
    bool masked, tied; /* tied: many equal logits, some of -infinity */
} vocabularies[] = {
    { 1, 1, false, false },           { 7, 7, false, true },
    { 31, 33, false, false },         { 64, 64, true, true },
    { 65, 70, true, false },          { 513, 513, false, true },
    { 1000, 1024, false, false },     { 49152, 49152, true, true },
    { 151936, 151936, false, false },
};

static void tie(struct lab *lab, float **logits, size_t n)
{
    double *x = lab_get(lab, *logits, n, SXT_F32);

    for (size_t i = 0; i < n; i++)
        x[i] = i % 11 == 5 ? -INFINITY : rint(x[i]);
    *logits = lab_put(lab, x, n, SXT_F32);
}

bool run_sample(struct lab *lab, size_t i, enum sxt_dtype type,
                struct outcome *out, char shape[100])
{
    enum { ROWS = COUNT(filters) };

    /* Logits are f32: there is no second type to run. */
    if (type != SXT_F32 && i > 0)
        return false;
    if (i >= COUNT(vocabularies))
        return false;
    size_t vocab = vocabularies[i].vocab, ld = vocabularies[i].ld;
    struct sxt_sample_row *row = lab_host(lab, ROWS, sizeof(*row));
    uint64_t *allowed = lab_host(lab, vocab / 64 + 1, sizeof(*allowed));
    int32_t *id = lab_host(lab, ROWS, sizeof(*id));
    float *logprob = lab_host(lab, ROWS, sizeof(*logprob));
    int32_t *seen = lab_get_ints(lab, lab_ints(lab, 9, 0, (int32_t)vocab), 9);
    double *picture = lab_host(lab, 2 * ROWS, sizeof(*picture));

    snprintf(shape, 100, "vocabulary %zu", vocab);
    for (size_t b = 0; b < vocab / 64 + 1; b++)
        allowed[b] = UINT64_C(0x5555aaaa0ff03c81) << b;
    for (size_t r = 0; r < ROWS; r++)
        row[r] = (struct sxt_sample_row){ filters[r].temperature,
                                          filters[r].top_p,
                                          filters[r].min_p,
                                          filters[r].penalty,
                                          filters[r].top_k,
                                          42,
                                          r,
                                          i,
                                          seen,
                                          9 };
    float *logits = lab_normals(lab, ROWS * ld, SXT_F32, 3);
    if (vocabularies[i].tied)
        tie(lab, &logits, ROWS * ld);
    struct sxt_sample s = { .logits = logits,
                            .rows = ROWS,
                            .vocab = vocab,
                            .ld = ld,
                            .row = row,
                            .id = id,
                            .logprob = logprob,
                            .allowed =
                                vocabularies[i].masked ? allowed : NULL };
    sxt_sample(lab->num, &s);
    for (size_t r = 0; r < ROWS; r++) {
        picture[r] = id[r];
        picture[ROWS + r] = logprob[r];
    }
    outcome_add(out, "id", picture, ROWS, true);
    outcome_add(out, "logprob", picture + ROWS, ROWS, false);
    return true;
}
