/* engine_room.c - what fits into the cache: admission, pages, sharing. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/engine_impl.h"

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t pages_of(const struct sxt_engine *e, size_t positions)
{
    return (positions + e->size.block - 1) / e->size.block;
}

/* Pages that would come back if this answer ended now: those it shares with
 * nobody.  Only pages of the prompt are ever shared. */
static size_t pages_alone(const struct sxt_engine *e, const struct sxt_seq *s)
{
    size_t shareable = min(s->n_pages, s->n_prompt / e->size.block);
    size_t alone = s->n_pages - shareable;

    for (size_t i = 0; i < shareable; i++)
        alone += sxt_blocks_holders(e->blocks, s->page[i]) == 1;
    return alone;
}

/* The banker's test after `who` (NULL: nobody) took `more` pages, and with
 * one more claim if `extra` is not NULL. */
static bool safe(const struct sxt_engine *e, const struct sxt_seq *who,
                 size_t more, const struct sxt_claim *extra)
{
    size_t n = 0;

    for (size_t i = 0; i < e->n_active; i++) {
        const struct sxt_seq *s = &e->seq[e->active[i]];
        size_t taken = s == who ? more : 0;
        e->claims[n++] =
            (struct sxt_claim){ pages_alone(e, s) + taken,
                                s->worst_pages - s->n_pages - taken };
    }
    if (extra)
        e->claims[n++] = *extra;
    return sxt_blocks_safe(e->claims, n, sxt_blocks_free(e->blocks) - more);
}

bool sxt_engine_grow(struct sxt_engine *e, size_t slot, size_t positions)
{
    struct sxt_seq *s = &e->seq[slot];
    size_t have = s->n_pages, want = pages_of(e, positions);

    if (want <= have)
        return true;
    if (want - have > sxt_blocks_free(e->blocks) ||
        !safe(e, s, want - have, NULL))
        return false;
    while (s->n_pages < want)
        s->page[s->n_pages++] = sxt_blocks_take(e->blocks);
    sxt_paged_map(e->paged, slot, have, s->page + have, want - have);
    return true;
}

/* Pages an answer will hold on average while it is under way.  Seen at a
 * random moment, answers of lengths l are E[l^2] / (2 E[l]) long. */
static size_t pages_expected(const struct sxt_engine *e, size_t n_prompt,
                             size_t now, size_t limit)
{
    size_t live = n_prompt + (size_t)(e->sum_square / (2 * e->sum_length));

    return pages_of(e, min(live > now ? live : now, limit));
}

static size_t limit_of(const struct sxt_engine *e, const struct sxt_prompt *p)
{
    return min(p->n + e->draw.max_tokens, e->size.length);
}

/* The youngest answer with the same prompt, or batch if there is none. */
static size_t find_mate(const struct sxt_engine *e, const struct sxt_prompt *p)
{
    for (size_t i = e->n_active; i-- > 0;) {
        const struct sxt_seq *s = &e->seq[e->active[i]];
        if (s->n_prompt == p->n &&
            memcmp(s->ids, p->ids, p->n * sizeof(*p->ids)) == 0)
            return e->active[i];
    }
    return e->size.batch;
}

/* Full pages of the prompt; the last token is left to compute, for it gives
 * the first logits. */
static size_t pages_to_share(const struct sxt_engine *e,
                             const struct sxt_seq *mate, size_t n_prompt)
{
    return min((n_prompt - 1) / e->size.block, mate->n_pages);
}

bool sxt_engine_room(const struct sxt_engine *e, const struct sxt_prompt *p)
{
    size_t limit = limit_of(e, p), sum;

    if (e->n_active == 0)
        return true;
    if (e->n_idle == 0)
        return false;
    sum = pages_expected(e, p->n, p->n + p->n_given, limit);
    for (size_t i = 0; i < e->n_active; i++) {
        const struct sxt_seq *s = &e->seq[e->active[i]];
        sum += pages_expected(e, s->n_prompt, s->n, s->limit);
    }
    /* Tested without sharing: sharing takes fewer pages, but those it takes
     * come back later; add() shares only if that is safe too. */
    struct sxt_claim new = { 0, pages_of(e, limit) };
    return sum <= e->size.pages && safe(e, NULL, 0, &new);
}

/* Take the mate's pages along, unless that makes the state unsafe. */
static void share_pages(struct sxt_engine *e, struct sxt_seq *s,
                        const struct sxt_prompt *p)
{
    size_t mate = find_mate(e, p);

    if (mate == e->size.batch)
        return;
    const struct sxt_seq *m = &e->seq[mate];
    size_t n = pages_to_share(e, m, p->n);
    for (size_t i = 0; i < n; i++) {
        sxt_blocks_share(e->blocks, m->page[i]);
        s->page[i] = m->page[i];
    }
    struct sxt_claim claim = { 0, s->worst_pages - n };
    if (!safe(e, NULL, 0, &claim)) {
        for (size_t i = 0; i < n; i++)
            sxt_blocks_give(e->blocks, s->page[i]);
        return;
    }
    s->n_pages = n;
    s->mate = mate;
    s->shared = s->computed = n * e->size.block;
    e->stats.shared_tokens += s->shared;
}

/* ---- adding and removing ---- */

bool sxt_engine_follow(struct sxt_engine *e, struct sxt_seq *s)
{
    if (e->tok)
        sxt_tokenizer_decode(e->tok, &s->ids[s->n - 1], 1, true, &s->text);
    return sxt_loop_add(&s->loop, s->ids + s->n_prompt, s->n - s->n_prompt);
}

void sxt_engine_add(struct sxt_engine *e, const struct sxt_prompt *p)
{
    size_t limit = limit_of(e, p);

    SXT_CHECK(e->n_idle > 0 && p->n > 0 && p->n + p->n_given < limit);
    size_t slot = e->idle[--e->n_idle];
    struct sxt_seq *s = &e->seq[slot];
    *s = (struct sxt_seq){ .item = p->item,
                           .key = p->key,
                           .n_prompt = p->n,
                           .limit = limit,
                           .worst_pages = pages_of(e, limit),
                           .logprob = p->given_logprob };
    s->ids = sxt_alloc(limit, sizeof(*s->ids));
    s->page = sxt_alloc(s->worst_pages, sizeof(*s->page));
    memcpy(s->ids, p->ids, p->n * sizeof(*p->ids));
    s->n = p->n;
    for (size_t i = 0; i < p->n_given; i++) {
        s->ids[s->n++] = p->given[i];
        sxt_engine_follow(e, s);
    }
    share_pages(e, s, p);
    if (s->n_pages > 0)
        sxt_paged_map(e->paged, slot, 0, s->page, s->n_pages);
    e->active[e->n_active++] = slot;
    /* At once, if there are pages, so that others can share them. */
    sxt_engine_grow(e, slot, s->n);
}

void sxt_engine_release(struct sxt_engine *e, size_t at)
{
    size_t slot = e->active[at];
    struct sxt_seq *s = &e->seq[slot];

    /* Who waited for this prompt's pages: they were computed long ago. */
    for (size_t i = 0; i < e->n_active; i++)
        if (e->seq[e->active[i]].mate == slot)
            e->seq[e->active[i]].shared = 0;
    for (size_t i = 0; i < s->n_pages; i++)
        sxt_blocks_give(e->blocks, s->page[i]);
    free(s->ids);
    free(s->page);
    sxt_str_free(&s->text);
    e->n_active--;
    memmove(e->active + at, e->active + at + 1,
            (e->n_active - at) * sizeof(*e->active));
    e->idle[e->n_idle++] = slot;
}

struct sxt_answer sxt_engine_answer(const struct sxt_seq *s,
                                    enum sxt_finish finish)
{
    return (struct sxt_answer){ .item = s->item,
                                .key = s->key,
                                .prompt_ids = s->ids,
                                .n_prompt = s->n_prompt,
                                .ids = s->ids + s->n_prompt,
                                .n = s->n - s->n_prompt,
                                .text = { s->text.data, s->text.len },
                                .finish = finish,
                                .logprob = s->logprob };
}

void sxt_engine_each(const struct sxt_engine *e, sxt_answer_fn *each,
                     void *context)
{
    for (size_t i = 0; i < e->n_active; i++) {
        struct sxt_answer a =
            sxt_engine_answer(&e->seq[e->active[i]], SXT_FINISH_NONE);
        each(context, &a);
    }
}

void sxt_engine_abandon(struct sxt_engine *e, sxt_answer_fn *each,
                        void *context)
{
    if (each)
        sxt_engine_each(e, each, context);
    while (e->n_active > 0)
        sxt_engine_release(e, e->n_active - 1);
}
