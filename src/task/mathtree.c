/* mathtree.c - the parser's arena, and steps over its tokens. */
#include <stdio.h>
#include <string.h>

#include "task/mathparser.h"

typedef struct sxt_math_node node; /* in this file only */

node *sxt_mathtree_fail(struct sxt_math_parser *p)
{
    p->failed = true;
    while (p->at->kind != SXT_TOK_END)
        p->at++;
    return &p->tree->nodes[0];
}

node *sxt_mathtree_node(struct sxt_math_parser *p, enum sxt_math_kind kind,
                        node *a, node *b)
{
    struct sxt_math_tree *t = p->tree;

    if (t->n_nodes >= t->max_nodes)
        return sxt_mathtree_fail(p);
    node *n = &t->nodes[t->n_nodes++];
    *n = (node){ .kind = kind,
                 .text = { "", 0 },
                 .child = a,
                 .count = (a != NULL) + (b != NULL) };
    if (a)
        a->next = b;
    return n;
}

struct sxt_math_token *sxt_mathtree_next(struct sxt_math_parser *p)
{
    struct sxt_math_token *here = p->at;

    p->at += here->kind != SXT_TOK_END;
    return here;
}

bool sxt_mathtree_accept(struct sxt_math_parser *p, char kind)
{
    if (p->at->kind != kind)
        return false;
    sxt_mathtree_next(p);
    return true;
}

void sxt_mathtree_expect(struct sxt_math_parser *p, char kind)
{
    if (!sxt_mathtree_accept(p, kind))
        sxt_mathtree_fail(p);
}

node *sxt_mathtree_leaf(struct sxt_math_parser *p, enum sxt_math_kind kind,
                        struct sxt_span text)
{
    node *n = sxt_mathtree_node(p, kind, NULL, NULL);

    n->text = text;
    return n;
}

node *sxt_mathtree_named(struct sxt_math_parser *p, enum sxt_math_kind kind,
                         const char *text, node *a, node *b)
{
    node *n = sxt_mathtree_node(p, kind, a, b);

    n->text = sxt_span(text);
    return n;
}

void sxt_mathtree_add_text(struct sxt_math_parser *p, struct sxt_span s)
{
    if (p->tree->used + s.len > p->tree->pool_size) {
        sxt_mathtree_fail(p);
        return;
    }
    memcpy(p->tree->pool + p->tree->used, s.data, s.len);
    p->tree->used += s.len;
}

bool sxt_mathtree_at_command(const struct sxt_math_parser *p, const char *name)
{
    return p->at->kind == SXT_TOK_COMMAND && sxt_span_equal(p->at->text, name);
}

bool sxt_mathtree_at_operand(const struct sxt_math_parser *p)
{
    return p->at->kind == SXT_TOK_COMMAND &&
           !sxt_mathtree_at_command(p, "end") &&
           !sxt_mathtree_at_command(p, "rfloor") &&
           !sxt_mathtree_at_command(p, "rceil") &&
           !sxt_mathtree_at_command(p, "choose") &&
           !sxt_mathtree_at_command(p, "over");
}

node *sxt_mathtree_integer(struct sxt_math_parser *p, int64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%lld", (long long)value);
    struct sxt_span s = { p->tree->pool + p->tree->used, (size_t)n };

    sxt_mathtree_add_text(p, (struct sxt_span){ digits, (size_t)n });
    return sxt_mathtree_leaf(p, SXT_MATH_NUMBER, s);
}
