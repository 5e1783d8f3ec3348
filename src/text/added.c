/* added.c - a sorted list of tokens, narrowed byte by byte. */
#include "text/added.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct entry {
    char *content; /* owned */
    size_t len;
    int32_t id;
};

struct sxt_added {
    struct entry *entries; /* sorted by bytes once sealed */
    size_t n, cap;
    size_t first[257]; /* entries that begin with byte b: first[b] … */
};

struct sxt_added *sxt_added_create(void)
{
    return sxt_calloc(1, sizeof(struct sxt_added));
}

void sxt_added_destroy(struct sxt_added *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->n; i++)
        free(set->entries[i].content);
    free(set->entries);
    free(set);
}

void sxt_added_put(struct sxt_added *set, struct sxt_span content, int32_t id)
{
    set->entries =
        sxt_grow(set->entries, &set->cap, set->n + 1, sizeof(*set->entries));
    set->entries[set->n++] =
        (struct entry){ sxt_strndup(content.data, content.len), content.len,
                        id };
}

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    size_t n = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->content, y->content, n);

    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

void sxt_added_seal(struct sxt_added *set)
{
    if (set->n > 0)
        qsort(set->entries, set->n, sizeof(*set->entries), compare);
    for (size_t b = 0, i = 0; b <= 256; b++) {
        while (i < set->n && (unsigned char)set->entries[i].content[0] < b)
            i++;
        set->first[b] = i;
    }
}

/* First entry in [low, high) whose byte at `depth` is >= c; all of them agree
 * in the bytes before it. */
static size_t lower(const struct sxt_added *set, size_t low, size_t high,
                    size_t depth, int c)
{
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct entry *e = &set->entries[mid];
        int byte = depth < e->len ? (unsigned char)e->content[depth] : -1;
        if (byte < c)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* The longest entry that the text begins with at `at`, or NULL. */
static const struct entry *longest(const struct sxt_added *set,
                                   struct sxt_span text, size_t at)
{
    int c = (unsigned char)text.data[at];
    size_t low = set->first[c], high = set->first[c + 1], depth = 1;
    const struct entry *best = NULL;

    while (low < high) {
        /* Of entries with the same beginning the shortest sorts first. */
        if (set->entries[low].len == depth)
            best = &set->entries[low];
        if (at + depth == text.len)
            break;
        c = (unsigned char)text.data[at + depth];
        low = lower(set, low, high, depth, c);
        high = lower(set, low, high, depth, c + 1);
        depth++;
    }
    return best;
}

bool sxt_added_find(const struct sxt_added *set, struct sxt_span text,
                    size_t from, size_t *start, size_t *end, int32_t *id)
{
    if (set->n == 0)
        return false;
    for (size_t at = from; at < text.len; at++) {
        int c = (unsigned char)text.data[at];
        if (set->first[c] == set->first[c + 1])
            continue;
        const struct entry *e = longest(set, text, at);
        if (!e)
            continue;
        *start = at;
        *end = at + e->len;
        *id = e->id;
        return true;
    }
    return false;
}
