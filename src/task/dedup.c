/* dedup.c - questions that are the same, and questions a benchmark knows. */
#include "task/dedup.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"

struct sxt_ngrams {
    size_t n;
    struct sxt_map *seen; /* hash of a run -> 1 */
};

static bool is_word(unsigned char c)
{
    return isalnum(c) || c >= 0x80;
}

/* Does byte i go on with the word before it?  3.5 is one word. */
static bool goes_on(struct sxt_span s, size_t i)
{
    unsigned char c = (unsigned char)s.data[i];
    unsigned char before = (unsigned char)s.data[i - 1];

    if (c == '.' && i + 1 < s.len)
        return isdigit(before) && isdigit((unsigned char)s.data[i + 1]);
    return is_word(c) && (is_word(before) || before == '.');
}

/* The hash of the next word or sign at *at; false at the end. */
static bool next_word(struct sxt_span s, size_t *at, uint64_t *hash)
{
    char buffer[64];
    size_t n = 0, i = *at;

    while (i < s.len && !is_word((unsigned char)s.data[i]) &&
           !memchr("+-*/^=<>", s.data[i], 8))
        i++;
    if (i == s.len)
        return false;
    *hash = 0;
    do {
        buffer[n++] = (char)tolower((unsigned char)s.data[i++]);
        if (n == sizeof(buffer)) {
            *hash = sxt_hash64(buffer, n, *hash + 1);
            n = 0;
        }
    } while (i < s.len && goes_on(s, i));
    *hash = sxt_hash64(buffer, n, *hash);
    *at = i;
    return true;
}

uint64_t sxt_dedup_key(struct sxt_span question)
{
    uint64_t key = 0, word;
    size_t at = 0;

    while (next_word(question, &at, &word))
        key = sxt_hash64_combine(key, word);
    return key;
}

struct sxt_ngrams *sxt_ngrams_create(size_t n)
{
    struct sxt_ngrams *grams = sxt_alloc(1, sizeof(*grams));

    SXT_CHECK(n > 0);
    *grams = (struct sxt_ngrams){ n, sxt_map_create() };
    return grams;
}

void sxt_ngrams_destroy(struct sxt_ngrams *grams)
{
    if (!grams)
        return;
    sxt_map_destroy(grams->seen);
    free(grams);
}

/* Go over the runs of a text; with `add` remember them, else stop at one that
 * is known. */
static bool over_runs(const struct sxt_ngrams *grams, struct sxt_span text,
                      bool add)
{
    uint64_t *window = sxt_calloc(grams->n, sizeof(*window)), word;
    size_t at = 0, count = 0;
    bool met = false;

    while (!met) {
        bool more = next_word(text, &at, &word);
        if (more)
            window[count++ % grams->n] = word;
        bool whole = !more && count > 0 && count < grams->n;
        if ((more && count >= grams->n) || whole) {
            uint64_t key = whole ? count : 0;
            size_t length = whole ? count : grams->n;
            for (size_t i = count - length; i < count; i++)
                key = sxt_hash64_combine(key, window[i % grams->n]);
            if (add)
                sxt_map_put(grams->seen, &key, sizeof(key), 1);
            else
                met = sxt_map_get(grams->seen, &key, sizeof(key)) != NULL;
        }
        if (!more)
            break;
    }
    free(window);
    return met;
}

void sxt_ngrams_add(struct sxt_ngrams *grams, struct sxt_span text)
{
    over_runs(grams, text, true);
}

bool sxt_ngrams_meet(const struct sxt_ngrams *grams, struct sxt_span text)
{
    return over_runs(grams, text, false);
}
