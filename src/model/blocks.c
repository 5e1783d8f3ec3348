/* blocks.c - a stack of free pages, holder counts, the banker's test. */
#include "model/blocks.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"

struct sxt_blocks {
    int32_t *free_page; /* stack */
    size_t n_free, n;
    uint32_t *holders;
};

struct sxt_blocks *sxt_blocks_create(size_t n)
{
    struct sxt_blocks *b = sxt_calloc(1, sizeof(*b));

    SXT_CHECK(n <= INT32_MAX);
    b->n = b->n_free = n;
    b->free_page = sxt_alloc(n, sizeof(*b->free_page));
    b->holders = sxt_calloc(n, sizeof(*b->holders));
    for (size_t i = 0; i < n; i++)
        b->free_page[i] = (int32_t)(n - 1 - i);
    return b;
}

void sxt_blocks_destroy(struct sxt_blocks *b)
{
    if (!b)
        return;
    free(b->free_page);
    free(b->holders);
    free(b);
}

size_t sxt_blocks_free(const struct sxt_blocks *b)
{
    return b->n_free;
}

int32_t sxt_blocks_take(struct sxt_blocks *b)
{
    SXT_CHECK(b->n_free > 0);
    int32_t page = b->free_page[--b->n_free];
    b->holders[page] = 1;
    return page;
}

void sxt_blocks_share(struct sxt_blocks *b, int32_t page)
{
    SXT_CHECK(page >= 0 && (size_t)page < b->n && b->holders[page] > 0);
    b->holders[page]++;
}

void sxt_blocks_give(struct sxt_blocks *b, int32_t page)
{
    SXT_CHECK(page >= 0 && (size_t)page < b->n && b->holders[page] > 0);
    if (--b->holders[page] == 0)
        b->free_page[b->n_free++] = page;
}

size_t sxt_blocks_holders(const struct sxt_blocks *b, int32_t page)
{
    return b->holders[page];
}

static int by_need(const void *a, const void *b)
{
    size_t x = ((const struct sxt_claim *)a)->need;
    size_t y = ((const struct sxt_claim *)b)->need;

    return (x > y) - (x < y);
}

bool sxt_blocks_safe(struct sxt_claim *claims, size_t n, size_t free_pages)
{
    qsort(claims, n, sizeof(*claims), by_need);
    for (size_t i = 0; i < n; i++) {
        if (claims[i].need > free_pages)
            return false;
        free_pages += claims[i].held;
    }
    return true;
}
