/* sample.c - draw the next token of each row.
 *
 * Candidates are the allowed tokens below vocab.  In this order, in f64:
 *   1. logit of a token in `seen` (once, however often it is there): divided
 *      by repetition_penalty if positive, else multiplied by it;
 *   2. temperature 0: the highest logit, the lowest id of equals.  End.
 *      Otherwise divide by temperature;
 *   3. rank the candidates by logit descending, id ascending;
 *   4. top-k keeps the first k ranks;
 *   5. top-p, of the softmax over what is left: keeps a rank while the sum of
 *      the ranks before it is below top_p (so the first always stays, and the
 *      kept sum reaches top_p).  Probabilities are whole numbers, see choice.h;
 *   6. min-p keeps ranks whose probability is at least min_p times the first's;
 *   7. of the kept the one with the highest logit - log(-log(u)), the lowest
 *      id of equals, u = uniform(seed, stream, index vocab + id).  Holtzman et
 *      al., arXiv:1904.09751 (top-p); Gumbel 1954 (max).
 * NaN counts as -infinity.  If no candidate's logit is finite and above
 * -infinity, the answer is that of step 2, whatever the temperature. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "num/choice.h"
#include "num/ref/ref.h"

struct candidate {
    double logit;
    int32_t id;
};

static bool allowed(const struct sxt_sample *s, size_t id)
{
    return !s->allowed || (s->allowed[id / 64] >> id % 64 & 1);
}

/* Candidates in order of id; x is the row of logits. */
static size_t collect(const struct sxt_sample *s, const float *x,
                      struct candidate *list)
{
    size_t n = 0;

    for (size_t id = 0; id < s->vocab; id++)
        if (allowed(s, id))
            list[n++] = (struct candidate){ isnan(x[id]) ? -INFINITY : x[id],
                                            (int32_t)id };
    return n;
}

static void penalise(const struct sxt_sample_row *row, size_t vocab,
                     struct candidate *list, size_t n)
{
    if (row->repetition_penalty == 1 || row->n_seen == 0)
        return;

    bool *seen = sxt_calloc(vocab, sizeof(*seen));
    for (size_t i = 0; i < row->n_seen; i++)
        if (row->seen[i] >= 0 && (size_t)row->seen[i] < vocab)
            seen[row->seen[i]] = true;
    for (size_t i = 0; i < n; i++) {
        double *logit = &list[i].logit;
        if (seen[list[i].id] && *logit > 0)
            *logit /= row->repetition_penalty;
        else if (seen[list[i].id])
            *logit *= row->repetition_penalty;
    }
    free(seen);
}

/* The highest logit, the lowest id of equals. */
static struct candidate highest(const struct candidate *list, size_t n)
{
    struct candidate best = list[0];

    for (size_t i = 1; i < n; i++)
        if (list[i].logit > best.logit)
            best = list[i];
    return best;
}

/* True if a ranks before b. */
static bool ahead(struct candidate a, struct candidate b)
{
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

/* Restore the heap, whose root ranks first, below entry i of n. */
static void sift(struct candidate *heap, size_t n, size_t i)
{
    struct candidate moved = heap[i];

    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && ahead(heap[child + 1], heap[child]))
            child++;
        if (!ahead(heap[child], moved))
            break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
}

static void make_heap(struct candidate *list, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift(list, n, i);
}

/* Move the first rank of a heap of n behind the others; the heap has n - 1
 * then.  Few ranks are needed of a large vocabulary: no need to sort it. */
static void pop(struct candidate *heap, size_t n)
{
    struct candidate first = heap[0];

    heap[0] = heap[n - 1];
    sift(heap, n - 1, 0);
    heap[n - 1] = first;
}

/* The first k ranks of a list of n; they are its last k entries then. */
static struct candidate *top_k(struct candidate *list, size_t n, size_t k)
{
    make_heap(list, n);
    for (size_t i = 0; i < k; i++)
        pop(list, n - i);
    return list + n - k;
}

/* Top-p and min-p: how many ranks stay; they are the list's last entries. */
static size_t top_p(const struct sxt_sample_row *row, struct candidate *list,
                    size_t n)
{
    double max = highest(list, n).logit;
    double lowest = max - sxt_choice_depth(row->min_p);
    uint64_t sum = 0, before = 0, limit = UINT64_MAX;
    size_t keep = 0;

    for (size_t i = 0; i < n; i++)
        sum += sxt_choice_mass(list[i].logit - max);
    if (row->top_p < 1)
        limit = sxt_choice_limit(row->top_p, sum);
    make_heap(list, n);
    for (; keep < n; keep++) {
        double logit = list[0].logit; /* of the next rank */
        if (logit < lowest || before >= limit)
            break;
        before += sxt_choice_mass(logit - max);
        pop(list, n - keep);
    }
    return keep;
}

static int32_t draw(const struct sxt_sample_row *row, size_t vocab,
                    const struct candidate *list, size_t n)
{
    struct sxt_rng rng = { row->seed, row->stream };
    struct candidate best = { -INFINITY, list[0].id };

    for (size_t i = 0; i < n; i++) {
        double u =
            sxt_rng_uniform(rng, row->index * vocab + (uint64_t)list[i].id);
        double key = list[i].logit + sxt_choice_noise(u);
        if (key > best.logit || (key == best.logit && list[i].id < best.id))
            best = (struct candidate){ key, list[i].id };
    }
    return best.id;
}

static int32_t choose(const struct sxt_sample *s, const float *x,
                      const struct sxt_sample_row *row, struct candidate *list)
{
    size_t n = collect(s, x, list);

    SXT_CHECK(n > 0);
    penalise(row, s->vocab, list, n);
    struct candidate best = highest(list, n);
    if (row->temperature == 0 || !isfinite(best.logit))
        return best.id;
    for (size_t i = 0; i < n; i++)
        list[i].logit /= row->temperature;
    if (row->top_k > 0 && (size_t)row->top_k < n) {
        list = top_k(list, n, (size_t)row->top_k);
        n = (size_t)row->top_k;
    }
    if (row->top_p < 1 || row->min_p > 0) {
        size_t keep = top_p(row, list, n);
        list += n - keep;
        n = keep;
    }
    return draw(row, s->vocab, list, n);
}

/* log softmax of the raw logits at id. */
static float logprob(const float *x, size_t vocab, int32_t id)
{
    double max = -INFINITY, sum = 0;

    for (size_t c = 0; c < vocab; c++)
        max = fmax(max, x[c]);
    for (size_t c = 0; c < vocab; c++)
        sum += exp(x[c] - max);
    return (float)(x[id] - max - log(sum));
}

void sxt_ref_sample(struct sxt_num *num, const struct sxt_sample *s)
{
#pragma omp parallel for num_threads(num->threads)
    for (size_t i = 0; i < s->rows; i++) {
        const float *x = s->logits + i * s->ld;
        struct candidate *list = sxt_alloc(s->vocab, sizeof(*list));

        s->id[i] = choose(s, x, &s->row[i], list);
        s->logprob[i] = logprob(x, s->vocab, s->id[i]);
        free(list);
    }
}
