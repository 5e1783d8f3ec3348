/* mathexpr.h - an answer as a bounded expression tree.
 *
 * A recursive descent over tokens into an arena: size and depth are capped, so
 * any input takes linear time and memory.  The tree says what was written; it
 * is not simplified, and nothing in it is ever executed. */
#ifndef SXT_TASK_MATHEXPR_H
#define SXT_TASK_MATHEXPR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "task/mathlex.h"

enum sxt_math_kind {
    SXT_MATH_NUMBER,    /* text: digits with at most one point */
    SXT_MATH_REPEATING, /* text: "0.3"; child: the digits that repeat */
    SXT_MATH_NAME,      /* text: x, alpha, x_1; constants e, i, pi too */
    SXT_MATH_TEXT,      /* text: words */
    SXT_MATH_INFINITY,
    SXT_MATH_EMPTY_SET,
    SXT_MATH_NEG,
    SXT_MATH_ADD, /* two children each, left to right */
    SXT_MATH_SUB,
    SXT_MATH_MUL,
    SXT_MATH_DIV,
    SXT_MATH_PLUS_MINUS,
    SXT_MATH_MINUS_PLUS,
    SXT_MATH_POW,
    SXT_MATH_ROOT,     /* radicand, index */
    SXT_MATH_FUNCTION, /* text: name; children: arguments; log: x, base */
    SXT_MATH_DEGREE,   /* child * pi / 180 */
    SXT_MATH_PERCENT,
    SXT_MATH_BASE,  /* digits, base: 52_8 */
    SXT_MATH_RATIO, /* a : b : … */
    SXT_MATH_LIST,  /* a, b, … without brackets */
    SXT_MATH_SET,
    SXT_MATH_BUILDER, /* {expression | condition} */
    SXT_MATH_TUPLE,   /* text: its two brackets; also an interval */
    SXT_MATH_UNION,   /* two children each */
    SXT_MATH_INTERSECT,
    SXT_MATH_MINUS_SET,
    SXT_MATH_RELATION, /* text: one token kind a sign: "=", "L<" */
    SXT_MATH_MATRIX,   /* children by rows; rows */
    SXT_MATH_UNIT      /* child with text behind (or a currency before) it */
};

struct sxt_math_node {
    enum sxt_math_kind kind;
    size_t count; /* children */
    size_t rows;  /* MATRIX */
    struct sxt_span text;
    struct sxt_math_node *child, *next;
};

#define SXT_MATH_MAX_DEPTH 100

struct sxt_math_tree {
    const struct sxt_math_node *root; /* NULL: not in the grammar */
    struct sxt_math_tokens tokens;
    struct sxt_math_node *nodes; /* the arena */
    size_t n_nodes, max_nodes;
    char *pool; /* texts put together by the parser */
    size_t used, pool_size;
};

/* join_digits: see sxt_mathlex().  Free with sxt_mathexpr_free(), also when
 * there is no root. */
void sxt_mathexpr_parse(struct sxt_span answer, bool join_digits,
                        struct sxt_math_tree *tree);
void sxt_mathexpr_free(struct sxt_math_tree *tree);

/* For tests and -vv: the tree as (add (number 1) (name x)). */
void sxt_mathexpr_print(const struct sxt_math_node *node, struct sxt_str *out);

#endif
