/* mathexpr.c - an answer as a bounded expression tree. */
#include "task/mathexpr.h"

#include <stdlib.h>

#include "base/mem.h"
#include "task/mathparse.h"

/* The arena grows with the tokens: more nodes than this are a failure. */
void sxt_mathexpr_parse(struct sxt_span answer, bool join_digits,
                        struct sxt_math_tree *tree)
{
    *tree = (struct sxt_math_tree){ .root = NULL };
    sxt_mathlex(answer, join_digits, &tree->tokens);
    if (tree->tokens.too_long || tree->tokens.count == 0)
        return;
    tree->max_nodes = 4 * tree->tokens.count + 16;
    tree->nodes = sxt_calloc(tree->max_nodes, sizeof(*tree->nodes));
    tree->pool_size = 2 * tree->tokens.used + 16 * tree->tokens.count + 64;
    tree->pool = sxt_alloc(tree->pool_size, 1);
    tree->root = sxt_mathparse(tree);
}

void sxt_mathexpr_free(struct sxt_math_tree *tree)
{
    sxt_mathlex_free(&tree->tokens);
    free(tree->nodes);
    free(tree->pool);
    *tree = (struct sxt_math_tree){ .root = NULL };
}

void sxt_mathexpr_print(const struct sxt_math_node *n, struct sxt_str *out)
{
    static const char *const names[] = {
        "number", "repeating", "name",  "text",     "infinity", "empty",
        "neg",    "add",       "sub",   "mul",      "div",      "pm",
        "mp",     "pow",       "root",  "function", "degree",   "percent",
        "base",   "ratio",     "list",  "set",      "builder",  "tuple",
        "union",  "intersect", "minus", "relation", "matrix",   "unit"
    };

    sxt_str_add(out, "(%s", names[n->kind]);
    if (n->text.len > 0)
        sxt_str_add(out, " %.*s", (int)n->text.len, n->text.data);
    size_t i = 0;
    for (const struct sxt_math_node *c = n->child; c && i < n->count;
         c = c->next, i++) {
        sxt_str_add(out, " ");
        sxt_mathexpr_print(c, out);
    }
    sxt_str_add(out, ")");
}
