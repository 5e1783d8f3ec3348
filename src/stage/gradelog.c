/* gradelog.c - verdicts in bytes. */
#include "stage/gradelog.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

/* In the machine's byte order; the texts follow, each with its NUL. */
enum { ANSWER, RULE, SANDBOX, DETAIL, N_TEXTS };
struct head {
    uint8_t finished, kind, unused[2]; /* 0: the bytes are hashed */
    int32_t tests, tests_run, tests_passed, first_failed;
    uint32_t len[N_TEXTS], unused_too; /* without the NUL */
    double cpu_s;
    uint64_t peak_bytes;
};

static uint64_t hash_span(uint64_t h, struct sxt_span s)
{
    return sxt_hash64(s.len > 0 ? s.data : "", s.len, h);
}

uint64_t sxt_gradelog_key(const char *rules, uint64_t settings,
                          const struct sxt_question *q,
                          struct sxt_span response)
{
    const struct sxt_span part[] = { q->id,    q->domain, q->answer, q->choices,
                                     q->tests, q->source, response };
    uint64_t h = hash_span(settings, sxt_span(rules));

    for (size_t i = 0; i < sizeof(part) / sizeof(*part); i++)
        h = hash_span(h, part[i]);
    return h;
}

int sxt_gradelog_save(struct sxt_worklog *log, uint64_t key,
                      const struct sxt_verdict *v, struct sxt_error *err)
{
    const struct sxt_span text[N_TEXTS] = {
        [ANSWER] = { v->answer.data ? v->answer.data : "", v->answer.len },
        [RULE] = sxt_span(v->rule),
        [SANDBOX] = sxt_span(v->sandbox),
        [DETAIL] = sxt_span(v->detail),
    };
    struct head h = { .finished = 1,
                      .kind = (uint8_t)v->kind,
                      .tests = v->tests,
                      .tests_run = v->tests_run,
                      .tests_passed = v->tests_passed,
                      .first_failed = v->first_failed,
                      .cpu_s = v->cpu_s,
                      .peak_bytes = v->peak_bytes };
    struct sxt_str s = SXT_STR_EMPTY;

    if (v->kind == SXT_VERDICT_IS_SANDBOX_ERROR)
        return 0;
    for (int i = 0; i < N_TEXTS; i++)
        h.len[i] = (uint32_t)text[i].len;
    sxt_str_add_bytes(&s, &h, sizeof(h));
    for (int i = 0; i < N_TEXTS; i++) {
        sxt_str_add_bytes(&s, text[i].data, text[i].len);
        sxt_str_add_char(&s, '\0');
    }
    int rc = sxt_worklog_save(log, key, s.data, s.len, err);
    sxt_str_free(&s);
    return rc;
}

/* Where the texts of a record begin; false if it is none. */
static bool find_texts(struct sxt_span s, struct head *h,
                       const char *text[N_TEXTS])
{
    size_t at = sizeof(*h);

    if (s.len < at)
        return false;
    memcpy(h, s.data, at);
    for (int i = 0; i < N_TEXTS; i++) {
        text[i] = s.data + at;
        at += (size_t)h->len[i] + 1;
        if (at > s.len || s.data[at - 1] != '\0')
            return false;
    }
    return at == s.len && h->kind < SXT_VERDICT_KINDS;
}

int sxt_gradelog_read(struct sxt_worklog *log, uint64_t key,
                      struct sxt_verdict *v, struct sxt_error *err)
{
    const char *text[N_TEXTS];
    struct sxt_span record;
    struct head h;

    if (sxt_worklog_read(log, key, &record, err) != 0)
        return -1;
    if (!find_texts(record, &h, text))
        return sxt_err(err, SXT_EXIT_DATA,
                       "the journal holds no verdicts as this version writes "
                       "them; remove its directory to grade anew");
    *v = (struct sxt_verdict){ .kind = (enum sxt_verdict_kind)h.kind,
                               .rule = text[RULE],
                               .tests = h.tests,
                               .tests_run = h.tests_run,
                               .tests_passed = h.tests_passed,
                               .first_failed = h.first_failed,
                               .cpu_s = h.cpu_s,
                               .peak_bytes = h.peak_bytes,
                               .sandbox = text[SANDBOX] };
    sxt_str_add_bytes(&v->answer, text[ANSWER], h.len[ANSWER]);
    snprintf(v->detail, sizeof(v->detail), "%s", text[DETAIL]);
    return 0;
}
