/* mathparser.h - what the files of the parser share; for math*.c only.
 *
 * mathtree.c the arena and the tokens, mathoperand.c operands (commands,
 * functions, numbers, powers), mathmatrix.c sums and products of matrices,
 * mathparse.c everything made of operands. */
#ifndef SXT_TASK_MATHPARSER_H
#define SXT_TASK_MATHPARSER_H

#include <stdint.h>

#include "task/mathparse.h"

enum sxt_math_bar { SXT_BAR_OPENS, SXT_BAR_CLOSES, SXT_BAR_SEPARATES };

struct sxt_math_parser {
    struct sxt_math_tree *tree;
    struct sxt_math_token *at;
    int depth;
    bool failed;
    enum sxt_math_bar bar; /* what | means here */
    bool ratio;            /* a colon divides */
};

/* ---- mathtree.c ---- */

/* Move to the last token, which ends every loop; a node to return. */
struct sxt_math_node *sxt_mathtree_fail(struct sxt_math_parser *p);
/* The token that is here; go to the next, but never past the last, where a
 * failure may have gone in between. */
struct sxt_math_token *sxt_mathtree_next(struct sxt_math_parser *p);
/* A node with up to two children; its text is empty. */
struct sxt_math_node *sxt_mathtree_node(struct sxt_math_parser *p,
                                        enum sxt_math_kind kind,
                                        struct sxt_math_node *a,
                                        struct sxt_math_node *b);
struct sxt_math_node *sxt_mathtree_leaf(struct sxt_math_parser *p,
                                        enum sxt_math_kind kind,
                                        struct sxt_span text);
struct sxt_math_node *sxt_mathtree_named(struct sxt_math_parser *p,
                                         enum sxt_math_kind kind,
                                         const char *text,
                                         struct sxt_math_node *a,
                                         struct sxt_math_node *b);
struct sxt_math_node *sxt_mathtree_integer(struct sxt_math_parser *p,
                                           int64_t value);
/* Append to the pool; successive appends make one text. */
void sxt_mathtree_add_text(struct sxt_math_parser *p, struct sxt_span s);

/* Step over a token of this kind; expect: fail if it is another. */
bool sxt_mathtree_accept(struct sxt_math_parser *p, char kind);
void sxt_mathtree_expect(struct sxt_math_parser *p, char kind);
bool sxt_mathtree_at_command(const struct sxt_math_parser *p, const char *name);
/* At a command that begins an operand. */
bool sxt_mathtree_at_operand(const struct sxt_math_parser *p);

/* ---- mathmatrix.c ---- */

/* a + b, a - b, a b, a / b: worked out if one of them is a matrix. */
struct sxt_math_node *sxt_mathmatrix_node(struct sxt_math_parser *p,
                                          enum sxt_math_kind kind,
                                          struct sxt_math_node *a,
                                          struct sxt_math_node *b);

/* ---- mathoperand.c ---- */

/* Signs, an operand, what stands behind it: -x^2, 5!, \sin 3x, 2\frac13. */
struct sxt_math_node *sxt_mathoperand(struct sxt_math_parser *p);

/* ---- mathparse.c ---- */

struct sxt_math_node *sxt_mathparse_relation(struct sxt_math_parser *p);
/* The inside of brackets: what | and : mean outside does not hold here. */
struct sxt_math_node *sxt_mathparse_inside(struct sxt_math_parser *p,
                                           enum sxt_math_kind kind,
                                           enum sxt_math_bar bar);
struct sxt_math_node *sxt_mathparse_parenthesis(struct sxt_math_parser *p);
struct sxt_math_node *sxt_mathparse_set(struct sxt_math_parser *p);
/* {…}: grouping in LaTeX; with commas inside it was meant as a set. */
struct sxt_math_node *sxt_mathparse_group(struct sxt_math_parser *p);
/* 3 million: n times the scales that follow; *rest: words behind them in the
 * same text. */
struct sxt_math_node *sxt_mathparse_scaled(struct sxt_math_parser *p,
                                           struct sxt_math_node *n,
                                           struct sxt_span *rest);

#endif
