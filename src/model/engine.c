/* engine.c - the life of an engine, and its passes: which tokens go into the
 * next one, and what is drawn from it. */
#include "model/engine_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "dev/coll.h"

const char *sxt_finish_name(enum sxt_finish finish)
{
    static const char *const name[] = { "none", "stop", "length", "loop" };

    return name[finish];
}

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct sxt_paged_size paged_size(const struct sxt_engine_size *s)
{
    return (struct sxt_paged_size){ .rows = s->batch + s->chunk,
                                    .logits = s->batch,
                                    .slots = s->batch,
                                    .length = s->length,
                                    .block = s->block,
                                    .pages = s->pages };
}

size_t sxt_engine_bytes(const struct sxt_layout *layout, enum sxt_dtype type,
                        const struct sxt_engine_size *size)
{
    struct sxt_paged_size paged = paged_size(size);

    return sxt_paged_bytes(layout, type, &paged);
}

/* All ids may be drawn but the stop ids: for answers below min_tokens. */
static void fill_unstoppable(struct sxt_engine *e)
{
    size_t words = (e->vocab + 63) / 64;

    e->unstoppable = sxt_alloc(words, sizeof(uint64_t));
    memset(e->unstoppable, 0xff, words * sizeof(uint64_t));
    for (size_t i = 0; i < e->draw.n_stop_ids; i++) {
        size_t id = (size_t)e->draw.stop_id[i];
        if (id < e->vocab)
            e->unstoppable[id / 64] &= ~((uint64_t)1 << id % 64);
    }
}

static void alloc_arrays(struct sxt_engine *e)
{
    size_t batch = e->size.batch, rows = batch + e->size.chunk;

    e->seq = sxt_calloc(batch, sizeof(*e->seq));
    e->active = sxt_alloc(batch, sizeof(*e->active));
    e->idle = sxt_alloc(batch, sizeof(*e->idle));
    for (size_t i = 0; i < batch; i++)
        e->idle[e->n_idle++] = batch - 1 - i;
    e->claims = sxt_alloc(batch + 1, sizeof(*e->claims));
    e->id = sxt_alloc(rows, sizeof(*e->id));
    e->slot = sxt_alloc(rows, sizeof(*e->slot));
    e->pos = sxt_alloc(rows, sizeof(*e->pos));
    e->logit_row = sxt_alloc(batch, sizeof(*e->logit_row));
    e->drawing = sxt_alloc(batch, sizeof(*e->drawing));
    e->how = sxt_alloc(batch, sizeof(*e->how));
    e->drawn = sxt_alloc(batch, sizeof(*e->drawn));
    e->logprob = sxt_alloc(batch, sizeof(*e->logprob));
    e->rows = (struct sxt_paged_rows){
        .id = e->id, .slot = e->slot, .pos = e->pos, .logit_row = e->logit_row
    };
}

struct sxt_engine *sxt_engine_create(const struct sxt_layout *layout,
                                     struct sxt_params *params,
                                     struct sxt_num *num,
                                     const struct sxt_tokenizer *tok,
                                     const struct sxt_engine_size *size,
                                     const struct sxt_draw *draw)
{
    const struct sxt_model_config *c = &layout->config;
    struct sxt_engine *e = sxt_calloc(1, sizeof(*e));
    struct sxt_paged_size paged = paged_size(size);
    size_t weights = 0;

    SXT_CHECK(size->batch > 0 && size->chunk > 0 && size->length > 1);
    SXT_CHECK((size->length + size->block - 1) / size->block <= size->pages);
    e->layout = layout;
    e->num = num;
    e->group = params->group;
    e->tok = tok;
    e->size = *size;
    e->draw = *draw;
    e->vocab = tok ? min(sxt_tokenizer_size(tok), c->vocab) : c->vocab;
    e->paged = sxt_paged_create(layout, params, num, &paged);
    e->blocks = sxt_blocks_create(size->pages);
    alloc_arrays(e);
    fill_unstoppable(e);
    for (size_t u = c->tied ? 0 : 1; u < layout->n_units; u++)
        weights += layout->unit_size[u];
    e->weight_bytes = (double)weights * (double)sxt_dtype_size(params->type);
    if (params->matrices) { /* all that is there, but for an embedding */
        size_t embedding = c->tied ? 0 : layout->unit_size[0];
        e->weight_bytes =
            (double)(params->bytes - embedding * sxt_dtype_size(params->type));
    }
    e->position_bytes = (double)sxt_paged_position_bytes(c, params->type);
    /* The prior: eight answers of half the allowed length. */
    double prior = (double)draw->max_tokens / 2;
    e->sum_length = 8 * prior;
    e->sum_square = 8 * prior * prior;
    return e;
}

void sxt_engine_destroy(struct sxt_engine *e)
{
    if (!e)
        return;
    while (e->n_active > 0)
        sxt_engine_release(e, e->n_active - 1);
    sxt_paged_destroy(e->paged);
    sxt_blocks_destroy(e->blocks);
    void *const arrays[] = { e->unstoppable, e->seq,     e->active, e->idle,
                             e->claims,      e->id,      e->slot,   e->pos,
                             e->logit_row,   e->drawing, e->how,    e->drawn,
                             e->logprob };
    for (size_t i = 0; i < sizeof(arrays) / sizeof(*arrays); i++)
        free(arrays[i]);
    free(e);
}

size_t sxt_engine_active(const struct sxt_engine *e)
{
    return e->n_active;
}

/* ---- a pass ---- */

/* The first positions come from a mate: are they computed when this pass
 * looks at them?  They are if the mate computes them in the same pass. */
static bool prefix_ready(struct sxt_engine *e, struct sxt_seq *s)
{
    const struct sxt_seq *m = &e->seq[s->mate];

    if (s->shared == 0)
        return true;
    if (m->shared > 0 || m->computed + m->planned < s->shared)
        return false;
    s->shared = 0;
    return true;
}

/* Put the next tokens of a slot into the pass: one, or a piece of the prompt,
 * cut at multiples of the chunk. */
static void plan(struct sxt_engine *e, size_t slot)
{
    struct sxt_seq *s = &e->seq[slot];
    size_t left = e->size.batch + e->size.chunk - e->rows.n;
    size_t piece = e->size.chunk - s->computed % e->size.chunk;
    size_t n = min(s->n - s->computed, piece);

    if (n > left || !prefix_ready(e, s))
        return;
    if (!sxt_engine_grow(e, slot, s->computed + n))
        n = min(n, s->n_pages * e->size.block - s->computed);
    if (n == 0) {
        e->stats.waits++;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        size_t row = e->rows.n++;
        e->id[row] = s->ids[s->computed + i];
        e->slot[row] = (int32_t)slot;
        e->pos[row] = (int32_t)(s->computed + i);
    }
    s->planned = n;
    if (s->computed + n == s->n) {
        e->drawing[e->rows.n_logits] = slot;
        e->logit_row[e->rows.n_logits++] = (int32_t)e->rows.n - 1;
    }
}

/* Decoding first, a row each; then pieces of prompts, oldest first, as far as
 * there are rows. */
static void plan_pass(struct sxt_engine *e)
{
    e->rows.n = e->rows.n_logits = 0;
    for (size_t i = 0; i < e->n_active; i++)
        e->seq[e->active[i]].planned = 0;
    for (int prompts = 0; prompts < 2; prompts++) {
        for (size_t i = 0; i < e->n_active; i++) {
            const struct sxt_seq *s = &e->seq[e->active[i]];
            if ((s->n - s->computed > 1) == (prompts == 1) && s->planned == 0)
                plan(e, e->active[i]);
        }
    }
    SXT_CHECK(e->rows.n > 0); /* the banker's promise */
}

/* What the pass must move and compute at least. */
static void account(struct sxt_engine *e)
{
    const struct sxt_model_config *c = &e->layout->config;
    double head = 2.0 * (double)c->vocab * (double)c->hidden;
    double per_pair = 4.0 * (double)(c->layers * c->heads * c->head_dim);
    double bytes = e->weight_bytes;
    double flop = (double)e->rows.n * (sxt_model_flop_per_token(c) - head) +
                  (double)e->rows.n_logits * head;

    for (size_t i = 0; i < e->n_active; i++) {
        struct sxt_seq *s = &e->seq[e->active[i]];
        double n = (double)s->planned, seen = (double)s->computed;
        if (s->planned == 0)
            continue;
        bytes += (seen + n) * e->position_bytes;
        flop += per_pair * (n * seen + n * (n + 1) / 2);
        e->stats.prompt_tokens += s->n - s->computed > 1 ? s->planned : 0;
    }
    e->stats.steps++;
    e->stats.answer_steps += (double)e->n_active;
    e->stats.bytes += bytes;
    e->stats.flop += flop;
    double by_bytes = e->bytes_per_s > 0 ? bytes / e->bytes_per_s : 0;
    double by_flop = e->flop_per_s > 0 ? flop / e->flop_per_s : 0;
    e->stats.least_seconds += by_bytes > by_flop ? by_bytes : by_flop;
}

static bool below_minimum(const struct sxt_engine *e, const struct sxt_seq *s)
{
    return s->n - s->n_prompt < e->draw.min_tokens;
}

/* Draw rows [first, end) of the logits, which share a mask. */
static void sample(struct sxt_engine *e, const float *logits, size_t first,
                   size_t end)
{
    bool below = below_minimum(e, &e->seq[e->drawing[first]]);
    struct sxt_sample s = { .logits = logits + first * e->layout->config.vocab,
                            .rows = end - first,
                            .vocab = e->vocab,
                            .ld = e->layout->config.vocab,
                            .row = e->how + first,
                            .allowed = below ? e->unstoppable : NULL,
                            .id = e->drawn + first,
                            .logprob = e->logprob + first };

    sxt_sample(e->num, &s);
}

static void sample_all(struct sxt_engine *e, const float *logits)
{
    const struct sxt_draw *d = &e->draw;
    size_t n = e->rows.n_logits;

    for (size_t i = 0; i < n; i++) {
        const struct sxt_seq *s = &e->seq[e->drawing[i]];
        e->how[i] =
            (struct sxt_sample_row){ .temperature = (float)d->temperature,
                                     .top_p = (float)d->top_p,
                                     .min_p = (float)d->min_p,
                                     .repetition_penalty =
                                         (float)d->repetition_penalty,
                                     .top_k = d->top_k,
                                     .seed = d->seed,
                                     .stream = s->key,
                                     .index = s->n - s->n_prompt,
                                     .seen = s->ids,
                                     .n_seen = s->n };
    }
    for (size_t first = 0, end = 0; first < n; first = end) {
        bool below = below_minimum(e, &e->seq[e->drawing[first]]);
        for (end = first + 1; end < n; end++)
            if (below_minimum(e, &e->seq[e->drawing[end]]) != below)
                break;
        sample(e, logits, first, end);
    }
}

/* In a group its first rank draws: what the others do never hangs on whether
 * their logits have the same last bits. */
static void draw_all(struct sxt_engine *e, const float *logits)
{
    size_t n = e->rows.n_logits;

    if (!e->group || sxt_coll_rank(e->group) == 0)
        sample_all(e, logits);
    if (e->group && n > 0)
        sxt_coll_share(e->group, e->drawn, n * sizeof(*e->drawn));
}

static bool is_stop_id(const struct sxt_draw *d, int32_t id)
{
    for (size_t i = 0; i < d->n_stop_ids; i++)
        if (d->stop_id[i] == id)
            return true;
    return false;
}

/* The answer goes on by one token; is it over? */
static enum sxt_finish accept_token(struct sxt_engine *e, struct sxt_seq *s,
                                    int32_t id, double logprob)
{
    size_t searched = s->text.len;
    bool below = below_minimum(e, s), loops;

    s->ids[s->n++] = id;
    s->logprob += logprob;
    if (is_stop_id(&e->draw, id) && !below)
        return SXT_FINISH_STOP;
    loops = sxt_engine_follow(e, s);
    if (!below && s->text.len > searched) {
        struct sxt_span text = { s->text.data, s->text.len };
        long at = sxt_stop_find(text, searched, e->draw.stop, e->draw.n_stop);
        if (at >= 0) {
            sxt_str_cut(&s->text, (size_t)at);
            return SXT_FINISH_STOP;
        }
    }
    if (loops && e->draw.stop_loops)
        return SXT_FINISH_LOOP;
    return s->n == s->limit ? SXT_FINISH_LENGTH : SXT_FINISH_NONE;
}

static size_t place_of(const struct sxt_engine *e, size_t slot)
{
    size_t at = 0;

    while (e->active[at] != slot)
        at++;
    return at;
}

static void learn_length(struct sxt_engine *e, size_t tokens)
{
    e->sum_length += (double)tokens;
    e->sum_square += (double)tokens * (double)tokens;
}

void sxt_engine_step(struct sxt_engine *e, sxt_answer_fn *done, void *context)
{
    double begin = sxt_clock();

    if (e->n_active == 0)
        return;
    sxt_dev_seal(e->num->dev, true); /* a pass allocates nothing */
    plan_pass(e);
    account(e);
    const float *logits = sxt_paged_forward(e->paged, &e->rows);
    for (size_t i = 0; i < e->n_active; i++) {
        struct sxt_seq *s = &e->seq[e->active[i]];
        s->computed += s->planned;
        s->planned = 0;
    }
    draw_all(e, logits);
    sxt_dev_seal(e->num->dev, false);
    e->stats.drawn_tokens += e->rows.n_logits;
    for (size_t i = 0; i < e->rows.n_logits; i++) {
        struct sxt_seq *s = &e->seq[e->drawing[i]];
        enum sxt_finish finish =
            accept_token(e, s, e->drawn[i], (double)e->logprob[i]);
        if (finish == SXT_FINISH_NONE)
            continue;
        struct sxt_answer a = sxt_engine_answer(s, finish);
        done(context, &a);
        learn_length(e, s->n - s->n_prompt);
        sxt_engine_release(e, place_of(e, e->drawing[i]));
    }
    e->stats.seconds += sxt_clock() - begin;
}

struct sxt_engine_stats sxt_engine_stats(const struct sxt_engine *e)
{
    struct sxt_engine_stats stats = e->stats;

    stats.replays = sxt_paged_replays(e->paged);
    return stats;
}

void sxt_engine_set_replay(struct sxt_engine *e, bool replay)
{
    sxt_paged_set_replay(e->paged, replay);
}

void sxt_engine_set_peak(struct sxt_engine *e, double bytes_per_s,
                         double flop_per_s)
{
    e->bytes_per_s = bytes_per_s;
    e->flop_per_s = flop_per_s;
}
