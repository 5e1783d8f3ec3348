/* mathparse.c - recursive descent from tokens to a tree.
 *
 *   list     = relation { (","|";") relation }
 *   relation = sets { ("="|"<"|…) sets }
 *   sets     = ratio { ("∪"|"∩"|"∖") ratio }
 *   ratio    = sum { ":" sum }, then perhaps a unit
 *   sum      = product { ("+"|"-"|"±"|"∓") product }
 *   product  = unary { ("*"|"/"|nothing) unary }
 *   unary    = ("+"|"-"|"±") unary | postfix
 *   postfix  = primary { "^" … | "_" … | "!" | "%" | "°" }
 *
 * A failure moves to the last token, which ends every loop. */
#include "task/mathparse.h"

#include <string.h>

#include "task/mathnumber.h"
#include "task/mathparser.h"

typedef struct sxt_math_node node; /* in this file only */

/* ---- lists, brackets ---- */

/* A separator of items; "1, 2, and 3" has two in a row. */
static bool separates(const struct sxt_math_parser *p)
{
    return p->at->kind == ',' || p->at->kind == ';';
}

struct items {
    node *first, *last;
    size_t count;
    bool all_or; /* every separator so far was the word */
    bool all_and;
};

static void append(struct items *items, node *n)
{
    if (items->last)
        items->last->next = n;
    else
        items->first = n;
    items->last = n;
    items->count++;
}

/* x = 1, y = 2 in the order of the names: the tuple (x = 1, y = 2). */
static bool are_assignments(const struct items *items)
{
    const node *n = items->first;
    struct sxt_span before = sxt_span("");

    for (size_t i = 0; i < items->count; i++, n = n->next) {
        if (n->kind != SXT_MATH_RELATION || !sxt_span_equal(n->text, "=") ||
            n->child->kind != SXT_MATH_NAME)
            return false;
        struct sxt_span name = n->child->text;
        size_t common = before.len < name.len ? before.len : name.len;
        int order = memcmp(before.data, name.data, common);
        if (order > 0 || (order == 0 && before.len >= name.len))
            return false;
        before = name;
    }
    return items->count > 1;
}

/* Items between commas; *semicolon: one ended them. */
static struct items group_of_items(struct sxt_math_parser *p, bool *semicolon)
{
    struct items items = { .all_or = true, .all_and = true };

    *semicolon = false;
    for (;;) {
        append(&items, sxt_mathparse_relation(p));
        if (p->failed || !separates(p))
            return items;
        bool this_or = false, this_and = false;
        for (; separates(p); sxt_mathtree_next(p)) {
            this_or |= sxt_span_equal(p->at->text, "or");
            this_and |= sxt_span_equal(p->at->text, "and");
            *semicolon |= p->at->kind == ';';
        }
        items.all_or = items.all_or && this_or;
        items.all_and = items.all_and && this_and;
        if (p->at->kind == SXT_TOK_END)
            sxt_mathtree_fail(p);
        if (*semicolon || p->failed)
            return items;
    }
}

/* Items up to what is no separator; one item is itself.  Groups of
 * assignments between semicolons are tuples. */
static node *list(struct sxt_math_parser *p, enum sxt_math_kind kind)
{
    struct items all = { .all_or = true, .all_and = true };
    bool semicolon, grouped = false;

    do {
        struct items group = group_of_items(p, &semicolon);
        grouped |= semicolon;
        if (p->failed)
            return group.first;
        all.all_or = all.all_or && group.all_or && !semicolon;
        all.all_and = all.all_and && group.all_and && !semicolon;
        if (grouped && are_assignments(&group)) {
            node *tuple =
                sxt_mathtree_named(p, SXT_MATH_TUPLE, "()", NULL, NULL);
            tuple->child = group.first;
            tuple->count = group.count;
            append(&all, tuple);
        } else {
            append(&all, group.first);
            all.last = group.last;
            all.count += group.count - 1;
        }
    } while (semicolon);
    if (all.count == 1)
        return all.first;
    node *n = sxt_mathtree_node(p, kind, NULL, NULL);
    n->child = all.first;
    n->count = all.count;
    if ((all.all_or || all.all_and) && kind == SXT_MATH_LIST)
        n->text = sxt_span(all.all_or ? "or" : "and");
    return n;
}

node *sxt_mathparse_inside(struct sxt_math_parser *p, enum sxt_math_kind kind,
                           enum sxt_math_bar bar)
{
    enum sxt_math_bar old = p->bar;
    bool ratio = p->ratio;

    p->bar = bar;
    p->ratio = bar != SXT_BAR_SEPARATES;
    node *n = list(p, kind);
    p->bar = old;
    p->ratio = ratio;
    return n;
}

node *sxt_mathparse_parenthesis(struct sxt_math_parser *p)
{
    char open = sxt_mathtree_next(p)->kind;
    node *n = sxt_mathparse_inside(p, SXT_MATH_TUPLE, SXT_BAR_OPENS);
    char close = p->at->kind;

    if (close != ')' && close != ']')
        return sxt_mathtree_fail(p);
    sxt_mathtree_next(p);
    if (n->kind == SXT_MATH_TUPLE && n->text.len == 0) {
        n->text = (struct sxt_span){ p->tree->pool + p->tree->used, 2 };
        sxt_mathtree_add_text(p, (struct sxt_span){ &open, 1 });
        sxt_mathtree_add_text(p, (struct sxt_span){ &close, 1 });
        return n;
    }
    return (open == '(') == (close == ')') ? n : sxt_mathtree_fail(p);
}

node *sxt_mathparse_set(struct sxt_math_parser *p)
{
    sxt_mathtree_next(p);
    if (sxt_mathtree_accept(p, SXT_TOK_SET_CLOSE))
        return sxt_mathtree_node(p, SXT_MATH_EMPTY_SET, NULL, NULL);
    node *n = sxt_mathparse_inside(p, SXT_MATH_SET, SXT_BAR_SEPARATES);
    if (sxt_mathtree_accept(p, '|') || sxt_mathtree_accept(p, ':')) {
        node *condition = sxt_mathparse_inside(p, SXT_MATH_LIST, SXT_BAR_OPENS);
        n = sxt_mathtree_node(p, SXT_MATH_BUILDER, n, condition);
    } else if (n->kind != SXT_MATH_SET) {
        n = sxt_mathtree_node(p, SXT_MATH_SET, n, NULL);
    }
    sxt_mathtree_expect(p, SXT_TOK_SET_CLOSE);
    return n;
}

node *sxt_mathparse_group(struct sxt_math_parser *p)
{
    sxt_mathtree_next(p);
    if (sxt_mathtree_accept(p, '}'))
        return sxt_mathtree_node(p, SXT_MATH_EMPTY_SET, NULL, NULL);
    node *n = sxt_mathparse_inside(p, SXT_MATH_SET, SXT_BAR_OPENS);
    if (sxt_mathtree_at_command(p, "choose")) {
        sxt_mathtree_next(p);
        n = sxt_mathtree_named(
            p, SXT_MATH_FUNCTION, "binom", n,
            sxt_mathparse_inside(p, SXT_MATH_SET, SXT_BAR_OPENS));
    } else if (sxt_mathtree_at_command(p, "over")) {
        sxt_mathtree_next(p);
        n = sxt_mathtree_node(
            p, SXT_MATH_DIV, n,
            sxt_mathparse_inside(p, SXT_MATH_SET, SXT_BAR_OPENS));
    }
    sxt_mathtree_expect(p, '}');
    return n;
}

/* Does a factor follow without a sign? */
static bool factor_follows(const struct sxt_math_parser *p)
{
    switch (p->at->kind) {
    case SXT_TOK_NUMBER:
        return p->at[-1].kind != SXT_TOK_NUMBER;
    case SXT_TOK_NAME:
    case SXT_TOK_FUNCTION:
    case '(':
    case '[':
    case '{':
        return true;
    case '|':
        return p->bar == SXT_BAR_OPENS;
    case SXT_TOK_COMMAND:
        return sxt_mathtree_at_operand(p);
    default:
        return false;
    }
}

/* a / b; 24/7 degrees and 1/2 % are signs behind a fraction. */
static node *quotient(struct sxt_math_parser *p, node *a, node *b)
{
    const node *number = a->kind == SXT_MATH_NEG ? a->child : a;
    bool sign = (b->kind == SXT_MATH_DEGREE || b->kind == SXT_MATH_PERCENT) &&
                b->child->kind == SXT_MATH_NUMBER;

    if (!sign || number->kind != SXT_MATH_NUMBER)
        return sxt_mathmatrix_node(p, SXT_MATH_DIV, a, b);
    node *n = sxt_mathtree_node(p, SXT_MATH_DIV, a, b->child);
    return sxt_mathtree_node(p, b->kind, n, NULL);
}

static node *product(struct sxt_math_parser *p)
{
    node *n = sxt_mathoperand(p);

    while (!p->failed) {
        if (sxt_mathtree_accept(p, '*'))
            n = sxt_mathmatrix_node(p, SXT_MATH_MUL, n, sxt_mathoperand(p));
        else if (sxt_mathtree_accept(p, '/'))
            n = quotient(p, n, sxt_mathoperand(p));
        else if (factor_follows(p))
            n = sxt_mathmatrix_node(p, SXT_MATH_MUL, n, sxt_mathoperand(p));
        else
            break;
    }
    return n;
}

static node *sum(struct sxt_math_parser *p)
{
    node *n = product(p);

    while (!p->failed) {
        if (sxt_mathtree_accept(p, '+'))
            n = sxt_mathmatrix_node(p, SXT_MATH_ADD, n, product(p));
        else if (sxt_mathtree_accept(p, '-'))
            n = sxt_mathmatrix_node(p, SXT_MATH_SUB, n, product(p));
        else if (sxt_mathtree_accept(p, SXT_TOK_PLUS_MINUS))
            n = sxt_mathtree_node(p, SXT_MATH_PLUS_MINUS, n, product(p));
        else if (sxt_mathtree_accept(p, SXT_TOK_MINUS_PLUS))
            n = sxt_mathtree_node(p, SXT_MATH_MINUS_PLUS, n, product(p));
        else
            break;
    }
    return n;
}

/* ---- words ---- */

static bool is_word(const struct sxt_math_token *t)
{
    return t->kind == SXT_TOK_TEXT;
}

/* Text up to what is no text; a unit may hold a power, "/" and "-". */
static struct sxt_span words(struct sxt_math_parser *p, bool is_unit)
{
    struct sxt_span s = { p->tree->pool + p->tree->used, 0 };
    struct sxt_math_token *start = p->at;
    int open = 0; /* brackets of the unit's own */

    for (;;) {
        bool hyphen = p->at->kind == '-' && p->at > start &&
                      is_word(&p->at[-1]) && is_word(&p->at[1]);
        bool more = is_unit && p->at > start && p->at->kind != SXT_TOK_END &&
                    strchr("/-^.(){}nv", p->at->kind) != NULL;
        int step = (p->at->kind == '{' || p->at->kind == '(') -
                   (p->at->kind == '}' || p->at->kind == ')');
        open += step;
        if (open < 0)
            break;
        if (!is_word(p->at) && !hyphen && !more)
            break;
        if (is_unit && is_word(p->at) && sxt_mathnumber_changes(p->at->text))
            sxt_mathtree_fail(p);
        if (p->at->space && p->at > start)
            sxt_mathtree_add_text(p, sxt_span(" "));
        sxt_mathtree_add_text(p, p->at->text);
        sxt_mathtree_next(p);
    }
    s.len = (size_t)(p->tree->pool + p->tree->used - s.data);
    return s;
}

static node *text(struct sxt_math_parser *p)
{
    struct sxt_span said = words(p, false);
    int64_t num, den;

    if (!sxt_mathnumber_words(said, &num, &den))
        return sxt_mathtree_leaf(p, SXT_MATH_TEXT, said);
    node *n = sxt_mathtree_integer(p, num);
    return den == 1 ? n
                    : sxt_mathtree_node(p, SXT_MATH_DIV, n,
                                        sxt_mathtree_integer(p, den));
}

node *sxt_mathparse_scaled(struct sxt_math_parser *p, node *n,
                           struct sxt_span *rest)
{
    int64_t scale;
    size_t used;

    *rest = sxt_span("");
    while (rest->len == 0 && is_word(p->at) &&
           (scale = sxt_mathnumber_scale(p->at->text, &used)) != 0) {
        n = sxt_mathtree_node(p, SXT_MATH_MUL, n,
                              sxt_mathtree_integer(p, scale));
        *rest = sxt_span_trim((struct sxt_span){ p->at->text.data + used,
                                                 p->at->text.len - used });
        sxt_mathtree_next(p);
    }
    return n;
}

static node *with_unit(struct sxt_math_parser *p, node *n)
{
    struct sxt_span rest;

    n = sxt_mathparse_scaled(p, n, &rest);
    if (rest.len > 0 || is_word(p->at)) {
        struct sxt_span s = { p->tree->pool + p->tree->used, 0 };
        if (sxt_mathnumber_changes(rest))
            return sxt_mathtree_fail(p);
        sxt_mathtree_add_text(p, rest);
        words(p, true);
        n = sxt_mathtree_node(p, SXT_MATH_UNIT, n, NULL);
        s.len = (size_t)(p->tree->pool + p->tree->used - s.data);
        n->text = s;
    } else if (p->at->kind == SXT_TOK_CURRENCY) {
        n = sxt_mathtree_node(p, SXT_MATH_UNIT, n, NULL);
        n->text = sxt_mathtree_next(p)->text;
    }
    return n;
}

/* 2A_{16}: the word has an index, so that it is a number. */
static bool is_based(const struct sxt_math_token *t)
{
    for (t++; t->kind == '}' || t->kind == ')'; t++)
        ;
    return t->kind == '_';
}

static node *ratio(struct sxt_math_parser *p)
{
    if (is_word(p->at) && !is_based(p->at))
        return with_unit(p, text(p));
    node *n = sum(p);
    if (p->ratio && p->at->kind == ':') {
        node *last = n, *first = n;
        n = sxt_mathtree_node(p, SXT_MATH_RATIO, NULL, NULL);
        n->child = first;
        n->count = 1;
        while (sxt_mathtree_accept(p, ':')) {
            last->next = sum(p);
            last = last->next;
            n->count++;
        }
    }
    return with_unit(p, n);
}

static node *sets(struct sxt_math_parser *p)
{
    node *n = ratio(p);

    while (!p->failed) {
        if (sxt_mathtree_accept(p, SXT_TOK_UNION))
            n = sxt_mathtree_node(p, SXT_MATH_UNION, n, ratio(p));
        else if (sxt_mathtree_accept(p, SXT_TOK_INTERSECT))
            n = sxt_mathtree_node(p, SXT_MATH_INTERSECT, n, ratio(p));
        else if (sxt_mathtree_accept(p, SXT_TOK_MINUS_SET))
            n = sxt_mathtree_node(p, SXT_MATH_MINUS_SET, n, ratio(p));
        else
            break;
    }
    return n;
}

static bool is_relation(char kind)
{
    return kind != SXT_TOK_END && strchr("=<>LGNAE", kind) != NULL;
}

node *sxt_mathparse_relation(struct sxt_math_parser *p)
{
    if (p->at->kind == SXT_TOK_APPROX || p->at->kind == '=')
        sxt_mathtree_next(p); /* "≈ 8.24" */
    node *first = sets(p), *last = first;
    if (!is_relation(p->at->kind) || p->failed)
        return first;

    node *n = sxt_mathtree_node(p, SXT_MATH_RELATION, NULL, NULL);
    n->child = first;
    n->count = 1;
    char signs[8];
    while (is_relation(p->at->kind) && n->count < sizeof(signs)) {
        signs[n->count - 1] = sxt_mathtree_next(p)->kind;
        last->next = sets(p);
        last = last->next;
        n->count++;
    }
    n->text = (struct sxt_span){ p->tree->pool + p->tree->used, n->count - 1 };
    sxt_mathtree_add_text(p, (struct sxt_span){ signs, n->count - 1 });
    return n;
}

const struct sxt_math_node *sxt_mathparse(struct sxt_math_tree *tree)
{
    struct sxt_math_parser p = { .tree = tree,
                                 .bar = SXT_BAR_OPENS,
                                 .ratio = true };

    tree->nodes[0].text = sxt_span(""); /* the node of failures */
    tree->n_nodes = 1;
    p.at = tree->tokens.item;
    node *n = list(&p, SXT_MATH_LIST);
    return !p.failed && p.at->kind == SXT_TOK_END ? n : NULL;
}
