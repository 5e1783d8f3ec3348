/* sampling_group.c - ranks that have one model between them: the first of a
 * group decides, the others do as it does.
 *
 * Only the first rank takes from the queue and keeps answers.  Before each step
 * it tells the others which prompts it has added; all their engines are then in
 * the same state, and run the same pass. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stage/sampling_impl.h"

static const uint64_t the_end = UINT64_MAX; /* in place of a length */

/* A prompt on its way; n + n_given ids follow. */
struct parcel {
    uint64_t item, key, n, n_given;
    double given_logprob;
};

static int check_group(const struct sxt_sampler *s, size_t parts,
                       struct sxt_error *err)
{
    int ranks = s->run->comm.size;

    if ((size_t)ranks % parts != 0 && !s->run->dry_run)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "engine.tensor_parallel = %zu divides the ranks into "
                       "groups, and there are %d: start a multiple of %zu",
                       parts, ranks, parts);
    if (s->head.quantized && parts > 1)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "%s: quantised weights (%s) cannot be divided; set "
                       "engine.tensor_parallel to 1, or take the model that it "
                       "was made from",
                       s->path, sxt_qformat_name(s->head.format));
    return 0;
}

int sxt_sampler_join(struct sxt_sampler *s, struct sxt_error *err)
{
    size_t parts = (size_t)s->serving->tensor_parallel;
    size_t rank = (size_t)s->run->comm.rank;

    if (check_group(s, parts, err) != 0 ||
        sxt_layout_part(&s->part, &s->head.layout, rank % parts, parts, err) !=
            0)
        return -1;
    s->group = sxt_comm_groups(s->run->comm, s->run->dry_run ? 1 : (int)parts);
    s->joined = true;
    if (s->group.size == 1)
        return 0;
    int apart = sxt_comm_on_node(s->group) < s->group.size;
    sxt_log(&s->run->log, SXT_LOG_INFO,
            "model divided over %zu ranks each, %zu groups", parts,
            (size_t)s->run->comm.size / parts);
    if (sxt_comm_max(s->run->comm, apart) > 0)
        sxt_log(&s->run->log, SXT_LOG_WARN,
                "a group's ranks are on different nodes: every layer waits for "
                "the network; place neighbouring ranks on one node");
    return 0;
}

void sxt_group_add(struct sxt_str *news, const struct sxt_prompt *p)
{
    struct parcel head = { p->item, p->key, p->n, p->n_given,
                           p->given_logprob };

    sxt_str_add_bytes(news, &head, sizeof(head));
    sxt_str_add_bytes(news, p->ids, p->n * sizeof(*p->ids));
    if (p->n_given > 0)
        sxt_str_add_bytes(news, p->given, p->n_given * sizeof(*p->given));
}

void sxt_group_step(struct sxt_comm group, struct sxt_str *news)
{
    uint64_t n = news->len;

    sxt_comm_broadcast(group, &n, sizeof(n), 0);
    sxt_comm_broadcast(group, news->data, n, 0);
    sxt_str_cut(news, 0);
}

void sxt_group_end(struct sxt_comm group)
{
    uint64_t n = the_end;

    sxt_comm_broadcast(group, &n, sizeof(n), 0);
}

static void add_prompts(struct sxt_engine *e, const char *news, size_t n)
{
    for (size_t at = 0; at < n;) {
        struct parcel head;
        memcpy(&head, news + at, sizeof(head));
        const int32_t *ids = (const void *)(news + at + sizeof(head));
        struct sxt_prompt p = { .item = head.item,
                                .key = head.key,
                                .ids = ids,
                                .n = head.n,
                                .given = ids + head.n,
                                .n_given = head.n_given,
                                .given_logprob = head.given_logprob };
        sxt_engine_add(e, &p);
        at += sizeof(head) + (head.n + head.n_given) * sizeof(*ids);
    }
}

static void ignore(void *context, const struct sxt_answer *answer)
{
    (void)context, (void)answer;
}

bool sxt_group_follow(struct sxt_comm group, struct sxt_engine *e)
{
    uint64_t n;

    sxt_comm_broadcast(group, &n, sizeof(n), 0);
    if (n == the_end)
        return false;
    char *news = sxt_alloc(n, 1);
    sxt_comm_broadcast(group, news, n, 0);
    add_prompts(e, news, n);
    free(news);
    sxt_engine_step(e, ignore, NULL);
    return true;
}
