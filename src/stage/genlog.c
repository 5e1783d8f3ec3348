/* genlog.c - answers in bytes. */
#include "stage/genlog.h"

#include <string.h>

/* In the machine's byte order; ids and text follow. */
struct head {
    uint8_t finish, unused[3]; /* 0, as the next: the bytes are hashed */
    uint32_t n, text_len, unused_too;
    double logprob;
};

int sxt_genlog_save(struct sxt_worklog *log, const struct sxt_answer *a,
                    struct sxt_error *err)
{
    struct head h = { .finish = (uint8_t)a->finish,
                      .n = (uint32_t)a->n,
                      .text_len = (uint32_t)a->text.len,
                      .logprob = a->logprob };
    struct sxt_str s = SXT_STR_EMPTY;

    sxt_str_add_bytes(&s, &h, sizeof(h));
    sxt_str_add_bytes(&s, a->ids, sizeof(*a->ids) * a->n);
    sxt_str_add_bytes(&s, a->text.data, a->text.len);
    int rc = sxt_worklog_save(log, a->key, s.data, s.len, err);
    sxt_str_free(&s);
    return rc;
}

int sxt_genlog_read(struct sxt_worklog *log, uint64_t key,
                    struct sxt_genlog_answer *a, struct sxt_error *err)
{
    struct sxt_span s;
    struct head h = { 0 };
    size_t ids;

    if (sxt_worklog_read(log, key, &s, err) != 0)
        return -1;
    if (s.len >= sizeof(h))
        memcpy(&h, s.data, sizeof(h));
    ids = sizeof(*a->ids) * h.n;
    if (h.finish > SXT_FINISH_LOOP || s.len != sizeof(h) + ids + h.text_len)
        return sxt_err(err, SXT_EXIT_DATA,
                       "the journal holds no answers as this version writes "
                       "them; remove its directory to draw them anew");
    *a = (struct sxt_genlog_answer){
        .finish = (enum sxt_finish)h.finish,
        .logprob = h.logprob,
        .ids = (const int32_t *)(const void *)(s.data + sizeof(h)),
        .n = h.n,
        .text = { s.data + sizeof(h) + ids, h.text_len },
    };
    return 0;
}

int sxt_genlog_resume(struct sxt_worklog *log, struct sxt_prompt *p,
                      struct sxt_error *err)
{
    struct sxt_genlog_answer begin;
    bool begun;

    sxt_worklog_find(log, p->key, &begun);
    if (!begun)
        return 0;
    if (sxt_genlog_read(log, p->key, &begin, err) != 0)
        return -1;
    p->given = begin.ids;
    p->n_given = begin.n;
    p->given_logprob = begin.logprob;
    return 0;
}
