/* bpe.c - merges by rank: a scan for short pieces, a heap for long ones. */
#include "text/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { SHORT_PIECE = 48 }; /* symbols; below it the scan is faster */

#define NO_RANK UINT32_MAX
#define NO_PAIR UINT64_MAX

struct merge {
    uint64_t pair; /* left << 32 | right, or NO_PAIR */
    uint32_t rank;
    int32_t result;
};

struct sxt_bpe {
    int32_t bytes[256];   /* -1: none */
    struct merge *merges; /* open addressing, at most half full */
    int shift;            /* 64 - log2 of the slots */
};

/* A symbol and the merge with the one behind it. */
struct sxt_bpe_symbol {
    int32_t id; /* -1: merged into the one before it */
    int32_t result;
    uint32_t rank; /* NO_RANK: no such merge */
    uint32_t prev, next;
};

struct sxt_bpe *sxt_bpe_create(size_t n_merges)
{
    struct sxt_bpe *bpe = sxt_calloc(1, sizeof(*bpe));
    int bits = 4;

    while (((size_t)1 << bits) < 2 * n_merges)
        bits++;
    bpe->shift = 64 - bits;
    bpe->merges = sxt_alloc((size_t)1 << bits, sizeof(*bpe->merges));
    for (size_t i = 0; i < (size_t)1 << bits; i++)
        bpe->merges[i] = (struct merge){ NO_PAIR, NO_RANK, -1 };
    for (int b = 0; b < 256; b++)
        bpe->bytes[b] = -1;
    return bpe;
}

void sxt_bpe_destroy(struct sxt_bpe *bpe)
{
    if (!bpe)
        return;
    free(bpe->merges);
    free(bpe);
}

/* The pair's slot, or the free one where it would go. */
static struct merge *find(const struct sxt_bpe *bpe, int32_t left,
                          int32_t right)
{
    uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    size_t mask = ((size_t)1 << (64 - bpe->shift)) - 1;
    /* Fibonacci hashing: the high bits of a product with 2^64 / phi. */
    size_t i = (size_t)((pair * 0x9E3779B97F4A7C15u) >> bpe->shift);

    while (bpe->merges[i].pair != pair && bpe->merges[i].pair != NO_PAIR)
        i = (i + 1) & mask;
    return &bpe->merges[i];
}

void sxt_bpe_set_byte(struct sxt_bpe *bpe, uint8_t byte, int32_t id)
{
    bpe->bytes[byte] = id;
}

void sxt_bpe_set_merge(struct sxt_bpe *bpe, int32_t left, int32_t right,
                       uint32_t rank, int32_t result)
{
    *find(bpe, left, right) =
        (struct merge){ .pair =
                            (uint64_t)(uint32_t)left << 32 | (uint32_t)right,
                        .rank = rank,
                        .result = result };
}

void sxt_bpe_space_free(struct sxt_bpe_space *space)
{
    free(space->symbols);
    free(space->heap);
}

/* ---- short pieces: arrays without holes, the lowest rank by a scan */

struct row {
    int32_t id[SHORT_PIECE], result[SHORT_PIECE];
    uint32_t rank[SHORT_PIECE]; /* of i and i + 1 */
};

static void rate_row(const struct sxt_bpe *bpe, struct row *row, size_t i)
{
    const struct merge *m = find(bpe, row->id[i], row->id[i + 1]);

    row->rank[i] = m->rank;
    row->result[i] = m->result;
}

static void merge_short(const struct sxt_bpe *bpe, struct sxt_span piece,
                        struct sxt_ids *out)
{
    struct row row;
    size_t n = 0;

    for (size_t i = 0; i < piece.len; i++) {
        row.id[n] = bpe->bytes[(uint8_t)piece.data[i]];
        n += row.id[n] >= 0;
    }
    for (size_t i = 0; i + 1 < n; i++)
        rate_row(bpe, &row, i);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (row.rank[i] < row.rank[best])
                best = i;
        if (row.rank[best] == NO_RANK)
            break;
        row.id[best] = row.result[best];
        size_t tail = n - best - 2; /* symbols behind the pair */
        memmove(&row.id[best + 1], &row.id[best + 2], tail * sizeof(int32_t));
        memmove(&row.rank[best], &row.rank[best + 1],
                (tail + 1) * sizeof(uint32_t));
        memmove(&row.result[best], &row.result[best + 1],
                (tail + 1) * sizeof(int32_t));
        n--;
        if (best > 0)
            rate_row(bpe, &row, best - 1);
        if (best + 1 < n)
            rate_row(bpe, &row, best);
    }
    sxt_ids_add_all(out, row.id, n);
}

/* ---- long pieces: a linked list, and a heap of rank << 32 | position */

struct heap {
    uint64_t *items;
    size_t n;
};

static void heap_push(struct heap *heap, uint64_t item)
{
    size_t i = heap->n++;

    for (; i > 0 && heap->items[(i - 1) / 2] > item; i = (i - 1) / 2)
        heap->items[i] = heap->items[(i - 1) / 2];
    heap->items[i] = item;
}

static uint64_t heap_pop(struct heap *heap)
{
    uint64_t top = heap->items[0];
    uint64_t last = heap->items[--heap->n];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= heap->n)
            break;
        if (child + 1 < heap->n && heap->items[child + 1] < heap->items[child])
            child++;
        if (heap->items[child] >= last)
            break;
        heap->items[i] = heap->items[child];
        i = child;
    }
    heap->items[i] = last;
    return top;
}

static void rate_symbol(const struct sxt_bpe *bpe, struct sxt_bpe_symbol *s,
                        uint32_t i, uint32_t n, struct heap *heap)
{
    s[i].rank = NO_RANK;
    if (s[i].next == n)
        return;
    const struct merge *m = find(bpe, s[i].id, s[s[i].next].id);
    s[i].rank = m->rank;
    s[i].result = m->result;
    if (m->rank != NO_RANK)
        heap_push(heap, (uint64_t)m->rank << 32 | i);
}

/* The piece's symbols as a list; returns their number. */
static uint32_t list_symbols(const struct sxt_bpe *bpe, struct sxt_span piece,
                             struct sxt_bpe_symbol *s)
{
    uint32_t n = 0;

    for (size_t i = 0; i < piece.len; i++) {
        int32_t id = bpe->bytes[(uint8_t)piece.data[i]];
        if (id < 0)
            continue;
        s[n] = (struct sxt_bpe_symbol){ id, -1, NO_RANK, n - 1, n + 1 };
        n++;
    }
    return n;
}

static void merge_long(const struct sxt_bpe *bpe, struct sxt_span piece,
                       struct sxt_bpe_space *space, struct sxt_ids *out)
{
    SXT_CHECK(piece.len < NO_RANK);
    space->symbols = sxt_grow(space->symbols, &space->symbols_cap, piece.len,
                              sizeof(*space->symbols));
    /* Every merge takes one item out and puts at most two in. */
    space->heap = sxt_grow(space->heap, &space->heap_cap, 2 * piece.len,
                           sizeof(*space->heap));
    struct sxt_bpe_symbol *s = space->symbols;
    struct heap heap = { space->heap, 0 };
    uint32_t n = list_symbols(bpe, piece, s);

    for (uint32_t i = 0; i < n; i++)
        rate_symbol(bpe, s, i, n, &heap);
    while (heap.n > 0) {
        uint64_t item = heap_pop(&heap);
        uint32_t i = (uint32_t)item;
        /* A rank names one pair: another rank means a pair that is gone. */
        if (s[i].id < 0 || s[i].rank != (uint32_t)(item >> 32))
            continue;
        uint32_t right = s[i].next;
        s[i].id = s[i].result;
        s[i].next = s[right].next;
        s[right].id = -1;
        if (s[i].next < n)
            s[s[i].next].prev = i;
        if (i > 0)
            rate_symbol(bpe, s, s[i].prev, n, &heap);
        rate_symbol(bpe, s, i, n, &heap);
    }
    for (uint32_t i = 0; i < n; i = s[i].next)
        sxt_ids_add(out, s[i].id);
}

void sxt_bpe_merge(const struct sxt_bpe *bpe, struct sxt_span piece,
                   struct sxt_bpe_space *space, struct sxt_ids *out)
{
    if (piece.len <= SHORT_PIECE)
        merge_short(bpe, piece, out);
    else
        merge_long(bpe, piece, space, out);
}
