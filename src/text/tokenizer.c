/* tokenizer.c - encoding and decoding with a parsed tokenizer. */
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/impl.h"
#include "text/normal.h"
#include "text/regex.h"

void sxt_ids_add(struct sxt_ids *ids, int32_t id)
{
    if (ids->len == ids->cap)
        ids->data =
            sxt_grow(ids->data, &ids->cap, ids->len + 1, sizeof(*ids->data));
    ids->data[ids->len++] = id;
}

void sxt_ids_add_all(struct sxt_ids *ids, const int32_t *more, size_t n)
{
    if (n == 0)
        return;
    ids->data =
        sxt_grow(ids->data, &ids->cap, ids->len + n, sizeof(*ids->data));
    memcpy(ids->data + ids->len, more, n * sizeof(*more));
    ids->len += n;
}

void sxt_ids_free(struct sxt_ids *ids)
{
    free(ids->data);
    *ids = (struct sxt_ids){ NULL, 0, 0 };
}

void sxt_tokenizer_destroy(struct sxt_tokenizer *tok)
{
    if (!tok)
        return;
    sxt_str_free(&tok->pool);
    free(tok->tokens);
    sxt_map_destroy(tok->by_bytes);
    sxt_map_destroy(tok->by_name);
    sxt_bpe_destroy(tok->bpe);
    sxt_split_destroy(tok->split);
    sxt_added_destroy(tok->added[0]);
    sxt_added_destroy(tok->added[1]);
    free(tok);
}

/* ---- encoding */

/* One call's state: the tokenizer itself is never written to. */
struct job {
    const struct sxt_tokenizer *tok;
    enum sxt_added_kind added;
    struct sxt_ids *out;
    struct sxt_regex_space *regex_space;
    struct sxt_bpe_space bpe_space;
    struct sxt_str nfc;
};

static void encode_piece(void *user, struct sxt_span piece)
{
    struct job *job = user;
    const uint64_t *hit =
        sxt_map_get(job->tok->by_bytes, piece.data, piece.len);

    if (hit && (*hit & SXT_TOKEN_DIRECT))
        sxt_ids_add(job->out, (int32_t)(uint32_t)*hit);
    else
        sxt_bpe_merge(job->tok->bpe, piece, &job->bpe_space, job->out);
}

static void encode_plain(struct job *job, struct sxt_span text)
{
    sxt_split_run(job->tok->split, text, job->regex_space, encode_piece, job);
}

/* Cut out the added tokens of set `which`, hand on what is between them.  One
 * that is not wanted is plain text, and so is any that begins within it. */
static void encode_added(struct job *job, struct sxt_span text, int which)
{
    const struct sxt_added *set = job->tok->added[which];
    size_t done = 0, from = 0, start, end;
    int32_t id = -1;

    while (done < text.len) {
        bool found = sxt_added_find(set, text, from, &start, &end, &id);
        if (found && job->added == SXT_ADDED_PLAIN &&
            job->tok->tokens[id].is_special) {
            from = end;
            continue;
        }
        struct sxt_span gap = { text.data + done,
                                (found ? start : text.len) - done };
        if (which == 0 && gap.len > 0) {
            if (job->tok->nfc)
                gap = sxt_normal_nfc(gap, &job->nfc);
            encode_added(job, gap, 1);
        } else {
            encode_plain(job, gap);
        }
        if (!found)
            return;
        sxt_ids_add(job->out, id);
        done = from = end;
    }
}

void sxt_tokenizer_encode(const struct sxt_tokenizer *tok, const char *text,
                          size_t n, enum sxt_added_kind added,
                          struct sxt_ids *out)
{
    struct job job = {
        .tok = tok, .added = added, .out = out, .nfc = SXT_STR_EMPTY
    };
    struct sxt_str repaired = SXT_STR_EMPTY;

    if (n == 0)
        return;
    job.regex_space = sxt_regex_space_create();
    struct sxt_span s =
        sxt_normal_utf8((struct sxt_span){ text, n }, &repaired);
    if (added == SXT_ADDED_NONE)
        encode_plain(&job, tok->nfc ? sxt_normal_nfc(s, &job.nfc) : s);
    else
        encode_added(&job, s, 0);
    sxt_regex_space_destroy(job.regex_space);
    sxt_bpe_space_free(&job.bpe_space);
    sxt_str_free(&job.nfc);
    sxt_str_free(&repaired);
}

/* ---- decoding and looking up */

void sxt_tokenizer_decode(const struct sxt_tokenizer *tok, const int32_t *ids,
                          size_t n, bool skip_special, struct sxt_str *out)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < 0 || (size_t)ids[i] >= tok->size)
            continue;
        const struct sxt_token *t = &tok->tokens[ids[i]];
        if (t->exists && !(skip_special && t->is_special))
            sxt_str_add_bytes(out, tok->pool.data + t->at, t->len);
    }
}

size_t sxt_tokenizer_size(const struct sxt_tokenizer *tok)
{
    return tok->size;
}

int32_t sxt_tokenizer_id(const struct sxt_tokenizer *tok, const char *token)
{
    const uint64_t *id = sxt_map_get(tok->by_name, token, strlen(token));

    return id ? (int32_t)*id : sxt_tokenizer_lookup(tok, sxt_span(token));
}

bool sxt_tokenizer_is_special(const struct sxt_tokenizer *tok, int32_t id)
{
    return id >= 0 && (size_t)id < tok->size && tok->tokens[id].is_special;
}
