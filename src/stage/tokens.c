/* tokens.c - training samples as token ids. */
#include "stage/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "stage/formats.h"

/* A row on its way: ids of prompt and answer. */
struct sample {
    struct sxt_ids ids;
    size_t prompt;
    bool cut, dropped, ended;
};

void sxt_tokens_truncate(size_t cutoff, size_t *prompt, size_t *answer)
{
    size_t p = *prompt, a = *answer, most = cutoff;

    if (p + a <= cutoff)
        return;
    if (2 * a >= cutoff && 2 * p < cutoff)
        most = cutoff - p;
    else if (2 * a >= cutoff)
        most = (size_t)((double)cutoff * ((double)a / (double)(p + a)));
    *answer = a < most ? a : most;
    *prompt = p < cutoff - *answer ? p : cutoff - *answer;
}

/* Shorten to the cutoff, or mark as dropped. */
static void shorten(struct sample *s, const struct sxt_tokens_rule *rule)
{
    size_t prompt = s->prompt, answer = s->ids.len - s->prompt;
    size_t had = prompt;

    if (rule->too_long != SXT_TOO_LONG_TRUNCATE) {
        s->dropped = true;
        return;
    }
    sxt_tokens_truncate(rule->cutoff, &prompt, &answer);
    memmove(s->ids.data + prompt, s->ids.data + had, answer * sizeof(int32_t));
    s->ids.len = prompt + answer;
    s->prompt = prompt;
    s->cut = true;
    s->dropped = answer == 0 || s->ids.len < 2;
}

/* A message that is absent has no data. */
static struct sxt_span text_or_none(const struct sxt_frame *rows, size_t col,
                                    size_t row)
{
    struct sxt_span text = sxt_frame_text(rows, col, row);

    return text.len > 0 ? text : (struct sxt_span){ NULL, 0 };
}

static void tokenise(struct sample *s, const struct sxt_frame *rows, size_t row,
                     const struct sxt_tokens_rule *rule)
{
    struct sxt_message messages[] = {
        { "system", text_or_none(rows, SXT_TRAIN_SYSTEM, row) },
        { "user", text_or_none(rows, SXT_TRAIN_USER, row) },
    };
    struct sxt_span answer = sxt_frame_text(rows, SXT_TRAIN_ASSISTANT, row);

    if (answer.len == 0) {
        s->dropped = true;
        return;
    }
    sxt_chat_render(rule->chat, messages, 2, true, &s->ids);
    s->prompt = s->ids.len;
    sxt_chat_answer(rule->chat, answer, rule->end_id, &s->ids);
    if (s->ids.len > rule->cutoff)
        shorten(s, rule);
    s->ended = !s->dropped && s->ids.data[s->ids.len - 1] == rule->end_id;
}

static void allocate(struct sxt_tokens *t, size_t n, uint64_t n_ids)
{
    t->n = n;
    t->ids = sxt_alloc(n_ids, sizeof(*t->ids));
    t->first = sxt_calloc(n + 1, sizeof(*t->first));
    t->prompt = sxt_alloc(n, sizeof(*t->prompt));
    t->length = sxt_alloc(n, sizeof(*t->length));
}

/* Set sample i, whose ids are those behind first[i]. */
static void set_sample(struct sxt_tokens *t, size_t i, size_t n_ids,
                       size_t prompt)
{
    t->first[i + 1] = t->first[i] + n_ids;
    t->prompt[i] = (uint32_t)prompt;
    t->length[i] = n_ids - 1;
}

static void join(struct sxt_tokens *t, struct sample *samples, size_t rows)
{
    uint64_t n_ids = 0;
    size_t n = 0, i = 0;

    *t = (struct sxt_tokens){ 0 };
    for (size_t r = 0; r < rows; r++) {
        t->n_dropped += samples[r].dropped;
        t->n_cut += samples[r].cut && !samples[r].dropped;
        t->n_ended += samples[r].ended;
        n += !samples[r].dropped;
        n_ids += samples[r].dropped ? 0 : samples[r].ids.len;
    }
    allocate(t, n, n_ids);
    for (size_t r = 0; r < rows; r++) {
        const struct sample *s = &samples[r];
        if (s->dropped)
            continue;
        memcpy(t->ids + t->first[i], s->ids.data, s->ids.len * sizeof(int32_t));
        set_sample(t, i++, s->ids.len, s->prompt);
    }
}

int sxt_tokens_make(struct sxt_tokens *tokens, const struct sxt_frame *rows,
                    const struct sxt_tokens_rule *rule, struct sxt_error *err)
{
    size_t n = sxt_frame_rows(rows);
    struct sample *samples = sxt_calloc(n, sizeof(*samples));
    int rc = 0;

#pragma omp parallel for schedule(dynamic, 16)
    for (size_t r = 0; r < n; r++)
        tokenise(&samples[r], rows, r, rule);
    for (size_t r = 0; r < n && rc == 0; r++)
        if (rule->too_long == SXT_TOO_LONG_REFUSE &&
            samples[r].ids.len > rule->cutoff) {
            char *id = sxt_frame_string(rows, SXT_TRAIN_ID, r);
            rc = sxt_err(err, SXT_EXIT_DATA,
                         "sample %s has %zu tokens, more than the cutoff of "
                         "%zu; raise cutoff and max_tokens, or set too_long to "
                         "truncate or drop",
                         id, samples[r].ids.len, rule->cutoff);
            free(id);
        }
    if (rc == 0)
        join(tokens, samples, n);
    for (size_t r = 0; r < n; r++)
        sxt_ids_free(&samples[r].ids);
    free(samples);
    return rc;
}

void sxt_tokens_free(struct sxt_tokens *tokens)
{
    free(tokens->ids);
    free(tokens->first);
    free(tokens->prompt);
    free(tokens->length);
    *tokens = (struct sxt_tokens){ 0 };
}

/* Every rank's samples to every rank, in rank order. */
static void share(struct sxt_tokens *t, struct sxt_comm comm)
{
    struct sxt_tokens all = { 0 };
    size_t *at_ids, *at_prompt, *at_length;
    char *ids, *prompt, *length;

    sxt_comm_allgather_bytes(comm, t->ids, t->first[t->n] * sizeof(*t->ids),
                             &ids, &at_ids);
    sxt_comm_allgather_bytes(comm, t->prompt, t->n * sizeof(*t->prompt),
                             &prompt, &at_prompt);
    sxt_comm_allgather_bytes(comm, t->length, t->n * sizeof(*t->length),
                             &length, &at_length);
    all.n = at_prompt[comm.size] / sizeof(*t->prompt);
    all.ids = (int32_t *)ids;
    all.prompt = (uint32_t *)prompt;
    all.length = (size_t *)length;
    all.first = sxt_calloc(all.n + 1, sizeof(*all.first));
    for (size_t i = 0; i < all.n; i++)
        all.first[i + 1] = all.first[i] + all.length[i] + 1;
    all.n_cut = (size_t)sxt_comm_sum(comm, (int64_t)t->n_cut);
    all.n_dropped = (size_t)sxt_comm_sum(comm, (int64_t)t->n_dropped);
    all.n_ended = (size_t)sxt_comm_sum(comm, (int64_t)t->n_ended);
    free(at_ids);
    free(at_prompt);
    free(at_length);
    sxt_tokens_free(t);
    *t = all;
}

int sxt_tokens_read(struct sxt_tokens *tokens, struct sxt_comm comm,
                    struct sxt_in *in, const struct sxt_tokens_rule *rule,
                    struct sxt_error *err)
{
    struct sxt_frame *rows = NULL;
    size_t n, first, count;
    int rc = sxt_in_rows(in, "train", &n, err);

    *tokens = (struct sxt_tokens){ 0 };
    if (rc == 0) {
        sxt_comm_slice(comm, n, &first, &count);
        rc = sxt_in_frame(in, "train", sxt_train_columns, first, count, &rows,
                          err);
    }
    if (rc == 0)
        rc = sxt_tokens_make(tokens, rows, rule, err);
    sxt_frame_destroy(rows);
    if (sxt_comm_agree(comm, rc, err) != 0) {
        sxt_tokens_free(tokens);
        return -1;
    }
    share(tokens, comm);
    if (tokens->n > 0 && tokens->n_ended > 0)
        return 0;
    sxt_err(err, SXT_EXIT_DATA,
            tokens->n == 0
                ? "%s: no sample to train on (%zu are empty or too long)"
                : "%s: none of the %zu answers keeps its end token; a model "
                  "trained so would never stop: raise cutoff",
            sxt_in_path(in), tokens->n == 0 ? tokens->n_dropped : tokens->n);
    sxt_tokens_free(tokens);
    return -1;
}

void sxt_tokens_pick(const struct sxt_tokens *from, const uint64_t *list,
                     size_t n, struct sxt_tokens *to)
{
    uint64_t n_ids = 0;

    *to = (struct sxt_tokens){ 0 };
    for (size_t i = 0; i < n; i++)
        n_ids += from->length[list[i]] + 1;
    allocate(to, n, n_ids);
    for (size_t i = 0; i < n; i++) {
        size_t s = (size_t)list[i];
        memcpy(to->ids + to->first[i], from->ids + from->first[s],
               (from->length[s] + 1) * sizeof(*to->ids));
        set_sample(to, i, from->length[s] + 1, from->prompt[s]);
    }
}

/* A prompt of no token still gives the first token no place to be predicted
 * from. */
size_t sxt_tokens_learned(const struct sxt_tokens *tokens, size_t sample)
{
    size_t prompt = tokens->prompt[sample];

    return tokens->length[sample] + 1 - (prompt > 0 ? prompt : 1);
}

void sxt_tokens_fill(const struct sxt_tokens *tokens, size_t sample,
                     int32_t *ids, int32_t *target)
{
    const int32_t *from = tokens->ids + tokens->first[sample];

    for (size_t i = 0; i < tokens->length[sample]; i++) {
        ids[i] = from[i];
        target[i] = i + 1 >= tokens->prompt[sample] ? from[i + 1] : -1;
    }
}

uint64_t sxt_tokens_hash(const struct sxt_tokens *t)
{
    uint64_t ids = sxt_hash64(t->ids, t->first[t->n] * sizeof(*t->ids), 0);
    uint64_t first = sxt_hash64(t->first, (t->n + 1) * sizeof(*t->first), 0);
    uint64_t prompt = sxt_hash64(t->prompt, t->n * sizeof(*t->prompt), 0);

    return sxt_hash64_combine(sxt_hash64_combine(ids, first), prompt);
}
