/* mathmatrix.c - sums, multiples and products of matrices as one matrix. */
#include "task/mathparser.h"

typedef struct sxt_math_node node; /* in this file only */

enum { MAX_EXPANDED = 4096 };

/* Nodes of a tree in which some stand more than once, up to `most`: a hundred
 * factors share theirs 2^100 times. */
static size_t expanded(const node *n, size_t most)
{
    const node *c = n->child;
    size_t size = 1;

    for (size_t i = 0; i < n->count && size < most; i++, c = c->next)
        size += expanded(c, most - size);
    return size;
}

/* Of its own, so that it can have another neighbour; children are shared. */
static node *copy(struct sxt_math_parser *p, const node *n)
{
    node *c = sxt_mathtree_node(p, n->kind, NULL, NULL);

    *c = *n;
    c->next = NULL;
    return c;
}

static const node *cell(const node *matrix, size_t row, size_t col)
{
    const node *c = matrix->child;

    for (size_t i = row * (matrix->count / matrix->rows) + col; i > 0; i--)
        c = c->next;
    return c;
}

/* Row of a times column of b. */
static node *inner(struct sxt_math_parser *p, const node *a, size_t row,
                   const node *b, size_t col)
{
    node *sum = NULL;

    for (size_t k = 0; k < b->rows && !p->failed; k++) {
        node *term =
            sxt_mathtree_node(p, SXT_MATH_MUL, copy(p, cell(a, row, k)),
                              copy(p, cell(b, k, col)));
        sum = sum ? sxt_mathtree_node(p, SXT_MATH_ADD, sum, term) : term;
    }
    return sum;
}

/* Cell (row, col) of a ∘ b, where one of them may be a number. */
static node *combined(struct sxt_math_parser *p, enum sxt_math_kind kind,
                      const node *a, const node *b, size_t row, size_t col)
{
    bool left = a->kind == SXT_MATH_MATRIX, right = b->kind == SXT_MATH_MATRIX;

    if (kind == SXT_MATH_MUL && left && right)
        return inner(p, a, row, b, col);
    node *x = copy(p, left ? cell(a, row, col) : a);
    node *y = copy(p, right ? cell(b, row, col) : b);
    return sxt_mathtree_node(p, kind, x, y);
}

static bool fit(enum sxt_math_kind kind, const node *a, const node *b)
{
    bool both = a->kind == b->kind;

    if (kind == SXT_MATH_ADD || kind == SXT_MATH_SUB)
        return both && a->rows == b->rows && a->count == b->count;
    if (kind == SXT_MATH_DIV)
        return b->kind != SXT_MATH_MATRIX;
    return kind == SXT_MATH_MUL && (!both || a->count / a->rows == b->rows);
}

node *sxt_mathmatrix_node(struct sxt_math_parser *p, enum sxt_math_kind kind,
                          node *a, node *b)
{
    bool left = a->kind == SXT_MATH_MATRIX, right = b->kind == SXT_MATH_MATRIX;

    if ((!left && !right) || !fit(kind, a, b))
        return sxt_mathtree_node(p, kind, a, b);
    size_t rows = left ? a->rows : b->rows;
    size_t cols = right ? b->count / b->rows : a->count / a->rows;
    node *n = sxt_mathtree_node(p, SXT_MATH_MATRIX, NULL, NULL), **link;
    n->rows = rows;
    n->count = rows * cols;
    link = &n->child;
    for (size_t i = 0; i < n->count; i++) {
        *link = combined(p, kind, a, b, i / cols, i % cols);
        if (p->failed)
            return sxt_mathtree_fail(p);
        link = &(*link)->next;
    }
    return expanded(n, MAX_EXPANDED) < MAX_EXPANDED ? n : sxt_mathtree_fail(p);
}
