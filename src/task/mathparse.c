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

enum bar { BAR_OPENS, BAR_CLOSES, BAR_SEPARATES };

struct parser {
    struct sxt_math_tree *tree;
    struct sxt_math_token *at;
    int depth;
    bool failed;
    enum bar bar; /* what | means here */
    bool ratio;   /* a colon divides */
};

typedef struct sxt_math_node node; /* in this file only */
static node *relation(struct parser *p);
static node *unary(struct parser *p);
static node *primary(struct parser *p);

static node *fail(struct parser *p)
{
    p->failed = true;
    while (p->at->kind != SXT_TOK_END)
        p->at++;
    return &p->tree->nodes[0];
}

static node *make(struct parser *p, enum sxt_math_kind kind, node *a, node *b)
{
    struct sxt_math_tree *t = p->tree;

    if (t->n_nodes >= t->max_nodes)
        return fail(p);
    node *n = &t->nodes[t->n_nodes++];
    *n = (node){ .kind = kind,
                 .text = { "", 0 },
                 .child = a,
                 .count = (a != NULL) + (b != NULL) };
    if (a)
        a->next = b;
    return n;
}

static bool accept(struct parser *p, char kind)
{
    if (p->at->kind != kind)
        return false;
    p->at++;
    return true;
}

static void expect(struct parser *p, char kind)
{
    if (!accept(p, kind))
        fail(p);
}

static node *leaf(struct parser *p, enum sxt_math_kind kind,
                  struct sxt_span text)
{
    node *n = make(p, kind, NULL, NULL);

    n->text = text;
    return n;
}

static node *named(struct parser *p, enum sxt_math_kind kind, const char *text,
                   node *a, node *b)
{
    node *n = make(p, kind, a, b);

    n->text = sxt_span(text);
    return n;
}

/* Append to the pool; successive appends make one text. */
static void pool_add(struct parser *p, struct sxt_span s)
{
    if (p->tree->used + s.len > p->tree->pool_size) {
        fail(p);
        return;
    }
    memcpy(p->tree->pool + p->tree->used, s.data, s.len);
    p->tree->used += s.len;
}

static bool is_integer(const node *n)
{
    return n->kind == SXT_MATH_NUMBER &&
           !memchr(n->text.data, '.', n->text.len);
}

static node *number_node(struct parser *p, int value)
{
    static const char *const digits[] = { "0",  "1",  "2",  "3",  "4",  "5",
                                          "6",  "7",  "8",  "9",  "10", "11",
                                          "12", "13", "14", "15", "16", "17",
                                          "18", "19", "20" };

    return leaf(p, SXT_MATH_NUMBER, sxt_span(digits[value]));
}

static bool is_command(const struct parser *p, const char *name)
{
    return p->at->kind == SXT_TOK_COMMAND && sxt_span_equal(p->at->text, name);
}

/* A command that begins an operand. */
static bool operand_command(const struct parser *p)
{
    return p->at->kind == SXT_TOK_COMMAND && !is_command(p, "end") &&
           !is_command(p, "rfloor") && !is_command(p, "rceil") &&
           !is_command(p, "choose");
}

/* ---- lists, brackets ---- */

static bool ends_list(const struct parser *p)
{
    return !strchr(",;", p->at->kind) || p->at->kind == SXT_TOK_END;
}

/* Items up to what is no comma; one item is itself. */
static node *list(struct parser *p, enum sxt_math_kind kind)
{
    node *first = relation(p), *last = first;
    size_t count = 1;

    while (!ends_list(p)) {
        while (!ends_list(p)) /* "1, 2, and 3" */
            p->at++;
        if (p->at->kind == SXT_TOK_END)
            fail(p);
        last->next = relation(p);
        last = last->next;
        count++;
        if (p->failed)
            return first;
    }
    if (count == 1)
        return first;
    node *n = make(p, kind, NULL, NULL);
    n->child = first;
    n->count = count;
    return n;
}

/* The inside of brackets: what | and : mean outside does not hold here. */
static node *inside(struct parser *p, enum sxt_math_kind kind, enum bar bar)
{
    enum bar old = p->bar;
    bool ratio = p->ratio;

    p->bar = bar;
    p->ratio = bar != BAR_SEPARATES;
    node *n = list(p, kind);
    p->bar = old;
    p->ratio = ratio;
    return n;
}

static node *parenthesis(struct parser *p)
{
    char open = (p->at++)->kind;
    node *n = inside(p, SXT_MATH_TUPLE, BAR_OPENS);
    char close = p->at->kind;

    if (close != ')' && close != ']')
        return fail(p);
    p->at++;
    if (n->kind == SXT_MATH_TUPLE && n->text.len == 0) {
        n->text = (struct sxt_span){ p->tree->pool + p->tree->used, 2 };
        pool_add(p, (struct sxt_span){ &open, 1 });
        pool_add(p, (struct sxt_span){ &close, 1 });
        return n;
    }
    return (open == '(') == (close == ')') ? n : fail(p);
}

static node *set(struct parser *p)
{
    p->at++;
    if (accept(p, SXT_TOK_SET_CLOSE))
        return make(p, SXT_MATH_EMPTY_SET, NULL, NULL);
    node *n = inside(p, SXT_MATH_SET, BAR_SEPARATES);
    if (accept(p, '|') || accept(p, ':')) {
        node *condition = inside(p, SXT_MATH_LIST, BAR_OPENS);
        n = make(p, SXT_MATH_BUILDER, n, condition);
    } else if (n->kind != SXT_MATH_SET) {
        n = make(p, SXT_MATH_SET, n, NULL);
    }
    expect(p, SXT_TOK_SET_CLOSE);
    return n;
}

/* {…}: grouping in LaTeX; with commas inside it was meant as a set. */
static node *group(struct parser *p)
{
    p->at++;
    if (accept(p, '}'))
        return make(p, SXT_MATH_EMPTY_SET, NULL, NULL);
    node *n = inside(p, SXT_MATH_SET, BAR_OPENS);
    if (is_command(p, "choose")) {
        p->at++;
        n = named(p, SXT_MATH_FUNCTION, "binom", n,
                  inside(p, SXT_MATH_SET, BAR_OPENS));
    }
    expect(p, '}');
    return n;
}

/* ---- commands ---- */

/* One argument of a command: {…}, or the next digit, letter or command. */
static node *argument(struct parser *p, bool one_digit)
{
    struct sxt_math_token *t = p->at;

    if (t->kind == '{')
        return group(p);
    if (t->kind == '(' && !one_digit)
        return parenthesis(p);
    if (t->kind == SXT_TOK_NUMBER && one_digit && t->text.len > 1) {
        node *n =
            leaf(p, SXT_MATH_NUMBER, (struct sxt_span){ t->text.data, 1 });
        t->text.data++;
        t->text.len--;
        return n;
    }
    if (t->kind == SXT_TOK_NUMBER) {
        p->at++;
        return leaf(p, SXT_MATH_NUMBER, t->text);
    }
    return primary(p);
}

static node *fraction(struct parser *p)
{
    node *a = argument(p, true);
    node *b = argument(p, true);

    return make(p, SXT_MATH_DIV, a, b);
}

static node *root(struct parser *p)
{
    node *index = NULL;

    if (accept(p, '[')) {
        index = inside(p, SXT_MATH_TUPLE, BAR_OPENS);
        expect(p, ']');
    }
    node *radicand = argument(p, false);
    return make(p, SXT_MATH_ROOT, radicand, index ? index : number_node(p, 2));
}

static node *fenced(struct parser *p, const char *name, const char *close)
{
    node *n = inside(p, SXT_MATH_TUPLE, BAR_OPENS);

    if (!is_command(p, close))
        return fail(p);
    p->at++;
    return named(p, SXT_MATH_FUNCTION, name, n, NULL);
}

/* \sum_{a}^{b} body: a function of three expressions that is never summed. */
static node *big_operator(struct parser *p, struct sxt_span name)
{
    node *lower = number_node(p, 0), *upper = number_node(p, 0);

    while (p->at->kind == '_' || p->at->kind == '^') {
        bool is_lower = (p->at++)->kind == '_';
        node *bound = argument(p, true);
        if (is_lower)
            lower = bound;
        else
            upper = bound;
    }
    node *body = unary(p);
    while (!p->failed && (p->at->kind == SXT_TOK_NAME || p->at->kind == '(' ||
                          operand_command(p)))
        body = make(p, SXT_MATH_MUL, body, unary(p));
    node *n = make(p, SXT_MATH_FUNCTION, lower, upper);
    upper->next = body;
    n->count = 3;
    n->text = name;
    return n;
}

static struct sxt_span environment_name(struct parser *p)
{
    expect(p, '{');
    struct sxt_span name = p->at->text;
    if (p->at->kind != SXT_TOK_TEXT)
        fail(p);
    else
        p->at++;
    expect(p, '}');
    return name;
}

static bool is_end(const struct parser *p)
{
    return p->at->kind == SXT_TOK_END || is_command(p, "end");
}

static node *matrix(struct parser *p)
{
    struct sxt_span name = environment_name(p);
    size_t cols = 0, col = 0;
    node *n = make(p, SXT_MATH_MATRIX, NULL, NULL), *last = NULL;

    if (sxt_span_equal(name, "array") && p->at->kind == '{')
        while (p->at->kind != SXT_TOK_END && !accept(p, '}'))
            p->at++;
    while (!p->failed && !is_end(p)) {
        node *cell = relation(p);
        if (last)
            last->next = cell;
        else
            n->child = cell;
        last = cell;
        n->count++;
        col++;
        if (accept(p, '&'))
            continue;
        cols = n->rows == 0 ? col : cols;
        if (col != cols || (!accept(p, SXT_TOK_ROW) && !is_end(p)))
            return fail(p);
        col = 0;
        n->rows++;
    }
    if (is_end(p) && p->at->kind != SXT_TOK_END)
        p->at++;
    environment_name(p);
    if (col != 0 || n->rows == 0)
        return fail(p);
    if (sxt_span_equal(name, "vmatrix"))
        return named(p, SXT_MATH_FUNCTION, "det", n, NULL);
    bool known =
        sxt_span_equal(name, "pmatrix") || sxt_span_equal(name, "bmatrix") ||
        sxt_span_equal(name, "matrix") || sxt_span_equal(name, "smallmatrix") ||
        sxt_span_equal(name, "array");
    return known ? n : fail(p);
}

static node *command(struct parser *p)
{
    struct sxt_span name = (p->at++)->text;

    if (sxt_span_equal(name, "frac"))
        return fraction(p);
    if (sxt_span_equal(name, "sqrt"))
        return root(p);
    if (sxt_span_equal(name, "binom")) {
        node *n = argument(p, true), *k = argument(p, true);
        return named(p, SXT_MATH_FUNCTION, "binom", n, k);
    }
    if (sxt_span_equal(name, "lfloor"))
        return fenced(p, "floor", "rfloor");
    if (sxt_span_equal(name, "lceil"))
        return fenced(p, "ceil", "rceil");
    if (sxt_span_equal(name, "begin"))
        return matrix(p);
    if (sxt_span_equal(name, "bar") || sxt_span_equal(name, "vec")) {
        node *n = named(p, SXT_MATH_FUNCTION, "", argument(p, true), NULL);
        n->text = name;
        return n;
    }
    if (sxt_span_equal(name, "sum") || sxt_span_equal(name, "prod") ||
        sxt_span_equal(name, "int"))
        return big_operator(p, name);
    return fail(p);
}

/* ---- functions ---- */

/* \sin 3x: factors up to a sign, another function or a parenthesis. */
static node *bare_argument(struct parser *p)
{
    node *n = unary(p);

    while (!p->failed && (p->at->kind == SXT_TOK_NAME || operand_command(p)))
        n = make(p, SXT_MATH_MUL, n, unary(p));
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

static node *function(struct parser *p)
{
    struct sxt_span name = (p->at++)->text;
    node *power = NULL, *base = NULL, *arg;

    while (p->at->kind == '_' || p->at->kind == '^') {
        bool is_base = (p->at++)->kind == '_';
        node *n = argument(p, false);
        *(is_base ? &base : &power) = n;
    }
    if (power && is_minus_one(power) && inverse_name(name)) {
        name = sxt_span(inverse_name(name));
        power = NULL;
    }
    if (p->at->kind == '(' || p->at->kind == '[')
        arg = parenthesis(p);
    else if (p->at->kind == '{')
        arg = group(p);
    else
        arg = bare_argument(p);
    node *n = make(p, SXT_MATH_FUNCTION, arg, base);
    n->text = name;
    if (arg->kind == SXT_MATH_TUPLE && !base) { /* max(a, b) */
        n->child = arg->child;
        n->count = arg->count;
    }
    return power ? make(p, SXT_MATH_POW, n, power) : n;
}

/* ---- operands ---- */

/* 2\frac{1}{3}, 2 1/3, 0.1\overline{6} */
static node *number(struct parser *p)
{
    struct sxt_math_token *t = p->at++;
    node *n = leaf(p, SXT_MATH_NUMBER, t->text);
    bool whole = is_integer(n);

    if (whole && is_command(p, "frac")) {
        p->at++;
        node *part = fraction(p);
        bool mixed = part->kind == SXT_MATH_DIV && is_integer(part->child) &&
                     is_integer(part->child->next);
        return make(p, mixed ? SXT_MATH_ADD : SXT_MATH_MUL, n, part);
    }
    if (whole && t[1].kind == SXT_TOK_NUMBER && t[1].space &&
        t[2].kind == '/' && t[3].kind == SXT_TOK_NUMBER) {
        node *a = leaf(p, SXT_MATH_NUMBER, t[1].text);
        node *b = leaf(p, SXT_MATH_NUMBER, t[3].text);
        p->at += 3;
        return make(p, SXT_MATH_ADD, n, make(p, SXT_MATH_DIV, a, b));
    }
    if (!whole && is_command(p, "bar")) {
        p->at++;
        node *digits = argument(p, true);
        if (!is_integer(digits))
            return fail(p);
        node *r = make(p, SXT_MATH_REPEATING, digits, NULL);
        r->text = n->text;
        return r;
    }
    return n;
}

static node *absolute(struct parser *p)
{
    p->at++;
    node *n = inside(p, SXT_MATH_TUPLE, BAR_CLOSES);
    expect(p, '|');
    return named(p, SXT_MATH_FUNCTION, "abs", n, NULL);
}

static node *operand(struct parser *p)
{
    switch (p->at->kind) {
    case SXT_TOK_NUMBER:
        return number(p);
    case SXT_TOK_NAME:
        return leaf(p, SXT_MATH_NAME, (p->at++)->text);
    case '(':
    case '[':
        return parenthesis(p);
    case '{':
        return group(p);
    case SXT_TOK_SET_OPEN:
        return set(p);
    case '|':
        return p->bar == BAR_OPENS ? absolute(p) : fail(p);
    case SXT_TOK_COMMAND:
        return command(p);
    case SXT_TOK_FUNCTION:
        return function(p);
    case SXT_TOK_CURRENCY:
        p->at++;
        return named(p, SXT_MATH_UNIT, "dollar", unary(p), NULL);
    case SXT_TOK_INFINITY:
        p->at++;
        return make(p, SXT_MATH_INFINITY, NULL, NULL);
    case SXT_TOK_EMPTY_SET:
        p->at++;
        return make(p, SXT_MATH_EMPTY_SET, NULL, NULL);
    default:
        return fail(p);
    }
}

static node *primary(struct parser *p)
{
    if (++p->depth > SXT_MATH_MAX_DEPTH)
        return fail(p);
    node *n = operand(p);
    p->depth--;
    return n;
}

/* x_1 is a name of its own; F_{n-1} a function of its index; 52_8 a number
 * in base 8. */
static node *subscript(struct parser *p, node *n)
{
    struct sxt_span word = p->at[1].text;

    p->at++;
    if (p->at[-1].kind == '{' && p->at->kind == SXT_TOK_TEXT &&
        p->at[1].kind == '}') { /* _{\text{eight}}, x_{\text{max}} */
        int value = sxt_mathexpr_number_word(p->at->text);
        p->at += 2;
        node *sub =
            value >= 0 ? number_node(p, value) : leaf(p, SXT_MATH_NAME, word);
        return make(p, SXT_MATH_BASE, n, sub);
    }
    p->at--;
    return make(p, SXT_MATH_BASE, n, argument(p, false));
}

static node *index_of(struct parser *p, node *n)
{
    node *whole = subscript(p, n), *sub = n->next;

    if (p->failed || n->kind == SXT_MATH_NUMBER)
        return whole;
    if (n->kind != SXT_MATH_NAME)
        return fail(p);
    if (sub->kind != SXT_MATH_NUMBER && sub->kind != SXT_MATH_NAME) {
        whole->kind = SXT_MATH_FUNCTION;
        whole->text = n->text;
        whole->child = sub;
        whole->count = 1;
        return whole;
    }
    struct sxt_span name = { p->tree->pool + p->tree->used,
                             n->text.len + 1 + sub->text.len };
    pool_add(p, n->text);
    pool_add(p, (struct sxt_span){ "_", 1 });
    pool_add(p, sub->text);
    return leaf(p, SXT_MATH_NAME, name);
}

static node *power(struct parser *p, node *n)
{
    if (accept(p, SXT_TOK_DEGREE))
        return make(p, SXT_MATH_DEGREE, n, NULL);
    if (p->at[0].kind == '{' && p->at[1].kind == SXT_TOK_DEGREE &&
        p->at[2].kind == '}') {
        p->at += 3;
        return make(p, SXT_MATH_DEGREE, n, NULL);
    }
    node *exponent;
    if (p->at->kind == '-' || p->at->kind == '+')
        exponent = unary(p);
    else
        exponent = argument(p, false);
    return make(p, SXT_MATH_POW, n, exponent);
}

static node *postfix(struct parser *p, node *n)
{
    while (!p->failed) {
        if (accept(p, '^'))
            n = power(p, n);
        else if (accept(p, '!'))
            n = named(p, SXT_MATH_FUNCTION, "factorial", n, NULL);
        else if (accept(p, '%'))
            n = make(p, SXT_MATH_PERCENT, n, NULL);
        else if (accept(p, SXT_TOK_DEGREE))
            n = make(p, SXT_MATH_DEGREE, n, NULL);
        else if (accept(p, '\''))
            n = named(p, SXT_MATH_FUNCTION, "prime", n, NULL);
        else if (p->at->kind == '_' && p->at[1].kind != SXT_TOK_END) {
            p->at++;
            n = index_of(p, n);
        } else
            break;
    }
    return n;
}

static node *unary(struct parser *p)
{
    char kind = p->at->kind;

    if (!strchr("+-PM", kind) || kind == SXT_TOK_END)
        return postfix(p, primary(p));
    if (++p->depth > SXT_MATH_MAX_DEPTH)
        return fail(p);
    p->at++;
    node *n = unary(p);
    p->depth--;
    if (kind == '-')
        return make(p, SXT_MATH_NEG, n, NULL);
    if (kind == SXT_TOK_PLUS_MINUS)
        return make(p, SXT_MATH_PLUS_MINUS, number_node(p, 0), n);
    if (kind == SXT_TOK_MINUS_PLUS)
        return make(p, SXT_MATH_MINUS_PLUS, number_node(p, 0), n);
    return n;
}

/* Does a factor follow without a sign? */
static bool factor_follows(const struct parser *p)
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
        return p->bar == BAR_OPENS;
    case SXT_TOK_COMMAND:
        return operand_command(p);
    default:
        return false;
    }
}

static node *product(struct parser *p)
{
    node *n = unary(p);

    while (!p->failed) {
        if (accept(p, '*'))
            n = make(p, SXT_MATH_MUL, n, unary(p));
        else if (accept(p, '/'))
            n = make(p, SXT_MATH_DIV, n, unary(p));
        else if (factor_follows(p))
            n = make(p, SXT_MATH_MUL, n, postfix(p, primary(p)));
        else
            break;
    }
    return n;
}

static node *sum(struct parser *p)
{
    node *n = product(p);

    while (!p->failed) {
        if (accept(p, '+'))
            n = make(p, SXT_MATH_ADD, n, product(p));
        else if (accept(p, '-'))
            n = make(p, SXT_MATH_SUB, n, product(p));
        else if (accept(p, SXT_TOK_PLUS_MINUS))
            n = make(p, SXT_MATH_PLUS_MINUS, n, product(p));
        else if (accept(p, SXT_TOK_MINUS_PLUS))
            n = make(p, SXT_MATH_MINUS_PLUS, n, product(p));
        else
            break;
    }
    return n;
}

/* ---- words ---- */

/* Text up to what is no text; a unit may hold a power, "/" and "-". */
static struct sxt_span words(struct parser *p, bool is_unit)
{
    struct sxt_span s = { p->tree->pool + p->tree->used, 0 };
    struct sxt_math_token *start = p->at;

    for (;;) {
        bool text = p->at->kind == SXT_TOK_TEXT;
        bool more = is_unit && p->at > start && p->at->kind != SXT_TOK_END &&
                    strchr("/-^.(){}nv", p->at->kind) != NULL;
        if (!text && !more)
            break;
        pool_add(p, p->at->text);
        p->at++;
    }
    s.len = (size_t)(p->tree->pool + p->tree->used - s.data);
    return s;
}

static node *ratio(struct parser *p)
{
    if (p->at->kind == SXT_TOK_TEXT) {
        struct sxt_span text = words(p, false);
        int value = sxt_mathexpr_number_word(text);
        return value >= 0 ? number_node(p, value)
                          : leaf(p, SXT_MATH_TEXT, text);
    }
    node *n = sum(p);
    if (p->ratio && p->at->kind == ':') {
        node *last = n, *first = n;
        n = make(p, SXT_MATH_RATIO, NULL, NULL);
        n->child = first;
        n->count = 1;
        while (accept(p, ':')) {
            last->next = sum(p);
            last = last->next;
            n->count++;
        }
    }
    if (p->at->kind == SXT_TOK_TEXT) {
        n = make(p, SXT_MATH_UNIT, n, NULL);
        n->text = words(p, true);
    } else if (accept(p, SXT_TOK_CURRENCY)) {
        n = named(p, SXT_MATH_UNIT, "dollar", n, NULL);
    }
    return n;
}

static node *sets(struct parser *p)
{
    node *n = ratio(p);

    while (!p->failed) {
        if (accept(p, SXT_TOK_UNION))
            n = make(p, SXT_MATH_UNION, n, ratio(p));
        else if (accept(p, SXT_TOK_INTERSECT))
            n = make(p, SXT_MATH_INTERSECT, n, ratio(p));
        else if (accept(p, SXT_TOK_MINUS_SET))
            n = make(p, SXT_MATH_MINUS_SET, n, ratio(p));
        else
            break;
    }
    return n;
}

static bool is_relation(char kind)
{
    return kind != SXT_TOK_END && strchr("=<>LGNAE", kind) != NULL;
}

static node *relation(struct parser *p)
{
    if (p->at->kind == SXT_TOK_APPROX || p->at->kind == '=')
        p->at++; /* "≈ 8.24" */
    node *first = sets(p), *last = first;
    if (!is_relation(p->at->kind) || p->failed)
        return first;

    node *n = make(p, SXT_MATH_RELATION, NULL, NULL);
    n->child = first;
    n->count = 1;
    char signs[8];
    while (is_relation(p->at->kind) && n->count < sizeof(signs)) {
        signs[n->count - 1] = (p->at++)->kind;
        last->next = sets(p);
        last = last->next;
        n->count++;
    }
    n->text = (struct sxt_span){ p->tree->pool + p->tree->used, n->count - 1 };
    pool_add(p, (struct sxt_span){ signs, n->count - 1 });
    return n;
}

const struct sxt_math_node *sxt_mathparse(struct sxt_math_tree *tree)
{
    struct parser p = { .tree = tree, .bar = BAR_OPENS, .ratio = true };

    tree->nodes[0].text = sxt_span(""); /* the node of failures */
    tree->n_nodes = 1;
    p.at = tree->tokens.item;
    node *n = list(&p, SXT_MATH_LIST);
    return !p.failed && p.at->kind == SXT_TOK_END ? n : NULL;
}
