/* mathvalue.c - rules for single values: numbers, percent, degrees, words. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "task/mathclosed.h"
#include "task/mathjudge.h"
#include "task/mathregion.h"

typedef struct sxt_math_node node; /* in this file only */
typedef enum sxt_math_verdict verdict;

static const node *second(const node *n)
{
    return n->child->next;
}

bool sxt_mathvalue_words(struct sxt_span a, struct sxt_span b)
{
    size_t i = 0, k = 0;

    for (;;) {
        while (i < a.len && strchr(" .~{}", a.data[i]))
            i++;
        while (k < b.len && strchr(" .~{}", b.data[k]))
            k++;
        if (i == a.len || k == b.len)
            return i == a.len && k == b.len;
        if (tolower((unsigned char)a.data[i++]) !=
            tolower((unsigned char)b.data[k++]))
            return false;
    }
}

bool sxt_mathvalue_has_sign(const node *n)
{
    while (n->kind == SXT_MATH_NEG)
        n = n->child;
    return n->kind == SXT_MATH_PERCENT || n->kind == SXT_MATH_DEGREE;
}

/* ---- decimals ---- */

/* Digits from the first that is not zero; *places behind the point. */
static size_t significant(const node *n, int *places)
{
    size_t digits = 0;
    bool behind = false;

    *places = 0;
    for (size_t i = 0; i < n->text.len; i++) {
        char c = n->text.data[i];
        if (c == '.') {
            behind = true;
            continue;
        }
        *places += behind;
        digits += digits > 0 || c != '0';
    }
    return digits;
}

/* d is a decimal of at least six significant digits and exact rounds to it. */
static bool rounds_to(struct sxt_math_judge *j, const node *exact,
                      const node *d)
{
    enum { ENOUGH = 6 };
    const node *digits = d->kind == SXT_MATH_NEG ? d->child : d;
    long double x, y;
    int places;

    if (digits->kind != SXT_MATH_NUMBER || exact->kind == SXT_MATH_NUMBER ||
        !memchr(digits->text.data, '.', digits->text.len) ||
        significant(digits, &places) < ENOUGH)
        return false;
    if (!sxt_math_constant(exact, &j->fuel, &x) ||
        !sxt_math_constant(d, &j->fuel, &y))
        return false;
    return fabsl(x - y) <= 0.5000001L * powl(10, -places) &&
           fabsl(x - roundl(x)) > 1e-9L;
}

/* ---- values ---- */

static bool is_infinite(const node *n, int *sign)
{
    *sign = 1;
    for (; n->kind == SXT_MATH_NEG; n = n->child)
        *sign = -*sign;
    return n->kind == SXT_MATH_INFINITY;
}

verdict sxt_mathvalue_same(struct sxt_math_judge *j, const node *g,
                           const node *p)
{
    verdict v = sxt_math_identity(g, p, &j->fuel);

    j->rule = j->fuel < 0 ? "limit" : "identity";
    if (v != SXT_MATH_UNDECIDED)
        return v;
    v = sxt_mathclosed(g, p, &j->budget_s);
    if (v != SXT_MATH_UNDECIDED)
        j->rule = "closed form";
    return v;
}

static verdict compare_based(struct sxt_math_judge *j, const node *g,
                             const node *p)
{
    if (g->kind == SXT_MATH_BASE && p->kind == SXT_MATH_BASE) {
        bool same =
            sxt_mathvalue_same(j, second(g), second(p)) == SXT_MATH_EQUAL &&
            (sxt_math_is_written_alike(g->child, p->child) ||
             sxt_mathvalue_same(j, g->child, p->child) == SXT_MATH_EQUAL);
        return sxt_mathjudge_decide(j, same, "base");
    }
    bool dropped = g->kind == SXT_MATH_BASE &&
                   sxt_mathvalue_same(j, g->child, p) == SXT_MATH_EQUAL;
    return sxt_mathjudge_decide(
        j, dropped || sxt_mathvalue_same(j, g, p) == SXT_MATH_EQUAL, "base");
}

/* 50 % is 0.5; and it is 50 where the reference has the sign. */
static verdict compare_percent(struct sxt_math_judge *j, const node *g,
                               const node *p)
{
    bool dropped = g->kind == SXT_MATH_PERCENT && p->kind != SXT_MATH_PERCENT &&
                   sxt_mathvalue_same(j, g->child, p) == SXT_MATH_EQUAL;

    return sxt_mathjudge_decide(
        j, dropped || sxt_mathvalue_same(j, g, p) == SXT_MATH_EQUAL, "percent");
}

static verdict compare_degrees(struct sxt_math_judge *j, const node *g,
                               const node *p)
{
    bool both = g->kind == SXT_MATH_DEGREE && p->kind == SXT_MATH_DEGREE;
    const node *a = g->kind == SXT_MATH_DEGREE ? g->child : g;
    const node *b = p->kind == SXT_MATH_DEGREE ? p->child : p;
    bool equal = sxt_mathvalue_same(j, a, b) == SXT_MATH_EQUAL ||
                 (!both && sxt_mathvalue_same(j, g, p) == SXT_MATH_EQUAL);

    return sxt_mathjudge_decide(j, equal, "degrees");
}

verdict sxt_mathvalue(struct sxt_math_judge *j, const node *g, const node *p)
{
    int a, b;

    while (g->kind == SXT_MATH_NEG && p->kind == SXT_MATH_NEG) {
        g = g->child;
        p = p->child;
    }
    if (is_infinite(g, &a) || is_infinite(p, &b))
        return sxt_mathjudge_decide(
            j, is_infinite(g, &a) && is_infinite(p, &b) && a == b, "infinity");
    if (g->kind == SXT_MATH_EMPTY_SET || p->kind == SXT_MATH_EMPTY_SET)
        return sxt_mathjudge_decide(j, g->kind == p->kind, "set");
    if (g->kind == SXT_MATH_TEXT || p->kind == SXT_MATH_TEXT)
        return sxt_mathjudge_decide(
            j, g->child == p->child && sxt_mathvalue_words(g->text, p->text),
            "text");
    if ((g->kind == SXT_MATH_RATIO) != (p->kind == SXT_MATH_RATIO))
        return sxt_mathjudge_decide(j, false, "ratio");
    if (g->kind == SXT_MATH_BASE || p->kind == SXT_MATH_BASE)
        return compare_based(j, g, p);
    if (g->kind == SXT_MATH_PERCENT || p->kind == SXT_MATH_PERCENT)
        return compare_percent(j, g, p);
    if (g->kind == SXT_MATH_DEGREE || p->kind == SXT_MATH_DEGREE)
        return compare_degrees(j, g, p);

    verdict v = sxt_mathvalue_same(j, g, p);
    if (v != SXT_MATH_EQUAL && (rounds_to(j, g, p) || rounds_to(j, p, g)))
        return sxt_mathjudge_decide(j, true, "rounded");
    return v;
}
