/* mathitems.c - a list or set as its items: ± resolved, units taken off. */
#include <stdlib.h>

#include "base/mem.h"
#include "task/mathjudge.h"

typedef struct sxt_math_node node; /* in this file only */

enum { MAX_COPIES = 100000 };

static size_t tree_size(const node *n)
{
    size_t size = 1, i = 0;

    for (const node *c = n->child; i < n->count; c = c->next, i++)
        size += tree_size(c);
    return size;
}

/* A copy with ± resolved to `sign` and units taken off into *unit. */
static node *copy(const node *n, int sign, struct sxt_span *unit, node **free)
{
    while (n->kind == SXT_MATH_UNIT) {
        *unit = n->text;
        n = n->child;
    }
    node *c = (*free)++;
    *c = *n;
    c->next = NULL;
    if (n->kind == SXT_MATH_PLUS_MINUS)
        c->kind = sign > 0 ? SXT_MATH_ADD : SXT_MATH_SUB;
    if (n->kind == SXT_MATH_MINUS_PLUS)
        c->kind = sign > 0 ? SXT_MATH_SUB : SXT_MATH_ADD;
    node **link = &c->child;
    const node *from = n->child;
    for (size_t i = 0; i < n->count; i++, from = from->next) {
        *link = copy(from, sign, unit, free);
        link = &(*link)->next;
    }
    return c;
}

static void add_item(struct sxt_math_judge *j, struct sxt_math_items *out,
                     const node *n)
{
    bool twice = sxt_math_contains(n, SXT_MATH_PLUS_MINUS) ||
                 sxt_math_contains(n, SXT_MATH_MINUS_PLUS);
    size_t size = tree_size(n);

    if (!twice && !sxt_math_contains(n, SXT_MATH_UNIT) &&
        out->count < SXT_MATH_MAX_ITEMS) {
        out->at[out->count++] = (struct sxt_math_item){ n, { "", 0 } };
        return;
    }

    for (int sign = 1; sign >= (twice ? -1 : 1); sign -= 2) {
        j->copies += size;
        if (out->count >= SXT_MATH_MAX_ITEMS || j->copies > MAX_COPIES) {
            out->overflow = true;
            return;
        }
        node *block = sxt_alloc(size, sizeof(*block)), *free = block;
        j->block = sxt_grow(j->block, &j->cap_blocks, j->n_blocks + 1,
                            sizeof(*j->block));
        j->block[j->n_blocks++] = block;
        struct sxt_math_item *item = &out->at[out->count++];
        item->unit = (struct sxt_span){ "", 0 };
        item->n = copy(n, sign, &item->unit, &free);
    }
}

void sxt_mathitems_of(struct sxt_math_judge *j, const node *n,
                      struct sxt_math_items *out)
{
    const node *c = n->child;

    out->count = 0;
    out->overflow = false;
    out->is_set = n->kind == SXT_MATH_SET;
    if (n->kind != SXT_MATH_LIST && n->kind != SXT_MATH_SET) {
        add_item(j, out, n);
        return;
    }
    for (size_t i = 0; i < n->count; i++, c = c->next)
        add_item(j, out, c);
}

void sxt_mathitems_free(struct sxt_math_judge *j)
{
    for (size_t i = 0; i < j->n_blocks; i++)
        free(j->block[i]);
    free(j->block);
    j->block = NULL;
    j->n_blocks = j->cap_blocks = 0;
}
