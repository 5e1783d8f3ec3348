/* mathoperand.c - operands: numbers, names, commands, functions, powers. */
#include <string.h>

#include "task/mathnumber.h"
#include "task/mathparser.h"

typedef struct sxt_math_node node; /* in this file only */

static node *primary(struct sxt_math_parser *p);

static bool is_integer(const node *n)
{
    return n->kind == SXT_MATH_NUMBER &&
           !memchr(n->text.data, '.', n->text.len);
}

/* ---- commands ---- */

/* One argument of a command: {…}, or the next digit, letter or command. */
static node *argument(struct sxt_math_parser *p, bool one_digit)
{
    struct sxt_math_token *t = p->at;

    if (t->kind == '{')
        return sxt_mathparse_group(p);
    if (t->kind == '(' && !one_digit)
        return sxt_mathparse_parenthesis(p);
    if (t->kind == SXT_TOK_NUMBER && one_digit && t->text.len > 1) {
        node *n = sxt_mathtree_leaf(p, SXT_MATH_NUMBER,
                                    (struct sxt_span){ t->text.data, 1 });
        t->text.data++;
        t->text.len--;
        return n;
    }
    if (t->kind == SXT_TOK_NUMBER) {
        sxt_mathtree_next(p);
        return sxt_mathtree_leaf(p, SXT_MATH_NUMBER, t->text);
    }
    return primary(p);
}

static node *fraction(struct sxt_math_parser *p)
{
    node *a = argument(p, true);
    node *b = argument(p, true);

    return sxt_mathtree_node(p, SXT_MATH_DIV, a, b);
}

static node *root(struct sxt_math_parser *p)
{
    node *index = NULL;

    if (sxt_mathtree_accept(p, '[')) {
        index = sxt_mathparse_inside(p, SXT_MATH_TUPLE, SXT_BAR_OPENS);
        sxt_mathtree_expect(p, ']');
    }
    node *radicand = argument(p, false);
    return sxt_mathtree_node(p, SXT_MATH_ROOT, radicand,
                             index ? index : sxt_mathtree_integer(p, 2));
}

static node *fenced(struct sxt_math_parser *p, const char *name,
                    const char *close)
{
    node *n = sxt_mathparse_inside(p, SXT_MATH_TUPLE, SXT_BAR_OPENS);

    if (!sxt_mathtree_at_command(p, close))
        return sxt_mathtree_fail(p);
    sxt_mathtree_next(p);
    return sxt_mathtree_named(p, SXT_MATH_FUNCTION, name, n, NULL);
}

/* \sum_{a}^{b} body: a function of three expressions that is never summed. */
static node *big_operator(struct sxt_math_parser *p, struct sxt_span name)
{
    node *lower = sxt_mathtree_integer(p, 0),
         *upper = sxt_mathtree_integer(p, 0);

    while (p->at->kind == '_' || p->at->kind == '^') {
        bool is_lower = sxt_mathtree_next(p)->kind == '_';
        node *bound = argument(p, true);
        if (is_lower)
            lower = bound;
        else
            upper = bound;
    }
    node *body = sxt_mathoperand(p);
    while (!p->failed && (p->at->kind == SXT_TOK_NAME || p->at->kind == '(' ||
                          sxt_mathtree_at_operand(p)))
        body = sxt_mathtree_node(p, SXT_MATH_MUL, body, sxt_mathoperand(p));
    node *n = sxt_mathtree_node(p, SXT_MATH_FUNCTION, lower, upper);
    upper->next = body;
    n->count = 3;
    n->text = name;
    return n;
}

static struct sxt_span environment_name(struct sxt_math_parser *p)
{
    sxt_mathtree_expect(p, '{');
    struct sxt_span name = p->at->text;
    if (p->at->kind != SXT_TOK_TEXT)
        sxt_mathtree_fail(p);
    else
        sxt_mathtree_next(p);
    sxt_mathtree_expect(p, '}');
    return name;
}

static bool is_end(const struct sxt_math_parser *p)
{
    return p->at->kind == SXT_TOK_END || sxt_mathtree_at_command(p, "end");
}

static node *matrix(struct sxt_math_parser *p)
{
    struct sxt_span name = environment_name(p);
    size_t cols = 0, col = 0;
    node *n = sxt_mathtree_node(p, SXT_MATH_MATRIX, NULL, NULL), *last = NULL;

    if (sxt_span_equal(name, "array") && p->at->kind == '{')
        while (p->at->kind != SXT_TOK_END && !sxt_mathtree_accept(p, '}'))
            sxt_mathtree_next(p);
    while (!p->failed && !is_end(p)) {
        node *cell = sxt_mathparse_relation(p);
        if (last)
            last->next = cell;
        else
            n->child = cell;
        last = cell;
        n->count++;
        col++;
        if (sxt_mathtree_accept(p, '&'))
            continue;
        cols = n->rows == 0 ? col : cols;
        if (col != cols || (!sxt_mathtree_accept(p, SXT_TOK_ROW) && !is_end(p)))
            return sxt_mathtree_fail(p);
        col = 0;
        n->rows++;
    }
    if (is_end(p) && p->at->kind != SXT_TOK_END)
        sxt_mathtree_next(p);
    environment_name(p);
    if (col != 0 || n->rows == 0)
        return sxt_mathtree_fail(p);
    if (sxt_span_equal(name, "vmatrix"))
        return sxt_mathtree_named(p, SXT_MATH_FUNCTION, "det", n, NULL);
    bool known =
        sxt_span_equal(name, "pmatrix") || sxt_span_equal(name, "bmatrix") ||
        sxt_span_equal(name, "matrix") || sxt_span_equal(name, "smallmatrix") ||
        sxt_span_equal(name, "array");
    return known ? n : sxt_mathtree_fail(p);
}

static node *command(struct sxt_math_parser *p)
{
    struct sxt_span name = sxt_mathtree_next(p)->text;

    if (sxt_span_equal(name, "frac"))
        return fraction(p);
    if (sxt_span_equal(name, "sqrt"))
        return root(p);
    if (sxt_span_equal(name, "binom")) {
        node *n = argument(p, true), *k = argument(p, true);
        return sxt_mathtree_named(p, SXT_MATH_FUNCTION, "binom", n, k);
    }
    if (sxt_span_equal(name, "lfloor"))
        return fenced(p, "floor", "rfloor");
    if (sxt_span_equal(name, "lceil"))
        return fenced(p, "ceil", "rceil");
    if (sxt_span_equal(name, "begin"))
        return matrix(p);
    if (sxt_span_equal(name, "bar") || sxt_span_equal(name, "vec") ||
        sxt_span_equal(name, "hat")) {
        node *n = sxt_mathtree_named(p, SXT_MATH_FUNCTION, "",
                                     argument(p, true), NULL);
        n->text = name;
        return n;
    }
    if (sxt_span_equal(name, "sum") || sxt_span_equal(name, "prod") ||
        sxt_span_equal(name, "int"))
        return big_operator(p, name);
    return sxt_mathtree_fail(p);
}

/* ---- functions ---- */

/* \sin 3x: factors up to a sign, another function or a parenthesis. */
static node *bare_argument(struct sxt_math_parser *p)
{
    node *n = sxt_mathoperand(p);

    while (!p->failed &&
           (p->at->kind == SXT_TOK_NAME || sxt_mathtree_at_operand(p)))
        n = sxt_mathtree_node(p, SXT_MATH_MUL, n, sxt_mathoperand(p));
    return n;
}

/* sin^{-1} is arcsin. */
static const char *inverse_name(struct sxt_span name)
{
    static const char *const pairs[][2] = { { "sin", "arcsin" },
                                            { "cos", "arccos" },
                                            { "tan", "arctan" },
                                            { "cot", "arccot" } };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (sxt_span_equal(name, pairs[i][0]))
            return pairs[i][1];
    return NULL;
}

static bool is_minus_one(const node *n)
{
    return n->kind == SXT_MATH_NEG && n->child->kind == SXT_MATH_NUMBER &&
           sxt_span_equal(n->child->text, "1");
}

static node *function(struct sxt_math_parser *p)
{
    struct sxt_span name = sxt_mathtree_next(p)->text;
    node *power = NULL, *base = NULL, *arg;

    while (p->at->kind == '_' || p->at->kind == '^') {
        bool is_base = sxt_mathtree_next(p)->kind == '_';
        node *n = argument(p, false);
        *(is_base ? &base : &power) = n;
    }
    if (power && is_minus_one(power) && inverse_name(name)) {
        name = sxt_span(inverse_name(name));
        power = NULL;
    }
    if (p->at->kind == '(' || p->at->kind == '[')
        arg = sxt_mathparse_parenthesis(p);
    else if (p->at->kind == '{')
        arg = sxt_mathparse_group(p);
    else
        arg = bare_argument(p);
    node *n = sxt_mathtree_node(p, SXT_MATH_FUNCTION, arg, base);
    n->text = name;
    if (arg->kind == SXT_MATH_TUPLE && !base) { /* max(a, b) */
        n->child = arg->child;
        n->count = arg->count;
    }
    return power ? sxt_mathtree_node(p, SXT_MATH_POW, n, power) : n;
}

/* ---- operands ---- */

/* {\frac{1}{3}} or {1 \over 3}: prints as the fraction without its braces. */
static bool at_braced_fraction(const struct sxt_math_parser *p)
{
    struct sxt_math_token *t = p->at;
    int depth = 0;

    if (t[0].kind != '{')
        return false;
    if (t[1].kind == SXT_TOK_COMMAND && sxt_span_equal(t[1].text, "frac"))
        return true;
    do {
        if (depth == 1 && t->kind == SXT_TOK_COMMAND &&
            sxt_span_equal(t->text, "over"))
            return true;
        depth += (t->kind == '{') - (t->kind == '}');
        t++;
    } while (depth > 0 && t->kind != SXT_TOK_END);
    return false;
}

/* 2\frac{1}{3}, 2{1 \over 3}, 2 1/3, 0.1\overline{6} */
static node *number(struct sxt_math_parser *p)
{
    struct sxt_math_token *t = sxt_mathtree_next(p);
    node *n = sxt_mathtree_leaf(p, SXT_MATH_NUMBER, t->text);
    bool whole = is_integer(n), braces = at_braced_fraction(p);

    if (whole && (braces || sxt_mathtree_at_command(p, "frac"))) {
        if (!braces)
            sxt_mathtree_next(p);
        node *part = braces ? sxt_mathparse_group(p) : fraction(p);
        bool mixed = part->kind == SXT_MATH_DIV && is_integer(part->child) &&
                     is_integer(part->child->next);
        return sxt_mathtree_node(p, mixed ? SXT_MATH_ADD : SXT_MATH_MUL, n,
                                 part);
    }
    if (whole && t[1].kind == SXT_TOK_NUMBER && t[1].space &&
        t[2].kind == '/' && t[3].kind == SXT_TOK_NUMBER) {
        p->at += 3;
        node *a = sxt_mathtree_leaf(p, SXT_MATH_NUMBER, t[1].text);
        node *b = sxt_mathtree_leaf(p, SXT_MATH_NUMBER, t[3].text);
        return sxt_mathtree_node(p, SXT_MATH_ADD, n,
                                 sxt_mathtree_node(p, SXT_MATH_DIV, a, b));
    }
    if (!whole && sxt_mathtree_at_command(p, "bar")) {
        sxt_mathtree_next(p);
        node *digits = argument(p, true);
        if (!is_integer(digits))
            return sxt_mathtree_fail(p);
        node *r = sxt_mathtree_node(p, SXT_MATH_REPEATING, digits, NULL);
        r->text = n->text;
        return r;
    }
    return n;
}

static node *absolute(struct sxt_math_parser *p)
{
    sxt_mathtree_next(p);
    node *n = sxt_mathparse_inside(p, SXT_MATH_TUPLE, SXT_BAR_CLOSES);
    sxt_mathtree_expect(p, '|');
    return sxt_mathtree_named(p, SXT_MATH_FUNCTION, "abs", n, NULL);
}

static node *currency(struct sxt_math_parser *p)
{
    struct sxt_span name = sxt_mathtree_next(p)->text, rest;
    node *n = sxt_mathparse_scaled(p, sxt_mathoperand(p), &rest);

    if (rest.len > 0)
        return sxt_mathtree_fail(p);
    n = sxt_mathtree_node(p, SXT_MATH_UNIT, n, NULL);
    n->text = name;
    return n;
}

static node *operand(struct sxt_math_parser *p)
{
    switch (p->at->kind) {
    case SXT_TOK_NUMBER:
        return number(p);
    case SXT_TOK_TEXT: /* digits of a base above ten */
        if (p->at->text.len == 0 || !memchr("})_", p->at[1].kind, 3))
            return sxt_mathtree_fail(p);
        return sxt_mathtree_leaf(p, SXT_MATH_TEXT, sxt_mathtree_next(p)->text);
    case SXT_TOK_NAME:
        return sxt_mathtree_leaf(p, SXT_MATH_NAME, sxt_mathtree_next(p)->text);
    case '(':
    case '[':
        return sxt_mathparse_parenthesis(p);
    case '{':
        return sxt_mathparse_group(p);
    case SXT_TOK_SET_OPEN:
        return sxt_mathparse_set(p);
    case '|':
        return p->bar == SXT_BAR_OPENS ? absolute(p) : sxt_mathtree_fail(p);
    case SXT_TOK_COMMAND:
        return command(p);
    case SXT_TOK_FUNCTION:
        return function(p);
    case SXT_TOK_CURRENCY:
        return currency(p);
    case SXT_TOK_INFINITY:
        sxt_mathtree_next(p);
        return sxt_mathtree_node(p, SXT_MATH_INFINITY, NULL, NULL);
    case SXT_TOK_EMPTY_SET:
        sxt_mathtree_next(p);
        return sxt_mathtree_node(p, SXT_MATH_EMPTY_SET, NULL, NULL);
    default:
        return sxt_mathtree_fail(p);
    }
}

static node *primary(struct sxt_math_parser *p)
{
    if (++p->depth > SXT_MATH_MAX_DEPTH)
        return sxt_mathtree_fail(p);
    node *n = operand(p);
    p->depth--;
    return n;
}

/* x_1 is a name of its own; F_{n-1} a function of its index; 52_8 a number
 * in base 8. */
static node *subscript(struct sxt_math_parser *p, node *n)
{
    struct sxt_span word = p->at[1].text;

    sxt_mathtree_next(p);
    if (p->at[-1].kind == '{' && p->at->kind == SXT_TOK_TEXT &&
        p->at[1].kind == '}') { /* _{\text{eight}}, x_{\text{max}} */
        int64_t num, den;
        bool number = sxt_mathnumber_words(p->at->text, &num, &den) && den == 1;
        p->at += 2;
        node *sub = number ? sxt_mathtree_integer(p, num)
                           : sxt_mathtree_leaf(p, SXT_MATH_NAME, word);
        return sxt_mathtree_node(p, SXT_MATH_BASE, n, sub);
    }
    p->at--;
    return sxt_mathtree_node(p, SXT_MATH_BASE, n, argument(p, false));
}

static node *index_of(struct sxt_math_parser *p, node *n)
{
    node *whole = subscript(p, n), *sub = n->next;

    if (p->failed || n->kind == SXT_MATH_NUMBER || n->kind == SXT_MATH_TEXT)
        return whole;
    if (n->kind != SXT_MATH_NAME)
        return sxt_mathtree_fail(p);
    if (sub->kind != SXT_MATH_NUMBER && sub->kind != SXT_MATH_NAME) {
        whole->kind = SXT_MATH_FUNCTION;
        whole->text = n->text;
        whole->child = sub;
        whole->count = 1;
        return whole;
    }
    struct sxt_span name = { p->tree->pool + p->tree->used,
                             n->text.len + 1 + sub->text.len };
    sxt_mathtree_add_text(p, n->text);
    sxt_mathtree_add_text(p, (struct sxt_span){ "_", 1 });
    sxt_mathtree_add_text(p, sub->text);
    return sxt_mathtree_leaf(p, SXT_MATH_NAME, name);
}

static node *power(struct sxt_math_parser *p, node *n)
{
    if (sxt_mathtree_accept(p, SXT_TOK_DEGREE))
        return sxt_mathtree_node(p, SXT_MATH_DEGREE, n, NULL);
    if (p->at[0].kind == '{' && p->at[1].kind == SXT_TOK_DEGREE &&
        p->at[2].kind == '}') {
        p->at += 3;
        return sxt_mathtree_node(p, SXT_MATH_DEGREE, n, NULL);
    }
    node *exponent;
    if (p->at->kind == '-' || p->at->kind == '+')
        exponent = sxt_mathoperand(p);
    else
        exponent = argument(p, false);
    return sxt_mathtree_node(p, SXT_MATH_POW, n, exponent);
}

static node *postfix(struct sxt_math_parser *p, node *n)
{
    while (!p->failed) {
        if (sxt_mathtree_accept(p, '^'))
            n = power(p, n);
        else if (sxt_mathtree_accept(p, '!'))
            n = sxt_mathtree_named(p, SXT_MATH_FUNCTION, "factorial", n, NULL);
        else if (sxt_mathtree_accept(p, '%'))
            n = sxt_mathtree_node(p, SXT_MATH_PERCENT, n, NULL);
        else if (sxt_mathtree_accept(p, SXT_TOK_DEGREE))
            n = sxt_mathtree_node(p, SXT_MATH_DEGREE, n, NULL);
        else if (sxt_mathtree_accept(p, '\''))
            n = sxt_mathtree_named(p, SXT_MATH_FUNCTION, "prime", n, NULL);
        else if (p->at->kind == '_' && p->at[1].kind != SXT_TOK_END) {
            sxt_mathtree_next(p);
            n = index_of(p, n);
        } else
            break;
    }
    return n;
}

static node *minus_one(struct sxt_math_parser *p)
{
    return sxt_mathtree_node(p, SXT_MATH_NEG, sxt_mathtree_integer(p, 1), NULL);
}

node *sxt_mathoperand(struct sxt_math_parser *p)
{
    char kind = p->at->kind;

    if (!strchr("+-PM", kind) || kind == SXT_TOK_END)
        return postfix(p, primary(p));
    if (++p->depth > SXT_MATH_MAX_DEPTH)
        return sxt_mathtree_fail(p);
    sxt_mathtree_next(p);
    node *n = sxt_mathoperand(p);
    p->depth--;
    if (kind == '-' && n->kind == SXT_MATH_MATRIX)
        return sxt_mathmatrix_node(p, SXT_MATH_DIV, n, minus_one(p));
    if (kind == '-')
        return sxt_mathtree_node(p, SXT_MATH_NEG, n, NULL);
    if (kind == SXT_TOK_PLUS_MINUS)
        return sxt_mathtree_node(p, SXT_MATH_PLUS_MINUS,
                                 sxt_mathtree_integer(p, 0), n);
    if (kind == SXT_TOK_MINUS_PLUS)
        return sxt_mathtree_node(p, SXT_MATH_MINUS_PLUS,
                                 sxt_mathtree_integer(p, 0), n);
    return n;
}
